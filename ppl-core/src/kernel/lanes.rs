//! The lane traits: one value per Monte Carlo sample, as wide as the instruction set makes it.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, Neg, Not, Sub, SubAssign};

use super::special;

/// An element type of a model: `f64`, or `f32`.
pub trait Real:
    Lanes<Element = Self>
    + super::Vectorized
    + super::Stored
    + crate::instances::Instances
    + Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
{
    /// The number of Monte Carlo samples is a multiple of this: the widest lane of any instruction set.
    const LANE_MULTIPLE: usize;
    /// The nearest element to a double.
    fn from_f64(x: f64) -> Self;
    /// This element as a double, exactly.
    fn to_f64(self) -> f64;
}

/// One truth value per lane.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// Whether any lane is true.
    fn any(self) -> bool;
}

/// A running sum over rows, kept in double precision whatever the element is.
pub trait Sum<V: Lanes>: Copy + AddAssign<V> + SubAssign<V> {
    /// The empty sum.
    fn zero() -> Self;
    /// Adds `a * b`, fused for doubles.
    fn add_product(&mut self, a: V, b: V);
    /// Adds another sum.
    fn join(&mut self, other: Self);
    /// The sum times a weight.
    fn scale(self, weight: V) -> Self;
    /// The sum as lanes of the element.
    fn value(self) -> V;
    /// Adds the sum, lane by lane, to the first [`Lanes::WIDTH`] of `to`.
    fn add_to(self, to: &mut [f64]);
}

