//! The full-rank Gaussian, in the units of a curvature: where the posterior is Gaussian it begins at its end.

use serde::{Deserialize, Serialize};

use super::mean_field::standard_log_prob;
use super::natural::{FARTHEST, natural_step};
use super::{Guide, Path, lane_sum};
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};
use crate::optimizers::Gaussian;

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `q(u) = Normal(center + P^-T loc, P^-T T T^T P^-1)`: a Gaussian of any covariance, over `v = P^T (u - center)`, where `P P^T` is a
/// precision that stays as it was given, and `v ~ Normal(loc, T T^T)` is learned.
///
/// The parameters are `loc`, then the lower triangle of `T`, row by row, the diagonal as logarithms. The last dimensions may be points, which
/// have no rows in `T`.
///
/// # Source
/// Kucukelbir et al. 2017, Automatic differentiation variational inference, section 2.5; Roeder, Wu & Duvenaud 2017, Sticking the landing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FullRank {
    center: Vec<f64>,
    /// The lower factor of the precision, row by row.
    precision: Vec<f64>,
    parameters: Vec<f64>,
    points: usize,
}

impl FullRank {
    /// A guide that begins as this Gaussian, whose scales are the units of its parameters.
    #[must_use]
    pub fn new(gaussian: Gaussian) -> Self {
        Self::with_points(gaussian, 0)
    }

    /// As [`FullRank::new`], with the last dimensions as points: at their means, the others distributed as under the condition that they are there.
    #[must_use]
    pub fn with_points(gaussian: Gaussian, points: usize) -> Self {
        let (n, m) = (gaussian.mean.len(), gaussian.mean.len() - points);
        FullRank { center: gaussian.mean, precision: gaussian.precision, parameters: vec![0.0; n + m * (m + 1) / 2], points }
    }

    /// The number of dimensions that are distributed.
    fn spread(&self) -> usize {
        self.center.len() - self.points
    }

    fn triangle(&self) -> &[f64] {
        &self.parameters[self.center.len()..]
    }

    /// `T[i][k]`, for `k < i`; the logarithm of `T[i][i]`.
    fn entry(&self, i: usize, k: usize) -> f64 {
        self.triangle()[i * (i + 1) / 2 + k]
    }

    /// `ln |det| ` of the map from noise to draws.
    fn log_det(&self) -> f64 {
        let n = self.center.len();
        (0..self.spread()).map(|i| self.entry(i, i) - self.precision[i * n + i].ln()).sum()
    }

    /// The noise that gives each draw, and the matrix products are undone: `z = T^-1 (P^T (u - center) - loc)`, `[dimension][sample]`.
    fn standardize<E: Real>(&self, u: &[E], samples: usize) -> Vec<f64> {
        let (n, m) = (self.center.len(), self.spread());
        let mut z = vec![0.0; m * samples];
        for s in 0..samples {
            for i in 0..m {
                let v: f64 = (i..n).map(|k| self.precision[k * n + i] * (u[k * samples + s].to_f64() - self.center[k])).sum();
                let known: f64 = (0..i).map(|k| self.entry(i, k) * z[k * samples + s]).sum();
                z[i * samples + s] = (v - self.parameters[i] - known) * (-self.entry(i, i)).exp();
            }
        }
        z
    }
}

