//! Increasing functions of one number applied to rows of samples, each with parameters of its own: one operation on the tape.

use dfdx::shapes::HasShape;

use super::layer::Mapped;
use crate::kernel::{Kernel, Lanes, dispatch};
use crate::tensor::dfdx;
use crate::tensor::{Fused, Matrix, Recorder, TensorError};

/// An increasing function `y = f(x)` of one number on the real line, of parameters that a network gives; all zero, it is the identity.
pub(super) trait Transform: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// How many parameters it has.
    fn parameters(self) -> usize;
    /// `f(x)` and `ln f'(x)`.
    fn forward<V: Lanes<Element = f64>>(self, x: V, parameters: &[V]) -> (V, V);
    /// The `x` of `f(x) = y`.
    fn inverse<V: Lanes<Element = f64>>(self, y: V, parameters: &[V]) -> V;
    /// The derivative of `y_adjoint f(x) + log_adjoint ln f'(x)` by `x`; writes those by the parameters.
    fn pull<V: Lanes<Element = f64>>(self, x: V, parameters: &[V], y_adjoint: V, log_adjoint: V, adjoint: &mut [V]) -> V;
}

/// Which way a map is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Inverse,
}

/// Applies a transform, or its inverse, to some rows of `v`; the others stay.
///
/// # Shapes
/// `v: [D, S]`; `parameters: [R P, S]`, the `P` of one of the `R` rows after those of another.
pub(super) fn transform<F: Transform>(
    function: F,
    direction: Direction,
    v: &Matrix<f64, Recorder>,
    parameters: &Matrix<f64, Recorder>,
    rows: &[usize],
) -> Result<Mapped, TensorError> {
    let shape = *v.shape();
    let samples = shape.1;
    let mut operation = Fused::new("transform");
    let (from, parameters) = (operation.input(v)?, operation.input(parameters)?);
    let mut to = from.clone();
    let mut log_det = vec![0.0; samples];
    dispatch(Apply { function, direction, rows, parameters: &parameters, samples, v: &mut to, log_det: &mut log_det });
    // The derivatives are those at x, whichever way was taken.
    let x = if direction == Direction::Forward { from } else { to.clone() };
    let rows = rows.to_vec();
    let (v, log_det) = operation.outputs((shape, to), ((samples,), log_det), move |v_adjoint, log_adjoint| {
        let (mut own, mut of_parameters) = (v_adjoint.to_vec(), vec![0.0; parameters.len()]);
        dispatch(Pull {
            function,
            direction,
            rows: &rows,
            parameters: &parameters,
            samples,
            x: &x,
            v_adjoint: &mut own,
            log_adjoint,
            adjoint: &mut of_parameters,
        });
        vec![own, of_parameters]
    })?;
    Ok(Mapped { v, log_det })
}

struct Apply<'a, F> {
    function: F,
    direction: Direction,
    rows: &'a [usize],
    parameters: &'a [f64],
    samples: usize,
    v: &'a mut [f64],
    log_det: &'a mut [f64],
}

impl<F: Transform> Kernel<f64> for Apply<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) {
        let (function, samples, each) = (self.function, self.samples, self.function.parameters());
        let mut own = vec![V::zero(); each];
        for offset in (0..samples).step_by(V::WIDTH) {
            let mut total = V::zero();
            for (at, &row) in self.rows.iter().enumerate() {
                for (k, parameter) in own.iter_mut().enumerate() {
                    *parameter = V::load(&self.parameters[(at * each + k) * samples + offset..]);
                }
                let v = &mut self.v[row * samples + offset..];
                let x = V::load(v);
                match self.direction {
                    Direction::Forward => {
                        let (y, log_derivative) = function.forward(x, &own);
                        y.store(v);
                        total = total + log_derivative;
                    }
                    Direction::Inverse => {
                        let x = function.inverse(x, &own);
                        x.store(v);
                        total = total - function.forward(x, &own).1;
                    }
                }
            }
            total.store(&mut self.log_det[offset..]);
        }
    }
}

struct Pull<'a, F> {
    function: F,
    direction: Direction,
    rows: &'a [usize],
    parameters: &'a [f64],
    samples: usize,
    x: &'a [f64],
    v_adjoint: &'a mut [f64],
    log_adjoint: &'a [f64],
    adjoint: &'a mut [f64],
}

