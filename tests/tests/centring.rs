//! Automatic non-centring: the gradient in the coordinates of residuals, the density, and that centred models are fitted as well as non-centred ones.

use ppl_core::centring::PartlyCentred;
use ppl_core::model::LogJoint;
use ppl_core::prelude::*;
use ppl_tests::models::{EightSchools, eight_schools};

model! {
    /// Residuals of residuals, in two plates, with a quantity and a local on the way, and a family other than the normal.
    pub Chained(x: [f64; G], y: [f64; G, K]) {
        mu ~ Normal(0, 1);
        tau ~ HalfNormal(1);
        let spread = 0.5 * tau;
        for g in G {
            let center = mu * x[g];
            alpha[g] ~ Normal(center, spread);
        }
        rho ~ Normal(alpha[0], 2);
        for g in G {
            for k in K {
                beta[g, k] ~ StudentT(4, alpha[g] + rho, exp(0.3 * rho) + tau);
                y[g, k] ~ Normal(beta[g, k], 0.7);
            }
        }
    }
}

fn chained() -> Chained {
    let y = ndarray::arr2(&[[0.3, -0.8], [1.2, 0.4], [0.1, 2.0]]);
    Chained { x: vec![0.4, -1.1, 0.7], y }
}

/// The log density of residuals, with its gradient, of the first lane.
fn at<L: LogJoint<f64> + ?Sized>(model: &L, u: &[f64]) -> (f64, Vec<f64>) {
    let samples = 8;
    let mut work = model.workspace(samples);
    for (row, x) in work.u_mut().chunks_exact_mut(samples).zip(u) {
        row.fill(*x);
    }
    let mut log_density = vec![0.0; samples];
    model.log_density(&mut work, &model.unit_weights(samples), &mut log_density);
    let before: Vec<f64> = work.u().iter().step_by(samples).copied().collect();
    assert_eq!(before, u, "the unconstrained numbers are left as they were");
    (log_density[0], work.gradient().iter().step_by(samples).copied().collect())
}

#[test]
fn the_gradient_is_that_of_finite_differences() -> Result<(), Box<dyn std::error::Error>> {
    let model = chained();
    let bound = model.bind()?;
    let residuals = PartlyCentred::new(&*bound).ok_or("alpha, rho and beta have residuals")?;
    assert_eq!(residuals.layout().points(), 3);
    let n = residuals.layout().unconstrained();
    let u: Vec<f64> = (0..n).map(|i| 0.6 * (1.3 * i as f64 + 0.4).sin()).collect();
    let (_, gradient) = at(&residuals, &u);
    for i in 0..n {
        let moved = |h: f64| {
            let mut u = u.clone();
            u[i] += h;
            at(&residuals, &u).0
        };
        let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((numeric - gradient[i]).abs() < 1e-6 * (1.0 + numeric.abs()), "dimension {i}: {} {numeric}", gradient[i]);
    }
    Ok(())
}

#[test]
fn of_degree_one_the_density_is_the_models_and_of_degree_zero_that_of_standard_residuals()
-> Result<(), Box<dyn std::error::Error>> {
    let model = chained();
    let bound = model.bind()?;
    let residuals = PartlyCentred::new(&*bound).ok_or("alpha, rho and beta have residuals")?;
    let n = bound.layout().unconstrained();
    let mut u: Vec<f64> = (0..n).map(|i| 0.6 * (1.3 * i as f64 + 0.4).sin()).collect();
    let written = at(&*bound, &u);
    u.resize(n + 3, 1.0);
    let same = at(&residuals, &u);
    assert!((written.0 - same.0).abs() < 1e-12);
    written.1.iter().zip(&same.1).for_each(|(a, b)| assert!((a - b).abs() < 1e-11, "{a} {b}"));

    // log p(data, residuals) = log p(data, latents) + sum of the logarithms of the scales.
    u[n..].fill(0.0);
    let standard = at(&residuals, &u).0;
    let (mu, tau) = (u[0], u[1].exp());
    let mut z = u[..n].to_vec();
    let x = [0.4, -1.1, 0.7];
    let mut log_scales = 0.0;
    for g in 0..3 {
        z[2 + g] = mu * x[g] + 0.5 * tau * u[2 + g];
        log_scales += (0.5 * tau).ln();
    }
    z[5] = z[2] + 2.0 * u[5];
    log_scales += 2.0_f64.ln();
    for g in 0..3 {
        for k in 0..2 {
            let scale = (0.3 * z[5]).exp() + tau;
            z[6 + 2 * g + k] = z[2 + g] + z[5] + scale * u[6 + 2 * g + k];
            log_scales += scale.ln();
        }
    }
    let latents = at(&*bound, &z).0;
    assert!((standard - latents - log_scales).abs() < 1e-11, "{standard} {latents} {log_scales}");
    Ok(())
}

model! {
    /// Eight schools as written first: the effects around their mean.
    pub Centred(y: [f64; J], sigma: [f64; J]) {
        mu ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

#[test]
fn a_centred_model_is_fitted_as_well_as_the_one_that_is_non_centred_by_hand() -> Result<(), Box<dyn std::error::Error>> {
    let non_centred = eight_schools();
    let EightSchools { y, sigma } = &non_centred;
    for family in [Family::Auto, Family::MeanField] {
        let config = || Bbvi { family, ..Bbvi::default() };
        let centred = fit_bbvi(&Centred { y: y.clone(), sigma: sigma.clone() }, config())?;
        let by_hand = fit_bbvi(&non_centred, config())?;
        let ((own, error), (reference, _)) = (centred.elbo(), by_hand.elbo());
        assert!(own > reference - 4.0 * error, "{own} {reference}");
        for name in ["mu", "tau", "theta[0]", "theta[7]"] {
            let (a, b) = (centred.scalar(name).ok_or(name)?, by_hand.scalar(name).ok_or(name)?);
            assert!((a.mean - b.mean).abs() < 0.12 * b.sd, "{name}: {} {}", a.mean, b.mean);
            assert!((a.sd / b.sd - 1.0).abs() < 0.15, "{name}: {} {}", a.sd, b.sd);
        }
        // Draws are of the latents as written, and a saved fit still knows its coordinates.
        let model = Centred { y: y.clone(), sigma: sigma.clone() };
        let draws = centred.draws(&model, 2000)?;
        let mean = draws.theta.column(0).sum() / 2000.0;
        let theta = centred.scalar("theta[0]").ok_or("theta")?;
        assert!((mean - theta.mean).abs() < 0.12 * theta.sd, "{mean} {}", theta.mean);
    }
    Ok(())
}
