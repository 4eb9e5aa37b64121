//! Zero inflation: counts of which a share is zero for a reason of its own.

use std::marker::PhantomData;

use rand::{Rng, RngExt as _};

use super::truncated::first;
use super::{Distribution, Parameter, Partials, Support, Univariate, ValueKind};
use crate::kernel::Lanes;

/// Counts that are zero with the probability `gate`, and else of a distribution; `gate` follows its own parameters.
///
/// `log p(0) = ln(gate + (1 - gate) p_D(0))`, `log p(x) = ln(1 - gate) + log p_D(x)` of others, in nats.
///
/// # Source
/// Lambert 1992, Zero-inflated Poisson regression; NumPyro `ZeroInflatedDistribution(gate)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, PoissonRate, ZeroInflated};
/// let zero = log_prob::<ZeroInflated<PoissonRate>, 2>(0.0, [2.0, 0.25]);
/// assert!((zero - (0.25 + 0.75 * (-2.0_f64).exp()).ln()).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ZeroInflated<D>(PhantomData<fn() -> D>);

impl<D: Distribution> Distribution for ZeroInflated<D> {
    const NAME: &'static str = "ZeroInflated";
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;
    const ADDED: &'static [&'static str] = &["gate"];
    const KIND: ValueKind = D::KIND;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = D::SUPPORT;
}

macro_rules! zero_inflated {
    ($inner:literal, $outer:literal) => {
        impl<D: Univariate<$inner>> Univariate<$outer> for ZeroInflated<D> {
            #[inline(always)]
            fn kernel<V: Lanes>(x: V, params: [V; $outer]) -> Partials<V, $outer> {
                let (one, inner, gate) = (V::constant(1.0), first(params, V::zero()), params[$inner]);
                let (own, (base, d_base), (normalizer, d_normalizer)) = (D::kernel(x, inner), D::base(x), D::normalizer(inner));
                let ln_density = own.log_prob + base - normalizer;
                let ln_rest = (-gate).ln_1p();
                let counted = ln_rest + ln_density;
                let zero = x.eq(V::zero());
                // ln(gate + (1 - gate) p), with the digits of the smaller of the two.
                let ln_gate = gate.ln();
                let most = ln_gate.max(counted);
                let ratio = (-(ln_gate - counted).abs()).exp();
                let either = most + ratio.ln_1p();
                let log_prob = V::select(zero, either, counted);
                let counted_share = V::select(counted.lt(ln_gate), ratio, one) * (one / (one + ratio));
                let share = V::select(zero, counted_share, one);
                let d_gate = V::select(zero, -ln_density.exp_m1() * (-either).exp(), -(one / (one - gate)));
                let mut d_params = [d_gate; $outer];
                for i in 0..$inner {
                    d_params[i] = share * (own.d_params[i] - d_normalizer[i]);
                }
                Partials { log_prob, d_value: own.d_value + d_base, d_params }
            }

            fn sample(params: [f64; $outer], rng: &mut dyn Rng) -> f64 {
                if rng.random::<f64>() < params[$inner] { 0.0 } else { D::sample(first(params, 0.0), rng) }
            }

            fn mean(params: [f64; $outer]) -> Option<f64> {
                Some((1.0 - params[$inner]) * D::mean(first(params, 0.0))?)
            }

            fn variance(params: [f64; $outer]) -> Option<f64> {
                let (inner, gate) = (first(params, 0.0), params[$inner]);
                Some((1.0 - gate) * (D::variance(inner)? + gate * D::mean(inner)?.powi(2)))
            }
        }
    };
}

zero_inflated!(1, 2);
zero_inflated!(2, 3);
zero_inflated!(3, 4);
zero_inflated!(4, 5);
zero_inflated!(5, 6);
