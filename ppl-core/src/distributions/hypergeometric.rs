//! The hypergeometric distribution: successes among what is drawn without putting back.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Tails, Univariate, cumulative::tails_by_summing};
use crate::kernel::Lanes;

/// The hypergeometric distribution: successes among `draws` from `successes + failures` without putting back.
///
/// `log p(x) = ln choose(successes, x) + ln choose(failures, draws - x) - ln choose(successes + failures, draws)`, in nats; `-inf` where there
/// are not so many. All parameters are counts, and more draws than there are have no density.
///
/// # Source
/// Stan `hypergeometric(N = draws, a = successes, b = failures)`, R `dhyper(m = successes, n = failures, k = draws)`, scipy
/// `hypergeom(M = successes + failures, n = successes, N = draws)`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, Hypergeometric};
/// // One of two aces in two of four cards: 2 * 2 / 6
/// assert!((log_prob::<Hypergeometric, 3>(1.0, [2.0, 2.0, 2.0]) + 0.4054651).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hypergeometric;

impl Univariate<3> for Hypergeometric {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln_factorial(), V::zero())
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [draws, successes, failures]: [V; 3]) -> Partials<V, 3> {
        let zero = V::zero();
        let (failed, left) = (draws - x, successes - x);
        let rest = failures - failed;
        let ways = left.ln_factorial() + failed.ln_factorial() + rest.ln_factorial();
        let none = failed.lt(zero) | left.lt(zero) | rest.lt(zero);
        Partials { log_prob: V::select(none, V::constant(f64::NEG_INFINITY), -ways), d_value: zero, d_params: [zero; 3] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([draws, successes, failures]: [V; 3]) -> (V, [V; 3]) {
        let total = successes + failures;
        let all = total.ln_factorial() - draws.ln_factorial() - (total - draws).ln_factorial();
        (all - successes.ln_factorial() - failures.ln_factorial(), [V::zero(); 3])
    }

    fn sample(params: [f64; 3], rng: &mut dyn Rng) -> f64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked counts")]
        let [draws, successes, failures] = params.map(|count| count as u64);
        let known = rand_distr::Hypergeometric::new(successes.saturating_add(failures), successes, draws);
        known.map_or(f64::NAN, |d| d.sample(rng) as f64)
    }

    fn mean([draws, successes, failures]: [f64; 3]) -> Option<f64> {
        Some(draws * successes / (successes + failures).max(1.0))
    }

    fn variance([draws, successes, failures]: [f64; 3]) -> Option<f64> {
        let total = successes + failures;
        // Of one there is nothing to vary.
        Some(draws * successes * failures * (total - draws) / (total.max(1.0).powi(2) * (total - 1.0).max(1.0)))
    }

    fn mode([draws, successes, failures]: [f64; 3]) -> Option<f64> {
        Some(((draws + 1.0) * (successes + 1.0) / (successes + failures + 2.0)).floor())
    }
}

impl Cumulative<3> for Hypergeometric {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, params: [V; 3]) -> Tails<V, 3> {
        tails_by_summing::<Self, V, 3>(x, params, |[draws, successes, failures]| {
            [(draws - failures).max(0.0), draws.min(successes)]
        })
    }
}
