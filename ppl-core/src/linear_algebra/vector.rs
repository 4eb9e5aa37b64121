//! Sums over contiguous lanes, of which everything else is made.

use crate::kernel::Lanes;

/// `sum of a_k b_k`, over the length of `a`.
#[inline(always)]
pub fn dot<V: Lanes>(a: &[V], b: &[V]) -> V {
    let n = a.len();
    let b = &b[..n];
    // Two chains: one addition does not wait for the one before.
    let (mut even, mut odd) = (V::zero(), V::zero());
    let mut k = 0;
    while k + 1 < n {
        even = a[k].mul_add(b[k], even);
        odd = a[k + 1].mul_add(b[k + 1], odd);
        k += 2;
    }
    if k < n {
        even = a[k].mul_add(b[k], even);
    }
    even + odd
}

/// `y += factor x`, over the length of `x`.
#[inline(always)]
pub fn add_scaled<V: Lanes>(y: &mut [V], factor: V, x: &[V]) {
    let n = x.len();
    let y = &mut y[..n];
    for k in 0..n {
        y[k] = factor.mul_add(x[k], y[k]);
    }
}

/// The products of four rows, `stride` apart, with one vector: four sums that do not wait for each other.
#[inline(always)]
pub(super) fn four_dots<V: Lanes>(rows: &[V], stride: usize, x: &[V]) -> [V; 4] {
    let n = x.len();
    let (a, b) = (&rows[..n], &rows[stride..stride + n]);
    let (c, d) = (&rows[2 * stride..2 * stride + n], &rows[3 * stride..3 * stride + n]);
    let mut sums = [V::zero(); 4];
    for k in 0..n {
        sums[0] = a[k].mul_add(x[k], sums[0]);
        sums[1] = b[k].mul_add(x[k], sums[1]);
        sums[2] = c[k].mul_add(x[k], sums[2]);
        sums[3] = d[k].mul_add(x[k], sums[3]);
    }
    sums
}
