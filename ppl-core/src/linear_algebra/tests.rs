//! Laws of all operations: pullbacks are finite differences and add, lanes agree with numbers; and results by naive formulas.

use std::marker::PhantomData;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::kernel::{Kernel, Lanes, Real, SimdLevel, dispatch_at};

const LEVELS: [SimdLevel; 3] = [SimdLevel::Portable, SimdLevel::Avx2, SimdLevel::Avx512];

/// A computation with its pullback: inputs in a row, one after the other.
trait Operation {
    /// The inputs, for a size.
    fn inputs(n: usize, rng: &mut StdRng) -> Vec<f64>;
    /// The number of results.
    fn outputs(n: usize) -> usize;
    fn run<V: Lanes>(n: usize, x: &[V], y: &mut [V]);
    fn pull<V: Lanes>(n: usize, x: &[V], y: &[V], y_adjoint: &mut [V], x_adjoint: &mut [V]);
}

fn numbers(count: usize, rng: &mut StdRng) -> Vec<f64> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A lower triangular matrix, with numbers above that nobody may read.
fn lower(n: usize, rng: &mut StdRng) -> Vec<f64> {
    let mut l = numbers(n * n, rng);
    (0..n).for_each(|i| l[i * n + i] = rng.random_range(0.7..1.8));
    l
}

/// A positive definite matrix, with numbers above the diagonal that nobody may read.
fn positive(n: usize, rng: &mut StdRng) -> Vec<f64> {
    let l = lower(n, rng);
    let mut a = vec![0.0; n * n];
    factor_product(&l, n, &mut a);
    (0..n).for_each(|i| (i + 1..n).for_each(|j| a[i * n + j] = 7.0));
    a
}

fn joined(mut a: Vec<f64>, b: Vec<f64>) -> Vec<f64> {
    a.extend(b);
    a
}

/// Columns of a matrix that is not square.
fn other(n: usize) -> usize {
    n + 3
}

macro_rules! operation {
    ($name:ident($n:ident, $rng:ident): $inputs:expr => $outputs:expr;
     run($x:ident, $y:ident) $run:block
     pull($y_adjoint:ident, $x_adjoint:ident) $pull:block) => {
        struct $name;
        impl Operation for $name {
            fn inputs($n: usize, $rng: &mut StdRng) -> Vec<f64> {
                $inputs
            }
            #[allow(unused_variables)]
            fn outputs($n: usize) -> usize {
                $outputs
            }
            #[inline(always)]
            fn run<V: Lanes>($n: usize, $x: &[V], $y: &mut [V]) $run
            #[inline(always)]
            #[allow(unused_variables)]
            fn pull<V: Lanes>($n: usize, $x: &[V], $y: &[V], $y_adjoint: &mut [V], $x_adjoint: &mut [V]) $pull
        }
    };
}

operation! {
    Factor(n, rng): positive(n, rng) => n * n;
    run(x, y) { cholesky(x, n, y); }
    pull(y_adjoint, x_adjoint) { pull_cholesky(y, y_adjoint, n, x_adjoint); }
}

operation! {
    Solve(n, rng): joined(lower(n, rng), numbers(2 * n, rng)) => 2 * n;
    run(x, y) {
        y.copy_from_slice(&x[n * n..]);
        solve_lower(&x[..n * n], n, y);
    }
    pull(y_adjoint, x_adjoint) {
        let (l_adjoint, b_adjoint) = x_adjoint.split_at_mut(n * n);
        pull_solve_lower(&x[..n * n], n, y, y_adjoint, l_adjoint, b_adjoint);
    }
}

operation! {
    SolveTransposed(n, rng): joined(lower(n, rng), numbers(2 * n, rng)) => 2 * n;
    run(x, y) {
        y.copy_from_slice(&x[n * n..]);
        solve_lower_transposed(&x[..n * n], n, y);
    }
    pull(y_adjoint, x_adjoint) {
        let (l_adjoint, b_adjoint) = x_adjoint.split_at_mut(n * n);
        pull_solve_lower_transposed(&x[..n * n], n, y, y_adjoint, l_adjoint, b_adjoint);
    }
}

operation! {
    LowerProduct(n, rng): joined(lower(n, rng), numbers(n, rng)) => n;
    run(x, y) { lower_matvec(&x[..n * n], &x[n * n..], y); }
    pull(y_adjoint, x_adjoint) {
        let (l_adjoint, v_adjoint) = x_adjoint.split_at_mut(n * n);
        pull_lower_matvec(&x[..n * n], &x[n * n..], y_adjoint, l_adjoint, v_adjoint);
    }
}

