//! Amortized inference: models of independent rows with neural networks, and guides that read the row.
//!
//! [`fit_amortized`] learns the networks and the parameters of a model and of its guide together, by stochastic ascent of a lower bound of the log evidence
//! over batches of rows: variational auto-encoders, and all models of that shape. The lanes of a workspace are rows of data times Monte Carlo samples,
//! `lane = sample * batch + row`, filled up to a multiple of [`Real::LANE_MULTIPLE`](crate::kernel::Real::LANE_MULTIPLE) with copies of the last one, whose weight
//! is zero.
//!
//! # Source
//! Kingma & Welling 2014, Auto-encoding variational Bayes; Rezende, Mohamed & Wierstra 2014, Stochastic backpropagation.

mod blame;
mod bounds;
mod buffers;
mod calls;
mod config;
mod data;
mod discrete;
mod divergence;
mod engine;
mod error;
mod evaluate;
mod fit;
mod generate;
mod generated;
mod global_draws;
mod global_latents;
mod latent_weights;
mod learn;
mod likelihood;
mod local_guide;
mod networks;
mod objective;
mod place;
mod plan;
mod pull;
mod row_model;
mod rows_known;
#[cfg(feature = "files")]
mod saved;
mod summary;
mod tiles;
mod transform;
mod transpose;
mod walk;

#[cfg(feature = "files")]
pub use crate::checkpoint::Checkpoint;
pub use bounds::RowBound;
pub use config::{Amortized, AmortizedEstimator, AmortizedObjective, DiscreteEstimator, Divergence, Schedule};
pub use error::{AmortizedError, BadQuantity};
pub use fit::{AmortizedFit, BoundGradient, Encoded, Epoch, Stopped, bound_gradient, bound_gradient_near, fit_amortized};
pub use generated::Generated;
pub use local_guide::Automatic;
pub use row_model::{
    BoundRows, Call, CallOperand, DrawnLatent, GlobalModel, ROW_NUMBER, RowGuide, RowInput, RowModel, RowTable, check_network,
};
#[cfg(feature = "files")]
pub use saved::{load_amortized, resume_amortized};
pub use transform::Transform;

pub(crate) use engine::Engine;
pub(crate) use fit::{Bound, Sides};
pub(crate) use learn::{Header, Past, learn};
pub(crate) use networks::Store;
