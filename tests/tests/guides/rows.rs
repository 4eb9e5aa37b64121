//! Guides with networks of a model without: several of one model, each with rows of its own.

use ndarray::Array2;
use ppl_core::amortized::{AmortizedEstimator, BoundGradient, Divergence, Schedule, bound_gradient};
use ppl_core::networks::{Mlp, Network as _};
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Means of groups.
    pub Groups(y: [f64; G, M]) {
        param centre: real = 0;
        for g in G {
            mu[g] ~ Normal(centre, 1.5);
            for m in M {
                y[g, m] ~ Normal(mu[g], 0.7);
            }
        }
    }
}

guide! {
    /// Reads the measurements of a group.
    pub Reader for Groups(network: net(M => 2)) {
        for g in G {
            let (loc, log_scale) = split(network(y[g]));
            mu[g] ~ Normal(loc, exp(log_scale));
        }
    }
}

guide! {
    /// Reads them for the mean alone.
    pub Narrow for Groups(network: net(M => 1)) {
        for g in G {
            mu[g] ~ Normal(network(y[g]), 0.3);
        }
    }
}

guide! {
    /// Without a network it is a guide of the whole model.
    pub Whole for Groups() {
        param a[G]: real = 0;
        param s: positive = 1;
        mu[G] ~ Normal(a, s);
    }
}

fn noise(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut numbers = vec![0.0; rows * columns];
    normals(step_key(seed, 0), columns, &mut numbers);
    Array2::from_shape_vec((rows, columns), numbers).expect("as many")
}

#[test]
fn guides_of_one_model_agree() -> Outcome {
    let model = Groups { y: 2.0 + 1.5 * noise(1, 100, 1) + 0.7 * noise(2, 100, 4) };
    let config = || Amortized {
        epochs: 3000,
        rate: 0.02,
        schedule: Schedule::Cosine,
        estimator: AmortizedEstimator::StickingTheLanding,
        ..Amortized::default()
    };
    let reader = Reader { network: Mlp::new(&[4, 2]).build(5)? };
    let narrow = Narrow { network: Mlp::new(&[4, 1]).build(5)? };
    let (reader, narrow) = (fit_amortized(&model, &reader, config())?, fit_amortized(&model, &narrow, config())?);
    let whole = fit_guide(&model, &Whole, Bbvi::default())?;
    let centre = whole.param("centre").ok_or("a parameter")?;
    // The posterior of each mean has one standard deviation, that of an independent guide too: all reach the same maximum of the evidence.
    let mean = model.y.mean().ok_or("numbers")?;
    assert!((centre - mean).abs() < 1e-3, "{centre} {mean}");
    for found in [reader.global("centre"), narrow.global("centre")] {
        assert!((found.ok_or("a parameter")?[0] - mean).abs() < 0.02);
    }
    let precision: f64 = 4.0 / 0.49 + 1.0 / 2.25;
    let s = whole.guide_param("s").ok_or("a parameter")?;
    assert!((s - precision.powf(-0.5)).abs() < 1e-3, "{s}");
    let (read, narrowed) = (reader.encode(&model)?, narrow.encode(&model)?);
    for (g, y) in model.y.rows().into_iter().enumerate() {
        let mean = (y.sum() / 0.49 + centre / 2.25) / precision;
        let a = whole.guide_param(&format!("a[{g}]")).ok_or("a parameter")?;
        assert!((a - mean).abs() < 1e-3, "{a} {mean}");
        for encoded in [&read, &narrowed] {
            assert!((encoded[0].location[[g, 0]] - mean).abs() < 0.02, "{} {mean}", encoded[0].location[[g, 0]]);
        }
    }
    Ok(())
}

model! {
    /// Rates of machines, each seen through counts.
    pub Machines(count: [u64; N, M], hours: [f64; N, M]) {
        param typical: real = 0;
        for n in N {
            rate[n] ~ LogNormal(typical, 0.6);
            for m in M {
                count[n, m] ~ Poisson(rate[n] * hours[n, m]);
            }
        }
    }
}

guide! {
    /// A rate is positive, and so is what it is drawn from.
    pub Counter for Machines(network: net(2 * M => 2)) {
        for n in N {
            let (loc, log_scale) = split(network(count[n], hours[n]));
            rate[n] ~ LogNormal(loc, exp(log_scale));
        }
    }
}

model! {
    /// A positive latent that the mean of another is made of, by a network too.
    pub Deep(y: [f64; N, D], decoder: net(2 => D)) {
        param s: positive = 0.8;
        for n in N {
            size[n] ~ Gamma(2, 1.5);
            lean[n] ~ Normal(0.3 * size[n], 1);
            y[n, D] ~ Normal(decoder(size[n], lean[n]), s);
        }
    }
}

guide! {
    /// Its guide in the order of the model: the draw of the first is read as it is, and by a network.
    pub Onward for Deep(first: net(D => 2), second: net(D + 1 => 2)) {
        for n in N {
            let (l, j) = split(first(y[n]));
            size[n] ~ LogNormal(0.3 * l, 0.4 * exp(0.2 * j));
            let (m, i) = split(second(y[n], size[n]));
            lean[n] ~ Normal(m + 0.2 * size[n], exp(i));
        }
    }
}

fn deep() -> (Deep, Onward) {
    let smooth = |sizes: &[usize], seed| Mlp::new(sizes).activation(Activation::Tanh).build(seed).expect("sizes are positive");
    let model = Deep { y: noise(5, 6, 3), decoder: smooth(&[2, 4, 3], 1) };
    (model, Onward { first: smooth(&[3, 4, 2], 2), second: smooth(&[4, 3, 2], 3) })
}