operation! {
    Product(n, rng): numbers(n * other(n) + other(n), rng) => n;
    run(x, y) { matvec(&x[..n * other(n)], &x[n * other(n)..], y); }
    pull(y_adjoint, x_adjoint) {
        let (a, v) = x.split_at(n * other(n));
        let (a_adjoint, v_adjoint) = x_adjoint.split_at_mut(n * other(n));
        pull_matvec(a, v, y_adjoint, a_adjoint, v_adjoint);
    }
}

operation! {
    ProductTransposed(n, rng): numbers(n * other(n) + n, rng) => other(n);
    run(x, y) { matvec_transposed(&x[..n * other(n)], &x[n * other(n)..], y); }
    pull(y_adjoint, x_adjoint) {
        let (a, v) = x.split_at(n * other(n));
        let (a_adjoint, v_adjoint) = x_adjoint.split_at_mut(n * other(n));
        pull_matvec_transposed(a, v, y_adjoint, a_adjoint, v_adjoint);
    }
}

operation! {
    MatrixProduct(n, rng): numbers(2 * n + 2 * other(n), rng) => n * other(n);
    run(x, y) { matmul(&x[..2 * n], &x[2 * n..], [n, 2, other(n)], y); }
    pull(y_adjoint, x_adjoint) {
        let (a_adjoint, b_adjoint) = x_adjoint.split_at_mut(2 * n);
        pull_matmul(&x[..2 * n], &x[2 * n..], [n, 2, other(n)], y_adjoint, a_adjoint, b_adjoint);
    }
}

operation! {
    Quadratic(n, rng): numbers(n * n + n, rng) => 1;
    run(x, y) { y[0] = quad_form(&x[..n * n], &x[n * n..]); }
    pull(y_adjoint, x_adjoint) {
        let (a_adjoint, v_adjoint) = x_adjoint.split_at_mut(n * n);
        pull_quad_form(&x[..n * n], &x[n * n..], y_adjoint[0], a_adjoint, v_adjoint);
    }
}

operation! {
    FactorProduct(n, rng): lower(n, rng) => n * n;
    run(x, y) { factor_product(x, n, y); }
    pull(y_adjoint, x_adjoint) { pull_factor_product(x, n, y_adjoint, x_adjoint); }
}

operation! {
    LogDeterminant(n, rng): lower(n, rng) => 1;
    run(x, y) { y[0] = factor_log_det(x, n); }
    pull(y_adjoint, x_adjoint) { pull_factor_log_det(x, n, y_adjoint[0], x_adjoint); }
}

operation! {
    InverseQuadratic(n, rng): joined(lower(n, rng), numbers(n, rng)) => n + 1;
    run(x, y) {
        y[1..].copy_from_slice(&x[n * n..]);
        y[0] = factor_quad_form(&x[..n * n], &mut y[1..]);
    }
    pull(y_adjoint, x_adjoint) {
        let (l, v) = x.split_at(n * n);
        let (l_adjoint, v_adjoint) = x_adjoint.split_at_mut(n * n);
        let mut w = Scratch::new(n);
        pull_factor_quad_form(l, &y[1..], y_adjoint[0], w.all(), l_adjoint, v_adjoint);
        // What is left behind depends on the inputs too.
        pull_solve_lower(l, n, &y[1..], &mut y_adjoint[1..], l_adjoint, v_adjoint);
    }
}

