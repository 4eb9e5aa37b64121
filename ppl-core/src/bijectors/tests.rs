//! Laws of every bijector: round trip, log determinant against a numeric Jacobian, pullback against finite differences.

use super::{Bijector, Bounds};
use crate::kernel::Sum;

fn all() -> Vec<(Bijector, usize)> {
    let bounds = |lower: Option<Vec<f64>>, upper: Option<Vec<f64>>| Bijector::Interval(Bounds { lower, upper });
    vec![
        (Bijector::Identity, 3),
        (Bijector::Exp, 3),
        (Bijector::Sigmoid, 3),
        (bounds(None, None), 2),
        (bounds(Some(vec![-1.0]), None), 3),
        (bounds(None, Some(vec![2.0, 3.0])), 2),
        (bounds(Some(vec![0.0, 1.0]), Some(vec![2.0])), 2),
        (Bijector::Simplex { length: 4 }, 8),
        (Bijector::Simplex { length: 1 }, 2),
        (Bijector::Ordered { length: 3 }, 6),
        (Bijector::PositiveOrdered { length: 3 }, 6),
    ]
}

fn forward(bijector: &Bijector, u: &[f64], constrained: usize) -> (Vec<f64>, f64) {
    let mut z = vec![0.0; constrained];
    let log_det = bijector.forward::<f64>(u, &mut z, 1, 0);
    (z, Sum::<f64>::value(log_det))
}

/// `ln |det|` by elimination with pivoting.
fn ln_abs_det(mut matrix: Vec<Vec<f64>>) -> f64 {
    let n = matrix.len();
    let mut sum = 0.0;
    for k in 0..n {
        let pivot = (k..n).max_by(|&a, &b| matrix[a][k].abs().total_cmp(&matrix[b][k].abs())).unwrap_or(k);
        matrix.swap(k, pivot);
        sum += matrix[k][k].abs().ln();
        for i in k + 1..n {
            let factor = matrix[i][k] / matrix[k][k];
            for j in k..n {
                matrix[i][j] -= factor * matrix[k][j];
            }
        }
    }
    sum
}

fn points(count: usize) -> Vec<f64> {
    (0..count).map(|i| ((i * 37 + 11) % 17) as f64 / 8.5 - 1.0).collect()
}

#[test]
fn the_inverse_undoes_the_map() {
    for (bijector, constrained) in all() {
        let u = points(bijector.unconstrained_len(constrained));
        let (z, _) = forward(&bijector, &u, constrained);
        let back = bijector.inverse(&z).expect("z is in the support");
        for (a, b) in u.iter().zip(&back) {
            assert!((a - b).abs() < 1e-10, "{bijector:?}: {a} came back as {b}");
        }
    }
}

#[test]
fn the_log_determinant_is_that_of_the_numeric_jacobian() {
    for (bijector, constrained) in all() {
        let free = bijector.unconstrained_len(constrained);
        let u = points(free);
        let (_, log_det) = forward(&bijector, &u, constrained);
        // Of a simplex, the last element follows from the others.
        let rows: Vec<usize> = match bijector {
            Bijector::Simplex { length } => (0..constrained).filter(|i| i % length != length - 1).collect(),
            _ => (0..constrained).collect(),
        };
        let h = 1e-6;
        let columns: Vec<Vec<f64>> = (0..free)
            .map(|j| {
                let (mut above, mut below) = (u.clone(), u.clone());
                above[j] += h;
                below[j] -= h;
                let (above, below) = (forward(&bijector, &above, constrained).0, forward(&bijector, &below, constrained).0);
                rows.iter().map(|&i| (above[i] - below[i]) / (2.0 * h)).collect()
            })
            .collect();
        assert!((ln_abs_det(columns) - log_det).abs() < 1e-7, "{bijector:?}");
    }
}

#[test]
fn the_pullback_is_the_derivative() {
    for (bijector, constrained) in all() {
        let u = points(bijector.unconstrained_len(constrained));
        let z_adjoint: Vec<f64> = (0..constrained).map(|i| 0.3 + i as f64 * 0.7).collect();
        let weight = 1.7;
        let scalar = |u: &[f64]| {
            let (z, log_det) = forward(&bijector, u, constrained);
            z.iter().zip(&z_adjoint).map(|(a, b)| a * b).sum::<f64>() + weight * log_det
        };
        let (z, _) = forward(&bijector, &u, constrained);
        let mut gradient = vec![0.0; u.len()];
        bijector.pull::<f64>((&u, &z), &z_adjoint, weight, &mut gradient, 1, 0);
        for j in 0..u.len() {
            let (mut above, mut below) = (u.clone(), u.clone());
            above[j] += 1e-6;
            below[j] -= 1e-6;
            let numeric = (scalar(&above) - scalar(&below)) / 2e-6;
            assert!((numeric - gradient[j]).abs() < 1e-6 * (1.0 + numeric.abs()), "{bijector:?}: {numeric} {}", gradient[j]);
        }
    }
}

#[test]
fn far_out_the_values_stay_in_the_support_and_the_log_determinant_finite() {
    for (bijector, constrained) in all() {
        for extreme in [-700.0, -40.0, 40.0, 700.0] {
            if extreme > 600.0 && matches!(bijector, Bijector::Ordered { .. } | Bijector::PositiveOrdered { .. }) {
                continue;
            }
            let u = vec![extreme; bijector.unconstrained_len(constrained)];
            let (z, log_det) = forward(&bijector, &u, constrained);
            assert!(log_det.is_finite(), "{bijector:?} at {extreme}: {log_det}");
            assert!(z.iter().all(|z| z.is_finite()), "{bijector:?} at {extreme}");
            match bijector {
                Bijector::Exp => assert!(z.iter().all(|&z| z > 0.0)),
                Bijector::Sigmoid => assert!(z.iter().all(|&z| z > 0.0 && z < 1.0)),
                _ => {}
            }
        }
    }
}

#[test]
fn values_outside_the_support_are_refused_by_their_element() {
    assert_eq!(Bijector::Exp.inverse(&[1.0, -1.0]), Err(1));
    assert_eq!(Bijector::Sigmoid.inverse(&[1.5]), Err(0));
    assert_eq!(Bijector::Simplex { length: 2 }.inverse(&[0.5, 0.5, 0.7, 0.7]), Err(2));
    assert_eq!(Bijector::Ordered { length: 3 }.inverse(&[0.0, 1.0, 1.0]), Err(2));
}
