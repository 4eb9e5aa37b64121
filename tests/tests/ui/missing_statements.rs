use ppl_core::prelude::*;

model! {
    pub Undeclared(undeclared: [Option<f64>; N], partly: [Option<f64>; N], twice: [Option<f64>; N], y: [f64; N]) {
        partly[0] ~ Normal(0, 1);
        twice[N] ~ Normal(0, 1);
        twice[N] ~ Normal(0, 1);
        y[N] ~ Normal(0, 1);
    }
}

fn main() {}
