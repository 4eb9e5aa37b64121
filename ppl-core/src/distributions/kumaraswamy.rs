//! The Kumaraswamy distribution: near to the beta distribution, with a cdf in closed form.

use rand::Rng;

use super::{
    Cumulative, Partials, Probability, Tails, Univariate,
    special::{EULER, ln_beta, open01},
};
use crate::kernel::Lanes;

/// The Kumaraswamy distribution: near to the beta distribution, with a cdf in closed form.
///
/// `log p(x) = ln alpha + ln beta + (alpha - 1) ln x + (beta - 1) ln(1 - x^alpha)`, in nats.
///
/// Drawn by its inverse cdf, `(1 - u^(1 / beta))^(1 / alpha)`.
///
/// # Source
/// R `VGAM::dkumar`; Kumaraswamy 1980, A generalized probability density function for double-bounded random processes.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Kumaraswamy};
/// assert!(log_prob::<Kumaraswamy, 2>(0.5, [1.0, 2.0]).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Kumaraswamy;

impl Univariate<2> for Kumaraswamy {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [alpha, beta]: [V; 2]) -> Partials<V, 2> {
        let one = V::constant(1.0);
        let ln = x.ln();
        let exponent = alpha * ln;
        let (power, rest) = (exponent.exp(), -exponent.exp_m1());
        // The logarithm of `1 - x^alpha`: where that is near one, of the rounded difference, with what the rounding took away.
        let near = V::constant(-std::f64::consts::LN_2).lt(exponent);
        let difference = one - power;
        let rest = V::select(near, rest, difference);
        let rounded = V::select(near, V::zero(), (one - difference) - power);
        let inverse = one / rest;
        let ln_rest = rest.ln() + V::select(near, V::zero(), rounded * inverse);
        let slope = one - (beta - one) * power * inverse;
        let d_value = alpha * slope * (one / x);
        Partials { log_prob: exponent + (beta - one) * ln_rest, d_value, d_params: [ln * slope, ln_rest] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([alpha, beta]: [V; 2]) -> (V, [V; 2]) {
        (-(alpha.ln() + beta.ln()), [V::constant(-1.0) / alpha, V::constant(-1.0) / beta])
    }

    fn sample([alpha, beta]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        (-(open01(rng).ln() / beta).exp_m1()).powf(alpha.recip())
    }

    fn mean([alpha, beta]: [f64; 2]) -> Option<f64> {
        Some(moment(1.0, alpha, beta))
    }

    fn variance([alpha, beta]: [f64; 2]) -> Option<f64> {
        Some(moment(2.0, alpha, beta) - moment(1.0, alpha, beta).powi(2))
    }

    fn mode([alpha, beta]: [f64; 2]) -> Option<f64> {
        let bounded = alpha >= 1.0 && beta >= 1.0 && alpha * beta > 1.0;
        bounded.then(|| ((alpha - 1.0) / (alpha * beta - 1.0)).powf(alpha.recip()))
    }

    fn entropy([alpha, beta]: [f64; 2]) -> Option<f64> {
        let harmonic = f64::digamma(beta + 1.0) + EULER;
        Some(1.0 - beta.recip() + (1.0 - alpha.recip()) * harmonic - (alpha * beta).ln())
    }
}

/// The mean of a power.
fn moment(order: f64, alpha: f64, beta: f64) -> f64 {
    (beta.ln() + ln_beta(1.0 + order / alpha, beta)).exp()
}

impl Cumulative<2> for Kumaraswamy {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [alpha, beta]: [V; 2]) -> Tails<V, 2> {
        let ln = x.ln();
        let (zero, one) = (V::zero(), V::constant(1.0));
        let power = (alpha * ln).exp();
        let (ln_rest, rest) = ((-power).ln_1p(), -(alpha * ln).exp_m1());
        // ln(1 - x^alpha) / x^alpha at the ends
        let ratio = V::select(power.lt(V::constant(1e-17)), -one, ln_rest / power);
        let d_beta = V::select(rest.eq(zero), zero, x * rest * ratio / (alpha * beta));
        Tails::from_above(beta * ln_rest, [-(x * ln / alpha), d_beta])
    }

    fn quantile(probability: f64, [alpha, beta]: [f64; 2]) -> f64 {
        (-((-probability).ln_1p() / beta).exp_m1()).powf(alpha.recip())
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [alpha, beta]: [V; 2]) -> V {
        let ln = (-(probability.ln_above / beta).exp_m1()).ln() / alpha;
        ln - (-ln.exp_m1()).max(V::constant(1e-9)).ln()
    }
}
