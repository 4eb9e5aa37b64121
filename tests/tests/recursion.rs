//! Recursions of quantities, differentiated through time.
#![forbid(unsafe_code)]

use ndarray::Array2;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_tests::check_model;

model! {
    /// ARMA(1, 1): errors and means are computed from each other in turns.
    pub Arma(y: [f64; T]) {
        mu ~ Normal(0, 1);
        phi ~ Normal(0, 0.5);
        theta ~ Normal(0, 0.5);
        sigma ~ HalfNormal(1);
        let m[0] = mu;
        let e[0] = y[0] - m[0];
        y[0] ~ Normal(mu, sigma);
        for t in 1..T {
            let m[t] = mu + phi * y[t - 1] + theta * e[t - 1];
            let e[t] = y[t] - m[t];
            y[t] ~ Normal(m[t], sigma);
        }
    }
}

model! {
    /// GARCH(1, 1): that the variance is positive is known at compile time.
    pub Garch(y: [f64; T], K: usize) {
        mu ~ Normal(0, 1);
        base ~ HalfNormal(1);
        share[K] ~ Dirichlet(2);
        let h[0] = base;
        y[0] ~ Normal(mu, sqrt(h[0]));
        for t in 1..T {
            let h[t] = base + share[0] * (y[t - 1] - mu).powi(2) + share[1] * h[t - 1];
            y[t] ~ Normal(mu, sqrt(h[t]));
        }
        factor(0 * share[K - 1]);
    }
}

model! {
    /// Series of levels whose noise is latent, each with a slope of its own; the season is that of two rows before.
    pub Levels(y: [f64; N, T], x: [f64; N, P]) {
        drift ~ Normal(0, 1);
        beta[P] ~ Normal(0, 1);
        rho ~ Beta(2, 2);
        sigma ~ HalfNormal(1);
        for n in N {
            e[n, T] ~ Normal(0, 1);
            let level[n, 0] = dot(x[n], beta);
            let level[n, 1] = level[n, 0] + e[n, 1];
            for t in 2..T {
                let level[n, t] = drift + rho * level[n, t - 1] + (1 - rho) * level[n, t - 2] + 0.3 * e[n, t];
            }
            for t in T {
                y[n, t] ~ Normal(level[n, t], sigma);
            }
        }
    }
}

model! {
    /// Over the outer loop, with a matrix product: rows of a table follow each other.
    pub Table(y: [f64; T, K], x: [f64; T, P]) {
        beta[P] ~ Normal(0, 1);
        a[K] ~ Normal(0, 0.5);
        for k in K {
            let s[0, k] = a[k];
        }
        for t in 1..T {
            for k in K {
                let s[t, k] = 0.8 * tanh(s[t - 1, k]) + a[k] * s[t - 1, 0] + dot(x[t], beta);
            }
        }
        for t in T {
            for k in K {
                y[t, k] ~ Normal(s[t, k], 1);
            }
        }
    }
}

model! {
    /// A state of several numbers, moved by a matrix: the operation reads the row before. The last row is stated by itself.
    pub States(y: [f64; T], start: [f64; P]) {
        a[P, P] ~ Normal(0, 0.4);
        e[T, P] ~ Normal(0, 1);
        for p in P {
            let moved[0, p] = start[p] * a[p, p];
        }
        for p in P {
            let s[0, p] = moved[0, p] + e[0, p];
        }
        let total[0] = sum(s[0]);
        y[0] ~ Normal(total[0], 1);
        for t in 1..T - 1 {
            for p in P {
                let moved[t, p] = sum(q in P => a[p, q] * s[t - 1, q]);
                let s[t, p] = tanh(moved[t, p]) + 0.5 * e[t, p];
            }
            let total[t] = total[t - 1] + sum(s[t]);
            y[t] ~ Normal(total[t], 1);
        }
        for p in P {
            let moved[T - 1, p] = 0.1 * s[T - 2, p];
            let s[T - 1, p] = moved[T - 1, p] + e[T - 1, p];
        }
        let total[T - 1] = total[T - 2] + sum(s[T - 1]);
        y[T - 1] ~ Normal(total[T - 1], 1);
    }
}

fn numbers(count: usize, seed: u64) -> Vec<f64> {
    (0..count).map(|i| normal_quantile(uniform(seed, i as u64))).collect()
}

fn table(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), numbers(rows * columns, seed)).unwrap()
}

