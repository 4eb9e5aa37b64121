//! Forward-mode derivatives: a value with its partials, for the functions that users write over [`Lanes`].

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::{Lanes, Sum, derivatives};

/// A value and its derivatives with respect to `K` variables.
///
/// # Examples
/// ```
/// use ppl_core::kernel::{Dual, Lanes};
/// let x = Dual::<f64, 1>::variable(3.0, 0);
/// let y = x * x;
/// assert_eq!((y.value, y.partials), (9.0, [6.0]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dual<V, const K: usize> {
    /// The value.
    pub value: V,
    /// The derivative with respect to each variable.
    pub partials: [V; K],
}

impl<V: Lanes, const K: usize> Dual<V, K> {
    /// Variable number `index`.
    #[inline(always)]
    #[must_use]
    pub fn variable(value: V, index: usize) -> Self {
        let mut partials = [V::zero(); K];
        partials[index] = V::constant(1.0);
        Dual { value, partials }
    }

    /// A value that depends on no variable.
    #[inline(always)]
    #[must_use]
    pub fn constant_of(value: V) -> Self {
        Dual { value, partials: [V::zero(); K] }
    }

    /// `f(self)`, of its value and its derivative.
    #[inline(always)]
    fn chain(self, value: V, derivative: V) -> Self {
        // A loop, not a closure, which would not be compiled for the instruction set of its caller.
        let mut partials = self.partials;
        let mut k = 0;
        while k < K {
            partials[k] = partials[k] * derivative;
            k += 1;
        }
        Dual { value, partials }
    }

    /// `f(self, other)`, of its value and its two derivatives.
    #[inline(always)]
    fn chain2(self, other: Self, value: V, derivatives: [V; 2]) -> Self {
        let mut partials = self.partials;
        let mut k = 0;
        while k < K {
            partials[k] = derivatives[0].mul_add(self.partials[k], derivatives[1] * other.partials[k]);
            k += 1;
        }
        Dual { value, partials }
    }
}

impl<V: Lanes, const K: usize> Add for Dual<V, K> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let one = V::constant(1.0);
        self.chain2(other, self.value + other.value, [one, one])
    }
}

impl<V: Lanes, const K: usize> Sub for Dual<V, K> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let one = V::constant(1.0);
        self.chain2(other, self.value - other.value, [one, -one])
    }
}

impl<V: Lanes, const K: usize> Mul for Dual<V, K> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.chain2(other, self.value * other.value, [other.value, self.value])
    }
}

impl<V: Lanes, const K: usize> Div for Dual<V, K> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let inverse = V::constant(1.0) / other.value;
        let value = self.value / other.value;
        self.chain2(other, value, [inverse, -(value * inverse)])
    }
}

impl<V: Lanes, const K: usize> Neg for Dual<V, K> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.chain(-self.value, V::constant(-1.0))
    }
}

impl<V: Lanes, const K: usize> AddAssign for Dual<V, K> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<V: Lanes, const K: usize> SubAssign for Dual<V, K> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<V: Lanes, const K: usize> Sum<Self> for Dual<V, K> {
    #[inline(always)]
    fn zero() -> Self {
        Lanes::zero()
    }
    #[inline(always)]
    fn add_product(&mut self, a: Self, b: Self) {
        *self += a * b;
    }
    #[inline(always)]
    fn join(&mut self, other: Self) {
        *self += other;
    }
    #[inline(always)]
    fn scale(self, weight: Self) -> Self {
        self * weight
    }
    #[inline(always)]
    fn value(self) -> Self {
        self
    }
    #[inline(always)]
    fn add_to(self, to: &mut [f64]) {
        let mut total = V::Sum::zero();
        total += self.value;
        total.add_to(to);
    }
}

/// A function of one argument, whose derivative is of the argument and the value.
macro_rules! unary {
    ($($name:ident => $derivative:ident),* $(,)?) => {
        $(
            #[inline(always)]
            fn $name(self) -> Self {
                let value = Lanes::$name(self.value);
                self.chain(value, derivatives::$derivative(self.value, value))
            }
        )*
    };
}

impl<V: Lanes, const K: usize> Lanes for Dual<V, K> {
    type Element = V::Element;
    type Mask = V::Mask;
    type Sum = Self;
    type Chunk = V::Chunk;
    const WIDTH: usize = V::WIDTH;

    #[inline(always)]
    fn splat(x: V::Element) -> Self {
        Self::constant_of(V::splat(x))
    }
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Self::constant_of(V::constant(x))
    }
    #[inline(always)]
    fn load(from: &[V::Element]) -> Self {
        Self::constant_of(V::load(from))
    }
    #[inline(always)]
    fn chunks(of: &[V::Element]) -> &[V::Chunk] {
        V::chunks(of)
    }
    #[inline(always)]
    fn chunks_mut(of: &mut [V::Element]) -> &mut [V::Chunk] {
        V::chunks_mut(of)
    }
    #[inline(always)]
    fn from_chunk(chunk: &V::Chunk) -> Self {
        Self::constant_of(V::from_chunk(chunk))
    }
    #[inline(always)]
    fn to_chunk(self, chunk: &mut V::Chunk) {
        self.value.to_chunk(chunk);
    }
    #[inline(always)]
    fn store(self, to: &mut [V::Element]) {
        self.value.store(to);
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        self * factor + addend
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        let value = self.value.min(other.value);
        self.chain2(other, value, derivatives::min(self.value, other.value, value))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        let value = self.value.max(other.value);
        self.chain2(other, value, derivatives::max(self.value, other.value, value))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> V::Mask {
        self.value.lt(other.value)
    }
    #[inline(always)]
    fn le(self, other: Self) -> V::Mask {
        self.value.le(other.value)
    }
    #[inline(always)]
    fn eq(self, other: Self) -> V::Mask {
        self.value.eq(other.value)
    }
    #[inline(always)]
    fn select(mask: V::Mask, if_true: Self, if_false: Self) -> Self {
        let mut partials = if_true.partials;
        let mut k = 0;
        while k < K {
            partials[k] = V::select(mask, if_true.partials[k], if_false.partials[k]);
            k += 1;
        }
        Dual { value: V::select(mask, if_true.value, if_false.value), partials }
    }
    unary! {
        abs => abs, sqrt => sqrt, exp => exp, exp_m1 => expm1, ln => ln, ln_1p => log1p, sin => sin, cos => cos,
        atan => atan, tanh => tanh, sigmoid => sigmoid, logit => logit, softplus => softplus, erf => erf,
        normal_cdf => normal_cdf, trigamma => trigamma,
    }
    #[inline(always)]
    fn ln_normal_cdf_and_slope(self) -> (Self, Self) {
        let (value, slope) = self.value.ln_normal_cdf_and_slope();
        // The inverse Mills ratio falls by itself times itself and the number.
        (self.chain(value, slope), self.chain(slope, -(slope * (self.value + slope))))
    }
    #[inline(always)]
    fn lgamma_and_digamma(self) -> (Self, Self) {
        let (lgamma, digamma) = self.value.lgamma_and_digamma();
        (self.chain(lgamma, digamma), self.chain(digamma, self.value.trigamma()))
    }
    #[inline(always)]
    fn powi(self, exponent: i32) -> Self {
        let below = if exponent == 0 { V::zero() } else { self.value.powi(exponent - 1) };
        self.chain(self.value.powi(exponent), V::constant(f64::from(exponent)) * below)
    }
    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        let value = self.value.powf(exponent.value);
        self.chain2(exponent, value, derivatives::powf(self.value, exponent.value, value))
    }
}
