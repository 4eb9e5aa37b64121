//! Parameters of networks in files that Python reads: the format of crate `safetensors`.

use std::path::Path;

use safetensors::tensor::{SafeTensors, TensorView, serialize};

use super::Network;
use crate::kernel::Real;

/// Why parameters could not be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file could not be read or written, or is not of the format.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A tensor of the network is not in the file.
    #[error("{path}: there is no tensor `{tensor}`; the file has {found}")]
    Missing {
        /// The file.
        path: String,
        /// The tensor.
        tensor: String,
        /// What the file has.
        found: String,
    },
    /// A tensor of the file is not one of the network.
    #[error("{path}: the tensor `{tensor}` is not one of the network; was the file written by a larger one?")]
    Unknown {
        /// The file.
        path: String,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has another shape.
    #[error("{path}: the tensor `{tensor}` has shape {found:?}, but the network has {expected:?}")]
    Shape {
        /// The file.
        path: String,
        /// The tensor.
        tensor: String,
        /// The shape in the network.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor has another type of elements.
    #[error("{path}: the tensor `{tensor}` has elements of type {found}, but the network has {expected}")]
    Element {
        /// The file.
        path: String,
        /// The tensor.
        tensor: String,
        /// The type in the network.
        expected: String,
        /// The type in the file.
        found: String,
    },
}

fn unreadable(path: &Path, reason: &impl ToString) -> WeightsError {
    WeightsError::Unreadable { path: path.display().to_string(), reason: reason.to_string() }
}

/// Writes the parameters of a network, bit by bit, under their names.
///
/// # Errors
/// [`WeightsError::Unreadable`] if the file cannot be written.
///
/// # Examples
/// ```
/// use ppl_core::networks::{Mlp, Network, load, save};
/// let path = std::env::temp_dir().join("ppl-core-example.safetensors");
/// let network = Mlp::new(&[3, 2]).build::<f32>(1)?;
/// save(&network, &path)?;
/// let mut other = Mlp::new(&[3, 2]).build::<f32>(2)?;
/// load(&mut other, &path)?;
/// assert_eq!(network.parameters(), other.parameters());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save<E: Real>(network: &dyn Network<E>, path: impl AsRef<Path>) -> Result<(), WeightsError> {
    let path = path.as_ref();
    let mut bytes = Vec::with_capacity(size_of_val(network.parameters()));
    network.parameters().iter().for_each(|x| x.put(&mut bytes));
    let mut views = Vec::new();
    for tensor in network.tensors() {
        let bytes = &bytes[tensor.range.start * size_of::<E>()..tensor.range.end * size_of::<E>()];
        let view = TensorView::new(E::DTYPE, tensor.shape, bytes).map_err(|error| unreadable(path, &error))?;
        views.push((tensor.name, view));
    }
    let file = serialize(views, None).map_err(|error| unreadable(path, &error))?;
    std::fs::write(path, file).map_err(|error| unreadable(path, &error))
}

/// Reads the parameters of a network; nothing is changed if any of them does not fit.
///
/// # Errors
/// A [`WeightsError`] that names the file and the tensor.
pub fn load<E: Real>(network: &mut dyn Network<E>, path: impl AsRef<Path>) -> Result<(), WeightsError> {
    let path = path.as_ref();
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| unreadable(path, &error))?;
    let mut names = file.names();
    names.sort_unstable();
    let tensors = network.tensors();
    if let Some(unknown) = names.iter().find(|name| !tensors.iter().any(|tensor| tensor.name == **name)) {
        return Err(WeightsError::Unknown { path: name(), tensor: (*unknown).to_owned() });
    }
    let mut parameters = network.parameters().to_vec();
    for tensor in tensors {
        let Ok(view) = file.tensor(&tensor.name) else {
            return Err(WeightsError::Missing { path: name(), tensor: tensor.name, found: names.join(", ") });
        };
        if view.dtype() != E::DTYPE {
            let (expected, found) = (format!("{:?}", E::DTYPE), format!("{:?}", view.dtype()));
            return Err(WeightsError::Element { path: name(), tensor: tensor.name, expected, found });
        }
        if view.shape() != tensor.shape {
            let (expected, found) = (tensor.shape, view.shape().to_vec());
            return Err(WeightsError::Shape { path: name(), tensor: tensor.name, expected, found });
        }
        let values = view.data().chunks_exact(size_of::<E>());
        parameters[tensor.range].iter_mut().zip(values).for_each(|(x, bytes)| *x = E::get(bytes));
    }
    network.parameters_mut().copy_from_slice(&parameters);
    Ok(())
}
