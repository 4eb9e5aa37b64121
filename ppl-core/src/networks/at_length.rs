//! What layers give at the end of each sequence, whose lengths differ.

use super::{Layer, NetworkError, ParameterTensor, Pass, Sequential, Work};
use crate::kernel::Real;

/// Applies layers to a sequence and keeps what they give at its last position: of a row of length `l` that of position `l - 1`, zeros of a row of length zero.
/// What stands behind the end of a sequence changes nothing, if the layers go forward along it, as [`Gru`](super::Gru) does.
///
/// # Shapes
/// `x: [rows][inputs + 1]`, the length after the inputs of the layers within, which give `[steps * features]`; `y: [rows][features]`.
#[derive(Debug)]
pub struct AtLength<E: Real> {
    inner: Sequential<E>,
    steps: usize,
}

impl<E: Real> AtLength<E> {
    /// Of layers that give features at so many steps.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`]; [`NetworkError::Steps`] if what the layers give does not divide into so many steps.
    pub fn new(steps: usize, inner: Sequential<E>) -> Result<Self, NetworkError> {
        if steps == 0 {
            return Err(NetworkError::ZeroSize { layer: "at_length", size: "the number of steps" });
        }
        if !inner.outputs().is_multiple_of(steps) {
            return Err(NetworkError::Steps { layer: "at_length", outputs: inner.outputs(), steps });
        }
        Ok(AtLength { inner, steps })
    }

    fn features(&self) -> usize {
        self.inner.outputs() / self.steps
    }

    /// The lengths of the buffers: inputs and outputs of the layers within, and the adjoints of both.
    fn lengths(&self, rows: usize) -> [usize; 4] {
        let (inputs, outputs) = (rows * self.inner.inputs(), rows * self.inner.outputs());
        [inputs, outputs, inputs, outputs]
    }

    /// Where the features of the last position of a row are among the outputs within; none of a row of length zero.
    fn last(&self, row: usize, length: E) -> Option<std::ops::Range<usize>> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number up to the steps"
        )]
        let length = (length.to_f64() as usize).min(self.steps);
        let start = (row * self.steps + length.checked_sub(1)?) * self.features();
        Some(start..start + self.features())
    }
}

impl<E: Real> Layer<E> for AtLength<E> {
    fn kind(&self) -> &'static str {
        "at_length"
    }

    fn inputs(&self) -> usize {
        self.inner.inputs() + 1
    }

    fn outputs(&self) -> usize {
        self.features()
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        self.inner.tensors().into_iter().map(|tensor| tensor.within("inner", 0)).collect()
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        self.inner.initialize(key, parameters);
    }

    fn check_input(&self, x: &[E], rows: usize) -> Result<(), NetworkError> {
        let own = self.inner.inputs();
        for (row, x) in x.chunks_exact(own + 1).take(rows).enumerate() {
            let length = x[own].to_f64();
            if !(length >= 0.0 && length <= self.steps as f64 && length.fract() == 0.0) {
                return Err(NetworkError::SequenceLength { row, value: length.to_string(), steps: self.steps });
            }
            self.inner.check_input(&x[..own], 1).map_err(|error| error.of_row(row))?;
        }
        Ok(())
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let own = self.inner.inputs();
        let (buffers, inner) = work.open(self.lengths(rows).into_iter(), 1);
        let [inputs, outputs, ..] = buffers else { return };
        for (to, x) in inputs.chunks_exact_mut(own.max(1)).zip(x.chunks_exact(own + 1)) {
            to.copy_from_slice(&x[..own]);
        }
        self.inner.forward(parameters, inputs, rows, &mut inner[0], outputs);
        for (row, (y, x)) in y.chunks_exact_mut(self.features()).zip(x.chunks_exact(own + 1)).enumerate() {
            match self.last(row, x[own]) {
                Some(last) => y.copy_from_slice(&outputs[last]),
                None => y.fill(E::default()),
            }
        }
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let own = self.inner.inputs();
        let (buffers, inner) = work.open(self.lengths(pass.rows).into_iter(), 1);
        let [inputs, outputs, of_inputs, of_outputs] = buffers else { return };
        of_outputs.fill(E::default());
        for (row, (adjoint, x)) in pass.y_adjoint.chunks_exact(self.features()).zip(pass.x.chunks_exact(own + 1)).enumerate() {
            if let Some(last) = self.last(row, x[own]) {
                of_outputs[last].copy_from_slice(adjoint);
            }
        }
        let within = Pass { rows: pass.rows, x: inputs, y: outputs, y_adjoint: of_outputs };
        let Some(x_adjoint) = x_adjoint else {
            self.inner.pull(parameters, within, &mut inner[0], None, gradient);
            return;
        };
        of_inputs.fill(E::default());
        self.inner.pull(parameters, within, &mut inner[0], Some(&mut *of_inputs), gradient);
        for (to, adjoint) in x_adjoint.chunks_exact_mut(own + 1).zip(of_inputs.chunks_exact(own.max(1))) {
            to.iter_mut().zip(adjoint).for_each(|(to, &a)| *to = *to + a);
        }
    }
}
