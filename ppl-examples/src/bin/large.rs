//! Rows larger than memory: a logistic regression on a file, beside the same steps in memory and beside the fit of all rows at once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use clap::{Parser, Subcommand};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key, uniform};
use ppl_examples::pace::{Pace, anonymous};

model! {
    /// Logistic regression.
    pub Regression(y: [bool; N], x: [f64; N, K]) {
        beta[K] ~ Normal(0, 1);
        for n in N {
            y[n] ~ Bernoulli(logit = dot(x[n], beta));
        }
    }
}

/// Makes a file of rows that is larger than memory, and fits a logistic regression to one.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes rows of a logistic regression, a chunk at a time.
    Make {
        #[arg(long, default_value_t = 10_000_000)]
        rows: usize,
        #[arg(long, default_value_t = 50)]
        columns: usize,
        /// An Arrow file, or a Parquet file if its name ends so.
        #[arg(long)]
        out: PathBuf,
    },
    /// Fits the regression to the rows of a file.
    Fit {
        file: PathBuf,
        /// Rows of a step.
        #[arg(long, default_value_t = 1024)]
        batch: usize,
        /// How many times all rows are gone through, at most.
        #[arg(long, default_value_t = 5)]
        epochs: usize,
        /// Draws by which the guide is judged over all rows.
        #[arg(long, default_value_t = 128)]
        draws: usize,
        /// Takes the same steps in memory as well.
        #[arg(long)]
        in_memory: bool,
        /// Fits all rows at once, in memory, by Laplace's approximation: of millions of rows the posterior is a Gaussian.
        #[arg(long)]
        full: bool,
    },
}

/// Rows that are made and written at once.
const CHUNK: usize = 1 << 16;

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    match Arguments::parse().command {
        Command::Make { rows, columns, out } => make(rows, columns, &out),
        Command::Fit { file, batch, epochs, draws, in_memory, full } => {
            let rows = open(&file)?;
            let steps = epochs * (rows.len() / batch);
            let config = |minibatch, family, pace: &Pace| Bbvi {
                minibatch,
                family,
                draws,
                max_steps: steps,
                max_time: Duration::from_secs(3600),
                observers: vec![Box::new(Progress::new()), Box::new(pace.clone())],
                ..Bbvi::default()
            };
            let minibatch = || Some(Minibatch::of("N", batch));
            let names = predictors(&*rows);
            println!("{}: {} rows, {} columns", rows.name(), rows.len(), names.len());
            let pace = Pace::default();
            let model = |chunk: &Chunk<'_>| Ok(Regression { y: chunk.bools("y")?, x: chunk.matrix(&names)? });
            let from_file = fit_rows(&*rows, model, config(minibatch(), Family::Auto, &pace))?;
            println!("From the file: {pace}, {}", told(&from_file));
            if !in_memory && !full {
                println!("{}", from_file.summary());
                return Ok(());
            }
            let began = Instant::now();
            let whole = loaded(&*rows, &names)?;
            println!("Read into memory in {:.1} s", began.elapsed().as_secs_f64());
            if in_memory {
                let in_memory = Pace::default();
                let fit = fit_bbvi(&whole, config(minibatch(), Family::Auto, &in_memory))?;
                println!("In memory: {in_memory}, {}", told(&fit));
                println!("Rows a second from the file, as a share of those in memory: {:.2}", pace.rate() / in_memory.rate());
                compare("the same steps in memory", &from_file, &fit);
            }
            if full {
                let began = Instant::now();
                let fit = fit_bbvi(&whole, config(None, Family::Laplace, &Pace::default()))?;
                println!("All rows at once: {:.1} s", began.elapsed().as_secs_f64());
                compare("the fit of all rows", &from_file, &fit);
            }
            Ok(())
        }
    }
}