#[test]
fn derivatives_go_through_time() {
    check_model(&*Arma { y: numbers(7, 1) }.bind().unwrap());
    check_model(&*Garch { y: numbers(7, 2), K: 3 }.bind().unwrap());
    check_model(&*Levels { y: table(3, 5, 3), x: table(3, 2, 4) }.bind().unwrap());
    check_model(&*States { y: numbers(5, 11), start: numbers(2, 12) }.bind().unwrap());
    check_model(&*Table { y: table(5, 3, 5), x: table(5, 2, 6) }.bind().unwrap());
}

model! {
    /// A recursion without a first element.
    pub Unstarted(y: [f64; T]) {
        a ~ Normal(0, 1);
        for t in T {
            let q[t] = a * q[t - 1] + y[t];
        }
        factor(sum(q));
    }
}

#[test]
fn a_recursion_without_a_first_element_is_refused() {
    let error = Unstarted { y: numbers(3, 1) }.bind().err().expect("refused").to_string();
    assert!(error.contains("q[t - 1]") && error.contains("-1"), "{error}");
}

/// A series longer than the blocks of rows that go through a matrix product together, and than what would be cut for several threads.
#[test]
fn a_long_series_is_not_cut() {
    let (rows, samples) = (5000, 8);
    let model = Table { y: table(rows, 2, 7), x: table(rows, 2, 8).mapv(|x| 0.1 * x) };
    let bound = model.bind().unwrap();
    let u = ppl_tests::points(bound.layout().unconstrained(), samples);
    let weights = bound.unit_weights(samples);
    let (_, gradient) = ppl_tests::log_density(&*bound, &u, &weights);
    for dimension in 0..bound.layout().unconstrained() {
        let h = 1e-6;
        let at = |by: f64| {
            let mut moved = u.clone();
            moved[dimension * samples..(dimension + 1) * samples].iter_mut().for_each(|u| *u += by);
            ppl_tests::log_density(&*bound, &moved, &weights).0
        };
        let (above, below) = (at(h), at(-h));
        for s in 0..samples {
            let (found, numeric) = (gradient[dimension * samples + s], (above[s] - below[s]) / (2.0 * h));
            assert!(
                (found - numeric).abs() < 1e-4 * (1.0 + numeric.abs()),
                "dimension {dimension}, sample {s}: {found} {numeric}"
            );
        }
    }
}

#[test]
fn a_fit_finds_the_coefficients_of_a_series() {
    let (phi, theta, sigma, count) = (0.6, 0.3, 0.5, 800);
    let noise = numbers(count, 9);
    let mut y = vec![0.0; count];
    for t in 1..count {
        y[t] = phi * y[t - 1] + sigma * (noise[t] + theta * noise[t - 1]);
    }
    let model = Arma { y };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    println!("{}", fit.summary());
    for (name, truth) in [("phi", phi), ("theta", theta), ("sigma", sigma)] {
        let found = fit.scalar(name).unwrap();
        assert!((found.mean - truth).abs() < 3.5 * found.sd, "{found:?}, {truth}");
    }
    assert!(fit.pareto_k() < 0.7);
}

#[test]
fn draws_and_predictions_follow_the_recursion() {
    let y = numbers(30, 4);
    let model = Garch { y: y.clone(), K: 3 };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let draws = fit.draws(&model, 50).unwrap();
    for d in 0..50 {
        let (mu, base) = (draws.mu[d], draws.base[d]);
        let mut h = base;
        for t in 0..30 {
            if t > 0 {
                h = base + draws.share[[d, 0]] * (y[t - 1] - mu).powi(2) + draws.share[[d, 1]] * h;
            }
            assert!((draws.h[[d, t]] - h).abs() < 1e-10 * h, "{} {h}", draws.h[[d, t]]);
        }
    }
    // Series are predicted whole: a variance follows what was predicted before it, whose squares have the mean of their own variances.
    let predicted = fit.posterior_predictive(&model, 4000).unwrap();
    let draws = fit.draws(&model, 4000).unwrap();
    let square = predicted.y.column(3).iter().map(|y| y * y).sum::<f64>() / 4000.0;
    let expected = |d: usize| {
        let kept = draws.share[[d, 0]] + draws.share[[d, 1]];
        draws.base[d] * (1.0 + kept + kept.powi(2) + kept.powi(3)) + draws.mu[d].powi(2)
    };
    let expected = (0..4000).map(expected).sum::<f64>() / 4000.0;
    assert!((square / expected - 1.0).abs() < 0.15, "{square} {expected}");
}

#[test]
fn a_series_cannot_be_taken_in_batches() {
    let fit = fit_bbvi(&Arma { y: numbers(20, 1) }, Bbvi { minibatch: Some(Minibatch::of("T", 4)), ..Bbvi::default() });
    let Err(error) = fit else { panic!("rows depend on earlier ones") };
    assert!(error.to_string().contains('T'), "{error}");
}
