//! Integrals of densities beyond a point, by the double exponential rule: what distribution functions without a closed form are made of.

use std::sync::LazyLock;

use crate::kernel::Lanes;

/// The nodes of the rule.
const NODES: usize = 61;

/// Nodes and weights of `integral of f(s) ds` over `s > 0`: the trapezoidal rule after `s = e^(t - e^-t)`
/// (Takahasi & Mori 1974, for integrands that decrease exponentially).
static RULE: LazyLock<[(f64, f64); NODES]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let t = -3.5 + i as f64 * STEP;
        let s = (t - (-t).exp()).exp();
        (s, STEP * s * (1.0 + (-t).exp()))
    })
});

/// The distance between nodes.
const STEP: f64 = 0.125;

/// A density beyond a point, relative to the density there, and statistics of it.
pub(super) trait Beyond<V: Lanes, const S: usize> {
    /// At the distance `s`: `ln (q(s) / q(0))`, and each statistic.
    fn at(&self, s: V) -> (V, [V; S]);
}

/// The integral of a density beyond a point, and of each statistic times it, divided by the density at the point.
///
/// `slope` and `curvature` are those of minus the logarithm of the density at the point: they tell the scale.
#[inline(always)]
pub(super) fn beyond<V: Lanes, const S: usize>(density: &impl Beyond<V, S>, slope: V, curvature: V) -> (V, [V; S]) {
    // Where the density is about 1 / e of what it is at the point.
    let two = V::constant(2.0);
    let scale = two / (slope + (slope * slope + two * curvature).sqrt());
    let (mut mass, mut moments) = (V::zero(), [V::zero(); S]);
    for &(node, weight) in RULE.iter() {
        let (ln, statistics) = density.at(scale * V::constant(node));
        let density = V::constant(weight) * ln.exp();
        mass = mass + density;
        for i in 0..S {
            // Far out a statistic may be infinite where the density is zero.
            let term = density * statistics[i];
            moments[i] = moments[i] + V::select(V::zero().lt(density), term, V::zero());
        }
    }
    for moment in &mut moments {
        *moment = *moment * scale;
    }
    (mass * scale, moments)
}
