//! The beta distribution function and how the log odds move with both parameters.

use super::logarithm::ln_one_minus_exp;
use super::quadrature::{Beyond, beyond};
use crate::kernel::Lanes;

/// Below a point, in the coordinate `ln (x / (1 - x))`: the density where the log odds are less by `s`.
struct Below<V> {
    alpha: V,
    total: V,
    x: V,
}

impl<V: Lanes> Beyond<V, 2> for Below<V> {
    #[inline(always)]
    fn at(&self, s: V) -> (V, [V; 2]) {
        let ln = (self.x * (-s).exp_m1()).ln_1p();
        // What the logarithms of the number and of its rest are more than at the point.
        (-(self.alpha * s + self.total * ln), [-(s + ln), -ln])
    }
}

/// `ln P(X <= x)`, `ln P(X > x)`, and the derivatives of `ln (x / (1 - x))` in `alpha` and `beta` at constant probability;
/// `rest` is `1 - x`, with its digits.
///
/// The derivatives are those of implicit reparameterization (Figurnov, Mohamed & Mnih 2018); the integrals are over the smaller tail.
#[inline(always)]
pub(in crate::kernel) fn tails<V: Lanes>(alpha: V, beta: V, x: V, rest: V) -> [V; 4] {
    let one = V::constant(1.0);
    // The tail that is integrated: the lower one, of the number or of its rest.
    let flip = (rest * alpha.max(one)).lt(x * beta.max(one));
    let (a, b) = (V::select(flip, beta, alpha), V::select(flip, alpha, beta));
    let (x, rest) = (V::select(flip, rest, x), V::select(flip, x, rest));
    let (ln, ln_rest) = (x.ln(), rest.ln());
    let total = a + b;
    let ((lgamma_a, digamma_a), (lgamma_b, digamma_b)) = (a.lgamma_and_digamma(), b.lgamma_and_digamma());
    let (lgamma, digamma) = total.lgamma_and_digamma();
    // The density of the log odds.
    let ln_density = a.mul_add(ln, b * ln_rest) + lgamma - lgamma_a - lgamma_b;

    // I_x(a, b) = I_x(a + 1, b) + x^a (1 - x)^b / (a B(a, b))
    let small = a.lt(one);
    let raised = V::select(small, a + one, a);
    let raised_total = raised + b;
    let slope = raised - raised_total * x;
    let (mass, [moment, moment_rest]) = beyond(&Below { alpha: raised, total: raised_total, x }, slope, raised_total * x * rest);
    // Expected logarithms of the raised distribution.
    let more = V::select(small, one / a, V::zero());
    let more_total = V::select(small, one / total, V::zero());
    let d_alpha = (ln - (digamma_a + more - digamma - more_total)) * mass + moment;
    let d_beta = (ln_rest - (digamma_b - digamma - more_total)) * mass + moment_rest;
    // The raised density is x total / a times the density, and the term that is added the density / a.
    let ratio = x * total / a;
    let d_alpha = V::select(small, ratio * d_alpha + (ln - (digamma_a + more - digamma)) / a, d_alpha);
    let d_beta = V::select(small, ratio * d_beta + (ln_rest - (digamma_b - digamma)) / a, d_beta);
    let mass = V::select(small, ratio * mass + one / a, mass);

    let near = ln_density + mass.ln();
    let far = ln_one_minus_exp(near);
    // Log odds grow where the rest's fall.
    [V::select(flip, far, near), V::select(flip, near, far), V::select(flip, d_beta, -d_alpha), V::select(flip, d_alpha, -d_beta)]
}
