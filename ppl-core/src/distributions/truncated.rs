//! Truncation to an interval: the density of a distribution, divided by the probability of the interval.

use std::marker::PhantomData;

use rand::Rng;

use super::cumulative::{Standing, Tails};
use super::quantile::guess_between;
use super::special::{first_whole, invert, ln_one_minus_exp, open01, within};
use super::{Cumulative, Distribution, Parameter, Partials, Probability, Support, Univariate, ValueKind};
use crate::kernel::Lanes;

/// A distribution restricted to `lower < x < upper`, of counts to `lower <= x <= upper`; the bounds follow its own parameters.
///
/// `log p(x) = log p_D(x) - ln P_D(lower < x < upper)`, in nats.
///
/// Drawn again and again until a draw lies in the interval, or, where that is improbable, by its inverse cdf.
///
/// # Source
/// Stan's `T[lower, upper]`.
///
/// # Examples
/// Half of a normal distribution:
/// ```
/// use ppl_core::distributions::{log_prob, Normal, Truncated};
/// let half = log_prob::<Truncated<Normal>, 4>(0.5, [0.0, 1.0, 0.0, f64::INFINITY]);
/// assert!((half - log_prob::<Normal, 2>(0.5, [0.0, 1.0]) - 2.0_f64.ln()).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Truncated<D>(PhantomData<fn() -> D>);

impl<D: Distribution> Distribution for Truncated<D> {
    const NAME: &'static str = "Truncated";
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;
    const ADDED: &'static [&'static str] = &["lower", "upper"];
    const KIND: ValueKind = D::KIND;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = match D::KIND {
        ValueKind::Continuous => Support::Interval,
        ValueKind::Discrete => D::SUPPORT,
    };
}

/// `ln P(lower < x < upper)`, of counts `ln P(lower <= x <= upper)`, and its derivatives in the parameters and the bounds, which may be infinite or
/// outside the support.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval<V, const P: usize> {
    pub(super) ln: V,
    pub(super) d_params: [V; P],
    pub(super) d_lower: V,
    pub(super) d_upper: V,
}

impl<V: Lanes, const P: usize> Interval<V, P> {
    #[inline(always)]
    pub(super) fn of<D: Cumulative<P>>(lower: V, upper: V, params: [V; P]) -> Self {
        let discrete = D::KIND == ValueKind::Discrete;
        let before = if discrete { lower - V::constant(1.0) } else { lower };
        let (a, b) = (Standing::of::<D>(before, params), Standing::of::<D>(upper, params));
        // Of the two tails, the one in which the numbers are small and have their digits.
        let flip = a.tails.ln_above.lt(a.tails.ln_below);
        let most = V::select(flip, a.tails.ln_above, b.tails.ln_below);
        let least = V::select(flip, b.tails.ln_above, a.tails.ln_below);
        let empty = if discrete { upper.lt(lower) } else { upper.le(lower) };
        let ln = V::select(empty, V::constant(f64::NAN), most + ln_one_minus_exp(least - most));
        let (at_lower, at_upper) = ((a.ln_density - ln).exp(), (b.ln_density - ln).exp());
        let mut d_params = [V::zero(); P];
        for i in 0..P {
            let left = V::select(V::zero().lt(at_lower), at_lower * a.tails.velocity[i], V::zero());
            let right = V::select(V::zero().lt(at_upper), at_upper * b.tails.velocity[i], V::zero());
            d_params[i] = left - right;
        }
        // Of counts the probability is a step function of the bounds.
        let (d_lower, d_upper) = if discrete { (V::zero(), V::zero()) } else { (-at_lower, at_upper) };
        Interval { ln, d_params, d_lower, d_upper }
    }
}

/// The ends of what is restricted to an interval: those that are given, or else those of the support.
#[inline(always)]
fn ends<D: Cumulative<P>, V: Lanes, const P: usize>(params: [V; P], given: [V; 2]) -> [V; 2] {
    let support = match D::SUPPORT {
        Support::Positive | Support::NonNegative => Some([0.0, f64::INFINITY].map(V::constant)),
        Support::Unit => Some([0.0, 1.0].map(V::constant)),
        _ => D::ends(params),
    };
    let Some(own) = support else { return given };
    std::array::from_fn(|i| V::select(given[i].abs().lt(V::constant(f64::INFINITY)), given[i], own[i]))
}

/// The parameters of a distribution with `P` parameters that `Q` ones begin with.
#[inline(always)]
pub(super) fn first<T: Copy, const P: usize, const Q: usize>(params: [T; Q], zero: T) -> [T; P] {
    let mut first = [zero; P];
    first.copy_from_slice(&params[..P]);
    first
}

