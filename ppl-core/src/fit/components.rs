//! Where a mixture starts: the modes of the posterior, and the components that weighted draws around them fall into.

use super::start::Points;
use crate::guides::{Component, Guide, Mixture, Whitening};
use crate::kernel::Real;
use crate::model::LogJoint;
use crate::optimizers::{Curvature, Gaussian, cholesky, find_mode};
use crate::random::{antithetic_normals, step_key, uniform};

/// Starting points of the search for modes.
const STARTS: usize = 24;
/// The most modes that are kept.
const MODES: usize = 8;
/// Nats of evidence by which a mode may fall behind the best one.
const NEGLIGIBLE: f64 = 12.0;
/// Draws that are grouped into components.
const DRAWS: usize = 4096;
const ITERATIONS: usize = 30;
/// The most directions in which draws are grouped.
const AXES: usize = 4;

/// A mode: Laplace's approximation with its share of the evidence.
struct Mode {
    gaussian: Gaussian,
    log_evidence: f64,
}

/// Components in the units of a whitening: those of Laplace's approximations at the modes, spread out, weighted by the target and grouped.
pub(super) fn components<E: Real>(
    model: &dyn LogJoint<E>,
    whitening: &Whitening,
    known: &Gaussian,
    count: usize,
    seed: u64,
) -> Vec<Component> {
    let points = model.layout().points();
    let (n, m) = (known.mean.len(), known.mean.len() - points);
    let modes = modes(model, known, seed);
    let mut proposal = Vec::new();
    for mode in &modes {
        let Some(component) = in_units(whitening, mode, known, m) else { continue };
        for inflation in [1.0, 2.0] {
            let mut wide = component.clone();
            wide.factor.iter_mut().for_each(|t| *t *= inflation);
            proposal.push(wide);
        }
    }
    let proposal = Mixture::new(&proposal, true, &vec![0.0; points]);
    let guide: &dyn Guide<E> = &proposal;
    let mut noise = vec![E::default(); guide.noise() * DRAWS];
    antithetic_normals(step_key(seed, u64::MAX - 10), DRAWS, &mut noise);
    let mut v = vec![E::default(); n * DRAWS];
    guide.draw(&noise, DRAWS, &mut v);
    let mut log_q = vec![0.0; DRAWS];
    guide.log_prob(&v, DRAWS, &mut log_q);
    let mut work = model.workspace(DRAWS);
    work.u_mut().copy_from_slice(&v);
    whitening.unwhiten(work.u_mut(), DRAWS);
    let mut log_p = vec![0.0; DRAWS];
    model.log_density(&mut work, &model.unit_weights(DRAWS), &mut log_p);
    let ratios: Vec<f64> = log_p.iter().zip(&log_q).map(|(p, q)| p - q).collect();
    let weights = truncated(&ratios);
    // What the standard normal leaves of the gradient.
    let residual = work.gradient_mut();
    whitening.pull_unwhiten(residual, DRAWS);
    let residual: Vec<f64> = residual.iter().zip(&v).map(|(g, v)| g.to_f64() + v.to_f64()).collect();
    let axes = active(&residual[..m * DRAWS], &weights, m);
    let rank = axes.len() / m;
    let mut projected = vec![0.0; rank * DRAWS];
    for (axis, row) in axes.chunks_exact(m).zip(projected.chunks_exact_mut(DRAWS)) {
        for (q, v) in axis.iter().zip(v.chunks_exact(DRAWS)) {
            row.iter_mut().zip(v).for_each(|(y, v)| *y += q * v.to_f64());
        }
    }
    let grouped = Grouping { dimensions: rank, draws: &projected, weights }.components(count, seed);
    grouped.into_iter().filter_map(|component| embedded(&component, &axes, m)).collect()
}

