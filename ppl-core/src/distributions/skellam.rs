//! The Skellam distribution: the difference of two Poisson counts.

use rand::Rng;

use super::{
    Cumulative, Partials, PoissonRate, Tails, Univariate, cdf, log_prob,
    skellam_terms::{Terms, terms},
    special::{WIDEST, from_doubles, to_doubles},
};
use crate::kernel::{Lanes, Real};

/// The Skellam distribution: the difference of two independent Poisson counts, a whole number of either sign.
///
/// `log p(x) = -rate1 - rate2 + (x / 2) ln(rate1 / rate2) + ln I_|x|(2 sqrt(rate1 rate2))`, in nats.
///
/// Drawn by composition. The cdf is the sum `P(X2 = j) P(X1 <= x + j)` over all `j` within thirteen standard deviations.
///
/// # Source
/// scipy `skellam(mu1 = rate1, mu2 = rate2)`, R `skellam::dskellam(lambda1, lambda2)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Skellam};
/// // With a rate next to zero it is Poisson: e^-2 2^1 / 1!
/// assert!((log_prob::<Skellam, 2>(1.0, [2.0, 1e-12]) + 1.3068528).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Skellam;

impl Univariate<2> for Skellam {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [rate1, rate2]: [V; 2]) -> Partials<V, 2> {
        let [log_prob, d_rate1, d_rate2] = lane_by_lane(x, rate1, rate2);
        Partials { log_prob, d_value: V::zero(), d_params: [d_rate1, d_rate2] }
    }

    fn sample([rate1, rate2]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        PoissonRate::sample([rate1], rng) - PoissonRate::sample([rate2], rng)
    }

    fn mean([rate1, rate2]: [f64; 2]) -> Option<f64> {
        Some(rate1 - rate2)
    }

    fn variance([rate1, rate2]: [f64; 2]) -> Option<f64> {
        Some(rate1 + rate2)
    }
}

/// The log density and its derivatives in the rates, a lane at a time in double precision.
fn lane_by_lane<V: Lanes>(x: V, rate1: V, rate2: V) -> [V; 3] {
    let mut lanes = [[V::Element::default(); 16]; 6];
    x.store(&mut lanes[0]);
    rate1.store(&mut lanes[1]);
    rate2.store(&mut lanes[2]);
    for i in 0..V::WIDTH {
        let [x, rate1, rate2] = [0, 1, 2].map(|k: usize| lanes[k][i].to_f64());
        let Terms { log_prob, d_rate1, d_rate2 } = terms(x, rate1, rate2);
        for (k, value) in [log_prob, d_rate1, d_rate2].into_iter().enumerate() {
            lanes[3 + k][i] = V::Element::from_f64(value);
        }
    }
    [3, 4, 5].map(|k: usize| V::load(&lanes[k]))
}

impl Cumulative<2> for Skellam {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, params: [V; 2]) -> Tails<V, 2> {
        let (x, params) = (to_doubles(x), params.map(to_doubles));
        let mut found = [[0.0; WIDEST]; 3];
        for lane in 0..V::WIDTH {
            let (x, [rate1, rate2]) = (x[lane], params.map(|param| param[lane]));
            found[0][lane] = up_to(x, [rate1, rate2]).ln();
            // The difference the other way round.
            found[1][lane] = up_to(-x - 1.0, [rate2, rate1]).ln();
            found[2][lane] = -(log_prob::<Self, 2>(x + 1.0, [rate1, rate2]) - log_prob::<Self, 2>(x, [rate1, rate2])).exp();
        }
        let [ln_below, ln_above, d_rate2] = found.map(|lanes| from_doubles(&lanes));
        // One more of the first count is `x` less of the room below it.
        Tails { ln_below, ln_above, velocity: [V::constant(1.0), d_rate2] }
    }
}

/// The probability of a difference up to a whole number, by adding up over the second count.
fn up_to(x: f64, [rate1, rate2]: [f64; 2]) -> f64 {
    let reach = 13.0 * rate2.sqrt() + 40.0;
    let (mut count, last) = ((rate2 - reach).floor().max(0.0).max(-x), (rate2 + reach).floor());
    let mut sum = 0.0;
    while count <= last {
        sum += log_prob::<PoissonRate, 1>(count, [rate2]).exp() * cdf::<PoissonRate, 1>(x + count, [rate1]);
        count += 1.0;
    }
    sum.min(1.0)
}
