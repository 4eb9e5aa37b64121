//! A monotone rational-quadratic spline.

use super::affine::Affine;
use super::transform::Transform;
use crate::kernel::Lanes;

/// A spline of quadratics over quadratics that maps -4 to 4 on itself, the identity beyond; then a shift and a scale ([`Affine`]), so that
/// what it bends need not stay in its place.
///
/// The `3 K + 1` parameters of `K` bins: their widths and their heights, as logits; the derivatives at the `K - 1` inner knots, before a softplus; the
/// two of the affine map.
///
/// # Source
/// Durkan, Bekasov, Murray & Papamakarios 2019, Neural spline flows, section 3.1; Gregory & Delbourgo 1982.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spline {
    /// 2 to [`MOST_BINS`].
    pub(super) bins: usize,
}

/// The most bins.
pub(super) const MOST_BINS: usize = 16;
/// Half of the interval that is bent.
const RANGE: f64 = 4.0;
/// The smallest share that a bin has of the interval.
const LEAST: f64 = 1e-3;
/// The smallest derivative at a knot.
const FLATTEST: f64 = 1e-3;
/// The softplus of this is one less the smallest derivative: zero parameters give derivatives of one.
const UNIT: f64 = 0.539_742_417_236_952;

/// The bin of a number.
struct Bin<V> {
    /// Its place, as a number.
    index: V,
    left: V,
    width: V,
    bottom: V,
    height: V,
    /// The derivatives at its ends.
    slopes: [V; 2],
}

/// What is computed of the parameters.
struct Knots<V> {
    bins: usize,
    /// Shares of the interval, but for the least.
    widths: [V; MOST_BINS],
    heights: [V; MOST_BINS],
    /// At the left of each bin, and at the end; one at both ends.
    slopes: [V; MOST_BINS + 1],
}

/// The softmax of some logits.
#[inline(always)]
fn softmax<V: Lanes<Element = f64>>(logits: &[V]) -> [V; MOST_BINS] {
    let mut most = logits[0];
    for logit in logits {
        most = most.max(*logit);
    }
    let (mut shares, mut sum) = ([V::zero(); MOST_BINS], V::zero());
    for (share, logit) in shares.iter_mut().zip(logits) {
        *share = (*logit - most).exp();
        sum = sum + *share;
    }
    let inverse = V::constant(1.0) / sum;
    for share in &mut shares[..logits.len()] {
        *share = *share * inverse;
    }
    shares
}

impl<V: Lanes<Element = f64>> Knots<V> {
    #[inline(always)]
    fn new(bins: usize, parameters: &[V]) -> Self {
        let (widths, heights) = (softmax(&parameters[..bins]), softmax(&parameters[bins..2 * bins]));
        let mut slopes = [V::constant(1.0); MOST_BINS + 1];
        for k in 1..bins {
            slopes[k] = (parameters[2 * bins + k - 1] + V::constant(UNIT)).softplus() + V::constant(FLATTEST);
        }
        Knots { bins, widths, heights, slopes }
    }

    /// The size of a bin, of its share.
    #[inline(always)]
    fn size(&self, share: V) -> V {
        share.mul_add(V::constant(self.share()), V::constant(2.0 * RANGE * LEAST))
    }

    /// By how much a size changes with its share.
    #[inline(always)]
    fn share(&self) -> f64 {
        2.0 * RANGE * (1.0 - self.bins as f64 * LEAST)
    }

    /// The bin of an `x`, or, the roles changed, of a `y`.
    #[inline(always)]
    fn find(&self, number: V, by_height: bool) -> Bin<V> {
        let (mut left, mut bottom) = (V::constant(-RANGE), V::constant(-RANGE));
        let mut bin = Bin {
            index: V::zero(),
            left,
            width: self.size(self.widths[0]),
            bottom,
            height: self.size(self.heights[0]),
            slopes: [self.slopes[0], self.slopes[1]],
        };
        for k in 1..self.bins {
            left = left + self.size(self.widths[k - 1]);
            bottom = bottom + self.size(self.heights[k - 1]);
            let here = (if by_height { bottom } else { left }).le(number);
            bin.index = V::select(here, V::constant(k as f64), bin.index);
            bin.left = V::select(here, left, bin.left);
            bin.bottom = V::select(here, bottom, bin.bottom);
            bin.width = V::select(here, self.size(self.widths[k]), bin.width);
            bin.height = V::select(here, self.size(self.heights[k]), bin.height);
            bin.slopes = [0, 1].map(|end| V::select(here, self.slopes[k + end], bin.slopes[end]));
        }
        bin
    }
}

