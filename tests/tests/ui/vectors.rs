use ppl_core::prelude::*;

model! {
    pub Vectors(y: [f64; N], x: [f64; N, P], cube: [f64; N, P, Q], t: f64) {
        beta[P] ~ Normal(0, 1);
        s ~ HalfNormal(1);
        factor(std::f64::consts::PI);
        factor(t[0]);
        factor(dot(x[0], 3));
        factor(dot(x[0, 1], beta));
        factor(dot(cube[0], beta));
        factor(dot(x[0], s));
        factor(log_sum_exp());
        factor(s.log());
        for n in N {
            factor(if y[n] { 1 } else { 2 });
        }
    }
}

fn main() {}
