//! The score function: unbiased beside the reparameterization gradient with all that lessens its variance, and how much that is.

use ppl_core::estimators::{GradientEstimator, Mixed, Pathwise};
use ppl_core::guides::{Blocks, Component, FullRank, Guide, MeanField, Mixture};
use ppl_core::model::{LogJoint, Statement, Visitor};
use ppl_core::optimizers::Gaussian;
use ppl_core::prelude::*;
use ppl_core::random::step_key;
use ppl_tests::guides::Reticent;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Latents that are read through quantities, locals, index arrays, neighbours and sums, on many supports.
    pub Woven(y: [f64; N], group: [in G; N], x: [f64; N, K], z: [Option<f64>; T]) {
        mu ~ Normal(0, 2);
        tau ~ HalfNormal(1);
        share[G] ~ Dirichlet(2);
        cut[T] ~ Ordered(Normal(0, 2));
        for k in K {
            beta[k] ~ Normal(0, 1);
        }
        for g in G {
            alpha[g] ~ Normal(mu, tau);
            scale[g] ~ Gamma(2, 1);
            let width[g] = scale[g] + 0.1 * share[g];
        }
        for n in N {
            let at = alpha[group[n]] + sum(k in K => beta[k] * x[n, k]);
            y[n] ~ Normal(at, width[group[n]]);
        }
        for t in T {
            bounded[t] ~ Uniform(-1, 2);
            z[t] ~ Normal(bounded[t] + cut[t], 1);
        }
        for t in 1..T {
            factor(-0.5 * (bounded[t] - bounded[t - 1]).powi(2));
        }
    }
}

fn woven() -> Woven {
    Woven {
        y: vec![0.3, -1.2, 2.0, 0.7, 0.1],
        group: Indices::from(vec![0, 1, 1, 0, 2]),
        x: Array2::from_shape_fn((5, 2), |(n, k)| (1.3 * n as f64 + k as f64).sin()),
        z: vec![Some(0.5), None, Some(-0.4)],
    }
}

model! {
    /// A hundred groups.
    pub Groups(y: [f64; N], group: [in G; N]) {
        mu ~ Normal(0, 5);
        tau ~ HalfNormal(2);
        for g in G {
            theta[g] ~ Normal(mu, tau);
        }
        for n in N {
            y[n] ~ Normal(theta[group[n]], 1);
        }
    }
}

fn groups() -> Groups {
    let group: Vec<usize> = (0..500).map(|n| n % 100).collect();
    let y = group.iter().enumerate().map(|(n, g)| 1.0 + (*g as f64).sin() + 0.8 * (7.0 * n as f64).cos()).collect();
    Groups { y, group: Indices::from(group) }
}

model! {
    /// Groups by their residuals.
    pub Residuals(y: [f64; N], group: [in G; N]) {
        mu ~ Normal(0, 5);
        tau ~ HalfNormal(2);
        for g in G {
            eta[g] ~ Normal(0, 1);
        }
        for n in N {
            y[n] ~ Normal(mu + tau * eta[group[n]], 1);
        }
    }
}

model! {
    /// A correlated Gaussian.
    pub Correlated(r: f64) {
        a ~ Normal(0.5, 1);
        b ~ Normal(r * a, 0.6);
    }
}

const NONE: Estimator = Estimator::ScoreFunction { rao_blackwell: RaoBlackwell::Off, baseline: Baseline::None };

fn every_kind() -> Vec<Estimator> {
    let of = |rao_blackwell| {
        [Baseline::None, Baseline::Optimal, Baseline::LeaveOneOut]
            .map(|baseline| Estimator::ScoreFunction { rao_blackwell, baseline })
    };
    [RaoBlackwell::Off, RaoBlackwell::On, RaoBlackwell::Measured].map(of).concat()
}

/// The mean of a gradient over many steps, and its variance at one step: by parameter.
fn moments(
    model: &dyn LogJoint<f64>,
    guide: &dyn Guide<f64>,
    mut estimator: impl GradientEstimator<f64>,
    steps: u64,
) -> (Vec<f64>, Vec<f64>) {
    let n = guide.parameters().len();
    let (mut mean, mut square, mut gradient) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for step in 0..steps {
        estimator.estimate(model, guide, step_key(11, step), &mut gradient);
        for i in 0..n {
            mean[i] += gradient[i] / steps as f64;
            square[i] += gradient[i].powi(2) / steps as f64;
        }
    }
    let variance = square.iter().zip(&mean).map(|(s, m)| (s - m * m).max(0.0)).collect();
    (mean, variance)
}

