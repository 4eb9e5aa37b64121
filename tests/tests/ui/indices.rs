use ppl_core::prelude::*;

model! {
    pub Indices(y: [f64; N], g: [in C; N], k: [in K; N], m: [f64; N, K], u: [f64; C]) {
        for c in C {
            a[c] ~ Normal(0, 1);
        }
        for n in N {
            y[n] ~ Normal(a[n] + a[k[n]] + a[y[n]] + a[0.5] + a[n * n] + u, 1);
        }
        for n in N {
            factor(m[n] + a[g[n], 0] + g[q] + dot(m[n], a));
        }
    }
}

fn main() {}
