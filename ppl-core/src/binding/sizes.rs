//! The sizes of dimensions: found in the shapes of arrays and in what indices need, and compared.

use std::sync::Arc;

use crate::indices::Indices;
use crate::model::{DataError, Dimension, Layout};

/// The sizes of the dimensions of a model, as its arrays tell them.
#[derive(Debug)]
pub struct Sizes<'f> {
    model: &'static str,
    dims: Vec<Known>,
    fitted: Option<&'f Layout>,
}

#[derive(Debug, Default)]
struct Known {
    name: &'static str,
    /// The array that told the size first, and the size.
    told: Option<(&'static str, usize)>,
    /// The size that index arrays need, and which of them needs most.
    pointed: Option<(&'static str, usize)>,
    levels: Option<Arc<[String]>>,
}

impl<'f> Sizes<'f> {
    /// No size known yet; `fitted` is the layout of a fit whose levels new inputs must use.
    #[must_use]
    pub fn new(model: &'static str, dims: &[&'static str], fitted: Option<&'f Layout>) -> Self {
        let known = |&name: &&'static str| {
            let levels = fitted.and_then(|f| f.dims.iter().find(|d| d.name == name)).and_then(|d| d.levels.clone());
            Known { name, levels, ..Known::default() }
        };
        Sizes { model, dims: dims.iter().map(known).collect(), fitted }
    }

    /// An array has this size along a dimension.
    ///
    /// # Errors
    /// [`DataError::SizeMismatch`] if another array said otherwise.
    pub fn axis(&mut self, dim: usize, array: &'static str, size: usize) -> Result<(), DataError> {
        let known = &mut self.dims[dim];
        match known.told {
            Some((first, first_size)) if first_size != size => Err(DataError::SizeMismatch {
                model: self.model,
                dim: known.name,
                first,
                first_size,
                second: array,
                second_size: size,
            }),
            Some(_) => Ok(()),
            None => {
                known.told = Some((array, size));
                Ok(())
            }
        }
    }

    /// An index array points into a dimension. Gives its indices, with the levels of the fit where labels were given.
    ///
    /// # Errors
    /// [`DataError::UnknownLevel`] if a label was not among those of the fit.
    pub fn indices(&mut self, dim: usize, array: &'static str, indices: &Indices) -> Result<Vec<usize>, DataError> {
        let model = self.model;
        let known = &mut self.dims[dim];
        let mut values = indices.values().to_vec();
        if let Some(labels) = indices.shared_levels() {
            match &known.levels {
                None => known.levels = Some(Arc::clone(labels)),
                Some(levels) if levels == labels => {}
                Some(levels) => {
                    for (row, value) in values.iter_mut().enumerate() {
                        let label = &labels[*value];
                        *value = levels.iter().position(|level| level == label).ok_or_else(|| DataError::UnknownLevel {
                            model,
                            field: array,
                            row,
                            label: label.clone(),
                            dim: known.name,
                        })?;
                    }
                }
            }
        }
        self.needs(dim, array, indices.size());
        self.points(dim, array, &values);
        Ok(values)
    }

    /// An index array points into a dimension.
    pub fn points(&mut self, dim: usize, array: &'static str, values: &[usize]) {
        self.needs(dim, array, values.iter().max().map_or(0, |max| max + 1));
    }

    fn needs(&mut self, dim: usize, array: &'static str, size: usize) {
        let known = &mut self.dims[dim];
        if known.pointed.is_none_or(|(_, most)| most < size) {
            known.pointed = Some((array, size));
        }
    }

    /// The size of a dimension: of the arrays over it, or of the fit, or what indices into it need.
    #[must_use]
    pub fn size(&self, dim: usize) -> usize {
        let known = &self.dims[dim];
        if let Some((_, size)) = known.told {
            return size;
        }
        let pointed = known.pointed.map_or(0, |(_, size)| size);
        let levels = known.levels.as_ref().map_or(0, |levels| levels.len());
        let fitted = self.fitted.and_then(|f| f.dims.iter().find(|d| d.name == known.name)).map_or(0, |d| d.size);
        // New rows may mention fewer levels than the fit knows, never more.
        if fitted > 0 { fitted } else { pointed.max(levels) }
    }

    /// Refuses index arrays that point outside their dimension.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`] names the first such row.
    pub fn check_indices(&self, dim: usize, field: &'static str, values: &[usize]) -> Result<(), DataError> {
        let size = self.size(dim);
        match values.iter().position(|&value| value >= size) {
            None => Ok(()),
            Some(row) => Err(DataError::IndexOutOfRange {
                model: self.model,
                field,
                row,
                value: values[row],
                dim: self.dims[dim].name,
                size,
            }),
        }
    }

    /// The dimensions with their sizes and levels.
    #[must_use]
    pub fn dimensions(&self) -> Vec<Dimension> {
        let dimension = |(dim, known): (usize, &Known)| {
            let size = self.size(dim);
            let levels = known.levels.clone().filter(|levels| levels.len() == size);
            Dimension { name: known.name, size, levels }
        };
        self.dims.iter().enumerate().map(dimension).collect()
    }
}
