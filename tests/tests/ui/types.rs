use ppl_core::prelude::*;

model! {
    pub Types(a: Vec<f64>, b: [f64, N], c: &[f64], d: [i32; N], e: [f64; A, B, C, D], h: [u32; N], f: net(A => B), g) {
        x ~ Normal(0, 1);
    }
}

fn main() {}
