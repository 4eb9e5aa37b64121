//! Why a guide cannot be put on a model.

use crate::distributions::Support;
use crate::model::DataError;

/// Why a guide cannot be put on a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GuideError {
    /// The guide's own data do not fit the model, or a parameter starts outside its support.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A location or a scale that is none where the guide starts.
    #[error(
        "guide `{guide}`: the {what} of `{latent}` is {value} where the guide starts, but a location must be finite, and a scale positive too; \
         start its parameters elsewhere, or write `exp(..)` around a scale"
    )]
    Place {
        /// The guide.
        guide: &'static str,
        /// The element: `theta[3]`.
        latent: String,
        /// Whether it is the location or the scale.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A parameter of a family that is none where the guide starts.
    #[error(
        "guide `{guide}`: `{what}` of `{family}`, from which `{latent}` is drawn, is {value} where the guide starts, but must be {support}; \
         start its parameters elsewhere, or write `exp(..)` around what must be positive"
    )]
    Parameter {
        /// The guide.
        guide: &'static str,
        /// The element: `theta[3]`.
        latent: String,
        /// The family.
        family: &'static str,
        /// The name of the parameter.
        what: &'static str,
        /// Its value.
        value: f64,
        /// Where it must lie.
        support: Support,
    },
    /// A draw that is none where the guide starts: the parameters together are of no distribution.
    #[error(
        "guide `{guide}`: `{latent}` is drawn as {value} from `{family}` where the guide starts, so that its parameters are of no distribution there (bounds in their order, \
         a matrix that is positive definite, degrees of freedom above the number of rows less one); start its parameters elsewhere"
    )]
    Draw {
        /// The guide.
        guide: &'static str,
        /// The element: `theta[3]`.
        latent: String,
        /// The family.
        family: &'static str,
        /// What was drawn, on the unconstrained scale.
        value: f64,
    },
    /// A latent that lies between other bounds in the model than what the guide draws it from.
    #[error(
        "guide `{guide}`: `{latent}` lies between other bounds in the model than what it is drawn from here, `{family}`; give the guide the bounds of the model"
    )]
    Values {
        /// The guide.
        guide: &'static str,
        /// The element: `theta[3]`.
        latent: String,
        /// The family.
        family: &'static str,
    },
    /// The statements of the guide are about other dimensions than those of the model.
    #[error(
        "guide `{guide}` draws {found} numbers, but the latents of the model have {expected}; bind it to the model that it was written for"
    )]
    Dimensions {
        /// The guide.
        guide: &'static str,
        /// How many it draws.
        found: usize,
        /// How many there are.
        expected: usize,
    },
}
