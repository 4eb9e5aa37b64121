//! Eight schools.
use ppl_core::model;
model! {
    /// Radon.
    pub Radon(log_radon: [f64; N], floor: [f64; N], county: [in C; N], uranium: [f64; C]) {
        mu      ~ Normal(0, 10);
        gamma   ~ Normal(0, 10);
        beta    ~ Normal(0, 10);
        tau     ~ HalfNormal(1);
        sigma   ~ HalfNormal(1);
        for c in C {
            alpha[c] ~ Normal(mu + gamma * uranium[c], tau);
        }
        for n in N {
            let at_home = alpha[county[n]] + beta * floor[n];
            log_radon[n] ~ Normal(at_home, sigma);
        }
    }
}
model! {
    /// Eight.
    pub Eight(y: [f64; J], sigma: [f64; J]) {
        mu ~ Normal(0, 5);
        tau ~ HalfNormal(5);
        for j in J {
            eta[j] ~ Normal(0, 1);
            let theta[j] = mu + tau * eta[j];
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}
model! {
    /// Non-centred radon with a product.
    pub Big(y: [f64; N], x: [f64; N, P], g: [in C; N], K: usize) {
        beta[P] ~ Normal(0, 1);
        w[C, P] ~ Normal(0, 2);
        s ~ HalfNormal(2);
        m ~ Normal(0, 1);
        for c in C { raw[c] ~ Normal(0, 1); let alpha[c] = m + s * raw[c]; }
        let total = sum(alpha) / C;
        for n in N {
            let e = dot(x[n], beta) + alpha[g[n]] + dot(x[n], w[g[n]]) + if x[n, 0] > 0 { exp(m) / s } else { tanh(m) };
            y[n] ~ Normal(e + total * (x[n, 0] - 1).powi(2), exp(0.1 * s) + 0.5);
        }
        factor(log_sum_exp(k in 0..3 => Normal(k, 1).log_prob(m)) - sqrt(s) * sum(p in P => beta[p] * beta[p]));
        for n in 1..N {
            let mu = m * y[n - 1];
            factor(-0.1 * (y[n] - mu).powi(2));
        }
    }
}
use ppl_core::model::{Model, LogJoint};
fn check<M: Model<Element = f64>>(m: &M) {
    let b = m.bind().unwrap();
    let d = b.layout().unconstrained();
    let s = 8;
    let mut w = b.workspace(s); let wt = b.unit_weights(s);
    let u: Vec<f64> = (0..d * s).map(|i| ((i * 7919) % 101) as f64 / 101.0 - 0.5).collect();
    let (mut ld, mut g) = (vec![0.0; s], vec![0.0; d * s]);
    b.log_density(&u, &mut w, &wt, &mut ld, &mut g);
    let mut worst = 0.0f64;
    for i in 0..d { let h = 1e-5; let (mut a, mut c, mut gg) = (vec![0.0; s], vec![0.0; s], vec![0.0; d*s]);
        let mut v = u.clone(); for k in 0..s { v[i*s+k] += h; } b.log_density(&v, &mut w, &wt, &mut a, &mut gg);
        for k in 0..s { v[i*s+k] -= 2.0*h; } b.log_density(&v, &mut w, &wt, &mut c, &mut gg);
        for k in 0..s { let fd = (a[k]-c[k])/(2.0*h); worst = worst.max((fd - g[i*s+k]).abs() / (1.0 + fd.abs())); } }
    // rows form agrees
    b.complete(&mut w); b.constrain(&u, &mut w, &mut vec![0.0; s]); b.complete(&mut w);
    let mut total = vec![0.0; s];
    for f in 0..b.graph().factors.len() { let r = b.factor_rows(f); let mut out = vec![0.0; r * s]; b.log_prob_rows(f, 0..r, &mut w, &mut out); for (i, x) in out.iter().enumerate() { total[i % s] += x; } }
    let mut lj = vec![0.0; s]; b.accumulate(&mut w, &wt, &mut lj);
    println!("d {d} value {:?} worst {worst:.2e}; rows {:?} vs {:?}", ld[0], total[0], lj[0]);
}
fn main() {
    println!("{}", Radon::EXPANSION);
    check(&Radon { log_radon: vec![1.0, 2.0, 0.5], floor: vec![0.0, 1.0, 1.0], county: vec![0, 1, 1].into(), uranium: vec![0.3, -0.2] });
    check(&Eight { y: vec![28.0, 8.0], sigma: vec![15.0, 10.0] });
    let n = 3000;
    let x = ndarray::Array2::from_shape_fn((n, 4), |(i, j)| ((i * 31 + j * 17) % 13) as f64 / 13.0 - 0.4);
    check(&Big { y: (0..n).map(|i| (i % 7) as f64 / 7.0).collect(), x, g: (0..n).map(|i| i % 3).collect(), K: 2 });
}
