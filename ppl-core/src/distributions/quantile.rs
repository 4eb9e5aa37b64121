//! Draws as smooth functions of normal noise, on the unconstrained scale, over lanes: the quantile at the probability below the noise.
//!
//! The unconstrained number `u` is the value itself where it is real, the logarithm of a positive one, the log odds of one between zero and one or of an angle. Where the value
//! of `u` can no longer be told from an end of its support (a gamma variable of shape 0.01 is below 1e-300 more often than not), the tail is taken for a power of the
//! distance to that end, as that of every family of the catalogue is: `ln F`, the log density and the derivatives by parameters are continued as straight lines in `u`.
//! Of the families whose tail becomes a power only where `x^shape` is small (`Weibull`, `Frechet`, `Kumaraswamy`), that asks for shapes above 0.05.

use super::special::ln_one_minus_exp;
use super::{Cumulative, Support};
use crate::kernel::{Lanes, Mask};

/// A probability, known by the standard normal number below which that much lies.
#[derive(Clone, Copy, Debug)]
pub struct Probability<V> {
    /// The standard normal number.
    pub noise: V,
    /// The logarithm of the probability.
    pub ln_below: V,
    /// The logarithm of one minus the probability.
    pub ln_above: V,
}

impl<V: Lanes> Probability<V> {
    /// Of what lies below a standard normal number.
    #[inline(always)]
    pub fn below(noise: V) -> Self {
        Probability { noise, ln_below: noise.ln_normal_cdf(), ln_above: (-noise).ln_normal_cdf() }
    }

    /// One minus the probability.
    #[inline(always)]
    #[must_use]
    pub fn mirrored(self) -> Self {
        Probability { noise: -self.noise, ln_below: self.ln_above, ln_above: self.ln_below }
    }

    /// Near the logarithm of the size of a standard normal number that is exceeded with the rest of the probability.
    #[inline(always)]
    pub(super) fn ln_half_normal(self) -> V {
        let far = V::constant(0.5) * self.noise.mul_add(self.noise, V::constant(0.455)).ln();
        V::select(self.noise.lt(V::zero()), self.ln_below + V::constant(0.226), far)
    }

    /// Near the logarithm of a quantile of the gamma distribution of rate one (Wilson & Hilferty 1931; below it, where the density is a power).
    #[inline(always)]
    pub(super) fn ln_gamma(self, shape: V) -> V {
        let (one, third) = (V::constant(1.0), V::constant(1.0 / 3.0));
        let power = (self.ln_below + (shape + one).lgamma()) / shape;
        let root = one - third * third / shape + third * self.noise / shape.sqrt();
        let cube = shape.ln() + V::constant(3.0) * root.max(V::constant(0.3)).ln();
        let large = V::select(V::constant(0.3).lt(root), cube, power);
        let small = V::select(power.lt(-one), power, (-self.ln_above).ln());
        V::select(shape.lt(one), small, large)
    }

    /// Near the logarithm of a quantile of the ratio of two gamma variables: the log odds of a beta variable.
    #[inline(always)]
    pub(super) fn ln_gamma_ratio(self, alpha: V, beta: V) -> V {
        (alpha.trigamma() + beta.trigamma()).sqrt().mul_add(self.noise, alpha.digamma() - beta.digamma())
    }

    /// Near the quantile of Student's t, which is as far out as its tail is heavy.
    #[inline(always)]
    pub(super) fn spread(size: V, df: V) -> V {
        (df * (size * size / df).min(V::constant(80.0)).exp_m1()).sqrt()
    }
}

/// What the unconstrained number of a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    /// The value.
    Line,
    /// The logarithm of a positive value.
    Logarithm,
    /// The log odds of a value between two numbers.
    Odds { lower: f64, width: f64 },
}

impl Scale {
    #[inline(always)]
    fn of<D: Cumulative<P>, const P: usize>() -> Self {
        match (D::SUPPORT, D::BETWEEN) {
            (_, Some([lower, upper])) => Scale::Odds { lower, width: upper - lower },
            (Support::Positive | Support::NonNegative, None) => Scale::Logarithm,
            (Support::Unit, None) => Scale::Odds { lower: 0.0, width: 1.0 },
            _ => Scale::Line,
        }
    }

    /// Between which unconstrained numbers the value, its square and its inverse have their digits.
    #[inline(always)]
    fn ends<V: Lanes>(self) -> Option<[V; 2]> {
        let is_single = size_of::<V::Element>() == 4;
        let ends = match (self, is_single) {
            (Scale::Line, _) => return None,
            (Scale::Logarithm, false) => [-600.0, 340.0],
            (Scale::Logarithm, true) => [-80.0, 40.0],
            // What is left up to the end, one minus the value, has the digits that it leaves it.
            (Scale::Odds { lower: 0.0, .. }, false) => [-600.0, 18.0],
            (Scale::Odds { lower: 0.0, .. }, true) => [-80.0, 8.0],
            (Scale::Odds { .. }, false) => [-18.0, 18.0],
            (Scale::Odds { .. }, true) => [-8.0, 8.0],
        };
        Some(ends.map(V::constant))
    }

