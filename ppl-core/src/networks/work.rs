//! The buffers of a network: made at the first pass, reused at every later one.

use crate::random::step_key;

/// Whether layers that act differently while a network is learned do so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The network is used as it is.
    #[default]
    Evaluate,
    /// The network is learned: dropout draws its noise from this key.
    Train {
        /// Another one at every step, see [`step_key`].
        key: u64,
    },
}

impl Mode {
    /// The mode of a layer within: its noise is its own.
    fn of_inner(self, index: usize) -> Self {
        match self {
            Mode::Evaluate => Mode::Evaluate,
            Mode::Train { key } => Mode::Train { key: step_key(key, index as u64) },
        }
    }
}

/// What a forward pass keeps for the pullback, and the scratch memory of both.
///
/// One `Work` belongs to one use of a network: a network that a model uses twice has two.
#[derive(Clone, Debug, Default)]
pub struct Work<E> {
    mode: Mode,
    buffers: Vec<Vec<E>>,
    inner: Vec<Work<E>>,
}

impl<E: Copy + Default> Work<E> {
    /// Without memory yet.
    #[must_use]
    pub fn new() -> Self {
        Work { mode: Mode::Evaluate, buffers: Vec::new(), inner: Vec::new() }
    }

    /// Sets the mode of the passes to come.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// The mode of the next pass.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The bytes held, those of inner layers included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let own: usize = self.buffers.iter().map(|buffer| buffer.capacity() * size_of::<E>()).sum();
        own + self.inner.iter().map(Work::bytes).sum::<usize>()
    }

    /// Buffers of these lengths, in the order of the last call: what they hold is kept as long as lengths stay.
    pub fn buffers<const N: usize>(&mut self, lengths: [usize; N]) -> [&mut [E]; N] {
        if self.buffers.len() < N {
            self.buffers.resize_with(N, Vec::new);
        }
        let mut buffers = self.buffers.iter_mut();
        lengths.map(|length| match buffers.next() {
            Some(buffer) => {
                buffer.resize(length, E::default());
                buffer.as_mut_slice()
            }
            None => &mut [],
        })
    }

    /// Buffers of these lengths and the works of so many layers within, whose modes are set.
    pub fn open(&mut self, lengths: impl ExactSizeIterator<Item = usize>, inner: usize) -> (&mut [Vec<E>], &mut [Work<E>]) {
        let count = lengths.len();
        self.buffers.resize_with(self.buffers.len().max(count), Vec::new);
        self.inner.resize_with(self.inner.len().max(inner), Work::new);
        self.buffers.iter_mut().zip(lengths).for_each(|(buffer, length)| buffer.resize(length, E::default()));
        for (index, work) in self.inner.iter_mut().enumerate() {
            work.mode = self.mode.of_inner(index);
        }
        (&mut self.buffers[..count], &mut self.inner[..inner])
    }
}
