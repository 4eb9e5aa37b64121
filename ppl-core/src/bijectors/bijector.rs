//! The catalogue of bijectors.

use super::{Affine, BijectorError, Bounds, Chain, Permutation};

/// A map from unconstrained numbers `u` to elements `z` of a set, one to one and smooth both ways: each element by itself, or events of
/// several elements, any number of them one after the other.
///
/// `ln |dz / du|` is of the elements that are free: of a simplex the first `K - 1`, of a correlation matrix and its Cholesky factor those
/// below the diagonal, of a covariance matrix and its factor those from the diagonal down. Matrices are row major.
///
/// Far out, at `|u|` of 700 (80 in single precision), `z`, the logarithm and the pullback stay finite where a variant does not say
/// otherwise. Numbers that differ by less than their last digit fall together: elements of an ordered vector, an element and its bound.
///
/// [`Bijector::forward_and_log_det`], [`Bijector::inverse_and_log_det`] and [`Bijector::pullback`] are for one point;
/// [`Bijector::forward`] and [`Bijector::pull`] for rows of lanes, `[element][sample]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Bijector {
    /// `z = u`: all numbers.
    ///
    /// # Source
    /// TFP `Identity`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// assert_eq!(Bijector::Identity.forward_and_log_det(&[3.0])?, (vec![3.0], 0.0));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    #[default]
    Identity,
    /// `z = e^u`, `ln |dz / du| = u`: positive numbers, kept between 1e-300 and 1e300 (1e-37 and 1e37 in single precision).
    ///
    /// # Source
    /// Stan Reference Manual, "Lower bounded scalar"; TFP `Exp`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// assert_eq!(Bijector::Exp.forward_and_log_det(&[0.0])?, (vec![1.0], 0.0));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Exp,
    /// `z = ln(1 + e^u)`, `ln |dz / du| = -ln(1 + e^-u)`: positive numbers, linear far up.
    ///
    /// # Source
    /// TFP `Softplus`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::Softplus.forward_and_log_det(&[0.0])?;
    /// assert!((z[0] - 2.0_f64.ln()).abs() < 1e-15 && (log_det + 2.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Softplus,
    /// `z = 1 / (1 + e^-u)`, `ln |dz / du| = ln z + ln(1 - z)`: numbers between zero and one.
    ///
    /// # Source
    /// Stan Reference Manual, "Lower and upper bounded scalar"; TFP `Sigmoid`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::Sigmoid.forward_and_log_det(&[0.0])?;
    /// assert!(z[0] == 0.5 && (log_det - 0.25_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Sigmoid,
    /// `z = loc + scale u`, `ln |dz / du| = ln |scale|`: all numbers. Made by [`Bijector::affine`].
    ///
    /// # Source
    /// Stan Reference Manual, "Affinely transformed scalar"; TFP `Shift` of `Scale`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::affine(1.0, -2.0)?.forward_and_log_det(&[3.0])?;
    /// assert_eq!((z[0], log_det), (-5.0, 2.0_f64.ln()));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Affine(Affine),
    /// Numbers between bounds, of all elements or of each: `lower + e^u`, `upper - e^u`, `lower + (upper - lower) / (1 + e^-u)`.
    ///
    /// # Source
    /// Stan Reference Manual, "Lower and upper bounded scalar"; TFP `Sigmoid(low, high)`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::{Bijector, Bounds};
    /// let ten_to_fourteen = Bijector::Interval(Bounds { lower: Some(vec![10.0]), upper: Some(vec![14.0]) });
    /// let (z, log_det) = ten_to_fourteen.forward_and_log_det(&[0.0])?;
    /// assert!(z[0] == 12.0 && log_det.abs() < 1e-15);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Interval(Bounds),
    /// Stick breaking: `z_k` is the share `sigmoid(u_k - ln(K - 1 - k))` of what is left; simplexes of `K` elements.
    ///
    /// # Shapes
    /// `K - 1` unconstrained numbers.
    ///
    /// # Source
    /// Stan Reference Manual, "Unit simplex" (stick breaking); TFP `IteratedSigmoidCentered`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, _) = Bijector::Simplex { length: 4 }.forward_and_log_det(&[0.0, 0.0, 0.0])?;
    /// assert!(z.iter().all(|z| (z - 0.25).abs() < 1e-15));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Simplex {
        /// The number of elements.
        length: usize,
    },
    /// `z = softmax(u_0, .., u_(K-2), 0)`, `ln |dz / du| = ln z_0 + .. + ln z_(K-1)`: simplexes of `K` elements.
    ///
    /// # Shapes
    /// `K - 1` unconstrained numbers.
    ///
    /// # Source
    /// TFP `SoftmaxCentered`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::SoftmaxCentered { length: 2 }.forward_and_log_det(&[3.0_f64.ln()])?;
    /// assert!((z[0] - 0.75).abs() < 1e-15 && (log_det - (0.75 * 0.25_f64).ln()).abs() < 1e-15);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    SoftmaxCentered {
        /// The number of elements.
        length: usize,
    },
    /// `z_0 = u_0`, `z_k = z_(k-1) + e^u_k`, `ln |dz / du| = u_1 + u_2 + ..`: increasing vectors.
    ///
    /// # Source
    /// Stan Reference Manual, "Ordered vector"; TFP `Ascending`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::Ordered { length: 2 }.forward_and_log_det(&[5.0, 0.0])?;
    /// assert_eq!((z, log_det), (vec![5.0, 6.0], 0.0));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Ordered {
        /// The number of elements.
        length: usize,
    },
    /// `z_0 = e^u_0`, `z_k = z_(k-1) + e^u_k`, `ln |dz / du| = u_0 + u_1 + ..`: increasing vectors of positive elements.
    ///
    /// # Source
    /// Stan Reference Manual, "Positive ordered vector".
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::PositiveOrdered { length: 2 }.forward_and_log_det(&[0.0, 0.0])?;
    /// assert_eq!((z, log_det), (vec![1.0, 2.0], 0.0));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    PositiveOrdered {
        /// The number of elements.
        length: usize,
    },
    /// Cholesky factors of correlation matrices: lower triangular, rows of length one, a positive diagonal. With canonical partial
    /// correlations `w = tanh u`, along the rows below the diagonal, `z_ij = w_ij prod_(k<j) sqrt(1 - w_ik^2)`, where `w_ii = 1`;
    /// `ln |dz / du| = sum_(i>j) (1 + (i - 1 - j) / 2) ln(1 - w_ij^2)`.
    ///
    /// Beyond `|u|` of about 19 (9 in single precision) an element is all that is left of its row's length, to the last digit; the
    /// logarithm loses nothing.
    ///
    /// # Shapes
    /// `size * (size - 1) / 2` unconstrained numbers, `size * size` elements, those above the diagonal exactly zero.
    ///
    /// # Source
    /// Stan Reference Manual, "Cholesky factors of correlation matrices"; TFP `CorrelationCholesky` (which divides instead).
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// // tanh u = 0.6, and sqrt(1 - 0.6^2) = 0.8.
    /// let (z, log_det) = Bijector::CorrelationCholesky { size: 2 }.forward_and_log_det(&[0.6_f64.atanh()])?;
    /// assert_eq!(z[..2], [1.0, 0.0]);
    /// assert!((z[2] - 0.6).abs() < 1e-15 && (z[3] - 0.8).abs() < 1e-15 && (log_det - 0.64_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    CorrelationCholesky {
        /// The rows and columns.
        size: usize,
    },
    /// Correlation matrices: `z = L L^T` of a [`Bijector::CorrelationCholesky`];
    /// `ln |dz / du| = sum_(i>j) (1 + (size - 2 - j) / 2) ln(1 - w_ij^2)`.
    ///
    /// Beyond `|u|` of about 19 (9 in single precision) correlations round to one, and the matrix is positive definite no more.
    ///
    /// # Shapes
    /// `size * (size - 1) / 2` unconstrained numbers, `size * size` elements.
    ///
    /// # Source
    /// Stan Reference Manual, "Correlation matrices"; Lewandowski, Kurowicka & Joe (2009).
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, _) = Bijector::Correlation { size: 2 }.forward_and_log_det(&[0.6_f64.atanh()])?;
    /// assert!(z[0] == 1.0 && z[3] == 1.0 && z[1] == z[2] && (z[1] - 0.6).abs() < 1e-15);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Correlation {
        /// The rows and columns.
        size: usize,
    },
    /// Cholesky factors of covariance matrices: lower triangular with a positive diagonal. Along the rows of the lower triangle,
    /// `z_ii = e^u_ii`, `z_ij = u_ij`; `ln |dz / du| = sum u_ii`.
    ///
    /// # Shapes
    /// `size * (size + 1) / 2` unconstrained numbers, `size * size` elements, those above the diagonal exactly zero.
    ///
    /// # Source
    /// Stan Reference Manual, "Cholesky factors of covariance matrices"; TFP `FillScaleTriL(diag_bijector=Exp())` (in another order).
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::CovarianceCholesky { size: 2 }.forward_and_log_det(&[0.0, 7.0, 0.0])?;
    /// assert_eq!((z, log_det), (vec![1.0, 0.0, 7.0, 1.0], 0.0));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    CovarianceCholesky {
        /// The rows and columns.
        size: usize,
    },
    /// Covariance matrices, symmetric and positive definite: `z = L L^T` of a [`Bijector::CovarianceCholesky`];
    /// `ln |dz / du| = size ln 2 + sum (size + 1 - i) u_ii`, `i` counted from zero.
    ///
    /// The squares of the diagonal overflow beyond `u` of 354 (44 in single precision).
    ///
    /// # Shapes
    /// `size * (size + 1) / 2` unconstrained numbers, `size * size` elements.
    ///
    /// # Source
    /// Stan Reference Manual, "Covariance matrices"; TFP `CholeskyOuterProduct`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, log_det) = Bijector::Covariance { size: 2 }.forward_and_log_det(&[0.0, 7.0, 0.0])?;
    /// assert_eq!((z, log_det), (vec![1.0, 7.0, 7.0, 50.0], 4.0_f64.ln()));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Covariance {
        /// The rows and columns.
        size: usize,
    },
    /// `z_i = u_(order_i)`, `ln |dz / du| = 0`: vectors in another order. Made by [`Bijector::permutation`].
    ///
    /// # Source
    /// TFP `Permute`.
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// let (z, _) = Bijector::permutation(vec![2, 0, 1])?.forward_and_log_det(&[5.0, 6.0, 7.0])?;
    /// assert_eq!(z, [7.0, 5.0, 6.0]);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Permutation(Permutation),
    /// Bijectors one after the other, the first of them first. Made by [`Bijector::chain`]. Far out it is finite as long as each link
    /// is at what it is given.
    ///
    /// # Source
    /// TFP `Chain` (which applies the last first).
    ///
    /// # Examples
    /// ```
    /// # use ppl_core::bijectors::Bijector;
    /// // e^(2 u), of which the derivative is 2 e^(2 u).
    /// let chain = Bijector::chain(vec![Bijector::affine(0.0, 2.0)?, Bijector::Exp])?;
    /// assert_eq!(chain.forward_and_log_det(&[0.0])?, (vec![1.0], 2.0_f64.ln()));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    Chain(Chain),
}

impl Bijector {
    /// The map `z = loc + scale u`.
    ///
    /// # Errors
    /// [`BijectorError::Loc`], [`BijectorError::Scale`]: numbers that are not finite, a scale of zero.
    pub fn affine(loc: f64, scale: f64) -> Result<Self, BijectorError> {
        Affine::new(loc, scale).map(Bijector::Affine)
    }

    /// The map `z_i = u_(order_i)` of vectors as long as the order.
    ///
    /// # Errors
    /// [`BijectorError::RepeatedIndex`], [`BijectorError::IndexOutOfRange`].
    pub fn permutation(order: Vec<usize>) -> Result<Self, BijectorError> {
        Permutation::new(order).map(Bijector::Permutation)
    }

    /// Bijectors one after the other, the first of them first; of none, the identity.
    ///
    /// A link may take several events for one of its neighbour's: three ordered pairs are a vector of six.
    ///
    /// # Errors
    /// [`BijectorError::Link`]: lengths of events of which neither is a multiple of the other. [`BijectorError::Interval`],
    /// [`BijectorError::Bounds`]: bounds that hold nothing.
    pub fn chain(links: Vec<Bijector>) -> Result<Self, BijectorError> {
        Chain::new(links).map(Bijector::Chain)
    }
}
