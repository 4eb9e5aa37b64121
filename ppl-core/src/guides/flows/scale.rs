//! The last layer of every flow: a shift and a scale of each dimension.

use dfdx::shapes::HasShape;

use super::layer::{Layer, Leaves, Mapped};
use super::transform::Direction;
use crate::tensor::dfdx;
use crate::tensor::{Fused, Matrix, Recorder, TensorError};

/// `y = loc + e^log_scale v`; the parameters are all `loc`, then all `log_scale`.
#[derive(Debug)]
pub(super) struct Scale {
    pub(super) dimensions: usize,
}

impl Layer for Scale {
    fn parameters(&self) -> usize {
        2 * self.dimensions
    }

    fn initialize(&self, parameters: &mut [f64]) {
        parameters.fill(0.0);
    }

    fn forward<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError> {
        scale(leaves, v, Direction::Forward)
    }

    fn inverse<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError> {
        scale(leaves, v, Direction::Inverse)
    }
}

/// The map or its inverse, in one operation.
fn scale(leaves: &mut Leaves<'_>, v: &Matrix<f64, Recorder>, direction: Direction) -> Result<Mapped, TensorError> {
    let shape = *v.shape();
    let (n, samples) = shape;
    let mut operation = Fused::new("scale");
    let (mut v, parameters) = (operation.input(v)?, operation.input(&leaves.vector(2 * n)?)?);
    // The inverse is a map of the same kind.
    let sign = if direction == Direction::Forward { 1.0 } else { -1.0 };
    let (loc, log_scale) = parameters.split_at(n);
    let scale: Vec<f64> = log_scale.iter().map(|x| (sign * x).exp()).collect();
    let shift = if direction == Direction::Forward { vec![0.0; n] } else { loc.to_vec() };
    let mut to = vec![0.0; n * samples];
    for i in 0..n {
        let rows = v[i * samples..][..samples].iter_mut().zip(&mut to[i * samples..][..samples]);
        for (x, to) in rows {
            *x -= shift[i];
            *to = scale[i] * *x + (loc[i] - shift[i]);
        }
    }
    let log_det = vec![sign * log_scale.iter().sum::<f64>(); samples];
    let (v, log_det) = operation.outputs((shape, to), ((samples,), log_det), move |to_adjoint, log_adjoint| {
        let of_log: f64 = log_adjoint.iter().sum();
        let (mut adjoint, mut of_parameters) = (to_adjoint.to_vec(), vec![0.0; 2 * n]);
        for i in 0..n {
            let (own, v) = (&mut adjoint[i * samples..][..samples], &v[i * samples..][..samples]);
            let sum: f64 = own.iter().sum();
            let product: f64 = own.iter().zip(v).map(|(a, v)| a * v).sum();
            of_parameters[i] = if sign > 0.0 { sum } else { -scale[i] * sum };
            of_parameters[n + i] = sign * (scale[i] * product + of_log);
            own.iter_mut().for_each(|a| *a *= scale[i]);
        }
        vec![adjoint, of_parameters]
    })?;
    Ok(Mapped { v, log_det })
}