/// Checks that the means of two estimators agree within 4.5 standard errors in every parameter.
fn check_same(what: &str, one: &(Vec<f64>, Vec<f64>), other: &(Vec<f64>, Vec<f64>), steps: [u64; 2]) {
    for i in 0..one.0.len() {
        let error = (one.1[i] / steps[0] as f64 + other.1[i] / steps[1] as f64).sqrt();
        assert!(
            (one.0[i] - other.0[i]).abs() <= 4.5 * error + 1e-12,
            "{what}, parameter {i}: {} and {}, standard error {error}",
            one.0[i],
            other.0[i]
        );
    }
}

fn mean_field(dimensions: usize) -> MeanField {
    let loc: Vec<f64> = (0..dimensions).map(|i| 0.3 * (1.7 * i as f64).sin()).collect();
    MeanField::new(&loc, &vec![-1.0; dimensions])
}

#[test]
fn every_score_function_agrees_with_the_path() -> Outcome {
    let data = woven();
    let model = data.bind()?;
    let guide = mean_field(model.layout().unconstrained());
    let pathwise = Pathwise::new(&*model, &guide, 64, Objective::Elbo).sticking(false);
    let path = moments(&*model, &guide, pathwise, 2000);
    for kind in every_kind() {
        let estimator = Mixed::new(&*model, &guide, 64, &vec![kind; guide.loc().len()]);
        let score = moments(&*model, &guide, estimator, 2000);
        check_same(&format!("{kind:?}"), &score, &path, [2000, 2000]);
    }
    // Mixed freely: every third block by another.
    let all = [Estimator::SCORE_FUNCTION, Estimator::StickingTheLanding, Estimator::Auto, Estimator::Reparameterization, NONE];
    let mixed: Vec<Estimator> = (0..guide.loc().len()).map(|i| all[i % all.len()]).collect();
    let mixed = moments(&*model, &guide, Mixed::new(&*model, &guide, 64, &mixed), 2000);
    check_same("mixed", &mixed, &path, [2000, 2000]);
    Ok(())
}

#[test]
fn blocks_and_guides_of_one_block_agree_with_the_path() -> Outcome {
    let data = woven();
    let model = data.bind()?;
    let n = model.layout().unconstrained();
    let precision = (0..n * n)
        .map(|at| {
            if at % (n + 1) == 0 {
                3.0
            } else if at / n > at % n {
                0.2
            } else {
                0.0
            }
        })
        .collect();
    let gaussian = Gaussian { mean: mean_field(n).loc().to_vec(), precision };
    let halves = [(0..n).step_by(2).collect::<Vec<_>>(), (1..n).step_by(2).collect()];
    let component = |logit: f64, shift: f64| Component {
        logit,
        loc: gaussian.mean.iter().map(|x| x + shift).collect(),
        factor: (0..n * n).map(|at| if at % (n + 1) == 0 { 0.3 } else { 0.0 }).collect(),
    };
    let guides: [(&str, Box<dyn Guide<f64>>); 3] = [
        ("blocks", Box::new(Blocks::new(&halves, &gaussian, 0))),
        ("full rank", Box::new(FullRank::new(gaussian.clone()))),
        ("mixture", Box::new(Mixture::new(&[component(0.0, 0.1), component(-0.5, -0.2)], true, &[]))),
    ];
    for (name, guide) in guides {
        let path = moments(&*model, &*guide, Pathwise::new(&*model, &*guide, 64, Objective::Elbo).sticking(false), 1000);
        for baseline in [Baseline::Optimal, Baseline::LeaveOneOut] {
            let kind = Estimator::ScoreFunction { rao_blackwell: RaoBlackwell::On, baseline };
            let estimator = Mixed::new(&*model, &*guide, 64, &vec![kind; guide.blocks().len()]);
            let steps = if baseline == Baseline::Optimal { 200 } else { 1000 };
            check_same(&format!("{name}, {kind:?}"), &moments(&*model, &*guide, estimator, steps), &path, [steps, 1000]);
        }
    }
    Ok(())
}

/// The gradient of a mixture by implicit reparameterization is that by strata.
#[test]
fn implicit_reparameterization_of_a_mixture_agrees_with_its_strata() -> Outcome {
    let data = woven();
    let model = data.bind()?;
    let n = model.layout().unconstrained();
    let component = |logit: f64, shift: f64| Component {
        logit,
        loc: mean_field(n).loc().iter().map(|x| x + shift).collect(),
        factor: (0..n * n)
            .map(|at| {
                if at % (n + 1) == 0 {
                    0.3
                } else if at / n > at % n {
                    0.02
                } else {
                    0.0
                }
            })
            .collect(),
    };
    let strata = Mixture::new(&[component(0.0, 0.1), component(-0.5, -0.2)], true, &[]);
    let implicit = strata.clone().implicit();
    let expected = moments(&*model, &strata, Pathwise::new(&*model, &strata, 64, Objective::Elbo).sticking(false), 2000);
    for sticks in [false, true] {
        let estimator = Pathwise::new(&*model, &implicit, 64, Objective::Elbo).sticking(sticks);
        check_same("implicit", &moments(&*model, &implicit, estimator, 2000), &expected, [2000, 2000]);
    }
    Ok(())
}

