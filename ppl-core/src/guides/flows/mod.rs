//! Normalizing flows: guides of any shape, as chains of invertible maps whose parameters networks make, on the tape.

mod affine;
mod autoregressive;
mod kind;
mod layer;
mod network;
mod planar;
mod scale;
mod spline;
mod transform;

use std::sync::Arc;

use dfdx::tensor::{Cpu, TensorFromVec};
use serde::{Deserialize, Serialize};

pub use kind::FlowKind;

use self::layer::{Layer, Leaves, Mapped};
use self::scale::Scale;
use super::{Guide, Path};
use crate::kernel::Real;
use crate::random::{antithetic_normals, step_key};
use crate::tensor::dfdx;
use crate::tensor::{Matrix, Recorder, Scope, TensorError, add};

/// `v = f_n(.. f_1(noise))` with standard normal noise: `log q(v) = log Normal(noise) - sum of ln |det df_k|`. It begins as a standard normal, so that, in
/// the units of a Gaussian ([`Whitened`](super::Whitened)), it begins as that Gaussian.
///
/// Each layer has parameters of its own; the last one is a shift and a scale of each dimension. The last dimensions may be points, which have no noise: their
/// values are the last parameters. All is computed in double precision, also for models in single precision.
///
/// # Source
/// Rezende & Mohamed 2015, Variational inference with normalizing flows; the layers: [`FlowKind`].
///
/// # Examples
/// ```
/// use ppl_core::guides::{Flow, FlowKind, Guide};
///
/// let flow = Flow::new(FlowKind::real_nvp(), 2, 0, 7)?;
/// let noise = [0.3, -1.2, 0.5, 2.0, 0.0, 0.1, 1.0, -0.4, 0.7, 0.2, -0.9, 1.5, 0.0, 0.4, -2.0, 0.6];
/// let mut v = [0.0; 16];
/// flow.sample(&noise, 8, &mut v);
/// // Not trained, it is the identity.
/// assert_eq!(v, noise);
/// # Ok::<(), ppl_core::guides::FlowError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Saved", try_from = "Saved")]
pub struct Flow {
    kind: FlowKind,
    /// The dimensions that are distributed.
    spread: usize,
    points: usize,
    parameters: Vec<f64>,
    layers: Arc<Vec<Box<dyn Layer>>>,
}

/// Why there is no such flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A size is out of range.
    #[error("`{field}` of a flow is {value}; it must be between {least} and {most}")]
    Size {
        /// The field.
        field: &'static str,
        /// What it is.
        value: usize,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// Nothing is distributed.
    #[error("a flow needs a dimension that has a distribution")]
    Dimensions,
    /// A saved flow has another number of parameters than its kind.
    #[error("a {kind} of these sizes has {expected} parameters, but {got} were saved; the file is damaged, fit again")]
    Parameters {
        /// The name of the kind.
        kind: &'static str,
        /// How many it has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
}

/// What is written to a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    kind: FlowKind,
    spread: usize,
    points: usize,
    parameters: Vec<f64>,
}

impl From<Flow> for Saved {
    fn from(Flow { kind, spread, points, parameters, .. }: Flow) -> Self {
        Saved { kind, spread, points, parameters }
    }
}

impl TryFrom<Saved> for Flow {
    type Error = FlowError;

    fn try_from(Saved { kind, spread, points, parameters }: Saved) -> Result<Self, FlowError> {
        let flow = Flow::new(kind, spread, points, 0)?;
        let (expected, got) = (flow.parameters.len(), parameters.len());
        if expected == got {
            Ok(Flow { parameters, ..flow })
        } else {
            Err(FlowError::Parameters { kind: kind.name(), expected, got })
        }
    }
}

impl PartialEq for Flow {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.spread, self.points) == (other.kind, other.spread, other.points) && self.parameters == other.parameters
    }
}

/// Which way a flow is run.
#[derive(Clone, Copy)]
enum Way {
    /// From noise to draws.
    Draws,
    /// From draws to noise.
    Noise,
}

/// A flow that was run, on the tape.
struct Run<'a> {
    from: Matrix<f64>,
    leaves: Leaves<'a>,
    mapped: Mapped,
}

