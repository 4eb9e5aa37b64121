//! Probabilities from logits, relaxed draws, the divergence of probabilities from others, and the derivatives of all.

use crate::kernel::{Kernel, Lanes, Real, Sum as _};

/// The shape of probabilities and what goes with them, `[element][value][lane]`; of one of two values, only the logit of the second is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) elements: usize,
    pub(super) values: usize,
    pub(super) binary: bool,
    pub(super) lanes: usize,
}

impl Shape {
    /// Where a number for each lane begins.
    #[inline(always)]
    pub(super) fn at(self, element: usize, value: usize) -> usize {
        (element * self.values + value) * self.lanes
    }

    /// The place of a logit, or of what goes with it; none of the first of two, which is zero.
    #[inline(always)]
    pub(super) fn of_logit(self, element: usize, value: usize) -> Option<usize> {
        match (self.binary, value) {
            (false, _) => Some(self.at(element, value)),
            (true, 0) => None,
            (true, _) => Some(element * self.lanes),
        }
    }

    #[inline(always)]
    fn logit<V: Lanes>(self, logits: &[V::Element], (element, value): (usize, usize), lane: usize) -> V {
        self.of_logit(element, value).map_or_else(V::zero, |at| V::load(&logits[at + lane..]))
    }
}

/// Probabilities from logits; with uniform noise a draw of the Concrete distribution at a temperature.
///
/// # Source
/// Maddison, Mnih & Teh 2017, The Concrete distribution; Jang, Gu & Poole 2017, Categorical reparameterization with Gumbel-softmax.
pub(super) struct Softmax<'a, E> {
    pub(super) shape: Shape,
    pub(super) logits: &'a [E],
    pub(super) noise: Option<(&'a [E], f64)>,
    pub(super) to: &'a mut [E],
}

impl<E: Real> Kernel<E> for Softmax<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Softmax { shape, logits, noise, to } = self;
        for element in 0..shape.elements {
            for lane in (0..shape.lanes).step_by(V::WIDTH) {
                let mut most = V::constant(f64::NEG_INFINITY);
                for value in 0..shape.values {
                    let mut logit: V = shape.logit(logits, (element, value), lane);
                    if let Some((uniform, temperature)) = noise {
                        let gumbel = -(-V::load(&uniform[shape.at(element, value) + lane..]).ln()).ln();
                        logit = (logit + gumbel) * V::constant(1.0 / temperature);
                    }
                    logit.store(&mut to[shape.at(element, value) + lane..]);
                    most = most.max(logit);
                }
                let mut sum = V::zero();
                for value in 0..shape.values {
                    let own = &mut to[shape.at(element, value) + lane..];
                    let exp = (V::load(own) - most).exp();
                    exp.store(own);
                    sum = sum + exp;
                }
                let each = V::constant(1.0) / sum;
                for value in 0..shape.values {
                    let own = &mut to[shape.at(element, value) + lane..];
                    (V::load(own) * each).store(own);
                }
            }
        }
    }
}

/// Adds the divergence of probabilities from those whose logarithms are given, and leaves the logarithms of their ratios in the place of these.
pub(super) struct Diverge<'a, E> {
    pub(super) shape: Shape,
    pub(super) probabilities: &'a [E],
    /// The logarithms of prior probabilities, and then of the ratios.
    pub(super) logs: &'a mut [E],
    pub(super) divergence: &'a mut [f64],
    /// The lanes that count.
    pub(super) real: usize,
    /// The sum over these, of each element.
    pub(super) by_element: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Diverge<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Diverge { shape, probabilities, logs, divergence, real, by_element } = self;
        by_element.fill(0.0);
        for lane in (0..shape.lanes).step_by(V::WIDTH) {
            let mut sum = V::Sum::zero();
            let counting = real.saturating_sub(lane).min(V::WIDTH);
            for (element, total) in by_element.iter_mut().enumerate() {
                let mut own = V::zero();
                for value in 0..shape.values {
                    let at = shape.at(element, value) + lane;
                    let probability = V::load(&probabilities[at..]);
                    let ratio = probability.ln() - V::load(&logs[at..]);
                    // What is never drawn costs nothing, whatever its prior.
                    let ratio = V::select(probability.eq(V::zero()), V::zero(), ratio);
                    ratio.store(&mut logs[at..]);
                    own = own + probability * ratio;
                }
                sum += own;
                let mut lanes = [E::default(); 16];
                own.store(&mut lanes);
                *total += lanes[..counting].iter().map(|x| x.to_f64()).sum::<f64>();
            }
            sum.add_to(&mut divergence[lane..]);
        }
    }
}

