use ppl_core::prelude::*;

model! {
    pub Expressions(y: [f64; N], x: [f64; N]) {
        a ~ Normal(0, 1);
        b ~ Normal(0, a^2);
        c ~ Normal(0, a ** 2);
        log(a) ~ Normal(0, 1);
        d = 3;
        e <- Normal(0, 1);
        let f = log(a) + pow(a, 2);
        let g = exp(a, 1) + a.squared();
        let h = if a > 0 { 1 } else { 2 };
        let i = 1usize + 2f64;
        let j = Normal(0, 1);
        let k = a.powi(0.5);
        let mut l = 1;
        while a { }
        m ~ Normal(0, 1)
    }
}

fn main() {}
