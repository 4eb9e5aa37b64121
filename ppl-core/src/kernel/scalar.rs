//! Lanes of width one: `f64` and `f32`.

use super::{Lanes, Mask, Real, Sum};

impl Real for f64 {
    const LANE_MULTIPLE: usize = 8;
    fn from_f64(x: f64) -> Self { x }
    fn to_f64(self) -> f64 { self }
}
impl Mask for bool { fn any(self) -> bool { self } }
impl Sum<f64> for f64 {
    fn zero() -> Self { 0.0 }
    #[inline(always)]
    fn add_product(&mut self, a: f64, b: f64) { *self = a.mul_add(b, *self); }
    fn value(self) -> f64 { self }
    fn add_to(self, to: &mut [f64]) { to[0] += self; }
}
impl Lanes for f64 {
    type Element = f64;
    type Mask = bool;
    type Sum = f64;
    const WIDTH: usize = 1;
    #[inline(always)]
    fn splat(x: f64) -> f64 { x }
    #[inline(always)]
    fn constant(x: f64) -> f64 { x }
    #[inline(always)]
    fn load(from: &[f64]) -> f64 { from[0] }
    #[inline(always)]
    fn store(self, to: &mut [f64]) { to[0] = self; }
    #[inline(always)]
    fn mul_add(self, b: f64, c: f64) -> f64 { self * b + c }
    fn abs(self) -> f64 { f64::abs(self) }
    fn sqrt(self) -> f64 { f64::sqrt(self) }
    fn min(self, o: f64) -> f64 { f64::min(self, o) }
    fn max(self, o: f64) -> f64 { f64::max(self, o) }
    fn lt(self, o: f64) -> bool { self < o }
    fn le(self, o: f64) -> bool { self <= o }
    fn eq(self, o: f64) -> bool { self == o }
    fn select(m: bool, a: f64, b: f64) -> f64 { if m { a } else { b } }
    fn exp(self) -> f64 { f64::exp(self) }
    fn exp_m1(self) -> f64 { f64::exp_m1(self) }
    fn ln(self) -> f64 { f64::ln(self) }
    fn ln_1p(self) -> f64 { f64::ln_1p(self) }
    fn powi(self, k: i32) -> f64 { f64::powi(self, k) }
    fn powf(self, e: f64) -> f64 { f64::powf(self, e) }
    fn sin(self) -> f64 { f64::sin(self) }
    fn cos(self) -> f64 { f64::cos(self) }
    fn atan(self) -> f64 { f64::atan(self) }
    fn tanh(self) -> f64 { f64::tanh(self) }
    fn sigmoid(self) -> f64 { 1.0 / (1.0 + f64::exp(-self)) }
    fn logit(self) -> f64 { (self / (1.0 - self)).ln() }
    fn softplus(self) -> f64 { f64::max(self, 0.0) + f64::ln_1p(f64::exp(-f64::abs(self))) }
    fn erf(self) -> f64 { 0.0 }
    fn normal_cdf(self) -> f64 { 0.0 }
    fn ln_normal_cdf(self) -> f64 { 0.0 }
    fn lgamma(self) -> f64 { 0.0 }
    fn digamma(self) -> f64 { 0.0 }
    fn trigamma(self) -> f64 { 0.0 }
}
