//! Families of guides on posteriors that no single Gaussian fits: what the bounds must reach, known by quadrature or by normalization.

use ppl_core::prelude::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Two coordinates of which only the distance from the origin was seen: the log evidence is -5.3232 by quadrature.
    pub Cone(z: f64) {
        x ~ Normal(0, 10);
        y ~ Normal(0, 10);
        z ~ Normal(x.powi(2) + y.powi(2), 0.1 + (x.powi(2) + y.powi(2)) / 100);
    }
}

model! {
    /// Two normals whose means are six standard deviations apart, normalized.
    pub Bimodal(shift: f64, D: usize) {
        x[D] ~ Flat();
        factor(log_sum_exp(
            sum(d in D => Normal(shift, 1).log_prob(x[d])),
            sum(d in D => Normal(-shift, 1).log_prob(x[d])),
        ) - 0.6931471805599453);
    }
}

model! {
    /// A ridge along a parabola, normalized; written by factors, so that nothing can be taken apart.
    pub Banana(D: usize) {
        x ~ Normal(0, 3);
        y ~ Flat();
        factor(Normal(x.powi(2) / 4, 1).log_prob(y));
        for d in D {
            rest[d] ~ Normal(0, 1);
        }
    }
}

const MIXTURE_OF_4: Family = Family::Mixture { components: 4, full_rank: true };

fn bound<M: Model>(model: &M, config: Bbvi) -> Result<(Fit<M>, f64, f64), FitError> {
    let fit = fit_bbvi(model, Bbvi { draws: 100_000, ..config })?;
    let (bound, error) = fit.bound();
    Ok((fit, bound, error))
}

#[test]
fn the_cone_is_met_as_near_as_each_family_can() -> Outcome {
    let model = Cone { z: 5.0 };
    let iwae = Objective::ImportanceWeighted { samples: 5 };
    // The optima are -8.0745, -7.535 and -6.688.
    for (family, objective, least) in
        [(Family::MeanField, Objective::Elbo, -8.08), (Family::MeanField, iwae, -7.56), (MIXTURE_OF_4, Objective::Elbo, -6.70)]
    {
        let (_, bound, error) = bound(&model, Bbvi { family, objective, ..Bbvi::default() })?;
        assert!(bound + 4.0 * error > least && bound < -5.32, "{family:?} {objective:?}: {bound} +- {error}");
    }
    Ok(())
}

#[test]
fn a_fit_leaves_the_saddle_of_a_symmetric_start() -> Outcome {
    for start in [1.6, 0.0] {
        let initial = vec![("x".to_owned(), vec![start]), ("y".to_owned(), vec![start])];
        let (_, bound, error) = bound(&Cone { z: 5.0 }, Bbvi { family: Family::MeanField, initial, ..Bbvi::default() })?;
        assert!(bound + 4.0 * error > -8.08, "from {start}: {bound} +- {error}");
    }
    Ok(())
}

#[test]
fn components_do_not_collapse_on_two_modes() -> Outcome {
    for dimensions in [2_usize, 20] {
        let shift = 3.0 / (dimensions as f64).sqrt();
        let model = Bimodal { shift, D: dimensions };
        let family = Family::Mixture { components: 2, full_rank: true };
        let (fit, bound, error) = bound(&model, Bbvi { family, ..Bbvi::default() })?;
        assert!(bound.abs() < 0.02 + 4.0 * error, "{dimensions}: {bound} +- {error}");
        let draws = fit.draws(&model, 4000)?;
        let above = draws.x.rows().into_iter().filter(|x| x.sum() > 0.0).count();
        assert!((1700..2300).contains(&above), "{above} of 4000 draws are of the one mode");
    }
    Ok(())
}

#[test]
fn of_itself_a_fit_goes_on_to_a_mixture_where_one_gaussian_is_not_enough() -> Outcome {
    let model = Bimodal { shift: 3.0 / 2.0_f64.sqrt(), D: 2 };
    let (fit, bound, error) = bound(&model, Bbvi::default())?;
    assert!(bound.abs() < 0.02 + 4.0 * error, "{bound} +- {error}");
    assert!(fit.tried().len() >= 2 && fit.guide().name().starts_with("mixture"), "{:?}", fit.tried());
    let x = fit.scalar("x[0]").ok_or("x")?;
    // The variance of the mixture: 1 + shift^2.
    assert!((x.sd / 5.5_f64.sqrt() - 1.0).abs() < 0.05 && x.mean.abs() < 0.15, "{x:?}");
    Ok(())
}

