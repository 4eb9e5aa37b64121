use ppl_core::prelude::*;

model! {
    pub Methods(y: [f64; N]) {
        a ~ Normal(0, 1);
        factor(a.3);
    }
}

fn main() {}
