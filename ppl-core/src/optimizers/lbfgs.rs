//! The mode of the log density on the unconstrained space, by limited-memory BFGS (Liu & Nocedal 1989) with backtracking.

use std::collections::VecDeque;

/// Where the search ended.
#[derive(Clone, Debug)]
pub struct Mode {
    /// The point.
    pub u: Vec<f64>,
    /// The log density there, in nats.
    pub log_density: f64,
    /// Whether the gradient vanished; else the density may have no mode.
    pub converged: bool,
}

/// Pairs of steps and changes of the gradient that are kept.
const MEMORY: usize = 10;
/// Coordinates beyond this mean that the density has no mode.
const FAR: f64 = 50.0;

/// Climbs from `start` until a step promises less than `enough` nats; `evaluate` gives the log density and writes the gradient.
pub fn find_mode(start: &[f64], max_steps: usize, enough: f64, mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64) -> Mode {
    let n = start.len();
    let mut u = start.to_vec();
    let mut gradient = vec![0.0; n];
    let mut value = evaluate(&u, &mut gradient);
    let mut pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::with_capacity(MEMORY);
    let far = |u: &[f64]| u.iter().zip(start).any(|(x, s)| (x - s).abs() > FAR && x.abs() > 1e6);
    let mut stalled = 0;
    for _ in 0..max_steps {
        let direction = direction(&gradient, &pairs);
        let slope = dot(&direction, &gradient);
        // Half the squared Newton decrement: how much a quadratic model still promises.
        let converged = slope < enough.max(1e-6);
        if slope < enough || stalled >= 3 {
            return Mode { u, log_density: value, converged };
        }
        let mut step = if pairs.is_empty() { 1.0 / gradient.iter().map(|g| g.abs()).fold(1.0, f64::max) } else { 1.0 };
        let (mut next, mut next_gradient) = (u.clone(), vec![0.0; n]);
        let mut next_value = f64::NAN;
        for _ in 0..40 {
            for ((x, from), d) in next.iter_mut().zip(&u).zip(&direction) {
                *x = step.mul_add(*d, *from);
            }
            next_value = evaluate(&next, &mut next_gradient);
            let finite = next_value.is_finite() && next_gradient.iter().all(|g| g.is_finite());
            if finite && next_value >= 1e-4_f64.mul_add(step * slope, value) {
                break;
            }
            step *= 0.5;
        }
        if !next_value.is_finite() || next_value < value {
            // Rounding hides what little is left to gain, or there is no way up.
            if pairs.is_empty() {
                return Mode { u, log_density: value, converged };
            }
            pairs.clear();
            stalled += 1;
            continue;
        }
        stalled = if next_value - value <= 1e-10 * (1.0 + value.abs()) { stalled + 1 } else { 0 };
        let moved: Vec<f64> = next.iter().zip(&u).map(|(a, b)| a - b).collect();
        let changed: Vec<f64> = gradient.iter().zip(&next_gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&moved, &changed);
        if curvature > 1e-10 * dot(&changed, &changed).sqrt() * dot(&moved, &moved).sqrt() {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back((moved, changed, curvature));
        }
        (u, gradient, value) = (next, next_gradient, next_value);
        if far(&u) {
            break;
        }
    }
    Mode { u, log_density: value, converged: false }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The two-loop recursion.
fn direction(gradient: &[f64], pairs: &VecDeque<(Vec<f64>, Vec<f64>, f64)>) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut alphas = Vec::with_capacity(pairs.len());
    for (s, y, curvature) in pairs.iter().rev() {
        let alpha = dot(s, &q) / curvature;
        alphas.push(alpha);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= alpha * y);
    }
    if let Some((_, y, curvature)) = pairs.back() {
        let scale = curvature / dot(y, y);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((s, y, curvature), alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(y, &q) / curvature;
        q.iter_mut().zip(s).for_each(|(q, s)| *q += (alpha - beta) * s);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::find_mode;

    #[test]
    fn an_ill_conditioned_quadratic_is_climbed_to_its_top() {
        let scales = [1e-3, 1.0, 50.0];
        let mode = find_mode(&[1.0, 2.0, 3.0], 500, 1e-12, |u, g| {
            let mut value = 0.0;
            for i in 0..3 {
                let z = (u[i] - 0.5) / scales[i];
                value -= 0.5 * z * z;
                g[i] = -z / scales[i];
            }
            value
        });
        assert!(mode.converged);
        for (x, scale) in mode.u.iter().zip(scales) {
            assert!((x - 0.5).abs() < 1e-3 * scale, "{x}");
        }
    }

    #[test]
    fn a_density_without_mode_is_left_unconverged() {
        let mode = find_mode(&[0.0], 300, 1e-12, |u, g| {
            g[0] = 1.0;
            u[0]
        });
        assert!(!mode.converged);
    }
}
