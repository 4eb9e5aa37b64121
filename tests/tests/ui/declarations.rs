use ppl_core::prelude::*;

model! {
    pub Declarations(y: [f64; N], z: [f64; N, M], g: [in M; N]) {
        N ~ Normal(0, 1);
        for n in N {
            z[n] ~ Normal(0, 1);
            y[g[n]] ~ Normal(0, 1);
        }
        for m in M {
            y[m] ~ Normal(0, 1);
        }
        a[0] ~ Normal(0, 1);
        a[N, M] ~ Normal(0, 1);
        b[N] ~ Normal(0, 1);
        b[M] ~ Normal(0, 1);
        c[0] ~ Normal(0, 1);
        for t in 1..N {
            c[t] ~ HalfNormal(1);
        }
    }
}

fn main() {}
