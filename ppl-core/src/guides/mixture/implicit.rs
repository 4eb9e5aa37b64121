//! Implicit reparameterization of a mixture: how a draw moves with the parameters while its noise stays.
//!
//! The noise of dimension `i` is the conditional distribution function `F_i(v_i | v_1 .. v_i-1)`, a mixture of those of the components with the
//! probabilities that the dimensions before leave them. That it does not change says `dv / dtheta = -J^-1 dF / dtheta`, `J = dF / dv` lower triangular: the pullback
//! solves with `J^T` from the last dimension on, and pulls each `F_i` back as it comes to it.
//!
//! # Source
//! Figurnov, Mohamed & Mnih 2018, Implicit reparameterization gradients, equations 5 and 6; mixtures: Graves 2016.

use super::Mixture;
use super::density::HALF_LN_TWO_PI;
use crate::guides::Path;
use crate::kernel::{Lanes, Real};

/// Adds the pullback of the adjoint of draws, whichever component each was drawn of.
pub(super) fn pull_sample<E: Real>(guide: &Mixture, path: Path<'_, E>, u_adjoint: &[E], gradient: &mut [f64]) {
    let (samples, n, count) = (path.samples, guide.spread, guide.components);
    let log_weights = guide.log_weights();
    let mut of_log_weights = vec![0.0; count];
    let mut one = Draw::new(n, count);
    for s in 0..samples {
        let at = |rows: &[E], i: usize| rows[i * samples + s].to_f64();
        one.standardize(guide, &log_weights, |i| at(path.u, i));
        one.pull(guide, |i| at(u_adjoint, i), gradient);
        of_log_weights.iter_mut().zip(&one.of_log_weights).for_each(|(sum, own)| *sum += own);
    }
    guide.pull_log_weights(&of_log_weights, gradient);
    let points = guide.parameters.len() - guide.points;
    for (i, row) in u_adjoint.chunks_exact(samples).skip(n).enumerate() {
        gradient[points + i] += row.iter().map(|x| x.to_f64()).sum::<f64>();
    }
}

/// The buffers of one draw: `[dimension][component]`.
struct Draw {
    count: usize,
    /// `T_k^-1 (v - loc_k)`.
    residuals: Vec<f64>,
    /// The probability of each component given the dimensions before.
    shares: Vec<f64>,
    of_residuals: Vec<f64>,
    /// By component: the adjoint of the log density of the dimensions before, probability included.
    of_log_weights: Vec<f64>,
}

impl Draw {
    fn new(n: usize, count: usize) -> Self {
        let zeros = vec![0.0; n * count];
        Draw { count, residuals: zeros.clone(), shares: zeros.clone(), of_residuals: zeros, of_log_weights: vec![0.0; count] }
    }

    fn standardize(&mut self, guide: &Mixture, log_weights: &[f64], v: impl Fn(usize) -> f64) {
        let count = self.count;
        let mut log_density = log_weights.to_vec();
        for i in 0..guide.spread {
            let most = log_density.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = log_density.iter().map(|x| (x - most).exp()).sum();
            for k in 0..count {
                self.shares[i * count + k] = (log_density[k] - most).exp() / total;
                let row = guide.row(k, i);
                let (below, log_diagonal) = (&row[..row.len() - 1], row[row.len() - 1]);
                let moved: f64 = below.iter().enumerate().map(|(j, t)| t * self.residuals[j * count + k]).sum();
                let residual = (v(i) - guide.loc(k)[i] - moved) * (-log_diagonal).exp();
                self.residuals[i * count + k] = residual;
                log_density[k] -= 0.5 * residual * residual + log_diagonal;
            }
        }
    }

    fn pull(&mut self, guide: &Mixture, v_adjoint: impl Fn(usize) -> f64, gradient: &mut [f64]) {
        let count = self.count;
        self.of_residuals.fill(0.0);
        self.of_log_weights.fill(0.0);
        for i in (0..guide.spread).rev() {
            let (mut adjoint, mut density, mut below_it) = (v_adjoint(i), 0.0, 0.0);
            for k in 0..count {
                let (at, inverse) = (i * count + k, inverse(guide, k, i));
                let (residual, share) = (self.residuals[at], self.shares[at]);
                // The dimensions after this one weigh components by what they say of it.
                self.of_residuals[at] -= self.of_log_weights[k] * residual;
                adjoint += self.of_residuals[at] * inverse;
                density += share * normal_density(residual) * inverse;
                below_it += share * Lanes::normal_cdf(residual);
            }
            let multiplier = -adjoint / density;
            for k in 0..count {
                let (at, inverse) = (i * count + k, inverse(guide, k, i));
                let (residual, share) = (self.residuals[at], self.shares[at]);
                let start = guide.row_start(k, i);
                let below = if guide.full { i } else { 0 };
                // Of the logarithm of the diagonal in the density of the component.
                gradient[start + below] -= self.of_log_weights[k];
                let own = self.of_residuals[at] + multiplier * share * normal_density(residual);
                gradient[guide.first(k) + i] -= own * inverse;
                for j in 0..below {
                    gradient[start + j] -= own * inverse * self.residuals[j * count + k];
                    self.of_residuals[j * count + k] -= own * inverse * guide.parameters[start + j];
                }
                gradient[start + below] -= own * residual;
                self.of_log_weights[k] += multiplier * share * (Lanes::normal_cdf(residual) - below_it);
            }
        }
    }
}