    /// The number between the ends that is nearest, and how far beyond it lies.
    #[inline(always)]
    fn clamped<V: Lanes>(self, u: V) -> (V, V) {
        let Some([first, last]) = self.ends::<V>() else { return (u, V::zero()) };
        let inside = u.max(first).min(last);
        (inside, u - inside)
    }

    /// The value at an unconstrained number.
    #[inline(always)]
    fn number<V: Lanes>(self, u: V) -> Number<V> {
        let (zero, one) = (V::zero(), V::constant(1.0));
        match self {
            Scale::Line => Number { x: u, dx: one, ln_dx: zero, d_ln_dx: zero },
            Scale::Logarithm => {
                let x = u.exp();
                Number { x, dx: x, ln_dx: u, d_ln_dx: one }
            }
            Scale::Odds { lower, width } => {
                let (share, rest) = (u.sigmoid(), (-u).sigmoid());
                let size = u.abs();
                let ln = -(size + V::constant(2.0) * (-size).exp().ln_1p());
                let (lower, ln_width, width) = (V::constant(lower), V::constant(width.ln()), V::constant(width));
                Number { x: width.mul_add(share, lower), dx: width * (share * rest), ln_dx: ln + ln_width, d_ln_dx: rest - share }
            }
        }
    }
}

/// The value at an unconstrained number.
struct Number<V> {
    x: V,
    /// `dx / du`
    dx: V,
    ln_dx: V,
    /// `d ln (dx / du) / du`
    d_ln_dx: V,
}

/// The log density of an unconstrained number, with its derivatives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Density<V, const P: usize> {
    pub(crate) ln: V,
    pub(crate) d_u: V,
    pub(crate) d_params: [V; P],
}

/// What is asked of a distribution.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<V> {
    /// The number up to which another one is with the probability below the noise.
    Draw(V),
    /// The density of an unconstrained number.
    Density(V),
    /// The density, and how the number, as a draw, moves with the parameters.
    Velocity(V),
}

/// What was asked for; the rest is zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<V, const P: usize> {
    pub(crate) u: V,
    pub(crate) density: Density<V, P>,
    /// `du / d theta` at constant probability.
    pub(crate) velocity: [V; P],
}

/// A distribution at an unconstrained number, or at the nearest one that is between the ends.
#[derive(Clone, Copy)]
struct Point<V, const P: usize> {
    inside: V,
    /// How far beyond the end the number is.
    beyond: V,
    density: Density<V, P>,
    ln_below: V,
    ln_above: V,
    velocity: [V; P],
}

impl<V: Lanes, const P: usize> Point<V, P> {
    #[inline(always)]
    fn at<D: Cumulative<P>>(u: V, params: [V; P], (normalizer, d_normalizer): (V, [V; P]), with_tails: bool) -> Self {
        let scale = Scale::of::<D, P>();
        let (inside, beyond) = scale.clamped(u);
        let number = scale.number(inside);
        let ((base, d_base), kernel) = (D::base(number.x), D::kernel(number.x, params));
        let density = Density {
            ln: base + kernel.log_prob - normalizer + number.ln_dx,
            d_u: (d_base + kernel.d_value).mul_add(number.dx, number.d_ln_dx),
            d_params: std::array::from_fn(|i| kernel.d_params[i] - d_normalizer[i]),
        };
        let (mut ln_below, mut ln_above, mut velocity) = (V::zero(), V::zero(), [V::zero(); P]);
        if with_tails {
            let tails = D::tails(number.x, params);
            (ln_below, ln_above) = (tails.ln_below, tails.ln_above);
            velocity = tails.velocity.map(|moved| moved / number.dx);
        }
        Point { inside, beyond, density, ln_below, ln_above, velocity }
    }

    #[inline(always)]
    fn is_inside(&self) -> V::Mask {
        self.beyond.eq(V::zero())
    }

    /// `ln F`, `ln (1 - F)` and the log density at the number, on straight lines beyond the end.
    #[inline(always)]
    fn continued(&self) -> (V, V, V) {
        let (below, above, ln) = (self.ln_below, self.ln_above, self.density.ln);
        let is_inside = self.is_inside();
        if !(!is_inside).any() {
            return (below, above, ln);
        }
        let beyond = self.beyond;
        let (lower, upper) = (below + beyond * (ln - below).exp(), above - beyond * (ln - above).exp());
        let is_low = beyond.lt(V::zero());
        (
            V::select(is_inside, below, V::select(is_low, lower, ln_one_minus_exp(upper))),
            V::select(is_inside, above, V::select(is_low, ln_one_minus_exp(lower), upper)),
            V::select(is_inside, ln, ln + beyond * self.density.d_u),
        )
    }

