use ppl_core::prelude::*;

model! {
    pub Names(y: [f64; N], y: [f64; N], Normal: f64) {
        mu ~ Normal(0, sigma);
        sigma ~ HalfNormal(1);
        mu ~ Normal(0, 1);
        for n in N {
            let mu = 1;
            z[n] ~ Normal(muu, sigma);
            x ~ Normal(x, 1);
        }
        for n in M {
            y[n] ~ Normal(0, 1);
        }
    }
}

fn main() {}
