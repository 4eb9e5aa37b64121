//! What can be wrong with a network, found before it is used.

/// Why a network was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A layer takes another number of features than the layer before it gives.
    #[error(
        "layer {index} (`{layer}`) takes {expected} features, but the layer before it (`{before}`) gives {got}; make the two sizes equal"
    )]
    Sizes {
        /// The number of the layer, counted from zero.
        index: usize,
        /// The layer.
        layer: String,
        /// The layer before it.
        before: String,
        /// What the layer takes.
        expected: usize,
        /// What it is given.
        got: usize,
    },
    /// A size that must be positive is zero.
    #[error("`{layer}`: {size} is zero; it must be at least one")]
    ZeroSize {
        /// The layer.
        layer: &'static str,
        /// The size.
        size: &'static str,
    },
    /// A size that is too large together with the others.
    #[error("`{layer}`: {size} is {value}, with which the layer is too large to be made; make it smaller")]
    LargeSize {
        /// The layer.
        layer: &'static str,
        /// The size.
        size: &'static str,
        /// Its value.
        value: usize,
    },
    /// A network without layers.
    #[error("a network needs at least one layer; of sizes, it needs those of the input and of the output")]
    NoLayers,
    /// A layer around others must give as many features as it takes.
    #[error(
        "a residual connection adds its input to its output, but the layers within take {inputs} features and give {outputs}"
    )]
    NotResidual {
        /// What the layers take.
        inputs: usize,
        /// What they give.
        outputs: usize,
    },
    /// A kernel of a convolution is larger than what it moves over.
    #[error("`{layer}`: the kernel of {kernel} is larger than the padded image of {image}")]
    Kernel {
        /// The layer.
        layer: &'static str,
        /// The size of the kernel.
        kernel: usize,
        /// The size of the image with its padding.
        image: usize,
    },
    /// More pixels are added to a transposed convolution than its stride can leave out.
    #[error("`extra` is {extra}, but it must be less than the stride, {stride}")]
    Extra {
        /// The pixels added at the right and at the bottom.
        extra: usize,
        /// The stride.
        stride: usize,
    },
    /// An activation that is not known.
    #[error("there is no activation `{name}`; those known are {known}")]
    UnknownActivation {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// A probability out of its range.
    #[error("the probability of dropout is {probability}, but it must be at least 0 and below 1")]
    Probability {
        /// The probability, as text.
        probability: String,
    },
    /// A slice of another length than the sizes of the network say.
    #[error("`{operand}` has {got} elements, but {expected} are needed")]
    Length {
        /// The slice.
        operand: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        got: usize,
    },
    /// An index of an embedding that is not one of its rows.
    #[error("row {row}, position {position}: `{value}` is not an index below {size}")]
    Index {
        /// The row of the input.
        row: usize,
        /// The position in the row.
        position: usize,
        /// The value.
        value: String,
        /// The number of rows of the embedding.
        size: usize,
    },
    /// What layers give at each step of a sequence does not divide into the steps.
    #[error("`{layer}`: {outputs} numbers do not divide into {steps} steps; make the layers within give as many at each step")]
    Steps {
        /// The layer.
        layer: &'static str,
        /// What the layers within give.
        outputs: usize,
        /// The number of steps.
        steps: usize,
    },
    /// A sequence that is longer than the steps of a layer, or of no length.
    #[error("row {row}: the length of the sequence is {value}; it must be a whole number from 0 to {steps}")]
    SequenceLength {
        /// The row of the input.
        row: usize,
        /// The length, as text.
        value: String,
        /// The number of steps.
        steps: usize,
    },
    /// The norm of a gradient is infinite or not a number.
    #[error("the gradient has the norm {norm}; no step was made")]
    Gradient {
        /// The norm, as text.
        norm: String,
    },
}

impl NetworkError {
    /// What was found wrong with a row by itself, of the row that it is.
    pub(super) fn of_row(self, row: usize) -> Self {
        match self {
            NetworkError::Index { position, value, size, .. } => NetworkError::Index { row, position, value, size },
            NetworkError::SequenceLength { value, steps, .. } => NetworkError::SequenceLength { row, value, steps },
            other => other,
        }
    }
}
