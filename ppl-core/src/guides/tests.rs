//! Laws of every guide: density against draws, pullbacks against finite differences, entropy against both.

use super::{Blocks, Component, Flow, FlowKind, FullRank, Guide, LowRank, MeanField, Mixture, Path, Whitened, Whitening};
use crate::optimizers::Gaussian;
use crate::random::antithetic_normals;

const SAMPLES: usize = 8;

/// Guides of three dimensions with parameters of no particular pattern.
fn all() -> Vec<(&'static str, Box<dyn Guide<f64>>)> {
    let gaussian = Gaussian { mean: vec![0.3, -0.2, 1.0], precision: vec![2.0, 0.0, 0.0, 0.9, 0.8, 0.0, -0.3, 0.1, 1.7] };
    let mean_field = || MeanField::new(&[0.0; 3], &[0.0; 3]);
    let dense = Whitened::new(Whitening::new(gaussian.clone()), mean_field());
    let diagonal = Whitened::new(Whitening::diagonal(gaussian.mean.clone(), &[0.5, 2.0, 0.8], 0), mean_field());
    let of_size = |n: usize| {
        let factor = (0..n * n).map(|i| if i % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        Component { logit: 0.0, loc: vec![0.0; n], factor }
    };
    let (component, small) = (|| of_size(3), || of_size(2));
    let mut guides: Vec<(&'static str, Box<dyn Guide<f64>>)> = vec![
        ("mean-field", Box::new(mean_field())),
        ("full rank", Box::new(FullRank::new(gaussian.clone()))),
        ("blocks", Box::new(Blocks::new(&[vec![2, 0], vec![1]], &gaussian, 0))),
        ("low rank", Box::new(LowRank::new(&[0.0; 3], &[0.0; 3], 2, &[0.0; 5], &[]))),
        ("low rank with a point", Box::new(LowRank::new(&[0.0; 2], &[0.0; 2], 1, &[0.0; 2], &[0.0]))),
        ("blocks with a point", Box::new(Blocks::new(&[vec![1, 0]], &gaussian, 1))),
        ("mean-field with a point", Box::new(MeanField::with_points(&[0.0; 3], &[0.0; 2], &[0.5]))),
        ("full rank with a point", Box::new(FullRank::with_points(gaussian.clone(), 1))),
        ("whitened mean-field", Box::new(dense)),
        ("mean-field in units", Box::new(diagonal)),
        ("mixture", Box::new(Mixture::new(&[component(), component()], true, &[]))),
        ("mixture of mean fields", Box::new(Mixture::new(&[component(), component(), component()], false, &[]))),
        ("mixture with a point", Box::new(Mixture::new(&[small(), small()], true, &[0.0]))),
    ];
    for kind in [
        FlowKind::Planar { layers: 3 },
        FlowKind::RealNvp { layers: 3, hidden: 4 },
        FlowKind::InverseAutoregressive { layers: 2, hidden: 5 },
        FlowKind::NeuralSpline { layers: 3, hidden: 4, bins: 4 },
    ] {
        let flow = |spread, points| Flow::new(kind, spread, points, 3).expect("good sizes");
        let whitening = |points| Whitening::with_points(gaussian.clone(), points);
        guides.push((kind.name(), Box::new(Whitened::new(whitening(0), flow(3, 0)))));
        guides.push(("a flow with a point", Box::new(Whitened::new(whitening(1), flow(2, 1)))));
    }
    for (name, guide) in &mut guides {
        // Weights of networks multiply each other.
        let size = if name.contains("flow") { 0.25 } else { 0.4 };
        guide.parameters_mut().iter_mut().enumerate().for_each(|(i, x)| *x = size * (1.0 + 1.7 * i as f64).sin());
    }
    guides
}

/// Noise, and the samples that a guide makes of it.
struct Made {
    noise: Vec<f64>,
    u: Vec<f64>,
}

impl Made {
    fn by(guide: &dyn Guide<f64>) -> Made {
        let (mut noise, mut u) = (vec![0.0; guide.noise() * SAMPLES], vec![0.0; 3 * SAMPLES]);
        antithetic_normals(5, SAMPLES, &mut noise);
        guide.sample(&noise, SAMPLES, &mut u);
        Made { noise, u }
    }

    fn path(&self) -> Path<'_, f64> {
        Path { noise: &self.noise, u: &self.u, samples: SAMPLES }
    }
}

