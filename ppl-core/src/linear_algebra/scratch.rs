//! Room for intermediate vectors and matrices: on the stack while they are small.

use crate::kernel::Lanes;

/// How many lanes fit on the stack.
const SMALL: usize = 64;

/// Zeros, to be written over.
#[derive(Clone, Debug)]
pub struct Scratch<V> {
    small: [V; SMALL],
    large: Vec<V>,
    len: usize,
}

impl<V: Lanes> Scratch<V> {
    /// This many zeros.
    #[inline(always)]
    #[must_use]
    pub fn new(len: usize) -> Self {
        let large = if len > SMALL { vec![V::zero(); len] } else { Vec::new() };
        Scratch { small: [V::zero(); SMALL], large, len }
    }

    /// All of them.
    #[inline(always)]
    pub fn all(&mut self) -> &mut [V] {
        if self.len > SMALL { &mut self.large } else { &mut self.small[..self.len] }
    }
}
