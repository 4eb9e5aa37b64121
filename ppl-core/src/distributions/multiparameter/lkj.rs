//! What the distributions of correlations of Lewandowski, Kurowicka and Joe share.

use rand::Rng;
use rand_distr::Distribution as _;

use crate::kernel::Lanes;

/// `ln pi / 2`
const HALF_LN_PI: f64 = 0.572_364_942_924_700_1;

/// The logarithm of the integral of `det(R)^(concentration - 1)` over correlation matrices of `n` rows, and its derivative.
#[inline(always)]
pub(super) fn ln_integral<V: Lanes>(concentration: V, n: usize) -> (V, V) {
    let half = V::constant(0.5);
    let mut last = V::zero();
    let mut d_last = V::zero();
    if n > 1 {
        (last, d_last) = (concentration + V::constant(0.5 * (n - 1) as f64)).lgamma_and_digamma();
    }
    let (mut ln, mut d_ln) = (V::zero(), V::zero());
    for k in 1..n {
        let below = concentration + half * V::constant((n - 1 - k) as f64);
        let (lgamma, digamma) = below.lgamma_and_digamma();
        ln = ln + (lgamma - last) + V::constant(HALF_LN_PI * k as f64);
        d_ln = d_ln + (digamma - d_last);
    }
    (ln, d_ln)
}

/// The shape of the symmetric beta distribution of the partial correlations with variable `j`, given those before it.
pub(super) fn shape(concentration: f64, n: usize, j: usize) -> f64 {
    concentration + 0.5 * (n as f64 - 2.0 - j as f64)
}

/// Draws the Cholesky factor of a correlation matrix, by its partial correlations.
pub(super) fn draw(concentration: f64, n: usize, rng: &mut dyn Rng, l: &mut [f64]) {
    l.fill(0.0);
    for i in 0..n {
        let mut rest: f64 = if concentration > 0.0 { 1.0 } else { f64::NAN };
        for j in 0..i {
            let shape = shape(concentration, n, j);
            let uniform: f64 = rand_distr::Beta::new(shape, shape).map_or(f64::NAN, |d| d.sample(rng));
            l[i * n + j] = (2.0 * uniform - 1.0) * rest.sqrt();
            // 1 - partial^2, without loss where the correlation is almost one.
            rest *= 4.0 * uniform * (1.0 - uniform);
        }
        l[i * n + i] = rest.sqrt();
    }
}

/// The mean of `ln l_ii`.
pub(super) fn mean_ln_diagonal(concentration: f64, n: usize, i: usize) -> f64 {
    let each = |j: usize| shape(concentration, n, j).digamma() - (shape(concentration, n, j) + 0.5).digamma();
    0.5 * (0..i).map(each).sum::<f64>()
}