/// A value per Monte Carlo sample, with arithmetic and the special functions of the language.
///
/// Kernels, densities and users' own functions are written once over this trait and compiled for every instruction set.
/// `f64` and `f32` are lanes of width one; [`crate::kernel::Dual`] carries derivatives.
pub trait Lanes:
    Copy + Debug + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self> + 'static
{
    /// The number in each lane.
    type Element: Real;
    /// The truth values of comparisons.
    type Mask: Mask;
    /// A running sum over rows.
    type Sum: Sum<Self>;
    /// [`Lanes::WIDTH`] elements in memory: read and written with one check of bounds.
    type Chunk: Copy + Debug;
    /// How many lanes.
    const WIDTH: usize;

    /// The same element in every lane.
    fn splat(x: Self::Element) -> Self;
    /// The same literal in every lane.
    fn constant(x: f64) -> Self;
    /// Zero in every lane.
    #[inline(always)]
    fn zero() -> Self {
        Self::constant(0.0)
    }
    /// The first [`Lanes::WIDTH`] elements of a slice.
    fn load(from: &[Self::Element]) -> Self;
    /// Writes the lanes to the start of a slice.
    fn store(self, to: &mut [Self::Element]);
    /// A slice as whole lanes; what is left over at its end is not among them.
    fn chunks(of: &[Self::Element]) -> &[Self::Chunk];
    /// A slice as whole lanes, to be written.
    fn chunks_mut(of: &mut [Self::Element]) -> &mut [Self::Chunk];
    /// The lanes of a chunk.
    fn from_chunk(chunk: &Self::Chunk) -> Self;
    /// Writes the lanes to a chunk.
    fn to_chunk(self, chunk: &mut Self::Chunk);

    /// `self * factor + addend`, fused where the hardware can.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The smaller of two; the second one if either is `NaN`.
    fn min(self, other: Self) -> Self;
    /// The larger of two; the second one if either is `NaN`.
    fn max(self, other: Self) -> Self;
    /// Where `self < other`.
    fn lt(self, other: Self) -> Self::Mask;
    /// Where `self <= other`.
    fn le(self, other: Self) -> Self::Mask;
    /// Where `self == other`.
    fn eq(self, other: Self) -> Self::Mask;
    /// `if_true` where the mask holds, else `if_false`.
    fn select(mask: Self::Mask, if_true: Self, if_false: Self) -> Self;

    /// `e^self`, to 2e-16.
    fn exp(self) -> Self;
    /// `e^self - 1`, without loss near zero.
    fn exp_m1(self) -> Self;
    /// The natural logarithm, to 2e-16; of zero `-inf`, of a negative `NaN`.
    fn ln(self) -> Self;
    /// `ln(1 + self)`, without loss near zero.
    fn ln_1p(self) -> Self;
    /// `self^exponent` for a whole exponent.
    fn powi(self, exponent: i32) -> Self;
    /// `self^exponent` for a non-negative base.
    fn powf(self, exponent: Self) -> Self;
    /// The sine.
    fn sin(self) -> Self;
    /// The cosine.
    fn cos(self) -> Self;
    /// Sine and cosine for the price of one.
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }
    /// The arc tangent.
    fn atan(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// `1 / (1 + e^-self)`.
    fn sigmoid(self) -> Self;
    /// `ln(self / (1 - self))`.
    fn logit(self) -> Self;
    /// `ln(1 + e^self)`, without overflow.
    fn softplus(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// The standard normal cumulative distribution function.
    fn normal_cdf(self) -> Self;
    /// The logarithm of the standard normal cumulative distribution function, accurate far into the lower tail.
    #[inline(always)]
    fn ln_normal_cdf(self) -> Self {
        self.ln_normal_cdf_and_slope().0
    }
    /// `ln_normal_cdf` and its derivative, the inverse Mills ratio, for little more than the price of one.
    fn ln_normal_cdf_and_slope(self) -> (Self, Self);
    /// `ln_normal_cdf` of the number and of its negative, for less than the price of both.
    #[inline(always)]
    fn ln_normal_tails(self) -> (Self, Self) {
        (self.ln_normal_cdf(), (-self).ln_normal_cdf())
    }
    /// `ln n!` of a whole number that is not negative; elsewhere `lgamma(self + 1)`.
    #[inline(always)]
    fn ln_factorial(self) -> Self {
        (self + Self::constant(1.0)).lgamma()
    }
    /// The logarithm of the gamma function of a positive number.
    #[inline(always)]
    fn lgamma(self) -> Self {
        self.lgamma_and_digamma().0
    }
    /// The derivative of `lgamma`.
    #[inline(always)]
    fn digamma(self) -> Self {
        self.lgamma_and_digamma().1
    }
    /// The derivative of `digamma`.
    fn trigamma(self) -> Self;
    /// `lgamma` and `digamma` for the price of one.
    fn lgamma_and_digamma(self) -> (Self, Self);
    /// `ln P(X <= x)`, `ln P(X > x)` and `d ln x / d shape` at constant probability, of a gamma variable of rate one: incomplete gamma functions.
    #[inline(always)]
    fn gamma_tails(shape: Self, x: Self) -> [Self; 3] {
        special::gamma_tails::tails(shape, x)
    }
    /// `ln P(X <= x)`, `ln P(X > x)` and the derivatives of `ln (x / (1 - x))` in `alpha` and `beta` at constant probability, of a beta variable; `rest` is
    /// `1 - x`, with its digits.
    #[inline(always)]
    fn beta_tails(alpha: Self, beta: Self, x: Self, rest: Self) -> [Self; 4] {
        special::beta_tails::tails(alpha, beta, x, rest)
    }
    /// `ln P(Z <= z)`, `ln P(Z > z)`, `ln P(|Z| <= |z|)` and `dz / d df` at constant probability, of Student's t distribution.
    #[inline(always)]
    fn student_tails(df: Self, z: Self) -> [Self; 4] {
        special::student_tails::tails(df, z)
    }
    /// `ln P(Z <= z)`, `ln P(Z > z)` and `dz / d shape` at constant probability, of the standard skew normal distribution.
    #[inline(always)]
    fn skew_normal_tails(shape: Self, z: Self) -> [Self; 3] {
        special::skew_normal_tails::tails(shape, z)
    }
}
