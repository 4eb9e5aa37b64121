//! The tape that tensors carry: it has no size and can be copied, and records into the innermost open scope of its thread.

use dfdx::tensor::{Cpu, CpuError, Gradients, Merge, NoneTape, Tape};

use super::element::Recorded;

/// The backward part of one operation.
pub(super) type Operation<E> = Box<dyn FnOnce(&mut Gradients<E, Cpu>) -> Result<(), CpuError>>;

/// A dfdx tape without size: tensors that carry it can be cloned, so a tensor may be used any number of times.
///
/// It is made by [`Scope::leaf`](super::Scope::leaf). What is done to such tensors is recorded by the innermost open scope of the thread; while
/// none is open, nothing is recorded, so nothing grows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recorder;

impl Merge<Recorder> for Recorder {
    fn merge(self, _: Recorder) -> Self {
        self
    }
}

impl Merge<NoneTape> for Recorder {
    fn merge(self, _: NoneTape) -> Self {
        self
    }
}

impl<E: Recorded> Tape<E, Cpu> for Recorder {
    const OWNS_TAPE: bool = true;

    fn add_backward_op<F>(&mut self, operation: F)
    where
        F: 'static + FnOnce(&mut Gradients<E, Cpu>) -> Result<(), CpuError>,
    {
        E::with_recordings(|recordings| {
            if let Some(innermost) = recordings.open.last_mut() {
                innermost.operations.push(Box::new(operation));
            }
        });
    }
}

/// The recordings of the open scopes of a thread, the innermost last.
#[doc(hidden)]
#[derive(Default)]
pub struct Recordings<E: Recorded> {
    open: Vec<Recording<E>>,
    opened: u64,
}

/// What one scope has recorded, in the order of time.
struct Recording<E: Recorded> {
    scope: u64,
    operations: Vec<Operation<E>>,
}

impl<E: Recorded> Recordings<E> {
    pub(super) const fn new() -> Self {
        Self { open: Vec::new(), opened: 0 }
    }

    /// How many operations are recorded, in all open scopes.
    #[cfg(test)]
    pub(super) fn operations(&self) -> usize {
        self.open.iter().map(|recording| recording.operations.len()).sum()
    }

    /// Opens a scope and gives its name.
    pub(super) fn open(&mut self) -> u64 {
        self.opened += 1;
        self.open.push(Recording { scope: self.opened, operations: Vec::new() });
        self.opened
    }

    /// Takes what a scope has recorded; it goes on recording from nothing, in the given list.
    pub(super) fn exchange(&mut self, scope: u64, empty: Vec<Operation<E>>) -> Vec<Operation<E>> {
        match self.open.iter_mut().find(|recording| recording.scope == scope) {
            Some(recording) => std::mem::replace(&mut recording.operations, empty),
            None => Vec::new(),
        }
    }

    /// Closes a scope, in whatever order scopes are closed, and gives what it had recorded.
    pub(super) fn close(&mut self, scope: u64) -> Vec<Operation<E>> {
        match self.open.iter().position(|recording| recording.scope == scope) {
            Some(place) => self.open.remove(place).operations,
            None => Vec::new(),
        }
    }
}

impl<E: Recorded> std::fmt::Debug for Recordings<E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sizes: Vec<usize> = self.open.iter().map(|recording| recording.operations.len()).collect();
        formatter.debug_struct("Recordings").field("operations", &sizes).finish_non_exhaustive()
    }
}
