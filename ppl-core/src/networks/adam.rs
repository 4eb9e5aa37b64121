//! Adam over flat parameters in one pass over the memory, on all cores.

use rayon::prelude::*;

use super::NetworkError;
use super::elementwise::{load, store};
use super::parallel::in_pool;
use super::parameterized::check;
use crate::kernel::{Kernel, Lanes, Real, Sum, dispatch};

/// The elements of a part of a step: it is bound by memory, so that parts are larger than elsewhere.
const PART: usize = 1 << 14;

/// How Adam steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// The decays of the moments; each at least 0 and below 1. Default (0.9, 0.999).
    pub decays: (f64, f64),
    /// Added to the root of the second moment; positive. Default 1e-8.
    pub epsilon: f64,
    /// The largest norm of the whole gradient: one that is larger is scaled down to it; positive. Default none.
    pub largest_norm: Option<f64>,
}

impl Default for AdamConfig {
    fn default() -> Self {
        AdamConfig { decays: (0.9, 0.999), epsilon: 1e-8, largest_norm: None }
    }
}

/// The moments of the gradient (Kingma & Ba 2015, algorithm 1), as an ascent.
///
/// # Examples
/// The first step has the length of the rate:
/// ```
/// use ppl_core::networks::{AdamConfig, AdamState};
/// let (mut parameters, mut gradient) = ([1.0_f64], [-4.0]);
/// AdamState::new(1, AdamConfig::default()).step(0.5, &mut parameters, &mut gradient)?;
/// assert!((parameters[0] - 0.5).abs() < 1e-8);
/// assert_eq!(gradient, [0.0]);
/// # Ok::<(), ppl_core::networks::NetworkError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AdamState<E> {
    config: AdamConfig,
    first: Vec<E>,
    second: Vec<E>,
    steps: u64,
    /// What each part says of its gradient.
    parts: Vec<f64>,
}

impl<E: Real> AdamState<E> {
    /// Moments of nothing yet.
    #[must_use]
    pub fn new(parameters: usize, config: AdamConfig) -> Self {
        let moments = vec![E::default(); parameters];
        let parts = vec![0.0; parameters.div_ceil(PART)];
        AdamState { config, first: moments.clone(), second: moments, steps: 0, parts }
    }