impl<F: Transform> Kernel<f64> for Pull<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) {
        let (function, samples, each) = (self.function, self.samples, self.function.parameters());
        let (mut own, mut adjoint) = (vec![V::zero(); each], vec![V::zero(); each]);
        for offset in (0..samples).step_by(V::WIDTH) {
            let log_adjoint = V::load(&self.log_adjoint[offset..]);
            for (at, &row) in self.rows.iter().enumerate() {
                for (k, parameter) in own.iter_mut().enumerate() {
                    *parameter = V::load(&self.parameters[(at * each + k) * samples + offset..]);
                }
                let x = V::load(&self.x[row * samples + offset..]);
                let to = &mut self.v_adjoint[row * samples + offset..];
                let given = V::load(to);
                let pulled = match self.direction {
                    Direction::Forward => function.pull(x, &own, given, log_adjoint, &mut adjoint),
                    Direction::Inverse => {
                        // With x the function of y and the parameters that f(x) = y makes it, dx = (dy - df) / f', df by the parameters alone;
                        // and the logarithm of the derivative of the inverse is - ln f'(x).
                        let of_log = function.pull(x, &own, V::zero(), -log_adjoint, &mut adjoint);
                        let by_y = (given + of_log) * (-function.forward(x, &own).1).exp();
                        function.pull(x, &own, -by_y, -log_adjoint, &mut adjoint);
                        by_y
                    }
                };
                pulled.store(to);
                for (k, adjoint) in adjoint.iter().enumerate() {
                    adjoint.store(&mut self.adjoint[(at * each + k) * samples + offset..]);
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod laws {
    //! What every transform must satisfy.

    use super::*;

    /// Checks inverse, derivative, pullback and identity at parameters of no particular pattern, whose size `scale` is.
    pub(crate) fn check<F: Transform>(function: F, scale: f64) {
        let n = function.parameters();
        let h = 1e-5;
        for pattern in 0..5 {
            let own: Vec<f64> = (0..n).map(|k| scale * (1.0 + 1.9 * (k + 31 * pattern) as f64).sin()).collect();
            let mut before = f64::NEG_INFINITY;
            for step in 0..40 {
                let x = -6.1 + 0.311 * f64::from(step);
                let (y, log_derivative) = function.forward(x, &own);
                assert!(y > before, "{function:?} increases at {x}");
                before = y;
                let back = function.inverse(y, &own);
                assert!((back - x).abs() < 1e-9, "{function:?}: {x} came back as {back}");
                let at = |x: f64, own: &[f64]| function.forward(x, own);
                let slope = (at(x + h, &own).0 - at(x - h, &own).0) / (2.0 * h);
                assert!((slope.ln() - log_derivative).abs() < 1e-6, "{function:?} at {x}: {} {log_derivative}", slope.ln());
                let (a, b) = (0.7, -1.3);
                let value = |x: f64, own: &[f64]| a * at(x, own).0 + b * at(x, own).1;
                let mut adjoint = vec![0.0; n];
                let by_x = function.pull(x, &own, a, b, &mut adjoint);
                let numeric = (value(x + h, &own) - value(x - h, &own)) / (2.0 * h);
                assert!((numeric - by_x).abs() < 1e-5 * (1.0 + numeric.abs()), "{function:?} at {x}: {by_x} {numeric}");
                for k in 0..n {
                    let moved = |h: f64| {
                        let mut own = own.clone();
                        own[k] += h;
                        value(x, &own)
                    };
                    let numeric = (moved(h) - moved(-h)) / (2.0 * h);
                    let found = adjoint[k];
                    assert!(
                        (numeric - found).abs() < 1e-5 * (1.0 + numeric.abs()),
                        "{function:?}, {k} at {x}: {found} {numeric}"
                    );
                }
            }
        }
        for x in [-7.0, -2.5, 0.0, 0.3, 3.9, 12.0] {
            let (y, log_derivative) = function.forward(x, &vec![0.0; n]);
            assert!((y - x).abs() < 1e-12 && log_derivative.abs() < 1e-12, "{function:?} begins as the identity: {x} {y}");
        }
    }
}
