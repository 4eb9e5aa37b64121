use ppl_core::prelude::*;

model! {
    pub Later(y: [f64; N]) {
        sum k in N ~ Categorical(w) { y[k] ~ Normal(0, 1); }
        k ~ Categorical(w) sampled;
    }
}

fn main() {}
