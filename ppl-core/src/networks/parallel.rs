//! How work is cut for the cores: into parts that depend on sizes alone, so that the bits do not depend on the threads.

use super::sums::add;
use crate::kernel::Real;

/// The elements of a part of elementwise work: enough to pay for handing it to another core; a multiple of all lanes.
pub(super) const PART: usize = 1 << 13;

/// Multiplications below which a pass stays on its thread.
const SMALL: usize = 1 << 20;

/// The rows of a part of elementwise work on rows of so many columns.
pub(super) fn rows_in_part(columns: usize) -> usize {
    (PART / columns.max(1)).max(1)
}

/// Runs a pass within the pool, once, so that its parts need not enter it one by one; a small pass stays where it is.
pub(super) fn in_pool<R: Send>(multiplications: usize, pass: impl FnOnce() -> R + Send) -> R {
    if multiplications < SMALL { pass() } else { rayon::scope(|_| pass()) }
}

/// Rows in parts, each with a gradient of its own: at most sixteen, a function of the number of rows alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    /// How many.
    pub(super) count: usize,
    /// The rows of each but the last.
    pub(super) rows: usize,
}

impl Parts {
    /// Of so many rows.
    pub(super) fn of(rows: usize) -> Self {
        let own = rows.div_ceil(16).max(1);
        Parts { count: rows.div_ceil(own), rows: own }
    }

    /// Adds the gradients of the parts, in their order.
    pub(super) fn add_in_order<E: Real>(self, gradients: &[E], gradient: &mut [E]) {
        if gradient.is_empty() {
            return;
        }
        for own in gradients.chunks_exact(gradient.len()).take(self.count) {
            add(own, &[], gradient);
        }
    }
}