impl<E: Real> Guide<E> for FullRank {
    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.center.len()
    }

    fn noise(&self) -> usize {
        self.spread()
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        dispatch(Sample { guide: self, noise, samples, u });
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        dispatch(Pull { guide: self, path, u_adjoint, score: None, gradient });
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let z = self.standardize(u, samples);
        let constant = self.log_det() + HALF_LN_TWO_PI * self.spread() as f64;
        for (s, log_prob) in log_prob.iter_mut().enumerate() {
            *log_prob = -0.5 * z.iter().skip(s).step_by(samples).map(|z| z * z).sum::<f64>() - constant;
        }
    }

    fn log_prob_of(&self, path: Path<'_, E>, log_prob: &mut [f64]) {
        standard_log_prob(path, self.log_det() + HALF_LN_TWO_PI * self.spread() as f64, log_prob);
    }

    fn stick(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], scratch: &mut Vec<E>) {
        scratch.resize(path.noise.len(), E::default());
        dispatch(Pull { guide: self, path, u_adjoint, score: Some((scratch, weights)), gradient });
    }

    fn pull_path(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _: &mut Vec<E>) {
        // log q of the noise is what it is: along the path only the Jacobian determinant changes.
        self.pull_sample(path, u_adjoint, gradient);
        let (n, weight) = (self.center.len(), weights.iter().map(|w| w.to_f64()).sum::<f64>());
        (0..self.spread()).for_each(|i| gradient[n + i * (i + 3) / 2] += weight);
    }

    fn pull_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        mut u_adjoint: Option<&mut [E]>,
        mut gradient: Option<&mut [f64]>,
    ) {
        let (n, m) = (self.center.len(), self.spread());
        let z = self.standardize(u, samples);
        let mut score = vec![0.0; m];
        for (s, weight) in weights.iter().enumerate() {
            // T^-T z: the derivative with respect to loc.
            for i in (0..m).rev() {
                let known: f64 = (i + 1..m).map(|k| self.entry(k, i) * score[k]).sum();
                score[i] = (z[i * samples + s] - known) * (-self.entry(i, i)).exp();
            }
            if let Some(adjoint) = u_adjoint.as_deref_mut() {
                for k in 0..n {
                    let pulled: f64 = self.precision[k * n..=k * n + k].iter().zip(&score).map(|(p, s)| p * s).sum();
                    let at = &mut adjoint[k * samples + s];
                    *at = E::from_f64(at.to_f64() - weight * pulled);
                }
            }
            if let Some(gradient) = gradient.as_deref_mut() {
                let (d_loc, d_triangle) = gradient.split_at_mut(n);
                for i in 0..m {
                    d_loc[i] += weight * score[i];
                    let row = i * (i + 1) / 2;
                    for k in 0..i {
                        d_triangle[row + k] += weight * score[i] * z[k * samples + s];
                    }
                    d_triangle[row + i] += weight * (score[i] * z[i * samples + s] * self.entry(i, i).exp() - 1.0);
                }
            }
        }
    }

    fn entropy(&self, gradient: Option<&mut [f64]>) -> Option<f64> {
        let (n, m) = (self.center.len(), self.spread());
        if let Some(gradient) = gradient {
            (0..m).for_each(|i| gradient[n + i * (i + 3) / 2] += 1.0);
        }
        Some(self.log_det() + m as f64 * (HALF_LN_TWO_PI + 0.5))
    }

    fn locations(&self) -> usize {
        self.center.len()
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        // The standard deviation of `v` for a location; one of noise for the rows of T, which is as much.
        let n = self.center.len();
        units.fill(1.0);
        for i in 0..self.spread() {
            let row = &parameters[n + i * (i + 1) / 2..][..=i];
            let (diagonal, others) = (row[i], &row[..i]);
            units[i] = (others.iter().map(|x| x * x).sum::<f64>() + (2.0 * diagonal).exp()).sqrt();
        }
    }

    fn natural_step(&self, rate: f64, gradient: &mut [f64]) -> bool {
        let (n, m) = (self.center.len(), self.spread());
        let (locs, triangle) = gradient.split_at_mut(n);
        let at = |i: usize, k: usize| i * (i + 1) / 2 + k;
        let of = |i: usize, k: usize| if i == k { self.entry(i, i).exp() } else { self.entry(i, k) };
        // In the coordinates `T (I + A)`, `A` lower triangular, the Fisher information is one for each entry and two for those on the diagonal, and the gradient is
        // the lower triangle of `T^T G`; that by the diagonal of T is told by its logarithm.
        let by_entry = |triangle: &[f64], i: usize, k: usize| triangle[at(i, k)] / if i == k { of(i, i) } else { 1.0 };
        let mut a = vec![0.0; triangle.len()];
        for i in 0..m {
            for k in 0..=i {
                let own: f64 = (i..m).map(|l| of(l, i) * by_entry(triangle, l, k)).sum();
                a[at(i, k)] = own;
            }
        }
        // The diagonal of T grows by a factor that stays positive, as that of one normal distribution.
        let changes: Vec<f64> = (0..m).map(|i| natural_step(0.0, [0.0, rate], 0.0, a[at(i, i)]).1).collect();
        for i in 0..m {
            for k in 0..i {
                let own: f64 = (k + 1..i).map(|l| of(i, l) * a[at(l, k)]).sum();
                triangle[at(i, k)] = rate * (own + of(i, i) * a[at(i, k)]) + of(i, k) * changes[k].exp_m1();
            }
            triangle[at(i, i)] = changes[i];
        }
        // The location moves by the new covariance: T^T first, then T.
        let new = |i: usize, k: usize| {
            if i == k { (self.entry(i, i) + changes[i]).exp() } else { self.entry(i, k) + triangle[at(i, k)] }
        };
        let pulled: Vec<f64> = (0..m).map(|k| (k..m).map(|i| new(i, k) * locs[i]).sum()).collect();
        let length = pulled.iter().map(|x| x * x).sum::<f64>().sqrt();
        let rate_of_loc = rate.min(FARTHEST * (rate * m as f64).sqrt() / length.max(1e-300));
        for (i, loc) in locs.iter_mut().take(m).enumerate() {
            *loc = rate_of_loc * (0..=i).map(|k| new(i, k) * pulled[k]).sum::<f64>();
        }
        locs[m..].iter_mut().for_each(|x| *x *= rate);
        true
    }

    fn narrow(&mut self, factor: f64) {
        let n = self.center.len();
        for i in 0..self.spread() {
            let row = n + i * (i + 1) / 2;
            self.parameters[row..row + i].iter_mut().for_each(|x| *x *= factor);
            self.parameters[row + i] += factor.ln();
        }
    }
}

