use ppl_core::prelude::*;

model! {
    pub Recursion(y: [f64; T]) {
        let total = total + 1;
        for t in T {
            let q[t] = q[t - 1];
        }
    }
}

model! {
    pub Order(y: [f64; T]) {
        mu ~ Normal(0, 1);
        let h[0] = mu;
        for t in 1..T {
            let h[t] = mu * h[T - 1];
        }
        let k[0] = mu;
        for t in 1..T {
            y[t] ~ Normal(k[t], 1);
            let k[t] = 0.5 * k[t - 1] + sum(h);
        }
        y[0] ~ Normal(sum(k), 1);
        let m[0] = mu;
        for t in 1..T {
            let m[t] = sum(m);
        }
    }
}

model! {
    pub Moved(y: [f64; T], a: [f64; P, P], start: [f64; P]) {
        e[T, P] ~ Normal(0, 1);
        let s[0, P] = matvec(a, start);
        for t in 1..T {
            let s[t, P] = matvec(a, s[t - 1]);
        }
        for t in T {
            y[t] ~ Normal(dot(s[t], e[t]), 1);
        }
    }
}

fn main() {}
