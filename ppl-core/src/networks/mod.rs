//! Neural networks with sizes known at run time and closed pullbacks over flat slices: decoders of models, encoders of guides.
//!
//! A [`Layer`] is an architecture: it knows its sizes, and computes with parameters that it is given. [`Sequential`] puts layers one after the other;
//! [`Parameterized`] joins an architecture with its parameters and is a [`Network`], which is what models and guides drive. Matrices are `[row][feature]`,
//! one row after the other in memory. Every buffer is in a [`Work`], made once and reused at every step.
//!
//! Products run on all cores of the current rayon pool; the result has the same bits for any number of threads.
//!
//! # Examples
//! ```
//! use ppl_core::networks::{Activation, Mlp, Network, Pass, Work};
//! let network = Mlp::new(&[3, 8, 2]).activation(Activation::Tanh).build::<f64>(1)?;
//! let (x, mut y, mut work) = ([0.1, 0.2, 0.3], [0.0; 2], Work::new());
//! network.forward(&x, 1, &mut work, &mut y)?;
//! let mut gradient = vec![0.0; network.parameters().len()];
//! let pass = Pass { rows: 1, x: &x, y: &y, y_adjoint: &[1.0, 0.0] };
//! network.pull(pass, &mut work, None, &mut gradient)?;
//! // The last two parameters are the biases of the outputs.
//! assert_eq!(gradient[gradient.len() - 2..], [1.0, 0.0]);
//! # Ok::<(), ppl_core::networks::NetworkError>(())
//! ```

mod activate;
mod activation;
mod adam;
mod at_length;
mod cell_kernels;
mod concatenate;
mod conv2d;
mod conv_transpose2d;
mod dense;
mod dfdx_layer;
mod dropout;
mod each_step;
mod elementwise;
mod embedding;
mod error;
mod gru;
mod initialization;
mod layer;
mod layer_norm;
mod lstm;
mod mlp;
mod parallel;
mod parameterized;
mod recurrent;
mod repeat;
mod residual;
#[cfg(feature = "files")]
mod safetensors;
mod sequential;
mod sizes;
mod sums;
#[cfg(test)]
mod tests;
mod window;
mod work;

pub use activate::Activate;
pub use activation::Activation;
pub use adam::{AdamConfig, AdamState};
pub use at_length::AtLength;
pub use concatenate::Concatenate;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use dfdx_layer::DfdxLayer;
pub use dropout::Dropout;
pub use each_step::EachStep;
pub use embedding::Embedding;
pub use error::NetworkError;
pub use gru::{Gru, GruCell};
pub use layer::{Layer, ParameterTensor, Pass};
pub use layer_norm::LayerNorm;
pub use lstm::{Lstm, LstmCell};
pub use mlp::Mlp;
pub use parameterized::{Network, Parameterized};
pub use recurrent::{Cell, Recurrent};
pub use repeat::Repeat;
pub use residual::Residual;
#[cfg(feature = "files")]
pub use safetensors::{WeightsError, load, save};
pub use sequential::Sequential;
pub use window::{Image, Window};
pub use work::{Mode, Work};
