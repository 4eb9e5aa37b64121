//! Densities and operations on whole arrays: their operands are gathered from the workspace, their derivatives added to it.

use super::frame::{Forward, Frame};
use crate::distributions::Multiparameter;
use crate::kernel::Lanes;
use crate::linear_algebra::Operation;

/// An operand that is an array.
#[derive(Clone, Copy, Debug)]
pub enum Array<'a, V: Lanes> {
    /// Rows of the workspace: the first, and how many.
    Rows(usize, usize),
    /// Data.
    Numbers(&'a [V::Element]),
    /// One number.
    Number(V),
}

impl<V: Lanes> Array<'_, V> {
    /// The elements, of lanes that lie `groups` apart.
    #[inline(always)]
    fn gather(&self, values: &[V::Chunk], groups: usize, group: usize) -> Vec<V> {
        let mut all = Vec::new();
        match *self {
            Array::Rows(first, len) => {
                all.reserve_exact(len);
                for k in first..first + len {
                    all.push(V::from_chunk(&values[k * groups + group]));
                }
            }
            Array::Numbers(numbers) => {
                all.reserve_exact(numbers.len());
                for &x in numbers {
                    all.push(V::splat(x));
                }
            }
            Array::Number(x) => all.push(x),
        }
        all
    }
}

/// The elements of several arrays.
#[inline(always)]
fn gather<V: Lanes, const P: usize>(arrays: &[Array<'_, V>; P], values: &[V::Chunk], groups: usize, group: usize) -> [Vec<V>; P] {
    let mut all = [const { Vec::new() }; P];
    for i in 0..P {
        all[i] = arrays[i].gather(values, groups, group);
    }
    all
}

/// Vectors as slices.
#[inline(always)]
fn slices<V, const P: usize>(all: &[Vec<V>; P]) -> [&[V]; P] {
    std::array::from_fn(|i| all[i].as_slice())
}

/// Zeros of the lengths of other vectors.
#[inline(always)]
fn zeros<V: Lanes, const P: usize>(like: &[Vec<V>; P]) -> [Vec<V>; P] {
    std::array::from_fn(|i| vec![V::zero(); like[i].len()])
}

impl<V: Lanes> Frame<'_, V> {
    #[inline(always)]
    fn gather<const P: usize>(&self, arrays: &[Array<'_, V>; P]) -> [Vec<V>; P] {
        gather(arrays, self.values, self.groups, self.group)
    }

    /// Adds derivatives, times a weight, to the rows of an array; of a number they are returned.
    #[inline(always)]
    fn scatter(&mut self, array: &Array<'_, V>, weight: V, derivatives: &[V]) -> V {
        match *array {
            Array::Rows(first, len) => {
                for k in 0..len {
                    self.add(first + k, weight * derivatives[k]);
                }
                V::zero()
            }
            Array::Numbers(_) => V::zero(),
            Array::Number(_) => weight * derivatives[0],
        }
    }

    /// A log density.
    #[inline(always)]
    #[must_use]
    pub fn log_prob<D: Multiparameter<P>, const P: usize>(&self, value: Array<'_, V>, parameters: [Array<'_, V>; P]) -> V {
        let ([own], all) = (self.gather(&[value]), self.gather(&parameters));
        D::log_prob(&own, slices(&all))
    }

    /// A log density; its derivatives, times the weight, are added to rows, and returned of numbers: of the value and of the parameters.
    #[inline(always)]
    pub fn density<D: Multiparameter<P>, const P: usize>(
        &mut self,
        weight: V,
        value: Array<'_, V>,
        parameters: [Array<'_, V>; P],
    ) -> (V, V, [V; P]) {
        let ([own], all) = (self.gather(&[value]), self.gather(&parameters));
        let mut d_value = vec![V::zero(); own.len()];
        let mut d_all = zeros(&all);
        let log_prob = D::partials(&own, slices(&all), &mut d_value, d_all.each_mut().map(Vec::as_mut_slice));
        let of_value = self.scatter(&value, weight, &d_value);
        let mut of_parameters = [V::zero(); P];
        for i in 0..P {
            of_parameters[i] = self.scatter(&parameters[i], weight, &d_all[i]);
        }
        (log_prob, of_value, of_parameters)
    }

    /// Pulls the adjoint of a stored array back through the operation that computed it; of operands that are numbers the adjoints are returned.
    #[inline(always)]
    pub fn pull<O: Operation<P>, const P: usize>(&mut self, first: usize, len: usize, operands: [Array<'_, V>; P]) -> [V; P] {
        let ([result], all) = (self.gather(&[Array::Rows(first, len)]), self.gather(&operands));
        let mut adjoint = Vec::with_capacity(len);
        for k in first..first + len {
            adjoint.push(self.adjoint(k));
        }
        let mut d_all = zeros(&all);
        O::pull(slices(&all), &result, &mut adjoint, d_all.each_mut().map(Vec::as_mut_slice));
        let mut of_operands = [V::zero(); P];
        for i in 0..P {
            of_operands[i] = self.scatter(&operands[i], V::constant(1.0), &d_all[i]);
        }
        of_operands
    }
}

impl<V: Lanes> Forward<'_, V> {
    #[inline(always)]
    fn gather<const P: usize>(&self, arrays: &[Array<'_, V>; P]) -> [Vec<V>; P] {
        gather(arrays, self.values, self.groups, self.group)
    }

    /// A log density.
    #[inline(always)]
    #[must_use]
    pub fn log_prob<D: Multiparameter<P>, const P: usize>(&self, value: Array<'_, V>, parameters: [Array<'_, V>; P]) -> V {
        let ([own], all) = (self.gather(&[value]), self.gather(&parameters));
        D::log_prob(&own, slices(&all))
    }

    /// Computes an array and stores it.
    #[inline(always)]
    pub fn compute<O: Operation<P>, const P: usize>(&mut self, first: usize, len: usize, operands: [Array<'_, V>; P]) {
        let all = self.gather(&operands);
        let mut result = vec![V::zero(); len];
        O::compute(slices(&all), &mut result);
        for k in 0..len {
            self.store(first + k, result[k]);
        }
    }
}