/// A covariance of inputs of two dimensions; the last three inputs are amplitude, length scale and jitter.
macro_rules! covariances {
    ($($name:ident, $cross:ident: $function:ident;)*) => {
        $(
            operation! {
                $name(n, rng): joined(numbers(2 * n, rng), vec![1.3, 0.8, 0.1]) => n * n;
                run(x, y) { covariance::<$function, V>(&x[..2 * n], 2, x[2 * n], x[2 * n + 1], x[2 * n + 2], y); }
                pull(y_adjoint, x_adjoint) {
                    let (points, scalars) = x_adjoint.split_at_mut(2 * n);
                    let [amplitude, length_scale, jitter] = scalars else { unreachable!() };
                    let to = CovarianceAdjoints { x: points, amplitude, length_scale, jitter };
                    pull_covariance::<$function, V>(&x[..2 * n], 2, x[2 * n], x[2 * n + 1], y_adjoint, to);
                }
            }
            operation! {
                $cross(n, rng): joined(numbers(3 * n + 6, rng), vec![1.3, 0.8]) => n * (n + 3);
                run(x, y) {
                    // n points and n + 3 of them, in one dimension; the rest is not read.
                    let (a, b) = (&x[..n], &x[n..2 * n + 3]);
                    cross_covariance::<$function, V>((a, b), 1, x[3 * n + 6], x[3 * n + 7], y);
                }
                pull(y_adjoint, x_adjoint) {
                    let (a, b) = (&x[..n], &x[n..2 * n + 3]);
                    let (points, scalars) = x_adjoint.split_at_mut(3 * n + 6);
                    let (left, right) = points.split_at_mut(n);
                    let [amplitude, length_scale] = scalars else { unreachable!() };
                    let to = CrossCovarianceAdjoints { x: left, y: right, amplitude, length_scale };
                    pull_cross_covariance::<$function, V>((a, b), 1, x[3 * n + 6], x[3 * n + 7], y_adjoint, to);
                }
            }
        )*
    };
}

covariances! {
    OfSquaredExponential, CrossSquaredExponential: SquaredExponential;
    OfMatern12, CrossMatern12: Matern12;
    OfMatern32, CrossMatern32: Matern32;
    OfMatern52, CrossMatern52: Matern52;
}

/// What the adjoints hold before: a pullback adds.
const BEFORE: f64 = 0.25;

/// Results and adjoints of an operation, for adjoints of the results that alternate.
fn evaluate<O: Operation, V: Lanes>(n: usize, x: &[V]) -> (Vec<V>, Vec<V>) {
    let mut y = vec![V::zero(); O::outputs(n)];
    O::run(n, x, &mut y);
    let mut y_adjoint: Vec<V> = (0..y.len()).map(|k| V::constant(weight(k))).collect();
    let mut x_adjoint = vec![V::constant(BEFORE); x.len()];
    O::pull(n, x, &y, &mut y_adjoint, &mut x_adjoint);
    (y, x_adjoint)
}

fn weight(k: usize) -> f64 {
    1.0 + 0.3 * (k % 5) as f64 - 0.8 * (k % 3) as f64
}

struct AllLanes<O>(usize, PhantomData<O>);

impl<E: Real, O: Operation> Kernel<E> for AllLanes<O> {
    type Output = ();
    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let n = self.0;
        let each: Vec<Vec<f64>> = (0..V::WIDTH).map(|lane| O::inputs(n, &mut StdRng::seed_from_u64(lane as u64))).collect();
        let pack = |k: usize| {
            let lanes: Vec<E> = each.iter().map(|inputs| E::from_f64(inputs[k])).collect();
            V::load(&lanes)
        };
        let x: Vec<V> = (0..each[0].len()).map(pack).collect();
        let (y, x_adjoint) = evaluate::<O, V>(n, &x);
        let unpack = |values: &[V], lane: usize| -> Vec<f64> {
            let mut lanes = vec![E::default(); V::WIDTH];
            values
                .iter()
                .map(|value| {
                    value.store(&mut lanes);
                    lanes[lane].to_f64()
                })
                .collect()
        };
        for (lane, inputs) in each.iter().enumerate() {
            let (expected, expected_adjoint) = evaluate::<O, f64>(n, inputs);
            let found = joined(unpack(&y, lane), unpack(&x_adjoint, lane));
            let expected = joined(expected, expected_adjoint);
            let size = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-11 * size, "{} of {n}, lane {lane}: {found} {expected}", name::<O>());
            }
        }
    }
}

fn name<O>() -> &'static str {
    std::any::type_name::<O>().rsplit("::").next().unwrap_or_default()
}

fn check<O: Operation>() {
    for n in 1..=6 {
        for level in LEVELS {
            dispatch_at::<f64, _>(level, AllLanes::<O>(n, PhantomData));
        }
        let x = O::inputs(n, &mut StdRng::seed_from_u64(11));
        let (y, x_adjoint) = evaluate::<O, f64>(n, &x);
        let total = |x: &[f64]| {
            let mut y = vec![0.0; y.len()];
            O::run(n, x, &mut y);
            y.iter().enumerate().map(|(k, y)| weight(k) * y).sum::<f64>()
        };
        for i in 0..x.len() {
            let h = 1e-5;
            let moved = |by: f64| {
                let mut x = x.clone();
                x[i] += by;
                total(&x)
            };
            let numeric = (moved(h) - moved(-h)) / (2.0 * h);
            let found = x_adjoint[i] - BEFORE;
            assert!((found - numeric).abs() < 1e-7 * (1.0 + numeric.abs()), "{} of {n}, {i}: {found} {numeric}", name::<O>());
        }
    }
}

