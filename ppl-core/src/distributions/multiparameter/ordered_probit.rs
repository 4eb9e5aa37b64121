//! The ordered probit distribution of a category.

use rand::Rng;
use rand_distr::Distribution as _;

use super::ordered::{Noise, OrderedBy};
use crate::distributions::Normal;
use crate::distributions::truncated::Interval;
use crate::kernel::Lanes;

/// The ordered probit distribution: the category in which a number of a normal distribution of scale one around the predictor falls.
///
/// `log p(k) = ln(F(c_k - predictor) - F(c_{k - 1} - predictor))` with `F` the standard normal cdf, `c` the cutpoints, `c_{-1}` minus infinity and `c_K`
/// infinity, in nats.
///
/// # Shapes
/// The value is a number from 0 to K, the predictor a number, the cutpoints an increasing vector of length K.
///
/// # Source
/// Stan `ordered_probit` (which counts from one).
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, OrderedProbit};
/// // Between the quartiles of the standard normal distribution lies one half.
/// let c = 0.674_489_750_196_081_7;
/// let found = OrderedProbit::log_prob(&[1.0], [&[0.0], &[-c, c]]);
/// assert!((found + 2_f64.ln()).abs() < 1e-14);
/// ```
pub type OrderedProbit = OrderedBy<NormalNoise>;

/// A standard normal number.
#[derive(Clone, Copy, Debug)]
pub struct NormalNoise;

impl Noise for NormalNoise {
    #[inline(always)]
    fn ln_between<V: Lanes>(lower: V, upper: V, loc: V) -> (V, V, [V; 2]) {
        let Interval { ln, d_params: [d_loc, _], d_lower, d_upper } =
            Interval::of::<Normal>(lower, upper, [loc, V::constant(1.0)]);
        (ln, d_loc, [d_lower, d_upper])
    }

    fn draw(rng: &mut dyn Rng) -> f64 {
        rand_distr::StandardNormal.sample(rng)
    }
}
