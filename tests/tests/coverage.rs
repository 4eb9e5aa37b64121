//! Time series whose parameters are known: how often the intervals of their fits hold them. `SERIES=100` for as many series of each model.
#![forbid(unsafe_code)]

use std::time::Duration;

use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};

/// Draws whose quantiles are taken.
const DRAWS: usize = 4000;

model! {
    /// ARMA(1, 1).
    pub Arma(y: [f64; T]) {
        mu ~ Normal(0, 2);
        phi ~ Uniform(-1, 1);
        theta ~ Uniform(-1, 1);
        sigma ~ HalfNormal(1);
        let e[0] = y[0] - mu;
        y[0] ~ Normal(mu, sigma);
        for t in 1..T {
            let mean = mu + phi * (y[t - 1] - mu) + theta * e[t - 1];
            let e[t] = y[t] - mean;
            y[t] ~ Normal(mean, sigma);
        }
    }
}

model! {
    /// GARCH(1, 1): what comes of the last surprise and of the last variance, and the rest.
    pub Garch(y: [f64; T], K: usize) {
        mu ~ Normal(0, 1);
        base ~ LogNormal(-1, 1);
        share[K] ~ Dirichlet(1);
        let h[0] = base / share[2];
        y[0] ~ Normal(mu, sqrt(h[0]));
        for t in 1..T {
            let h[t] = base + share[0] * (y[t - 1] - mu).powi(2) + share[1] * h[t - 1];
            y[t] ~ Normal(mu, sqrt(h[t]));
        }
    }
}

model! {
    /// A level that wanders, seen through noise: the levels are integrated over by the Kalman filter, which is a recursion.
    pub LocalLevel(y: [f64; T]) {
        sigma ~ HalfNormal(2);
        drift ~ HalfNormal(2);
        let level[0] = 0;
        let spread[0] = 25;
        y[0] ~ Normal(level[0], sqrt(spread[0] + sigma * sigma));
        for t in 1..T {
            let gain = spread[t - 1] / (spread[t - 1] + sigma * sigma);
            let level[t] = level[t - 1] + gain * (y[t - 1] - level[t - 1]);
            let spread[t] = gain * sigma * sigma + drift * drift;
            y[t] ~ Normal(level[t], sqrt(spread[t] + sigma * sigma));
        }
    }
}

fn normals(count: usize, key: u64, seed: u64) -> Vec<f64> {
    (0..count).map(|t| normal_quantile(uniform(1000 * key + seed, t as u64))).collect()
}

/// Fits many series; checks of each parameter that the intervals between the quantiles at 2.5 and 97.5 % hold it in 88 % of them or more, and one of few.
///
/// Families are the Gaussians, corrected by importance weights: what goes on for a time is not the same on all machines.
fn check_coverage<M: Model>(truth: &[(&str, f64)], simulated: impl Fn(u64) -> M, draws: impl Fn(&M::Draws) -> Vec<Vec<f64>>) {
    let series: u64 = std::env::var("SERIES").map_or(20, |series| series.parse().expect("SERIES is a number"));
    let mut held = vec![0; truth.len()];
    for seed in 0..series {
        let model = simulated(seed);
        let fit = fit_bbvi(&model, Bbvi { search_time: Duration::ZERO, ..Bbvi::default() })
            .unwrap_or_else(|error| panic!("series {seed}: {error}"));
        let drawn = fit.draws(&model, DRAWS).unwrap_or_else(|error| panic!("series {seed}: {error}"));
        for ((mut column, (_, value)), held) in draws(&drawn).into_iter().zip(truth).zip(&mut held) {
            column.sort_by(f64::total_cmp);
            *held += u64::from((column[DRAWS / 40]..=column[DRAWS - DRAWS / 40]).contains(value));
        }
    }
    println!("{truth:?}: {held:?} of {series}");
    let fewest = (88 * series).div_ceil(100) - u64::from(series < 100);
    assert!(held.iter().all(|held| *held >= fewest), "{truth:?}: {held:?} of {series}");
}

#[test]
fn intervals_of_an_arma_model_hold_its_parameters() {
    let (mu, phi, theta, sigma, count) = (1.0, 0.6, 0.3, 0.5, 200);
    let simulated = |seed| {
        let noise = normals(count, 1, seed);
        let mut y = vec![mu; count];
        for t in 1..count {
            y[t] = mu + phi * (y[t - 1] - mu) + sigma * (noise[t] + if t > 1 { theta * noise[t - 1] } else { 0.0 });
        }
        Arma { y }
    };
    let draws = |d: &ArmaDraws| vec![d.mu.to_vec(), d.phi.to_vec(), d.theta.to_vec(), d.sigma.to_vec()];
    check_coverage(&[("mu", mu), ("phi", phi), ("theta", theta), ("sigma", sigma)], simulated, draws);
}

#[test]
fn intervals_of_a_garch_model_hold_its_parameters() {
    let (mu, base, surprise, kept, count) = (0.2, 0.2, 0.25, 0.6, 400);
    let simulated = |seed| {
        let noise = normals(count, 2, seed);
        let mut h = base / (1.0 - surprise - kept);
        let mut y = Vec::with_capacity(count);
        for z in noise {
            y.push(mu + h.sqrt() * z);
            h = base + surprise * h * z * z + kept * h;
        }
        Garch { y, K: 3 }
    };
    let draws = |d: &GarchDraws| vec![d.mu.to_vec(), d.base.to_vec(), d.share.column(0).to_vec(), d.share.column(1).to_vec()];
    check_coverage(&[("mu", mu), ("base", base), ("share[0]", surprise), ("share[1]", kept)], simulated, draws);
}

#[test]
fn intervals_of_a_local_level_hold_its_parameters() {
    let (sigma, drift, count) = (1.0, 0.5, 100);
    let simulated = |seed| {
        let (noise, steps) = (normals(count, 3, seed), normals(count, 4, seed));
        let mut level = 0.0;
        let y = (0..count).map(|t| {
            level += drift * steps[t];
            level + sigma * noise[t]
        });
        LocalLevel { y: y.collect() }
    };
    let draws = |d: &LocalLevelDraws| vec![d.sigma.to_vec(), d.drift.to_vec()];
    check_coverage(&[("sigma", sigma), ("drift", drift)], simulated, draws);
}
