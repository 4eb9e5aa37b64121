//! Latents of rows that are left to the automatic guide: a location and a scale for each row, in tables that are learned with the rest.

use std::sync::Arc;

use super::{AmortizedError, RowTable};
use crate::kernel::Real;
use crate::networks::{AdamConfig, Embedding, NetworkError, Parameterized, Sequential};

/// The guide that needs no declaration: `fit_amortized(&model, &Automatic, ..)`. Each latent of a row is normal on its unconstrained scale, with a location and a
/// scale of its own for every row, or, if it is discrete, has probabilities of its own; latents outside the loop over the rows have a Gaussian of full rank together, up to 300 unconstrained numbers, else of
/// independent ones.
///
/// It knows only the rows that it learned from: other rows need a guide that is a function of the row, declared with `guide!`.
///
/// # Source
/// Hoffman, Blei, Wang & Paisley 2013, Stochastic variational inference, for local and global parameters; Kucukelbir et al. 2017, Automatic differentiation
/// variational inference, for the scales that are unconstrained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Automatic;

/// The scale that a latent of a row starts from, on the unconstrained scale.
const FIRST_SCALE: f64 = 0.3;

/// A table of a guide, with its name.
pub(super) type Table<E> = (&'static str, Arc<Parameterized<E>>);

/// A table of so many numbers for each row.
pub(super) fn table<E: Real>(of_row: RowTable, rows: usize) -> Result<Table<E>, AmortizedError> {
    let RowTable { name, locations, log_scales } = of_row;
    let numbers = locations + log_scales;
    let build = || -> Result<Parameterized<E>, NetworkError> {
        let layer = Sequential::new(Embedding::new(rows, numbers, 1)?);
        let log_scale = E::from_f64(FIRST_SCALE.ln());
        let row = (0..numbers).map(|at| if at < locations { E::default() } else { log_scale });
        let all: Vec<E> = row.cycle().take(rows * numbers).collect();
        Parameterized::new(layer, all)
    };
    match build() {
        Ok(network) => Ok((name, Arc::new(network))),
        Err(source) => Err(AmortizedError::Network { name: name.to_owned(), source }),
    }
}

/// Adam over the rows of a table, of which a step sees some: each row has a time of its own, as if it were alone.
///
/// # Source
/// Kingma & Ba 2015, algorithm 1, a row at a time.
#[derive(Clone, Debug)]
pub(super) struct RowAdam<E> {
    config: AdamConfig,
    /// Numbers of a row.
    numbers: usize,
    pub(super) first: Vec<E>,
    pub(super) second: Vec<E>,
    /// The steps of each row.
    pub(super) steps: Vec<u32>,
    /// The rows that the gradient is of.
    seen: Vec<usize>,
}

impl<E: Real> RowAdam<E> {
    pub(super) fn new(rows: usize, numbers: usize) -> Self {
        let zeros = vec![E::default(); rows * numbers];
        RowAdam {
            config: AdamConfig::default(),
            numbers,
            first: zeros.clone(),
            second: zeros,
            steps: vec![0; rows],
            seen: Vec::new(),
        }
    }

    /// Goes on from a checkpoint.
    #[cfg(feature = "files")]
    pub(super) fn resume(&mut self, steps: &[u32], first: &[E], second: &[E]) -> Result<(), NetworkError> {
        for (operand, got, expected) in [
            ("steps of rows", steps.len(), self.steps.len()),
            ("first moments", first.len(), self.first.len()),
            ("second moments", second.len(), self.second.len()),
        ] {
            if got != expected {
                return Err(NetworkError::Length { operand, expected, got });
            }
        }
        self.steps.copy_from_slice(steps);
        self.first.copy_from_slice(first);
        self.second.copy_from_slice(second);
        Ok(())
    }

    /// The rows whose gradients are other than zero.
    pub(super) fn see(&mut self, rows: &[usize]) {
        self.seen.clear();
        self.seen.extend_from_slice(rows);
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        row * self.numbers..(row + 1) * self.numbers
    }

    pub(super) fn sum_of_squares(&self, gradient: &[E]) -> f64 {
        self.seen.iter().flat_map(|&row| &gradient[self.range(row)]).map(|g| g.to_f64().powi(2)).sum()
    }

    /// Clears the gradient of the rows that were seen.
    pub(super) fn clear(&self, gradient: &mut [E]) {
        self.seen.iter().for_each(|&row| gradient[self.range(row)].fill(E::default()));
    }

    /// A step up a multiple of the gradient of the rows that were seen, which is cleared.
    pub(super) fn step_scaled(&mut self, rate: f64, scale: f64, parameters: &mut [E], gradient: &mut [E]) {
        let (b1, b2) = self.config.decays;
        for at in 0..self.seen.len() {
            let row = self.seen[at];
            self.steps[row] += 1;
            let steps = f64::from(self.steps[row]);
            let (c1, c2) = (1.0 - b1.powf(steps), 1.0 - b2.powf(steps));
            for i in self.range(row) {
                let g = gradient[i].to_f64() * scale;
                let m = b1 * self.first[i].to_f64() + (1.0 - b1) * g;
                let v = b2 * self.second[i].to_f64() + (1.0 - b2) * g * g;
                let by = rate * (m / c1) / ((v / c2).sqrt() + self.config.epsilon);
                parameters[i] = E::from_f64(parameters[i].to_f64() + by);
                (self.first[i], self.second[i]) = (E::from_f64(m), E::from_f64(v));
                gradient[i] = E::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowAdam;
    use crate::networks::{AdamConfig, AdamState};

    #[test]
    fn a_row_steps_as_if_it_were_alone() {
        let mut rows = RowAdam::<f64>::new(3, 2);
        let mut alone = AdamState::new(2, AdamConfig::default());
        let (mut all, mut own) = (vec![0.5; 6], vec![0.5; 2]);
        let mut gradient = vec![0.0; 6];
        for step in 0..5 {
            let g = [f64::from(step) - 1.5, 0.3];
            // Row 1 is seen every time, row 2 now and then.
            let seen: &[usize] = if step % 2 == 0 { &[1, 2] } else { &[1] };
            rows.see(seen);
            for &row in seen {
                gradient[2 * row..2 * row + 2].copy_from_slice(&g);
            }
            rows.step_scaled(0.1, 0.5, &mut all, &mut gradient);
            alone.step_scaled(0.1, 0.5, &mut own, &mut g.to_vec()).expect("two of each");
            assert!(gradient.iter().all(|g| *g == 0.0));
        }
        assert_eq!(rows.steps, [0, 5, 3]);
        assert_eq!(all[..2], [0.5, 0.5]);
        for i in 0..2 {
            assert!((all[2 + i] - own[i]).abs() < 1e-9, "{} {}", all[2 + i], own[i]);
        }
    }
}
