//! Student's t distribution.

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, Tails, Univariate, special::ln_beta};
use crate::kernel::Lanes;

/// Student's t distribution.
///
/// `log p(x) = -(df + 1) / 2 ln(1 + z^2 / df) - ln scale - ln(df pi) / 2 + lgamma((df + 1) / 2) - lgamma(df / 2)` with `z = (x - loc) / scale`, in nats.
///
/// # Source
/// Stan `student_t`, R `dt`, scipy `t`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, StudentT};
/// assert!((log_prob::<StudentT, 3>(0.0, [1.0, 0.0, 1.0]) + 1.1447299).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StudentT;

impl Univariate<3> for StudentT {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [df, loc, scale]: [V; 3]) -> Partials<V, 3> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        let square = z * z;
        let inverse_df = V::constant(1.0) / df;
        let ln = (square * inverse_df).ln_1p();
        let half = V::constant(0.5) * (df + V::constant(1.0));
        let ratio = (half + half) / (df + square);
        let d = ratio * z * inverse;
        let d_df = V::constant(0.5) * (ratio * square * inverse_df - ln);
        Partials { log_prob: -(half * ln), d_value: -d, d_params: [d_df, d, z * d] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([df, _loc, scale]: [V; 3]) -> (V, [V; 3]) {
        let half = V::constant(0.5);
        let (below, d_below) = (half * df).lgamma_and_digamma();
        let (above, d_above) = (half * df + half).lgamma_and_digamma();
        let value = below - above + half * df.ln() + scale.ln() + V::constant(0.572_364_942_924_700_1);
        let d_df = half * (d_below - d_above + V::constant(1.0) / df);
        (value, [d_df, V::zero(), V::constant(1.0) / scale])
    }

    fn sample([df, loc, scale]: [f64; 3], rng: &mut dyn Rng) -> f64 {
        let t = rand_distr::StudentT::new(df).map_or(f64::NAN, |t| t.sample(rng));
        loc + scale * t
    }

    fn mean([df, loc, _]: [f64; 3]) -> Option<f64> {
        (df > 1.0).then_some(loc)
    }

    fn variance([df, _, scale]: [f64; 3]) -> Option<f64> {
        (df > 2.0).then(|| scale.powi(2) * df / (df - 2.0))
    }

    fn mode([_, loc, _]: [f64; 3]) -> Option<f64> {
        Some(loc)
    }

    fn entropy([df, _, scale]: [f64; 3]) -> Option<f64> {
        let above = 0.5 * (df + 1.0);
        let ln = 0.5 * df.ln() + ln_beta(0.5 * df, 0.5) + scale.ln();
        Some(above * (above.digamma() - (0.5 * df).digamma()) + ln)
    }
}

impl Cumulative<3> for StudentT {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [df, loc, scale]: [V; 3]) -> Tails<V, 3> {
        let z = (x - loc) / scale;
        let [ln_below, ln_above, _, d_df] = V::student_tails(df, z);
        Tails { ln_below, ln_above, velocity: [scale * d_df, V::constant(1.0), z] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [df, loc, scale]: [V; 3]) -> V {
        let size = Probability::spread(probability.noise.abs(), df);
        scale.mul_add(V::select(probability.noise.lt(V::zero()), -size, size), loc)
    }
}
