use ppl_core::prelude::*;

model! {
    pub Later(y: [f64; N]) {
        sum j in N ~ Categorical(w) { }
        factor(1, 2);
        1 ~ Normal(0, 1);
    }
}

fn main() {}
