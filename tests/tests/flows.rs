//! Normalizing flows as guides of whole fits: what they reach, that they are saved, and what is refused.
#![forbid(unsafe_code)]

use std::time::Duration;

use ppl_core::guides::{FlowError, FlowKind};
use ppl_core::prelude::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// A ridge along a parabola, normalized, so that the log evidence is zero; written by factors, so that nothing can be taken apart.
    pub Banana(D: usize) {
        x ~ Normal(0, 3);
        y ~ Flat();
        factor(Normal(x.powi(2) / 4, 1).log_prob(y));
        for d in D {
            rest[d] ~ Normal(0, 1);
        }
    }
}

fn kinds() -> [FlowKind; 4] {
    [FlowKind::planar(), FlowKind::real_nvp(), FlowKind::inverse_autoregressive(), FlowKind::neural_spline()]
}

fn flow(kind: FlowKind) -> Bbvi {
    Bbvi { family: Family::Flow(kind), draws: 20_000, ..Bbvi::default() }
}

#[test]
fn every_flow_bends_to_a_banana() -> Outcome {
    let gaussian = fit_bbvi(&Banana { D: 0 }, Bbvi { family: Family::FullRank, ..Bbvi::default() })?;
    assert!(gaussian.elbo().0 < -0.5, "{:?}", gaussian.elbo());
    for kind in kinds() {
        let fit = fit_bbvi(&Banana { D: 0 }, flow(kind))?;
        let (elbo, error) = fit.elbo();
        assert!(elbo > -0.05 && elbo < 4.0 * error, "{}: {elbo} +- {error}", kind.name());
        assert_eq!(fit.tried()[0].family, kind.name());
        assert_eq!(*fit.stop_reason(), StopReason::Converged);
        // The raw draws have the moments of the target: sd 3 of x, and mean 9 / 4 of y.
        let raw = fit.raw();
        let (x, y) = (raw.scalar("x").ok_or("x")?, raw.scalar("y").ok_or("y")?);
        assert!((x.sd - 3.0).abs() < 0.2 && (y.mean - 2.25).abs() < 0.25, "{}: {x:?} {y:?}", kind.name());
    }
    Ok(())
}

#[test]
fn twenty_dimensions_are_no_hindrance() -> Outcome {
    let (elbo, error) = fit_bbvi(&Banana { D: 18 }, flow(FlowKind::real_nvp()))?.elbo();
    assert!(elbo > -0.2 && elbo < 4.0 * error, "{elbo} +- {error}");
    let small = FlowKind::NeuralSpline { layers: 2, hidden: 16, bins: 8 };
    let (elbo, error) = fit_bbvi(&Banana { D: 18 }, flow(small))?.elbo();
    assert!(elbo > -0.2 && elbo < 4.0 * error, "{elbo} +- {error}");
    Ok(())
}

/// A flow that is not trained to its end.
fn short(kind: FlowKind) -> Bbvi {
    Bbvi { max_steps: 300, draws: 2000, ..flow(kind) }
}

#[test]
fn a_saved_flow_draws_the_same() -> Outcome {
    let path = std::env::temp_dir().join(format!("ppl-flow-{}.json", std::process::id()));
    let model = Banana { D: 1 };
    for kind in kinds() {
        let fit = fit_bbvi(&model, short(kind))?;
        assert_eq!((fit.steps(), fit.stop_reason()), (300, &StopReason::MaxSteps));
        fit.save(&path)?;
        let loaded = Fit::<Banana>::load(&path)?;
        assert_eq!(loaded.guide(), fit.guide());
        assert_eq!(loaded.draws(&model, 50)?.y, fit.draws(&model, 50)?.y);
    }
    // A file that lost parameters is refused, not drawn from.
    let text = std::fs::read_to_string(&path)?;
    let (before, after) = text.split_once("\"parameters\":[").ok_or("parameters are saved")?;
    let (_, rest) = after.split_once(',').ok_or("there are several")?;
    std::fs::write(&path, format!("{before}\"parameters\":[{rest}"))?;
    let refused = Fit::<Banana>::load(&path).err().ok_or("too few parameters")?.to_string();
    std::fs::remove_file(&path)?;
    assert!(refused.contains("parameters, but"), "{refused}");
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_bits() -> Outcome {
    let fit = |seed| fit_bbvi(&Banana { D: 1 }, Bbvi { seed, ..short(FlowKind::neural_spline()) });
    assert_eq!(fit(1)?.guide(), fit(1)?.guide());
    assert_eq!(fit(1)?.elbo().0.to_bits(), fit(1)?.elbo().0.to_bits());
    assert_ne!(fit(1)?.elbo().0.to_bits(), fit(2)?.elbo().0.to_bits());
    Ok(())
}

model! {
    /// A line in single precision.
    pub Single(x: [f32; N], y: [f32; N]) {
        a ~ Normal(0, 10);
        b ~ Normal(0, 10);
        y[N] ~ Normal(a + b * x, 1);
    }
}

#[test]
fn single_precision_fits_as_double_precision_does() -> Outcome {
    let x: Vec<f32> = (0..20_u8).map(|i| f32::from(i) / 10.0).collect();
    let y = x.iter().map(|x| 1.0 + 0.5 * x).collect();
    let model = Single { x, y };
    let exact = fit_bbvi(&model, Bbvi { family: Family::FullRank, ..Bbvi::default() })?.elbo().0;
    for kind in kinds() {
        let fit = fit_bbvi(&model, short(kind))?;
        // The posterior is the Gaussian that the flow begins as: it never ends worse.
        assert!((fit.elbo().0 - exact).abs() < 0.03, "{}: {} {exact}", kind.name(), fit.elbo().0);
        assert!((fit.scalar("a").ok_or("a")?.mean - 1.0).abs() < 0.05);
    }
    Ok(())
}

model! {
    /// A hierarchy: a flow is tried in both coordinates, in one of which the last dimension is a point.
    pub Groups(y: [f64; J]) {
        mu ~ Normal(0, 5);
        tau ~ HalfNormal(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], 2);
        }
    }
}

