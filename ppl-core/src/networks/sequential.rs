//! Layers one after the other.

use super::{Layer, NetworkError, ParameterTensor, Pass, Work};
use crate::kernel::Real;
use crate::random::step_key;

/// Layers of which each takes what the one before it gives.
///
/// # Examples
/// ```
/// use ppl_core::networks::{Activation, Dense, Layer, LayerNorm, Sequential};
/// let layers = Sequential::<f32>::new(Dense::new(4, 3, Activation::Relu)?).then(LayerNorm::new(3)?)?;
/// // Weights 3 x 4 and 3 biases; 3 scales and 3 shifts.
/// assert_eq!(layers.parameter_count(), 21);
/// assert!(layers.then(Dense::new(4, 2, Activation::Identity)?).is_err());
/// # Ok::<(), ppl_core::networks::NetworkError>(())
/// ```
#[derive(Debug)]
pub struct Sequential<E: Real> {
    layers: Vec<Box<dyn Layer<E>>>,
    /// Where the parameters of each layer start, and the end of the last.
    starts: Vec<usize>,
}

impl<E: Real> Sequential<E> {
    /// One layer.
    #[must_use]
    pub fn new(first: impl Layer<E> + 'static) -> Self {
        let end = first.parameter_count();
        Sequential { layers: vec![Box::new(first)], starts: vec![0, end] }
    }

    /// These layers.
    ///
    /// # Errors
    /// [`NetworkError::NoLayers`], [`NetworkError::Sizes`].
    pub fn from_layers(layers: Vec<Box<dyn Layer<E>>>) -> Result<Self, NetworkError> {
        let mut all = Sequential { layers: Vec::with_capacity(layers.len()), starts: vec![0] };
        layers.into_iter().try_for_each(|layer| all.push(layer))?;
        if all.layers.is_empty() { Err(NetworkError::NoLayers) } else { Ok(all) }
    }

    /// With another layer at the end.
    ///
    /// # Errors
    /// [`NetworkError::Sizes`] if it takes another number of features than there are.
    pub fn then(mut self, layer: impl Layer<E> + 'static) -> Result<Self, NetworkError> {
        self.push(Box::new(layer))?;
        Ok(self)
    }

    fn push(&mut self, layer: Box<dyn Layer<E>>) -> Result<(), NetworkError> {
        if let Some(last) = self.layers.last()
            && last.outputs() != layer.inputs()
        {
            return Err(NetworkError::Sizes {
                index: self.layers.len(),
                layer: layer.kind().to_owned(),
                before: last.kind().to_owned(),
                expected: layer.inputs(),
                got: last.outputs(),
            });
        }
        self.starts.push(self.parameter_count() + layer.parameter_count());
        self.layers.push(layer);
        Ok(())
    }

    /// The number of layers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are no layers, which cannot be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The lengths of what is kept: the output of each layer but the last, and two adjoints of the largest.
    fn lengths(&self, rows: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        let between = self.layers.len().saturating_sub(1);
        let largest = self.layers[..between].iter().map(|layer| layer.outputs()).max().unwrap_or(0);
        (0..between + 2).map(move |i| rows * if i < between { self.layers[i].outputs() } else { largest })
    }
}

impl<E: Real> Layer<E> for Sequential<E> {
    fn kind(&self) -> &'static str {
        "sequential"
    }

    fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs())
    }

    fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs())
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        let mut all = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let prefix = format!("layers.{index}");
            all.extend(layer.tensors().into_iter().map(|tensor| tensor.within(&prefix, self.starts[index])));
        }
        all
    }

    fn parameter_count(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        for (index, layer) in self.layers.iter().enumerate() {
            layer.initialize(step_key(key, index as u64), &mut parameters[self.starts[index]..self.starts[index + 1]]);
        }
    }

    fn check_input(&self, x: &[E], rows: usize) -> Result<(), NetworkError> {
        self.layers.first().map_or(Ok(()), |layer| layer.check_input(x, rows))
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let last = self.layers.len() - 1;
        let (buffers, inner) = work.open(self.lengths(rows), self.layers.len());
        for (index, (layer, work)) in self.layers.iter().zip(inner).enumerate() {
            let parameters = &parameters[self.starts[index]..self.starts[index + 1]];
            let (before, after) = buffers.split_at_mut(index);
            let x = before.last().map_or(x, Vec::as_slice);
            let y = if index == last { &mut *y } else { after[0].as_mut_slice() };
            layer.forward(parameters, x, rows, work, y);
        }
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let last = self.layers.len() - 1;
        let (buffers, inner) = work.open(self.lengths(pass.rows), self.layers.len());
        let (outputs, adjoints) = buffers.split_at_mut(last);
        let [adjoint, next] = adjoints else { return };
        let mut x_adjoint = x_adjoint;
        for index in (0..=last).rev() {
            let layer = &self.layers[index];
            let range = self.starts[index]..self.starts[index + 1];
            let (parameters, gradient) = (&parameters[range.clone()], &mut gradient[range]);
            let pass = Pass {
                rows: pass.rows,
                x: if index == 0 { pass.x } else { &outputs[index - 1] },
                y: if index == last { pass.y } else { &outputs[index] },
                y_adjoint: if index == last { pass.y_adjoint } else { &adjoint[..pass.rows * layer.outputs()] },
            };
            let of_x = if index == 0 {
                x_adjoint.take()
            } else {
                let of_x = &mut next[..pass.rows * layer.inputs()];
                of_x.fill(E::default());
                Some(of_x)
            };
            layer.pull(parameters, pass, &mut inner[index], of_x, gradient);
            std::mem::swap(adjoint, next);
        }
    }
}