/// `value` at the parameters moved by `h` in one of them.
fn moved<T>(guide: &mut dyn Guide<f64>, i: usize, h: f64, value: impl Fn(&dyn Guide<f64>) -> T) -> T {
    guide.parameters_mut()[i] += h;
    let found = value(guide);
    guide.parameters_mut()[i] -= h;
    found
}

fn draws(guide: &dyn Guide<f64>) -> Vec<f64> {
    Made::by(guide).u
}

fn log_prob(guide: &dyn Guide<f64>, u: &[f64]) -> Vec<f64> {
    let mut log_prob = vec![0.0; SAMPLES];
    guide.log_prob(u, SAMPLES, &mut log_prob);
    log_prob
}

const H: f64 = 1e-5;

fn close(name: &str, what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{name}, {what}: {found}, expected {expected}");
}

#[test]
fn the_pullback_of_draws_is_the_derivative() {
    for (name, mut guide) in all() {
        let adjoint: Vec<f64> = (0..3 * SAMPLES).map(|i| (0.3 * i as f64).cos()).collect();
        let mut gradient = vec![0.0; guide.parameters().len()];
        guide.pull_sample(Made::by(&*guide).path(), &mut adjoint.clone(), &mut gradient);
        for (i, found) in gradient.iter().enumerate() {
            let value = |guide: &dyn Guide<f64>| draws(guide).iter().zip(&adjoint).map(|(u, a)| u * a).sum::<f64>();
            let numeric = (moved(&mut *guide, i, H, value) - moved(&mut *guide, i, -H, value)) / (2.0 * H);
            close(name, "draws", *found, numeric);
        }
    }
}

#[test]
fn the_pullbacks_of_the_density_are_its_derivatives() {
    for (name, mut guide) in all() {
        let u = draws(&*guide);
        let weights: Vec<f64> = (0..SAMPLES).map(|s| 0.5 + s as f64).collect();
        let mut gradient = vec![0.0; guide.parameters().len()];
        let mut adjoint = vec![0.0; u.len()];
        guide.pull_log_prob(&u, SAMPLES, &weights, Some(&mut adjoint), Some(&mut gradient));
        let total = |log_prob: Vec<f64>| log_prob.iter().zip(&weights).map(|(l, w)| l * w).sum::<f64>();
        for (i, found) in gradient.iter().enumerate() {
            let value = |guide: &dyn Guide<f64>| total(log_prob(guide, &u));
            let numeric = (moved(&mut *guide, i, H, value) - moved(&mut *guide, i, -H, value)) / (2.0 * H);
            close(name, "parameters of log q", *found, numeric);
        }
        for (i, found) in adjoint.iter().enumerate() {
            let at = |h: f64| {
                let mut u = u.clone();
                u[i] += h;
                total(log_prob(&*guide, &u))
            };
            close(name, "draws of log q", *found, (at(H) - at(-H)) / (2.0 * H));
        }
    }
}

#[test]
fn the_path_derivatives_of_the_density_are_its_derivatives() {
    for (name, mut guide) in all() {
        let made = Made::by(&*guide);
        let adjoint: Vec<f64> = (0..made.u.len()).map(|i| (0.3 * i as f64).cos()).collect();
        let weights: Vec<f64> = (0..SAMPLES).map(|s| 0.5 + s as f64).collect();
        let parameters = guide.parameters().len();
        let (mut whole, mut sticking, mut scratch) = (vec![0.0; parameters], vec![0.0; parameters], Vec::new());
        guide.pull_path(made.path(), &weights, &mut adjoint.clone(), &mut whole, &mut scratch);
        guide.stick(made.path(), &weights, &mut adjoint.clone(), &mut sticking, &mut scratch);
        let mut by_parameters = vec![0.0; parameters];
        guide.pull_log_prob(&made.u, SAMPLES, &weights, None, Some(&mut by_parameters));
        let mut of_path = vec![0.0; SAMPLES];
        guide.log_prob_of(made.path(), &mut of_path);
        of_path.iter().zip(log_prob(&*guide, &made.u)).for_each(|(found, expected)| close(name, "log q", *found, expected));
        for i in 0..parameters {
            let value = |guide: &dyn Guide<f64>| {
                let u = draws(guide);
                let log_q = log_prob(guide, &u);
                u.iter().zip(&adjoint).map(|(u, a)| u * a).sum::<f64>()
                    - log_q.iter().zip(&weights).map(|(l, w)| l * w).sum::<f64>()
            };
            let numeric = (moved(&mut *guide, i, H, value) - moved(&mut *guide, i, -H, value)) / (2.0 * H);
            close(name, "the whole path", whole[i], numeric);
            close(name, "sticking", sticking[i], numeric + by_parameters[i]);
        }
    }
}