/// The numbers of a bin at one place of it, in the letters of Durkan et al., `share` being their xi.
struct At<V> {
    share: V,
    product: V,
    secant: V,
    numerator: V,
    bend: V,
    denominator: V,
    steepness: V,
}

impl<V: Lanes<Element = f64>> Bin<V> {
    #[inline(always)]
    fn at(&self, x: V) -> At<V> {
        let (one, two) = (V::constant(1.0), V::constant(2.0));
        let share = (x - self.left) / self.width;
        let rest = one - share;
        let (product, secant) = (share * rest, self.height / self.width);
        let bend = self.slopes[0] + self.slopes[1] - two * secant;
        At {
            share,
            product,
            secant,
            numerator: secant * share * share + self.slopes[0] * product,
            bend,
            denominator: secant + bend * product,
            steepness: self.slopes[1] * share * share + two * secant * product + self.slopes[0] * rest * rest,
        }
    }
}

impl Spline {
    /// Inside the interval; beyond it, any number inside.
    #[inline(always)]
    fn clamp<V: Lanes<Element = f64>>(x: V) -> V {
        x.max(V::constant(-RANGE)).min(V::constant(RANGE))
    }

    /// The spline and the logarithm of its derivative.
    #[inline(always)]
    fn bend<V: Lanes<Element = f64>>(self, x: V, parameters: &[V]) -> (V, V) {
        let knots = Knots::new(self.bins, parameters);
        let inside = x.abs().lt(V::constant(RANGE));
        let bin = knots.find(Self::clamp(x), false);
        let at = bin.at(Self::clamp(x));
        let y = bin.bottom + bin.height * at.numerator / at.denominator;
        let slope = at.secant / at.denominator;
        let log_derivative = (slope * slope * at.steepness).ln();
        (V::select(inside, y, x), V::select(inside, log_derivative, V::zero()))
    }

    /// As [`Transform::pull`], of the spline alone.
    #[inline(always)]
    fn pull_bend<V: Lanes<Element = f64>>(self, x: V, parameters: &[V], given: V, log_adjoint: V, adjoint: &mut [V]) -> V {
        let knots = Knots::new(self.bins, parameters);
        let inside = x.abs().lt(V::constant(RANGE));
        let bin = knots.find(Self::clamp(x), false);
        let at = bin.at(Self::clamp(x));
        let (one, two) = (V::constant(1.0), V::constant(2.0));
        let y_adjoint = V::select(inside, given, V::zero());
        let log_adjoint = V::select(inside, log_adjoint, V::zero());

        // y = bottom + height numerator / denominator; ln y' = 2 ln secant + ln steepness - 2 ln denominator.
        let (share, product, secant) = (at.share, at.product, at.secant);
        let rest = one - share;
        let inverse = one / at.denominator;
        let ratio = at.numerator * inverse;
        let d_numerator = y_adjoint * bin.height * inverse;
        let d_denominator = -(d_numerator * ratio + two * log_adjoint * inverse);
        let d_steepness = log_adjoint / at.steepness;
        let d_secant = two * log_adjoint / secant
            + d_steepness * two * product
            + d_denominator * (one - two * product)
            + d_numerator * share * share;
        let d_product = d_numerator * bin.slopes[0] + d_denominator * at.bend + d_steepness * two * secant;
        let d_slopes = [
            (d_numerator + d_denominator) * product + d_steepness * rest * rest,
            d_denominator * product + d_steepness * share * share,
        ];
        let d_share = d_numerator * two * secant * share
            + d_product * (rest - share)
            + d_steepness * two * (bin.slopes[1] * share - bin.slopes[0] * rest);
        let by_width = one / bin.width;
        let d_x = d_share * by_width;
        let d_height = y_adjoint * ratio + d_secant * by_width;
        let d_width = -(d_secant * secant + d_share * share) * by_width;

        // The left end is the sum of the widths before it, and the bottom that of the heights.
        let (widths, rest) = adjoint.split_at_mut(self.bins);
        let (heights, slopes) = rest.split_at_mut(self.bins);
        for k in 0..self.bins {
            let (place, zero) = (V::constant(k as f64), V::zero());
            let (own, before) = (bin.index.eq(place), place.lt(bin.index));
            widths[k] = V::select(own, d_width, V::select(before, -d_x, zero));
            heights[k] = V::select(own, d_height, V::select(before, y_adjoint, zero));
            if k > 0 {
                let after = bin.index.eq(V::constant(k as f64 - 1.0));
                let d_slope = V::select(own, d_slopes[0], V::select(after, d_slopes[1], zero));
                slopes[k - 1] = d_slope * (parameters[2 * self.bins + k - 1] + V::constant(UNIT)).sigmoid();
            }
        }
        for (shares, adjoint) in [(&knots.widths, widths), (&knots.heights, heights)] {
            let mut mean = V::zero();
            for (share, d) in shares.iter().zip(&*adjoint) {
                mean = share.mul_add(*d, mean);
            }
            for (share, d) in shares.iter().zip(adjoint) {
                *d = *share * (*d - mean) * V::constant(knots.share());
            }
        }
        V::select(inside, d_x, given)
    }
}