#[test]
fn flows_have_points_and_other_bounds() -> Outcome {
    let model = Groups { y: vec![1.0, 4.0, 2.0] };
    let fit = fit_bbvi(&model, short(FlowKind::real_nvp()))?;
    let families: Vec<&str> = fit.tried().iter().map(|tried| tried.family.as_str()).collect();
    assert!(families.contains(&"real NVP flow of residuals"), "{families:?}");
    let gaussian = fit_bbvi(&model, Bbvi { family: Family::FullRank, ..Bbvi::default() })?;
    let (elbo, of_gaussian) = (fit.elbo(), gaussian.elbo());
    assert!(elbo.0 > of_gaussian.0 - 4.0 * elbo.1.hypot(of_gaussian.1), "{elbo:?} {of_gaussian:?}");

    let objective = Objective::ImportanceWeighted { samples: 4 };
    let weighted = fit_bbvi(&model, Bbvi { objective, ..short(FlowKind::real_nvp()) })?;
    let bound = weighted.bound();
    assert!(bound.0 > elbo.0 - 4.0 * elbo.1.hypot(bound.1), "{bound:?} {elbo:?}");
    Ok(())
}

model! {
    /// A density that is not finite beyond 3.2 standard deviations.
    pub Edge(D: usize) {
        x[D] ~ Normal(0, 1);
        factor(0.01 * sum(d in D => ln(3.2 - x[d])));
    }
}

#[test]
fn steps_beyond_the_edge_are_undone() -> Outcome {
    let fit = fit_bbvi(&Edge { D: 2 }, short(FlowKind::real_nvp()))?;
    assert!(fit.notes().iter().any(|note| note.contains("were undone")), "{:?}", fit.notes());
    Ok(())
}

#[test]
fn bad_sizes_and_short_times_are_heeded() -> Outcome {
    for (kind, part) in [
        (FlowKind::Planar { layers: 0 }, "`layers` of a flow is 0; it must be between 1 and 1000"),
        (FlowKind::RealNvp { layers: 2, hidden: 0 }, "`hidden` of a flow is 0"),
        (FlowKind::NeuralSpline { layers: 2, hidden: 8, bins: 1 }, "`bins` of a flow is 1; it must be between 2 and 16"),
    ] {
        let error = fit_bbvi(&Banana { D: 0 }, flow(kind)).err().ok_or("a bad size")?.to_string();
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(FlowKind::RealNvp { layers: 1, hidden: 1 }.check(), Ok::<(), FlowError>(()));
    let hurried = fit_bbvi(&Banana { D: 0 }, Bbvi { max_time: Duration::ZERO, ..flow(FlowKind::planar()) })?;
    assert_eq!((hurried.steps(), hurried.stop_reason()), (1, &StopReason::MaxTime));
    Ok(())
}

model! {
    /// A single latent.
    pub Lonely(y: f64) {
        mu ~ Laplace(0, 1);
        y ~ Normal(mu, 1);
    }
}

#[test]
fn one_dimension_is_enough() -> Outcome {
    let gaussian = fit_bbvi(&Lonely { y: 0.4 }, Bbvi { family: Family::FullRank, ..Bbvi::default() })?.elbo().0;
    for kind in kinds() {
        let fit = fit_bbvi(&Lonely { y: 0.4 }, short(kind))?;
        assert!(fit.elbo().0 > gaussian - 4.0 * fit.elbo().1, "{}", kind.name());
    }
    Ok(())
}
