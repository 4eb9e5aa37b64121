//! The log density of a model as the sampler sees it: of one point, with its gradient, on lanes that are all alike.

use nuts_rs::{CpuLogpFunc, CpuMathError, HasDims, LogpError};
use rand::Rng as _;
use rand::rngs::StdRng;

use super::Nuts;
use crate::fit::{FitError, blame, place};
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};

/// Starting points that are tried.
const TRIES: usize = 100;

/// The log density of a model at one point at a time: one sample is a padded group of lanes.
pub(super) struct Density<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    /// The last dimensions, which stay where they are.
    held: &'a [f64],
    work: Workspace<E>,
    weights: Weights<E>,
    values: Vec<f64>,
}

impl<'a, E: Real> Density<'a, E> {
    pub(super) fn new(model: &'a dyn LogJoint<E>, held: &'a [f64]) -> Self {
        let lanes = E::LANE_MULTIPLE;
        Density { model, held, work: model.workspace(lanes), weights: model.unit_weights(lanes), values: vec![0.0; lanes] }
    }

    fn at(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let lanes = E::LANE_MULTIPLE;
        for (row, x) in self.work.u_mut().chunks_exact_mut(lanes).zip(position.iter().chain(self.held)) {
            row.fill(E::from_f64(*x));
        }
        self.model.log_density(&mut self.work, &self.weights, &mut self.values);
        for (to, row) in gradient.iter_mut().zip(self.work.gradient().chunks_exact(lanes)) {
            *to = row[0].to_f64();
        }
        self.values[0]
    }

    /// A point with finite density and gradient: between -2 and 2 in each dimension, as in Stan, but for given initial values.
    pub(super) fn finite_start(&mut self, config: &Nuts, rng: &mut StdRng) -> Result<Vec<f64>, FitError> {
        let n = self.dim();
        let mut gradient = vec![0.0; n];
        let mut start = vec![0.0; n];
        for _ in 0..TRIES {
            start.iter_mut().for_each(|x| *x = 4.0 * ((rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0) - 2.0);
            start.extend(self.held);
            place(&config.initial, self.model.layout(), &mut start)?;
            start.truncate(n);
            if self.at(&start, &mut gradient).is_finite() && gradient.iter().all(|g| g.is_finite()) {
                return Ok(start);
            }
        }
        let culprit = blame(self.model, self.work.u(), &self.values);
        Err(FitError::Start { tries: TRIES, culprit })
    }
}

/// A point where the log density is not finite: the trajectory ends before it.
#[derive(Debug, thiserror::Error)]
#[error("the log density is not finite")]
pub(super) struct NotFinite;

impl LogpError for NotFinite {
    fn is_recoverable(&self) -> bool {
        true
    }
}

impl<E: Real> HasDims for Density<'_, E> {
    fn dim_sizes(&self) -> std::collections::HashMap<String, u64> {
        std::collections::HashMap::from([("unconstrained_parameter".to_owned(), self.dim() as u64)])
    }
}

impl<E: Real> CpuLogpFunc for Density<'_, E> {
    type LogpError = NotFinite;
    type ExpandedVector = Vec<f64>;
    type FlowParameters = ();

    fn dim(&self) -> usize {
        self.model.layout().unconstrained() - self.held.len()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, NotFinite> {
        let value = self.at(position, gradient);
        if value.is_finite() && gradient.iter().all(|g| g.is_finite()) { Ok(value) } else { Err(NotFinite) }
    }

    fn expand_vector<R: nuts_rs::rand::Rng + ?Sized>(&mut self, _: &mut R, position: &[f64]) -> Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}
