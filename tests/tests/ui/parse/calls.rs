use ppl_core::prelude::*;

model! {
    pub Calls(y: [f64; N], x: [f64; N, K]) {
        let a = x[0:1];
        let b = x[..];
        let c = x[, 1];
        let d = x[];
        let e = x[0][1];
        let f = x[0 1];
        let g = exp(-);
        let h = sum(k in K, x[0, k]);
        let i = sum(x[0, k] for k in K);
        let j = mean(k in K => x[0, k]);
        m ~ Normal(scale = 1, 0);
        o ~ Normal(loc: 0, scale: 1);
        factor(m, o);
        factor(m o);
    }
}

fn main() {}
