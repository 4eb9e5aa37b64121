//! What can be wrong with a bijector, or with numbers that are given to it.

use crate::distributions::Support;

/// Why a bijector was not made, or did not take numbers.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BijectorError {
    /// The wrong number of numbers.
    #[error("`{bijector}` takes {expected} numbers or a multiple of them, and was given {got}")]
    Length {
        /// The bijector.
        bijector: &'static str,
        /// How many it takes at a time.
        expected: usize,
        /// How many there were.
        got: usize,
    },
    /// A number that the bijector does not give.
    #[error("`{bijector}` has no inverse of element {element} ({value}); expected: {expected}")]
    OutsideSupport {
        /// The bijector.
        bijector: &'static str,
        /// The first element that is wrong, counted from zero.
        element: usize,
        /// The element.
        value: f64,
        /// What the bijector gives.
        expected: Support,
    },
    /// The location of an affine map is not a number.
    #[error("the location of an affine map is {loc}; it must be finite")]
    Loc {
        /// The location.
        loc: f64,
    },
    /// The scale of an affine map is zero or not a number.
    #[error("the scale of an affine map is {scale}; it must be finite and not zero")]
    Scale {
        /// The scale.
        scale: f64,
    },
    /// An interval without numbers in it.
    #[error(
        "the interval of element {element} goes from {lower} to {upper}; the lower bound must be below the upper, and both finite"
    )]
    Interval {
        /// The element, counted from zero.
        element: usize,
        /// The lower bound.
        lower: f64,
        /// The upper bound.
        upper: f64,
    },
    /// The bounds of an interval are of different numbers of elements.
    #[error("there are {lower} lower and {upper} upper bounds; give one, or as many as there are elements")]
    Bounds {
        /// How many lower bounds.
        lower: usize,
        /// How many upper bounds.
        upper: usize,
    },
    /// A permutation takes an element twice.
    #[error("the permutation takes element {index} at position {position} again; it has taken it at position {first}")]
    RepeatedIndex {
        /// Where, counted from zero.
        position: usize,
        /// The element.
        index: usize,
        /// Where it was taken first.
        first: usize,
    },
    /// A permutation takes an element that there is not.
    #[error("the permutation takes element {index} at position {position}; there are {length}, counted from zero")]
    IndexOutOfRange {
        /// Where, counted from zero.
        position: usize,
        /// The element.
        index: usize,
        /// How many there are.
        length: usize,
    },
    /// A link of a chain takes another number of numbers than the link before it gives.
    #[error("link {link} of the chain (`{bijector}`) takes {takes} numbers at a time, but the links before it give {gives}")]
    Link {
        /// The link, counted from zero.
        link: usize,
        /// The bijector.
        bijector: &'static str,
        /// How many numbers it takes at a time.
        takes: usize,
        /// How many numbers the links before it give at a time.
        gives: usize,
    },
}