#[test]
fn a_banana_is_covered_by_a_mixture() -> Outcome {
    let (_, bound, error) = bound(&Banana { D: 0 }, Bbvi { family: MIXTURE_OF_4, ..Bbvi::default() })?;
    assert!(bound.abs() < 0.08 + 4.0 * error, "{bound} +- {error}");
    Ok(())
}

#[test]
fn a_saved_mixture_gives_the_same_draws() -> Outcome {
    let model = Banana { D: 1 };
    let fit = fit_bbvi(&model, Bbvi { family: MIXTURE_OF_4, ..Bbvi::default() })?;
    let path = std::env::temp_dir().join(format!("mixture-{}.json", std::process::id()));
    fit.save(&path)?;
    let read = Fit::<Banana>::load(&path)?;
    std::fs::remove_file(&path)?;
    assert_eq!(fit.draws(&model, 100)?.y, read.draws(&model, 100)?.y);
    Ok(())
}

#[test]
fn a_bound_of_several_samples_refuses_strata_and_too_few_draws() {
    let objective = Objective::ImportanceWeighted { samples: 5 };
    let refused = fit_bbvi(&Cone { z: 5.0 }, Bbvi { family: MIXTURE_OF_4, objective, ..Bbvi::default() });
    let sentence = refused.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(sentence.contains("a mixture divides its samples into strata"), "{sentence}");
    let objective = Objective::ImportanceWeighted { samples: 5000 };
    let refused = fit_bbvi(&Cone { z: 5.0 }, Bbvi { objective, ..Bbvi::default() });
    assert!(refused.err().map(|error| error.to_string()).unwrap_or_default().contains("objective.samples"));
}

model! {
    /// A normalized Gaussian with the covariance `diag(d^2) + v v^T`.
    pub Ridge(d: [f64; N], v: [f64; N]) {
        x[N] ~ Flat();
        let c = 1 + sum(n in N => (v[n] / d[n]).powi(2));
        let along = sum(n in N => x[n] * v[n] / d[n].powi(2));
        factor(sum(n in N => Normal(0, d[n]).log_prob(x[n])) + along.powi(2) / (2 * c) - 0.5 * ln(c));
    }
}

fn ridge() -> Ridge {
    Ridge { d: vec![0.5, 1.0, 0.8, 2.0, 0.3], v: vec![1.0, -1.5, 0.7, 2.0, 0.9] }
}

#[test]
fn one_column_is_enough_for_one_direction() -> Outcome {
    let config = |family| Bbvi { family, ..Bbvi::default() };
    let (fit, bound_of_rank, error) = bound(&ridge(), config(Family::LowRank { rank: 1 }))?;
    assert!(bound_of_rank.abs() < 0.005 + 4.0 * error, "{bound_of_rank} +- {error}");
    let x = fit.scalar("x[3]").ok_or("x")?;
    assert!((x.sd / 8.0_f64.sqrt() - 1.0).abs() < 0.03, "{x:?}");
    // Independent Gaussians miss `KL = (sum of ln precision[i][i] - ln det precision) / 2`.
    let Ridge { d, v } = ridge();
    let c = 1.0 + d.iter().zip(&v).map(|(d, v)| (v / d).powi(2)).sum::<f64>();
    let gaps = d.iter().zip(&v).map(|(d, v)| (d.powi(-2) - v.powi(2) / (d.powi(4) * c)).ln() + 2.0 * d.ln());
    let kl = 0.5 * (gaps.sum::<f64>() + c.ln());
    let (_, bound_of_mean_field, error) = bound(&ridge(), config(Family::MeanField))?;
    assert!((bound_of_mean_field + kl).abs() < 0.003 + 4.0 * error, "{bound_of_mean_field} {kl}");
    let (_, laplace, error) = bound(&ridge(), config(Family::Laplace))?;
    assert!(laplace.abs() < 1e-3 + 4.0 * error, "{laplace}");
    Ok(())
}

