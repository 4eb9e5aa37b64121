//! Everything that generated code may name, and nothing else.

pub use std::borrow::Cow;
pub use std::marker::PhantomData;
pub use std::ops::Range;

pub use ndarray;

pub use crate::amortized::{
    Automatic, BoundRows, Call, CallOperand, DrawnLatent, GlobalModel, RowGuide, RowInput, RowModel, RowTable, check_network,
};
pub use crate::bijectors::Bounds;
pub use crate::binding::{
    LayoutBuilder, Sizes, check_array, check_finite, check_index, check_not_empty, check_observed, check_observed_array,
    check_support, check_time, given, given_again, numbers, row_major, shape, start_from,
};
pub use crate::collect::{draws_array, predictive_array};
pub use crate::compiled::{
    Array, Body, Chain, Compiled, Forward, Frame, Gathered, Kernels, Numbers, Ode, Product, Repeated, Walk,
};
pub use crate::distributions::{self, assertions};
pub use crate::distributions::{Multiparameter, Multivariate, Univariate, flatten, log_prob};
pub use crate::guides::{
    ComponentOf, CountOf, DeclaredGuide, Drawn, DrawnMixture, GuideError, GuideOf, NativeFamily, OwnGuide, category, dirichlet,
    drawn_from, gaussian, jointly, native, ordered_category, sorted, whole_number,
};
pub use crate::kernel::functions::{LogSumExp, ln_factorial};
pub use crate::kernel::{Dual, Lanes, Sum, derivatives, functions};
pub use crate::linear_algebra;
pub use crate::model::{
    Batch, DataError, Dimension, DiscreteLatent, Equation, Factor, Follows, Graph, Layout, LogJoint, Model, Owner, Plate, Read,
    Refinement, Site, SiteKind, SummedOut, Values,
};

/// So many empty sums.
#[inline(always)]
#[must_use]
pub fn zero_sums<V: Lanes>(len: usize) -> Vec<V::Sum> {
    vec![zero_sum::<V>(); len]
}

/// The empty sum.
#[inline(always)]
#[must_use]
pub fn zero_sum<V: Lanes>() -> V::Sum {
    <V::Sum as Sum<V>>::zero()
}
