//! Laws of every bijector: round trip, log determinant against a numeric Jacobian, pullback against finite differences, far points, and
//! lanes against single numbers. A new one is tested by being in the list.

use super::{Bijector, BijectorError, Bounds};
use crate::distributions::Support;
use crate::kernel::{Kernel, Lanes, Real, SimdLevel, Sum, dispatch_at};

/// Bijectors, with numbers of constrained elements.
fn all() -> Vec<(Bijector, usize)> {
    let bounds = |lower: Option<Vec<f64>>, upper: Option<Vec<f64>>| Bijector::Interval(Bounds { lower, upper });
    let affine = |loc, scale| Bijector::affine(loc, scale).expect("a scale that is not zero");
    let permutation = |order: &[usize]| Bijector::permutation(order.to_vec()).expect("each once");
    let chain = |links: Vec<Bijector>| Bijector::chain(links).expect("lengths that fit");
    vec![
        (Bijector::Identity, 3),
        (Bijector::Exp, 3),
        (Bijector::Softplus, 3),
        (Bijector::Sigmoid, 3),
        (affine(0.5, -1.5), 3),
        (bounds(None, None), 2),
        (bounds(Some(vec![-1.0]), None), 3),
        (bounds(None, Some(vec![2.0, 3.0])), 2),
        (bounds(Some(vec![0.0, 1.0]), Some(vec![2.0])), 2),
        (Bijector::Simplex { length: 4 }, 8),
        (Bijector::Simplex { length: 1 }, 2),
        (Bijector::SoftmaxCentered { length: 4 }, 8),
        (Bijector::SoftmaxCentered { length: 1 }, 2),
        (Bijector::Ordered { length: 3 }, 6),
        (Bijector::PositiveOrdered { length: 3 }, 6),
        (Bijector::CorrelationCholesky { size: 1 }, 2),
        (Bijector::CorrelationCholesky { size: 2 }, 4),
        (Bijector::CorrelationCholesky { size: 4 }, 32),
        (Bijector::Correlation { size: 1 }, 2),
        (Bijector::Correlation { size: 2 }, 8),
        (Bijector::Correlation { size: 4 }, 16),
        (Bijector::CovarianceCholesky { size: 1 }, 2),
        (Bijector::CovarianceCholesky { size: 3 }, 18),
        (Bijector::Covariance { size: 1 }, 2),
        (Bijector::Covariance { size: 3 }, 18),
        (permutation(&[2, 0, 3, 1]), 8),
        (permutation(&[]), 0),
        (chain(vec![]), 2),
        (chain(vec![affine(0.25, 0.5), Bijector::Exp]), 3),
        (chain(vec![affine(0.1, 0.5), Bijector::Simplex { length: 4 }, permutation(&[3, 1, 2, 0])]), 8),
        (chain(vec![permutation(&[1, 0]), Bijector::Ordered { length: 4 }, Bijector::Sigmoid]), 8),
        (chain(vec![bounds(None, Some(vec![2.0, 3.0, 4.0])), chain(vec![Bijector::CovarianceCholesky { size: 2 }])]), 4),
    ]
}

/// The elements that are free, of which the Jacobian determinant is.
fn free_elements(bijector: &Bijector, constrained: usize) -> Vec<usize> {
    let triangle = |size: usize, diagonal: bool| {
        let keep = move |i: &usize| {
            let (row, column) = (i % (size * size) / size, i % size);
            column < row || (diagonal && column == row)
        };
        (0..constrained).filter(keep).collect()
    };
    match bijector {
        Bijector::CorrelationCholesky { size } | Bijector::Correlation { size } => triangle(*size, false),
        Bijector::CovarianceCholesky { size } | Bijector::Covariance { size } => triangle(*size, true),
        Bijector::Chain(chain) if matches!(chain.links(), [.., Bijector::Chain(_)]) => triangle(2, true),
        // Of a simplex, the last element follows from the others.
        other => match other.event_lens() {
            (free, length) if free < length => (0..constrained).filter(|i| i % length != length - 1).collect(),
            _ => (0..constrained).collect(),
        },
    }
}

