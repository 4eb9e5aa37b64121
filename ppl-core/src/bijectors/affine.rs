//! Shifted and scaled numbers: `z = loc + scale u`.

use super::BijectorError;
use super::element::Element;
use crate::kernel::Lanes;

/// A location and a scale that is not zero: what [`Bijector::affine`](super::Bijector::affine) makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    loc: f64,
    scale: f64,
}

impl Affine {
    pub(super) fn new(loc: f64, scale: f64) -> Result<Self, BijectorError> {
        if !loc.is_finite() {
            return Err(BijectorError::Loc { loc });
        }
        if !scale.is_finite() || scale == 0.0 {
            return Err(BijectorError::Scale { scale });
        }
        Ok(Affine { loc, scale })
    }

    /// Where zero goes.
    #[must_use]
    pub fn loc(&self) -> f64 {
        self.loc
    }

    /// How far one is from there; negative if the order turns.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }
}

impl Element for Affine {
    #[inline(always)]
    fn forward_and_log_det<V: Lanes>(self, u: V) -> (V, V) {
        (V::constant(self.scale).mul_add(u, V::constant(self.loc)), V::constant(self.scale.abs().ln()))
    }

    #[inline(always)]
    fn derivatives<V: Lanes>(self, _u: V, _z: V) -> (V, V) {
        (V::constant(self.scale), V::zero())
    }

    fn inverse(self, z: f64) -> Option<f64> {
        z.is_finite().then(|| (z - self.loc) / self.scale)
    }
}