#[test]
fn gradients_of_positive_latents_are_those_of_finite_differences() -> Outcome {
    let config = Amortized { samples: 3, divergence: Divergence::Sampled, ..Amortized::default() };
    let (mut model, mut guide) = deep();
    let found = bound_gradient(&model, &guide, &config, 5)?;
    for (network, (name, found)) in found.networks.iter().enumerate() {
        for (i, found) in found.iter().enumerate() {
            let mut moved = |by: f64| {
                let own = [&mut model.decoder, &mut guide.first, &mut guide.second][network].parameters_mut();
                own[i] += by;
                bound_gradient(&model, &guide, &config, 5).map(|found| found.bound)
            };
            let (above, below) = (moved(1e-5)?, moved(-2e-5)?);
            moved(1e-5)?;
            let numeric = (above - below) / 2e-5;
            assert!((found - numeric).abs() < 2e-7 * (1.0 + numeric.abs()), "{name} {i}: {found} {numeric}");
        }
    }
    Ok(())
}

#[test]
fn sticking_the_landing_has_the_same_mean_with_positive_latents() -> Outcome {
    let (model, guide) = deep();
    let of = |estimator| Amortized { estimator, samples: 2, divergence: Divergence::Sampled, ..Amortized::default() };
    let (one, other) = (of(AmortizedEstimator::Standard), of(AmortizedEstimator::StickingTheLanding));
    let flat = |found: &BoundGradient<f64>| found.networks.iter().flat_map(|(_, own)| own.clone()).collect::<Vec<f64>>();
    let draws = 2000;
    let mut sums: Vec<(f64, f64)> = Vec::new();
    for seed in 0..draws {
        let (a, b) = (bound_gradient(&model, &guide, &one, seed)?, bound_gradient(&model, &guide, &other, seed)?);
        let (a, b) = (flat(&a), flat(&b));
        sums.resize(a.len(), (0.0, 0.0));
        for ((a, b), (sum, squares)) in a.iter().zip(&b).zip(&mut sums) {
            *sum += a - b;
            *squares += (a - b).powi(2);
        }
    }
    let n = draws as f64;
    let worst = sums.iter().map(|(sum, squares)| sum.abs() / (squares - sum * sum / n).max(1e-20).sqrt()).fold(0.0, f64::max);
    // The largest of some seventy standard normal numbers.
    assert!(worst < 4.0, "{worst} standard errors");
    Ok(())
}

fn machines(rows: usize) -> Machines {
    let (rates, seen) = (noise(3, rows, 1), 3);
    let hours = Array2::from_shape_fn((rows, seen), |(n, m)| 2.0 + f64::from(u32::try_from((n + m) % 4).unwrap_or(0)));
    let count = Array2::from_shape_fn((rows, seen), |(n, m)| {
        // The quantile of a Poisson distribution.
        let mean = (0.4 + 0.6 * rates[[n, 0]]).exp() * hours[[n, m]];
        let (mut k, mut p, mut left) = (0_u64, (-mean).exp(), ppl_core::random::uniform(9, (n * seen + m) as u64));
        while left > p && k < 500 {
            left -= p;
            k += 1;
            p *= mean / k as f64;
        }
        k
    });
    Machines { count, hours }
}

#[test]
fn positive_latents_of_rows_are_drawn_from_log_normals() -> Outcome {
    let model = machines(300);
    let guide = Counter { network: Mlp::new(&[6, 16, 2]).activation(Activation::Tanh).build(3)? };
    let config = Amortized { epochs: 4000, rate: 5e-3, schedule: Schedule::Cosine, samples: 4, ..Amortized::default() };
    let fit = fit_amortized(&model, &guide, config)?;
    let typical = fit.global("typical").ok_or("a parameter")?[0];
    assert!((typical - 0.4).abs() < 0.15, "{typical}");
    let encoded = fit.encode(&model)?;
    let draws = fit.draws(&model, 200, 1)?;
    assert!(draws[0].1.iter().all(|rate| *rate > 0.0));
    let (mut off, mut wide) = (0.0, 0.0);
    for n in 0..300 {
        // The posterior on a grid of logarithms.
        let (counts, hours) = (model.count.row(n).sum() as f64, model.hours.row(n).sum());
        let grid: Vec<f64> = (-400..800).map(|i| f64::from(i) / 200.0).collect();
        let log = |u: f64| counts * u - u.exp() * hours - 0.5 * ((u - typical) / 0.6).powi(2);
        let top = grid.iter().map(|&u| log(u)).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = grid.iter().map(|&u| (log(u) - top).exp()).sum();
        let moment = |f: &dyn Fn(f64) -> f64| grid.iter().map(|&u| f(u) * (log(u) - top).exp()).sum::<f64>() / total;
        let mean = moment(&|u| u);
        let sd = moment(&|u| (u - mean).powi(2)).sqrt();
        let (location, scale) = (encoded[0].location[[n, 0]], encoded[0].scale[[n, 0]]);
        off += (location - mean).abs() / sd / 300.0;
        wide += (scale / sd).ln().abs() / 300.0;
    }
    println!("on average {off:.3} standard deviations off, and {wide:.3} of their logarithm");
    assert!(off < 0.1 && wide < 0.1, "{off} {wide}");
    Ok(())
}
