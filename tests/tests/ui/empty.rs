ppl_core::model! {}

ppl_core::model! { pub NoBody(y: f64) }

fn main() {}