/// Adds to the adjoints of logits what the adjoints of their softmax give, times a weight for each lane; one of weight zero is zero whatever it was.
pub(super) struct Pull<'a, E> {
    pub(super) shape: Shape,
    pub(super) softmax: &'a [E],
    /// By the numbers of the softmax; of two values as the logits where `by_logit`.
    pub(super) adjoints: &'a [E],
    pub(super) by_logit: bool,
    pub(super) weights: Option<&'a [E]>,
    /// Of all.
    pub(super) scale: f64,
    /// The elements whose adjoints count.
    pub(super) above: Option<&'a [bool]>,
    pub(super) to: &'a mut [E],
}

impl<E: Real> Kernel<E> for Pull<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let Pull { shape, softmax, adjoints, by_logit, weights, scale, above, to } = self;
        let adjoint = |element: usize, value: usize, lane: usize| -> V {
            if by_logit {
                shape.logit(adjoints, (element, value), lane)
            } else {
                V::load(&adjoints[shape.at(element, value) + lane..])
            }
        };
        for element in (0..shape.elements).filter(|&element| above.is_none_or(|above| above[element])) {
            for lane in (0..shape.lanes).step_by(V::WIDTH) {
                let mut mean = V::zero();
                for value in 0..shape.values {
                    mean = V::load(&softmax[shape.at(element, value) + lane..]).mul_add(adjoint(element, value, lane), mean);
                }
                let weight = weights.map_or_else(|| V::constant(1.0), |weights| V::load(&weights[lane..]));
                for value in 0..shape.values {
                    let Some(at) = shape.of_logit(element, value) else { continue };
                    let own = V::load(&softmax[shape.at(element, value) + lane..]) * (adjoint(element, value, lane) - mean);
                    let own = V::select(weight.eq(V::zero()), V::zero(), own * weight * V::constant(scale));
                    let to = &mut to[at + lane..];
                    (V::load(to) + own).store(to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Diverge, Pull, Shape, Softmax};
    use crate::kernel::{Real, dispatch};

    const LANES: usize = f64::LANE_MULTIPLE;

    fn numbers(rows: usize, seed: usize) -> Vec<f64> {
        (0..rows * LANES).map(|at| ((at * 7919 + seed * 104_729) % 1000) as f64 / 400.0 - 1.2).collect()
    }

    /// A sum of relaxed numbers times others, and minus the divergence from some logarithms, of all lanes.
    fn objective(shape: Shape, logits: &[f64], noise: Option<(&[f64], f64)>, by: &[f64]) -> f64 {
        let mut softmax = vec![0.0; shape.elements * shape.values * shape.lanes];
        dispatch(Softmax { shape, logits, noise, to: &mut softmax });
        if noise.is_some() {
            return softmax.iter().zip(by).map(|(x, by)| x * by).sum();
        }
        let (mut logs, mut divergence) = (by.to_vec(), vec![0.0; shape.lanes]);
        let mut by_element = vec![0.0; shape.elements];
        let real = shape.lanes;
        dispatch(Diverge {
            shape,
            probabilities: &softmax,
            logs: &mut logs,
            divergence: &mut divergence,
            real,
            by_element: &mut by_element,
        });
        let total: f64 = divergence.iter().sum();
        assert!((total - by_element.iter().sum::<f64>()).abs() < 1e-9);
        total
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        for (values, binary) in [(3, false), (2, true)] {
            let shape = Shape { elements: 2, values, binary, lanes: LANES };
            let rows = shape.elements * values;
            let logits = numbers(if binary { shape.elements } else { rows }, 1);
            let by = numbers(rows, 2);
            let uniform: Vec<f64> = numbers(rows, 3).iter().map(|x| 0.5 + 0.3 * x).collect();
            for noise in [None, Some((&uniform[..], 0.7))] {
                let mut softmax = vec![0.0; rows * LANES];
                dispatch(Softmax { shape, logits: &logits, noise, to: &mut softmax });
                let mut adjoints = by.clone();
                if noise.is_none() {
                    let (mut divergence, mut by_element) = (vec![0.0; LANES], vec![0.0; shape.elements]);
                    dispatch(Diverge {
                        shape,
                        probabilities: &softmax,
                        logs: &mut adjoints,
                        divergence: &mut divergence,
                        real: LANES,
                        by_element: &mut by_element,
                    });
                }
                let mut found = vec![0.0; logits.len()];
                let scale = noise.map_or(1.0, |(_, temperature)| 1.0 / temperature);
                dispatch(Pull {
                    shape,
                    softmax: &softmax,
                    adjoints: &adjoints,
                    by_logit: false,
                    weights: None,
                    scale,
                    above: None,
                    to: &mut found,
                });
                for i in 0..logits.len() {
                    let moved = |h: f64| {
                        let mut moved = logits.clone();
                        moved[i] += h;
                        objective(shape, &moved, noise, &by)
                    };
                    let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    assert!((found[i] - numeric).abs() < 1e-7, "{i}: {} {numeric}", found[i]);
                }
            }
        }
    }
}
