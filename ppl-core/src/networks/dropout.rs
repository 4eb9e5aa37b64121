//! Dropout: features left out at random while a network is learned.

use rayon::prelude::*;

use super::parallel::PART;
use super::sizes::check_sizes;
use super::sums::add;
use super::{Layer, Mode, NetworkError, ParameterTensor, Pass, Work};
use crate::kernel::Real;
use crate::random::uniform;

/// In training each feature is zero with a probability, else divided by the probability to stay (Srivastava et al. 2014); in evaluation nothing.
///
/// The noise is a function of the key of [`Mode::Train`] and of the place of the feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    size: usize,
    probability: f64,
}

impl Dropout {
    /// Over so many features, each left out with this probability.
    ///
    /// # Errors
    /// [`NetworkError::Probability`] if it is not at least 0 and below 1; [`NetworkError::ZeroSize`] and [`NetworkError::LargeSize`].
    pub fn new(size: usize, probability: f64) -> Result<Self, NetworkError> {
        check_sizes("dropout", &[("the number of features", size)])?;
        if (0.0..1.0).contains(&probability) {
            Ok(Dropout { size, probability })
        } else {
            Err(NetworkError::Probability { probability: probability.to_string() })
        }
    }
}

impl<E: Real> Layer<E> for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn inputs(&self) -> usize {
        self.size
    }

    fn outputs(&self) -> usize {
        self.size
    }

    fn tensors(&self) -> Vec<ParameterTensor> {
        Vec::new()
    }

    fn initialize(&self, _key: u64, _parameters: &mut [E]) {}

    fn forward(&self, _parameters: &[E], x: &[E], _rows: usize, work: &mut Work<E>, y: &mut [E]) {
        let Mode::Train { key } = work.mode() else {
            work.buffers([0]);
            y.copy_from_slice(x);
            return;
        };
        let [factors] = work.buffers([x.len()]);
        let (probability, kept) = (self.probability, E::from_f64(1.0 / (1.0 - self.probability)));
        factors.par_chunks_mut(PART).enumerate().for_each(|(part, factors)| {
            for (index, factor) in factors.iter_mut().enumerate() {
                let dropped = uniform(key, (part * PART + index) as u64) < probability;
                *factor = if dropped { E::default() } else { kept };
            }
        });
        y.fill(E::default());
        add(x, factors, y);
    }

    fn pull(&self, _parameters: &[E], pass: Pass<'_, E>, work: &mut Work<E>, x_adjoint: Option<&mut [E]>, _gradient: &mut [E]) {
        let Some(x_adjoint) = x_adjoint else { return };
        match work.mode() {
            Mode::Evaluate => add(pass.y_adjoint, &[], x_adjoint),
            Mode::Train { .. } => {
                let [factors] = work.buffers([pass.x.len()]);
                add(pass.y_adjoint, factors, x_adjoint);
            }
        }
    }
}
