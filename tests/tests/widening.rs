//! Posteriors of heavier tails than the guide: draws are spread further than it, and weights correct them.

use ppl_core::guides::FlowKind;
use ppl_core::prelude::*;

model! {
    /// Four numbers of heavy tails.
    pub Heavy(N: usize) {
        for n in N {
            x[n] ~ StudentT(6, 0, 1);
        }
    }
}

model! {
    /// One number of heavy tails.
    pub One() {
        x ~ StudentT(5, 1, 2);
    }
}

model! {
    /// A normal posterior, which a Gaussian guide is.
    pub Normals(N: usize) {
        for n in N {
            x[n] ~ Normal(0, 2);
        }
    }
}

#[test]
fn standard_deviations_of_heavy_tails_are_nearer_than_by_weights_of_the_guide_as_it_is() {
    let (model, exact) = (Heavy { N: 4 }, 1.5_f64.sqrt());
    let (mut of_wide, mut of_guide, mut of_weights) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..12 {
        let fit = fit_bbvi(&model, Bbvi { seed, family: Family::FullRank, ..Bbvi::default() }).unwrap();
        let (_, weighted) = fit.raw().weighted_scalars(&model, 6016).unwrap();
        assert!(fit.widening() > 1.0 && fit.pareto_k() < 0.7 && fit.raw().pareto_k() >= 0.5, "seed {seed}: {}", fit.summary());
        for (n, weighted) in weighted.iter().enumerate() {
            let name = format!("x[{n}]");
            of_wide.push(fit.scalar(&name).unwrap().sd / exact - 1.0);
            of_guide.push(fit.raw().scalar(&name).unwrap().sd / exact - 1.0);
            of_weights.push(weighted.weighted.sd / exact - 1.0);
        }
    }
    let error = |of: &[f64]| (of.iter().map(|x| x * x).sum::<f64>() / of.len() as f64).sqrt();
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    println!(
        "{:.4} {:.4} {:.4}, mean {:.4} {:.4} {:.4}",
        error(&of_wide),
        error(&of_guide),
        error(&of_weights),
        mean(&of_wide),
        mean(&of_guide),
        mean(&of_weights)
    );
    assert!(error(&of_wide) < 0.5 * error(&of_weights), "{} {}", error(&of_wide), error(&of_weights));
    assert!(error(&of_wide) < 0.03 && mean(&of_wide).abs() < 0.01);
}

/// The log density of Student's t.
fn student_t(x: f64, df: f64, loc: f64, scale: f64) -> f64 {
    let z = (x - loc) / scale;
    // Of five degrees of freedom: 8 / (3 pi sqrt(5)).
    (8.0 / (3.0 * std::f64::consts::PI * df.sqrt())).ln() - scale.ln() - 0.5 * (df + 1.0) * (1.0 + z * z / df).ln()
}

#[test]
fn ratios_are_those_to_the_guide_that_is_wider() {
    let fit = fit_bbvi(&One {}, Bbvi { family: Family::FullRank, ..Bbvi::default() }).unwrap();
    assert!(fit.widening() > 1.5, "{}", fit.summary());
    // The guide as its own ratios tell: the logarithm of its density is a quadratic.
    let (raw, own) = (fit.raw().draws(&One {}, 500).unwrap(), fit.raw().log_ratios(&One {}, 500).unwrap());
    let log_q = |at: usize| student_t(raw.x[at], 5.0, 1.0, 2.0) - own[at];
    let slope = |a: usize, b: usize| (log_q(b) - log_q(a)) / (raw.x[b] - raw.x[a]);
    let precision = -2.0 * (slope(0, 1) - slope(1, 2)) / (raw.x[0] - raw.x[2]);
    let loc = 0.5 * (raw.x[0] + raw.x[1]) + slope(0, 1) / precision;
    let scale = precision.sqrt().recip() * fit.widening();
    let (draws, ratios) = (fit.proposals(&One {}, 500).unwrap(), fit.log_ratios(&One {}, 500).unwrap());
    for (x, ratio) in draws.x.iter().zip(&ratios) {
        let z = (x - loc) / scale;
        let log_q = -0.5 * z * z - scale.ln() - 0.5 * std::f64::consts::TAU.ln();
        assert!((student_t(*x, 5.0, 1.0, 2.0) - log_q - ratio).abs() < 1e-6, "{x}: {ratio}");
    }
    // Of the guide as it is the draws are others, spread less.
    for (wide, own) in draws.x.iter().zip(&raw.x) {
        assert!(((wide - loc) / (own - loc) - fit.widening()).abs() < 1e-6);
    }
}

#[test]
fn weights_of_wider_guides_of_every_family_have_the_mean_of_the_evidence() {
    let model = Heavy { N: 3 };
    for family in [
        Family::MeanField,
        Family::LowRank { rank: 1 },
        Family::Blocks,
        Family::Mixture { components: 3, full_rank: true },
        Family::Flow(FlowKind::planar()),
    ] {
        let fit = fit_bbvi(&model, Bbvi { family, max_steps: 300, ..Bbvi::default() }).unwrap();
        let ratios = fit.log_ratios(&model, 20_000).unwrap();
        let weights: Vec<f64> = ratios.iter().map(|ratio| ratio.exp()).collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let variance = weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / weights.len() as f64;
        let error = (variance / weights.len() as f64).sqrt();
        println!(
            "{family:?}: widened {:.2}, {mean:.4} +- {error:.4}, k {:.2} and {:.2}",
            fit.widening(),
            fit.pareto_k(),
            fit.raw().pareto_k()
        );
        assert!((mean - 1.0).abs() < 4.0 * error + 1e-3, "{family:?}: {mean} +- {error}");
    }
}

#[test]
fn saved_and_loaded_the_draws_are_the_same() {
    let model = Heavy { N: 2 };
    let fit = fit_bbvi(&model, Bbvi { family: Family::FullRank, ..Bbvi::default() }).unwrap();
    assert!(fit.widening() > 1.0);
    assert!(fit.summary().to_string().contains("times as far"), "{}", fit.summary());
    let path = std::env::temp_dir().join(format!("ppl-widened-{}.json", std::process::id()));
    fit.save(&path).unwrap();
    let loaded = Fit::<Heavy>::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(fit.draws(&model, 100).unwrap().x, loaded.draws(&model, 100).unwrap().x);
    assert_eq!(fit.log_ratios(&model, 100).unwrap(), loaded.log_ratios(&model, 100).unwrap());
    assert_eq!(fit.summary().scalars, loaded.summary().scalars);
    // A summary of its own is of the same distribution as the table.
    for (own, tabled) in fit.summary_of(&model, "x").unwrap().iter().zip(&fit.summary().scalars) {
        assert!((own.sd / tabled.sd - 1.0).abs() < 0.1, "{} {}", own.sd, tabled.sd);
    }
}

#[test]
fn a_guide_that_is_the_posterior_stays_as_it_is() {
    let fit = fit_bbvi(&Normals { N: 3 }, Bbvi::default()).unwrap();
    assert!(fit.widening() == 1.0 && fit.pareto_k() < 0.5, "{}", fit.summary());
    assert!(!fit.summary().to_string().contains("times as far"));
}
