//! Whether a derivative along the path leaves out that of `log q` by its parameters: as it is told, or as it is measured.

use crate::archive::Archive;

/// Steps after which the two variances are measured again.
const CHECK: usize = 100;

#[derive(Clone, Copy, Debug)]
pub(super) enum Landing {
    Always(bool),
    Measured { sticks: bool, steps: usize },
}

impl Landing {
    pub(super) const MEASURED: Landing = Landing::Measured { sticks: true, steps: 0 };

    pub(super) fn sticks(self) -> bool {
        match self {
            Landing::Always(sticks) | Landing::Measured { sticks, .. } => sticks,
        }
    }

    /// Whether both variances are to be measured at this step.
    pub(super) fn is_due(self) -> bool {
        matches!(self, Landing::Measured { steps, .. } if steps.is_multiple_of(CHECK))
    }

    /// Takes the one of less variance.
    pub(super) fn judge(&mut self, sticking: f64, whole: f64) {
        if let Landing::Measured { sticks, .. } = self {
            *sticks = sticking <= whole || whole.is_nan();
        }
    }

    /// Writes what was measured, or reads it.
    pub(super) fn archive(&mut self, archive: &mut Archive) {
        if let Landing::Measured { sticks, steps } = self {
            archive.flag(sticks);
            archive.count(steps);
        }
    }

    /// Goes on to the next step.
    pub(super) fn step(&mut self) {
        if let Landing::Measured { steps, .. } = self {
            *steps += 1;
        }
    }
}
