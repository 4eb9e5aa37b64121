//! What is wrong with files, columns, rows and models of them is named.

use std::io::{Seek, SeekFrom, Write};

use parquet::basic::Compression;
use ppl_core::prelude::*;
use ppl_core::rows::InMemory;

use crate::Outcome;
use crate::files::{Flights, every_source};

model! {
    /// A mean.
    pub Mean(y: [f64; N]) {
        mu ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(mu, 1);
        }
    }
}

model! {
    /// Truths.
    pub Share(y: [bool; N]) {
        p ~ Beta(1, 1);
        for n in N {
            y[n] ~ Bernoulli(p);
        }
    }
}

model! {
    /// A latent for each row.
    pub Local(y: [f64; N]) {
        for n in N {
            z[n] ~ Normal(0, 1);
            y[n] ~ Normal(z[n], 1);
        }
    }
}

model! {
    /// Subjects, each with a course of its own.
    pub Courses(y: [f64; N], T: usize) {
        rate ~ HalfNormal(1);
        for n in N {
            ode s in 0..t for t in T {
                start(x) = 1;
                d(x) = -rate * x;
            }
            y[n] ~ Normal(x[n, T - 1], 1);
        }
    }
}

model! {
    /// Groups.
    pub Groups(y: [f64; N], group: [in G; N]) {
        for g in G {
            mu[g] ~ Normal(0, 1);
        }
        for n in N {
            y[n] ~ Normal(mu[group[n]], 1);
        }
    }
}

fn config() -> Bbvi {
    Bbvi { minibatch: Some(Minibatch::of("N", 50)), max_steps: 50, ..Bbvi::default() }
}

/// What a fit of a mean of a column says.
fn of_mean(rows: &dyn Rows, column: &str) -> String {
    let fit = fit_rows(rows, |chunk| Ok(Mean { y: chunk.reals(column)? }), config());
    fit.map_or_else(|error| error.to_string(), |_| "a fit".to_owned())
}

#[test]
fn columns_that_are_not_there_or_of_another_kind_are_named() -> Outcome {
    let (flights, folder) = (Flights::new(4000), tempfile::tempdir()?);
    for (name, rows) in every_source(&flights, folder.path())? {
        let rows = &*rows;
        let found = of_mean(rows, "Distance");
        assert!(found.contains("there is no column `Distance`; did you mean `distance`? the columns are `late`"), "{found}");
        let found = of_mean(rows, "carrier");
        assert!(found.contains("column `carrier` holds labels, which `chunk.indices` reads; expected numbers"), "{found}");
        let found = of_mean(rows, "delay");
        assert!(found.contains("row 3: column `delay` is missing; leave such rows out"), "{found}");
        let share = |chunk: &Chunk<'_>| Ok(Share { y: chunk.bools("passengers")? });
        let found = fit_rows(rows, share, config()).expect_err("counts are no truths").to_string();
        assert!(found.contains("column `passengers` is") && found.contains("expected 0 or 1"), "{found}");
        let groups = |chunk: &Chunk<'_>| Ok(Groups { y: chunk.reals("hour")?, group: chunk.indices("distance")? });
        let found = fit_rows(rows, groups, config()).expect_err("numbers are no indices").to_string();
        assert!(found.contains("column `distance` holds real numbers; expected labels, or whole numbers"), "{found}");
        if name != "memory" {
            let found = of_mean(rows, "when");
            assert!(found.contains("column `when` holds values of the type Timestamp"), "{found}");
        }
        let counted = |chunk: &Chunk<'_>| Ok(Groups { y: chunk.reals("hour")?, group: chunk.indices("month")? });
        assert_eq!(fit_rows(rows, counted, config())?.summary().scalars.len(), 12, "{name}");
    }
    Ok(())
}

#[test]
fn a_missing_value_far_away_and_one_that_is_no_data_are_named_by_their_rows() {
    let mut values: Vec<f64> = (0..3000).map(f64::from).map(f64::sin).collect();
    values[2345] = ppl_core::rows::MISSING;
    assert!(of_mean(&InMemory::new().reals("y", values.clone()), "y").contains("row 2345: column `y` is missing"));
    values[2345] = f64::INFINITY;
    let found = of_mean(&InMemory::new().reals("y", values), "y");
    assert!(found.contains("row 2345, as the only one of a chunk") && found.contains("`y[0]` is inf"), "{found}");
}

