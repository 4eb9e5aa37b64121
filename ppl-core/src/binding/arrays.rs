//! Arrays of the data as generated code reads them: shapes, elements in row-major order, doubles.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, RawData};

use crate::kernel::Real;
use crate::model::Layout;

/// The elements of an array with missing values, as they were given before it was laid out.
pub fn given_again(layout: &Layout, name: &str) -> Vec<Option<f64>> {
    let missing = layout.latents().find(|latent| latent.name == name).and_then(|latent| latent.missing.as_ref());
    missing.map(|missing| missing.given.clone()).unwrap_or_default()
}

/// The elements of an array in row-major order, borrowed where they lie so.
pub fn row_major<S, D>(array: &ArrayBase<S, D>) -> Cow<'_, [S::Elem]>
where
    S: Data,
    <S as RawData>::Elem: Clone,
    D: ndarray::Dimension,
{
    match array.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(array.iter().cloned().collect()),
    }
}

/// The sizes of the axes of an array.
pub fn shape<S: RawData, D: ndarray::Dimension>(array: &ArrayBase<S, D>) -> Vec<usize> {
    array.raw_dim().slice().to_vec()
}

/// An array with missing values, as doubles in row-major order.
pub fn given<'a, E: Real + 'a>(values: impl IntoIterator<Item = &'a Option<E>>) -> Vec<Option<f64>> {
    values.into_iter().map(|value| value.map(Real::to_f64)).collect()
}

/// Numbers as doubles.
pub fn numbers<E: Real>(values: &[E]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}
