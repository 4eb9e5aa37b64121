//! Fits that are killed go on from their checkpoint to the same bits; a checkpoint of another fit, or a damaged one, is refused.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ppl_core::guides::FlowKind;
use ppl_core::prelude::*;
use ppl_core::random::uniform;
use ppl_core::rows::InMemory;

type Outcome = Result<(), Box<dyn Error>>;

model! {
    /// A regression by rows.
    pub Regression(y: [f64; N], x: [f64; N, K]) {
        sigma ~ HalfNormal(2);
        beta[K] ~ Normal(0, 1);
        for n in N {
            y[n] ~ StudentT(5, dot(x[n], beta), sigma);
        }
    }
}

model! {
    /// Groups with a latent each.
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

guide! {
    /// Each group with a place of its own.
    pub OfGroups for Groups() {
        param m: real = 0;
        param s: positive = 1;
        param at[G]: real = 0;
        param w[G]: positive = 1;
        auto tau;
        mu ~ Normal(m, s);
        for g in G {
            theta[g] ~ Normal(at[g], w[g]);
        }
    }
}

model! {
    /// Two kinds of measurements.
    pub Kinds(x: [f64; N]) {
        for n in N {
            k[n] ~ Bernoulli(0.3) sampled;
            x[n] ~ Normal(2 * k[n], 1);
        }
    }
}

guide! {
    /// The kind of a measurement by its value.
    pub OfKinds for Kinds() {
        param a: real = 0;
        param b: real = 0;
        for n in N {
            k[n] ~ Bernoulli(logit = a + b * x[n]);
        }
    }
}

const ROWS: usize = 3000;

fn number(row: usize, column: u64) -> f64 {
    2.0 * uniform(column, row as u64) - 1.0
}

fn outcome(row: usize) -> f64 {
    0.7 * number(row, 0) - 0.4 * number(row, 1) + 0.5 * number(row, 9)
}

fn regression(rows: usize) -> Regression {
    let x = Array2::from_shape_fn((rows, 3), |(n, k)| number(n, k as u64));
    Regression { y: (0..rows).map(outcome).collect(), x }
}

fn groups() -> Groups {
    let group: Vec<usize> = (0..ROWS).map(|n| (7 * n) % 600).collect();
    Groups { y: group.iter().enumerate().map(|(n, &g)| number(g, 3) + number(n, 4)).collect(), group: Indices::from(group) }
}

/// The kinds of fits that go by stochastic steps.
const KINDS: [&str; 9] =
    ["batches", "rows", "locals", "locals by rule", "guide of locals", "guide of switches", "score function", "flow", "restarts"];

fn config(kind: &str, checkpoint: Option<Checkpoint>) -> Bbvi {
    let batches = |plate, rows| Some(Minibatch::of(plate, rows));
    let base = Bbvi { draws: 200, tolerance: 1e-3, max_steps: 1500, checkpoint, ..Bbvi::default() };
    match kind {
        "batches" | "rows" => Bbvi { minibatch: batches("N", 50), ..base },
        "guide of switches" => Bbvi { max_steps: 400, ..base },
        "locals" | "guide of locals" => Bbvi { minibatch: batches("G", 20), ..base },
        "locals by rule" => Bbvi { minibatch: batches("G", 20), optimizer: Optimizer::Dowg, ..base },
        "score function" => Bbvi {
            estimator: Estimator::ScoreFunction { rao_blackwell: RaoBlackwell::Measured, baseline: Baseline::Optimal },
            max_steps: 300,
            ..base
        },
        "flow" => Bbvi { family: Family::Flow(FlowKind::Planar { layers: 2 }), max_steps: 400, ..base },
        _ => Bbvi { family: Family::FullRank, optimizer: Optimizer::AdviSequence, restarts: 3, max_steps: 400, ..base },
    }
}

/// The bits of what a fit finds.
fn bits<M: Model>(fit: &Fit<M>) -> Vec<u64> {
    let guide = fit.guide().guide::<f64>().parameters().iter();
    let scalars = fit.summary().scalars.iter().flat_map(|scalar| [scalar.mean, scalar.sd]).collect::<Vec<_>>();
    let all = guide.copied().chain([fit.elbo().0, fit.pareto_k(), fit.steps() as f64]).chain(scalars);
    all.map(f64::to_bits).collect()
}

fn fitted(kind: &str, checkpoint: Option<Checkpoint>) -> Result<Vec<u64>, FitError> {
    let config = config(kind, checkpoint);
    match kind {
        "rows" => {
            let column = |k: u64| (0..ROWS).map(|n| number(n, k)).collect();
            let rows = InMemory::new().reals("a", column(0)).reals("b", column(1)).reals("c", column(2));
            let rows = rows.reals("y", (0..ROWS).map(outcome).collect());
            let model = |chunk: &Chunk<'_>| Ok(Regression { y: chunk.reals("y")?, x: chunk.matrix(&["a", "b", "c"])? });
            Ok(bits(&fit_rows(&rows, model, config)?))
        }
        "locals" | "locals by rule" => Ok(bits(&fit_bbvi(&groups(), config)?)),
        "guide of locals" => Ok(bits(&fit_guide(&groups(), &OfGroups, config)?)),
        "guide of switches" => {
            let model = Kinds { x: (0..300).map(outcome).collect() };
            Ok(bits(&fit_guide(&model, &OfKinds, config)?))
        }
        "batches" => Ok(bits(&fit_bbvi(&regression(ROWS), config)?)),
        _ => Ok(bits(&fit_bbvi(&regression(200), config)?)),
    }
}

fn often(path: &Path) -> Checkpoint {
    Checkpoint { path: path.to_owned(), every: Duration::from_millis(3) }
}

/// What the other tests run in a process of its own, to kill it.
#[test]
fn child() -> Outcome {
    let (Ok(kind), Ok(folder)) = (std::env::var("PPL_TEST_KIND"), std::env::var("PPL_TEST_FOLDER")) else { return Ok(()) };
    let found = fitted(&kind, Some(often(&Path::new(&folder).join("fit.checkpoint"))))?;
    std::fs::write(Path::new(&folder).join("bits.part"), serde_json::to_string(&found)?)?;
    std::fs::rename(Path::new(&folder).join("bits.part"), Path::new(&folder).join("bits"))?;
    Ok(())
}

/// Runs a fit in a process of its own, which is killed after a time if one is given; whether it came to its end.
fn run(kind: &str, folder: &Path, killed_after: Option<Duration>) -> Result<bool, Box<dyn Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--exact", "child"])
        .env("PPL_TEST_KIND", kind)
        .env("PPL_TEST_FOLDER", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(time) = killed_after {
        std::thread::sleep(time);
        child.kill()?;
    }
    Ok(child.wait()?.success())
}

/// Three times each, 27 in all.
#[test]
fn fits_that_are_killed_go_on_to_the_same_bits() -> Outcome {
    for (of_kind, kind) in KINDS.into_iter().enumerate() {
        let folder = tempfile::tempdir()?;
        let began = Instant::now();
        let expected = fitted(kind, None)?;
        let time = began.elapsed();
        let (mut killed, mut moment) = (0, 0);
        while killed < 3 {
            let share = 0.05 + 0.6 * uniform(of_kind as u64, moment);
            moment += 1;
            assert!(moment < 50, "{kind}: {killed} fits were killed before their end");
            if run(kind, folder.path(), Some(time.mul_f64(share)))? {
                // It came to its end before: from its start once more.
                std::fs::remove_file(folder.path().join("fit.checkpoint"))?;
            } else {
                killed += 1;
            }
        }
        assert!(run(kind, folder.path(), None)?, "{kind}");
        let found: Vec<u64> = serde_json::from_str(&std::fs::read_to_string(folder.path().join("bits"))?)?;
        assert!(
            found == expected,
            "{kind}: {} of {} numbers",
            found.iter().zip(&expected).filter(|(a, b)| a == b).count(),
            found.len()
        );
        // Once more, from the end.
        assert_eq!(fitted(kind, Some(often(&folder.path().join("fit.checkpoint"))))?, expected, "{kind}");
    }
    Ok(())
}

/// A fit whose steps were not enough goes on with more of them, as if it had had them at once.
#[test]
fn more_steps_go_on_from_the_last_ones() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("fit.checkpoint");
    let data = regression(ROWS);
    let with = |max_steps, checkpoint| Bbvi { max_steps, ..config("batches", checkpoint) };
    fit_bbvi(&data, with(300, Some(often(&path))))?;
    let more = fit_bbvi(&data, with(700, Some(often(&path))))?;
    assert_eq!(bits(&more), bits(&fit_bbvi(&data, with(700, None))?));
    Ok(())
}

