//! `fit_rows`: the fit of a model whose rows are not in memory.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::config::Minibatch;
use super::{Bbvi, Fit, FitError, State, chosen};
use crate::instances::Instances as _;
use crate::kernel::Real;
use crate::model::{LogJoint, Model};
use crate::random::step_key;
use crate::rows::{Bind, Chunk, Columns, Plan, Rows, RowsError, Shuffle, Streamed, checked, of_rows};

/// Rows that are bound to find out which columns are asked for.
const FIRST: usize = 16;

/// Fits a guide to the posterior of a model whose rows are not in memory, in batches: `model` makes it of a chunk of rows, and what is not over the rows it gives whole.
///
/// The `minibatch` of [`Bbvi`] names the dimension of the rows and says how many a step takes; the fit is that of [`fit_bbvi`](super::fit_bbvi) in batches, from the same start
/// (some random rows) to the same judgement (the ELBO, the Pareto k and the importance weights are those of all rows, in one pass over them). The fit has the size and the
/// levels of the whole source; what is computed for each row is asked of a chunk: `fit.draws(&model_of_a_chunk, ..)`.
///
/// # Errors
/// [`FitError::Rows`] names the file, the column and the row; as [`fit_bbvi`](super::fit_bbvi).
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
/// use ppl_core::rows::InMemory;
///
/// model! {
///     /// Delays of carriers.
///     pub Delays(late: [f64; N], carrier: [in C; N]) {
///         for c in C {
///             mu[c] ~ Normal(0, 10);
///         }
///         for n in N {
///             late[n] ~ Normal(mu[carrier[n]], 1);
///         }
///     }
/// }
///
/// let late = (0..1000).map(|n| f64::from(n % 2) * 4.0 + f64::from(n % 7) - 3.0).collect();
/// let carrier = Indices::from_labels((0..1000).map(|n| if n % 2 == 0 { "AA" } else { "DL" }));
/// let rows = InMemory::new().reals("late", late).indices("carrier", &carrier);
/// // From a file: let rows = ParquetRows::open("flights.parquet")?;
///
/// let model = |chunk: &Chunk<'_>| Ok(Delays { late: chunk.reals("late")?, carrier: chunk.indices("carrier")? });
/// let fit = fit_rows(&rows, model, Bbvi { minibatch: Some(Minibatch::of("N", 100)), ..Bbvi::default() })?;
/// assert!((fit.scalar("mu[DL]").expect("a level").mean - 4.0).abs() < 0.1);
/// # Ok::<(), FitError>(())
/// ```
pub fn fit_rows<M: Model, C: std::borrow::BorrowMut<Bbvi>>(
    rows: &dyn Rows,
    model: impl Fn(&Chunk<'_>) -> Result<M, RowsError> + Sync,
    mut config: C,
) -> Result<Fit<M>, FitError> {
    let bind = |chunk: &Chunk<'_>, visit: &mut dyn FnMut(&dyn LogJoint<M::Element>)| {
        let model = model(chunk)?;
        let wrong = |error| RowsError::Data { source_name: rows.name(), rows: chunk.len(), error: Box::new(error) };
        visit(&*model.bind().map_err(wrong)?);
        Ok(())
    };
    let state = M::Element::fit_chunks(rows, &bind, config.borrow_mut())?;
    Ok(Fit { state, model: PhantomData })
}

/// The whole fit, over objects.
pub(crate) fn fit_chunks<E: Real>(rows: &dyn Rows, bind: &Bind<'_, E>, config: &mut Bbvi) -> Result<State, FitError> {
    let Some(minibatch) = config.minibatch.clone() else {
        return Err(RowsError::NoBatches { source_name: rows.name() }.into());
    };
    if rows.is_empty() {
        return Err(RowsError::Empty { source_name: rows.name() }.into());
    }
    let (plan, plate) = planned(rows, bind, &minibatch)?;
    let some = Minibatch::of_start(minibatch.rows, rows.len());
    let start = Shuffle::new(rows, &plan.columns, some, step_key(config.seed, u64::MAX - 16)).next_batch()?;
    let mut fitted = None;
    of_rows((rows, &plan, bind), &start, &mut |start| {
        fitted = Some(std::thread::scope(|scope| {
            let model = Streamed::new((rows, &plan, bind), start, plate, scope);
            let fitted = config.journal(&model).and_then(|journal| chosen(&model, config, journal));
            if let Some(failure) = model.failure() {
                return Err(failure.into());
            }
            let mut state = fitted?;
            state.hidden.extend(model.of_rows());
            Ok(state)
        }));
    })?;
    fitted.unwrap_or_else(|| Err(RowsError::Empty { source_name: rows.name() }.into()))
}

/// Which columns a model is made of, found out by making one of the first rows; and the dimension of the rows.
fn planned<E: Real>(rows: &dyn Rows, bind: &Bind<'_, E>, minibatch: &Minibatch) -> Result<(Plan, usize), FitError> {
    let first: Vec<usize> = (0..rows.len().min(FIRST)).collect();
    let open = |own: &[usize], visit: &mut dyn FnMut(&dyn LogJoint<E>)| {
        let chunk = Chunk { source: rows, columns: Columns::Open(RefCell::default()), rows: own, values: &[] };
        bind(&chunk, visit)?;
        match chunk.columns {
            Columns::Open(plan) => Ok(plan.into_inner()),
            Columns::Planned(plan) => Ok(plan.clone()),
        }
    };
    let mut found = None;
    let mut check = |model: &dyn LogJoint<E>| {
        let plate = model.graph().plate(&minibatch.plate).map_err(|error| FitError::Config(error.into()));
        found = Some(plate.and_then(|plate| {
            checked(model, plate)?;
            Ok(plate)
        }));
    };
    let plan = match open(&first, &mut check) {
        Err(error @ RowsError::Data { .. }) => {
            let one = |row: &usize| match open(std::slice::from_ref(row), &mut |_| ()) {
                Err(RowsError::Data { source_name, error, .. }) => Some(RowsError::Row { source_name, row: *row, error }),
                _ => None,
            };
            return Err(first.iter().find_map(one).unwrap_or(error).into());
        }
        other => other?,
    };
    let empty = || Err(RowsError::Empty { source_name: rows.name() }.into());
    Ok((plan, found.unwrap_or_else(empty)?))
}
