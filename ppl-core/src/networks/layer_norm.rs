//! Layer normalization: each row to mean zero and variance one, then scaled and shifted.

use rayon::prelude::*;

use super::elementwise::{load, store};
use super::parallel::rows_in_part;
use super::sizes::check_sizes;
use super::sums::add_column_sums;
use super::{Layer, NetworkError, ParameterTensor, Pass, Work};
use crate::kernel::{Kernel, Lanes, Real, dispatch};

/// Added to the variance of a row.
const EPSILON: f64 = 1e-5;

/// `y = weight (x - mean) / sqrt(variance + 1e-5) + bias` in each row (Ba, Kiros & Hinton 2016).
///
/// # Shapes
/// `weight, bias: [features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNorm {
    size: usize,
}

impl LayerNorm {
    /// Over so many features.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`] and [`NetworkError::LargeSize`].
    pub fn new(size: usize) -> Result<Self, NetworkError> {
        check_sizes("layer_norm", &[("the number of features", size)])?;
        Ok(LayerNorm { size })
    }
}

impl<E: Real> Layer<E> for LayerNorm {
    fn kind(&self) -> &'static str {
        "layer_norm"
    }

    fn inputs(&self) -> usize {
        self.size
    }

    fn outputs(&self) -> usize {
        self.size
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        ParameterTensor::consecutive(&[("weight", &[self.size]), ("bias", &[self.size])])
    }

    fn initialize(&self, _key: u64, parameters: &mut [E]) {
        let (weight, bias) = parameters.split_at_mut(self.size);
        weight.fill(E::from_f64(1.0));
        bias.fill(E::default());
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let [normalized, precisions] = work.buffers([x.len(), rows]);
        let (weight, bias) = parameters.split_at(self.size);
        let part = rows_in_part(self.size);
        let columns = self.size * part;
        y.par_chunks_mut(columns)
            .zip(x.par_chunks(columns))
            .zip(normalized.par_chunks_mut(columns).zip(precisions.par_chunks_mut(part)))
            .for_each(|((y, x), (normalized, precisions))| dispatch(Normalize { weight, bias, x, y, normalized, precisions }));
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let [normalized, precisions] = work.buffers([pass.x.len(), pass.rows]);
        let (d_weight, d_bias) = gradient.split_at_mut(self.size);
        add_column_sums(pass.y_adjoint, normalized, d_weight);
        add_column_sums(pass.y_adjoint, &[], d_bias);
        let Some(x_adjoint) = x_adjoint else { return };
        let weight = &parameters[..self.size];
        let part = rows_in_part(self.size);
        let columns = self.size * part;
        x_adjoint
            .par_chunks_mut(columns)
            .zip(pass.y_adjoint.par_chunks(columns))
            .zip(normalized.par_chunks(columns).zip(precisions.par_chunks(part)))
            .for_each(|((x_adjoint, adjoint), (normalized, precisions))| {
                dispatch(Pull { weight, adjoint, normalized, precisions, x_adjoint });
            });
    }
}

/// The sum of the first of the lanes, in their order.
#[inline(always)]
fn sum_of<V: Lanes>(lanes: V) -> V::Element {
    let mut values = [V::Element::default(); 16];
    lanes.store(&mut values);
    let mut sum = V::Element::default();
    for &x in &values {
        sum = sum + x;
    }
    sum
}

struct Normalize<'a, E> {
    weight: &'a [E],
    bias: &'a [E],
    x: &'a [E],
    y: &'a mut [E],
    normalized: &'a mut [E],
    precisions: &'a mut [E],
}

impl<E: Real> Kernel<E> for Normalize<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let size = self.weight.len();
        for (row, precision) in self.precisions.iter_mut().enumerate() {
            let x = &self.x[row * size..(row + 1) * size];
            let (y, normalized) = (&mut self.y[row * size..(row + 1) * size], &mut self.normalized[row * size..(row + 1) * size]);
            let mut sum = V::zero();
            let mut at = 0;
            while at < size {
                sum = sum + load::<V>(&x[at..size.min(at + V::WIDTH)]);
                at += V::WIDTH;
            }
            let mean = sum_of(sum) / E::from_f64(size as f64);
            // Differences are kept where the normalized values will be; what is beyond the end of a row stays zero.
            let mut squares = V::zero();
            let mut at = 0;
            while at < size {
                let end = size.min(at + V::WIDTH);
                store(load::<V>(&x[at..end]) - V::splat(mean), &mut normalized[at..end]);
                let difference = load::<V>(&normalized[at..end]);
                squares = difference.mul_add(difference, squares);
                at = end;
            }
            let variance = sum_of(squares) / E::from_f64(size as f64);
            *precision = E::from_f64(1.0) / (variance + E::from_f64(EPSILON)).sqrt();
            let mut at = 0;
            while at < size {
                let end = size.min(at + V::WIDTH);
                let z = load::<V>(&normalized[at..end]) * V::splat(*precision);
                store(z, &mut normalized[at..end]);
                store(z.mul_add(load(&self.weight[at..end]), load(&self.bias[at..end])), &mut y[at..end]);
                at = end;
            }
        }
    }
}

struct Pull<'a, E> {
    weight: &'a [E],
    adjoint: &'a [E],
    normalized: &'a [E],
    precisions: &'a [E],
    x_adjoint: &'a mut [E],
}

impl<E: Real> Kernel<E> for Pull<'_, E> {
    type Output = ();

    /// With `g = weight adjoint` and `z` the normalized row: `precision (g - mean(g) - z mean(g z))`.
    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let size = self.weight.len();
        for (row, &precision) in self.precisions.iter().enumerate() {
            let (adjoint, z) = (&self.adjoint[row * size..(row + 1) * size], &self.normalized[row * size..(row + 1) * size]);
            let x_adjoint = &mut self.x_adjoint[row * size..(row + 1) * size];
            let (mut sum, mut product) = (V::zero(), V::zero());
            let mut at = 0;
            while at < size {
                let end = size.min(at + V::WIDTH);
                let g = load::<V>(&adjoint[at..end]) * load::<V>(&self.weight[at..end]);
                sum = sum + g;
                product = g.mul_add(load::<V>(&z[at..end]), product);
                at = end;
            }
            let count = E::from_f64(size as f64);
            let (mean, slope) = (V::splat(sum_of(sum) / count), V::splat(sum_of(product) / count));
            let mut at = 0;
            while at < size {
                let end = size.min(at + V::WIDTH);
                let g = load::<V>(&adjoint[at..end]) * load::<V>(&self.weight[at..end]);
                let d = (g - mean - load::<V>(&z[at..end]) * slope) * V::splat(precision);
                store(load::<V>(&x_adjoint[at..end]) + d, &mut x_adjoint[at..end]);
                at = end;
            }
        }
    }
}
