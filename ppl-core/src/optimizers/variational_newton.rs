//! Newton's method on the ELBO of a full-rank Gaussian, over fixed noise: its optimum is where the mean gradient vanishes and the
//! precision is the mean curvature.

use super::{cholesky, solve};

/// A log density over several points at once: sets the log densities (`[sample]`) and the gradient (`[dimension][sample]`) of points
/// (`[dimension][sample]`).
pub trait Points {
    /// Evaluates.
    fn evaluate(&mut self, points: &[f64], log_density: &mut [f64], gradient: &mut [f64]);
    /// Whether the time is up: what has been reached is then the answer.
    fn is_over(&self) -> bool {
        false
    }
}

/// A Gaussian: its mean, and the lower factor of its precision, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    /// The mean.
    pub mean: Vec<f64>,
    /// The lower factor `P` of the precision `P P^T`.
    pub precision: Vec<f64>,
}

impl Gaussian {
    /// The marginal of some dimensions under the condition that the last `fixed` ones are where they are, and its standard deviations; none where digits are lost.
    pub(crate) fn marginal(&self, dimensions: &[usize], fixed: usize) -> Option<(Gaussian, Vec<f64>)> {
        let (n, m) = (self.mean.len(), dimensions.len());
        let rest = n - fixed;
        let factor: Vec<f64> = (0..rest * rest).map(|at| self.precision[at / rest * n + at % rest]).collect();
        let column = |factor: &[f64], i: usize, length: usize| {
            let mut column = vec![0.0; length];
            column[i] = 1.0;
            solve(factor, &mut column);
            column
        };
        let columns: Vec<Vec<f64>> = dimensions.iter().map(|&i| column(&factor, i, rest)).collect();
        let covariance: Vec<f64> = (0..m * m).map(|at| columns[at / m][dimensions[at % m]]).collect();
        let of_covariance = cholesky(&covariance, m)?;
        let precision: Vec<f64> = (0..m).flat_map(|i| column(&of_covariance, i, m)).collect();
        let mean = dimensions.iter().map(|&i| self.mean[i]).collect();
        let scales = (0..m).map(|i| covariance[i * (m + 1)].sqrt()).collect();
        Some((Gaussian { mean, precision: cholesky(&precision, m)? }, scales))
    }
}

/// Iterations at most.
const ITERATIONS: usize = 60;
/// The change of the mean, in standard deviations, and of the precision, relative, below which nothing changes any more.
const SETTLED: f64 = 2e-3;

/// Climbs the ELBO over fixed noise (`[dimension][sample]`): `mean <- mean + rho S E[grad log p]`, `precision <- (1 - rho) precision +
/// rho E[-hessian of log p]`, with the step `rho` that does not descend. The Hessian comes from differences of the gradient, all
/// samples at once. The last `fixed` dimensions are points, whose noise is zero: they are maximised, and the others distributed as under the condition
/// that these are where they are. None if the ELBO is nowhere finite.
///
/// # Source
/// Opper & Archambeau 2009, The variational Gaussian approximation revisited, equations 4 and 5; Khan & Rue 2023, The Bayesian
/// learning rule, equation 22; fixed noise: Giordano, Ingram & Broderick 2024.
pub fn variational_newton(
    start: &Gaussian,
    fixed: usize,
    noise: &[f64],
    relative_step: f64,
    points: &mut dyn Points,
) -> Option<Gaussian> {
    let n = start.mean.len();
    let samples = noise.len().checked_div(n)?;
    let mut now = start.clone();
    let mut elbo = Elbo::new(n, n - fixed, samples);
    let mut value = elbo.at(&now, noise, points);
    // A first Gaussian that is too wide to have a finite ELBO is narrowed.
    for _ in 0..20 {
        if value.is_finite() {
            break;
        }
        now.precision.iter_mut().for_each(|p| *p *= 2.0);
        value = elbo.at(&now, noise, points);
    }
    if !value.is_finite() {
        return None;
    }
    let mut rho = 1.0_f64;
    for _ in 0..ITERATIONS {
        let mean_gradient = elbo.mean_gradient();
        let Some(curvature) = elbo.mean_curvature(&now, relative_step, points) else { break };
        let mut moved = None;
        while rho > 1e-4 {
            if let Some(next) = step(&now, fixed, &mean_gradient, &curvature, rho) {
                let found = elbo.at(&next, noise, points);
                if found > value - 1e-9 * (1.0 + value.abs()) {
                    moved = Some((next, found));
                    break;
                }
            }
            rho *= 0.5;
        }
        let Some((next, found)) = moved else { break };
        let change = change(&now, &next) / rho;
        (now, value) = (next, found);
        rho = (2.0 * rho).min(1.0);
        if change < SETTLED {
            break;
        }
    }
    Some(now)
}

