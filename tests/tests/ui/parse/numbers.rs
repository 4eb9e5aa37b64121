use ppl_core::prelude::*;

model! {
    pub Numbers(y: [f64; N]) {
        let a = 1f64;
        let b = 1usize;
        let c = 2y;
        let d = 1e999;
        let e = "text";
    }
}

fn main() {}