#[test]
fn blocks_are_independent_and_make_up_the_density() {
    for (name, mut guide) in all() {
        let (blocks, u) = (guide.blocks(), draws(&*guide));
        let mut own = vec![0.0; blocks.len() * SAMPLES];
        guide.block_log_prob(&u, SAMPLES, &mut own);
        for (s, whole) in log_prob(&*guide, &u).iter().enumerate() {
            close(name, "the sum of blocks", (0..blocks.len()).map(|b| own[b * SAMPLES + s]).sum(), *whole);
        }
        let weights: Vec<f64> = (0..own.len()).map(|i| (0.7 * i as f64).cos()).collect();
        let (mut gradient, mut adjoint) = (vec![0.0; guide.parameters().len()], vec![0.0; u.len()]);
        guide.pull_block_log_prob(&u, SAMPLES, &weights, Some(&mut adjoint), Some(&mut gradient));
        let value = |guide: &dyn Guide<f64>, u: &[f64]| {
            let mut own = vec![0.0; weights.len()];
            guide.block_log_prob(u, SAMPLES, &mut own);
            own.iter().zip(&weights).map(|(l, w)| l * w).sum::<f64>()
        };
        for (i, found) in gradient.iter().enumerate() {
            let numeric = (moved(&mut *guide, i, H, |g| value(g, &u)) - moved(&mut *guide, i, -H, |g| value(g, &u))) / (2.0 * H);
            close(name, "weighted blocks", *found, numeric);
        }
        // No block's density changes with another's draws.
        for (b, members) in blocks.iter().enumerate() {
            let mut weights = vec![0.0; own.len()];
            weights[b * SAMPLES..(b + 1) * SAMPLES].fill(1.0);
            let mut apart = vec![0.0; u.len()];
            guide.pull_block_log_prob(&u, SAMPLES, &weights, Some(&mut apart), None);
            let outside = (0..3).filter(|i| !members.contains(i));
            assert!(outside.flat_map(|i| &apart[i * SAMPLES..(i + 1) * SAMPLES]).all(|a| *a == 0.0), "{name}, block {b}");
        }
        for (i, found) in adjoint.iter().enumerate() {
            let at = |h: f64| {
                let mut u = u.clone();
                u[i] += h;
                value(&*guide, &u)
            };
            close(name, "the adjoint of weighted blocks", *found, (at(H) - at(-H)) / (2.0 * H));
        }
    }
}

#[test]
fn strata_weigh_components_by_their_probabilities() {
    for (name, mut guide) in all() {
        let (mut weights, adjoint) = (vec![0.0; SAMPLES], (0..SAMPLES).map(|s| (s as f64).sin()).collect::<Vec<_>>());
        if !guide.strata(SAMPLES, &mut weights) {
            assert_eq!(guide.groups(), 1, "{name}");
            continue;
        }
        close(name, "the mean weight", weights.iter().sum::<f64>() / SAMPLES as f64, 1.0);
        let mut gradient = vec![0.0; guide.parameters().len()];
        guide.pull_strata(&adjoint, &mut gradient);
        for (i, found) in gradient.iter().enumerate() {
            let value = |guide: &dyn Guide<f64>| {
                let mut weights = vec![0.0; SAMPLES];
                guide.strata(SAMPLES, &mut weights);
                weights.iter().zip(&adjoint).map(|(w, a)| w * a).sum::<f64>()
            };
            let numeric = (moved(&mut *guide, i, H, value) - moved(&mut *guide, i, -H, value)) / (2.0 * H);
            close(name, "strata", *found, numeric);
        }
    }
}