fn forward<E: Real>(bijector: &Bijector, u: &[E], constrained: usize) -> (Vec<E>, E) {
    let mut z = vec![E::default(); constrained];
    let log_det = bijector.forward::<E>(u, &mut z, 1, 0);
    (z, log_det.value())
}

fn pull<E: Real>(bijector: &Bijector, u: &[E], z_adjoint: &[E], weight: E) -> Vec<E> {
    let (z, _) = forward(bijector, u, z_adjoint.len());
    let mut gradient = vec![E::default(); u.len()];
    bijector.pull::<E>((u, &z), z_adjoint, weight, &mut gradient, 1, 0);
    gradient
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

fn adjoints(count: usize) -> Vec<f64> {
    (0..count).map(|i| 0.3 + (i % 7) as f64 * 0.7).collect()
}

/// Whether an element is the same for all `u`.
fn is_fixed(bijector: &Bijector, element: usize) -> bool {
    match bijector {
        Bijector::CorrelationCholesky { size } | Bijector::CovarianceCholesky { size } => {
            element % (size * size) / size < element % size
        }
        _ => false,
    }
}

#[test]
fn the_inverse_undoes_the_map() {
    for (bijector, constrained) in all() {
        let u = points(bijector.unconstrained_len(constrained));
        let (z, _) = forward(&bijector, &u, constrained);
        let back = bijector.inverse(&z).expect("z is in the support");
        assert_eq!(u.len(), back.len(), "{bijector:?}");
        for (a, b) in u.iter().zip(&back) {
            assert!((a - b).abs() < 1e-10, "{bijector:?}: {a} came back as {b}");
        }
    }
}

#[test]
fn the_map_undoes_the_inverse() {
    for (bijector, constrained) in all() {
        // Points of the support that are not those of the other law.
        let u: Vec<f64> = points(bijector.unconstrained_len(constrained)).iter().map(|u| 0.7 * u + 0.2).collect();
        let (z, _) = forward(&bijector, &u, constrained);
        let z: Vec<f64> = z.iter().map(|&z| f64::from_bits(z.to_bits() & !0xf)).collect();
        let back = forward(&bijector, &bijector.inverse(&z).expect("z is in the support"), constrained).0;
        for (i, (a, b)) in z.iter().zip(&back).enumerate() {
            assert!((a - b).abs() < 1e-12 * (1.0 + a.abs()), "{bijector:?}: {a} came back as {b}");
            assert!(!is_fixed(&bijector, i) || *b == 0.0, "{bijector:?}: element {i} is {b}");
        }
    }
}

#[test]
fn numbers_are_mapped_as_rows_are() {
    for (bijector, constrained) in all() {
        let u = points(bijector.unconstrained_len(constrained));
        let (z, log_det) = forward(&bijector, &u, constrained);
        // Without unconstrained numbers there is one event.
        if !u.is_empty() {
            assert_eq!(bijector.forward_and_log_det(&u).expect("lengths fit"), (z.clone(), log_det), "{bijector:?}");
            let adjoint = adjoints(constrained);
            let pulled = bijector.pullback(&u, &adjoint, 1.7).expect("lengths fit");
            assert_eq!(pulled, pull(&bijector, &u, &adjoint, 1.7), "{bijector:?}");
        }
        let (back, inverse_log_det) = bijector.inverse_and_log_det(&z).expect("in the support");
        assert_eq!(back.len(), u.len());
        assert!((inverse_log_det + log_det).abs() < 1e-9, "{bijector:?}: {inverse_log_det} {log_det}");
    }
}

#[test]
fn the_log_determinant_is_that_of_the_numeric_jacobian() {
    for (bijector, constrained) in all() {
        let free = bijector.unconstrained_len(constrained);
        let u = points(free);
        let (_, log_det) = forward(&bijector, &u, constrained);
        let rows = free_elements(&bijector, constrained);
        assert_eq!(rows.len(), free, "{bijector:?}");
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
        let z_adjoint = adjoints(constrained);
        let weight = 1.7;
        let scalar = |u: &[f64]| {
            let (z, log_det) = forward(&bijector, u, constrained);
            z.iter().zip(&z_adjoint).map(|(a, b)| a * b).sum::<f64>() + weight * log_det
        };
        let gradient = pull(&bijector, &u, &z_adjoint, weight);
        let [singles, adjoints] = [&u, &z_adjoint].map(|all| all.iter().map(|&x| f32::from_f64(x)).collect::<Vec<f32>>());
        let of_singles = pull(&bijector, &singles, &adjoints, f32::from_f64(weight));
        for j in 0..u.len() {
            let (mut above, mut below) = (u.clone(), u.clone());
            above[j] += 1e-6;
            below[j] -= 1e-6;
            let numeric = (scalar(&above) - scalar(&below)) / 2e-6;
            assert!((numeric - gradient[j]).abs() < 1e-6 * (1.0 + numeric.abs()), "{bijector:?}: {numeric} {}", gradient[j]);
            let single = f64::from(of_singles[j]);
            assert!((single - gradient[j]).abs() < 1e-4 * (1.0 + numeric.abs()), "{bijector:?}: {single} {}", gradient[j]);
        }
    }
}

/// Far points: one element, all, or all in turn on both sides.
fn far_points(count: usize, far: f64) -> Vec<Vec<f64>> {
    let mut found = Vec::new();
    for extreme in [-far, -40.0, 40.0, far] {
        found.push(vec![extreme; count]);
        found.push((0..count).map(|i| if i % 2 == 0 { extreme } else { -extreme }).collect());
        for i in 0..count {
            let mut u = points(count);
            u[i] = extreme;
            found.push(u);
        }
    }
    found
}

fn check_far<E: Real>(bijector: &Bijector, constrained: usize, far: f64) {
    for u in far_points(bijector.unconstrained_len(constrained), far) {
        let own: Vec<E> = u.iter().map(|&u| E::from_f64(u)).collect();
        let z_adjoint: Vec<E> = adjoints(constrained).into_iter().map(E::from_f64).collect();
        let (z, log_det) = forward(bijector, &own, constrained);
        assert!(log_det.to_f64().is_finite(), "{bijector:?} at {u:?}: {log_det:?}");
        assert!(z.iter().all(|z| z.to_f64().is_finite()), "{bijector:?} at {u:?}: {z:?}");
        let gradient = pull(bijector, &own, &z_adjoint, E::from_f64(1.7));
        assert!(gradient.iter().all(|g| g.to_f64().is_finite()), "{bijector:?} at {u:?}: {gradient:?}");
        let positive = |z: &E| z.to_f64() > 0.0;
        match bijector {
            Bijector::Exp | Bijector::Softplus | Bijector::Simplex { .. } | Bijector::SoftmaxCentered { .. } => {
                assert!(z.iter().all(positive), "{bijector:?} at {u:?}: {z:?}");
            }
            Bijector::Sigmoid => assert!(z.iter().all(|z| positive(z) && z.to_f64() < 1.0)),
            Bijector::CorrelationCholesky { size } | Bijector::CovarianceCholesky { size } => {
                let mut diagonal = z.iter().enumerate().filter(|(i, _)| i % (size * size) / size == i % size);
                assert!(diagonal.all(|(_, z)| positive(z)), "{bijector:?} at {u:?}: {z:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn far_out_everything_is_finite_and_in_the_support() {
    for (bijector, constrained) in all() {
        // The squares of a covariance overflow before the numbers do.
        let squares = matches!(bijector, Bijector::Covariance { .. });
        check_far::<f64>(&bijector, constrained, if squares { 350.0 } else { 700.0 });
        check_far::<f32>(&bijector, constrained, if squares { 40.0 } else { 80.0 });
    }
}

#[test]
fn a_correlation_factor_keeps_its_log_determinant_and_comes_back_from_far_out() {
    let bijector = Bijector::CorrelationCholesky { size: 2 };
    for u in [-300.0, -20.0, 20.0, 300.0_f64] {
        let (z, log_det) = forward(&bijector, &[u], 4);
        // -2 ln cosh u, of which e^-2|u| is nothing here.
        let exact = -2.0 * (u.abs() - 2.0_f64.ln());
        assert!((log_det - exact).abs() < 1e-13 * exact.abs(), "{log_det} {exact}");
        let back = bijector.inverse(&z).expect("a factor")[0];
        assert!((back - u).abs() < 1e-12 * u.abs(), "{u} came back as {back}");
    }
}

struct Rows<'a, E> {
    bijector: &'a Bijector,
    samples: usize,
    u: &'a [E],
    z: &'a mut [E],
    log_det: &'a mut [f64],
    z_adjoint: &'a [E],
    weight: &'a [E],
    u_adjoint: &'a mut [E],
}

impl<E: Real> Kernel<E> for Rows<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for offset in (0..self.samples).step_by(V::WIDTH) {
            self.bijector.forward::<V>(self.u, self.z, self.samples, offset).add_to(&mut self.log_det[offset..]);
            let weight = V::load(&self.weight[offset..]);
            self.bijector.pull::<V>((self.u, self.z), self.z_adjoint, weight, self.u_adjoint, self.samples, offset);
        }
    }
}

/// Every sample of rows of lanes against the same numbers one by one.
fn check_lanes<E: Real>(level: SimdLevel, tolerance: f64) {
    let samples = 2 * E::LANE_MULTIPLE;
    let lanes = |values: Vec<f64>| values.into_iter().map(E::from_f64).collect::<Vec<E>>();
    for (bijector, constrained) in all() {
        let free = bijector.unconstrained_len(constrained);
        let u = lanes((0..free * samples).map(|i| ((i * 37 + 11) % 101) as f64 / 40.0 - 1.2).collect());
        let z_adjoint = lanes((0..constrained * samples).map(|i| ((i * 29 + 3) % 53) as f64 / 20.0 - 1.0).collect());
        let weight = lanes((0..samples).map(|i| 0.5 + 0.1 * i as f64).collect());
        let (mut z, mut log_det) = (vec![E::default(); constrained * samples], vec![0.0; samples]);
        let mut u_adjoint = vec![E::default(); free * samples];
        let (own, adjoint) = (&mut z, &mut u_adjoint);
        let rows = Rows {
            bijector: &bijector,
            samples,
            u: &u,
            z: own,
            log_det: &mut log_det,
            z_adjoint: &z_adjoint,
            weight: &weight,
            u_adjoint: adjoint,
        };
        dispatch_at(level, rows);
        let close = |a: f64, b: f64| (a - b).abs() <= tolerance * (1.0 + b.abs());
        let column = |rows: &[E], sample: usize| rows.iter().skip(sample).step_by(samples).copied().collect::<Vec<E>>();
        let all_close = |a: &[E], b: &[E]| a.iter().zip(b).all(|(a, b)| close(a.to_f64(), b.to_f64()));
        for sample in 0..samples {
            let one = column(&u, sample);
            let (expected, expected_log_det) = forward(&bijector, &one, constrained);
            assert!(all_close(&column(&z, sample), &expected), "{level:?} {bijector:?}: {sample}");
            assert!(close(log_det[sample], expected_log_det.to_f64()), "{level:?} {bijector:?}: {sample}");
            let expected = pull(&bijector, &one, &column(&z_adjoint, sample), weight[sample]);
            assert!(all_close(&column(&u_adjoint, sample), &expected), "{level:?} {bijector:?}: {sample}");
        }
    }
}

#[test]
fn lanes_agree_with_numbers_one_by_one() {
    for level in [SimdLevel::Portable, SimdLevel::Avx2, SimdLevel::Avx512] {
        check_lanes::<f64>(level, 1e-12);
        check_lanes::<f32>(level, 1e-4);
    }
}

#[test]
fn every_support_of_latents_has_the_bijector_that_leads_to_it() {
    for support in [
        Support::Real,
        Support::Positive,
        Support::Unit,
        Support::Simplex,
        Support::Ordered,
        Support::PositiveOrdered,
        Support::CorrelationCholesky,
        Support::Correlation,
        Support::CovarianceCholesky,
        Support::PositiveDefinite,
    ] {
        let bijector = Bijector::for_support(support, 3, None);
        assert_eq!(bijector.range(), support);
        let length = bijector.event_len();
        let (z, _) = forward(&bijector, &points(bijector.unconstrained_len(length)), length);
        let wrong = z.iter().enumerate().find(|(i, z)| !support.contains(**z) && !is_fixed(&bijector, *i));
        assert_eq!(wrong, None, "{support}");
    }
}

#[test]
fn values_outside_the_support_are_refused_by_their_element() {
    let (factor, correlation) = (Bijector::CorrelationCholesky { size: 2 }, Bijector::Correlation { size: 2 });
    let (covariance_factor, covariance) = (Bijector::CovarianceCholesky { size: 2 }, Bijector::Covariance { size: 2 });
    let exp_of_affine = Bijector::chain(vec![Bijector::Exp, Bijector::affine(1.0, 2.0).expect("not zero")]).expect("fits");
    let simplex_permuted =
        Bijector::chain(vec![Bijector::Simplex { length: 2 }, Bijector::permutation(vec![1, 0]).expect("each once")])
            .expect("fits");
    for (bijector, z, element) in [
        (Bijector::Identity, vec![0.0, f64::NAN], 1),
        (Bijector::Exp, vec![1.0, -1.0], 1),
        (Bijector::Softplus, vec![1.0, 0.0], 1),
        (Bijector::Sigmoid, vec![1.5], 0),
        (Bijector::Simplex { length: 2 }, vec![0.5, 0.5, 0.7, 0.7], 2),
        (Bijector::SoftmaxCentered { length: 2 }, vec![0.5, 0.5, 0.5, -0.5], 3),
        (Bijector::SoftmaxCentered { length: 2 }, vec![0.5, 0.5, 0.7, 0.7], 2),
        (Bijector::Ordered { length: 3 }, vec![0.0, 1.0, 1.0], 2),
        (Bijector::PositiveOrdered { length: 2 }, vec![-1.0, 1.0], 0),
        // Above the diagonal, on it, a row that is too long.
        (factor.clone(), vec![1.0, 0.1, 0.6, 0.8], 1),
        (factor.clone(), vec![1.0, 0.0, 0.6, -0.8], 3),
        (factor.clone(), vec![1.0, 0.0, 0.6, 0.8, 1.0, 0.0, 0.7, 0.8], 7),
        (factor, vec![2.0, 0.0, 0.6, 0.8], 0),
        // Not one on the diagonal, not symmetric, not positive definite.
        (correlation.clone(), vec![2.0, 0.5, 0.5, 1.0], 0),
        (correlation.clone(), vec![1.0, 0.5, 0.4, 1.0], 2),
        (correlation.clone(), vec![1.0, 0.5, 0.5, f64::INFINITY], 3),
        (correlation, vec![1.0, 1.5, 1.5, 1.0], 3),
        (covariance_factor.clone(), vec![1.0, 1e-9, 0.6, 0.8], 1),
        (covariance_factor, vec![0.0, 0.0, 0.6, 0.8], 0),
        (covariance.clone(), vec![1.0, 2.0, 2.0, 3.0], 3),
        (covariance, vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 1.0], 4),
        (Bijector::permutation(vec![1, 0]).expect("each once"), vec![0.0, f64::INFINITY], 1),
        // Of an earlier link, the first element of the event.
        (exp_of_affine, vec![3.0, 0.5], 1),
        (simplex_permuted, vec![0.5, 0.5, 1.5, -0.5], 2),
    ] {
        assert_eq!(bijector.inverse(&z), Err(element), "{bijector:?}");
        let error = bijector.inverse_and_log_det(&z).expect_err("outside");
        let BijectorError::OutsideSupport { element: found, value, expected, .. } = error else { panic!("{error}") };
        assert!(found == element && value.to_bits() == z[element].to_bits() && expected == bijector.range(), "{bijector:?}");
    }
}

#[test]
fn what_is_no_bijector_is_refused_when_it_is_made() {
    assert_eq!(Bijector::affine(0.0, 0.0), Err(BijectorError::Scale { scale: 0.0 }));
    assert!(matches!(Bijector::affine(f64::NAN, 1.0), Err(BijectorError::Loc { .. })));
    let repeated = BijectorError::RepeatedIndex { position: 2, index: 1, first: 0 };
    assert_eq!(Bijector::permutation(vec![1, 0, 1]), Err(repeated));
    assert_eq!(Bijector::permutation(vec![0, 2]), Err(BijectorError::IndexOutOfRange { position: 1, index: 2, length: 2 }));
    let link = Bijector::chain(vec![Bijector::Exp, Bijector::Simplex { length: 4 }, Bijector::Ordered { length: 3 }]);
    assert_eq!(link, Err(BijectorError::Link { link: 2, bijector: "Ordered", takes: 3, gives: 4 }));
    let bounds = Bounds { lower: Some(vec![0.0, 2.0]), upper: Some(vec![1.0]) };
    let empty = BijectorError::Interval { element: 1, lower: 2.0, upper: 1.0 };
    assert_eq!(Bijector::chain(vec![Bijector::Interval(bounds.clone())]), Err(empty.clone()));
    assert_eq!(Bijector::Interval(bounds).forward_and_log_det(&[0.0, 0.0]), Err(empty));
    // Bounds of their own for two elements, of which there would be four.
    let bounds = Bijector::Interval(Bounds { lower: Some(vec![0.0, 2.0]), upper: None });
    let ordered = Bijector::Ordered { length: 4 };
    assert!(matches!(Bijector::chain(vec![bounds.clone(), ordered.clone()]), Err(BijectorError::Link { link: 1, .. })));
    assert!(matches!(Bijector::chain(vec![ordered, bounds]), Err(BijectorError::Link { link: 1, .. })));
}

#[test]
fn numbers_that_are_not_whole_events_are_refused() {
    let length = |bijector, expected, got| BijectorError::Length { bijector, expected, got };
    let simplex = Bijector::Simplex { length: 4 };
    assert_eq!(simplex.forward_and_log_det(&[0.0; 4]), Err(length("Simplex", 3, 4)));
    assert_eq!(simplex.inverse_and_log_det(&[0.25; 3]), Err(length("Simplex", 4, 3)));
    assert_eq!(simplex.pullback(&[0.0; 3], &[1.0; 3], 1.0), Err(length("Simplex", 4, 3)));
    assert_eq!(Bijector::Covariance { size: 2 }.forward_and_log_det(&[0.0; 2]), Err(length("Covariance", 3, 2)));
    assert_eq!(Bijector::Simplex { length: 1 }.forward_and_log_det(&[0.0]), Err(length("Simplex", 0, 1)));
    assert_eq!(Bijector::Simplex { length: 1 }.forward_and_log_det(&[]), Ok((vec![1.0], 0.0)));
    assert_eq!(Bijector::Ordered { length: 0 }.inverse_and_log_det(&[]), Ok((vec![], 0.0)));
    let bounds = |lower: &[f64], upper: &[f64]| Bounds { lower: Some(lower.to_vec()), upper: Some(upper.to_vec()) };
    let two = Bijector::Interval(bounds(&[0.0, 1.0], &[3.0]));
    assert_eq!(two.forward_and_log_det(&[0.0; 4]), Err(length("Interval", 2, 4)));
    let three = Bijector::Interval(bounds(&[0.0, 1.0], &[3.0, 4.0, 5.0]));
    assert_eq!(three.inverse_and_log_det(&[0.5; 2]), Err(BijectorError::Bounds { lower: 2, upper: 3 }));
}
