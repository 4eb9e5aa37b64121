//! Recurrent layers: a cell that goes along a sequence, and back through time.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::cell_kernels::{Advance, Retreat};
use super::dense::{matrix, transposed};
use super::initialization::uniform_within;
use super::parallel::rows_in_part;
use super::sizes::check_sizes;
use super::sums::add_column_sums;
use super::{Layer, NetworkError, ParameterTensor, Pass, Work};
use crate::kernel::matrix::{View, multiply_shared};
use crate::kernel::{Lanes, Real, dispatch};

/// What a cell makes of its gates, element by element.
pub trait Cell: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// The name, for errors.
    const KIND: &'static str;
    /// How many gates; of the arrays below the first so many.
    const GATES: usize;
    /// From what the input and the state before give for each gate, the state `h` before and the cell `c` before, what is kept of
    /// the gates, the state and the cell.
    fn advance<V: Lanes>(input: [V; 4], recurrent: [V; 4], h: V, c: V) -> ([V; 4], V, V);
    /// The adjoints of what the input and the state before gave, of `h` (directly) and of `c` before.
    fn retreat<V: Lanes>(kept: [V; 4], recurrent: [V; 4], before: (V, V), c: V, adjoints: (V, V)) -> ([V; 4], [V; 4], V, V);
}

/// A cell along sequences of a fixed number of steps, from a state of zeros; its output is the state after each step.
///
/// # Shapes
/// `x: [rows][steps * features]`, `y: [rows][steps * hidden]`; `weight_ih: [gates * hidden][features]`,
/// `weight_hh: [gates * hidden][hidden]`, `bias_ih, bias_hh: [gates * hidden]`: names and order of gates as in `PyTorch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrent<C: Cell> {
    features: usize,
    hidden: usize,
    steps: usize,
    cell: PhantomData<C>,
}

impl<C: Cell> Recurrent<C> {
    /// From so many features to a state of `hidden` numbers, over so many steps.
    ///
    /// # Errors
    /// [`NetworkError::ZeroSize`] and [`NetworkError::LargeSize`].
    pub fn new(features: usize, hidden: usize, steps: usize) -> Result<Self, NetworkError> {
        let sizes = [("the number of features", features), ("the size of the state", hidden), ("the number of steps", steps)];
        check_sizes(C::KIND, &sizes)?;
        // The weights of the state.
        check_sizes(C::KIND, &[("the number of gates", C::GATES), sizes[1], sizes[1]])?;
        Ok(Recurrent { features, hidden, steps, cell: PhantomData })
    }

    fn gates(&self) -> usize {
        C::GATES * self.hidden
    }

    /// The lengths of `weight_ih`, `weight_hh` and each bias.
    fn lengths(&self) -> [usize; 3] {
        [self.gates() * self.features, self.gates() * self.hidden, self.gates()]
    }

    /// Gates as kept, what the state gave for them, cells.
    fn kept(&self, rows: usize) -> [usize; 3] {
        let steps = rows * self.steps;
        [steps * self.gates(), steps * self.gates(), steps * self.hidden]
    }

    /// One step of all rows.
    fn at<'a, E>(&self, data: &'a [E], step: usize, columns: usize, rows: usize) -> View<'a, E> {
        View {
            data: &data[(step * columns).min(data.len())..],
            rows,
            columns,
            row_stride: self.steps * columns,
            column_stride: 1,
        }
    }
}

