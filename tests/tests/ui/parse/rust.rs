use ppl_core::prelude::*;

model! {
    pub Rust(y: [f64; N], x: f64) {
        if true { a ~ Normal(0, 1); } else { a ~ Normal(0, 2); }
        return x;
        fn f() { }
        match x { }
        { a ~ Normal(0, 1); }
        /// A note.
        a ~ Normal(0, 1);
        let b = |x| x;
        let c = { 1 };
        let d = (1, 2);
        let e = [1, 2];
        let f = &x;
        let g = match x { };
        println!("{x}");
        let h = exp::<f64>(x);
        let i = y.len;
        let j = exp(x)[0];
        let k = exp(x)(1);
    }
}

fn main() {}