/// The directions in which the target differs from a standard normal, row by row and orthonormal: the leading eigenvectors of the second moments of what
/// the normal leaves of the gradient (`[dimension][draw]`).
///
/// # Source
/// Zahm, Cui, Law, Spantini & Marzouk 2022, Certified dimension reduction in nonlinear Bayesian inverse problems.
fn active(residual: &[f64], weights: &[f64], m: usize) -> Vec<f64> {
    let draws = weights.len();
    let mut moments = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let (a, b) = (&residual[i * draws..][..draws], &residual[j * draws..][..draws]);
            let terms = weights.iter().zip(a.iter().zip(b)).map(|(w, (a, b))| if *w > 0.0 { w * a * b } else { 0.0 });
            moments[i * m + j] = terms.sum();
            moments[j * m + i] = moments[i * m + j];
        }
    }
    let rank = m.min(AXES);
    // Orthogonal iteration, from the axes that differ most.
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| moments[b * (m + 1)].total_cmp(&moments[a * (m + 1)]));
    let mut axes = vec![0.0; rank * m];
    order.iter().take(rank).enumerate().for_each(|(row, &i)| axes[row * m + i] = 1.0);
    let mut values = vec![0.0; rank];
    for _ in 0..100 {
        let mut next = vec![0.0; rank * m];
        for (to, from) in next.chunks_exact_mut(m).zip(axes.chunks_exact(m)) {
            for (x, row) in to.iter_mut().zip(moments.chunks_exact(m)) {
                *x = row.iter().zip(from).map(|(a, b)| a * b).sum();
            }
        }
        for row in 0..rank {
            let (before, rest) = next.split_at_mut(row * m);
            let own = &mut rest[..m];
            for other in before.chunks_exact(m) {
                let product: f64 = own.iter().zip(other).map(|(a, b)| a * b).sum();
                own.iter_mut().zip(other).for_each(|(a, b)| *a -= product * b);
            }
            let length = own.iter().map(|x| x * x).sum::<f64>().sqrt();
            values[row] = length;
            if length > 0.0 && length.is_finite() {
                own.iter_mut().for_each(|x| *x /= length);
            } else {
                own.copy_from_slice(&axes[row * m..(row + 1) * m]);
            }
        }
        axes = next;
    }
    let kept = values.iter().filter(|value| **value > 0.02 * values[0]).count().max(1);
    axes.truncate(kept * m);
    axes
}

/// A component along some axes, standard normal across them; none if that is no covariance.
fn embedded(component: &Component, axes: &[f64], m: usize) -> Option<Component> {
    let rank = component.loc.len();
    let mut covariance: Vec<f64> = (0..m * m).map(|i| if i % (m + 1) == 0 { 1.0 } else { 0.0 }).collect();
    for a in 0..rank {
        for b in 0..rank {
            let along: f64 = (0..=a.min(b)).map(|k| component.factor[a * rank + k] * component.factor[b * rank + k]).sum();
            let change = along - if a == b { 1.0 } else { 0.0 };
            for i in 0..m {
                for j in 0..m {
                    covariance[i * m + j] += change * axes[a * m + i] * axes[b * m + j];
                }
            }
        }
    }
    let loc = (0..m).map(|i| (0..rank).map(|a| component.loc[a] * axes[a * m + i]).sum()).collect();
    Some(Component { logit: component.logit, loc, factor: cholesky(&covariance, m)? })
}

