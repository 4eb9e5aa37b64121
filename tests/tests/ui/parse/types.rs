use ppl_core::prelude::*;

model! {
    pub Types(
        a: Vec<f64>, b: HashMap<String, f64>, c: i32, d: [usize; N], e: real, f: String, g: &[f64],
        h: f64[N], i: [f64, N], j: [f64], k: [[f64; N]; K], l: [f64; 10], m: [f64; N K], n: [f64; A, B, C, D],
        o: [in; N], p: Option, q: Option<[f64; N]>, r: (f64, f64), s, t: f64 = 3, u: f64; v: f64, type: f64,
        w: net(A => B), 1: f64
    ) {
    }
}

fn main() {}
