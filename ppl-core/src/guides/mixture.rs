//! A mixture of Gaussians: with components enough it comes near any density (lecture 18's universal approximator).

use serde::{Deserialize, Serialize};

use super::{Guide, Path};
use crate::kernel::{Kernel, Lanes, Real, dispatch};

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `q(v) = sum over k of w_k Normal(v; loc_k, T_k T_k^T)`, `w = softmax(logits)`, each `T_k` lower triangular, or diagonal.
///
/// Samples are stratified: each component has as many as another, weighted by its probability, so that the gradient reaches the probabilities too and no
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
        Mixture { components: components.len(), spread: n, points: points.len(), full, parameters }
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

    /// The component of a sample of the strata: both halves of an antithetic pair belong to the same.
    fn stratum(&self, sample: usize, samples: usize) -> usize {
        let half = samples / 2;
        (sample % half) * self.components / half
    }

    /// The runs of samples of each component: in either half.
    #[inline(always)]
    fn runs(&self, samples: usize) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
        let (half, count) = (samples / 2, self.components);
        (0..count).flat_map(move |k| {
            let run = (k * half).div_ceil(count)..((k + 1) * half).div_ceil(count);
            [(k, run.clone()), (k, half + run.start..half + run.end)]
        })
    }

    /// Samples of one component, of noise.
    #[inline(always)]
    fn place<E: Real>(&self, k: usize, noise: &[E], samples: usize, run: std::ops::Range<usize>, u: &mut [E]) {
        let loc = self.loc(k);
        for i in 0..self.spread {
            let row = self.row(k, i);
            let (below, diagonal) = (&row[..row.len() - 1], row[row.len() - 1].exp());
            for s in run.clone() {
                let mut x = diagonal.mul_add(noise[i * samples + s].to_f64(), loc[i]);
                for (j, t) in below.iter().enumerate() {
                    x = t.mul_add(noise[j * samples + s].to_f64(), x);
                }
                u[i * samples + s] = E::from_f64(x);
            }
        }
        for (i, point) in self.points().iter().enumerate() {
            u[(self.spread + i) * samples + run.start..][..run.len()].fill(E::from_f64(*point));
        }
    }

    /// `T_k^-1 (u - loc_k)`, `[dimension][sample]`, and the log density of the component (`[sample]`).
    #[inline(always)]
    fn standardize<E: Real>(&self, k: usize, u: &[E], samples: usize, z: &mut [f64], log_density: &mut [f64]) {
        let loc = self.loc(k);
        log_density.fill(-HALF_LN_TWO_PI * self.spread as f64);
        for i in 0..self.spread {
            let row = self.row(k, i);
            let (below, log_diagonal) = (&row[..row.len() - 1], row[row.len() - 1]);
            let inverse = (-log_diagonal).exp();
            let (before, rest) = z.split_at_mut(i * samples);
            let own = &mut rest[..samples];
            own.iter_mut().zip(&u[i * samples..]).for_each(|(z, u)| *z = u.to_f64() - loc[i]);
            for (j, t) in below.iter().enumerate() {
                own.iter_mut().zip(&before[j * samples..]).for_each(|(z, other)| *z -= t * other);
            }
            for (z, log_density) in own.iter_mut().zip(log_density.iter_mut()) {
                *z *= inverse;
                *log_density -= (0.5 * *z).mul_add(*z, log_diagonal);
            }
        }
    }

    /// The log density of each component at each draw, `[component][sample]`, probabilities included, and of the mixture (`[sample]`).
    #[inline(always)]
    pub(crate) fn joint<E: Real>(&self, u: &[E], samples: usize) -> (Vec<f64>, Vec<f64>) {
        let mut joint = vec![0.0; self.components * samples];
        let mut z = vec![0.0; self.spread * samples];
        for ((k, row), log_weight) in joint.chunks_exact_mut(samples).enumerate().zip(self.log_weights()) {
            self.standardize(k, u, samples, &mut z, row);
            row.iter_mut().for_each(|x| *x += log_weight);
        }
        let mut total = vec![f64::NEG_INFINITY; samples];
        for row in joint.chunks_exact(samples) {
            total.iter_mut().zip(row).for_each(|(most, x)| *most = most.max(*x));
        }
        let mut sum = vec![0.0; samples];
        for row in joint.chunks_exact(samples) {
            for ((sum, x), most) in sum.iter_mut().zip(row).zip(&total) {
                *sum += if *most == f64::NEG_INFINITY { 0.0 } else { (x - most).exp() };
            }
        }
        total.iter_mut().zip(&sum).for_each(|(total, sum)| *total += sum.ln());
        (joint, total)
    }

    /// The gradient by the logits of what has these derivatives by the logarithms of the probabilities.
    #[inline(always)]
    fn pull_log_weights(&self, adjoint: &[f64], gradient: &mut [f64]) {
        let total: f64 = adjoint.iter().sum();
        for ((gradient, adjoint), log_weight) in gradient.iter_mut().zip(adjoint).zip(self.log_weights()) {
            *gradient += adjoint - log_weight.exp() * total;
        }
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

    fn groups(&self) -> usize {
        self.components
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
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

struct Sample<'a, E> {
    guide: &'a Mixture,
    noise: &'a [E],
    samples: usize,
    u: &'a mut [E],
}

impl<E: Real> Kernel<E> for Sample<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for (k, run) in self.guide.runs(self.samples) {
            self.guide.place(k, self.noise, self.samples, run, self.u);
        }
    }
}

