//! What is done with the numbers of a row as it is drawn: binarization, dropout of words, noise, a function of the user's.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::data::{expected, fits};
use super::{AmortizedError, RowInput};
use crate::kernel::Real;
use crate::random::{normal_quantile, step_key, uniform};

/// A change of the numbers of an input as a row of data is drawn, in the order of [`Amortized::transforms`](super::Amortized::transforms). Draws are functions of the
/// seed, the step and the row: the same bits on any number of threads, and where learning goes on from a file.
///
/// Rows that are learned from get other draws at each step. What a fit is asked about rows (held-out rows, [`encode`](super::AmortizedFit::encode) and all others) is of
/// rows as they are, but for [`Transform::binarize`] and what is [`always`](Transform::always) done: these get the same draws at every call.
///
/// # Examples
/// ```
/// use ppl_core::amortized::{Amortized, Transform};
/// // Images by the probabilities of their pixels; a quarter of the words that a decoder reads becomes word 1.
/// let config = Amortized {
///     transforms: vec![Transform::binarize("x"), Transform::replace("previous", 0.25, 1.0)],
///     ..Amortized::default()
/// };
/// # let _ = config;
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transform {
    input: String,
    kind: Kind,
    always: bool,
}

/// A function of the user's: the row of data counted from zero, a key of random numbers, and the numbers of the row.
type Function = Arc<dyn Fn(usize, u64, &mut [f64]) + Send + Sync>;

#[derive(Clone, Serialize, Deserialize)]
enum Kind {
    Binarize,
    Replace {
        probability: f64,
        with: f64,
    },
    Noise {
        scale: f64,
    },
    /// Has to be given again where a fit is read from a file.
    #[serde(skip)]
    Function(Function),
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Binarize => f.write_str("Binarize"),
            Kind::Replace { probability, with } => write!(f, "Replace {{ probability: {probability}, with: {with} }}"),
            Kind::Noise { scale } => write!(f, "Noise {{ scale: {scale} }}"),
            Kind::Function(_) => f.write_str("Function"),
        }
    }
}

impl Transform {
    fn new(input: impl Into<String>, kind: Kind, always: bool) -> Self {
        Transform { input: input.into(), kind, always }
    }

    /// Bernoulli draws, of which the numbers are the probabilities: anew each time a row is learned from, as Burda et al. 2016 take images, and the same ones whenever
    /// a fit is asked about a row.
    #[must_use]
    pub fn binarize(input: impl Into<String>) -> Self {
        Self::new(input, Kind::Binarize, true)
    }

    /// Each number becomes another with a probability, 0 to 1: of the words that a decoder reads, dropout of words.
    ///
    /// # Source
    /// Bowman, Vilnis, Vinyals, Dai, Jozefowicz & Bengio 2016, Generating sentences from a continuous space, section 3.1.
    #[must_use]
    pub fn replace(input: impl Into<String>, probability: f64, with: f64) -> Self {
        Self::new(input, Kind::Replace { probability, with }, false)
    }

    /// Adds normal noise of a standard deviation, at least 0.
    #[must_use]
    pub fn noise(input: impl Into<String>, scale: f64) -> Self {
        Self::new(input, Kind::Noise { scale }, false)
    }

    /// What a function makes of a row: of its number in the data, a key of random numbers (for [`uniform`](crate::random::uniform) with a counter), and its numbers, which
    /// it changes. The same numbers must come of the same arguments.
    #[must_use]
    pub fn map(input: impl Into<String>, function: impl Fn(usize, u64, &mut [f64]) + Send + Sync + 'static) -> Self {
        Self::new(input, Kind::Function(Arc::new(function)), false)
    }

    /// Not of the rows that are learned from alone, but, with the same draws at every call, whatever a fit is asked about rows.
    #[must_use]
    pub fn always(self) -> Self {
        Transform { always: true, ..self }
    }

    /// The input that it changes.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Whether it is done whatever a fit is asked about rows.
    pub(super) fn is_always(&self) -> bool {
        self.always
    }

    /// Whether it is a function of the user's, which no file keeps.
    #[cfg(feature = "files")]
    pub(super) fn is_function(&self) -> bool {
        matches!(self.kind, Kind::Function(_))
    }

    /// Whether it takes the numbers as probabilities.
    pub(super) fn takes_probabilities(&self) -> bool {
        matches!(self.kind, Kind::Binarize)
    }

