//! A layer that changes some dimensions, each by a function whose parameters a network makes of other dimensions.

use super::layer::{Layer, Leaves, Mapped};
use super::network::Network;
use super::transform::{Direction, Transform, transform};
use crate::tensor::{Matrix, Recorder, TensorError};

/// `y_i = f(v_i; network of the v of lower rank)`: a coupling, where there are two ranks of which the lower stays as it is, or an autoregression, where each
/// dimension has a rank of its own.
///
/// # Source
/// Couplings: Dinh, Sohl-Dickstein & Bengio 2017, Density estimation using Real NVP; autoregression: Kingma, Salimans, Jozefowicz, Chen, Sutskever &
/// Welling 2016, Improved variational inference with inverse autoregressive flow.
#[derive(Debug)]
pub(super) struct Autoregressive<F> {
    function: F,
    network: Network,
    /// The dimensions that are changed.
    rows: Vec<usize>,
    /// After so many passes of the network all that it reads is inverted.
    passes: usize,
}

impl<F: Transform> Autoregressive<F> {
    /// The coupling number `layer`: one half of the dimensions is changed by the other, then the other by the first. The halves are by the bits
    /// of the dimensions' numbers, a further bit for every two layers, so that any two dimensions are soon in different halves.
    pub(super) fn coupling(function: F, dimensions: usize, layer: usize, hidden: usize) -> Self {
        let bits = usize::BITS - dimensions.saturating_sub(1).leading_zeros();
        let bit = u32::try_from(layer / 2).unwrap_or(0) % bits.max(1);
        // The first layer changes the odd ones; a single dimension is changed by all of them.
        let rank: Vec<usize> = (0..dimensions).map(|i| if dimensions == 1 { 1 } else { ((i >> bit) + layer) & 1 }).collect();
        let rows = (0..dimensions).filter(|&i| rank[i] == 1).collect();
        Self::new(function, &rank, rows, 1, hidden)
    }

    /// The autoregression number `layer`: each dimension is changed by those before it, in an order that is turned around from layer to layer.
    pub(super) fn ordered(function: F, dimensions: usize, layer: usize, hidden: usize) -> Self {
        let rank: Vec<usize> = (0..dimensions).map(|i| if layer.is_multiple_of(2) { i } else { dimensions - 1 - i }).collect();
        Self::new(function, &rank, (0..dimensions).collect(), dimensions, hidden)
    }

    fn new(function: F, rank: &[usize], rows: Vec<usize>, passes: usize, hidden: usize) -> Self {
        let network = Network::new(rank, &rows, function.parameters(), hidden);
        Autoregressive { function, network, rows, passes }
    }
}

impl<F: Transform> Layer for Autoregressive<F> {
    fn parameters(&self) -> usize {
        self.network.parameters()
    }

    fn initialize(&self, parameters: &mut [f64]) {
        self.network.initialize(parameters);
    }

    fn forward<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError> {
        let parameters = self.network.leaves(leaves)?.apply(v)?;
        transform(self.function, Direction::Forward, v, &parameters, &self.rows)
    }

    fn inverse<'a>(&'a self, leaves: &mut Leaves<'a>, v: &Matrix<f64, Recorder>) -> Result<Mapped, TensorError> {
        let weights = self.network.leaves(leaves)?;
        // Each pass has one rank more right, since that rank reads those that are; the last has them all, and their derivatives.
        let mut known = v.clone();
        for _ in 1..self.passes {
            known = transform(self.function, Direction::Inverse, v, &weights.apply(&known)?, &self.rows)?.v;
        }
        transform(self.function, Direction::Inverse, v, &weights.apply(&known)?, &self.rows)
    }
}
