//! The flat, improper density on all real numbers.

use rand::Rng;

use super::{Partials, Univariate};
use crate::kernel::Lanes;

/// The flat, improper density on all real numbers.
///
/// `log p(x) = 0` on the constrained scale, in nats.
///
/// # Source
/// A parameter without a prior in Stan.
#[derive(Clone, Copy, Debug)]
pub struct Flat;

impl Univariate<0> for Flat {
    const PROPER: bool = false;

    #[inline(always)]
    fn kernel<V: Lanes>(x: V, _params: [V; 0]) -> Partials<V, 0> {
        let _ = x;
        Partials { log_prob: V::zero(), d_value: V::zero(), d_params: [] }
    }

    fn sample(_params: [f64; 0], _rng: &mut dyn Rng) -> f64 {
        f64::NAN
    }
}
