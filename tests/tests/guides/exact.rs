//! A linear Gaussian hierarchy, of which everything is known: a structured guide of the family of its posterior finds it.

use ndarray::{Array1, Array2};
use ppl_core::guides::Path;
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};

const POPULATION: f64 = 2.0;
const GROUP: f64 = 1.5;
const NOISE: f64 = 0.8;

model! {
    /// Groups around a mean.
    pub Groups(y: [f64; J]) {
        mu ~ Normal(0.5, 2);
        for j in J {
            theta[j] ~ Normal(mu, 1.5);
            y[j] ~ Normal(theta[j], 0.8);
        }
    }
}

guide! {
    /// Effects that follow the mean.
    pub Structured for Groups() {
        param m: real = 0;
        param s: positive = 1;
        param a[J]: real = 0;
        param slope[J]: real = 0;
        param w[J]: positive = 1;
        mu ~ Normal(m, s);
        for j in J {
            theta[j] ~ Normal(a[j] + slope[j] * mu, w[j]);
        }
    }
}

guide! {
    /// The mean is left to the automatic guide, and the effects are what they are given it and the data: nothing else is to be found.
    pub Known for Groups() {
        auto mu;
        let precision = 1 / 1.5.powi(2) + 1 / 0.8.powi(2);
        for j in J {
            theta[j] ~ Normal((mu / 1.5.powi(2) + y[j] / 0.8.powi(2)) / precision, 1 / sqrt(precision));
        }
    }
}

guide! {
    /// In the other order: the mean given the effects.
    pub Upward for Groups() {
        param k: real = 0.1;
        param m: real = 0;
        param s: positive = 1;
        auto theta;
        mu ~ Normal(m + k * sum(j in J => theta[j]), s);
    }
}

fn data() -> Groups {
    Groups { y: vec![1.9, -0.4, 3.1, 0.7, 2.2] }
}

/// The mean and the standard deviation of the mean given the data.
fn of_mean(y: &[f64]) -> (f64, f64) {
    let each = 1.0 / (GROUP.powi(2) + NOISE.powi(2));
    let precision = POPULATION.powi(-2) + each * y.len() as f64;
    ((0.5 * POPULATION.powi(-2) + each * y.iter().sum::<f64>()) / precision, precision.powf(-0.5))
}

/// `ln Normal(y; 0.5, (group^2 + noise^2) I + population^2 11^T)`, by the determinant lemma and the formula of Sherman and Morrison.
fn log_evidence(y: &[f64]) -> f64 {
    let (n, own, shared) = (y.len() as f64, GROUP.powi(2) + NOISE.powi(2), POPULATION.powi(2));
    let (sum, squares) = (y.iter().map(|y| y - 0.5).sum::<f64>(), y.iter().map(|y| (y - 0.5).powi(2)).sum::<f64>());
    let quadratic = (squares - shared / (own + n * shared) * sum * sum) / own;
    -0.5 * (n * std::f64::consts::TAU.ln() + (n - 1.0) * own.ln() + (own + n * shared).ln() + quadratic)
}

fn check(fit: &Fit<Groups>) {
    let model = data();
    let (mean, sd) = of_mean(&model.y);
    assert!((fit.elbo().0 - log_evidence(&model.y)).abs() < 0.01, "{:?} {}", fit.elbo(), log_evidence(&model.y));
    assert!(fit.pareto_k() < 0.5, "{}", fit.pareto_k());
    let draws = fit.raw().draws(&model, 40_000).expect("draws");
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 0.03, "{found} {expected}");
    let moments = |x: &Array1<f64>, y: &Array1<f64>| {
        let (a, b) = (x.mean().expect("draws"), y.mean().expect("draws"));
        (a, x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum::<f64>() / x.len() as f64)
    };
    let (found, variance) = moments(&draws.mu, &draws.mu);
    close(found, mean);
    close(variance.sqrt(), sd);
    // Given the mean an effect is normal; its slope on the mean is the weight of the population.
    let weight = NOISE.powi(2) / (GROUP.powi(2) + NOISE.powi(2));
    let own = GROUP.powi(2) * NOISE.powi(2) / (GROUP.powi(2) + NOISE.powi(2));
    let theta: Array2<f64> = draws.theta.clone();
    for (j, y) in model.y.iter().enumerate() {
        let effect = theta.column(j).to_owned();
        let (found, variance) = moments(&effect, &effect);
        close(found, weight * mean + (1.0 - weight) * y);
        close(variance, own + weight.powi(2) * sd * sd);
        close(moments(&effect, &draws.mu).1, weight * sd * sd);
        close(moments(&effect, &theta.column((j + 1) % 5).to_owned()).1, weight.powi(2) * sd * sd);
    }
}