/// The modes that are found from random starts, the one that is known first.
fn modes<E: Real>(model: &dyn LogJoint<E>, known: &Gaussian, seed: u64) -> Vec<Mode> {
    let n = known.mean.len();
    let apart = model.layout().points();
    let relative_step = if size_of::<E>() == 4 { 5e-3 } else { 6e-6 };
    let mut points = Points::new(model);
    let log_evidence = |log_density: f64, gaussian: &Gaussian| {
        log_density - (0..n - apart).map(|i| gaussian.precision[i * (n + 1)].ln()).sum::<f64>()
    };
    let there = points.evaluate(std::slice::from_ref(&known.mean))[0].0;
    let mut modes = vec![Mode { log_evidence: log_evidence(there, known), gaussian: known.clone() }];
    let mut noise = vec![0.0_f64; n * STARTS];
    antithetic_normals(step_key(seed, u64::MAX - 9), STARTS, &mut noise);
    for k in 0..STARTS {
        // Far and near, around zero: the unconstrained space has its origin there.
        let scale = [1.0, 3.0, 8.0][k % 3];
        let mut start: Vec<f64> = (0..n).map(|i| scale * noise[i * STARTS + k]).collect();
        start[n - apart..].copy_from_slice(&known.mean[n - apart..]);
        let mode = find_mode(&start, 200, 1e-8, |u, gradient| {
            let (value, own) = points.evaluate(std::slice::from_ref(&u.to_vec())).pop().unwrap_or((f64::NAN, vec![f64::NAN; n]));
            gradient.copy_from_slice(&own);
            gradient[n - apart..].fill(0.0);
            value
        });
        let is_near = |other: &Mode| distance(&other.gaussian, &mode.u) < 1.0 + 0.5 * n as f64;
        if !mode.converged || modes.iter().any(is_near) {
            continue;
        }
        let curvature =
            Curvature::at(&mode.u, apart, relative_step, |p| points.evaluate(p).into_iter().map(|(_, g)| g).collect());
        let gaussian = curvature.laplace();
        modes.push(Mode { log_evidence: log_evidence(mode.log_density, &gaussian), gaussian });
    }
    modes.sort_by(|a, b| b.log_evidence.total_cmp(&a.log_evidence));
    let best = modes[0].log_evidence;
    modes.retain(|mode| mode.log_evidence.is_finite() && mode.log_evidence > best - NEGLIGIBLE);
    modes.truncate(MODES);
    modes
}

/// The squared distance of a point from the mean, in standard deviations.
fn distance(gaussian: &Gaussian, u: &[f64]) -> f64 {
    let n = u.len();
    (0..n).map(|i| (i..n).map(|k| gaussian.precision[k * n + i] * (u[k] - gaussian.mean[k])).sum::<f64>().powi(2)).sum()
}

/// A mode in the units of a whitening: `T` with `T T^T = P^T S P`; none if it has no scale there.
fn in_units(whitening: &Whitening, mode: &Mode, known: &Gaussian, m: usize) -> Option<Component> {
    let n = known.mean.len();
    let place = |u: &[f64]| {
        let lanes = <f64 as Real>::LANE_MULTIPLE;
        let mut v: Vec<f64> = u.iter().flat_map(|&x| std::iter::repeat_n(x, lanes)).collect();
        whitening.whiten(&mut v, lanes);
        v.into_iter().step_by(lanes).collect::<Vec<f64>>()
    };
    let mut mean = mode.gaussian.mean.clone();
    mean[m..].copy_from_slice(&known.mean[m..]);
    let loc = place(&mean);
    // Columns of the factor of the covariance: P_mode^-T e, seen from the mean.
    let columns: Vec<Vec<f64>> = (0..m)
        .map(|c| {
            let mut x = vec![0.0; n];
            x[c] = 1.0;
            let p = &mode.gaussian.precision;
            for i in (0..m).rev() {
                let known: f64 = (i + 1..m).map(|k| p[k * n + i] * x[k]).sum();
                x[i] = (x[i] - known) / p[i * n + i];
            }
            let moved: Vec<f64> = mean.iter().zip(&x).map(|(a, b)| a + b).collect();
            place(&moved).iter().zip(&loc).map(|(a, b)| a - b).collect()
        })
        .collect();
    let mut covariance = vec![0.0; m * m];
    for column in &columns {
        for i in 0..m {
            for j in 0..m {
                covariance[i * m + j] += column[i] * column[j];
            }
        }
    }
    Some(Component { logit: mode.log_evidence, loc: loc[..m].to_vec(), factor: cholesky(&covariance, m)? })
}

/// Importance weights of sum one, none above the mean times the root of their number.
///
/// # Source
/// Ionides 2008, Truncated importance sampling.
fn truncated(ratios: &[f64]) -> Vec<f64> {
    let most = ratios.iter().copied().filter(|r| r.is_finite()).fold(f64::NEG_INFINITY, f64::max);
    let mut weights: Vec<f64> = ratios.iter().map(|r| if r.is_finite() { (r - most).exp() } else { 0.0 }).collect();
    let bound = weights.iter().sum::<f64>() / (weights.len() as f64).sqrt();
    weights.iter_mut().for_each(|w| *w = w.min(bound));
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
    weights
}