impl Transform for Spline {
    fn parameters(self) -> usize {
        3 * self.bins + 1
    }

    #[inline(always)]
    fn forward<V: Lanes<Element = f64>>(self, x: V, parameters: &[V]) -> (V, V) {
        let (bent, log_derivative) = self.bend(x, parameters);
        let (y, log_scale) = Affine.forward(bent, &parameters[3 * self.bins - 1..]);
        (y, log_derivative + log_scale)
    }

    #[inline(always)]
    fn inverse<V: Lanes<Element = f64>>(self, y: V, parameters: &[V]) -> V {
        let bent = Affine.inverse(y, &parameters[3 * self.bins - 1..]);
        let inside = bent.abs().lt(V::constant(RANGE));
        let clamped = Self::clamp(bent);
        let bin = Knots::new(self.bins, parameters).find(clamped, true);
        // The root of a quadratic, in the form that does not cancel: Durkan et al., equations 25 to 29.
        let up = clamped - bin.bottom;
        let secant = bin.height / bin.width;
        let bend = up * (bin.slopes[0] + bin.slopes[1] - V::constant(2.0) * secant);
        let a = bin.height * (secant - bin.slopes[0]) + bend;
        let b = bin.height * bin.slopes[0] - bend;
        let c = -(secant * up);
        let root = (b * b - V::constant(4.0) * a * c).max(V::zero()).sqrt();
        let share = V::constant(2.0) * c / -(b + root);
        V::select(inside, share.mul_add(bin.width, bin.left), bent)
    }

    #[inline(always)]
    fn pull<V: Lanes<Element = f64>>(self, x: V, parameters: &[V], y_adjoint: V, log_adjoint: V, adjoint: &mut [V]) -> V {
        let (bent, _) = self.bend(x, parameters);
        let (of_bend, of_affine) = adjoint.split_at_mut(3 * self.bins - 1);
        let bent_adjoint = Affine.pull(bent, &parameters[3 * self.bins - 1..], y_adjoint, log_adjoint, of_affine);
        self.pull_bend(x, parameters, bent_adjoint, log_adjoint, of_bend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laws_of_transforms_hold() {
        for bins in [2, 3, 8] {
            super::super::transform::laws::check(Spline { bins }, 0.8);
        }
    }

    #[test]
    fn zero_parameters_give_unit_derivatives() {
        assert!(((1.0 + UNIT.exp()).ln() + FLATTEST - 1.0).abs() < 1e-15);
    }
}