/// A flow makes its tensors itself: that their shapes do not fit would be a bug of it.
const FITS: &str = "the shapes of a flow fit each other";

impl Flow {
    /// A flow over `spread` dimensions and then `points`, which begins as the identity; `seed` is that of the weights of its networks.
    ///
    /// # Errors
    /// [`FlowError`].
    pub fn new(kind: FlowKind, spread: usize, points: usize, seed: u64) -> Result<Self, FlowError> {
        kind.check()?;
        if spread == 0 {
            return Err(FlowError::Dimensions);
        }
        let mut layers = kind.layers(spread);
        layers.push(Box::new(Scale { dimensions: spread }));
        let parameters: usize = layers.iter().map(|layer| layer.parameters()).sum();
        let mut pairs = vec![0.0_f64; 2 * parameters];
        antithetic_normals(step_key(seed, 0), 2, &mut pairs);
        let mut initial: Vec<f64> = pairs.into_iter().step_by(2).collect();
        let mut rest = &mut initial[..];
        for layer in &layers {
            let (own, after) = rest.split_at_mut(layer.parameters());
            layer.initialize(own);
            rest = after;
        }
        initial.resize(parameters + points, 0.0);
        Ok(Flow { kind, spread, points, parameters: initial, layers: Arc::new(layers) })
    }

    /// What it is made of.
    #[must_use]
    pub fn kind(&self) -> FlowKind {
        self.kind
    }

    /// The points.
    fn points(&self) -> &[f64] {
        &self.parameters[self.parameters.len() - self.points..]
    }

    /// Runs the flow on rows of samples, `[spread][sample]`, within the scope that is open.
    fn run(&self, way: Way, rows: Vec<f64>, samples: usize) -> Result<Run<'_>, TensorError> {
        let from: Matrix<f64> = Cpu::default().try_tensor_from_vec(rows, (self.spread, samples))?;
        let mut leaves = Leaves::new(&self.parameters);
        let mut v = from.retaped::<Recorder>();
        let mut log_det = None;
        let firsts = self.layers.iter().scan(0, |next, layer| Some(std::mem::replace(next, *next + layer.parameters())));
        let mut order: Vec<(&Box<dyn Layer>, usize)> = self.layers.iter().zip(firsts).collect();
        if let Way::Noise = way {
            order.reverse();
        }
        for (layer, first) in order {
            leaves.seek(first);
            let mapped = match way {
                Way::Draws => layer.forward(&mut leaves, &v)?,
                Way::Noise => layer.inverse(&mut leaves, &v)?,
            };
            v = mapped.v;
            log_det = Some(match log_det {
                Some(before) => add(&before, &mapped.log_det)?,
                None => mapped.log_det,
            });
        }
        let log_det = log_det.expect("a flow has a last layer");
        Ok(Run { from, leaves, mapped: Mapped { v, log_det } })
    }

    /// As [`Flow::run`], without derivatives: the rows, and the logarithm of the determinant.
    fn map<E: Real>(&self, way: Way, rows: &[E], samples: usize) -> (Vec<f64>, Vec<f64>) {
        let _scope = Scope::<f64>::new();
        let run = self.run(way, doubles(&rows[..self.spread * samples]), samples).expect(FITS);
        (run.mapped.v.as_vec(), run.mapped.log_det.as_vec())
    }

    /// Runs the flow and pulls adjoints back: that of the rows is returned, that of the parameters added to `gradient`.
    fn pull<E: Real>(
        &self,
        way: Way,
        rows: &[E],
        samples: usize,
        adjoints: impl FnOnce(&[f64]) -> (Vec<f64>, Vec<f64>),
        gradient: Option<&mut [f64]>,
    ) -> Vec<f64> {
        let mut scope = Scope::new();
        let Run { from, leaves, mapped } = self.run(way, doubles(&rows[..self.spread * samples]), samples).expect(FITS);
        let (of_rows, of_log_det) = adjoints(&mapped.v.as_vec());
        let mut gradients = scope.backward_both((&mapped.v, &of_rows), (&mapped.log_det, &of_log_det)).expect(FITS);
        if let Some(gradient) = gradient {
            leaves.collect(&mut gradients, gradient).expect(FITS);
        }
        gradients.of(&from).expect(FITS).as_vec()
    }

    /// Adds the adjoints of the points.
    fn pull_points<E: Real>(&self, adjoint: &[E], samples: usize, gradient: &mut [f64]) {
        let first = gradient.len() - self.points;
        for (to, row) in gradient[first..].iter_mut().zip(adjoint[self.spread * samples..].chunks_exact(samples)) {
            *to += row.iter().map(|a| a.to_f64()).sum::<f64>();
        }
    }
}