macro_rules! laws {
    ($($test:ident: $operation:ident;)*) => {
        $(
            #[test]
            fn $test() {
                check::<$operation>();
            }
        )*
    };
}

laws! {
    a_cholesky_factor_obeys_the_laws: Factor;
    a_forward_substitution_obeys_the_laws: Solve;
    a_backward_substitution_obeys_the_laws: SolveTransposed;
    a_triangular_product_obeys_the_laws: LowerProduct;
    a_product_with_a_vector_obeys_the_laws: Product;
    a_transposed_product_obeys_the_laws: ProductTransposed;
    a_product_of_matrices_obeys_the_laws: MatrixProduct;
    a_quadratic_form_obeys_the_laws: Quadratic;
    the_product_of_a_factor_obeys_the_laws: FactorProduct;
    the_determinant_of_a_factor_obeys_the_laws: LogDeterminant;
    the_quadratic_form_of_an_inverse_obeys_the_laws: InverseQuadratic;
    squared_exponential_covariances_obey_the_laws: OfSquaredExponential;
    matern_12_covariances_obey_the_laws: OfMatern12;
    matern_32_covariances_obey_the_laws: OfMatern32;
    matern_52_covariances_obey_the_laws: OfMatern52;
    squared_exponential_covariances_of_two_sets_obey_the_laws: CrossSquaredExponential;
    matern_12_covariances_of_two_sets_obey_the_laws: CrossMatern12;
    matern_32_covariances_of_two_sets_obey_the_laws: CrossMatern32;
    matern_52_covariances_of_two_sets_obey_the_laws: CrossMatern52;
}

#[track_caller]
fn same(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-13 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn results_are_those_of_naive_formulas() {
    for n in 0..=9 {
        let mut rng = StdRng::seed_from_u64(n as u64);
        let m = other(n);
        let (a, b) = (numbers(n * m, &mut rng), numbers(m * n, &mut rng));
        let x = numbers(m, &mut rng);
        let mut y = vec![1.0; n];
        matvec(&a, &x, &mut y);
        let naive: Vec<f64> = (0..n).map(|i| (0..m).map(|j| a[i * m + j] * x[j]).sum()).collect();
        same(&y, &naive);
        let mut y = vec![1.0; n];
        matvec_transposed(&b, &x, &mut y);
        let naive: Vec<f64> = (0..n).map(|i| (0..m).map(|j| b[j * n + i] * x[j]).sum()).collect();
        same(&y, &naive);
        let mut c = vec![1.0; n * n];
        matmul(&a, &b, [n, m, n], &mut c);
        let entry = |i: usize, j: usize| (0..m).map(|k| a[i * m + k] * b[k * n + j]).sum();
        let naive: Vec<f64> = (0..n * n).map(|e| entry(e / n, e % n)).collect();
        same(&c, &naive);
        matmul(&a, &[], [n, 0, n], &mut c);
        same(&c, &vec![0.0; n * n]);

        // A positive definite matrix from its factor, and back; the factor has zeros above.
        let mut l = lower(n, &mut rng);
        let mut a = vec![0.0; n * n];
        factor_product(&l, n, &mut a);
        let mut found = vec![5.0; n * n];
        cholesky(&a, n, &mut found);
        (0..n).for_each(|i| l[i * n + i + 1..(i + 1) * n].fill(0.0));
        let naive = |i: usize, j: usize| (0..n).map(|k| l[i * n + k] * l[j * n + k]).sum();
        same(&a, &(0..n * n).map(|e| naive(e / n, e % n)).collect::<Vec<f64>>());
        for (found, expected) in found.iter().zip(&l) {
            assert!((found - expected).abs() < 1e-11, "{found} {expected}");
        }
        // L L^-1 b = b, and L^T L^-T b = b.
        let b = numbers(n, &mut rng);
        let (mut x, mut back) = (b.clone(), vec![0.0; n]);
        solve_lower(&l, n, &mut x);
        lower_matvec(&l, &x, &mut back);
        same(&back, &b);
        x.copy_from_slice(&b);
        solve_lower_transposed(&l, n, &mut x);
        matvec_transposed(&l, &x, &mut back);
        same(&back, &b);
        // x^T A^-1 x of x = A v is v^T A v.
        let mut x = vec![0.0; n];
        matvec(&a, &b, &mut x);
        let expected = quad_form(&a, &b);
        assert!((factor_quad_form(&l, &mut x) - expected).abs() < 1e-11 * (1.0 + expected));
    }
}

#[test]
fn determinants_are_those_of_leibniz() {
    let a = [4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0];
    let mut l = [0.0; 9];
    cholesky(&a, 3, &mut l);
    let det: f64 = 4.0 * (3.0 * 2.0 - 0.04) - (2.0 + 0.1) + 0.5 * (-0.2 - 1.5);
    assert!((factor_log_det(&l, 3) - det.ln()).abs() < 1e-15);
}

/// A factor of matrices of which every other lane is not positive definite.
struct HalfBad;

impl Kernel<f64> for HalfBad {
    type Output = ();
    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) {
        let lanes: Vec<f64> = (0..V::WIDTH).map(|lane| if lane % 2 == 1 { -2.0 } else { 2.0 }).collect();
        let a = [V::constant(1.0), V::constant(0.0), V::constant(0.5), V::load(&lanes)];
        let mut l = [V::zero(); 4];
        cholesky(&a, 2, &mut l);
        let mut adjoint = [V::zero(); 4];
        pull_cholesky(&l, &mut [V::constant(1.0); 4], 2, &mut adjoint);
        let [mut root, mut pulled] = [vec![0.0; V::WIDTH], vec![0.0; V::WIDTH]];
        l[3].store(&mut root);
        adjoint[3].store(&mut pulled);
        for lane in 0..V::WIDTH {
            let bad = lane % 2 == 1;
            assert_eq!((root[lane].is_nan(), pulled[lane].is_nan()), (bad, bad), "lane {lane}");
        }
    }
}