#[test]
fn files_that_are_none_or_cut_short_or_empty_are_errors() -> Outcome {
    let (flights, folder) = (Flights::new(3000), tempfile::tempdir()?);
    let path = |name: &str| folder.path().join(name);
    flights.write_parquet(&path("f.parquet"), 1000, Compression::SNAPPY)?;
    flights.write_arrow(&path("f.arrow"), 1000, None)?;
    let parquet = |name: &str| ParquetRows::open(path(name)).err().map(|error| error.to_string()).unwrap_or_default();
    let arrow = |name: &str| ArrowRows::open(path(name)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(parquet("none.parquet").contains("none.parquet") && arrow("none.arrow").contains("none.arrow"));
    assert!(parquet("f.arrow").contains("f.arrow") && arrow("f.parquet").contains("f.parquet"));
    for name in ["f.parquet", "f.arrow"] {
        let bytes = std::fs::read(path(name))?;
        for length in [0, 4, 11, 100, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(path("short"), &bytes[..length])?;
            assert!(!parquet("short").is_empty() && !arrow("short").is_empty(), "{name} of {length} bytes");
        }
        // Bytes turned over anywhere: an error, or other numbers, and never a panic.
        for at in (0..bytes.len()).step_by(bytes.len() / 300) {
            let mut bad = bytes.clone();
            bad[at] ^= 0xff;
            std::fs::write(path("bad"), &bad)?;
            let rows: Option<Box<dyn Rows>> = match name {
                "f.parquet" => ParquetRows::open(path("bad")).ok().map(|rows| Box::new(rows) as _),
                _ => ArrowRows::open(path("bad")).ok().map(|rows| Box::new(rows) as _),
            };
            let Some(rows) = rows else { continue };
            for column in 0..rows.columns().len() {
                let mut out = vec![0.0; rows.len()];
                let _ = rows.levels(column).and_then(|_| rows.read(0..rows.len(), &[column], &mut out));
            }
        }
    }
    Flights::new(0).write_parquet(&path("empty.parquet"), 1000, Compression::SNAPPY)?;
    Flights::new(0).write_arrow(&path("empty.arrow"), 1000, None)?;
    assert!(parquet("empty.parquet").ends_with("has no rows") && arrow("empty.arrow").ends_with("has no rows"));
    Ok(())
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() -> Outcome {
    let (flights, folder) = (Flights::new(3000), tempfile::tempdir()?);
    let path = folder.path().join("f.arrow");
    flights.write_arrow(&path, 1000, None)?;
    let rows = ArrowRows::open(&path)?;
    std::fs::OpenOptions::new().append(true).open(&path)?.write_all(b"more")?;
    let found = of_mean(&rows, "distance");
    assert!(found.contains("f.arrow had") && found.contains("bytes when it was opened and has"), "{found}");
    // A page of a Parquet file that is no longer one.
    let path = folder.path().join("f.parquet");
    flights.write_parquet(&path, 1000, Compression::ZSTD(parquet::basic::ZstdLevel::default()))?;
    let rows = ParquetRows::open(&path)?;
    let mut file = std::fs::OpenOptions::new().write(true).open(&path)?;
    file.seek(SeekFrom::Start(30_000))?;
    file.write_all(&vec![0x55; 20_000])?;
    let found = of_mean(&rows, "distance");
    assert!(found == "a fit" || (found.contains("f.parquet, rows") && found.contains(" to ")), "{found}");
    Ok(())
}

#[test]
fn models_that_are_none_of_their_rows_are_refused() {
    let rows = InMemory::new().reals("y", (0..500).map(f64::from).map(f64::sin).collect()).reals("x", vec![1.0; 500]);
    let refused = |found: Result<(), FitError>| found.expect_err("it is refused").to_string();
    let local = fit_rows(&rows, |chunk| Ok(Local { y: chunk.reals("y")? }), config()).map(|_| ());
    assert!(refused(local).contains("`z` of `Local` is over `N`, whose rows are not in memory"));
    let course = fit_rows(&rows, |chunk| Ok(Courses { y: chunk.reals("y")?, T: 3 }), config()).map(|_| ());
    assert!(
        refused(course).contains("`ode s in 0..t for t in T` of `Courses` is solved as accurately as all rows of `N` ask for")
    );
    let mean = |chunk: &Chunk<'_>| Ok(Mean { y: chunk.reals("y")? });
    let whole = fit_rows(&rows, mean, Bbvi::default()).map(|_| ());
    assert!(refused(whole).contains("are fitted in batches: give `minibatch: Some(Minibatch::of(\"N\", 1024))`"));
    let other = Bbvi { minibatch: Some(Minibatch::of("M", 50)), ..config() };
    assert!(refused(fit_rows(&rows, mean, other).map(|_| ())).contains("`M` is not a dimension of `Mean`"));
    let large = Bbvi { minibatch: Some(Minibatch::of("N", 501)), ..config() };
    assert!(refused(fit_rows(&rows, mean, large).map(|_| ())).contains("asks for 501 elements of `N`, which has 500"));
    let same = |chunk: &Chunk<'_>| {
        let _ = chunk.reals::<f64>("y")?;
        Ok(Mean { y: vec![0.0; 3] })
    };
    assert!(refused(fit_rows(&rows, same, config()).map(|_| ())).contains("made of a chunk of"));
    let groups = |chunk: &Chunk<'_>| {
        let group = chunk.rows().iter().map(|row| row % chunk.len().min(90)).collect();
        Ok(Groups { y: chunk.reals("y")?, group })
    };
    let found = refused(fit_rows(&rows, groups, config()).map(|_| ()));
    assert!(found.contains("has size 90 of `G` for one chunk and") && found.contains("chunk.indices"), "{found}");
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let more = |chunk: &Chunk<'_>| {
        let first = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        Ok(Mean { y: chunk.reals(if first { "y" } else { "x" })? })
    };
    let found = refused(fit_rows(&rows, more, config()).map(|_| ()));
    assert!(found.contains("the first chunk was not asked for column `x`"), "{found}");
    let none = InMemory::new().reals("y", Vec::new());
    assert!(refused(fit_rows(&none, mean, config()).map(|_| ())).contains("rows in memory has no rows"));
}
