use ppl_core::prelude::*;

model! {
    pub Choices(y: [f64; N], c: bool) {
        let a = if c { 1 };
        let b = if c then { 1 } else { 2 };
        let d = if c { let e = 1; e } else { 2 };
        let f = if let g = c { 1 } else { 2 };
    }
}

fn main() {}
