//! The ordered logistic distribution of a category.

use rand::Rng;

use super::ordered::{Noise, OrderedBy};
use crate::distributions::special::open01;
use crate::kernel::Lanes;

/// The ordered logistic distribution: the category in which a number of a logistic distribution around the predictor falls.
///
/// `log p(k) = ln(s(c_k - predictor) - s(c_{k - 1} - predictor))` with `s` the logistic function, `c` the cutpoints, `c_{-1}` minus infinity and `c_K`
/// infinity, in nats.
///
/// # Shapes
/// The value is a number from 0 to K, the predictor a number, the cutpoints an increasing vector of length K.
///
/// # Source
/// Stan `ordered_logistic` (which counts from one).
///
/// # Examples
/// ```
/// use ppl_core::distributions::{Multiparameter, OrderedLogistic};
/// // Between cutpoints -ln 3 and ln 3 lies one half.
/// let c = 3_f64.ln();
/// let found = OrderedLogistic::log_prob(&[1.0], [&[0.0], &[-c, c]]);
/// assert!((found + 2_f64.ln()).abs() < 1e-14);
/// ```
pub type OrderedLogistic = OrderedBy<LogisticNoise>;

/// A standard logistic number.
#[derive(Clone, Copy, Debug)]
pub struct LogisticNoise;

impl Noise for LogisticNoise {
    // s(a) - s(b) = s(a) s(-b) (1 - e^(b - a)): no factor loses digits.
    #[inline(always)]
    fn ln_between<V: Lanes>(lower: V, upper: V, loc: V) -> (V, V, [V; 2]) {
        let (a, b) = (upper - loc, lower - loc);
        let gap = lower - upper;
        let ln = (-gap.exp_m1()).ln() - (-a).softplus() - b.softplus();
        let (above, below) = ((-a).sigmoid(), b.sigmoid());
        let narrow = gap.exp() / gap.exp_m1();
        (ln, below - above, [narrow - below, above - narrow])
    }

    fn draw(rng: &mut dyn Rng) -> f64 {
        let uniform = open01(rng);
        uniform.ln() - (-uniform).ln_1p()
    }
}
