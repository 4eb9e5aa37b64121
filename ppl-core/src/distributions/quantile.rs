//! Draws as smooth functions of normal noise, on the unconstrained scale, over lanes: the quantile at the probability below the noise.
//!
//! The unconstrained number `u` is the value itself where it is real, the logarithm of a positive one or of the distance to the only end of an interval, the log odds of one
//! between zero and one, or between the ends of an interval. Where the value of `u` can no longer be told from an end of its support (a gamma variable of shape 0.01 is below 1e-300 more often than not), the tail is taken for a power of the
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
        let (ln_below, ln_above) = noise.ln_normal_tails();
        Probability { noise, ln_below, ln_above }
    }

    /// One whose logarithm is known, and that of one minus it; the normal number is near.
    #[inline(always)]
    pub(crate) fn of_logarithms(ln_below: V, ln_above: V) -> Self {
        // At small log odds it is these times a constant, far out the root of twice their size.
        let odds = ln_below - ln_above;
        let noise = odds / V::constant(0.5).mul_add(odds.abs(), V::constant(2.54)).sqrt();
        Probability { noise, ln_below, ln_above }
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
#[derive(Clone, Copy, Debug)]
enum Scale<V> {
    /// The value.
    Line,
    /// The logarithm of a positive value.
    Logarithm,
    /// The log odds of a value between zero and one.
    Share,
    /// The log odds of a value between two numbers.
    Odds {
        lower: V,
        width: V,
    },
    /// The logarithm of the distance to the end below, or above.
    Above(V),
    Below(V),
}

impl<V: Lanes> Scale<V> {
    #[inline(always)]
    fn of<D: Cumulative<P>, const P: usize>(params: [V; P]) -> Self {
        match (D::SUPPORT, D::ends(params)) {
            (_, Some(ends)) => Scale::between(ends),
            (Support::Positive | Support::NonNegative, None) => Scale::Logarithm,
            (Support::Unit, None) => Scale::Share,
            _ => Scale::Line,
        }
    }

    /// That of an interval, an end of which is infinite in all lanes or in none.
    #[inline(always)]
    fn between([lower, upper]: [V; 2]) -> Self {
        let is_finite = |end: V| end.abs().lt(V::constant(f64::INFINITY)).any();
        match (is_finite(lower), is_finite(upper)) {
            (true, true) => Scale::Odds { lower, width: upper - lower },
            (true, false) => Scale::Above(lower),
            (false, true) => Scale::Below(upper),
            (false, false) => Scale::Line,
        }
    }

    /// Between which unconstrained numbers the value, its square, its inverse and its distances to the ends have their digits.
    #[inline(always)]
    fn ends(self) -> Option<[V; 2]> {
        // Down to which number a logarithm is, up to which, and how far log odds are from zero.
        let [low, high, far] =
            if size_of::<V::Element>() == 4 { [-80.0, 40.0, 8.0] } else { [-600.0, 340.0, 18.0] }.map(V::constant);
        // What is nearer to an end than that has lost half of its digits.
        let near = |end: V| V::select(end.eq(V::zero()), low, end.abs().ln() - far);
        match self {
            Scale::Line => None,
            Scale::Logarithm => Some([low, high]),
            // What is left up to the end, one minus the value, has the digits that it leaves it.
            Scale::Share => Some([low, far]),
            Scale::Odds { lower, width } => {
                let size = lower.abs().max((lower + width).abs());
                let last = (far + (width / size).ln()).max(V::constant(1.0));
                Some([V::select(lower.eq(V::zero()), low, -last), last])
            }
            Scale::Above(end) | Scale::Below(end) => Some([near(end), high]),
        }
    }

    /// The number between the ends that is nearest, and how far beyond it lies.
    #[inline(always)]
    fn clamped(self, u: V) -> (V, V) {
        let Some([first, last]) = self.ends() else { return (u, V::zero()) };
        let inside = u.max(first).min(last);
        (inside, u - inside)
    }

    /// The value at an unconstrained number.
    #[inline(always)]
    fn number(self, u: V) -> Number<V> {
        let (zero, one) = (V::zero(), V::constant(1.0));
        match self {
            Scale::Line => Number { x: u, dx: one, ln_dx: zero, d_ln_dx: zero },
            Scale::Logarithm => {
                let x = u.exp();
                Number { x, dx: x, ln_dx: u, d_ln_dx: one }
            }
            Scale::Share => Number::of_odds(u),
            Scale::Odds { lower, width } => {
                let share = Number::of_odds(u);
                Number { x: width.mul_add(share.x, lower), dx: width * share.dx, ln_dx: share.ln_dx + width.ln(), ..share }
            }
            Scale::Above(end) => {
                let x = u.exp();
                Number { x: end + x, dx: x, ln_dx: u, d_ln_dx: one }
            }
            Scale::Below(end) => {
                let x = u.exp();
                Number { x: end - x, dx: -x, ln_dx: u, d_ln_dx: one }
            }
        }
    }
}

/// Near the quantile of what is restricted to an interval, by that of what is not, where it lies well within.
#[inline(always)]
pub(super) fn guess_between<D: Cumulative<P>, V: Lanes, const P: usize>(
    probability: Probability<V>,
    params: [V; P],
    ends: [V; 2],
) -> V {
    let (zero, few) = (V::zero(), V::constant(1e-3));
    let scale = Scale::between(ends);
    let probability = if let Scale::Below(_) = scale { probability.mirrored() } else { probability };
    let whole = Scale::of::<D, P>(params);
    let x = whole.number(whole.clamped(D::guess(probability, params)).0).x;
    match scale {
        Scale::Odds { lower, width } => {
            let (share, rest) = ((x - lower) / width, (lower + width - x) / width);
            // One of equal density has the odds of the probability.
            let even = probability.ln_below - probability.ln_above;
            V::select(few.lt(share) & few.lt(rest), (share / rest).ln(), even)
        }
        Scale::Above(end) => V::select(end.lt(x), (x - end).ln(), zero),
        Scale::Below(end) => V::select(x.lt(end), (end - x).ln(), zero),
        _ => x,
    }
}

/// The value at an unconstrained number.
struct Number<V> {
    x: V,
    /// `dx / du`
    dx: V,
    ln_dx: V,
    /// `d ln |dx / du| / du`
    d_ln_dx: V,
}

impl<V: Lanes> Number<V> {
    /// A number between zero and one at its log odds.
    #[inline(always)]
    fn of_odds(u: V) -> Self {
        let (share, rest) = (u.sigmoid(), (-u).sigmoid());
        let size = u.abs();
        let ln = -(size + V::constant(2.0) * (-size).exp().ln_1p());
        Number { x: share, dx: share * rest, ln_dx: ln, d_ln_dx: rest - share }
    }
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
    /// The number up to which another one is with this probability.
    Draw(Probability<V>),
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
        let scale = Scale::of::<D, P>(params);
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
            // Numbers that grow towards their only end have the unconstrained ones below where they are above.
            let is_mirrored = matches!(scale, Scale::Below(_));
            (ln_below, ln_above) = if is_mirrored { (tails.ln_above, tails.ln_below) } else { (tails.ln_below, tails.ln_above) };
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
    fn continued(&self) -> Place<V> {
        let (ln_below, ln_above, ln, d_u) = (self.ln_below, self.ln_above, self.density.ln, self.density.d_u);
        let is_inside = self.is_inside();
        if !(!is_inside).any() {
            return Place { ln_below, ln_above, ln, d_u };
        }
        let beyond = self.beyond;
        let (lower, upper) = (ln_below + beyond * (ln - ln_below).exp(), ln_above - beyond * (ln - ln_above).exp());
        let is_low = beyond.lt(V::zero());
        Place {
            ln_below: V::select(is_inside, ln_below, V::select(is_low, lower, ln_one_minus_exp(upper))),
            ln_above: V::select(is_inside, ln_above, V::select(is_low, ln_one_minus_exp(lower), upper)),
            ln: V::select(is_inside, ln, ln + beyond * d_u),
            d_u,
        }
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
pub(crate) const STEPS: usize = 200;

/// How much lies on both sides of an unconstrained number, and its log density with the derivative.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<V> {
    pub(crate) ln_below: V,
    pub(crate) ln_above: V,
    pub(crate) ln: V,
    pub(crate) d_u: V,
}

/// Where an unconstrained number stands in a distribution.
#[inline(always)]
pub(crate) fn place<D: Cumulative<P>, V: Lanes, const P: usize>(u: V, params: [V; P]) -> Place<V> {
    Point::at::<D>(u, params, D::normalizer(params), true).continued()
}

/// The way to a quantile.
#[derive(Clone, Copy)]
pub(crate) struct Search<V: Lanes> {
    /// `ln F - ln (1 - F)` there.
    target: V,
    /// What is known to be below and above it.
    low: V,
    high: V,
    stride: V,
    /// The lanes that are on their way.
    open: V::Mask,
}

/// A number to begin a search at: a guess, where that is a number.
#[inline(always)]
pub(crate) fn start<V: Lanes>(guess: V) -> V {
    V::select(guess.abs().lt(Search::<V>::most()), guess, V::zero())
}

impl<V: Lanes> Search<V> {
    #[inline(always)]
    pub(crate) fn of(probability: Probability<V>) -> Self {
        let [low, high] = [f64::NEG_INFINITY, f64::INFINITY].map(V::constant);
        let target = probability.ln_below - probability.ln_above;
        Search { target, low, high, stride: V::constant(1.0), open: V::zero().eq(V::zero()) }
    }

    /// Whether a lane is on its way.
    #[inline(always)]
    pub(crate) fn is_open(&self) -> bool {
        self.open.any()
    }

    /// Where numbers are finite.
    #[inline(always)]
    fn most() -> V {
        V::constant(if size_of::<V::Element>() == 4 { 1e37 } else { 1e300 })
    }

    /// A step of Halley's on `ln F - ln (1 - F)`, which is near a straight line or a parabola wherever it is begun, or one between what is known.
    #[inline(always)]
    pub(crate) fn step(&mut self, u: V, place: Place<V>) -> V {
        let (zero, one, half) = (V::zero(), V::constant(1.0), V::constant(0.5));
        // The error after a step is the cube of that before it.
        let close = V::constant(if size_of::<V::Element>() == 4 { 1e-3 } else { 1e-5 });
        let Place { ln_below, ln_above, ln, d_u } = place;
        let error = ln_below - ln_above - self.target;
        let (of_below, of_above) = ((ln - ln_below).exp(), (ln - ln_above).exp());
        let newton = -error / (of_below + of_above);
        let curvature = d_u - of_below + of_above;
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
        Wanted::Draw(probability) => (Search::of(probability), self::start(D::guess(probability, params))),
        Wanted::Density(u) | Wanted::Velocity(u) => (Search::of(Probability { noise: u, ln_below: u, ln_above: u }), u),
    };
    let (is_draw, with_tails) = (matches!(wanted, Wanted::Draw(_)), !matches!(wanted, Wanted::Density(_)));
    let (mut u, mut end) = (start, None);
    for _ in 0..STEPS {
        let point = Point::at::<D>(u, params, normalizer, with_tails);
        if is_draw {
            u = search.step(u, point.continued());
            if search.is_open() {
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
