ppl_core::model! { pub NoArguments { } }

ppl_core::model! { pub NoBody(y: f64) }

ppl_core::model! { pub Returns(y: f64) -> f64 { } }

ppl_core::model! { pub Generic<T>(y: f64) { } }

ppl_core::model! { pub struct Word(y: f64) { } }

ppl_core::model! { pub (y: f64) { } }

ppl_core::model! { pub One(y: f64) { } pub Two(y: f64) { } }

ppl_core::model! { #[ppl(core = a)] pub Attribute(y: f64) { } }

ppl_core::model! { #![allow(unused)] pub Inner(y: f64) { } }

fn main() {
    // The items of the models are there: no error about these names.
    let _: Option<(NoArguments, NoBody, Returns, Generic, Word, One, Attribute)> = None;
}