    /// The steps made.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The two moments, for a checkpoint.
    #[must_use]
    pub fn moments(&self) -> (&[E], &[E]) {
        (&self.first, &self.second)
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if the moments are not as many as the parameters.
    pub fn resume(&mut self, steps: u64, first: &[E], second: &[E]) -> Result<(), NetworkError> {
        check("first moments", first.len(), self.first.len())?;
        check("second moments", second.len(), self.second.len())?;
        self.first.copy_from_slice(first);
        self.second.copy_from_slice(second);
        self.steps = steps;
        Ok(())
    }

    /// Makes a step up the gradient, which is cleared for the next one.
    ///
    /// # Errors
    /// [`NetworkError::Length`]; [`NetworkError::Gradient`] if a largest norm is set and that of the gradient is not finite: nothing is changed then.
    pub fn step(&mut self, rate: f64, parameters: &mut [E], gradient: &mut [E]) -> Result<(), NetworkError> {
        check("gradient", gradient.len(), self.first.len())?;
        let scale = match self.config.largest_norm {
            None => 1.0,
            Some(largest) => {
                let norm = self.sum_of_squares(gradient).sqrt();
                if !norm.is_finite() {
                    return Err(NetworkError::Gradient { norm: norm.to_string() });
                }
                if norm > largest { largest / norm } else { 1.0 }
            }
        };
        self.step_scaled(rate, scale, parameters, gradient).map(drop)
    }

    /// A step up a multiple of the gradient, which is cleared for the next one; gives whether it was finite.
    pub(crate) fn step_scaled(
        &mut self,
        rate: f64,
        scale: f64,
        parameters: &mut [E],
        gradient: &mut [E],
    ) -> Result<bool, NetworkError> {
        check("parameters", parameters.len(), self.first.len())?;
        check("gradient", gradient.len(), self.first.len())?;
        self.steps += 1;
        let power = |decay: f64| decay.powf(self.steps as f64);
        let (b1, b2) = self.config.decays;
        let (c1, c2) = (1.0 / (1.0 - power(b1)), 1.0 / (1.0 - power(b2)));
        let constants = Constants {
            decays: (E::from_f64(b1), E::from_f64(b2)),
            shares: (E::from_f64((1.0 - b1) * scale), E::from_f64((1.0 - b2) * scale * scale)),
            // rate c1 m / (sqrt(c2 v) + epsilon), with the root of c2 taken out.
            rate: E::from_f64(rate * c1 / c2.sqrt()),
            epsilon: E::from_f64(self.config.epsilon / c2.sqrt()),
        };
        let (first, second, parts) = (&mut self.first, &mut self.second, &mut self.parts);
        in_pool(parameters.len() * 8, || {
            parameters
                .par_chunks_mut(PART)
                .zip(gradient.par_chunks_mut(PART))
                .zip(first.par_chunks_mut(PART).zip(second.par_chunks_mut(PART)))
                .zip(parts.par_iter_mut())
                .for_each(|(((parameters, gradient), (first, second)), watch)| {
                    *watch = dispatch(Step { constants, parameters, gradient, first, second });
                });
        });
        Ok(self.parts.iter().all(|watch| *watch == 0.0))
    }

    /// That of a gradient: sums of parts of a fixed size, added in their order.
    pub(crate) fn sum_of_squares(&mut self, gradient: &[E]) -> f64 {
        let parts = &mut self.parts;
        in_pool(gradient.len() * 8, || {
            parts.par_iter_mut().zip(gradient.par_chunks(PART)).for_each(|(sum, part)| *sum = dispatch(SumOfSquares { part }));
        });
        parts.iter().sum()
    }
}

#[derive(Clone, Copy)]
struct Constants<E> {
    decays: (E, E),
    shares: (E, E),
    rate: E,
    epsilon: E,
}

struct Step<'a, E> {
    constants: Constants<E>,
    parameters: &'a mut [E],
    gradient: &'a mut [E],
    first: &'a mut [E],
    second: &'a mut [E],
}

impl<E: Real> Kernel<E> for Step<'_, E> {
    /// Zero if the whole gradient is finite, else `NaN`.
    type Output = f64;

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) -> f64 {
        let Constants { decays, shares, rate, epsilon } = self.constants;
        let (b1, b2) = (V::splat(decays.0), V::splat(decays.1));
        let (s1, s2) = (V::splat(shares.0), V::splat(shares.1));
        let (rate, epsilon) = (V::splat(rate), V::splat(epsilon));
        let mut watch = V::zero();
        let mut at = 0;
        while at < self.parameters.len() {
            let end = self.parameters.len().min(at + V::WIDTH);
            let g = load::<V>(&self.gradient[at..end]);
            let m = b1.mul_add(load(&self.first[at..end]), s1 * g);
            let v = b2.mul_add(load(&self.second[at..end]), s2 * g * g);
            let x = rate.mul_add(m / (v.sqrt() + epsilon), load(&self.parameters[at..end]));
            store(m, &mut self.first[at..end]);
            store(v, &mut self.second[at..end]);
            store(x, &mut self.parameters[at..end]);
            store(V::zero(), &mut self.gradient[at..end]);
            watch = g.mul_add(V::zero(), watch);
            at = end;
        }
        let mut lanes = [E::default(); 16];
        watch.store(&mut lanes);
        lanes.iter().map(|x| x.to_f64()).sum()
    }
}

struct SumOfSquares<'a, E> {
    part: &'a [E],
}

impl<E: Real> Kernel<E> for SumOfSquares<'_, E> {
    type Output = f64;

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) -> f64 {
        let mut sum = V::Sum::zero();
        let mut at = 0;
        while at < self.part.len() {
            let g = load::<V>(&self.part[at..self.part.len().min(at + V::WIDTH)]);
            sum.add_product(g, g);
            at += V::WIDTH;
        }
        let mut lanes = [0.0; 16];
        sum.add_to(&mut lanes);
        lanes.iter().sum()
    }
}