/// The full-rank guide of a correlated Gaussian in two dimensions: within 4 standard errors, at a point away from the optimum.
#[test]
fn a_full_rank_guide_of_a_correlated_gaussian_agrees_with_the_path() -> Outcome {
    let data = Correlated { r: 0.8 };
    let model = data.bind()?;
    let guide = FullRank::new(Gaussian { mean: vec![0.2, -0.3], precision: vec![1.5, 0.0, -0.7, 1.2] });
    let path = moments(&*model, &guide, Pathwise::new(&*model, &guide, 16, Objective::Elbo).sticking(false), 20_000);
    for kind in every_kind() {
        let score = moments(&*model, &guide, Mixed::new(&*model, &guide, 16, &[kind]), 20_000);
        for i in 0..score.0.len() {
            let error = ((score.1[i] + path.1[i]) / 20_000.0).sqrt();
            assert!((score.0[i] - path.0[i]).abs() < 4.0 * error, "{kind:?}, {i}: {} {} +- {error}", score.0[i], path.0[i]);
        }
    }
    Ok(())
}

#[test]
fn rao_blackwellization_and_baselines_take_variance_away() -> Outcome {
    let data = groups();
    let model = data.bind()?;
    let guide = mean_field(model.layout().unconstrained());
    let variance = |kind: Estimator| -> f64 {
        let estimator = Mixed::new(&*model, &guide, 16, &vec![kind; guide.loc().len()]);
        moments(&*model, &guide, estimator, 100).1.iter().sum()
    };
    let of = |rao_blackwell, baseline| variance(Estimator::ScoreFunction { rao_blackwell, baseline });
    let plain = variance(NONE);
    let both = of(RaoBlackwell::On, Baseline::LeaveOneOut);
    let optimal = of(RaoBlackwell::On, Baseline::Optimal);
    assert!(plain > 10.0 * both && plain > 10.0 * optimal, "{plain}, with both {both}, {optimal}");
    let (baseline, blackwell) = (of(RaoBlackwell::Off, Baseline::LeaveOneOut), of(RaoBlackwell::On, Baseline::None));
    assert!(baseline > 2.0 * both && blackwell > 2.0 * both, "each alone {baseline} {blackwell}, both {both}");
    let measured = variance(Estimator::SCORE_FUNCTION);
    assert!(measured < 1.2 * both.min(baseline), "{measured}, {both}, {baseline}");
    Ok(())
}

/// Where the guide is near the posterior the whole cost hardly varies, and what is left of it in a blanket does.
#[test]
fn near_the_posterior_the_whole_cost_is_found_to_be_the_quieter() -> Outcome {
    let data = groups();
    let model = data.bind()?;
    let n = model.layout().unconstrained();
    let fit = fit_guide(&data, &MeanField::new(&vec![0.0; n], &vec![0.0; n]), Bbvi::default())?;
    let guide = fit.guide().guide::<f64>();
    let variance = |rao_blackwell| -> f64 {
        let kind = Estimator::ScoreFunction { rao_blackwell, baseline: Baseline::LeaveOneOut };
        moments(&*model, guide, Mixed::new(&*model, guide, 16, &vec![kind; n]), 200).1.iter().sum()
    };
    let [whole, blanket, measured] = [RaoBlackwell::Off, RaoBlackwell::On, RaoBlackwell::Measured].map(variance);
    assert!(blanket > 3.0 * whole && measured < 1.5 * whole, "{whole}, {blanket}, {measured}");
    Ok(())
}

