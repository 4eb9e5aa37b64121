//! Differential equations inside models: their solutions, and the derivatives of these.
#![forbid(unsafe_code)]

use ndarray::Array2;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_tests::check_model;

model! {
    /// Lynxes and hares (Lotka 1925, Volterra 1926).
    pub LotkaVolterra(times: [f64; T], y: [f64; T, S]) {
        theta[S, S] ~ LogNormal(-0.5, 0.3);
        z0[S] ~ LogNormal(1, 0.5);
        sigma[S] ~ LogNormal(-1, 0.5);
        ode s in 0..times[t] for t in T {
            start(prey) = z0[0];
            start(predator) = z0[1];
            let eaten = predator * prey;
            d(prey) = theta[0, 0] * prey - theta[0, 1] * eaten;
            d(predator) = theta[1, 0] * eaten - theta[1, 1] * predator;
        }
        for t in T {
            y[t, 0] ~ LogNormal(ln(prey[t]), sigma[0]);
            y[t, 1] ~ LogNormal(ln(predator[t]), sigma[1]);
        }
    }
}

fn numbers(count: usize, seed: u64) -> Vec<f64> {
    (0..count).map(|i| normal_quantile(uniform(seed, i as u64))).collect()
}

fn table(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), numbers(rows * columns, seed)).unwrap()
}

#[test]
fn derivatives_go_through_the_steps() {
    let times = vec![0.0, 0.4, 1.0, 1.0, 2.5];
    check_model(&*LotkaVolterra { times, y: table(5, 2, 1).mapv(f64::exp) }.bind().unwrap());
}

#[test]
fn print() {
    println!("{}", LotkaVolterra::EXPANSION);
}
