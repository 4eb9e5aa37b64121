//! Small symmetric systems, row by row.

/// The lower Cholesky factor; none if the matrix is not positive definite.
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = matrix[i * n + j] - known;
            if i == j {
                // Digits lost to cancellation are no curvature.
                if rest.is_nan() || rest <= 1e-12 * matrix[i * n + i] {
                    return None;
                }
                l[i * n + i] = rest.sqrt();
            } else {
                l[i * n + j] = rest / l[j * n + j];
            }
        }
    }
    Some(l)
}

/// `(L L^T)^-1 x`, in place.
pub(crate) fn solve(factor: &[f64], x: &mut [f64]) {
    let n = x.len();
    for i in 0..n {
        let known: f64 = factor[i * n..i * n + i].iter().zip(&*x).map(|(l, x)| l * x).sum();
        x[i] = (x[i] - known) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| factor[k * n + i] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i * n + i];
    }
}
