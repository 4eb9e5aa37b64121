//! Censoring: numbers beyond a bound are only known to lie there.

use std::marker::PhantomData;

use rand::Rng;

use super::cumulative::Standing;
use super::truncated::first;
use super::{Cumulative, Distribution, Parameter, Partials, Support, Univariate, ValueKind};
use crate::kernel::Lanes;

/// Observations of a distribution of which those below `lower` are reported as `lower`, and those above `upper` as `upper`; the bounds follow its own parameters.
///
/// `log p(x)` is `ln P_D(X <= lower)` at the lower bound, `ln P_D(X >= upper)` at the upper one and `log p_D(x)` between, in nats.
///
/// # Source
/// Tobin 1958, Estimation of relationships for limited dependent variables; Stan User's Guide, Censored data.
///
/// # Examples
/// Of a number that is only known to be positive, half of a normal distribution remains:
/// ```
/// use ppl_core::distributions::{log_prob, Censored, Normal};
/// let half = log_prob::<Censored<Normal>, 4>(0.0, [0.0, 1.0, f64::NEG_INFINITY, 0.0]);
/// assert!((half + 2.0_f64.ln()).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Censored<D>(PhantomData<fn() -> D>);

impl<D: Distribution> Distribution for Censored<D> {
    const NAME: &'static str = "Censored";
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;
    const ADDED: &'static [&'static str] = &["lower", "upper"];
    const KIND: ValueKind = D::KIND;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = match D::KIND {
        ValueKind::Continuous => Support::Interval,
        ValueKind::Discrete => D::SUPPORT,
    };
}

macro_rules! censored {
    ($inner:literal, $outer:literal) => {
        impl<D: Cumulative<$inner>> Univariate<$outer> for Censored<D> {
            #[inline(always)]
            fn kernel<V: Lanes>(x: V, params: [V; $outer]) -> Partials<V, $outer> {
                let inner = first(params, V::zero());
                let (at_lower, at_upper) = (x.le(params[$inner]), params[$inner + 1].le(x));
                // Of counts, the upper bound itself is among those that are censored.
                let before = if D::KIND == ValueKind::Discrete { x - V::constant(1.0) } else { x };
                let at = Standing::of::<D>(V::select(at_upper, before, x), inner);
                let own = D::kernel(x, inner);
                let (base, d_base) = D::base(x);
                let (normalizer, d_normalizer) = D::normalizer(inner);
                let between = own.log_prob + base - normalizer;
                let censored = at_lower | at_upper;
                let tail = V::select(at_lower, at.tails.ln_below, at.tails.ln_above);
                let hazard = (at.ln_density - tail).exp();
                let moves = V::zero().lt(hazard);
                let hazard = V::select(at_lower, hazard, -hazard);
                let mut d_params = [V::zero(); $outer];
                for i in 0..$inner {
                    let of_tail = V::select(moves, -(hazard * at.tails.velocity[i]), V::zero());
                    d_params[i] = V::select(censored, of_tail, own.d_params[i] - d_normalizer[i]);
                }
                Partials {
                    log_prob: V::select(censored, tail, between),
                    d_value: V::select(censored, hazard, own.d_value + d_base),
                    d_params,
                }
            }

            fn sample(params: [f64; $outer], rng: &mut dyn Rng) -> f64 {
                D::sample(first(params, 0.0), rng).max(params[$inner]).min(params[$inner + 1])
            }
        }
    };
}

censored!(1, 3);
censored!(2, 4);
censored!(3, 5);
