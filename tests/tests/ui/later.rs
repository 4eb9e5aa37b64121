use ppl_core::prelude::*;

model! {
    pub Later(y: [f64; N]) {
        k ~ Normal(0, 1) sampled;
        sum j in N ~ Categorical(w) { }
        factor(1, 2);
        1 ~ Normal(0, 1);
    }
}

fn main() {}
