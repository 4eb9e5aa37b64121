//! A guide of a user's own type: what is asked of it is two maps with their pullbacks, the rest has defaults.

use ppl_core::guides::{Guide, Path};
use ppl_core::prelude::*;
use ppl_tests::models::eight_schools;

/// Independent logistic distributions: `u = loc + scale logit(uniform)`, the uniform being the normal distribution function of the noise.
#[derive(Clone, Debug)]
struct Logistic {
    /// All locations, then all logarithms of scales.
    parameters: Vec<f64>,
}

impl Logistic {
    fn at(&self, i: usize) -> (f64, f64) {
        let n = self.parameters.len() / 2;
        (self.parameters[i], self.parameters[n + i].exp())
    }

    /// The logistic number of a normal one.
    fn standard(noise: f64) -> f64 {
        let below = Lanes::normal_cdf(noise);
        (below / (1.0 - below)).ln()
    }
}

impl Guide<f64> for Logistic {
    fn name(&self) -> String {
        "independent logistics".to_owned()
    }

    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.parameters.len() / 2
    }

    fn sample(&self, noise: &[f64], samples: usize, u: &mut [f64]) {
        for (at, (u, noise)) in u.iter_mut().zip(noise).enumerate() {
            let (loc, scale) = self.at(at / samples);
            *u = loc + scale * Self::standard(*noise);
        }
    }

    fn pull_sample(&self, path: Path<'_, f64>, u_adjoint: &mut [f64], gradient: &mut [f64]) {
        let n = self.dimensions();
        for (at, (adjoint, noise)) in u_adjoint.iter().zip(path.noise).enumerate() {
            let i = at / path.samples;
            gradient[i] += adjoint;
            gradient[n + i] += adjoint * self.at(i).1 * Self::standard(*noise);
        }
    }

    fn log_prob(&self, u: &[f64], samples: usize, log_prob: &mut [f64]) {
        log_prob.fill(0.0);
        for (at, u) in u.iter().enumerate() {
            let (loc, scale) = self.at(at / samples);
            let z = (u - loc) / scale;
            log_prob[at % samples] -= z.abs() + 2.0 * (-z.abs()).exp().ln_1p() + scale.ln();
        }
    }

    fn pull_log_prob(
        &self,
        u: &[f64],
        samples: usize,
        weights: &[f64],
        mut u_adjoint: Option<&mut [f64]>,
        mut gradient: Option<&mut [f64]>,
    ) {
        let n = self.dimensions();
        for (at, u) in u.iter().enumerate() {
            let (i, weight) = (at / samples, weights[at % samples]);
            let (loc, scale) = self.at(i);
            let z = (u - loc) / scale;
            let slope = -(0.5 * z).tanh() / scale;
            if let Some(adjoint) = u_adjoint.as_deref_mut() {
                adjoint[at] += weight * slope;
            }
            if let Some(gradient) = gradient.as_deref_mut() {
                gradient[i] -= weight * slope;
                gradient[n + i] -= weight * (slope * scale * z + 1.0);
            }
        }
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        let n = self.dimensions();
        units.fill(1.0);
        (0..n).for_each(|i| units[i] = parameters[n + i].exp());
    }

    fn narrow(&mut self, factor: f64) {
        let n = self.dimensions();
        self.parameters[n..].iter_mut().for_each(|log_scale| *log_scale += factor.ln());
    }
}

#[test]
fn a_guide_of_ones_own_is_fitted_and_agrees_with_ours() -> Result<(), FitError> {
    let model = eight_schools();
    let guide = Logistic { parameters: [vec![0.0; 10], vec![-1.0; 10]].concat() };
    let own = fit_guide(&model, &guide, Bbvi::default())?;
    let ours = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() })?;
    // A logistic is near a normal, and has heavier tails: the bounds differ by a few hundredths a dimension.
    assert!((own.elbo().0 - ours.elbo().0).abs() < 0.3, "{:?} {:?}", own.elbo(), ours.elbo());
    for name in ["mu", "tau", "theta[0]", "theta[7]"] {
        let (Some(a), Some(b)) = (own.scalar(name), ours.scalar(name)) else { panic!("{name}") };
        assert!((a.mean - b.mean).abs() < 0.15 * b.sd, "{name}: {} {}", a.mean, b.mean);
    }
    assert!(own.summary().to_string().contains("independent logistics"), "{}", own.summary());
    assert_eq!(own.draws(&model, 500)?.theta.shape(), [500, 8]);
    let path = std::env::temp_dir().join(format!("own-guide-{}.json", std::process::id()));
    let refused = own.save(&path).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("is of a type of yours and cannot be saved"), "{refused}");
    Ok(())
}

#[test]
fn a_guide_of_other_dimensions_is_refused() {
    let guide = Logistic { parameters: vec![0.0; 4] };
    let refused = fit_guide(&eight_schools(), &guide, Bbvi::default());
    assert!(matches!(refused, Err(FitError::OtherSizes { fitted: 2, model: 10 })), "{refused:?}");
}
