//! The network that conditions a layer: of one hidden layer, masked so that no dimension sees what it must not.

use super::layer::Leaves;
use crate::tensor::{Activation, Matrix, Recorder, TensorError, Vector, dense};

/// `w2 tanh(w1 v + b1) + b2`, some numbers for each of some rows of `v`, which depend on the rows of lower rank alone.
///
/// # Source
/// Germain, Gregor, Murray & Larochelle 2015, MADE: Masked autoencoder for distribution estimation, equations 10 to 13.
#[derive(Debug)]
pub(super) struct Network {
    inputs: usize,
    hidden: usize,
    outputs: usize,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Network {
    /// `rank` of each dimension, zero the lowest; `each` numbers for each of `rows`, one row's after the other's.
    pub(super) fn new(rank: &[usize], rows: &[usize], each: usize, hidden: usize) -> Self {
        let truth = |mask: bool| f64::from(u8::from(mask));
        let highest = rank.iter().copied().max().unwrap_or(0).max(1);
        // A hidden unit of degree d sees the ranks up to d, and is seen by those above it.
        let degree = |unit: usize| unit % highest;
        let first = (0..hidden).flat_map(|unit| rank.iter().map(move |&own| truth(own <= degree(unit)))).collect();
        // Outputs are means of the hidden units times the root of their number, so that a step of the weights is a step of the outputs in any size.
        let share = (hidden as f64).sqrt().recip();
        let of_row = |row: usize| (0..hidden).map(move |unit| share * truth(rank[row] > degree(unit)));
        let second = rows.iter().flat_map(|&row| (0..each).flat_map(move |_| of_row(row))).collect();
        Network { inputs: rank.len(), hidden, outputs: rows.len() * each, first, second }
    }

    pub(super) fn parameters(&self) -> usize {
        self.hidden * (self.inputs + 1 + self.outputs) + self.outputs
    }

    /// From standard normal numbers: random features, and outputs that are zero.
    pub(super) fn initialize(&self, parameters: &mut [f64]) {
        let (weights, rest) = parameters.split_at_mut(self.hidden * self.inputs);
        for (row, mask) in weights.chunks_exact_mut(self.inputs).zip(self.first.chunks_exact(self.inputs)) {
            let seen: f64 = mask.iter().sum();
            row.iter_mut().for_each(|w| *w /= seen.max(1.0).sqrt());
        }
        rest[self.hidden..].fill(0.0);
    }

    /// The weights, as leaves.
    pub(super) fn leaves<'a>(&'a self, leaves: &mut Leaves<'a>) -> Result<Weights, TensorError> {
        Ok(Weights {
            first: (leaves.matrix(self.hidden, self.inputs, &self.first)?, leaves.vector(self.hidden)?),
            second: (leaves.matrix(self.outputs, self.hidden, &self.second)?, leaves.vector(self.outputs)?),
        })
    }
}

/// The weights and biases of both layers.
pub(super) struct Weights {
    first: (Matrix<f64, Recorder>, Vector<f64, Recorder>),
    second: (Matrix<f64, Recorder>, Vector<f64, Recorder>),
}

impl Weights {
    /// The numbers for each row, `[rows * each, sample]`.
    pub(super) fn apply(&self, v: &Matrix<f64, Recorder>) -> Result<Matrix<f64, Recorder>, TensorError> {
        let features = dense(v, &self.first.0, &self.first.1, Activation::Tanh)?;
        dense(&features, &self.second.0, &self.second.1, Activation::Identity)
    }
}

#[cfg(test)]
mod tests {
    use dfdx::tensor::{Cpu, TensorFromVec};

    use super::*;
    use crate::tensor::Scope;
    use crate::tensor::dfdx;

    /// What each output depends on: `[output][input]`.
    fn reads(network: &Network) -> Vec<Vec<bool>> {
        let parameters: Vec<f64> = (0..network.parameters()).map(|i| (1.0 + i as f64).sin()).collect();
        let v = Cpu::default().tensor_from_vec((0..network.inputs).map(|i| 0.1 * i as f64).collect(), (network.inputs, 1));
        let mut scope = Scope::new();
        (0..network.outputs)
            .map(|output| {
                let leaf = scope.leaf(&v);
                let weights = network.leaves(&mut Leaves::new(&parameters)).expect("shapes fit");
                let found = weights.apply(&leaf).expect("shapes fit");
                let cotangent: Vec<f64> = (0..network.outputs).map(|i| f64::from(u8::from(i == output))).collect();
                let mut gradients = scope.backward(&found, &cotangent).expect("shapes fit");
                gradients.of(&v).expect("shapes fit").as_vec().iter().map(|d| *d != 0.0).collect()
            })
            .collect()
    }

    #[test]
    fn rows_depend_on_all_rows_of_lower_rank_and_on_no_other() {
        let (ordered, coupled) = ([2, 0, 3, 1], [0, 1, 1, 0]);
        for (rank, rows) in [(ordered, vec![0, 1, 2, 3]), (coupled, vec![1, 2])] {
            let reads = reads(&Network::new(&rank, &rows, 2, 9));
            for (output, reads) in reads.iter().enumerate() {
                let own = rank[rows[output / 2]];
                let expected: Vec<bool> = rank.iter().map(|other| *other < own).collect();
                assert_eq!(*reads, expected, "{rank:?}, output {output}");
            }
        }
        // A single dimension depends on nothing.
        assert_eq!(reads(&Network::new(&[0], &[0], 2, 3)), [[false], [false]]);
    }
}
