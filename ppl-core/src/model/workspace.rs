//! The buffers of an evaluation, and the weights of its terms.

use aligned_vec::{AVec, ConstAlign};

/// Numbers of which the first begins a cache line, and with it every row of samples: lanes across two of them cost up to a quarter more.
pub type Aligned<E> = AVec<E, ConstAlign<64>>;

/// As many times the same number.
pub fn aligned<E: Copy>(value: E, len: usize) -> Aligned<E> {
    let mut all = Aligned::with_capacity(64, len);
    all.resize(len, value);
    all
}

/// The buffers of an evaluation: made once, used at every step without allocating.
///
/// The first rows are the unconstrained space (and room for degrees of centring); the constrained latents that differ from their unconstrained numbers follow, then
/// the quantities. A latent on the whole real line is its own unconstrained number, so it has no rows but these and is never copied.
#[derive(Clone, Debug)]
pub struct Workspace<E> {
    /// The number of Monte Carlo samples, a multiple of [`Real::LANE_MULTIPLE`](crate::kernel::Real::LANE_MULTIPLE).
    pub samples: usize,
    /// The number of unconstrained dimensions. Latents and parameters of numbers beyond them are left as they are.
    pub unconstrained: usize,
    /// The values of all rows: `[row][sample]`.
    pub values: Aligned<E>,
    /// The derivative of the log joint with respect to each row of `values`.
    pub adjoints: Aligned<E>,
    /// Unconstrained numbers that were overwritten by what they stand for, to be put back.
    pub kept: Vec<E>,
    /// The buffers of the parts of a plate that run in parallel.
    pub partitions: Vec<Partition<E>>,
}

impl<E> Workspace<E> {
    /// The unconstrained numbers: `[dimension][sample]`.
    #[must_use]
    pub fn u(&self) -> &[E] {
        &self.values[..self.unconstrained * self.samples]
    }

    /// The unconstrained numbers, to be written.
    pub fn u_mut(&mut self) -> &mut [E] {
        &mut self.values[..self.unconstrained * self.samples]
    }

    /// The derivative of the log density with respect to the unconstrained numbers, after [`LogJoint::log_density`](super::LogJoint::log_density).
    #[must_use]
    pub fn gradient(&self) -> &[E] {
        &self.adjoints[..self.unconstrained * self.samples]
    }

    /// The unconstrained numbers, and the derivative with respect to them, to be used up by a pullback.
    pub fn u_and_gradient_mut(&mut self) -> (&[E], &mut [E]) {
        let lanes = self.unconstrained * self.samples;
        (&self.values[..lanes], &mut self.adjoints[..lanes])
    }

    /// The derivative with respect to the unconstrained numbers, to be used up by a pullback.
    pub fn gradient_mut(&mut self) -> &mut [E] {
        &mut self.adjoints[..self.unconstrained * self.samples]
    }
}

/// The buffers of one part of a plate.
#[derive(Clone, Debug)]
pub struct Partition<E> {
    /// Matrix products of a block of rows: `[row][column][sample]`, product after product.
    pub products: Aligned<E>,
    /// The derivative of the log joint with respect to `products`.
    pub product_adjoints: Aligned<E>,
    /// As [`Workspace::adjoints`], of this part alone; empty if there is but one part.
    pub adjoints: Aligned<E>,
    /// The log density per sample.
    pub log_joint: Vec<f64>,
}

/// The weight of each factor, a product of plate scale, KL weight and cotangents: `[sample]` per factor.
#[derive(Clone, Debug)]
pub struct Weights<E> {
    /// A row of `samples` lanes per factor of the graph.
    pub factors: Vec<E>,
    /// The weight of `log |dz / du|` of each latent and of its derivative: `[latent][sample]`.
    pub log_det: Vec<E>,
    /// The number of samples.
    pub samples: usize,
    /// For some factors, a weight per row and sample instead: the factor, and `[row][sample]`.
    pub rows: Vec<(usize, Vec<E>)>,
}