impl<E: Real, C: Cell> Layer<E> for Recurrent<C> {
    fn kind(&self) -> &'static str {
        C::KIND
    }

    fn inputs(&self) -> usize {
        self.steps * self.features
    }

    fn outputs(&self) -> usize {
        self.steps * self.hidden
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        let gates = self.gates();
        ParameterTensor::consecutive(&[
            ("weight_ih", &[gates, self.features]),
            ("weight_hh", &[gates, self.hidden]),
            ("bias_ih", &[gates]),
            ("bias_hh", &[gates]),
        ])
    }

    fn initialize(&self, key: u64, parameters: &mut [E]) {
        uniform_within((self.hidden as f64).sqrt().recip(), key, parameters);
    }

    fn forward(&self, parameters: &[E], x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let (steps, hidden, gates) = (self.steps, self.hidden, self.gates());
        let [input, own, _] = self.lengths();
        let (weight_ih, rest) = parameters.split_at(input);
        let (weight_hh, biases) = rest.split_at(own);
        let (bias_ih, bias_hh) = biases.split_at(gates);
        let [kept, recurrent, cells] = work.buffers(self.kept(rows));
        kept.chunks_exact_mut(gates).for_each(|row| row.copy_from_slice(bias_ih));
        recurrent.chunks_exact_mut(gates).for_each(|row| row.copy_from_slice(bias_hh));
        let all = matrix(x, rows * steps, self.features);
        multiply_shared(all, transposed(weight_ih, gates, self.features), kept, gates, true);
        let part = rows_in_part(gates) * steps;
        for step in 0..steps {
            if step > 0 && rows > 0 {
                let state = self.at(y, step - 1, hidden, rows);
                let weight = transposed(weight_hh, gates, hidden);
                multiply_shared(state, weight, &mut recurrent[step * gates..], steps * gates, true);
            }
            y.par_chunks_mut(part * hidden)
                .zip(cells.par_chunks_mut(part * hidden))
                .zip(kept.par_chunks_mut(part * gates).zip(recurrent.par_chunks(part * gates)))
                .for_each(|((y, cells), (kept, recurrent))| {
                    dispatch(Advance { cell: PhantomData::<C>, step, steps, hidden, y, cells, kept, recurrent });
                });
        }
    }

    fn pull(&self, parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, gradient: &mut [E]) {
        let Pass { rows, x, y, y_adjoint } = pass;
        let (steps, hidden, gates) = (self.steps, self.hidden, self.gates());
        let [input, own, _] = self.lengths();
        let (weight_ih, weight_hh) = (&parameters[..input], &parameters[input..input + own]);
        let [of_gates, of_recurrent, of_cells] = self.kept(rows);
        let lengths = [of_gates, of_recurrent, of_cells, of_gates, of_gates, rows * hidden, rows * hidden];
        let [kept, recurrent, cells, d_input, d_recurrent, d_h, d_c] = work.buffers(lengths);
        d_h.fill(E::default());
        d_c.fill(E::default());
        let (d_weight_ih, rest) = gradient.split_at_mut(input);
        let (d_weight_hh, d_biases) = rest.split_at_mut(own);
        let (d_bias_ih, d_bias_hh) = d_biases.split_at_mut(gates);
        let own_rows = rows_in_part(gates);
        let part = own_rows * steps;
        for step in (0..steps).rev() {
            d_input
                .par_chunks_mut(part * gates)
                .zip(d_recurrent.par_chunks_mut(part * gates))
                .zip(kept.par_chunks(part * gates).zip(recurrent.par_chunks(part * gates)))
                .zip(y.par_chunks(part * hidden).zip(y_adjoint.par_chunks(part * hidden)))
                .zip(cells.par_chunks(part * hidden))
                .zip(d_h.par_chunks_mut(own_rows * hidden).zip(d_c.par_chunks_mut(own_rows * hidden)))
                .for_each(|(((((d_input, d_recurrent), (kept, recurrent)), (y, y_adjoint)), cells), (d_h, d_c))| {
                    let cell = PhantomData::<C>;
                    let values = Retreat {
                        cell,
                        step,
                        steps,
                        hidden,
                        y,
                        y_adjoint,
                        cells,
                        kept,
                        recurrent,
                        d_input,
                        d_recurrent,
                        d_h,
                        d_c,
                    };
                    dispatch(values);
                });
            if step > 0 && rows > 0 {
                let delta = self.at(d_recurrent, step, gates, rows);
                multiply_shared(delta, matrix(weight_hh, gates, hidden), d_h, hidden, true);
                let delta = View { rows: gates, columns: rows, row_stride: 1, column_stride: steps * gates, ..delta };
                multiply_shared(delta, self.at(y, step - 1, hidden, rows), d_weight_hh, hidden, true);
            }
        }
        let all = transposed(d_input, rows * steps, gates);
        multiply_shared(all, matrix(x, rows * steps, self.features), d_weight_ih, self.features, true);
        add_column_sums(d_input, &[], d_bias_ih);
        add_column_sums(d_recurrent, &[], d_bias_hh);
        if let Some(x_adjoint) = x_adjoint {
            let weight = matrix(weight_ih, gates, self.features);
            multiply_shared(matrix(d_input, rows * steps, gates), weight, x_adjoint, self.features, true);
        }
    }
}
