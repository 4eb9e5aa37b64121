//! Samples in strata: each component has a run of them in either half, and the path from its parameters to these.

use std::ops::Range;

use super::Mixture;
use crate::guides::Path;
use crate::kernel::{Kernel, Lanes, Real};

impl Mixture {
    /// The component of a sample of the strata: both halves of an antithetic pair belong to the same.
    pub(super) fn stratum(&self, sample: usize, samples: usize) -> usize {
        let half = samples / 2;
        (sample % half) * self.components / half
    }

    /// The runs of samples of each component: in either half.
    #[inline(always)]
    pub(super) fn runs(&self, samples: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
        let (half, count) = (samples / 2, self.components);
        (0..count).flat_map(move |k| {
            let run = (k * half).div_ceil(count)..((k + 1) * half).div_ceil(count);
            [(k, run.clone()), (k, half + run.start..half + run.end)]
        })
    }

    /// Samples of one component, of noise.
    #[inline(always)]
    pub(super) fn place<E: Real>(&self, k: usize, noise: &[E], samples: usize, run: Range<usize>, u: &mut [E]) {
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
}

pub(super) struct Sample<'a, E> {
    pub(super) guide: &'a Mixture,
    pub(super) noise: &'a [E],
    pub(super) samples: usize,
    pub(super) u: &'a mut [E],
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

pub(super) struct PullSample<'a, E> {
    pub(super) guide: &'a Mixture,
    pub(super) path: Path<'a, E>,
    pub(super) u_adjoint: &'a mut [E],
    pub(super) gradient: &'a mut [f64],
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
