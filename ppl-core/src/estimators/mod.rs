//! Estimators of the gradient of the ELBO: each a choice of weights on the guide's two maps.

mod reparameterization;

pub use reparameterization::{Estimate, Reparameterization};