/// The ELBO over fixed noise, with the points and the gradients of the latest evaluation.
struct Elbo {
    n: usize,
    /// The dimensions that are not points.
    spread: usize,
    samples: usize,
    points: Vec<f64>,
    log_density: Vec<f64>,
    gradient: Vec<f64>,
}

impl Elbo {
    fn new(n: usize, spread: usize, samples: usize) -> Self {
        Elbo {
            n,
            spread,
            samples,
            points: vec![0.0; n * samples],
            log_density: vec![0.0; samples],
            gradient: vec![0.0; n * samples],
        }
    }

    /// The ELBO but for a constant; not finite if any sample is not.
    fn at(&mut self, gaussian: &Gaussian, noise: &[f64], points: &mut dyn Points) -> f64 {
        let (n, samples) = (self.n, self.samples);
        self.points.copy_from_slice(noise);
        for i in (0..n).rev() {
            let row = &gaussian.precision[i * n..][..=i];
            let (above, own) = self.points.split_at_mut(i * samples);
            let own = &mut own[..samples];
            own.iter_mut().for_each(|x| *x /= row[i]);
            for (above, p) in above.chunks_exact_mut(samples).zip(row) {
                above.iter_mut().zip(&*own).for_each(|(above, x)| *above -= p * x);
            }
        }
        for (row, mean) in self.points.chunks_exact_mut(samples).zip(&gaussian.mean) {
            row.iter_mut().for_each(|x| *x += mean);
        }
        points.evaluate(&self.points, &mut self.log_density, &mut self.gradient);
        let log_det: f64 = (0..self.spread).map(|i| gaussian.precision[i * (n + 1)].ln()).sum();
        self.log_density.iter().sum::<f64>() / samples as f64 - log_det
    }

    fn mean_gradient(&self) -> Vec<f64> {
        self.gradient.chunks_exact(self.samples).map(|row| row.iter().sum::<f64>() / self.samples as f64).collect()
    }

    /// The mean of minus the Hessian over the points, symmetric; none if the time is up.
    fn mean_curvature(&mut self, gaussian: &Gaussian, relative_step: f64, points: &mut dyn Points) -> Option<Vec<f64>> {
        let (n, samples) = (self.n, self.samples);
        let mut curvature = vec![0.0; n * n];
        let mut gradient = vec![0.0; n * samples];
        for i in 0..n {
            if points.is_over() {
                return None;
            }
            // A small part of the conditional standard deviation.
            let own: f64 = gaussian.precision[i * n..][..=i].iter().map(|p| p * p).sum();
            let h = 30.0 * relative_step / own.sqrt();
            for sign in [1.0, -1.0] {
                self.points[i * samples..(i + 1) * samples].iter_mut().for_each(|x| *x += sign * h);
                points.evaluate(&self.points, &mut self.log_density, &mut gradient);
                self.points[i * samples..(i + 1) * samples].iter_mut().for_each(|x| *x -= sign * h);
                for (j, row) in gradient.chunks_exact(samples).enumerate() {
                    curvature[i * n + j] -= sign * row.iter().sum::<f64>() / (2.0 * h * samples as f64);
                }
            }
        }
        for i in 0..n {
            for j in 0..i {
                let both = 0.5 * (curvature[i * n + j] + curvature[j * n + i]);
                (curvature[i * n + j], curvature[j * n + i]) = (both, both);
            }
        }
        Some(curvature)
    }
}

