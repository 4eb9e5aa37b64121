use ppl_core::prelude::*;

model! {
    pub Words(y: [f64; N], x: [f64; N]) {
        a ~ Normal(0, 1);
        let f = log(a) + pow(a, 2);
        let g = exp(a, 1) + a.squared();
        let h = if a > 0 { 1 } else { 2 };
        let j = Normal(0, 1);
        let k = a.powi(0.5);
        let l = a(2);
        let m = dot(a, x) + sum(y, x);
        let o = exp(x = a);
        factor(factor(a));
    }
}

fn main() {}
