//! Densities of one number: of the catalogue, of the user's, and what words such as `Truncated` make of them.

use proc_macro2::Ident;

use crate::catalogue::{Bound, Entry, Support};

/// Which density of one number.
#[derive(Clone, Debug)]
pub(crate) enum Family {
    Catalogue(&'static Entry),
    /// One of the user's, and the parameters that are given by name.
    User(syn::Path, Vec<Option<Ident>>),
    /// Made of another one, whose parameters come first.
    Wrapped(Wrapper, Box<Family>),
}

/// What is made of a distribution of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapper {
    /// `Truncated(D, lower = .., upper = ..)`; an absent bound is infinite.
    Truncated,
    /// `Censored(D, lower = .., upper = ..)`
    Censored,
    /// `ZeroInflated(D, gate = ..)`
    ZeroInflated,
    /// `Transformed(D, exp)`
    Transformed(Increasing),
}

/// The maps of `Transformed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Increasing {
    Exp,
    Sigmoid,
    Softplus,
}

impl Increasing {
    /// All maps by their words.
    pub(crate) const ALL: &'static [(&'static str, Increasing)] =
        &[("exp", Increasing::Exp), ("sigmoid", Increasing::Sigmoid), ("softplus", Increasing::Softplus)];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Increasing::Exp => "exp",
            Increasing::Sigmoid => "sigmoid",
            Increasing::Softplus => "softplus",
        }
    }

    /// The type in `ppl_core::distributions`.
    pub(crate) fn rust(self) -> &'static str {
        match self {
            Increasing::Exp => "ByExp",
            Increasing::Sigmoid => "BySigmoid",
            Increasing::Softplus => "BySoftplus",
        }
    }

    /// Where its values lie.
    pub(crate) fn support(self) -> Support {
        match self {
            Increasing::Exp | Increasing::Softplus => Support::Positive,
            Increasing::Sigmoid => Support::Unit,
        }
    }
}

impl Wrapper {
    /// The words that make a distribution of another one, besides `Ordered` and `Mixture`.
    pub(crate) const WORDS: &'static [&'static str] = &["Truncated", "Censored", "ZeroInflated", "Transformed"];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Wrapper::Truncated => "Truncated",
            Wrapper::Censored => "Censored",
            Wrapper::ZeroInflated => "ZeroInflated",
            Wrapper::Transformed(_) => "Transformed",
        }
    }

    /// The parameters that follow those of the distribution.
    pub(crate) fn parameters(self) -> &'static [(&'static str, Support)] {
        match self {
            Wrapper::Truncated | Wrapper::Censored => &[("lower", Support::Real), ("upper", Support::Real)],
            Wrapper::ZeroInflated => &[("gate", Support::Unit)],
            Wrapper::Transformed(_) => &[],
        }
    }
}

impl Family {
    /// The entry of the catalogue, or of which it is made.
    pub(crate) fn entry(&self) -> Option<&'static Entry> {
        match self {
            Family::Catalogue(entry) => Some(entry),
            Family::User(..) => None,
            Family::Wrapped(_, inner) => inner.entry(),
        }
    }

    /// The distribution of the user's, or of which it is made.
    pub(crate) fn user(&self) -> Option<(&syn::Path, &[Option<Ident>])> {
        match self {
            Family::Catalogue(_) => None,
            Family::User(path, names) => Some((path, names)),
            Family::Wrapped(_, inner) => inner.user(),
        }
    }

    /// Names and supports of the parameters that are known here: all but those of the user's distribution; and where they begin.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, Support)> {
        match self {
            Family::Catalogue(entry) => entry.parameters.to_vec(),
            Family::User(_, names) => names.iter().map(|_| ("parameter", Support::Real)).collect(),
            Family::Wrapped(wrapper, inner) => {
                inner.parameters().into_iter().chain(wrapper.parameters().iter().copied()).collect()
            }
        }
    }

    /// The places of parameters between which values lie, two and two.
    pub(crate) fn ends(&self) -> Vec<[usize; 2]> {
        match self {
            Family::Catalogue(entry) => match entry.bounds {
                [Bound::Parameter(lower), Bound::Parameter(upper)] => vec![[lower, upper]],
                _ => Vec::new(),
            },
            Family::User(..) => Vec::new(),
            Family::Wrapped(wrapper, inner) => {
                let own = inner.parameters().len();
                let is_between = matches!(wrapper, Wrapper::Truncated | Wrapper::Censored);
                inner.ends().into_iter().chain(is_between.then_some([own, own + 1])).collect()
            }
        }
    }

    /// The outermost word that says whether a parameter is another's: `Poisson` of the rate, `ZeroInflated` of the gate.
    pub(crate) fn word_of(&self, parameter: usize) -> &'static str {
        match self {
            Family::Catalogue(entry) => entry.name,
            Family::User(..) => "",
            Family::Wrapped(wrapper, inner) => {
                if parameter < inner.parameters().len() {
                    inner.word_of(parameter)
                } else {
                    wrapper.word()
                }
            }
        }
    }

    /// Where values lie, if that is known here.
    pub(crate) fn support(&self) -> Support {
        match self {
            Family::Catalogue(entry) if entry.is_bounded() && !entry.discrete => Support::Interval,
            Family::Catalogue(entry) => entry.support,
            Family::User(..) => Support::Real,
            Family::Wrapped(Wrapper::Truncated | Wrapper::Censored, inner) if inner.is_discrete() != Some(true) => {
                Support::Interval
            }
            Family::Wrapped(Wrapper::Transformed(map), _) => map.support(),
            Family::Wrapped(_, inner) => inner.support(),
        }
    }

    /// Whether values are whole numbers; unknown of a user's own.
    pub(crate) fn is_discrete(&self) -> Option<bool> {
        match self {
            Family::Catalogue(entry) => Some(entry.discrete),
            Family::User(..) => None,
            Family::Wrapped(_, inner) => inner.is_discrete(),
        }
    }

    /// Whether a latent can have it: there is a density everywhere.
    pub(crate) fn has_density(&self) -> bool {
        match self {
            Family::Catalogue(_) | Family::User(..) => true,
            Family::Wrapped(Wrapper::Censored, _) => false,
            Family::Wrapped(_, inner) => inner.has_density(),
        }
    }
}
