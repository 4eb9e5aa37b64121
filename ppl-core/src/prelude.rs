//! All that a user imports.

pub use ndarray::{Array1, Array2, Array3, array};

pub use crate::fit::{Bbvi, Fit, FitError, Observer, Progress, StopReason, Trace, calibrate, fit_bbvi, prior_predictive};
pub use crate::indices::Indices;
pub use crate::kernel::Lanes;
pub use crate::model;
pub use crate::model::{DataError, LogJoint, Model};
pub use crate::report::{Intervals, Scalar, Summary};