#[test]
fn checkpoints_of_other_fits_and_damaged_ones_are_refused_and_kept() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("fit.checkpoint");
    let short = |checkpoint| Bbvi { max_steps: 60, ..config("batches", checkpoint) };
    let data = regression(400);
    fit_bbvi(&data, short(Some(often(&path))))?;
    let written = std::fs::read(&path)?;
    let message = |fit: Result<Fit<Regression>, FitError>| {
        let said = fit.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(std::fs::read(&path).unwrap(), written, "{said}");
        said.replace(&path.display().to_string(), "FILE")
    };
    let said = message(fit_bbvi(&data, Bbvi { seed: 1, ..short(Some(often(&path))) }));
    assert!(said.contains("the checkpoint of a fit with seed: 0, not with seed: 1: delete it, or name another file"), "{said}");
    let said = message(fit_bbvi(&data, Bbvi { minibatch: Some(Minibatch::of("N", 40)), ..short(Some(often(&path))) }));
    assert!(said.contains("50") && said.contains("40"), "{said}");
    let mut other = regression(400);
    other.x[(7, 1)] += 0.5;
    let said = message(fit_bbvi(&other, short(Some(often(&path)))));
    assert!(said.contains("a fit with other data, of log density"), "{said}");
    let groups = fit_bbvi(&groups(), Bbvi { max_steps: 60, ..config("locals", Some(often(&path))) });
    assert!(groups.is_err_and(|error| error.to_string().contains("is a fit of `Regression`, not of `Groups`")));
    // Cut short anywhere, or with one bit that is another.
    for length in (0..written.len()).step_by(written.len() / 50) {
        std::fs::write(&path, &written[..length])?;
        let said = fit_bbvi(&data, short(Some(often(&path)))).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("this is not a checkpoint, or it is damaged"), "{length}: {said}");
        let mut changed = written.clone();
        changed[length] ^= 4;
        std::fs::write(&path, &changed)?;
        let said = fit_bbvi(&data, short(Some(often(&path)))).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("damaged") || said.contains("format"), "{length}: {said}");
    }
    // A folder, or a file in one that is not there.
    for path in [folder.path().to_owned(), folder.path().join("nowhere/fit.checkpoint")] {
        let said = fit_bbvi(&data, short(Some(often(&path)))).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(&path.display().to_string()), "{said}");
    }
    Ok(())
}
