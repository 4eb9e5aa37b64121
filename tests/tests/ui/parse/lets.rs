use ppl_core::prelude::*;

model! {
    pub Lets(y: [f64; N]) {
        let mut a = 1;
        let (b, c) = 1;
        let d: f64 = 1;
        let e ~ Normal(0, 1);
        let f;
        let 1 = 1;
        let _ = 1;
        let type = 1;
    }
}

fn main() {}
