//! The model as a graph, known at compile time: sites, factors, who reads whom, and what can be taken apart.

use super::BatchError;
use crate::distributions::Support;

/// The model as a graph, known at compile time.
#[derive(Debug)]
pub struct Graph {
    /// The name of the model.
    pub name: &'static str,
    /// The names of the dimensions.
    pub dims: &'static [&'static str],
    /// Which dimensions can be taken a batch at a time: one for each.
    pub plates: &'static [Plate],
    /// Latents, quantities and observed arrays, in the order of the model.
    pub sites: &'static [Site],
    /// The terms of the log joint density, in the order of the model.
    pub factors: &'static [Factor],
    /// The discrete variables that `sum` blocks sum out.
    pub sums: &'static [SummedOut],
    /// The discrete latents: the probabilities of their values are parameters of the same name.
    pub discretes: &'static [DiscreteLatent],
    /// The differential equations, in the order of the model.
    pub equations: &'static [Equation],
}

/// A differential equation that the model solves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equation {
    /// The head of its block as written: `ode s in 0..times[t] for t in T`.
    pub text: &'static str,
    /// How many steps are taken between two times, if the model says it.
    pub steps: Option<u32>,
}

/// A discrete latent, whose values a guide gives probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscreteLatent {
    /// Its name.
    pub name: &'static str,
    /// Whether some statement reads it beside another element or another discrete latent, so that the best probabilities of one depend on those of others.
    pub coupled: bool,
}

/// A discrete variable that a `sum` block sums out of a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummedOut {
    /// Its name.
    pub name: &'static str,
    /// The factor.
    pub factor: usize,
    /// The sum around it.
    pub within: Option<usize>,
}

/// A dimension, as a plate.
#[derive(Debug)]
pub struct Plate {
    /// Why it cannot be taken in batches; none if its elements are independent given what is not over it.
    pub refused: Option<&'static str>,
    /// The factors that run over it, or over what goes with it.
    pub factors: &'static [usize],
    /// The dimensions that go with it, parents first.
    pub following: &'static [Follows],
}

/// A dimension that goes with another one into a batch: each of its elements belongs to one of that, and reads what is over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follows {
    /// Which of [`Graph::dims`].
    pub dim: usize,
    /// The one that its elements belong to.
    pub parent: usize,
    /// The index array that says to which.
    pub through: &'static str,
}

impl Plate {
    /// Whether a dimension is among those that go with it.
    #[must_use]
    pub fn takes(&self, dim: usize) -> bool {
        self.following.iter().any(|known| known.dim == dim)
    }
}

impl Graph {
    /// The dimension of this name, if it can be taken in batches.
    ///
    /// # Errors
    /// [`BatchError`] says why not, and which can be.
    pub fn plate(&self, name: &str) -> Result<usize, BatchError> {
        let possible = self.dims.iter().zip(self.plates).filter(|(_, plate)| plate.refused.is_none());
        let names: Vec<String> = possible.map(|(dim, _)| format!("`{dim}`")).collect();
        let (model, known) = (self.name, if names.is_empty() { "none".to_owned() } else { names.join(", ") });
        let Some(plate) = self.dims.iter().position(|dim| *dim == name) else {
            return Err(BatchError::Unknown { model, name: name.to_owned(), known });
        };
        match self.plates[plate].refused {
            Some(reason) => Err(BatchError::Refused { model, plate: self.dims[plate], reason, known }),
            None => Ok(plate),
        }
    }
}

/// What a name left of `~` or `let` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    /// Not given: to be inferred.
    Latent,
    /// Maximised rather than integrated over: a point of every guide, without a density and without a Jacobian.
    Parameter,
    /// Computed from others, and reported.
    Quantity,
    /// Given as data.
    Observed,
    /// How far a location-scale latent is guided as written (1) or through its standardized residual (0).
    Degree,
}

/// A name left of `~` or `let`.
#[derive(Debug)]
pub struct Site {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: SiteKind,
    /// The set of its values (of the distribution, as a parameter states it, or `Real` for a quantity).
    pub support: Support,
    /// 1 if its last axis is one event (a simplex, an ordered vector).
    pub event_rank: usize,
}

/// A term of the log joint density.
#[derive(Debug)]
pub struct Factor {
    /// The statement as written, for messages: `log_radon[n] ~ Normal(at_home, sigma)`.
    pub text: &'static str,
    /// The site left of `~`; none for `factor(..)`.
    pub site: Option<usize>,
    /// The latents and parameters it reads and through which index.
    pub reads: &'static [Read],
}

/// How a factor reads a latent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Which site.
    pub site: usize,
    /// Which elements a row reads.
    pub owner: Owner,
}

/// Which elements of a latent a row of a factor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Any of them.
    Every,
    /// The one of the same row.
    SameRow,
    /// The one that an index array names.
    Gathered(&'static str),
}
