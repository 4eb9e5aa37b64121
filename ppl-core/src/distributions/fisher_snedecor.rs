//! The F distribution of Fisher and Snedecor: the ratio of two chi-squared numbers, each over its degrees of freedom.

use rand::Rng;

use super::{Beta, BetaPrime, Cumulative, Gamma, Partials, Probability, Tails, Univariate};
use crate::kernel::Lanes;

/// The F distribution of Fisher and Snedecor: the ratio of two chi-squared numbers, each over its degrees of freedom.
///
/// `log p(x) = (df1 / 2) ln(t / (1 + t)) - (df2 / 2) ln(1 + t) - ln x - ln B(df1 / 2, df2 / 2)` with `t = df1 x / df2`, in nats.
///
/// Drawn by composition, the ratio of two gamma numbers.
///
/// # Source
/// R `df(df1, df2)`, scipy `f(dfn, dfd)`, torch `FisherSnedecor`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, FisherSnedecor};
/// assert!((log_prob::<FisherSnedecor, 2>(1.0, [2.0, 2.0]) + 1.3862944).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FisherSnedecor;

impl Univariate<2> for FisherSnedecor {
    #[inline(always)]
    fn base<V: Lanes>(x: V) -> (V, V) {
        (-x.ln(), -(V::constant(1.0) / x))
    }

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [df1, df2]: [V; 2]) -> Partials<V, 2> {
        let (one, half) = (V::constant(1.0), V::constant(0.5));
        let ratio = df1 * (one / df2);
        let t = ratio * x;
        let (below, above) = ((one / t).ln_1p(), t.ln_1p());
        let share = half / (one + t);
        let log_prob = -half * (df1 * below + df2 * above);
        let d_value = df1 * share * (one / x - one);
        let d_df1 = share * (one - x) - half * below;
        let d_df2 = share * ratio * (x - one) - half * above;
        Partials { log_prob, d_value, d_params: [d_df1, d_df2] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([df1, df2]: [V; 2]) -> (V, [V; 2]) {
        let half = V::constant(0.5);
        let (ln, partials) = Beta::normalizer([half * df1, half * df2]);
        (ln, partials.map(|partial| half * partial))
    }

    fn sample([df1, df2]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        Gamma::sample([0.5 * df1, 0.5 * df1], rng) / Gamma::sample([0.5 * df2, 0.5 * df2], rng)
    }

    fn mean([_, df2]: [f64; 2]) -> Option<f64> {
        (df2 > 2.0).then(|| df2 / (df2 - 2.0))
    }

    fn variance([df1, df2]: [f64; 2]) -> Option<f64> {
        (df2 > 4.0).then(|| 2.0 * df2.powi(2) * (df1 + df2 - 2.0) / (df1 * (df2 - 2.0).powi(2) * (df2 - 4.0)))
    }

    fn mode([df1, df2]: [f64; 2]) -> Option<f64> {
        (df1 >= 2.0).then(|| (df1 - 2.0) / df1 * df2 / (df2 + 2.0))
    }

    fn entropy([df1, df2]: [f64; 2]) -> Option<f64> {
        BetaPrime::entropy([0.5 * df1, 0.5 * df2]).map(|entropy| entropy + (df2 / df1).ln())
    }
}

impl Cumulative<2> for FisherSnedecor {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [df1, df2]: [V; 2]) -> Tails<V, 2> {
        let half = V::constant(0.5);
        let odds = df1 * x / df2;
        let tails = BetaPrime::tails(odds, [half * df1, half * df2]);
        let ([d_alpha, d_beta], share) = (tails.velocity, half * x / odds);
        Tails { velocity: [share * d_alpha - x / df1, share * d_beta + x / df2], ..tails }
    }

    fn quantile(probability: f64, [df1, df2]: [f64; 2]) -> f64 {
        BetaPrime::quantile(probability, [0.5 * df1, 0.5 * df2]) * df2 / df1
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [df1, df2]: [V; 2]) -> V {
        let half = V::constant(0.5);
        probability.ln_gamma_ratio(half * df1, half * df2) + (df2 / df1).ln()
    }
}