/// Weighted draws that are grouped by the EM algorithm.
struct Grouping<'a> {
    dimensions: usize,
    /// `[dimension][draw]`
    draws: &'a [f64],
    weights: Vec<f64>,
}

impl Grouping<'_> {
    fn components(&self, count: usize, seed: u64) -> Vec<Component> {
        let m = self.dimensions;
        let mut components: Vec<Component> = self
            .seeds(count, seed)
            .into_iter()
            .map(|draw| {
                let factor = (0..m * m).map(|i| if i % (m + 1) == 0 { 0.5 } else { 0.0 }).collect();
                Component { logit: 0.0, loc: (0..m).map(|i| self.at(i, draw)).collect(), factor }
            })
            .collect();
        let effective = 1.0 / self.weights.iter().map(|w| w * w).sum::<f64>();
        for _ in 0..ITERATIONS {
            let joint = self.memberships(&components);
            for (k, component) in components.iter_mut().enumerate() {
                self.maximise(component, &joint[k * self.weights.len()..][..self.weights.len()], effective);
            }
        }
        components
    }

    fn at(&self, dimension: usize, draw: usize) -> f64 {
        self.draws[dimension * self.weights.len() + draw]
    }

    /// Draws that are far from each other (k-means++, Arthur & Vassilvitskii 2007).
    fn seeds(&self, count: usize, seed: u64) -> Vec<usize> {
        let mut nearest = vec![1.0; self.weights.len()];
        let mut seeds: Vec<usize> = Vec::with_capacity(count);
        for k in 0..count {
            let mass: Vec<f64> = self.weights.iter().zip(&nearest).map(|(w, d)| w * d).collect();
            let mut left = uniform(step_key(seed, u64::MAX - 11), k as u64) * mass.iter().sum::<f64>();
            let chosen = mass.iter().position(|mass| {
                left -= mass;
                left <= 0.0
            });
            let chosen = chosen.unwrap_or(0);
            for (draw, nearest) in nearest.iter_mut().enumerate() {
                let square: f64 = (0..self.dimensions).map(|i| (self.at(i, draw) - self.at(i, chosen)).powi(2)).sum();
                *nearest = if seeds.is_empty() { square } else { nearest.min(square) };
            }
            seeds.push(chosen);
        }
        seeds
    }

    /// The weight of each draw in each component: `[component][draw]`.
    fn memberships(&self, components: &[Component]) -> Vec<f64> {
        let draws = self.weights.len();
        let mut joint = Mixture::new(components, true, &[]).joint(self.draws, draws);
        for row in joint.0.chunks_exact_mut(draws) {
            for ((x, total), weight) in row.iter_mut().zip(&joint.1).zip(&self.weights) {
                *x = if total.is_finite() { weight * (*x - total).exp() } else { 0.0 };
            }
        }
        joint.0
    }

    /// Mean, covariance and weight of the draws of a component; few draws leave much of a round covariance.
    fn maximise(&self, component: &mut Component, memberships: &[f64], effective: f64) {
        let m = self.dimensions;
        let total: f64 = memberships.iter().sum();
        component.logit = (total + 0.02).ln();
        if total * effective < 1.0 {
            return;
        }
        for (i, loc) in component.loc.iter_mut().enumerate() {
            *loc = memberships.iter().zip(&self.draws[i * memberships.len()..]).map(|(w, x)| w * x).sum::<f64>() / total;
        }
        let doubt = m as f64 + 2.0;
        let mut covariance = vec![0.0; m * m];
        for i in 0..m {
            for j in 0..=i {
                let pairs = (0..memberships.len())
                    .map(|s| memberships[s] * (self.at(i, s) - component.loc[i]) * (self.at(j, s) - component.loc[j]));
                let sum = effective * pairs.sum::<f64>() + if i == j { 0.1 * doubt } else { 0.0 };
                covariance[i * m + j] = sum / effective.mul_add(total, doubt);
                covariance[j * m + i] = covariance[i * m + j];
            }
        }
        if let Some(factor) = cholesky(&covariance, m) {
            component.factor = factor;
        }
    }
}
