//! A mixture of Gaussians: with components enough it comes near any density (lecture 18's universal approximator).

mod density;
mod implicit;
mod strata;

use serde::{Deserialize, Serialize};

use density::{LogProb, PullLogProb};
use strata::{PullSample, Sample};

use super::{Guide, Path};
use crate::kernel::{Real, dispatch};

/// `q(v) = sum over k of w_k Normal(v; loc_k, T_k T_k^T)`, `w = softmax(logits)`, each `T_k` lower triangular, or diagonal.
///
/// Samples are stratified, unless [`Mixture::implicit`] asks for another kind: each component has as many as another, weighted by its probability, so that the gradient reaches the probabilities too and no
/// component dies of being drawn too rarely. Draws choose their component by a number of noise of their own. The last dimensions may be points.
///
/// The parameters are the logits, then for each component `loc` and the rows of `T`, the diagonal as logarithms; then the points.
///
/// # Source
/// Gershman, Hoffman & Blei 2012, Nonparametric variational inference; the stratified gradient: Morningstar et al. 2021, Automatic differentiation
/// variational inference with mixtures, equation 6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    components: usize,
    /// The dimensions that are distributed.
    spread: usize,
    points: usize,
    full: bool,
    /// Whether samples choose their component, and are derived implicitly, instead of being strata.
    #[serde(default)]
    implicit: bool,
    parameters: Vec<f64>,
}

/// One component.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// The logarithm of its probability, up to a constant.
    pub logit: f64,
    /// Its mean.
    pub loc: Vec<f64>,
    /// The lower factor of its covariance, row by row, with the zeros above the diagonal.
    pub factor: Vec<f64>,
}

impl Mixture {
    /// A mixture of these components; `full` keeps what is below the diagonals of their factors.
    ///
    /// # Panics
    /// If there is no component, or their sizes differ.
    #[must_use]
    pub fn new(components: &[Component], full: bool, points: &[f64]) -> Self {
        let n = components.first().map_or(0, |component| component.loc.len());
        assert!(n > 0 && components.iter().all(|c| c.loc.len() == n && c.factor.len() == n * n), "components of one size");
        let mut parameters: Vec<f64> = components.iter().map(|component| component.logit).collect();
        for component in components {
            parameters.extend(&component.loc);
            for i in 0..n {
                if full {
                    parameters.extend(&component.factor[i * n..i * n + i]);
                }
                parameters.push(component.factor[i * n + i].ln());
            }
        }
        parameters.extend(points);
        Mixture { components: components.len(), spread: n, points: points.len(), full, implicit: false, parameters }
    }

    /// The same with samples that choose their component, as draws do, and are a differentiable function of the parameters by implicit reparameterization:
    /// one kind of samples, of equal weight, at the price of more noise.
    #[must_use]
    pub fn implicit(mut self) -> Self {
        self.implicit = true;
        self
    }

    /// The number of components.
    #[must_use]
    pub fn components(&self) -> usize {
        self.components
    }

    /// The logarithms of the probabilities of the components.
    #[inline(always)]
    #[must_use]
    pub fn log_weights(&self) -> Vec<f64> {
        let logits = &self.parameters[..self.components];
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total = most + logits.iter().map(|x| (x - most).exp()).sum::<f64>().ln();
        logits.iter().map(|x| x - total).collect()
    }

    /// The numbers of parameters of one component.
    #[inline(always)]
    fn stride(&self) -> usize {
        self.spread + if self.full { self.spread * (self.spread + 1) / 2 } else { self.spread }
    }

    /// Where the parameters of a component begin.
    #[inline(always)]
    fn first(&self, component: usize) -> usize {
        self.components + component * self.stride()
    }

    #[inline(always)]
    fn loc(&self, component: usize) -> &[f64] {
        &self.parameters[self.first(component)..][..self.spread]
    }

    #[inline(always)]
    fn points(&self) -> &[f64] {
        &self.parameters[self.parameters.len() - self.points..]
    }

    /// Row `i` of `T` up to the diagonal, as parameters: entries below the diagonal, then the logarithm of the diagonal.
    #[inline(always)]
    fn row(&self, component: usize, i: usize) -> &[f64] {
        let triangle = &self.parameters[self.first(component) + self.spread..];
        if self.full { &triangle[i * (i + 1) / 2..][..=i] } else { &triangle[i..=i] }
    }

    /// Where row `i` of `T` is among the parameters.
    #[inline(always)]
    fn row_start(&self, component: usize, i: usize) -> usize {
        self.first(component) + self.spread + if self.full { i * (i + 1) / 2 } else { i }
    }
}

impl<E: Real> Guide<E> for Mixture {
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
        self.spread + 1
    }

    fn spreading(&self) -> usize {
        self.spread
    }

    fn groups(&self) -> usize {
        if self.implicit { 1 } else { self.components }
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        if self.implicit {
            return self.draw(noise, samples, u);
        }
        dispatch(Sample { guide: self, noise, samples, u });
    }

    fn draw(&self, noise: &[E], samples: usize, u: &mut [E]) {
        let mut cumulative = 0.0;
        let ends: Vec<f64> = self
            .log_weights()
            .iter()
            .map(|log_weight| {
                cumulative += log_weight.exp();
                cumulative
            })
            .collect();
        for s in 0..samples {
            let uniform = noise[self.spread * samples + s].normal_cdf().to_f64();
            let k = ends.iter().position(|end| uniform < *end).unwrap_or(self.components - 1);
            self.place(k, noise, samples, s..s + 1, u);
        }
    }

    fn strata(&self, samples: usize, weights: &mut [f64]) -> bool {
        if self.implicit {
            return false;
        }
        for ((k, run), log_weight) in self.runs(samples).zip(self.log_weights().into_iter().flat_map(|w| [w, w])) {
            debug_assert!(run.is_empty() || self.stratum(run.start, samples) == k, "runs are strata");
            let share = 2.0 * run.len() as f64 / samples as f64;
            weights[run].fill(log_weight.exp() / share);
        }
        true
    }

    fn pull_strata(&self, adjoint: &[f64], gradient: &mut [f64]) {
        let samples = adjoint.len();
        let mut weights = vec![0.0; samples];
        Guide::<E>::strata(self, samples, &mut weights);
        let mut of_log_weights = vec![0.0; self.components];
        for (k, run) in self.runs(samples) {
            of_log_weights[k] += adjoint[run.clone()].iter().zip(&weights[run]).map(|(a, w)| a * w).sum::<f64>();
        }
        self.pull_log_weights(&of_log_weights, gradient);
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        if self.implicit {
            return implicit::pull_sample(self, path, u_adjoint, gradient);
        }
        dispatch(PullSample { guide: self, path, u_adjoint, gradient });
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        dispatch(LogProb { guide: self, u, samples, out: log_prob });
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        dispatch(PullLogProb { guide: self, u, samples, weights, u_adjoint, gradient });
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        units.fill(1.0);
        for k in 0..self.components {
            for i in 0..self.spread {
                let end = self.row_start(k, i) + if self.full { i } else { 0 };
                let scale = parameters[end].exp();
                units[self.first(k) + i] = scale;
                if self.full {
                    units[self.row_start(k, i)..end].fill(scale);
                }
            }
        }
    }

    fn narrow(&mut self, factor: f64) {
        for k in 0..self.components {
            for i in 0..self.spread {
                let (start, length) = (self.row_start(k, i), if self.full { i } else { 0 });
                self.parameters[start..start + length].iter_mut().for_each(|t| *t *= factor);
                self.parameters[start + length] += factor.ln();
            }
        }
    }
}
