//! Guides of one's own: eight schools fitted by a few lines of dfdx around the log joint of the model, and by a structured guide in the language of models, beside
//! `fit_bbvi`.

use std::process::ExitCode;

use ppl_core::guides::FittedGuide;
use ppl_core::optimizers::{Adam, StepRule as _};
use ppl_core::prelude::*;
use ppl_core::random::{antithetic_normals, step_key};
use ppl_core::tensor::dfdx::prelude::*;
use ppl_core::tensor::{LogJointOperation, Matrix, Recorder, Scalar, Scope, TensorError, Vector};

model! {
    /// The effects of coaching in eight schools, partially pooled; non-centred.
    pub(crate) EightSchools(y: [f64; J], sigma: [f64; J]) {
        mu  ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            eta[j] ~ Normal(0, 1);
            let theta[j] = mu + tau * eta[j];
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

guide! {
    /// Effects given the population are normal, and known; the population is left to the automatic guide.
    pub(crate) Conditional for EightSchools() {
        auto mu, tau;
        for j in J {
            let variance = sigma[j].powi(2) + tau * tau;
            eta[j] ~ Normal(tau * (y[j] - mu) / variance, sigma[j] / sqrt(variance));
        }
    }
}

/// Samples of a step.
const SAMPLES: usize = 32;
/// Steps.
const STEPS: usize = 4000;

/// An estimate of the evidence lower bound, in nats: the guide is independent normals, `u = loc + exp(log_scale) noise`. Whatever makes samples `u`
/// of `[dimension, sample]` and knows its entropy, or its log density of them, can stand here.
fn elbo(
    log_joint: &LogJointOperation<'_, f64>,
    loc: Vector<f64, Recorder>,
    log_scale: Vector<f64, Recorder>,
    noise: &Matrix<f64>,
) -> Result<Scalar<f64, Recorder>, TensorError> {
    let shape = *noise.shape();
    let scale = log_scale.clone().exp().broadcast_like::<_, Axis<1>>(&shape);
    let u = loc.broadcast_like::<_, Axis<1>>(&shape) + scale * noise.clone();
    let entropy = log_scale.sum::<Rank0, _>() + 0.5 * shape.0 as f64 * (1.0 + std::f64::consts::TAU.ln());
    // The model is one operation among the others: log p(data, u), a number for each sample.
    Ok(log_joint.apply(u)?.mean::<Rank0, _>() + entropy)
}

/// Climbs the bound from standard normals on; returns location and logarithm of scale of each dimension.
fn climb(log_joint: &LogJointOperation<'_, f64>) -> Result<(Vec<f64>, Vec<f64>), TensorError> {
    let (device, n) = (Cpu::default(), log_joint.dimension());
    let (mut parameters, mut average) = (vec![0.0; 2 * n], vec![0.0; 2 * n]);
    let mut adam = Adam::unitless(2 * n);
    let mut scope = Scope::new();
    for step in 0..STEPS {
        let mut noise = vec![0.0; n * SAMPLES];
        antithetic_normals(step_key(1, step as u64), SAMPLES, &mut noise);
        let noise = device.tensor_from_vec(noise, (n, SAMPLES));
        let loc = device.tensor_from_vec(parameters[..n].to_vec(), (n,));
        let log_scale = device.tensor_from_vec(parameters[n..].to_vec(), (n,));

        let bound = elbo(log_joint, scope.leaf(&loc), scope.leaf(&log_scale), &noise)?;
        let mut gradients = scope.gradient(&bound)?;
        let mut gradient = [gradients.of(&loc)?.as_vec(), gradients.of(&log_scale)?.as_vec()].concat();
        adam.step(0.02, &mut gradient);
        parameters.iter_mut().zip(&gradient).for_each(|(x, step)| *x += step);
        // The second half of the way is around the top: its mean is nearer than any single step.
        if step >= STEPS / 2 {
            average.iter_mut().zip(&parameters).for_each(|(mean, x)| *mean += x / (STEPS / 2) as f64);
        }
    }
    let log_scale = average.split_off(n);
    Ok((average, log_scale))
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let model = EightSchools {
        y: vec![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        sigma: vec![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    };
    let bound = model.bind()?;
    let (loc, log_scale) = climb(&LogJointOperation::new(&*bound))?;
    let fit = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() })?;

    println!("{:<8} {:>16} {:>24}", "", "own guide", "fit_bbvi");
    let mut furthest = 0.0_f64;
    if let FittedGuide::MeanField(guide) = fit.guide() {
        let names = ["mu".to_owned(), "ln tau".to_owned()].into_iter().chain((0..8).map(|j| format!("eta[{j}]")));
        for (i, name) in names.enumerate() {
            let (own, other) = ((loc[i], log_scale[i].exp()), (guide.loc()[i], guide.log_scale()[i].exp()));
            println!("{name:<8} {:>7.3} +- {:<7.3} {:>12.3} +- {:<7.3}", own.0, own.1, other.0, other.1);
            furthest = furthest.max((own.0 - other.0).abs() / other.1).max((own.1 / other.1 - 1.0).abs());
        }
    }
    println!("\nfurthest from each other: {furthest:.3} standard deviations");

    let conditional = fit_guide(&model, &Conditional, Bbvi::default())?;
    println!("\nELBO: mean-field {:.3}, effects given the population {:.3} nats", fit.elbo().0, conditional.elbo().0);
    Ok(())
}