    /// The answer at the number: the derivatives go on beyond the end as they do up to it from another point.
    #[inline(always)]
    fn answer(&self, u: V, within: &Self) -> Answer<V, P> {
        let share = V::select(self.is_inside(), V::zero(), self.beyond / (self.inside - within.inside));
        let line = |own: [V; P], within: [V; P]| std::array::from_fn(|i| share.mul_add(own[i] - within[i], own[i]));
        let Density { ln, d_u, d_params } = self.density;
        let ln = V::select(self.is_inside(), ln, ln + self.beyond * d_u);
        let density = Density { ln, d_u, d_params: line(d_params, within.density.d_params) };
        Answer { u, density, velocity: line(self.velocity, within.velocity) }
    }
}

/// The most steps to a quantile: by halves of an interval alone it takes no more.
const STEPS: usize = 200;

/// The way to a quantile.
struct Search<V: Lanes> {
    /// `ln F - ln (1 - F)` there.
    target: V,
    /// What is known to be below and above it.
    low: V,
    high: V,
    stride: V,
    /// The lanes that are on their way.
    open: V::Mask,
}

impl<V: Lanes> Search<V> {
    #[inline(always)]
    fn of(probability: Probability<V>) -> Self {
        let [low, high] = [f64::NEG_INFINITY, f64::INFINITY].map(V::constant);
        let target = probability.ln_below - probability.ln_above;
        Search { target, low, high, stride: V::constant(1.0), open: V::zero().eq(V::zero()) }
    }

    /// Where numbers are finite.
    #[inline(always)]
    fn most() -> V {
        V::constant(if size_of::<V::Element>() == 4 { 1e37 } else { 1e300 })
    }

    /// A step of Halley's on `ln F - ln (1 - F)`, which is near a straight line or a parabola wherever it is begun, or one between what is known.
    #[inline(always)]
    fn step<const P: usize>(&mut self, u: V, point: &Point<V, P>) -> V {
        let (zero, one, half) = (V::zero(), V::constant(1.0), V::constant(0.5));
        // The error after a step is the cube of that before it.
        let close = V::constant(if size_of::<V::Element>() == 4 { 1e-3 } else { 1e-5 });
        let (below, above, ln) = point.continued();
        let error = below - above - self.target;
        let (of_below, of_above) = ((ln - below).exp(), (ln - above).exp());
        let newton = -error / (of_below + of_above);
        let curvature = point.density.d_u - of_below + of_above;
        let halley = newton / (half * newton * curvature + one).max(V::constant(0.25)).min(V::constant(4.0));
        self.low = V::select(self.open & error.lt(zero), u, self.low);
        self.high = V::select(self.open & zero.le(error), u, self.high);
        let (low, high, stride, most) = (self.low, self.high, self.stride, Self::most());
        let between = V::select(high.lt(most), half * (low + high), low + stride);
        let between = V::select((-most).lt(low), between, high - stride);
        let candidate = u + halley;
        let is_close = error.abs().le(close);
        let is_good = (low.lt(candidate) & candidate.lt(high)) | (is_close & candidate.eq(candidate));
        let known = error.eq(error);
        let next = V::select(known, V::select(is_good, candidate, between), V::constant(f64::NAN));
        let next = V::select(self.open, next, u);
        self.open = self.open & known & !is_close;
        self.stride = stride + stride;
        next
    }
}

/// What is asked of a distribution over lanes; a draw is `NaN` where a parameter is none. All is one loop, so that the code of the tails, which is long, is there once.
///
/// # Source
/// Halley's method: Gander 1985. The derivatives are `f / F + f / (1 - F)` and that times `f' / f - f / F + f / (1 - F)`.
#[inline(always)]
pub(crate) fn answer<D: Cumulative<P>, V: Lanes, const P: usize>(wanted: Wanted<V>, params: [V; P]) -> Answer<V, P> {
    let normalizer = D::normalizer(params);
    let (mut search, start) = match wanted {
        Wanted::Draw(noise) => {
            let probability = Probability::below(noise);
            let guess = D::guess(probability, params);
            (Search::of(probability), V::select(guess.abs().lt(Search::<V>::most()), guess, V::zero()))
        }
        Wanted::Density(u) | Wanted::Velocity(u) => (Search::of(Probability { noise: u, ln_below: u, ln_above: u }), u),
    };
    let (is_draw, with_tails) = (matches!(wanted, Wanted::Draw(_)), !matches!(wanted, Wanted::Density(_)));
    let (mut u, mut end) = (start, None);
    for _ in 0..STEPS {
        let point = Point::at::<D>(u, params, normalizer, with_tails);
        if is_draw {
            u = search.step(u, &point);
            if search.open.any() {
                continue;
            }
            break;
        }
        match end {
            Some(own) => return Point::answer(&own, start, &point),
            None if (!point.is_inside()).any() => {
                end = Some(point);
                // Another point of the straight lines.
                u = V::constant(0.9) * point.inside;
            }
            None => return Answer { u, density: point.density, velocity: point.velocity },
        }
    }
    let zero = V::zero();
    Answer { u, density: Density { ln: zero, d_u: zero, d_params: [zero; P] }, velocity: [zero; P] }
}

#[cfg(test)]
mod tests;
