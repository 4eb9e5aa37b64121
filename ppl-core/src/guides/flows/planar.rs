//! A layer that pushes samples along one direction, by how far they are along another.

use dfdx::shapes::HasShape;

use super::layer::{Layer, Leaves, Mapped};
use super::transform::Direction;
use crate::tensor::dfdx;
use crate::tensor::{Fused, Matrix, Recorder, TensorError};

/// `y = v + u' tanh(w . v + b)` with `u' = u + (m(w . u) - w . u) w / |w|^2`, where `m(x) = softplus(x + c) - 0.999` is above -0.999, which makes the map
/// invertible.
///
/// The parameters are `w`, `u` and `b`. Here `m(0) = 0`, so that the map is the identity where `u` is zero; in the source it is not.
///
/// # Source
/// Rezende & Mohamed 2015, Variational inference with normalizing flows, equations 10 to 12 and appendix A.1.
#[derive(Debug)]
pub(super) struct Planar {
    pub(super) dimensions: usize,
}

/// `w`, `u'` and `b`, and what makes `u'` of `u`.
#[derive(Clone, Debug)]
struct Push {
    w: Vec<f64>,
    u: Vec<f64>,
    b: f64,
    /// `u'`.
    along: Vec<f64>,
    /// `w . u'`, above -0.999.
    advance: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The most that a push may bring samples nearer to each other, of their distance.
const NEARER: f64 = 0.999;

/// `m(x) - x`, and its derivative.
fn correction(x: f64) -> (f64, f64) {
    let shifted = x + NEARER.exp_m1().ln();
    let softplus = shifted.max(0.0) + (-shifted.abs()).exp().ln_1p();
    (softplus - NEARER - x, 1.0 / (1.0 + (-shifted).exp()) - 1.0)
}

impl Push {
    fn new(parameters: &[f64], dimensions: usize) -> Self {
        let (w, rest) = parameters.split_at(dimensions);
        let (u, b) = rest.split_at(dimensions);
        // A direction of no length pushes nothing apart.
        let square = dot(w, w).max(f64::MIN_POSITIVE);
        let factor = correction(dot(w, u)).0 / square;
        let along: Vec<f64> = u.iter().zip(w).map(|(u, w)| u + factor * w).collect();
        let advance = dot(w, &along);
        Push { w: w.to_vec(), u: u.to_vec(), b: b[0], along, advance }
    }

    /// The adjoints of `w`, `u` and `b` from those of `w` (all else being held), `u'` and `b`.
    fn pull(&self, mut w_adjoint: Vec<f64>, along_adjoint: &[f64], b_adjoint: f64) -> Vec<f64> {
        let square = dot(&self.w, &self.w).max(f64::MIN_POSITIVE);
        let (value, derivative) = correction(dot(&self.w, &self.u));
        let inner = dot(along_adjoint, &self.w) / square;
        let mut u_adjoint = along_adjoint.to_vec();
        for i in 0..self.w.len() {
            w_adjoint[i] +=
                derivative * inner * self.u[i] + value / square * along_adjoint[i] - 2.0 * value / square * inner * self.w[i];
            u_adjoint[i] += derivative * inner * self.w[i];
        }
        [w_adjoint, u_adjoint, vec![b_adjoint]].concat()
    }

    /// The `a` of `a + advance tanh(a + b) = reached`, which increases in `a`: Newton's method, kept between bounds.
    fn root(&self, reached: f64) -> f64 {
        let (mut low, mut high) = (reached - self.advance.abs(), reached + self.advance.abs());
        let mut a = reached - self.advance * (reached + self.b).tanh();
        for _ in 0..100 {
            let t = (a + self.b).tanh();
            let miss = a + self.advance * t - reached;
            *(if miss > 0.0 { &mut high } else { &mut low }) = a;
            let next = a - miss / (1.0 + self.advance * (1.0 - t * t));
            let next = if next >= low && next <= high { next } else { 0.5 * (low + high) };
            if (next - a).abs() <= 1e-15 * (1.0 + a.abs()) {
                return next;
            }
            a = next;
        }
        a
    }
}

impl Layer for Planar {
    fn parameters(&self) -> usize {
        2 * self.dimensions + 1
    }

    fn initialize(&self, parameters: &mut [f64]) {
        let n = self.dimensions;
        parameters[..n].iter_mut().for_each(|w| *w /= (n as f64).sqrt());
        parameters[n..2 * n].fill(0.0);
    }

    fn forward<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError> {
        planar(leaves, v, Direction::Forward)
    }