model! {
    /// Two pairs, correlated within themselves alone; the evidence is that of `y`: Normal(0, 2) at 1.
    pub Pairs(y: f64) {
        a ~ Normal(0, 1);
        b ~ Normal(a, 0.2);
        c ~ Normal(0, 3.0.sqrt());
        y ~ Normal(c, 1);
        e ~ Normal(c, 0.1);
    }
}

#[test]
fn blocks_are_joined_by_name() -> Outcome {
    let evidence = -0.5 * (1.0_f64 / 4.0) - 2.0_f64.ln() - 0.5 * std::f64::consts::TAU.ln();
    let model = Pairs { y: 1.0 };
    let blocks =
        |names: &[&[&str]]| names.iter().map(|b| b.iter().map(|&n| n.to_owned()).collect()).collect::<Vec<Vec<String>>>();
    let config = |names: &[&[&str]]| Bbvi { family: Family::Blocks, blocks: blocks(names), ..Bbvi::default() };
    let (_, joined, error) = bound(&model, config(&[&["a", "b"], &["e", "c"]]))?;
    assert!((joined - evidence).abs() < 0.003 + 4.0 * error, "{joined} {evidence}");
    let refused = |names: &[&[&str]]| fit_bbvi(&model, config(names)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused(&[&["a", "d"]]).contains("`blocks` names `d`, which is not a latent"));
    assert!(refused(&[&["a", "b"], &["b"]]).contains("`blocks` names `b` twice"));
    Ok(())
}

#[test]
fn the_mode_is_where_the_density_is_highest() -> Outcome {
    let model = Pairs { y: 1.0 };
    let fit = fit_bbvi(&model, Bbvi { family: Family::Map, ..Bbvi::default() })?;
    let at = |name: &str| fit.scalar(name).map_or((f64::NAN, f64::NAN), |scalar| (scalar.mean, scalar.sd));
    for (name, mode) in [("a", 0.0), ("b", 0.0), ("c", 0.75), ("e", 0.75)] {
        let (mean, sd) = at(name);
        assert!((mean - mode).abs() < 1e-4 && sd < 1e-12, "{name}: {mean} {sd}");
    }
    assert!(fit.summary().to_string().contains("mode"), "{}", fit.summary());
    Ok(())
}

#[test]
fn linear_response_has_the_standard_deviations_that_independent_gaussians_miss() -> Outcome {
    let model = ridge();
    let fit = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() })?;
    let response = fit.linear_response(&model)?;
    for (n, (d, v)) in model.d.iter().zip(&model.v).enumerate() {
        let name = format!("x[{n}]");
        let sd = (d * d + v * v).sqrt();
        let found = response.sd(&name).ok_or("x")?;
        assert!((found / sd - 1.0).abs() < 0.01, "{name}: {found} {sd}");
        assert!(fit.raw().scalar(&name).ok_or("x")?.sd < 0.97 * sd);
    }
    let full = fit_bbvi(&model, Bbvi { family: Family::FullRank, ..Bbvi::default() })?;
    assert!(matches!(full.linear_response(&model), Err(FitError::LinearResponse { .. })));
    Ok(())
}

model! {
    /// A small hill near the origin, and a mountain twelve away.
    pub Hills(D: usize) {
        x[D] ~ Flat();
        factor(log_sum_exp(
            sum(d in D => Normal(0, 0.5).log_prob(x[d])) + ln(0.05),
            sum(d in D => Normal(3, 1).log_prob(x[d])) + ln(0.95),
        ));
    }
}

#[test]
fn restarts_find_the_higher_of_two_hills_whatever_the_number_of_threads() -> Outcome {
    let fit = |restarts, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let config = || Bbvi { family: Family::FullRank, restarts, ..Bbvi::default() };
        Ok::<_, Box<dyn std::error::Error>>(pool.install(|| bound(&Hills { D: 6 }, config()))?.1)
    };
    assert!((fit(1, 1)? - 0.05_f64.ln()).abs() < 0.02);
    let one = fit(12, 1)?;
    assert!((one - 0.95_f64.ln()).abs() < 0.02, "{one}");
    assert_eq!(one.to_bits(), fit(12, 4)?.to_bits());
    Ok(())
}

