//! The curvature of the log density at a point: the units of steps, and a linear model of the gradient.

use std::ops::Range;

use super::{Gaussian, cholesky};

/// `A = -d2 log p / du du`, made positive definite, with its Cholesky factor; of many dimensions the diagonal alone.
#[derive(Clone, Debug)]
pub struct Curvature {
    /// The point.
    pub center: Vec<f64>,
    /// The gradient there.
    pub gradient: Vec<f64>,
    /// The diagonal of `A`, positive.
    pub diagonal: Vec<f64>,
    /// Whether the density falls off in every direction, as at a mode; else `A` was made positive definite.
    pub is_mode: bool,
    /// `A` itself, row by row, if the dimensions are few.
    pub matrix: Option<Vec<f64>>,
    /// The lower Cholesky factor of `A`, row by row.
    factor: Option<Vec<f64>>,
}

/// The curvature of a direction, relative to that of the single dimensions, below which it is not determined.
const LOOSE: f64 = 1e-8;
/// Beyond this many dimensions only the diagonal is kept.
const DENSE: usize = 300;

impl Curvature {
    /// That of a model of which some dimensions are known: those that are not are taken as the mean of the same latent's, their precision as the median; without a matrix then.
    pub(crate) fn spread(&self, dimensions: &[usize], latents: &[Range<usize>]) -> Self {
        let n = latents.iter().map(|own| own.end).max().unwrap_or(0);
        if dimensions.len() == n {
            return self.clone();
        }
        let (mut center, mut diagonal) = (vec![0.0; n], vec![1.0; n]);
        for latent in latents {
            let own: Vec<usize> = (0..dimensions.len()).filter(|&i| latent.contains(&dimensions[i])).collect();
            let mean = own.iter().map(|&i| self.center[i]).sum::<f64>() / own.len().max(1) as f64;
            center[latent.clone()].fill(mean);
            let mut precisions: Vec<f64> = own.iter().map(|&i| self.diagonal[i]).collect();
            precisions.sort_unstable_by(f64::total_cmp);
            diagonal[latent.clone()].fill(precisions.get(own.len() / 2).copied().unwrap_or(1.0));
        }
        for (i, &dimension) in dimensions.iter().enumerate() {
            (center[dimension], diagonal[dimension]) = (self.center[i], self.diagonal[i]);
        }
        Curvature { center, gradient: vec![0.0; n], diagonal, is_mode: self.is_mode, matrix: None, factor: None }
    }

    /// By central differences of the gradient; `evaluate` writes the gradients of several points (`[point][dimension]`).
    /// `relative_step` is about the cube root of the precision. Each of the last `apart` dimensions is taken as independent of all others.
    pub fn at(center: &[f64], apart: usize, relative_step: f64, mut evaluate: impl FnMut(&[Vec<f64>]) -> Vec<Vec<f64>>) -> Self {
        let n = center.len();
        let gradient = evaluate(std::slice::from_ref(&center.to_vec())).pop().unwrap_or_default();
        let mut steps: Vec<f64> = center.iter().map(|x| relative_step * (1.0 + x.abs())).collect();
        let mut columns = Vec::new();
        // The second time the steps are a small part of the scale that the first time found.
        for _ in 0..2 {
            columns = differences(center, &steps, &mut evaluate);
            for (i, step) in steps.iter_mut().enumerate() {
                let own = -columns[i][i];
                if own.is_finite() && own > 0.0 {
                    *step = (30.0 * relative_step / own.sqrt()).clamp(1e-9, 1.0);
                }
            }
        }
        for (i, column) in columns.iter_mut().enumerate() {
            for (j, entry) in column.iter_mut().enumerate() {
                if i != j && i.max(j) >= n - apart {
                    *entry = 0.0;
                }
            }
        }
        let diagonal: Vec<f64> = (0..n)
            .map(|i| {
                let own = -columns[i][i];
                // A direction without curvature, or with the wrong one, gets unit scale.
                if own.is_finite() && own > 1e-8 { own.min(1e16) } else { 1.0 }
            })
            .collect();
        let is_mode = (0..n).all(|i| columns[i][i] <= 0.0);
        let mut curvature = Curvature { center: center.to_vec(), gradient, diagonal, is_mode, matrix: None, factor: None };
        if n <= DENSE {
            curvature.densify(&columns);
        }
        curvature
    }

    /// Unit curvature around a point: when nothing better is known.
    #[must_use]
    pub fn unit(center: &[f64], scale: f64) -> Self {
        let n = center.len();
        Curvature {
            center: center.to_vec(),
            gradient: vec![0.0; n],
            diagonal: vec![1.0 / (scale * scale); n],
            is_mode: true,
            matrix: None,
            factor: None,
        }
    }

