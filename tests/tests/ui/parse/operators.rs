use ppl_core::prelude::*;

model! {
    pub Operators(y: [f64; N], c: [bool; N]) {
        a ~ Normal(0, 1);
        let b = a^2;
        let d = a ** 2;
        let e = a % 2;
        let f = a as f64;
        let g = c ? a : 1;
        let h = a @ a;
        let i = c & c;
        let j = c or c;
        let k = 0 < a < 1;
        let l = +a;
        let m = if a = 1 { 1 } else { 2 };
        let n = (a a);
    }
}

fn main() {}