/// A source by the name of its file.
fn open(path: &Path) -> Result<Box<dyn Rows>, RowsError> {
    Ok(if is_parquet(path) { Box::new(ParquetRows::open(path)?) } else { Box::new(ArrowRows::open(path)?) })
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// The columns of the matrix.
fn predictors(rows: &dyn Rows) -> Vec<String> {
    rows.columns().iter().filter(|column| column.name.starts_with('x')).map(|column| column.name.clone()).collect()
}

/// The whole file in memory, a chunk at a time.
fn loaded(rows: &dyn Rows, names: &[String]) -> Result<Regression, ppl_examples::Failure> {
    let place = |name: &str| rows.columns().iter().position(|column| column.name == *name).ok_or("a column is not there");
    let columns = names.iter().map(|name| place(name)).collect::<Result<Vec<_>, _>>()?;
    let mut x = vec![0.0; rows.len() * columns.len()];
    let mut y = vec![0.0; rows.len()];
    for block in rows.blocks(&columns) {
        rows.read(block.clone(), &columns, &mut x[block.start * columns.len()..block.end * columns.len()])?;
        rows.read(block.clone(), &[place("y")?], &mut y[block])?;
    }
    let y = y.into_iter().map(|y| y > 0.5).collect();
    Ok(Regression { y, x: Array2::from_shape_vec((rows.len(), columns.len()), x)? })
}

/// Writes rows whose coefficients are drawn, a chunk at a time.
fn make(rows: usize, columns: usize, out: &Path) -> Result<(), ppl_examples::Failure> {
    let names: Vec<String> = (0..columns).map(|k| format!("x{k}")).collect();
    let mut fields: Vec<Field> = names.iter().map(|name| Field::new(name, DataType::Float64, false)).collect();
    fields.push(Field::new("y", DataType::Boolean, false));
    let schema = Arc::new(Schema::new(fields));
    let mut beta = vec![0.0_f64; columns];
    normals(1, 1, &mut beta);
    beta.iter_mut().for_each(|b| *b *= 0.3);
    let mut write: Box<dyn FnMut(Option<&RecordBatch>) -> Result<(), ppl_examples::Failure>> = if is_parquet(out) {
        // Random numbers do not repeat: a dictionary of them is of no use.
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(false)
            .set_data_page_row_count_limit(16_384)
            .set_max_row_group_row_count(Some(1 << 18))
            .build();
        let mut writer = Some(ArrowWriter::try_new(File::create(out)?, Arc::clone(&schema), Some(properties))?);
        Box::new(move |batch| {
            match (batch, &mut writer) {
                (Some(batch), Some(writer)) => writer.write(batch)?,
                _ => drop(writer.take().map(ArrowWriter::close).transpose()?),
            }
            Ok(())
        })
    } else {
        let mut writer = FileWriter::try_new_buffered(File::create(out)?, &schema)?;
        Box::new(move |batch| {
            match batch {
                Some(batch) => writer.write(batch)?,
                None => writer.finish()?,
            }
            Ok(())
        })
    };
    for first in (0..rows).step_by(CHUNK) {
        let n = CHUNK.min(rows - first);
        let mut logit = vec![0.0; n];
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns + 1);
        for (k, b) in beta.iter().enumerate() {
            let mut x = vec![0.0_f64; n];
            normals(step_key(2 + k as u64, first as u64), n, &mut x);
            logit.iter_mut().zip(&x).for_each(|(sum, x)| *sum += b * x);
            arrays.push(Arc::new(Float64Array::from(x)));
        }
        let y = logit.iter().enumerate().map(|(row, logit)| uniform(0, (first + row) as u64) < 1.0 / (1.0 + (-logit).exp()));
        arrays.push(Arc::new(y.map(Some).collect::<BooleanArray>()));
        write(Some(&RecordBatch::try_new(Arc::clone(&schema), arrays)?))?;
    }
    write(None)?;
    println!("{}: {} bytes", out.display(), std::fs::metadata(out)?.len());
    Ok(())
}

fn told<M: Model>(fit: &Fit<M>) -> String {
    let anonymous = anonymous().map_or_else(String::new, |now| format!(", {now:.0} megabytes of anonymous memory after it"));
    let (elbo, error) = fit.elbo();
    let k = fit.pareto_k();
    format!(
        "{} steps in {:.1} s ({:?}), ELBO {elbo:.2} +- {error:.2}, Pareto k {k:.2}{anonymous}",
        fit.steps(),
        fit.elapsed().as_secs_f64(),
        fit.stop_reason()
    )
}

/// Says how far one fit is from another one.
fn compare<M: Model>(what: &str, found: &Fit<M>, expected: &Fit<M>) {
    let (mut means, mut lowest, mut highest) = (0.0_f64, f64::INFINITY, 0.0_f64);
    for (found, expected) in found.summary().scalars.iter().zip(&expected.summary().scalars) {
        means = means.max((found.mean - expected.mean).abs() / expected.sd);
        (lowest, highest) = (lowest.min(found.sd / expected.sd), highest.max(found.sd / expected.sd));
    }
    println!(
        "Beside {what}: means at most {means:.3} posterior standard deviations apart, ratios of these {lowest:.3} to {highest:.3}"
    );
}
