use ppl_core::prelude::*;

model! {
    pub HalfTyped(y: [f64; N], x: [f64; N]) {
        mu ~ Nor
        beta ~
        for n in N {
            y[n] ~ Normal(mu + beta * x[
            ], 1)
        }
    }
}

fn main() {
    let model = HalfTyped { y: vec![1.0], x: vec![2.0] };
    let _ = fit_bbvi(&model, Bbvi::default());
}
