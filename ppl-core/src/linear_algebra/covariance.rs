//! Covariances of a stationary Gaussian process: of the distance between inputs.

use crate::kernel::Lanes;

/// How correlated two values are, by the distance of their inputs.
pub trait Covariance {
    /// `g` of the squared distance `s = r^2` in length scales, and `dg / ds`, finite at zero.
    fn correlation<V: Lanes>(square: V) -> (V, V);
}

/// `g(r) = exp(-r^2 / 2)`: infinitely smooth.
#[derive(Clone, Copy, Debug)]
pub struct SquaredExponential;

impl Covariance for SquaredExponential {
    #[inline(always)]
    fn correlation<V: Lanes>(square: V) -> (V, V) {
        let g = (V::constant(-0.5) * square).exp();
        (g, V::constant(-0.5) * g)
    }
}

/// `g(r) = exp(-r)`: the Ornstein-Uhlenbeck process; continuous, and nowhere smooth. Its derivative at distance zero, where there is none, is taken as zero.
#[derive(Clone, Copy, Debug)]
pub struct Matern12;

impl Covariance for Matern12 {
    #[inline(always)]
    fn correlation<V: Lanes>(square: V) -> (V, V) {
        let r = square.sqrt();
        let g = (-r).exp();
        let apart = V::zero().lt(r);
        let slope = V::constant(-0.5) * g / V::select(apart, r, V::constant(1.0));
        (g, V::select(apart, slope, slope * V::zero()))
    }
}

/// `g(r) = (1 + sqrt(3) r) exp(-sqrt(3) r)`: once differentiable.
#[derive(Clone, Copy, Debug)]
pub struct Matern32;

impl Covariance for Matern32 {
    #[inline(always)]
    fn correlation<V: Lanes>(square: V) -> (V, V) {
        let t = (V::constant(3.0) * square).sqrt();
        let e = (-t).exp();
        (t.mul_add(e, e), V::constant(-1.5) * e)
    }
}

/// `g(r) = (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r)`: twice differentiable.
#[derive(Clone, Copy, Debug)]
pub struct Matern52;

impl Covariance for Matern52 {
    #[inline(always)]
    fn correlation<V: Lanes>(square: V) -> (V, V) {
        let five = V::constant(5.0) * square;
        let t = five.sqrt();
        let e = (-t).exp();
        let linear = t.mul_add(e, e);
        ((five * V::constant(1.0 / 3.0)).mul_add(e, linear), V::constant(-5.0 / 6.0) * linear)
    }
}

/// Writes `k(x_i, x_j) = amplitude^2 g(|x_i - x_j| / length_scale)`, and `jitter` more on the diagonal; both triangles.
///
/// # Shapes
/// `x` is `n` by `dimensions`, `k` is `n` by `n`.
///
/// # Source
/// Rasmussen and Williams 2006, *Gaussian Processes for Machine Learning*, equations 4.9 and 4.14 to 4.17; Stan `gp_exp_quad_cov`, `gp_matern32_cov`, ..
///
/// # Examples
/// ```
/// use ppl_core::linear_algebra::{covariance, SquaredExponential};
/// let mut k = [0.0; 4];
/// covariance::<SquaredExponential, f64>(&[0.0, 3.0], 1, 2.0, 3.0, 0.5, &mut k);
/// assert_eq!(k[0], 4.5);
/// assert!((k[1] - 4.0 * (-0.5_f64).exp()).abs() < 1e-15 && k[1] == k[2]);
/// ```
#[inline(always)]
pub fn covariance<C: Covariance, V: Lanes>(x: &[V], dimensions: usize, amplitude: V, length_scale: V, jitter: V, k: &mut [V]) {
    let n = k.len().isqrt();
    let variance = amplitude * amplitude;
    let inverse = V::constant(1.0) / length_scale;
    for i in 0..n {
        for j in 0..i {
            let (g, _) = C::correlation(square_distance(row(x, i, dimensions), row(x, j, dimensions), inverse));
            k[i * n + j] = variance * g;
            k[j * n + i] = variance * g;
        }
        k[i * n + i] = variance + jitter;
    }
}

/// Where the derivatives with respect to the arguments of [`covariance`] are added.
#[derive(Debug)]
pub struct CovarianceAdjoints<'a, V> {
    /// Of the inputs.
    pub x: &'a mut [V],
    /// Of the amplitude.
    pub amplitude: &'a mut V,
    /// Of the length scale.
    pub length_scale: &'a mut V,
    /// Of what is added to the diagonal.
    pub jitter: &'a mut V,
}

/// Adds the adjoints of the arguments, given that of `k = covariance(..)`, of which both triangles are read.
///
/// # Shapes
/// As [`covariance`].
#[inline(always)]
pub fn pull_covariance<C: Covariance, V: Lanes>(
    x: &[V],
    dimensions: usize,
    amplitude: V,
    length_scale: V,
    k_adjoint: &[V],
    to: CovarianceAdjoints<'_, V>,
) {
    let CovarianceAdjoints { x: x_adjoint, amplitude: amplitude_adjoint, length_scale: length_adjoint, jitter: jitter_adjoint } =
        to;
    let n = k_adjoint.len().isqrt();
    let inverse = V::constant(1.0) / length_scale;
    let scale = Scale { variance: amplitude * amplitude, inverse };
    let (mut of_correlation, mut of_square, mut of_jitter) = (V::zero(), V::zero(), V::zero());
    for i in 0..n {
        let (before, after) = x_adjoint.split_at_mut(i * dimensions);
        for j in 0..i {
            let own = k_adjoint[i * n + j] + k_adjoint[j * n + i];
            let (a, b) = (row(x, i, dimensions), row(x, j, dimensions));
            let (g, s) = pull_pair::<C, V>(
                a,
                b,
                scale,
                own,
                (&mut after[..dimensions], &mut before[j * dimensions..(j + 1) * dimensions]),
            );
            of_correlation = own.mul_add(g, of_correlation);
            of_square = of_square + s;
        }
        of_jitter = of_jitter + k_adjoint[i * n + i];
    }
    let twice = V::constant(2.0);
    *amplitude_adjoint = *amplitude_adjoint + twice * amplitude * (of_correlation + of_jitter);
    *length_adjoint = *length_adjoint - twice * inverse * of_square;
    *jitter_adjoint = *jitter_adjoint + of_jitter;
}