struct PullSample<'a, E> {
    guide: &'a Mixture,
    path: Path<'a, E>,
    u_adjoint: &'a mut [E],
    gradient: &'a mut [f64],
}

impl<E: Real> Kernel<E> for PullSample<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (guide, samples) = (self.guide, self.path.samples);
        let sum = |a: &[E], b: &[E]| a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum::<f64>();
        for (k, run) in guide.runs(samples) {
            for i in 0..guide.spread {
                let adjoint = &self.u_adjoint[i * samples..][run.clone()];
                self.gradient[guide.first(k) + i] += adjoint.iter().map(|x| x.to_f64()).sum::<f64>();
                let start = guide.row_start(k, i);
                let below = if guide.full { i } else { 0 };
                for j in 0..below {
                    self.gradient[start + j] += sum(adjoint, &self.path.noise[j * samples..][run.clone()]);
                }
                let diagonal = guide.parameters[start + below].exp();
                self.gradient[start + below] += diagonal * sum(adjoint, &self.path.noise[i * samples..][run.clone()]);
            }
        }
        let points = guide.parameters.len() - guide.points;
        for (i, row) in self.u_adjoint.chunks_exact(samples).skip(guide.spread).enumerate() {
            self.gradient[points + i] += row.iter().map(|x| x.to_f64()).sum::<f64>();
        }
    }
}

struct LogProb<'a, E> {
    guide: &'a Mixture,
    u: &'a [E],
    samples: usize,
    out: &'a mut [f64],
}

impl<E: Real> Kernel<E> for LogProb<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        self.out.copy_from_slice(&self.guide.joint(self.u, self.samples).1);
    }
}

struct PullLogProb<'a, E> {
    guide: &'a Mixture,
    u: &'a [E],
    samples: usize,
    weights: &'a [f64],
    u_adjoint: Option<&'a mut [E]>,
    gradient: Option<&'a mut [f64]>,
}

impl<E: Real> Kernel<E> for PullLogProb<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let (guide, samples, n) = (self.guide, self.samples, self.guide.spread);
        let (joint, total) = guide.joint(self.u, samples);
        let (mut z, mut unused) = (vec![0.0; n * samples], vec![0.0; samples]);
        let mut of_log_weights = vec![0.0; guide.components];
        for k in 0..guide.components {
            guide.standardize(k, self.u, samples, &mut z, &mut unused);
            // The weight of the sample times the probability that it is of this component.
            let share = &mut unused;
            for (s, share) in share.iter_mut().enumerate() {
                *share = self.weights[s] * (joint[k * samples + s] - total[s]).exp();
            }
            of_log_weights[k] = share.iter().sum();
            let mut score = z.clone();
            // T^-T z, from the last row on.
            for i in (0..n).rev() {
                let row = guide.row(k, i);
                let (below, inverse) = (&row[..row.len() - 1], (-row[row.len() - 1]).exp());
                let (before, rest) = score.split_at_mut(i * samples);
                let own = &mut rest[..samples];
                own.iter_mut().for_each(|x| *x *= inverse);
                for (j, t) in below.iter().enumerate() {
                    before[j * samples..][..samples].iter_mut().zip(&*own).for_each(|(x, own)| *x -= t * own);
                }
            }
            if let Some(adjoint) = self.u_adjoint.as_deref_mut() {
                for (row, score) in adjoint.chunks_exact_mut(samples).zip(score.chunks_exact(samples)) {
                    for ((adjoint, score), share) in row.iter_mut().zip(score).zip(&*share) {
                        *adjoint = E::from_f64(share.mul_add(-score, adjoint.to_f64()));
                    }
                }
            }
            let Some(gradient) = self.gradient.as_deref_mut() else { continue };
            for i in 0..n {
                let score = &mut score[i * samples..(i + 1) * samples];
                score.iter_mut().zip(&*share).for_each(|(x, share)| *x *= share);
                gradient[guide.first(k) + i] += score.iter().sum::<f64>();
                let start = guide.row_start(k, i);
                let below = if guide.full { i } else { 0 };
                let product = |j: usize| score.iter().zip(&z[j * samples..]).map(|(a, b)| a * b).sum::<f64>();
                for j in 0..below {
                    gradient[start + j] += product(j);
                }
                gradient[start + below] += guide.parameters[start + below].exp() * product(i) - of_log_weights[k];
            }
        }
        if let Some(gradient) = self.gradient {
            guide.pull_log_weights(&of_log_weights, gradient);
        }
    }
}
