use ppl_core::prelude::*;

model! {
    pub Semicolons(y: [f64; N]) {
        a ~ Normal(0, 1)
        let b = a
        for n in N {
            y[n] ~ Normal(a, 1)
        }
        let c = a b;
        ;
        factor(a)
    }
}

fn main() {}