#[test]
fn only_the_lane_that_is_not_positive_definite_is_nan() {
    for level in LEVELS {
        dispatch_at(level, HalfBad);
    }
    let mut l = [0.0_f64; 4];
    cholesky(&[1.0, 1.0, 1.0, 1.0], 2, &mut l);
    assert!(l[3].is_nan() && l[2] == 1.0, "a pivot of zero: {l:?}");
}

#[test]
fn equal_inputs_are_fully_correlated_and_have_finite_derivatives() {
    fn check<C: Covariance>() {
        let x = [0.3, 0.3, -1.0];
        let mut k = [0.0; 9];
        covariance::<C, f64>(&x, 1, 2.0, 0.7, 0.0, &mut k);
        assert_eq!(k[1], 4.0);
        let mut x_adjoint = [0.0; 3];
        let (mut amplitude, mut length_scale, mut jitter) = (0.0, 0.0, 0.0);
        let to = CovarianceAdjoints {
            x: &mut x_adjoint,
            amplitude: &mut amplitude,
            length_scale: &mut length_scale,
            jitter: &mut jitter,
        };
        let mut weights = [0.0; 9];
        weights[1] = 1.0;
        pull_covariance::<C, f64>(&x, 1, 2.0, 0.7, &weights, to);
        assert_eq!((x_adjoint, amplitude, length_scale, jitter), ([0.0; 3], 4.0, 0.0, 0.0));
    }
    check::<SquaredExponential>();
    check::<Matern12>();
    check::<Matern32>();
    check::<Matern52>();
}

#[test]
fn covariances_are_those_of_the_textbook() {
    fn k<C: Covariance>() -> f64 {
        let mut k = [0.0; 4];
        covariance::<C, f64>(&[1.0, 0.0, 1.0, 1.5], 2, 1.2, 0.5, 1e-6, &mut k);
        k[2]
    }
    let r: f64 = 3.0;
    let (three, five) = (3_f64.sqrt() * r, 5_f64.sqrt() * r);
    same(
        &[k::<SquaredExponential>(), k::<Matern12>(), k::<Matern32>(), k::<Matern52>()],
        &[
            1.44 * (-4.5_f64).exp(),
            1.44 * (-r).exp(),
            1.44 * (1.0 + three) * (-three).exp(),
            1.44 * (1.0 + five + 15.0) * (-five).exp(),
        ],
    );
}
