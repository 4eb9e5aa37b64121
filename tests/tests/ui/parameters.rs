use ppl_core::prelude::*;

model! {
    pub Declarations(y: [f64; N], flat: [f64; N], cut: [f64; N], g: [in C; N], high: f64) {
        param a: f64 = 0;
        param b: Positive = 1;
        param c: positive(2) = 1;
        param d: simplex = 1;
        param e: interval = 1;
        param f: interval(0, 1, 2) = 1;
        param i: interval(0, top = 3) = 1;
        param y: real = 0;
        param mu: real = 0;
        mu ~ Normal(0, 1);
        x ~ Normal(0, 1);
        param x: real = 0;
        let mu = 3;
        param h: real = x;
        param j: interval(mu, high) = high;
        for n in N {
            let z = x * y[n];
            param k[n]: real = z;
            param l: real = 0;
            y[n] ~ Normal(mu, 1);
        }
        param o[0]: real = 1;
        for n in 1..N {
            param o[n]: positive = 1;
        }
        param q[n]: real = 0;
        param m: covariance = 1;
        param p[N, C]: correlation = 1;
        later ~ Normal(r, 1);
        param r: real = 0;
        flat[N] ~ Uniform(mu, high);
        cut[N] ~ Truncated(Normal(0, 1), upper = x);
    }
}

model! {
    pub Checked(y: [f64; N], K: usize) {
        param a: real = 0;
        param p: unit = 0.5;
        param q: interval(-1, 2) = 0;
        param w[K]: simplex = 1 / K;
        param a: real = 1;
        param s[0]: real = 0;
        param t: real = Normal(0, -1).log_prob(3);
        u ~ Normal(0, a);
        v ~ Normal(0, p - a);
        x ~ Gamma(w[0], -q);
        y[N] ~ Bernoulli(q);
        h ~ Uniform(0, y[0]);
        param j: interval(y[1], 9) = 8;
    }
}

fn main() {}
