//! Where the elements of a tensor lie in its buffer, which dfdx does not tell but the addresses of its elements do.

use dfdx::shapes::{Dtype, Shape};
use dfdx::tensor::{Cpu, Tensor};

use super::TensorError;

/// The distance in the buffer between neighbours along each axis: row-major, or a permuted or broadcast view.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_field_names, reason = "the word of the field")]
pub(super) struct Strides<S: Shape> {
    shape: S::Concrete,
    strides: S::Concrete,
    row_major: bool,
}

impl<S: Shape> Strides<S> {
    /// The strides of a tensor that has elements.
    pub(super) fn of<E: Dtype, T>(tensor: &Tensor<S, E, Cpu, T>, operation: &'static str) -> Result<Self, TensorError> {
        let shape = dfdx::shapes::HasShape::shape(tensor);
        let sizes = shape.concrete();
        if shape.num_elements() == 0 {
            return Err(TensorError::Empty { operation, shape: sizes.into() });
        }
        let first = address(&tensor[S::Concrete::default()]);
        let mut strides = S::Concrete::default();
        let mut row_major = true;
        let mut inner = 1;
        for axis in (0..S::NUM_DIMS).rev() {
            if sizes[axis] > 1 {
                let mut neighbour = S::Concrete::default();
                neighbour[axis] = 1;
                strides[axis] = (address(&tensor[neighbour]) - first) / size_of::<E>();
                row_major &= strides[axis] == inner;
            }
            inner *= sizes[axis];
        }
        Ok(Self { shape: sizes, strides, row_major })
    }

    /// The number of elements.
    fn len(&self) -> usize {
        self.shape.into_iter().product()
    }

    /// Refuses a slice that has not one entry for each element.
    pub(super) fn check_length(&self, operation: &'static str, got: usize) -> Result<(), TensorError> {
        let expected = self.len();
        if expected == got { Ok(()) } else { Err(TensorError::Length { operation, expected, got }) }
    }

    /// Writes the elements of a tensor with these strides to a slice, the last axis fastest.
    pub(super) fn read<E: Dtype, T>(&self, tensor: &Tensor<S, E, Cpu, T>, to: &mut [E]) {
        if self.row_major {
            tensor.copy_into(to);
        } else {
            to.copy_from_slice(&tensor.as_vec());
        }
    }

    /// Writes a buffer with these strides to a slice, the last axis fastest.
    pub(super) fn copy<E: Copy>(&self, buffer: &[E], to: &mut [E]) {
        if self.row_major {
            to.copy_from_slice(buffer);
        } else {
            for (to, offset) in to.iter_mut().zip(self.offsets()) {
                *to = buffer[offset];
            }
        }
    }

    /// Adds elements, the last axis fastest, to a buffer with these strides; an element that is seen several times gathers all of them.
    pub(super) fn accumulate<E: Dtype>(&self, elements: &[E], buffer: &mut [E]) {
        if self.row_major {
            for (sum, &element) in buffer.iter_mut().zip(elements) {
                *sum += element;
            }
        } else {
            for (offset, &element) in self.offsets().zip(elements) {
                buffer[offset] += element;
            }
        }
    }

    /// Where each element lies in the buffer, the last axis fastest.
    fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).map(|element| {
            let mut rest = element;
            let mut offset = 0;
            for axis in (0..S::NUM_DIMS).rev() {
                offset += rest % self.shape[axis] * self.strides[axis];
                rest /= self.shape[axis];
            }
            offset
        })
    }
}

fn address<E>(element: &E) -> usize {
    std::ptr::from_ref(element).addr()
}
