//! What is wrong with the data of a model.

/// What is wrong with the data of a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Two arrays disagree about the size of a dimension.
    #[error(
        "`{model}`: dimension `{dim}` has size {first_size} in `{first}` but {second_size} in `{second}`; \
         a dimension has one size everywhere"
    )]
    SizeMismatch {
        /// The model.
        model: &'static str,
        /// The dimension.
        dim: &'static str,
        /// The array that gave the size first.
        first: &'static str,
        /// Its size.
        first_size: usize,
        /// The array that disagrees.
        second: &'static str,
        /// Its size.
        second_size: usize,
    },
    /// An index array points outside its dimension.
    #[error("`{model}`: `{field}[{row}]` is {value}, but it must be an index into `{dim}`, which has size {size} (0 to {last})",
        last = size.saturating_sub(1))]
    IndexOutOfRange {
        /// The model.
        model: &'static str,
        /// The index array.
        field: &'static str,
        /// Where in it.
        row: usize,
        /// The index.
        value: usize,
        /// The dimension.
        dim: &'static str,
        /// Its size.
        size: usize,
    },
    /// An index expression leaves its axis for some row.
    #[error(
        "`{model}`: in `{expression}` the index runs from {lowest} to {highest}, but `{array}` has {size} elements there; \
         narrow the range of the loop"
    )]
    ShiftedIndexOutOfRange {
        /// The model.
        model: &'static str,
        /// The expression as written.
        expression: &'static str,
        /// The array.
        array: &'static str,
        /// The least index.
        lowest: i64,
        /// The greatest index.
        highest: i64,
        /// The size of the axis.
        size: usize,
    },
    /// A value that is `NaN` or infinite.
    #[error("`{model}`: `{field}[{row}]` is {value}; data must be finite (leave the row out, or model what is missing)")]
    NotFinite {
        /// The model.
        model: &'static str,
        /// The array.
        field: &'static str,
        /// Where in it, counted in row-major order.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A value outside the support of the distribution it is observed under, or of the parameter it is used as.
    #[error("`{model}`: `{field}[{row}]` is {value}, but `{statement}` needs it {expected}")]
    OutsideSupport {
        /// The model.
        model: &'static str,
        /// The array.
        field: &'static str,
        /// Where in it, counted in row-major order.
        row: usize,
        /// The value.
        value: f64,
        /// The statement as written.
        statement: &'static str,
        /// The set in words: "positive".
        expected: String,
    },
    /// The bounds of a latent that are not in order, or not finite.
    #[error(
        "`{model}`: the bounds of `{name}[{row}]` are {lower} and {upper}, but the first must be below the second and both finite; \
         exchange them, or check the data of which they are made"
    )]
    Bounds {
        /// The model.
        model: &'static str,
        /// The latent.
        name: &'static str,
        /// Which of its elements, counted in row-major order.
        row: usize,
        /// The first bound.
        lower: f64,
        /// The second bound.
        upper: f64,
    },
    /// A time of a differential equation that is before the one that comes before it, or is no number.
    #[error(
        "`{model}`: `{field}[{row}]` is {time}, but the time before it is {before}; the times of an `ode` are finite and do not \
         decrease: sort the rows by time, or begin the time earlier"
    )]
    Time {
        /// The model.
        model: &'static str,
        /// The array, or `times`, where the time is computed.
        field: &'static str,
        /// Where in it, counted in row-major order.
        row: usize,
        /// The time before.
        before: f64,
        /// The time.
        time: f64,
    },
    /// A parameter that starts outside its support.
    #[error("`{model}`: `{name}` starts from {value}, but `{statement}` needs it {expected}; change what stands right of `=`")]
    Start {
        /// The model.
        model: &'static str,
        /// The element: `share[2]`.
        name: String,
        /// The value.
        value: f64,
        /// The statement as written.
        statement: &'static str,
        /// The set in words: "positive".
        expected: String,
    },
    /// A label that the fit has not seen.
    #[error("`{model}`: `{field}[{row}]` is `{label}`, which is not a level of `{dim}` in the fit; predict for known levels")]
    UnknownLevel {
        /// The model.
        model: &'static str,
        /// The index array.
        field: &'static str,
        /// Where in it.
        row: usize,
        /// The label.
        label: String,
        /// The dimension.
        dim: &'static str,
    },
    /// A dimension whose size nothing tells, or that must not be empty.
    #[error("`{model}`: dimension `{dim}` is empty, and `{needed_by}` needs at least {least} of it")]
    Empty {
        /// The model.
        model: &'static str,
        /// The dimension.
        dim: &'static str,
        /// What needs it.
        needed_by: &'static str,
        /// How many are needed.
        least: usize,
    },
    /// Rows that are asked for one by one of a source that gives them in an order of its own.
    #[error("`{model}`: the rows of `{dim}` are not in memory; they come in batches of an order of their own")]
    NotInMemory {
        /// The model.
        model: &'static str,
        /// The dimension.
        dim: &'static str,
    },
    /// A network takes or gives another number of features than the model says.
    #[error(
        "`{model}`: the network `{network}` {does} {found} numbers for a row, but `{size}` is {expected}; build it for that many"
    )]
    NetworkSize {
        /// The model or guide.
        model: &'static str,
        /// The network.
        network: &'static str,
        /// Whether it takes or gives them.
        does: &'static str,
        /// What the network has.
        found: usize,
        /// The size as written.
        size: &'static str,
        /// What the size is.
        expected: usize,
    },
}