impl<E: Real> Guide<E> for Flow {
    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.spread + self.points
    }

    fn noise(&self) -> usize {
        self.spread
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        let (v, _) = self.map(Way::Draws, noise, samples);
        let (spread, points) = u.split_at_mut(v.len());
        spread.iter_mut().zip(v).for_each(|(to, v)| *to = E::from_f64(v));
        points.chunks_exact_mut(samples).zip(self.points()).for_each(|(row, x)| row.fill(E::from_f64(*x)));
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        <Self as Guide<E>>::pull_path(self, path, &vec![E::default(); path.samples], u_adjoint, gradient, &mut Vec::new());
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let (noise, log_det) = self.map(Way::Noise, u, samples);
        standard_log_prob(&noise, samples, log_prob);
        log_prob.iter_mut().zip(log_det).for_each(|(log_prob, log_det)| *log_prob += log_det);
    }

    fn log_prob_of(&self, path: Path<'_, E>, log_prob: &mut [f64]) {
        let (_, log_det) = self.map(Way::Draws, path.noise, path.samples);
        standard_log_prob(path.noise, path.samples, log_prob);
        log_prob.iter_mut().zip(log_det).for_each(|(log_prob, log_det)| *log_prob -= log_det);
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        // log q(u) = log Normal(noise) + ln |det d noise / du|, and the derivative of the former is minus the noise.
        let adjoints = |noise: &[f64]| {
            let of_noise = noise.iter().zip(weights.iter().cycle()).map(|(z, w)| -w * z).collect();
            (of_noise, weights.to_vec())
        };
        let pulled = self.pull(Way::Noise, u, samples, adjoints, gradient);
        if let Some(u_adjoint) = u_adjoint {
            u_adjoint.iter_mut().zip(pulled).for_each(|(to, from)| *to = E::from_f64(to.to_f64() + from));
        }
    }

    fn pull_path(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _: &mut Vec<E>) {
        // log Normal(noise) is what it is: along the path only the determinant changes.
        let adjoints = |_: &[f64]| (doubles(&u_adjoint[..self.spread * path.samples]), doubles(weights));
        self.pull(Way::Draws, path.noise, path.samples, adjoints, Some(&mut *gradient));
        self.pull_points(u_adjoint, path.samples, gradient);
    }

    fn units(&self, _parameters: &[f64], units: &mut [f64]) {
        units.fill(1.0);
    }

    fn narrow(&mut self, factor: f64) {
        // The last layer shrinks towards what the flow makes of no noise.
        let lanes = f64::LANE_MULTIPLE;
        let (center, _) = self.map(Way::Draws, &vec![0.0_f64; self.spread * lanes], lanes);
        let first = self.parameters.len() - self.points - 2 * self.spread;
        let (loc, rest) = self.parameters[first..].split_at_mut(self.spread);
        loc.iter_mut().zip(center.iter().step_by(lanes)).for_each(|(loc, center)| *loc = center + factor * (*loc - center));
        rest[..self.spread].iter_mut().for_each(|log_scale| *log_scale += factor.ln());
    }
}

fn doubles<E: Real>(from: &[E]) -> Vec<f64> {
    from.iter().map(|x| x.to_f64()).collect()
}

/// The standard normal log density of each sample.
fn standard_log_prob<E: Real>(noise: &[E], samples: usize, log_prob: &mut [f64]) {
    log_prob.fill(-0.5 * (noise.len() / samples) as f64 * std::f64::consts::TAU.ln());
    for row in noise.chunks_exact(samples) {
        log_prob.iter_mut().zip(row).for_each(|(total, z)| *total -= 0.5 * z.to_f64() * z.to_f64());
    }
}