/// The length of the first steps is found, also where the longest of those that are tried lead nowhere.
#[test]
fn every_rule_finds_the_length_of_its_steps() -> Outcome {
    for optimizer in [Optimizer::Adam, Optimizer::AdviSequence, Optimizer::Dowg] {
        let config = |step| Bbvi { family: Family::FullRank, optimizer, step, ..Bbvi::default() };
        let (fit, elbo, error) = bound(&ridge(), config(None))?;
        assert!(elbo.abs() < 0.01 + 4.0 * error, "{optimizer:?}: {elbo} +- {error}");
        assert_eq!(*fit.stop_reason(), StopReason::Converged, "{optimizer:?}");
        for step in [0.0, -1.0, f64::NAN, 1e3] {
            let refused = fit_bbvi(&ridge(), config(Some(step))).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.contains("`step`") && refused.contains("at most 100"), "{refused}");
        }
    }
    // The longest leads where no density is a number.
    let config =
        |step| Bbvi { family: Family::FullRank, optimizer: Optimizer::AdviSequence, max_steps: 50, step, ..Bbvi::default() };
    let refused = fit_bbvi(&ridge(), config(Some(100.0))).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("shorter steps (`step`)"), "{refused}");
    assert!(bound(&ridge(), config(None))?.1.abs() < 0.01);
    Ok(())
}

/// Natural gradients need no length of steps, and climb as high as any other way; of what has no known Fisher information they are refused.
#[test]
fn natural_gradients_climb_gaussians() -> Outcome {
    let natural = |delay, forgetting| Optimizer::NaturalGradient { delay, forgetting };
    let config = |family, optimizer| Bbvi { family, optimizer, ..Bbvi::default() };
    for family in [Family::FullRank, Family::MeanField] {
        let (_, best, _) = bound(&ridge(), config(family, Optimizer::Auto))?;
        let (fit, elbo, error) = bound(&ridge(), config(family, natural(10.0, 0.7)))?;
        assert!((elbo - best).abs() < 0.01 + 4.0 * error, "{family:?}: {elbo} +- {error}, {best}");
        assert_eq!(*fit.stop_reason(), StopReason::Converged, "{family:?}");
    }
    let refused = |config: Bbvi| fit_bbvi(&ridge(), config).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(refused(config(Family::Auto, natural(0.5, 0.7))), "`optimizer.delay` is 0.5; it must be at least 1");
    assert_eq!(
        refused(config(Family::Auto, natural(1.0, 0.5))),
        "`optimizer.forgetting` is 0.5; it must be above 0.5 and at most 1"
    );
    assert_eq!(
        refused(config(Family::LowRank { rank: 1 }, natural(1.0, 0.7))),
        "the natural gradient of Family::LowRank { rank: 1 } is not known: take Family::MeanField or Family::FullRank, or another optimizer"
    );
    Ok(())
}

/// A mixture whose samples are of one kind takes bounds of several samples; its components do not collapse.
#[test]
fn a_mixture_by_implicit_reparameterization_finds_both_modes_and_takes_tighter_bounds() -> Outcome {
    let estimator = Estimator::ImplicitReparameterization;
    let two = Family::Mixture { components: 2, full_rank: true };
    let (_, elbo, error) =
        bound(&Bimodal { shift: 6.0 / 8.0_f64.sqrt(), D: 2 }, Bbvi { family: two, estimator, ..Bbvi::default() })?;
    assert!(elbo > -0.02 - 4.0 * error && elbo < 4.0 * error, "{elbo} +- {error}");
    let objective = Objective::ImportanceWeighted { samples: 5 };
    let config = |estimator| Bbvi { family: MIXTURE_OF_4, estimator, objective, max_steps: 5000, ..Bbvi::default() };
    let (_, iwae, error) = bound(&Cone { z: 5.0 }, config(estimator))?;
    assert!(iwae > -6.68 - 4.0 * error && iwae < -5.32, "{iwae} +- {error}");
    let refused = fit_bbvi(&Cone { z: 5.0 }, config(Estimator::Auto));
    assert!(refused.is_err_and(|error| error.to_string().contains("Estimator::ImplicitReparameterization")));
    Ok(())
}