struct Sample<'a, E> {
    guide: &'a FullRank,
    noise: &'a [E],
    samples: usize,
    u: &'a mut [E],
}

impl<E: Real> Kernel<E> for Sample<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (guide, n, samples) = (self.guide, self.guide.center.len(), self.samples);
        let mut offset = 0;
        while offset < samples {
            for i in guide.spread()..n {
                V::constant(guide.parameters[i]).store(&mut self.u[i * samples + offset..]);
            }
            for i in 0..guide.spread() {
                let row = &guide.triangle()[i * (i + 1) / 2..][..=i];
                let mut v = V::load(&self.noise[i * samples + offset..])
                    .mul_add(V::constant(row[i]).exp(), V::constant(guide.parameters[i]));
                for k in 0..i {
                    v = V::load(&self.noise[k * samples + offset..]).mul_add(V::constant(row[k]), v);
                }
                v.store(&mut self.u[i * samples + offset..]);
            }
            // x = P^-T v, from the last row on, in place; the center is added when a row is no longer needed.
            for i in (0..n).rev() {
                let row = &guide.precision[i * n..][..=i];
                let x = V::load(&self.u[i * samples + offset..]) * V::constant(1.0 / row[i]);
                for k in 0..i {
                    let above = &mut self.u[k * samples + offset..];
                    (-x).mul_add(V::constant(row[k]), V::load(above)).store(above);
                }
                (x + V::constant(guide.center[i])).store(&mut self.u[i * samples + offset..]);
            }
            offset += V::WIDTH;
        }
    }
}

/// The pullback of a draw; with room for it, less the derivative of log q along the path.
struct Pull<'a, E> {
    guide: &'a FullRank,
    path: Path<'a, E>,
    u_adjoint: &'a mut [E],
    /// Room for the derivative of log q, and its weights.
    score: Option<(&'a mut Vec<E>, &'a [E])>,
    gradient: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Pull<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let (guide, n, Path { noise, samples, .. }) = (self.guide, self.guide.center.len(), self.path);
        let mut offset = 0;
        while offset < samples {
            // P^-1 adjoint: with respect to v.
            for i in 0..n {
                let row = &guide.precision[i * n..][..=i];
                let mut a = V::load(&self.u_adjoint[i * samples + offset..]);
                for k in 0..i {
                    a = (-V::load(&self.u_adjoint[k * samples + offset..])).mul_add(V::constant(row[k]), a);
                }
                (a * V::constant(1.0 / row[i])).store(&mut self.u_adjoint[i * samples + offset..]);
            }
            if let Some((score, weights)) = &mut self.score {
                // The derivative of log q with respect to v is -T^-T noise.
                let weights = V::load(&weights[offset..]);
                score_rows::<V>(guide, noise, samples, offset, score);
                for i in 0..guide.spread() {
                    let adjoint = &mut self.u_adjoint[i * samples + offset..];
                    V::load(&score[i * samples + offset..]).mul_add(weights, V::load(adjoint)).store(adjoint);
                }
            }
            offset += V::WIDTH;
        }
        for i in 0..n {
            let (d_loc, d_triangle) = self.gradient.split_at_mut(n);
            let adjoint = &self.u_adjoint[i * samples..(i + 1) * samples];
            let mut sum = V::Sum::zero();
            for offset in (0..samples).step_by(V::WIDTH) {
                sum += V::load(&adjoint[offset..]);
            }
            d_loc[i] += lane_sum::<V>(sum);
            if i >= guide.spread() {
                continue;
            }
            let row = &mut d_triangle[i * (i + 1) / 2..][..=i];
            for k in 0..=i {
                let noise = &noise[k * samples..(k + 1) * samples];
                let mut sum = V::Sum::zero();
                for offset in (0..samples).step_by(V::WIDTH) {
                    sum.add_product(V::load(&adjoint[offset..]), V::load(&noise[offset..]));
                }
                let sum = lane_sum::<V>(sum);
                row[k] += if k == i { sum * guide.entry(i, i).exp() } else { sum };
            }
        }
    }
}

/// `T^-T noise`, from the last row on.
#[inline(always)]
fn score_rows<V: Lanes>(guide: &FullRank, noise: &[V::Element], samples: usize, offset: usize, score: &mut [V::Element]) {
    let n = guide.spread();
    for i in 0..n {
        V::load(&noise[i * samples + offset..]).store(&mut score[i * samples + offset..]);
    }
    for i in (0..n).rev() {
        let row = &guide.triangle()[i * (i + 1) / 2..][..=i];
        let x = V::load(&score[i * samples + offset..]) * (-V::constant(row[i])).exp();
        x.store(&mut score[i * samples + offset..]);
        for k in 0..i {
            let above = &mut score[k * samples + offset..];
            (-x).mul_add(V::constant(row[k]), V::load(above)).store(above);
        }
    }
}