/// The mean of one and of a square over draws, and over the strata, agree with the density: importance weights have mean one.
#[test]
fn draws_and_strata_have_the_distribution_of_the_density() {
    for (name, guide) in all() {
        let (samples, batches) = (1024, 200);
        let spread = 3 - usize::from(name.ends_with("point"));
        // Against a wide normal around zero, whose density is known.
        let (mut drawn, mut stratified) = (Vec::new(), Vec::new());
        for key in 0..batches {
            let (mut noise, mut u) = (vec![0.0; guide.noise() * samples], vec![0.0; 3 * samples]);
            antithetic_normals(key, samples, &mut noise);
            let mean = |u: &[f64], weights: &[f64]| {
                let mut log_q = vec![0.0; samples];
                guide.log_prob(u, samples, &mut log_q);
                let ratio = |s: usize| {
                    let square: f64 = (0..spread).map(|i| (u[i * samples + s] - 0.2).powi(2)).sum();
                    weights[s]
                        * (-0.5 * square / 0.09
                            - spread as f64 * 0.3_f64.ln()
                            - 0.5 * spread as f64 * std::f64::consts::TAU.ln()
                            - log_q[s])
                            .exp()
                };
                (0..samples).map(ratio).sum::<f64>() / samples as f64
            };
            guide.draw(&noise, samples, &mut u);
            drawn.push(mean(&u, &vec![1.0; samples]));
            let mut weights = vec![1.0; samples];
            guide.strata(samples, &mut weights);
            guide.sample(&noise, samples, &mut u);
            stratified.push(mean(&u, &weights));
        }
        for (what, values) in [("draws", drawn), ("strata", stratified)] {
            let mean = values.iter().sum::<f64>() / batches as f64;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (batches - 1) as f64;
            let error = (variance / batches as f64).sqrt();
            assert!((mean - 1.0).abs() < 4.0 * error && error < 0.05, "{name}, {what}: {mean} +- {error}");
        }
    }
}

#[test]
fn the_density_is_that_of_the_noise_less_the_logarithm_of_the_jacobian() {
    for (name, guide) in all()
        .into_iter()
        .filter(|(name, guide)| guide.groups() == 1 && !name.starts_with("low rank") && *name != "blocks with a point")
    {
        let Made { noise, u } = Made::by(&*guide);
        for s in 0..SAMPLES {
            // The Jacobian of one draw, by differences; points have neither noise nor density.
            let spread = guide.noise();
            let column = |k: usize| {
                let at = |h: f64| {
                    let mut noise = noise.clone();
                    noise[k * SAMPLES + s] += h;
                    let mut u = vec![0.0; u.len()];
                    guide.sample(&noise, SAMPLES, &mut u);
                    [0, 1, 2].map(|i| u[i * SAMPLES + s])
                };
                let (above, below) = (at(H), at(-H));
                [0, 1, 2].map(|i| (above[i] - below[i]) / (2.0 * H))
            };
            let [a, b, c] = [0, 1, 2].map(|k| if k < spread { column(k) } else { [0.0, 0.0, 1.0] });
            let det =
                a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
            let square: f64 = (0..spread).map(|i| noise[i * SAMPLES + s].powi(2)).sum();
            let expected = -0.5 * square - 0.5 * spread as f64 * std::f64::consts::TAU.ln() - det.abs().ln();
            close(name, "density", log_prob(&*guide, &u)[s], expected);
        }
    }
}

#[test]
fn the_entropy_is_the_mean_of_minus_log_q_and_has_its_derivative() {
    for (name, mut guide) in all() {
        let Some(entropy) = guide.entropy(None) else { continue };
        let (samples, batches) = (64, 200);
        let (mut mean, mut square) = (0.0, 0.0);
        for key in 0..batches {
            let (mut noise, mut u) = (vec![0.0; guide.noise() * samples], vec![0.0; 3 * samples]);
            antithetic_normals(key, samples, &mut noise);
            guide.sample(&noise, samples, &mut u);
            let mut log_q = vec![0.0; samples];
            guide.log_prob(&u, samples, &mut log_q);
            let own = -log_q.iter().sum::<f64>() / samples as f64;
            mean += own / batches as f64;
            square += own * own / batches as f64;
        }
        let error = ((square - mean * mean) / batches as f64).sqrt();
        assert!((mean - entropy).abs() < 4.0 * error, "{name}: {mean} +- {error}, {entropy}");
        let mut gradient = vec![0.0; guide.parameters().len()];
        guide.entropy(Some(&mut gradient));
        for (i, found) in gradient.iter().enumerate() {
            let value = |guide: &dyn Guide<f64>| guide.entropy(None).unwrap_or(f64::NAN);
            let numeric = (moved(&mut *guide, i, H, value) - moved(&mut *guide, i, -H, value)) / (2.0 * H);
            close(name, "entropy", *found, numeric);
        }
    }
}

#[test]
fn narrowing_multiplies_all_scales() {
    for (name, mut guide) in all() {
        let zero = vec![0.0; 3 * SAMPLES];
        let center = {
            let mut u = zero.clone();
            guide.sample(&vec![0.0; guide.noise() * SAMPLES], SAMPLES, &mut u);
            u
        };
        let wide = draws(&*guide);
        guide.narrow(0.5);
        for ((narrow, wide), center) in draws(&*guide).iter().zip(&wide).zip(&center) {
            close(name, "narrowed", narrow - center, 0.5 * (wide - center));
        }
    }
}
