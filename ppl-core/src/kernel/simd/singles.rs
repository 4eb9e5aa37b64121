//! Lanes of singles; their special functions and sums are those of doubles.
#![allow(clippy::wildcard_imports, reason = "intrinsics have names of their own")]

use std::arch::x86_64::*;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::doubles::{F64x4, F64x8};
use super::masks::{Mask8Single, Mask16};
use crate::kernel::special::{exponential, tails};
use crate::kernel::{Lanes, Sum};

/// Sixteen singles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F32x16(__m512);
/// Eight singles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F32x8(__m256);

operators!(F32x16, _mm512_set1_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_xor_ps);
operators!(F32x8, _mm256_set1_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps, _mm256_xor_ps);

/// Functions of singles that are compiled once, in doubles, half a vector at a time.
macro_rules! once_in_doubles {
    ($half:ident, $narrow:ident, $widen:ident $(, $name:ident($($x:ident),*) -> $results:literal)*) => {
        $(
            #[inline(always)]
            fn $name($($x: Self),*) -> [Self; $results] {
                $(let $x = $widen($x);)*
                let (low, high) = ($half::$name($($x.0),*), $half::$name($($x.1),*));
                let mut all = [Self::zero(); $results];
                for i in 0..$results {
                    all[i] = $narrow(low[i], high[i]);
                }
                all
            }
        )*
    };
}

/// Single-precision functions computed in doubles, half a vector at a time.
macro_rules! single_functions {
    ($half:ident, $narrow:ident, $widen:ident) => {
        single_functions! { @of $half, $narrow, $widen:
            exp, exp_m1, ln, ln_1p, sin, cos, atan, tanh, sigmoid, logit, softplus, erf, normal_cdf, trigamma, ln_factorial;
            lgamma_and_digamma, sin_cos, ln_normal_cdf_and_slope, ln_normal_tails
        }
    };
    (@of $half:ident, $narrow:ident, $widen:ident: $($name:ident),*; $($pair:ident),*) => {
        $(
            #[inline(always)]
            fn $name(self) -> Self {
                let (low, high): ($half, $half) = $widen(self);
                $narrow(low.$name(), high.$name())
            }
        )*
        $(
            #[inline(always)]
            fn $pair(self) -> (Self, Self) {
                let (low, high): ($half, $half) = $widen(self);
                let ((a, c), (b, d)) = (low.$pair(), high.$pair());
                ($narrow(a, b), $narrow(c, d))
            }
        )*
        #[inline(always)]
        fn powf(self, exponent: Self) -> Self {
            let ((a, b), (c, d)): (($half, $half), ($half, $half)) = ($widen(self), $widen(exponent));
            $narrow(a.powf(c), b.powf(d))
        }
        #[inline(always)]
        fn powi(self, exponent: i32) -> Self {
            exponential::powi(self, exponent)
        }
    };
}

#[inline(always)]
fn widen16(x: F32x16) -> (F64x8, F64x8) {
    unsafe {
        let high = _mm512_extractf32x8_ps::<1>(x.0);
        (F64x8(_mm512_cvtps_pd(_mm512_castps512_ps256(x.0))), F64x8(_mm512_cvtps_pd(high)))
    }
}

#[inline(always)]
fn narrow16(low: F64x8, high: F64x8) -> F32x16 {
    unsafe {
        let low = _mm512_castps256_ps512(_mm512_cvtpd_ps(low.0));
        F32x16(_mm512_insertf32x8::<1>(low, _mm512_cvtpd_ps(high.0)))
    }
}

#[inline(always)]
fn widen8(x: F32x8) -> (F64x4, F64x4) {
    unsafe {
        let high = _mm256_extractf128_ps::<1>(x.0);
        (F64x4(_mm256_cvtps_pd(_mm256_castps256_ps128(x.0))), F64x4(_mm256_cvtps_pd(high)))
    }
}

#[inline(always)]
fn narrow8(low: F64x4, high: F64x4) -> F32x8 {
    unsafe { F32x8(_mm256_set_m128(_mm256_cvtpd_ps(high.0), _mm256_cvtpd_ps(low.0))) }
}

impl Lanes for F32x16 {
    common!(
        f32,
        Mask16,
        SingleSum<F64x8>,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_sqrt_ps,
        _mm512_min_ps,
        _mm512_max_ps
    );
    compare_bits!(_mm512_cmp_ps_mask, _mm512_mask_blend_ps, Mask16, _mm512_abs_ps);
    single_functions!(F64x8, narrow16, widen16);
    tails!(once_in_doubles(F64x8, narrow16, widen16));
}

impl Lanes for F32x8 {
    common!(
        f32,
        Mask8Single,
        SingleSum<F64x4>,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_sqrt_ps,
        _mm256_min_ps,
        _mm256_max_ps
    );
    compare_vectors!(_mm256_cmp_ps, _mm256_blendv_ps, Mask8Single, _mm256_andnot_ps, _mm256_set1_ps);
    single_functions!(F64x4, narrow8, widen8);
    tails!(once_in_doubles(F64x4, narrow8, widen8));
}

/// A sum of singles, kept in two vectors of doubles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct SingleSum<D> {
    low: D,
    high: D,
}

macro_rules! single_sum {
    ($single:ident, $double:ident, $widen:ident, $narrow:ident) => {
        impl AddAssign<$single> for SingleSum<$double> {
            #[inline(always)]
            fn add_assign(&mut self, x: $single) {
                let (low, high) = $widen(x);
                self.low += low;
                self.high += high;
            }
        }
        impl SubAssign<$single> for SingleSum<$double> {
            #[inline(always)]
            fn sub_assign(&mut self, x: $single) {
                let (low, high) = $widen(x);
                self.low -= low;
                self.high -= high;
            }
        }
        impl Sum<$single> for SingleSum<$double> {
            #[inline(always)]
            fn zero() -> Self {
                SingleSum { low: Lanes::zero(), high: Lanes::zero() }
            }
            #[inline(always)]
            fn add_product(&mut self, a: $single, b: $single) {
                *self += a * b;
            }
            #[inline(always)]
            fn join(&mut self, other: Self) {
                self.low += other.low;
                self.high += other.high;
            }
            #[inline(always)]
            fn scale(self, weight: $single) -> Self {
                let (low, high) = $widen(weight);
                SingleSum { low: self.low * low, high: self.high * high }
            }
            #[inline(always)]
            fn value(self) -> $single {
                $narrow(self.low, self.high)
            }
            #[inline(always)]
            fn add_to(self, to: &mut [f64]) {
                self.low.add_to(to);
                self.high.add_to(&mut to[$double::WIDTH..]);
            }
        }
    };
}

single_sum!(F32x16, F64x8, widen16, narrow16);
single_sum!(F32x8, F64x4, widen8, narrow8);
