use ppl_core::prelude::*;

model! {
    pub HalfTyped(y: [f64; N]) {
        mu ~ ;
        sigma ~ HalfNormal
        for n in N {
            y[n] ~ Normal(mu, );
        }
    }
}

fn main() {
    let model = HalfTyped { y: vec![1.0] };
    let _ = fit_bbvi(&model, Bbvi::default());
}
