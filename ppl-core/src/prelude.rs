//! All that a user imports.

pub use ndarray::{Array1, Array2, Array3, array};

pub use crate::amortized::{
    Amortized, AmortizedError, AmortizedEstimator, AmortizedFit, AmortizedObjective, Automatic, DiscreteEstimator, Epoch,
    Generated, Schedule, Transform, fit_amortized,
};
pub use crate::checkpoint::Checkpoint;
pub use crate::estimators::{Baseline, Estimator, RaoBlackwell};
pub use crate::fit::{
    Bbvi, Fit, FitError, Minibatch, Observer, Progress, StopReason, Trace, calibrate, fit_bbvi, fit_guide, fit_rows,
    prior_predictive,
};
pub use crate::guide;
pub use crate::guides::{Family, GuideOf, NativeFamily};
pub use crate::indices::Indices;
pub use crate::kernel::Lanes;
pub use crate::model;
pub use crate::model::{DataError, LogJoint, Model};
pub use crate::networks::{Activation, Mlp, NetworkError};
#[cfg(feature = "nuts")]
pub use crate::nuts::{Chains, Nuts, NutsCheck, sample_nuts};
pub use crate::objective::{KlWeight, Objective};
pub use crate::optimizers::Optimizer;
pub use crate::report::{Intervals, Scalar, Summary};
#[cfg(feature = "arrow")]
pub use crate::rows::ArrowRows;
#[cfg(feature = "parquet")]
pub use crate::rows::ParquetRows;
pub use crate::rows::{Chunk, Rows, RowsError};
