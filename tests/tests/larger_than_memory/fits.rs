//! Fits of rows from files, beside fits of the same rows in memory.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use ppl_core::fit::StepInfo;
use ppl_core::prelude::*;

use crate::Outcome;
use crate::files::{Flights, every_source};

model! {
    /// Lateness by distance, hour and carrier; a prior from data beside the rows.
    pub Delays(late: [bool; N], x: [f64; N, P], carrier: [in C; N], prior: [f64; C]) {
        beta[P] ~ Normal(0, 1);
        for c in C {
            mu[c] ~ Normal(prior[c], 1);
        }
        for n in N {
            let risk[n] = mu[carrier[n]] + dot(x[n], beta);
            late[n] ~ Bernoulli(logit = risk[n]);
        }
    }
}

fn delays(chunk: &Chunk<'_>) -> Result<Delays, RowsError> {
    Ok(Delays {
        late: chunk.bools("late")?,
        x: chunk.matrix(&["distance", "hour"])?,
        carrier: chunk.indices("carrier")?,
        prior: vec![0.1, 0.2, 0.3, 0.4],
    })
}

fn in_memory(flights: &Flights) -> Delays {
    let x = [&flights.distance, &flights.hour];
    Delays {
        late: flights.late.clone(),
        x: Array2::from_shape_fn((flights.late.len(), 2), |(n, p)| x[p][n]),
        carrier: Indices::from_labels(&flights.carrier),
        prior: vec![0.1, 0.2, 0.3, 0.4],
    }
}

fn config() -> Bbvi {
    Bbvi { minibatch: Some(Minibatch::of("N", 250)), max_steps: 1500, draws: 1000, ..Bbvi::default() }
}

/// Checks means, in standard deviations, and standard deviations, as ratios.
fn check_near<M: Model>(found: &Fit<M>, expected: &Fit<M>, means: f64, sds: f64) {
    let (found, expected) = (found.summary(), expected.summary());
    assert_eq!(found.scalars.len(), expected.scalars.len());
    for (found, expected) in found.scalars.iter().zip(&expected.scalars) {
        assert_eq!(found.name, expected.name);
        assert!((found.mean - expected.mean).abs() < means * expected.sd, "{found:?}, {expected:?}");
        assert!((found.sd / expected.sd - 1.0).abs() < sds, "{found:?}, {expected:?}");
    }
}

#[test]
fn fits_of_files_agree_with_the_fit_in_memory_and_with_each_other() -> Outcome {
    let (flights, folder) = (Flights::new(5000), tempfile::tempdir()?);
    let whole = fit_bbvi(&in_memory(&flights), Bbvi::default())?;
    let mut by_blocks: std::collections::HashMap<String, (f64, f64)> = std::collections::HashMap::new();
    for (name, rows) in every_source(&flights, folder.path())? {
        let fit = fit_rows(&*rows, delays, config())?;
        eprintln!("{name}: {} steps, {:?}, {:?}", fit.steps(), fit.elapsed(), fit.stop_reason());
        check_near(&fit, &whole, 0.1, 0.1);
        let (elbo, error) = fit.elbo();
        assert!((elbo - whole.elbo().0).abs() < 0.1 + 4.0 * error, "{name}: {elbo}, {}", whole.elbo().0);
        assert!(fit.pareto_k() < 0.7, "{name}: {}", fit.pareto_k());
        assert!(fit.scalar("mu[Überland]").is_some());
        // Sources of the same blocks give the same bits.
        let blocks = format!("{:?}", rows.blocks(&[]));
        let elbo = fit.elbo();
        assert_eq!(*by_blocks.entry(blocks).or_insert(elbo), elbo, "{name}");
    }
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() -> Outcome {
    let (flights, folder) = (Flights::new(6000), tempfile::tempdir()?);
    flights.write_arrow(&folder.path().join("flights.arrow"), 2000, None)?;
    let rows = ArrowRows::open(folder.path().join("flights.arrow"))?;
    let fit = |threads| -> Result<Fit<Delays>, Box<dyn std::error::Error>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        Ok(pool.install(|| fit_rows(&rows, delays, Bbvi { max_steps: 500, ..config() }))?)
    };
    let (one, four) = (fit(1)?, fit(4)?);
    assert_eq!((one.elbo(), one.steps()), (four.elbo(), four.steps()));
    assert_eq!(one.summary().scalars, four.summary().scalars);
    Ok(())
}