#[test]
fn fits_by_the_score_function_agree_with_fits_along_the_path() -> Outcome {
    let data = Residuals { y: groups().y[..100].to_vec(), group: (0..100).map(|n| n % 5).collect() };
    let along = fit_bbvi(&data, Bbvi { family: Family::MeanField, ..Bbvi::default() })?;
    let of = |config: Bbvi| fit_bbvi(&data, Bbvi { samples: 64, tolerance: 0.02, family: Family::MeanField, ..config });
    let by_name = vec![("eta".to_owned(), Estimator::SCORE_FUNCTION), ("mu".to_owned(), Estimator::StickingTheLanding)];
    let fits = [
        (
            "score",
            fit_bbvi(&data, Bbvi { estimator: Estimator::SCORE_FUNCTION, samples: 64, tolerance: 0.02, ..Bbvi::default() })?,
        ),
        ("mixed", of(Bbvi { estimators: by_name, ..Bbvi::default() })?),
        ("along", of(Bbvi { estimator: Estimator::Reparameterization, ..Bbvi::default() })?),
        ("sticking", of(Bbvi { estimator: Estimator::StickingTheLanding, ..Bbvi::default() })?),
    ];
    for (name, fit) in fits {
        assert_eq!(*fit.stop_reason(), StopReason::Converged, "{name}: {:?}", fit.steps());
        assert_eq!(fit.tried().len(), 1, "{name}: {:?}", fit.tried());
        let near = (fit.elbo().0 - along.elbo().0).abs() < 0.02 + 4.0 * fit.elbo().1;
        assert!(near, "{name}: ELBO {:?}, along the path {:?}", fit.elbo(), along.elbo());
        for scalar in &fit.raw().summary().scalars {
            let raw = along.raw();
            let expected = raw.scalar(&scalar.name).ok_or("a scalar")?;
            assert!((scalar.mean - expected.mean).abs() < 0.1 * expected.sd, "{name}: {scalar:?}, {expected:?}");
            assert!((scalar.sd / expected.sd).ln().abs() < 0.1, "{name}: {scalar:?}, {expected:?}");
        }
    }
    Ok(())
}

#[test]
fn draws_without_a_path_are_fitted_by_the_score_function() -> Outcome {
    let model = Correlated { r: 0.0 };
    let config = || Bbvi { samples: 32, ..Bbvi::default() };
    let fit = fit_guide(&model, &Reticent::pathless(MeanField::new(&[0.0; 2], &[0.0; 2])), config())?;
    assert!(fit.elbo().0.abs() < 0.02, "{:?}", fit.elbo());
    let bound = Objective::ImportanceWeighted { samples: 4 };
    let refused = fit_guide(&model, &Reticent::pathless(mean_field(2)), Bbvi { objective: bound, ..config() });
    assert!(refused.is_err_and(|error| error.to_string().contains("take the ELBO")));
    Ok(())
}

#[test]
fn wrong_estimators_are_named() {
    let model = Correlated { r: 0.5 };
    let message = |config: Bbvi| fit_bbvi(&model, config).err().map(|error| error.to_string()).unwrap_or_default();
    let unknown = message(Bbvi { estimators: vec![("c".to_owned(), Estimator::SCORE_FUNCTION)], ..Bbvi::default() });
    assert_eq!(unknown, "`estimators` names `c`, which is not a latent of the model; the latents are `a`, `b`");
    let objective = Objective::Renyi { alpha: 0.5, samples: 4 };
    for (estimator, estimators) in
        [(Estimator::SCORE_FUNCTION, vec![]), (Estimator::Auto, vec![("a".to_owned(), Estimator::Reparameterization)])]
    {
        let bound = message(Bbvi { estimator, estimators, objective, ..Bbvi::default() });
        assert!(bound.starts_with("the score function, and estimators that differ between latents, are of the ELBO"), "{bound}");
    }
}

/// Markov blankets are no wider than the model: a row reads its own group, not the others.
#[test]
fn rows_read_the_latents_that_they_are_about() -> Outcome {
    struct Reads(Vec<(usize, usize, Vec<usize>)>);
    impl Visitor for Reads {
        fn visit(&mut self, _statement: &Statement<'_>, _value: &mut [f64]) {}
        fn reads(&mut self, factor: usize, row: usize, latents: &[usize]) {
            self.0.push((factor, row, latents.to_vec()));
        }
    }
    let data = woven();
    let model = data.bind()?;
    let first = |name: &str| model.layout().variables.iter().find(|v| v.name == name).map(|v| v.rows.start).unwrap_or_default();
    let mut reads = Reads(Vec::new());
    model.reads(&mut reads);
    let of = |text: &str, row: usize| {
        let factor = model.graph().factors.iter().position(|f| f.text.starts_with(text)).unwrap_or_default();
        let found = reads.0.iter().find(|(f, r, _)| (*f, *r) == (factor, row));
        found.map(|(_, _, latents)| latents.clone()).unwrap_or_default()
    };
    let sorted = |mut rows: Vec<usize>| {
        rows.sort_unstable();
        rows
    };
    // The third row of y is of the second group; its width is a quantity of the whole simplex's second share.
    let [alpha, beta, scale, share] = ["alpha", "beta", "scale", "share"].map(first);
    assert_eq!(of("y[n]", 2), sorted(vec![alpha + 1, beta, beta + 1, scale + 1, share + 1]));
    assert_eq!(of("alpha[g]", 2), sorted(vec![first("mu"), first("tau"), alpha + 2]));
    let bounded = first("bounded");
    assert_eq!(of("factor", 1), vec![bounded + 1, bounded + 2]);
    Ok(())
}