macro_rules! truncated {
    ($inner:literal, $outer:literal) => {
        impl<D: Cumulative<$inner>> Univariate<$outer> for Truncated<D> {
            #[inline(always)]
            fn base<V: Lanes>(x: V) -> (V, V) {
                D::base(x)
            }

            #[inline(always)]
            fn kernel<V: Lanes>(x: V, params: [V; $outer]) -> Partials<V, $outer> {
                let own = D::kernel(x, first(params, V::zero()));
                let mut d_params = [V::zero(); $outer];
                d_params[..$inner].copy_from_slice(&own.d_params);
                let log_prob = within(params[$inner], x, params[$inner + 1], own.log_prob);
                Partials { log_prob, d_value: own.d_value, d_params }
            }

            #[inline(always)]
            fn normalizer<V: Lanes>(params: [V; $outer]) -> (V, [V; $outer]) {
                let inner = first(params, V::zero());
                let (own, d_own) = D::normalizer(inner);
                let interval = Interval::of::<D>(params[$inner], params[$inner + 1], inner);
                let mut partials = [interval.d_lower; $outer];
                for i in 0..$inner {
                    partials[i] = d_own[i] + interval.d_params[i];
                }
                partials[$inner + 1] = interval.d_upper;
                (own + interval.ln, partials)
            }

            fn mean(params: [f64; $outer]) -> Option<f64> {
                D::between(first(params, 0.0), [params[$inner], params[$inner + 1]]).map(|[mean, ..]| mean)
            }

            fn variance(params: [f64; $outer]) -> Option<f64> {
                D::between(first(params, 0.0), [params[$inner], params[$inner + 1]]).map(|[_, variance, _]| variance)
            }

            fn entropy(params: [f64; $outer]) -> Option<f64> {
                D::between(first(params, 0.0), [params[$inner], params[$inner + 1]]).map(|[.., entropy]| entropy)
            }

            /// The nearest to the mode, on whose sides the density falls.
            fn mode(params: [f64; $outer]) -> Option<f64> {
                let mode = D::mode(first(params, 0.0))?;
                Some(mode.max(params[$inner]).min(params[$inner + 1]))
            }

            fn sample(params: [f64; $outer], rng: &mut dyn Rng) -> f64 {
                let inner = first(params, 0.0);
                let (lower, upper) = (params[$inner], params[$inner + 1]);
                let discrete = D::KIND == ValueKind::Discrete;
                let ln_up_to = |x: f64| Interval::of::<D>(lower, x, inner).ln;
                let whole = ln_up_to(upper);
                if whole > -2.0 {
                    loop {
                        let x = D::sample(inner, rng);
                        if x.is_nan() || (lower < x && x < upper) || (discrete && (x == lower || x == upper)) {
                            return x;
                        }
                    }
                }
                let target = whole + open01(rng).ln();
                if !target.is_finite() {
                    f64::NAN
                } else if discrete {
                    first_whole(lower, |k| ln_up_to(k) >= target)
                } else {
                    invert(target, lower, upper, ln_up_to)
                }
            }
        }

        impl<D: Cumulative<$inner>> Cumulative<$outer> for Truncated<D> {
            #[inline(always)]
            fn ends<V: Lanes>(params: [V; $outer]) -> Option<[V; 2]> {
                let given = [params[$inner], params[$inner + 1]];
                let is_interval = D::KIND == ValueKind::Continuous;
                is_interval.then(|| ends::<D, V, $inner>(first(params, V::zero()), given))
            }

            #[inline(always)]
            fn guess<V: Lanes>(probability: Probability<V>, params: [V; $outer]) -> V {
                let (inner, given) = (first(params, V::zero()), [params[$inner], params[$inner + 1]]);
                guess_between::<D, V, $inner>(probability, inner, ends::<D, V, $inner>(inner, given))
            }

            #[inline(always)]
            fn tails<V: Lanes>(x: V, params: [V; $outer]) -> Tails<V, $outer> {
                let inner = first(params, V::zero());
                let (lower, upper) = (params[$inner], params[$inner + 1]);
                let next = if D::KIND == ValueKind::Discrete { x + V::constant(1.0) } else { x };
                let whole = Interval::of::<D>(lower, upper, inner);
                let (below, above) = (Interval::of::<D>(lower, x, inner), Interval::of::<D>(next, upper, inner));
                let (ln_below, ln_above) = (below.ln - whole.ln, above.ln - whole.ln);
                let ln_density = super::ln_density::<D, V, $inner>(x, inner) - whole.ln;
                // By the tail that is the smaller one.
                let lower_tail = ln_below.lt(ln_above);
                let share = (V::select(lower_tail, ln_below, ln_above) - ln_density).exp();
                let mut velocity = [V::zero(); $outer];
                for i in 0..$inner {
                    let near =
                        V::select(lower_tail, whole.d_params[i] - below.d_params[i], above.d_params[i] - whole.d_params[i]);
                    velocity[i] = share * near;
                }
                velocity[$inner] = share * V::select(lower_tail, whole.d_lower - below.d_lower, -whole.d_lower);
                velocity[$inner + 1] = share * V::select(lower_tail, whole.d_upper, above.d_upper - whole.d_upper);
                Tails { ln_below, ln_above, velocity }
            }
        }
    };
}

truncated!(1, 3);
truncated!(2, 4);
truncated!(3, 5);
