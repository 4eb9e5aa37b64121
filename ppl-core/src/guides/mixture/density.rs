//! The log density of a mixture, that of its components, and their pullbacks.

use super::Mixture;
use crate::kernel::{Kernel, Lanes, Real};

/// `ln(2 pi) / 2`
pub(super) const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

impl Mixture {
    /// `T_k^-1 (u - loc_k)`, `[dimension][sample]`, and the log density of the component (`[sample]`).
    #[inline(always)]
    pub(super) fn standardize<E: Real>(&self, k: usize, u: &[E], samples: usize, z: &mut [f64], log_density: &mut [f64]) {
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
    pub(super) fn pull_log_weights(&self, adjoint: &[f64], gradient: &mut [f64]) {
        let total: f64 = adjoint.iter().sum();
        for ((gradient, adjoint), log_weight) in gradient.iter_mut().zip(adjoint).zip(self.log_weights()) {
            *gradient += adjoint - log_weight.exp() * total;
        }
    }
}

pub(super) struct LogProb<'a, E> {
    pub(super) guide: &'a Mixture,
    pub(super) u: &'a [E],
    pub(super) samples: usize,
    pub(super) out: &'a mut [f64],
}

impl<E: Real> Kernel<E> for LogProb<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        self.out.copy_from_slice(&self.guide.joint(self.u, self.samples).1);
    }
}

pub(super) struct PullLogProb<'a, E> {
    pub(super) guide: &'a Mixture,
    pub(super) u: &'a [E],
    pub(super) samples: usize,
    pub(super) weights: &'a [f64],
    pub(super) u_adjoint: Option<&'a mut [E]>,
    pub(super) gradient: Option<&'a mut [f64]>,
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
