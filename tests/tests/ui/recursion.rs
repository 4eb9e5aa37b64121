use ppl_core::prelude::*;

model! {
    pub Recursion(y: [f64; T]) {
        let total = total + 1;
        for t in T {
            let q[t] = q[t - 1];
        }
    }
}

fn main() {}
