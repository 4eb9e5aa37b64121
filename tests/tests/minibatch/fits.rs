//! Fits in batches, and with weights on the divergence, beside fits over all rows with the ELBO.

use ppl_core::estimators::{GradientEstimator, Mixed};
use ppl_core::guides::MeanField;
use ppl_core::prelude::*;
use ppl_core::random::uniform;

use crate::Outcome;

model! {
    /// Logistic regression.
    pub LogisticRegression(x: [f64; N, K], y: [bool; N]) {
        beta[K] ~ Normal(0, 2);
        for n in N {
            y[n] ~ Bernoulli(logit = dot(x[n], beta));
        }
    }
}

fn logistic(rows: usize) -> LogisticRegression {
    let x = Array2::from_shape_fn((rows, 4), |(n, k)| 3.0 * uniform(1, (4 * n + k) as u64) - 1.5);
    let logit = |n: usize| x.row(n).iter().zip([1.0, -0.5, 0.3, 0.0]).map(|(x, b)| x * b).sum::<f64>();
    let y = (0..rows).map(|n| uniform(2, n as u64) < 1.0 / (1.0 + (-logit(n)).exp())).collect();
    LogisticRegression { x, y }
}

/// Checks means, in standard deviations, and standard deviations, in logarithms, of one fit against another.
fn check_near<M: Model>(found: &Fit<M>, expected: &Fit<M>, tolerance: f64) {
    for scalar in &found.raw().summary().scalars {
        let raw = expected.raw();
        let expected = raw.scalar(&scalar.name).expect("the same latents");
        assert!((scalar.mean - expected.mean).abs() < tolerance * expected.sd, "{scalar:?}, {expected:?}");
        assert!((scalar.sd / expected.sd).ln().abs() < tolerance, "{scalar:?}, {expected:?}");
    }
}

#[test]
fn a_regression_in_batches_agrees_with_one_over_all_rows() -> Outcome {
    let model = logistic(4000);
    let whole = fit_bbvi(&model, Bbvi::default())?;
    for family in [Family::Auto, Family::MeanField, Family::LowRank { rank: 1 }, Family::Blocks] {
        let minibatch = Some(Minibatch::of("N", 200));
        let fit = fit_bbvi(&model, Bbvi { minibatch, family, tolerance: 0.05, ..Bbvi::default() })?;
        eprintln!("{family:?} {} {:?} {:?}", fit.steps(), fit.elapsed(), fit.stop_reason());
        // There is next to no correlation: columns near zero wander long.
        let is_long = matches!(family, Family::LowRank { .. });
        assert!(is_long || *fit.stop_reason() == StopReason::Converged, "{family:?}: {:?}", fit.stop_reason());
        check_near(&fit, &whole, 0.2);
        let again =
            fit_bbvi(&model, Bbvi { minibatch: Some(Minibatch::of("N", 200)), family, tolerance: 0.05, ..Bbvi::default() })?;
        assert_eq!(fit.elbo(), again.elbo(), "the same seed gives the same bits");
    }
    Ok(())
}

model! {
    /// Many small groups.
    pub Groups(y: [f64; G, M]) {
        mu ~ Normal(0, 5);
        sigma ~ HalfNormal(2);
        for g in G {
            theta[g] ~ Normal(mu, 2);
            for m in M {
                y[g, m] ~ Normal(theta[g], sigma);
            }
        }
    }
}

#[test]
fn latents_over_the_plate_follow_in_batches() -> Outcome {
    let normal = |i: usize| (-2.0 * uniform(3, i as u64).ln()).sqrt() * (std::f64::consts::TAU * uniform(4, i as u64)).cos();
    let model = Groups { y: Array2::from_shape_fn((300, 5), |(g, m)| 1.0 + 2.0 * normal(g) + normal(1000 + 5 * g + m)) };
    let plain = MeanField::new(&[0.0; 302], &[0.0; 302]);
    let whole = fit_guide(&model, &plain, Bbvi::default())?;
    let minibatch = Some(Minibatch::of("G", 30));
    let fit = fit_bbvi(&model, Bbvi { minibatch, tolerance: 0.05, ..Bbvi::default() })?;
    eprintln!("{} {:?} {:?} {:?} {:?}", fit.steps(), fit.elapsed(), fit.stop_reason(), fit.elbo(), whole.elbo());
    assert!((fit.elbo().0 - whole.elbo().0).abs() < 0.02 * 302.0, "{:?}, {:?}", fit.elbo(), whole.elbo());
    check_near(&fit, &whole, 0.4);
    Ok(())
}

/// With no weight on the divergence the gradient is that of the likelihood alone; later it is that of the ELBO.
#[test]
fn the_weight_of_the_divergence_goes_from_the_likelihood_to_the_elbo() -> Outcome {
    let data = logistic(50);
    let model = data.bind()?;
    let guide = MeanField::new(&[0.1, -0.2, 0.3, 0.0], &[-1.0; 4]);
    let mut tempered =
        Mixed::new(&*model, &guide, 4096, &[Estimator::Reparameterization; 4]).tempered(KlWeight::Linear { from: 0.0, steps: 1 });
    let (mut first, mut second, mut elbo) = (vec![0.0; 8], vec![0.0; 8], vec![0.0; 8]);
    tempered.estimate(&*model, &guide, 7, &mut first);
    tempered.estimate(&*model, &guide, 7, &mut second);
    Mixed::new(&*model, &guide, 4096, &[Estimator::Reparameterization; 4]).estimate(&*model, &guide, 7, &mut elbo);
    assert_eq!(second, elbo);
    // The divergence from the prior in closed form: its gradient is what the two differ by, but for the noise in the location's square.
    for k in 0..4 {
        let (loc, scale) = (guide.loc()[k], (-1.0_f64).exp());
        let of_scale = 1.0 - scale * scale / 4.0;
        assert!((elbo[k] - first[k] + loc / 4.0).abs() < 0.01, "{k}: {} {}", elbo[k], first[k]);
        assert!((elbo[4 + k] - first[4 + k] - of_scale).abs() < 0.03, "{k}: {} {}", elbo[4 + k], first[4 + k]);
    }
    let kl_weight = KlWeight::Cyclical { cycles: 2, steps: 400 };
    let config = || Bbvi { family: Family::MeanField, ..Bbvi::default() };
    let (plain, tempered) = (fit_bbvi(&data, config())?, fit_bbvi(&data, Bbvi { kl_weight, ..config() })?);
    assert!(tempered.steps() > 400);
    check_near(&tempered, &plain, 0.1);
    let from = Bbvi { kl_weight: KlWeight::Linear { from: 1.5, steps: 10 }, ..Bbvi::default() };
    assert!(fit_bbvi(&data, from).is_err_and(|error| error.to_string() == "`kl_weight.from` is 1.5; it must be between 0 and 1"));
    Ok(())
}