/// One over the diagonal of `T_k`.
fn inverse(guide: &Mixture, k: usize, i: usize) -> f64 {
    let row = guide.row(k, i);
    (-row[row.len() - 1]).exp()
}

fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x - HALF_LN_TWO_PI).exp()
}

#[cfg(test)]
mod tests {
    use super::super::Component;
    use super::*;
    use crate::guides::Guide;

    fn mixture(full: bool) -> Mixture {
        let component = |logit: f64, loc: [f64; 3], d: [f64; 3]| Component {
            logit,
            loc: loc.to_vec(),
            factor: vec![d[0], 0.0, 0.0, 0.4, d[1], 0.0, -0.3, 0.2, d[2]],
        };
        let components = [
            component(0.0, [0.0, 1.0, -0.5], [0.6, 0.8, 0.5]),
            component(0.5, [1.2, -0.4, 0.3], [1.1, 0.4, 0.9]),
            component(-0.3, [-0.8, 0.2, 0.9], [0.7, 1.3, 0.6]),
        ];
        Mixture::new(&components, full, &[0.7]).implicit()
    }

    /// `F_i` of all dimensions, by the marginals of the components, which are Gaussians.
    fn distribution(guide: &Mixture, v: &[f64]) -> [f64; 3] {
        let weights: Vec<f64> = guide.log_weights().iter().map(|x| x.exp()).collect();
        let mut shares = weights;
        [0, 1, 2].map(|i| {
            let total: f64 = shares.iter().sum();
            let mut value = 0.0;
            for (k, share) in shares.iter_mut().enumerate() {
                let mut residuals = [0.0; 3];
                for j in 0..=i {
                    let row = guide.row(k, j);
                    let moved: f64 = row[..row.len() - 1].iter().zip(residuals).map(|(t, e)| t * e).sum();
                    residuals[j] = (v[j] - guide.loc(k)[j] - moved) / row[row.len() - 1].exp();
                }
                value += *share / total * Lanes::normal_cdf(residuals[i]);
                let row = guide.row(k, i);
                *share *= normal_density(residuals[i]) / row[row.len() - 1].exp();
            }
            value
        })
    }

    /// The draw of this noise, dimension after dimension by bisection.
    fn inverse(guide: &Mixture, noise: [f64; 3]) -> [f64; 3] {
        let mut v = [0.0; 3];
        for i in 0..3 {
            let (mut low, mut high) = (-20.0, 20.0);
            for _ in 0..200 {
                v[i] = f64::midpoint(low, high);
                if distribution(guide, &v)[i] < noise[i] { low = v[i] } else { high = v[i] }
            }
        }
        v
    }

    #[test]
    fn draws_move_as_their_distribution_function_says() {
        for full in [false, true] {
            let mut guide = mixture(full);
            let samples = 8;
            let noise: Vec<f64> = (0..4 * samples).map(|i| (1.3 * i as f64).sin() * 1.5).collect();
            let mut u = vec![0.0; 4 * samples];
            Guide::<f64>::sample(&guide, &noise, samples, &mut u);
            let count = Guide::<f64>::parameters(&guide).len();
            for s in 0..samples {
                let v: Vec<f64> = (0..3).map(|i| u[i * samples + s]).collect();
                let of_draw = distribution(&guide, &v);
                let weights = [0.7, -1.1, 0.4, 2.0];
                let mut adjoint = vec![0.0; 4 * samples];
                (0..4).for_each(|i| adjoint[i * samples + s] = weights[i]);
                let mut gradient = vec![0.0; count];
                let path = Path { noise: &noise, u: &u, samples };
                guide.pull_sample(path, &mut adjoint, &mut gradient);
                assert!((gradient[count - 1] - 2.0).abs() < 1e-12);
                for i in 0..count - 1 {
                    let mut at = |h: f64| {
                        Guide::<f64>::parameters_mut(&mut guide)[i] += h;
                        let v = inverse(&guide, of_draw);
                        Guide::<f64>::parameters_mut(&mut guide)[i] -= h;
                        v.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>()
                    };
                    let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
                    assert!(
                        (gradient[i] - numeric).abs() < 1e-6 * (1.0 + numeric.abs()),
                        "{full}, {s}, {i}: {} {numeric}",
                        gradient[i]
                    );
                }
            }
        }
    }
}
