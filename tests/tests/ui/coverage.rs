use ppl_core::prelude::*;

model! {
    pub Coverage(y: [f64; T], w: [f64; N]) {
        for t in 1..T {
            x[t] ~ Normal(0, 1);
        }
        h[0] ~ Normal(0, 1);
        for t in T {
            h[t] ~ Normal(0, 1);
        }
        for n in N {
            w[n] ~ Normal(0, 1);
        }
        for n in N {
            w[n] ~ Normal(1, 1);
        }
    }
}

fn main() {}
