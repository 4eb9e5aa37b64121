use ppl_core::prelude::*;

model! {
    pub Parameters(y: [f64; N]) {
        param a;
        param b = 1;
        param c: = 1;
        param d: 1;
        param e: real;
        param f: real == 1;
        param g: real = ;
        param h: real = 1 let i = 2;
        param j ~ Normal(0, 1);
        param type: real = 0;
        param _: real = 0;
        param k: real = x^2;
        param l[]: real = 0;
    }
}

fn main() {}