/// Writes `k(x_i, y_j) = amplitude^2 g(|x_i - y_j| / length_scale)`: of the values at new inputs with those at old ones.
///
/// # Shapes
/// `x` is `n` by `dimensions`, `y` is `m` by `dimensions`, `k` is `n` by `m`.
#[inline(always)]
pub fn cross_covariance<C: Covariance, V: Lanes>(
    (x, y): (&[V], &[V]),
    dimensions: usize,
    amplitude: V,
    length_scale: V,
    k: &mut [V],
) {
    let m = rows(y, dimensions);
    let n = rows(x, dimensions);
    let variance = amplitude * amplitude;
    let inverse = V::constant(1.0) / length_scale;
    for i in 0..n {
        for j in 0..m {
            let (g, _) = C::correlation(square_distance(row(x, i, dimensions), row(y, j, dimensions), inverse));
            k[i * m + j] = variance * g;
        }
    }
}

/// Where the derivatives with respect to the arguments of [`cross_covariance`] are added.
#[derive(Debug)]
pub struct CrossCovarianceAdjoints<'a, V> {
    /// Of the inputs of the rows.
    pub x: &'a mut [V],
    /// Of the inputs of the columns.
    pub y: &'a mut [V],
    /// Of the amplitude.
    pub amplitude: &'a mut V,
    /// Of the length scale.
    pub length_scale: &'a mut V,
}

/// Adds the adjoints of the arguments, given that of `k = cross_covariance(..)`.
///
/// # Shapes
/// As [`cross_covariance`].
#[inline(always)]
pub fn pull_cross_covariance<C: Covariance, V: Lanes>(
    (x, y): (&[V], &[V]),
    dimensions: usize,
    amplitude: V,
    length_scale: V,
    k_adjoint: &[V],
    to: CrossCovarianceAdjoints<'_, V>,
) {
    let CrossCovarianceAdjoints { x: x_adjoint, y: y_adjoint, amplitude: amplitude_adjoint, length_scale: length_adjoint } = to;
    let m = rows(y, dimensions);
    let n = rows(x, dimensions);
    let inverse = V::constant(1.0) / length_scale;
    let scale = Scale { variance: amplitude * amplitude, inverse };
    let (mut of_correlation, mut of_square) = (V::zero(), V::zero());
    for i in 0..n {
        for j in 0..m {
            let own = k_adjoint[i * m + j];
            let rows = i * dimensions..(i + 1) * dimensions;
            let columns = j * dimensions..(j + 1) * dimensions;
            let adjoints = (&mut x_adjoint[rows.clone()], &mut y_adjoint[columns.clone()]);
            let (g, s) = pull_pair::<C, V>(&x[rows], &y[columns], scale, own, adjoints);
            of_correlation = own.mul_add(g, of_correlation);
            of_square = of_square + s;
        }
    }
    let twice = V::constant(2.0);
    *amplitude_adjoint = *amplitude_adjoint + twice * amplitude * of_correlation;
    *length_adjoint = *length_adjoint - twice * inverse * of_square;
}

/// What all pairs share.
#[derive(Clone, Copy)]
struct Scale<V> {
    variance: V,
    inverse: V,
}

/// Adds the adjoints of two inputs, given that of their covariance; gives their correlation, and their squared distance times its adjoint.
#[inline(always)]
fn pull_pair<C: Covariance, V: Lanes>(
    a: &[V],
    b: &[V],
    scale: Scale<V>,
    adjoint: V,
    (a_adjoint, b_adjoint): (&mut [V], &mut [V]),
) -> (V, V) {
    let square = square_distance(a, b, scale.inverse);
    let (g, slope) = C::correlation(square);
    let of_square = adjoint * scale.variance * slope;
    let each = (of_square + of_square) * scale.inverse * scale.inverse;
    for d in 0..a.len() {
        let own = each * (a[d] - b[d]);
        a_adjoint[d] = a_adjoint[d] + own;
        b_adjoint[d] = b_adjoint[d] - own;
    }
    (g, of_square * square)
}

/// How many inputs there are.
#[inline(always)]
fn rows<V>(x: &[V], dimensions: usize) -> usize {
    x.len().checked_div(dimensions).unwrap_or(0)
}

/// Input `i`.
#[inline(always)]
fn row<V>(x: &[V], i: usize, dimensions: usize) -> &[V] {
    &x[i * dimensions..(i + 1) * dimensions]
}

/// `|a - b|^2` in length scales.
#[inline(always)]
fn square_distance<V: Lanes>(a: &[V], b: &[V], inverse: V) -> V {
    let mut sum = V::zero();
    for d in 0..a.len() {
        let apart = (a[d] - b[d]) * inverse;
        sum = apart.mul_add(apart, sum);
    }
    sum
}