    /// Whether there is such an input, and the numbers are in their ranges.
    pub(super) fn check<E: Real>(&self, inputs: &[RowInput<'_, E>]) -> Result<(), AmortizedError> {
        let Some(input) = inputs.iter().find(|input| input.name == self.input) else {
            let known: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(AmortizedError::UnknownName { what: "input", name: self.input.clone(), known });
        };
        let refused = |reason: String| Err(AmortizedError::Transform { input: input.name, reason });
        match self.kind {
            Kind::Replace { probability, .. } if !(0.0..=1.0).contains(&probability) => {
                refused(format!("replaces with probability {probability}; it must be 0 to 1"))
            }
            Kind::Replace { with, .. } if !fits(input, with) => {
                refused(format!("replaces by {with}; it must be {}", expected(input)))
            }
            Kind::Noise { scale } if !(scale.is_finite() && scale >= 0.0) => {
                refused(format!("adds noise of standard deviation {scale}; it must be at least 0 and finite"))
            }
            Kind::Noise { .. } if input.categories.is_some() => {
                refused(format!("adds noise to what is {}; take `Transform::replace`", expected(input)))
            }
            _ => Ok(()),
        }
    }

    /// Changes the numbers of a row; the first of them that is no probability where it should be.
    fn apply(&self, row: usize, key: u64, values: &mut [f64]) -> Result<(), usize> {
        match &self.kind {
            Kind::Binarize => {
                if let Some(at) = values.iter().position(|p| !(0.0..=1.0).contains(p)) {
                    return Err(at);
                }
                for (column, x) in values.iter_mut().enumerate() {
                    *x = f64::from(u8::from(uniform(key, column as u64) < *x));
                }
            }
            Kind::Replace { probability, with } => {
                for (column, x) in values.iter_mut().enumerate() {
                    if uniform(key, column as u64) < *probability {
                        *x = *with;
                    }
                }
            }
            Kind::Noise { scale } => {
                for (column, x) in values.iter_mut().enumerate() {
                    *x += scale * normal_quantile(uniform(key, column as u64));
                }
            }
            Kind::Function(function) => function(row, key, values),
        }
        Ok(())
    }
}

/// The draws of a batch of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn<'a> {
    pub(super) transforms: &'a [Transform],
    /// Of the random numbers.
    pub(super) key: u64,
    /// Whether the rows are learned from.
    pub(super) learning: bool,
}

impl Drawn<'_> {
    /// Rows as they are.
    pub(super) const AS_THEY_ARE: Self = Drawn { transforms: &[], key: 0, learning: false };

    /// The transforms of an input that are done, with their numbers in the list.
    fn of<'a, E: Real>(&'a self, input: &'a RowInput<'_, E>) -> impl Iterator<Item = (usize, &'a Transform)> {
        let done = |transform: &Transform| transform.input == input.name && (self.learning || transform.always);
        self.transforms.iter().enumerate().filter(move |(_, transform)| done(transform))
    }

    /// Copies rows of an input as they are drawn.
    ///
    /// # Shapes
    /// `to: [row][column]`.
    pub(super) fn copy_rows<E: Real>(&self, input: &RowInput<'_, E>, rows: &[usize], to: &mut [E]) -> Result<(), AmortizedError> {
        let columns = input.columns;
        let changed = self.of(input).next().is_some();
        let mut values = Vec::new();
        for (&row, to) in rows.iter().zip(to.chunks_exact_mut(columns.max(1))) {
            let from = &input.data[row * columns..(row + 1) * columns];
            if !changed {
                to.copy_from_slice(from);
                continue;
            }
            values.clear();
            values.extend(from.iter().map(|x| x.to_f64()));
            let refused = |column: usize, value: f64, expected: String| {
                let expected = format!("{expected}, also after its transforms");
                Err(AmortizedError::Input { input: input.name, row, column, value, expected })
            };
            for (index, transform) in self.of(input) {
                let key = step_key(step_key(self.key, index as u64), row as u64);
                if let Err(column) = transform.apply(row, key, &mut values) {
                    return refused(column, values[column], "a probability, 0 to 1,".to_owned());
                }
            }
            if let Some(column) = values.iter().position(|&x| !fits(input, x)) {
                return refused(column, values[column], expected(input));
            }
            to.iter_mut().zip(&values).for_each(|(to, &x)| *to = E::from_f64(x));
        }
        Ok(())
    }
}
