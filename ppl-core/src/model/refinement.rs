//! How finely the differential equations of a model are solved.

use serde::{Deserialize, Serialize};

/// How finely the differential equations of a model are solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refinement {
    /// How often the steps are halved of equations whose number of steps the model leaves open.
    pub open: u32,
    /// How often those of all equations are halved besides: what difference it makes says how accurate the solution is.
    pub all: u32,
}

impl Refinement {
    /// That of simulations, where nothing is fitted that would tell how many steps are enough: a quarter of the usual step.
    pub const SIMULATED: Refinement = Refinement { open: 2, all: 0 };
    /// The steps between two times where neither the model nor a fit says how many.
    pub const STEPS: u32 = 8;

    /// The steps between two times of an equation, of which the model may say how many.
    #[inline]
    #[must_use]
    pub fn steps(self, given: Option<u32>) -> usize {
        let steps = given.unwrap_or(Self::STEPS << self.open);
        (steps as usize) << self.all
    }
}
