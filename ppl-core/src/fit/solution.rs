//! How accurately differential equations are solved: in as many steps as make no difference to what is fitted.

use std::time::{Duration, Instant};

use super::FitError;
use crate::kernel::Real;
use crate::model::{LogJoint, Refinement};

/// How much twice as many steps may change the log joint density, in nats.
const TOLERANCE: f64 = 0.01;
/// The share of draws at which it may be more: in the tails a solution may explode.
const TAIL: f64 = 0.05;
/// How often the steps of an equation are halved at most.
const FINEST: u32 = 7;
/// The order of the method: half the step has so many powers of two less error.
const ORDER: f64 = 4.0;
/// Draws at which it is found out.
pub(crate) const DRAWS: usize = 128;

/// What ran with a solution that is accurate, as far as it can be, and what is to be told of it.
pub(crate) struct Solved<T> {
    pub(crate) outcome: T,
    pub(crate) refinement: Refinement,
    pub(crate) notes: Vec<String>,
}

/// Runs with as many steps as it takes: the log joint density at what comes out, `at`, tells whether more are needed.
pub(crate) fn solved<E: Real, T>(
    model: &mut dyn LogJoint<E>,
    time: Duration,
    mut run: impl FnMut(&dyn LogJoint<E>, Duration) -> Result<T, FitError>,
    at: impl Fn(&dyn LogJoint<E>, &T) -> Result<Vec<f64>, FitError>,
) -> Result<Solved<T>, FitError> {
    let equations = model.graph().equations;
    let mut refinement = Refinement::default();
    if equations.is_empty() {
        return Ok(Solved { outcome: run(model, time)?, refinement, notes: Vec::new() });
    }
    let began = Instant::now();
    let open = equations.iter().any(|equation| equation.steps.is_none());
    loop {
        model.refine(refinement);
        let left = time.saturating_sub(began.elapsed());
        let outcome = run(model, left);
        let may_be_finer = open && refinement.open < FINEST && began.elapsed() < time;
        let outcome = match outcome {
            // Steps that are too long explode where the solution does not.
            Err(FitError::Start { .. } | FitError::NonFinite { .. } | FitError::Overflow { .. }) if may_be_finer => {
                refinement.open = FINEST.min(refinement.open + 2);
                continue;
            }
            other => other?,
        };
        let before = at(model, &outcome)?;
        model.refine(Refinement { all: 1, ..refinement });
        let after = at(model, &outcome)?;
        model.refine(refinement);
        let change = change(&before, &after);
        if change > TOLERANCE && may_be_finer {
            let halvings = ((change / TOLERANCE).log2() / ORDER).ceil().clamp(1.0, 3.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one to three")]
            let halvings = halvings as u32;
            refinement.open = FINEST.min(refinement.open + halvings);
            continue;
        }
        let notes = equations.iter().map(|equation| {
            let steps = refinement.steps(equation.steps);
            let solved = format!("`{}` is solved in {steps} steps between two times", equation.text);
            if change <= TOLERANCE {
                format!("{solved}: twice as many change the log joint by {change:.1e} nats")
            } else {
                format!(
                    "{solved}, which are too few: twice as many change the log joint by {change:.1e} nats; write `, steps = {}` after the times",
                    4 * steps
                )
            }
        });
        return Ok(Solved { outcome, refinement, notes: notes.collect() });
    }
}

/// By how much log densities differ, but for a share of them.
fn change(before: &[f64], after: &[f64]) -> f64 {
    let difference = |(before, after): (&f64, &f64)| {
        if before == after {
            return 0.0;
        }
        let difference = (before - after).abs();
        if difference.is_nan() { f64::INFINITY } else { difference }
    };
    let mut differences: Vec<f64> = before.iter().zip(after).map(difference).collect();
    differences.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among them")]
    let place = (differences.len() as f64 * (1.0 - TAIL)) as usize;
    differences.get(place.min(differences.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_largest_but_for_the_tail() {
        let before: Vec<f64> = (0..100).map(f64::from).collect();
        let after: Vec<f64> = before.iter().map(|x| if *x < 3.0 { f64::NEG_INFINITY } else { x + 0.25 }).collect();
        assert!((change(&before, &after) - 0.25).abs() < 1e-12);
        assert_eq!(change(&before, &vec![f64::NAN; 100]), f64::INFINITY);
        assert_eq!(change(&[f64::NEG_INFINITY; 9], &[f64::NEG_INFINITY; 9]), 0.0);
    }
}
