//! Student's t distribution of location zero, folded to the positive numbers.

use std::f64::consts::{LN_2, PI};

use rand::Rng;
use rand_distr::Distribution as _;

use super::{Cumulative, Partials, Probability, StudentT, Tails, Univariate};
use crate::kernel::Lanes;

/// Student's t distribution of location zero, folded to the positive numbers.
///
/// `log p(x)` is that of `StudentT(df, 0, scale)` plus `ln 2`, in nats.
///
/// # Source
/// Stan `student_t(df, 0, scale)` with `lower = 0`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, HalfStudentT};
/// assert!((log_prob::<HalfStudentT, 2>(0.0, [1.0, 1.0]) + 0.4515827).abs() < 1e-7);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HalfStudentT;

impl Univariate<2> for HalfStudentT {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [df, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = x * inverse;
        let square = z * z;
        let inverse_df = V::constant(1.0) / df;
        let ln = (square * inverse_df).ln_1p();
        let half = V::constant(0.5) * (df + V::constant(1.0));
        let ratio = (half + half) / (df + square);
        let d = ratio * z * inverse;
        let d_df = V::constant(0.5) * (ratio * square * inverse_df - ln);
        Partials { log_prob: -(half * ln), d_value: -d, d_params: [d_df, z * d] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([df, scale]: [V; 2]) -> (V, [V; 2]) {
        let half = V::constant(0.5);
        let (below, d_below) = (half * df).lgamma_and_digamma();
        let (above, d_above) = (half * df + half).lgamma_and_digamma();
        let value = below - above + half * df.ln() + scale.ln() + V::constant(0.572_364_942_924_700_1 - std::f64::consts::LN_2);
        let d_df = half * (d_below - d_above + V::constant(1.0) / df);
        (value, [d_df, V::constant(1.0) / scale])
    }

    fn sample([df, scale]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        rand_distr::StudentT::new(df).map_or(f64::NAN, |t| (scale * t.sample(rng)).abs())
    }

    fn mean([df, scale]: [f64; 2]) -> Option<f64> {
        let ratio = || (f64::lgamma(0.5 * (df + 1.0)) - f64::lgamma(0.5 * df)).exp();
        (df > 1.0).then(|| 2.0 * scale * (df / PI).sqrt() * ratio() / (df - 1.0))
    }

    fn variance([df, scale]: [f64; 2]) -> Option<f64> {
        let square = StudentT::variance([df, 0.0, scale])?;
        Self::mean([df, scale]).map(|mean| square - mean.powi(2))
    }

    fn mode(_: [f64; 2]) -> Option<f64> {
        Some(0.0)
    }

    fn entropy([df, scale]: [f64; 2]) -> Option<f64> {
        StudentT::entropy([df, 0.0, scale]).map(|entropy| entropy - LN_2)
    }
}

impl Cumulative<2> for HalfStudentT {
    #[inline(always)]
    fn tails<V: Lanes>(x: V, [df, scale]: [V; 2]) -> Tails<V, 2> {
        let z = x / scale;
        let [_, ln_above, ln_within, d_df] = V::student_tails(df, z);
        Tails { ln_below: ln_within, ln_above: ln_above + V::constant(LN_2), velocity: [scale * d_df, z] }
    }

    #[inline(always)]
    fn guess<V: Lanes>(probability: Probability<V>, [df, scale]: [V; 2]) -> V {
        Probability::spread(probability.ln_half_normal().exp(), df).ln() + scale.ln()
    }
}