#[test]
fn a_structured_guide_reaches_the_exact_evidence() -> Result<(), FitError> {
    let fit = fit_guide(&data(), &Structured, Bbvi::default())?;
    check(&fit);
    let (mean, sd) = of_mean(&data().y);
    let weight = NOISE.powi(2) / (GROUP.powi(2) + NOISE.powi(2));
    for (name, expected) in [("m", mean), ("s", sd), ("slope[3]", weight), ("a[2]", (1.0 - weight) * 3.1)] {
        let found = fit.guide_param(name).expect("a parameter");
        assert!((found - expected).abs() < 2e-3, "{name}: {found} {expected}");
    }
    assert_eq!(fit.guide_params().len(), 17);
    assert!(fit.summary().to_string().contains("Structured"), "{}", fit.summary());
    Ok(())
}

#[test]
fn latents_that_are_left_to_the_automatic_guide_can_be_read() -> Result<(), FitError> {
    check(&fit_guide(&data(), &Known, Bbvi::default())?);
    check(&fit_guide(&data(), &Upward, Bbvi::default())?);
    Ok(())
}

#[test]
fn stochastic_steps_reach_it_too() -> Result<(), FitError> {
    let config = Bbvi { estimator: ppl_core::estimators::Estimator::StickingTheLanding, ..Bbvi::default() };
    let fit = fit_guide(&data(), &Structured, config)?;
    assert!((fit.elbo().0 - log_evidence(&data().y)).abs() < 0.01, "{:?}", fit.elbo());
    Ok(())
}

#[test]
fn a_gradient_that_sticks_the_landing_has_no_noise_at_the_posterior() -> Result<(), Box<dyn std::error::Error>> {
    let model = data();
    let bound = model.bind()?;
    let mut own = Structured.bind_guide(&model, bound.layout())?;
    let (mean, sd) = of_mean(&model.y);
    let weight = NOISE.powi(2) / (GROUP.powi(2) + NOISE.powi(2));
    let given = (GROUP.powi(-2) + NOISE.powi(-2)).powf(-0.5);
    let guide = own.guide_mut::<f64>();
    let of_effects = model.y.iter().map(|y| (1.0 - weight) * y);
    let exact: Vec<f64> = [mean, sd.ln()].into_iter().chain(of_effects).chain([weight; 5]).chain([given.ln(); 5]).collect();
    guide.parameters_mut().copy_from_slice(&exact);
    let samples = 64;
    let mut noise = vec![0.0; 6 * samples];
    normals(step_key(4, 2), samples, &mut noise);
    let mut work = bound.workspace(samples);
    guide.sample(&noise, samples, work.u_mut());
    let mut log_density = vec![0.0; samples];
    bound.log_density(&mut work, &bound.unit_weights(samples), &mut log_density);
    let u = work.u().to_vec();
    let path = Path { noise: &noise, u: &u, samples };
    let (mut sticking, mut whole) = (vec![0.0; 17], vec![0.0; 17]);
    let ones = vec![1.0; samples];
    guide.pull_path(path, &ones, &mut work.gradient().to_vec(), &mut whole, &mut Vec::new());
    guide.stick(path, &ones, work.gradient_mut(), &mut sticking, &mut Vec::new());
    assert!(sticking.iter().all(|g| g.abs() < 1e-10), "{sticking:?}");
    assert!(whole.iter().any(|g| g.abs() > 1.0), "{whole:?}");
    // The density is the posterior's: the ratio is the evidence, whatever the draw.
    let mut log_q = vec![0.0; samples];
    guide.log_prob(&u, samples, &mut log_q);
    for (log_p, log_q) in log_density.iter().zip(&log_q) {
        assert!((log_p - log_q - log_evidence(&model.y)).abs() < 1e-10, "{log_p} {log_q}");
    }
    Ok(())
}