    fn densify(&mut self, columns: &[Vec<f64>]) {
        let n = self.center.len();
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                let symmetric = -0.5 * (columns[i][j] + columns[j][i]);
                matrix[i * n + j] = if symmetric.is_finite() { symmetric } else { 0.0 };
            }
            matrix[i * n + i] = self.diagonal[i];
        }
        // Off-diagonals shrink until the matrix is positive definite.
        let mut shrink = 1.0;
        for _ in 0..60 {
            let mut trial = matrix.clone();
            for i in 0..n {
                for j in 0..n {
                    if i != j {
                        trial[i * n + j] *= shrink;
                    }
                }
            }
            if let Some(factor) = cholesky(&trial, n) {
                self.matrix = Some(trial);
                self.factor = Some(factor);
                return;
            }
            self.is_mode = false;
            shrink = if shrink == 1.0 { 1.0 - 1e-9 } else { 1.0 - (1.0_f64 - shrink) * 2.0 };
            if shrink <= 0.0 {
                return;
            }
        }
    }

    /// A direction along which the density hardly changes, in the scales of the single dimensions, each below one in magnitude; none if every direction is
    /// determined. By inverse iteration.
    #[must_use]
    pub fn loose_direction(&self) -> Option<Vec<f64>> {
        self.factor.as_ref()?;
        let n = self.center.len();
        let scale: Vec<f64> = self.diagonal.iter().map(|a| a.sqrt()).collect();
        let mut direction: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * (i as f64).sin()).collect();
        let mut length = 0.0_f64;
        for _ in 0..20 {
            // (D^-1/2 A D^-1/2)^-1 = D^1/2 A^-1 D^1/2
            direction.iter_mut().zip(&scale).for_each(|(x, s)| *x *= s);
            self.whiten(&mut direction);
            self.unwhiten(&mut direction);
            direction.iter_mut().zip(&scale).for_each(|(x, s)| *x *= s);
            length = direction.iter().fold(0.0, |most, x| most.max(x.abs()));
            direction.iter_mut().for_each(|x| *x /= length);
        }
        (length > 1.0 / LOOSE).then_some(direction)
    }

    /// Whether the dimensions are few enough for whole matrices.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        self.center.len() <= DENSE
    }

    /// The Gaussian with this mode and curvature: Laplace's approximation.
    #[must_use]
    pub fn laplace(&self) -> Gaussian {
        let n = self.center.len();
        let precision = self.factor.clone().unwrap_or_else(|| {
            let mut factor = vec![0.0; n * n];
            self.diagonal.iter().enumerate().for_each(|(i, a)| factor[i * (n + 1)] = a.sqrt());
            factor
        });
        Gaussian { mean: self.center.clone(), precision }
    }

    /// Replaces a gradient by `L^-1 g`, with `A = L L^T`: its length is then in units of the curvature.
    pub fn whiten(&self, gradient: &mut [f64]) {
        let n = self.center.len();
        match &self.factor {
            Some(l) => {
                for i in 0..n {
                    let row = &l[i * n..i * n + i];
                    let known: f64 = row.iter().zip(gradient.iter()).map(|(l, g)| l * g).sum();
                    gradient[i] = (gradient[i] - known) / l[i * n + i];
                }
            }
            None => gradient.iter_mut().zip(&self.diagonal).for_each(|(g, a)| *g /= a.sqrt()),
        }
    }

    /// Replaces a whitened step by `L^-T step`.
    pub fn unwhiten(&self, step: &mut [f64]) {
        let n = self.center.len();
        match &self.factor {
            Some(l) => {
                for i in (0..n).rev() {
                    step[i] /= l[i * n + i];
                    let own = step[i];
                    for (j, s) in step[..i].iter_mut().enumerate() {
                        *s -= l[i * n + j] * own;
                    }
                }
            }
            None => step.iter_mut().zip(&self.diagonal).for_each(|(s, a)| *s /= a.sqrt()),
        }
    }
}

/// The columns of the Hessian.
fn differences(center: &[f64], steps: &[f64], evaluate: &mut impl FnMut(&[Vec<f64>]) -> Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let points: Vec<Vec<f64>> = steps
        .iter()
        .enumerate()
        .flat_map(|(i, step)| {
            [1.0, -1.0].map(|sign| {
                let mut u = center.to_vec();
                u[i] = (sign * step).mul_add(1.0, u[i]);
                u
            })
        })
        .collect();
    let gradients = evaluate(&points);
    gradients
        .chunks_exact(2)
        .zip(steps)
        .map(|(pair, step)| pair[0].iter().zip(&pair[1]).map(|(above, below)| (above - below) / (2.0 * step)).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Curvature;

    #[test]
    fn the_curvature_of_a_quadratic_is_its_matrix() {
        let a = [[4.0, 1.9, 0.0], [1.9, 1.0, 0.1], [0.0, 0.1, 1e4]];
        let curvature = Curvature::at(&[0.3, -0.2, 1.0], 0, 6e-6, |points| {
            points.iter().map(|u| a.iter().map(|row| -row.iter().zip(u).map(|(a, u)| a * u).sum::<f64>()).collect()).collect()
        });
        let matrix = curvature.matrix.as_ref().expect("three dimensions are few");
        for i in 0..3 {
            for j in 0..3 {
                assert!((matrix[i * 3 + j] - a[i][j]).abs() < 1e-4 * (1.0 + a[i][j]), "{i} {j} {}", matrix[i * 3 + j]);
            }
        }
        // A step of -A^-1 g from anywhere is Newton's: it ends at the top.
        let mut step = vec![-(4.0 * 0.3 - 1.9 * 0.2), -(1.9 * 0.3 - 0.2 + 0.1), -(-0.02 + 1e4)];
        curvature.whiten(&mut step);
        curvature.unwhiten(&mut step);
        for (x, s) in [0.3, -0.2, 1.0].iter().zip(&step) {
            assert!((x + s).abs() < 1e-4, "{x} {s}");
        }
    }
}
