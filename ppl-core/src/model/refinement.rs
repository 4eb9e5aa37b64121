//! How finely the differential equations of a model are solved.

/// How finely the differential equations of a model are solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refinement {
    /// How often the steps are halved of equations whose number of steps the model leaves open.
    pub open: u32,
    /// How often those of all equations are halved besides: what difference it makes says how accurate the solution is.
    pub all: u32,
}

impl Refinement {
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