/// One step; none if the precision would not be positive definite.
fn step(now: &Gaussian, fixed: usize, mean_gradient: &[f64], curvature: &[f64], rho: f64) -> Option<Gaussian> {
    let n = now.mean.len();
    let mut matrix = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let own: f64 = (0..=j).map(|k| now.precision[i * n + k] * now.precision[j * n + k]).sum();
            matrix[i * n + j] = (1.0 - rho) * own + rho * curvature[i * n + j];
            matrix[j * n + i] = matrix[i * n + j];
        }
    }
    if !matrix.iter().all(|x| x.is_finite()) {
        return None;
    }
    // A direction of the points that curves the wrong way is walked with care.
    let mut precision = cholesky(&matrix, n);
    let mut ridge = 0.1;
    while precision.is_none() && fixed > 0 && ridge < 1e6 {
        (n - fixed..n).for_each(|i| matrix[i * (n + 1)] += ridge * (1.0 + matrix[i * (n + 1)].abs()));
        precision = cholesky(&matrix, n);
        ridge *= 4.0;
    }
    let precision = precision?;
    let mut direction = mean_gradient.to_vec();
    solve(&precision, &mut direction);
    let mean = now.mean.iter().zip(&direction).map(|(m, d)| rho.mul_add(*d, *m)).collect();
    Some(Gaussian { mean, precision })
}

/// The largest change: of the mean in standard deviations of the new Gaussian, of the logarithms of the scales.
fn change(before: &Gaussian, after: &Gaussian) -> f64 {
    let n = before.mean.len();
    let mut largest = 0.0_f64;
    for i in 0..n {
        let moved: f64 = (i..n).map(|k| after.precision[k * n + i] * (after.mean[k] - before.mean[k])).sum();
        let scaled = (after.precision[i * (n + 1)] / before.precision[i * (n + 1)]).ln();
        largest = largest.max(moved.abs()).max(scaled.abs());
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Gaussian with mean (1, -1) and precision [[2, 0.8], [0.8, 1]].
    struct Target;

    impl Points for Target {
        fn evaluate(&mut self, points: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
            let samples = log_density.len();
            for s in 0..samples {
                let (x, y) = (points[s] - 1.0, points[samples + s] + 1.0);
                log_density[s] = -0.5 * (2.0 * x * x + 1.6 * x * y + y * y);
                (gradient[s], gradient[samples + s]) = (-(2.0 * x + 0.8 * y), -(0.8 * x + y));
            }
        }
    }

    #[test]
    fn a_gaussian_target_is_met_in_one_step_from_anywhere() {
        let mut noise = vec![0.0; 2 * 8];
        crate::random::antithetic_normals(1, 8, &mut noise);
        let start = Gaussian { mean: vec![5.0, 3.0], precision: vec![10.0, 0.0, 0.0, 0.1] };
        let found = variational_newton(&start, 0, &noise, 6e-6, &mut Target).expect("a finite ELBO");
        // P P^T = [[2, 0.8], [0.8, 1]].
        let (p, q) = (2.0_f64.sqrt(), 0.8 / 2.0_f64.sqrt());
        let expected = [p, 0.0, q, (1.0 - q * q).sqrt()];
        found.precision.iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{found:?}"));
        found.mean.iter().zip([1.0, -1.0]).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{found:?}"));
    }

    /// `log p(x) = x - e^x`: the best Gaussian has mean -s^2 / 2 and precision one (the mean of e^x is one).
    struct Exponential;

    impl Points for Exponential {
        fn evaluate(&mut self, points: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
            for (s, &x) in points.iter().enumerate() {
                (log_density[s], gradient[s]) = (x - x.exp(), 1.0 - x.exp());
            }
        }
    }

    #[test]
    fn the_best_gaussian_of_a_skewed_target_is_found() {
        let mut noise = vec![0.0; 8192];
        crate::random::antithetic_normals(1, 8192, &mut noise);
        let start = Gaussian { mean: vec![4.0], precision: vec![0.3] };
        let found = variational_newton(&start, 0, &noise, 6e-6, &mut Exponential).expect("a finite ELBO");
        assert!((found.mean[0] + 0.5).abs() < 0.03 && (found.precision[0] - 1.0).abs() < 0.03, "{found:?}");
    }
}