#[test]
fn what_is_of_each_row_is_asked_of_a_chunk() -> Outcome {
    let flights = Flights::new(5000);
    let fit = fit_rows(&flights.in_memory(), delays, config())?;
    assert!(fit.summary().to_string().contains("risk"), "quantities of rows are told of: {}", fit.summary());
    assert!(fit.scalar("risk[0]").is_none());
    let first = Flights { ..Flights::new(5000) };
    let mut chunk = in_memory(&first);
    chunk.late.truncate(100);
    chunk.x = Array2::from_shape_fn((100, 2), |at| chunk.x[at]);
    let names: Vec<String> = Indices::from_labels(&first.carrier).levels().expect("labels").to_vec();
    chunk.carrier = Indices::of_levels(chunk.carrier.values()[..100].to_vec(), names.into());
    let draws = fit.draws(&chunk, 500)?;
    assert_eq!(draws.risk.shape(), [500, 100]);
    // Draws of a chunk are draws of the fit, not of the posterior of the chunk.
    let (beta, own) = (fit.scalar("beta[0]").expect("a latent"), draws.beta.column(0));
    let (mean, sd) = (own.mean().expect("draws"), own.std(1.0));
    assert!((mean - beta.mean).abs() < 0.25 * beta.sd && (sd / beta.sd - 1.0).abs() < 0.25, "{mean} {sd}, {beta:?}");
    let refused = fit.loo(&chunk).expect_err("weights need all rows").to_string();
    assert!(refused.contains("5000 elements of `N` and this model has 100"), "{refused}");
    let saved = tempfile::NamedTempFile::new()?;
    fit.save(saved.path())?;
    assert_eq!(Fit::<Delays>::load(saved.path())?.summary().to_string(), fit.summary().to_string());
    Ok(())
}

/// Keeps what a step says of epochs.
#[derive(Clone, Debug, Default)]
struct Epochs(Arc<Mutex<Vec<(f64, f64)>>>);

impl Observer for Epochs {
    fn on_step(&mut self, step: &StepInfo<'_>) -> ControlFlow<()> {
        let told = step.epochs().zip(step.rows_per_second()).expect("steps take batches");
        self.0.lock().expect("nobody panics").push(told);
        ControlFlow::Continue(())
    }
}

#[test]
fn every_epoch_has_each_row_once_and_observers_are_told_of_epochs() -> Outcome {
    let flights = Flights::new(1000);
    let rows = flights.in_memory();
    let (seen, epochs) = (Mutex::new(Vec::new()), Epochs::default());
    let model = |chunk: &Chunk<'_>| {
        seen.lock().expect("nobody panics").push(chunk.rows().to_vec());
        delays(chunk)
    };
    let observers: Vec<Box<dyn Observer>> = vec![Box::new(epochs.clone())];
    let minibatch = Some(Minibatch::of("N", 100));
    fit_rows(&rows, model, Bbvi { minibatch, max_steps: 100, step: Some(0.1), observers, ..Bbvi::default() })?;
    // One chunk to see the columns, one to start from, and the batches; then passes over all rows.
    let seen = seen.into_inner()?;
    let batches: Vec<&Vec<usize>> = seen.iter().filter(|rows| rows.len() == 100).take(100).collect();
    assert_eq!(batches.len(), 100);
    for epoch in batches.chunks(10) {
        assert_eq!(epoch.iter().flat_map(|rows| rows.iter()).collect::<BTreeSet<_>>().len(), 1000);
    }
    assert_ne!(batches[0], batches[10]);
    let told = epochs.0.lock().expect("nobody panics");
    assert!((told[24].0 - 2.5).abs() < 1e-12 && told[24].1 > 0.0, "{told:?}");
    Ok(())
}

model! {
    /// In single precision, with missing covariates of no use and counts.
    pub Counts(y: [u64; N], x: [f32; N]) {
        a ~ Normal(0, 5);
        b ~ Normal(0, 1);
        param shift: real = 0;
        for n in N {
            y[n] ~ Poisson(exp(a + b * x[n] + 0.1 * shift.powi(2)));
        }
    }
}

#[test]
fn a_model_in_single_precision_with_a_parameter_is_fitted() -> Outcome {
    let (flights, folder) = (Flights::new(8000), tempfile::tempdir()?);
    flights.write_parquet(&folder.path().join("f.parquet"), 3000, parquet::basic::Compression::SNAPPY)?;
    let rows = ParquetRows::open(folder.path().join("f.parquet"))?;
    let model = |chunk: &Chunk<'_>| Ok(Counts { y: chunk.counts("passengers")?, x: chunk.reals("hour")? });
    let fit = fit_rows(&rows, model, config())?;
    let x = flights.hour.iter().map(|&x| x as f32).collect();
    let whole = fit_bbvi(&Counts { y: flights.passengers.clone(), x }, Bbvi::default())?;
    check_near(&fit, &whole, 0.15, 0.1);
    assert!(fit.param("shift").expect("a parameter").abs() < 0.1);
    Ok(())
}
