use ppl_core::prelude::*;

model! {
    pub Tilde(y: [f64; N], x: f64) {
        a = 3;
        b := 3;
        c <- x + 1;
        d == Normal(0, 1);
        e Normal(0, 1);
        f: f64 ~ Normal(0, 1);
        target += x;
        log(x) ~ Normal(0, 1);
        x - 1 ~ Normal(0, 1);
        Normal(0, 1);
        _ ~ Normal(0, 1);
        type ~ Normal(0, 1);
        g ~ Normal(0, 1) T[0,];
    }
}

fn main() {}
