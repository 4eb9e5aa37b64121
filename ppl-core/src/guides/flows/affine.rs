//! A shift and a scale.

use super::transform::Transform;
use crate::kernel::Lanes;

/// `y = shift + e^s x`, `s` held between -3 and 3: the parameters are the shift, and what `s` is a bounded function of.
///
/// # Source
/// Dinh, Sohl-Dickstein & Bengio 2017, Density estimation using Real NVP, equation 7, where `s` is a scaled hyperbolic tangent too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine;

/// A layer cannot make scales more than 20 times larger or smaller, so that no single step of an optimizer does harm.
const BOUND: f64 = 3.0;

/// The logarithm of a scale, and its derivative by the parameter.
#[inline(always)]
fn log_scale<V: Lanes<Element = f64>>(parameter: V) -> (V, V) {
    let t = (parameter * V::constant(1.0 / BOUND)).tanh();
    (t * V::constant(BOUND), V::constant(1.0) - t * t)
}

impl Transform for Affine {
    fn parameters(self) -> usize {
        2
    }

    #[inline(always)]
    fn forward<V: Lanes<Element = f64>>(self, x: V, parameters: &[V]) -> (V, V) {
        let (s, _) = log_scale(parameters[1]);
        (x.mul_add(s.exp(), parameters[0]), s)
    }

    #[inline(always)]
    fn inverse<V: Lanes<Element = f64>>(self, y: V, parameters: &[V]) -> V {
        let (s, _) = log_scale(parameters[1]);
        (y - parameters[0]) * (-s).exp()
    }

    #[inline(always)]
    fn pull<V: Lanes<Element = f64>>(self, x: V, parameters: &[V], y_adjoint: V, log_adjoint: V, adjoint: &mut [V]) -> V {
        let (s, ds) = log_scale(parameters[1]);
        let scaled = y_adjoint * s.exp();
        adjoint[0] = y_adjoint;
        adjoint[1] = scaled.mul_add(x, log_adjoint) * ds;
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laws_of_transforms_hold() {
        super::super::transform::laws::check(Affine, 1.5);
    }

    #[test]
    fn scales_are_bounded() {
        assert!((Affine.forward(1.0, &[0.0, 1e6]).0 - 3.0_f64.exp()).abs() < 1e-9);
    }
}