    fn inverse<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError> {
        planar(leaves, v, Direction::Inverse)
    }
}

/// The map or its inverse, in one operation.
fn planar(leaves: &mut Leaves<'_>, v: &Matrix<f64, Recorder>, direction: Direction) -> Result<Mapped, TensorError> {
    let shape = *v.shape();
    let (n, samples) = shape;
    let mut operation = Fused::new("planar");
    let (mut v, parameters) = (operation.input(v)?, operation.input(&leaves.vector(2 * n + 1)?)?);
    let push = Push::new(&parameters, n);
    // How far each sample is along w before the push; then v is what the push is applied to, whichever way the map is taken.
    let forward = direction == Direction::Forward;
    let mut tanh = vec![0.0; samples];
    let mut to = v.clone();
    for (s, tanh) in tanh.iter_mut().enumerate() {
        let reached: f64 = (0..n).map(|i| push.w[i] * v[i * samples + s]).sum();
        *tanh = ((if forward { reached } else { push.root(reached) }) + push.b).tanh();
        let by = if forward { *tanh } else { -*tanh };
        (0..n).for_each(|i| to[i * samples + s] += by * push.along[i]);
    }
    if !forward {
        v.clone_from(&to);
    }
    let log_stretch = |tanh: &f64| (push.advance * (1.0 - tanh * tanh)).ln_1p();
    let log_det = tanh.iter().map(|tanh| if forward { log_stretch(tanh) } else { -log_stretch(tanh) }).collect();
    let (v, log_det) = operation.outputs((shape, to), ((samples,), log_det), move |to_adjoint, log_adjoint| {
        let mut adjoint = to_adjoint.to_vec();
        let (mut w_adjoint, mut along_adjoint, mut b_adjoint) = (vec![0.0; n], vec![0.0; n], 0.0);
        for s in 0..samples {
            let (t, g) = (tanh[s], 1.0 - tanh[s] * tanh[s]);
            let stretch = 1.0 + push.advance * g;
            let column = |rows: &[f64], i: usize| rows[i * samples + s];
            // The adjoints of the pushed sample and of its log stretch. The inverse has v with y = push(v): dv = J^-1 (dy - d push by the
            // parameters), so the adjoint of y is J^-T times that of v, and the push has its negative.
            let log_adjoint = if forward { log_adjoint[s] } else { -log_adjoint[s] };
            // The derivative of the log stretch by w . v.
            let of_log = -2.0 * t * g * push.advance / stretch * log_adjoint;
            if !forward {
                let by_v: Vec<f64> = (0..n).map(|i| column(&adjoint, i) + of_log * push.w[i]).collect();
                let along = g * dot(&push.along, &by_v) / stretch;
                (0..n).for_each(|i| adjoint[i * samples + s] = along * push.w[i] - by_v[i]);
            }
            let pushed: f64 = (0..n).map(|i| push.along[i] * column(&adjoint, i)).sum();
            let inner = g * pushed + of_log;
            let by_advance = g / stretch * log_adjoint;
            b_adjoint += inner;
            for i in 0..n {
                w_adjoint[i] += inner * column(&v, i) + by_advance * push.along[i];
                along_adjoint[i] += t * column(&adjoint, i) + by_advance * push.w[i];
            }
            for i in 0..n {
                let at = &mut adjoint[i * samples + s];
                *at = if forward { *at + inner * push.w[i] } else { -*at };
            }
        }
        vec![adjoint, push.pull(w_adjoint, &along_adjoint, b_adjoint)]
    })?;
    Ok(Mapped { v, log_det })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_also_where_the_push_nearly_folds() {
        for (w, u) in [(3.0, 0.4), (2.0, -40.0), (0.1, 50.0), (30.0, -1.0)] {
            let push = Push::new(&[w, u, 0.3], 1);
            assert!(push.advance > -0.999_000_1);
            for reached in [-60.0, -3.0, -1.0, -0.3, 0.0, 0.2, 1.0, 5.0, 200.0] {
                let a = push.root(reached);
                let back = a + push.advance * (a + push.b).tanh();
                assert!((back - reached).abs() < 1e-12 * (1.0 + reached.abs()), "{w} {u} {reached}: {back}");
            }
        }
    }

    #[test]
    fn no_push_is_the_identity() {
        let push = Push::new(&[0.7, -1.2, 0.0, 0.0, 0.5], 2);
        assert!(push.along.iter().all(|x| x.abs() < 1e-15));
    }
}
