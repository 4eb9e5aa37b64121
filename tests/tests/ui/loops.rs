use ppl_core::prelude::*;

model! {
    pub Repeated(y: [f64; N], w: [f64; K]) {
        for n in N {
            mu ~ Normal(0, 1);
            for k in K {
                let a[n] = 3;
                z[n, K] ~ Normal(0, 1);
                y[n] ~ Normal(0, 1);
            }
            w[K] ~ Normal(mu, 1);
        }
    }
}

fn main() {}
