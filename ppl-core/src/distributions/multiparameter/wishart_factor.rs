//! What the Wishart distributions share: densities by the Cholesky factors of value and scale.

use rand::Rng;
use rand_distr::Distribution as _;

use super::chi;
use crate::kernel::Lanes;
use crate::linear_algebra::{Scratch, add_scaled, dot, factor_log_det};

/// `ln pi / 4`
const QUARTER_LN_PI: f64 = 0.286_182_471_462_350_05;

/// `ln 2`
const LN_2: f64 = std::f64::consts::LN_2;

/// The logarithm of the multivariate gamma function of `n` rows and its derivative.
#[inline(always)]
pub(super) fn ln_multigamma<V: Lanes>(x: V, n: usize) -> (V, V) {
    let mut ln = V::zero();
    let mut d_ln = V::zero();
    for i in 0..n {
        let (lgamma, digamma) = (x - V::constant(0.5 * i as f64)).lgamma_and_digamma();
        ln = ln + lgamma + V::constant(QUARTER_LN_PI * 2.0 * i as f64);
        d_ln = d_ln + digamma;
    }
    (ln, d_ln)
}

/// The exponent of `x_ii` in the density besides the degrees of freedom, which an inverse has with the other sign: of a factor with the Jacobian of
/// `X = L L^T`.
#[inline(always)]
fn extra<const FACTOR: bool>(n: usize, i: usize) -> f64 {
    let jacobian = if FACTOR { (n - i) as f64 } else { 0.0 };
    jacobian - (n + 1) as f64
}

/// Writes `A = B^-1 C` of two factors, a lower triangular matrix, and gives the sum of the squares of its elements.
#[inline(always)]
fn quotient<V: Lanes>(b: &[V], c: &[V], n: usize, a: &mut [V]) -> V {
    for i in 0..n {
        a[i * n..][..=i].copy_from_slice(&c[i * n..][..=i]);
        for j in i + 1..n {
            a[i * n + j] = V::zero();
        }
    }
    // Forward substitution that leaves out the zeros: a third of the work.
    for k in 0..n {
        let (known, rest) = a.split_at_mut((k + 1) * n);
        let row = &mut known[k * n..][..=k];
        scale(row, V::constant(1.0) / b[k * n + k]);
        for i in k + 1..n {
            add_scaled(&mut rest[(i - k - 1) * n..], -b[i * n + k], row);
        }
    }
    dot(a, a)
}

/// Adds the derivatives of minus half the sum of the squares of the elements of `A = B^-1 C`.
#[inline(always)]
fn pull_quotient<V: Lanes>(b: &[V], a: &[V], n: usize, d_b: &mut [V], d_c: &mut [V]) {
    let mut scratch = Scratch::new(n * n);
    // B^-T A by backward substitution, of which nobody reads what stands above the diagonal.
    let d_a = scratch.all();
    d_a.copy_from_slice(a);
    for i in (0..n).rev() {
        let (rest, known) = d_a.split_at_mut(i * n);
        let row = &mut known[..=i];
        scale(row, V::constant(1.0) / b[i * n + i]);
        for k in 0..i {
            add_scaled(&mut rest[k * n..], -b[i * n + k], &row[..=k]);
        }
    }
    for i in 0..n {
        for j in 0..=i {
            d_c[i * n + j] = d_c[i * n + j] - d_a[i * n + j];
            d_b[i * n + j] = d_b[i * n + j] + dot(&a[j * n..][..=j], &d_a[i * n..]);
        }
    }
}

/// `x *= factor`
#[inline(always)]
fn scale<V: Lanes>(x: &mut [V], factor: V) {
    for k in 0..x.len() {
        x[k] = x[k] * factor;
    }
}

/// The sum of the logarithms of the diagonal, and with the further exponents.
#[inline(always)]
fn ln_diagonal<const FACTOR: bool, V: Lanes>(x: &[V], n: usize) -> (V, V) {
    let (mut ln, mut further) = (V::zero(), V::zero());
    for i in 0..n {
        let own = x[i * n + i].ln();
        ln = ln + own;
        further = own.mul_add(V::constant(extra::<FACTOR>(n, i)), further);
    }
    (ln, further)
}

/// The log density of the factor of a value, or of the value by its factor.
#[inline(always)]
pub(super) fn log_density<const INVERSE: bool, const FACTOR: bool, V: Lanes>(df: V, scale: &[V], x: &[V], n: usize) -> V {
    let mut a = Scratch::new(n * n);
    let square = if INVERSE { quotient(x, scale, n, a.all()) } else { quotient(scale, x, n, a.all()) };
    let (ln_x, further) = ln_diagonal::<FACTOR, V>(x, n);
    let half = V::constant(0.5);
    let ratio = ln_x - half * factor_log_det(scale, n);
    let ratio = if INVERSE { -ratio } else { ratio };
    let constant = if FACTOR { LN_2 * n as f64 } else { 0.0 };
    let normalizer = ln_multigamma(half * df, n).0 - V::constant(constant);
    df * (ratio - V::constant(0.5 * LN_2 * n as f64)) + further - half * square - normalizer
}

