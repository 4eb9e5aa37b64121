//! Layers beside each other, each on its own part of the input.

use super::{Layer, NetworkError, ParameterTensor, Pass, Sequential, Work};
use crate::kernel::Real;
use crate::random::step_key;

/// Cuts a row into parts, gives each to a branch of its own, and puts what the branches give beside each other: at each of `steps` positions the features of all
/// branches, one after the other. With one step that is all of the first branch, then all of the second.
///
/// # Shapes
/// `x: [rows][sum of inputs]`, `y: [rows][steps * sum of features]`, where a branch gives `[steps * features]`.
///
/// # Examples
/// ```
/// use ppl_core::networks::{Concatenate, Embedding, Layer, Repeat, Sequential};
/// // A latent of 2 numbers beside each of 4 words, which are vectors of 3.
/// let latent = Sequential::new(Repeat::new(2, 4)?);
/// let words = Sequential::new(Embedding::new(50, 3, 4)?);
/// let both = Concatenate::<f32>::new(4, vec![latent, words])?;
/// assert_eq!((both.inputs(), both.outputs()), (2 + 4, 4 * (2 + 3)));
/// # Ok::<(), ppl_core::networks::NetworkError>(())
/// ```
#[derive(Debug)]
pub struct Concatenate<E: Real> {
    branches: Vec<Branch<E>>,
    steps: usize,
}

#[derive(Debug)]
struct Branch<E: Real> {
    layers: Sequential<E>,
    /// The first of its inputs.
    input: usize,
    /// The first of its features at a position.
    feature: usize,
    features: usize,
    /// The first of its parameters.
    parameter: usize,
}

impl<E: Real> Branch<E> {
    /// Buffers of its inputs and outputs, and of the adjoints of both.
    fn lengths(&self, rows: usize) -> [usize; 4] {
        let (inputs, outputs) = (rows * self.layers.inputs(), rows * self.layers.outputs());
        [inputs, outputs, inputs, outputs]
    }

    fn parameters(&self) -> std::ops::Range<usize> {
        self.parameter..self.parameter + self.layers.parameter_count()
    }
}

impl<E: Real> Concatenate<E> {
    /// Of branches that give features at so many steps.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`]; [`NetworkError::NoLayers`] if there are no branches; [`NetworkError::Steps`] if what a branch gives does not divide into so many
    /// steps.
    pub fn new(steps: usize, branches: Vec<Sequential<E>>) -> Result<Self, NetworkError> {
        if steps == 0 {
            return Err(NetworkError::ZeroSize { layer: "concatenate", size: "the number of steps" });
        }
        if branches.is_empty() {
            return Err(NetworkError::NoLayers);
        }
        let (mut input, mut feature, mut parameter) = (0, 0, 0);
        let mut all = Vec::with_capacity(branches.len());
        for layers in branches {
            if !layers.outputs().is_multiple_of(steps) {
                return Err(NetworkError::Steps { layer: "concatenate", outputs: layers.outputs(), steps });
            }
            let branch = Branch { input, feature, features: layers.outputs() / steps, parameter, layers };
            input += branch.layers.inputs();
            feature += branch.features;
            parameter = branch.parameters().end;
            all.push(branch);
        }
        Ok(Concatenate { branches: all, steps })
    }

    /// The features of all branches at a position.
    fn features(&self) -> usize {
        self.branches.iter().map(|branch| branch.features).sum()
    }

    fn lengths(&self, rows: usize) -> impl ExactSizeIterator<Item = usize> {
        let all: Vec<usize> = self.branches.iter().flat_map(|branch| branch.lengths(rows)).collect();
        all.into_iter()
    }
}

impl<E: Real> Layer<E> for Concatenate<E> {
    fn kind(&self) -> &'static str {
        "concatenate"
    }

    fn inputs(&self) -> usize {
        self.branches.iter().map(|branch| branch.layers.inputs()).sum()
    }

    fn outputs(&self) -> usize {
        self.steps * self.features()
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        let of = |(index, branch): (usize, &Branch<E>)| {
            let prefix = format!("branches.{index}");
            let own = branch.layers.tensors().into_iter();
            own.map(|tensor| tensor.within(&prefix, branch.parameter)).collect::<Vec<_>>()
        };
        self.branches.iter().enumerate().flat_map(of).collect()
    }

    fn parameter_count(&self) -> usize {
        self.branches.last().map_or(0, |branch| branch.parameters().end)
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        for (index, branch) in self.branches.iter().enumerate() {
            branch.layers.initialize(step_key(key, index as u64), &mut parameters[branch.parameters()]);
        }
    }

    fn check_input(&self, x: &[E], rows: usize) -> Result<(), NetworkError> {
        for (row, x) in x.chunks_exact(self.inputs().max(1)).take(rows).enumerate() {
            for branch in &self.branches {
                let own = &x[branch.input..branch.input + branch.layers.inputs()];
                branch.layers.check_input(own, 1).map_err(|error| error.of_row(row))?;
            }
        }
        Ok(())
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let (of_row, of_step) = (self.inputs(), self.features());
        let (buffers, inner) = work.open(self.lengths(rows), self.branches.len());
        for ((branch, buffers), work) in self.branches.iter().zip(buffers.chunks_exact_mut(4)).zip(inner) {
            let [inputs, outputs, ..] = buffers else { return };
            let own = branch.layers.inputs();
            for (to, x) in inputs.chunks_exact_mut(own.max(1)).zip(x.chunks_exact(of_row)) {
                to.copy_from_slice(&x[branch.input..branch.input + own]);
            }
            branch.layers.forward(&parameters[branch.parameters()], inputs, rows, work, outputs);
            for (to, from) in y.chunks_exact_mut(of_step).zip(outputs.chunks_exact(branch.features)) {
                to[branch.feature..branch.feature + branch.features].copy_from_slice(from);
            }
        }
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let (rows, of_row, of_step) = (pass.rows, self.inputs(), self.features());
        let (buffers, inner) = work.open(self.lengths(rows), self.branches.len());
        let mut x_adjoint = x_adjoint;
        for ((branch, buffers), work) in self.branches.iter().zip(buffers.chunks_exact_mut(4)).zip(inner) {
            let [inputs, outputs, of_inputs, of_outputs] = buffers else { return };
            for (to, from) in of_outputs.chunks_exact_mut(branch.features).zip(pass.y_adjoint.chunks_exact(of_step)) {
                to.copy_from_slice(&from[branch.feature..branch.feature + branch.features]);
            }
            let within = Pass { rows, x: inputs, y: outputs, y_adjoint: of_outputs };
            let (parameters, gradient) = (&parameters[branch.parameters()], &mut gradient[branch.parameters()]);
            let Some(x_adjoint) = x_adjoint.as_deref_mut() else {
                branch.layers.pull(parameters, within, work, None, gradient);
                continue;
            };
            of_inputs.fill(E::default());
            branch.layers.pull(parameters, within, work, Some(&mut *of_inputs), gradient);
            let own = branch.layers.inputs();
            for (to, from) in x_adjoint.chunks_exact_mut(of_row).zip(of_inputs.chunks_exact(own.max(1))) {
                to[branch.input..branch.input + own].iter_mut().zip(from).for_each(|(to, &a)| *to = *to + a);
            }
        }
    }
}
