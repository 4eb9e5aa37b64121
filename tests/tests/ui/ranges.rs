use ppl_core::prelude::*;

model! {
    pub Ranges(y: [f64; N], z: [f64; N, M], x: f64) {
        s ~ HalfNormal(1);
        for n in s {
            y[n] ~ Normal(0, 1);
        }
        for i in 0..3 {
            for j in 0..i {
                factor(y[j]);
            }
        }
        for n in N {
            factor(y[s[n]]);
            factor(y[s]);
            y[n - 1] ~ Normal(0, 1);
        }
    }
}

fn main() {}