/// The same, and adds the derivatives with respect to `df` and to the two factors.
#[inline(always)]
pub(super) fn add_partials<const INVERSE: bool, const FACTOR: bool, V: Lanes>(
    df: V,
    scale: &[V],
    x: &[V],
    n: usize,
    d_df: &mut V,
    [d_scale, d_x]: [&mut [V]; 2],
) -> V {
    let mut scratch = Scratch::new(n * n);
    let a = scratch.all();
    let square = if INVERSE { quotient(x, scale, n, a) } else { quotient(scale, x, n, a) };
    if INVERSE {
        pull_quotient(x, a, n, &mut *d_x, &mut *d_scale);
    } else {
        pull_quotient(scale, a, n, &mut *d_scale, &mut *d_x);
    }
    let signed = if INVERSE { -df } else { df };
    for i in 0..n {
        let exponent = signed + V::constant(extra::<FACTOR>(n, i));
        d_x[i * n + i] = d_x[i * n + i] + exponent / x[i * n + i];
        d_scale[i * n + i] = d_scale[i * n + i] - signed / scale[i * n + i];
    }
    let (ln_x, further) = ln_diagonal::<FACTOR, V>(x, n);
    let half = V::constant(0.5);
    let ratio = ln_x - half * factor_log_det(scale, n);
    let ratio = if INVERSE { -ratio } else { ratio };
    let constant = if FACTOR { LN_2 * n as f64 } else { 0.0 };
    let (ln_multigamma, d_multigamma) = ln_multigamma(half * df, n);
    let slope = ratio - V::constant(0.5 * LN_2 * n as f64);
    *d_df = *d_df + slope - half * d_multigamma;
    df * slope + further - half * square - (ln_multigamma - V::constant(constant))
}

/// The degrees of freedom of element `i` of the diagonal of Bartlett's factor: from the first of a Wishart distribution, from the last of an inverse one.
pub(super) fn own_df<const INVERSE: bool>(df: f64, n: usize, i: usize) -> f64 {
    if INVERSE { df - (n - 1 - i) as f64 } else { df - i as f64 }
}

/// Draws Bartlett's factor: its diagonal chi distributed, standard normal below.
pub(super) fn bartlett<const INVERSE: bool>(df: f64, n: usize, rng: &mut dyn Rng) -> Vec<f64> {
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            a[i * n + j] = rand_distr::StandardNormal.sample(rng);
        }
        a[i * n + i] = chi(own_df::<INVERSE>(df, n, i), rng);
    }
    a
}

/// The entropy of a value, of the logarithm of the determinant of the scale.
pub(super) fn entropy<const INVERSE: bool>(df: f64, ln_det: f64, n: usize) -> f64 {
    let size = n as f64;
    let (ln, d_ln) = ln_multigamma(0.5 * df, n);
    if INVERSE {
        0.5 * (size + 1.0) * (ln_det - size * LN_2) + ln - 0.5 * (df + size + 1.0) * d_ln + 0.5 * df * size
    } else {
        0.5 * (size + 1.0) * (ln_det + size * LN_2) + ln - 0.5 * (df - size - 1.0) * d_ln + 0.5 * df * size
    }
}

/// The entropy of the factor of a value: that of the value less the mean logarithm of the Jacobian.
pub(super) fn factor_entropy<const INVERSE: bool>(df: f64, scale: &[f64], n: usize) -> f64 {
    let mean = |i: usize| {
        let ln_chi = 0.5 * ((0.5 * own_df::<INVERSE>(df, n, i)).digamma() + LN_2);
        scale[i * n + i].ln() + if INVERSE { -ln_chi } else { ln_chi }
    };
    let jacobian: f64 = (0..n).map(|i| (n - i) as f64 * mean(i)).sum();
    entropy::<INVERSE>(df, factor_log_det(scale, n), n) - jacobian - LN_2 * n as f64
}

/// The divergence, of the factors of the scales: the same of values and of their factors, of a distribution and of its inverse.
pub(super) fn divergence<const INVERSE: bool>([df, other_df]: [f64; 2], scale: &[f64], other: &[f64]) -> f64 {
    let n = scale.len().isqrt();
    let (own, d_own) = ln_multigamma(0.5 * df, n);
    let (of_other, _) = ln_multigamma(0.5 * other_df, n);
    let (near, far) = if INVERSE { (other, scale) } else { (scale, other) };
    // tr(far^-1 near)
    let mut relative = vec![0.0; n * n];
    let trace = quotient(far, near, n, &mut relative);
    let ln_det = factor_log_det(far, n) - factor_log_det(near, n);
    0.5 * (df * (trace - n as f64) + other_df * ln_det + (df - other_df) * d_own) + of_other - own
}
