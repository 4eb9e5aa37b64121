//! Multilayer perceptrons: dense layers of given sizes.

use super::{Activation, Dense, Layer, NetworkError, Parameterized, Sequential};
use crate::kernel::Real;

/// Dense layers from the first size to the last, an activation between them.
///
/// # Examples
/// ```
/// use ppl_core::networks::{Activation, Mlp, Network};
/// let encoder = Mlp::new(&[784, 400, 40]).activation(Activation::Tanh).build::<f32>(7)?;
/// assert_eq!(encoder.parameters().len(), 784 * 400 + 400 + 400 * 40 + 40);
/// # Ok::<(), ppl_core::networks::NetworkError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mlp {
    sizes: Vec<usize>,
    activation: Activation,
    last: Activation,
}

impl Mlp {
    /// Of these sizes, input and output included; with rectifiers between the layers, and nothing after the last.
    #[must_use]
    pub fn new(sizes: &[usize]) -> Self {
        Mlp { sizes: sizes.to_vec(), activation: Activation::Relu, last: Activation::Identity }
    }

    /// The activation of all layers but the last; default [`Activation::Relu`].
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        Mlp { activation, ..self }
    }

    /// The activation of the last layer; default [`Activation::Identity`].
    #[must_use]
    pub fn last_activation(self, last: Activation) -> Self {
        Mlp { last, ..self }
    }

    /// The layers.
    ///
    /// # Errors
    /// [`NetworkError::NoLayers`] if there are fewer than two sizes; [`NetworkError::ZeroSize`] and [`NetworkError::LargeSize`].
    pub fn layers<E: Real>(&self) -> Result<Sequential<E>, NetworkError> {
        let mut layers: Vec<Box<dyn Layer<E>>> = Vec::new();
        for (index, sizes) in self.sizes.windows(2).enumerate() {
            let activation = if index + 2 == self.sizes.len() { self.last } else { self.activation };
            layers.push(Box::new(Dense::new(sizes[0], sizes[1], activation)?));
        }
        Sequential::from_layers(layers)
    }

    /// The network with parameters drawn from a seed.
    ///
    /// # Errors
    /// As [`Mlp::layers`].
    pub fn build<E: Real>(&self, seed: u64) -> Result<Parameterized<E>, NetworkError> {
        Ok(Parameterized::initialize(self.layers()?, seed))
    }
}
