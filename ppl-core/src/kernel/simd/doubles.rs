//! Lanes of doubles.
#![allow(clippy::wildcard_imports, reason = "intrinsics have names of their own")]

use std::arch::x86_64::*;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::masks::{Mask4, Mask8};
use crate::kernel::special::factorial::{self, LN_FACTORIALS};
use crate::kernel::special::{self, Bits, exponential, logarithm, tails, trigonometric};
use crate::kernel::{Lanes, Mask, Sum};

/// Eight doubles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F64x8(pub(super) __m512d);
/// Four doubles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F64x4(pub(super) __m256d);

/// The special functions of doubles.
macro_rules! special_functions {
    () => {
        special_functions! { @inlined
            exp = exponential::exp;
            exp_m1 = exponential::exp_m1;
            ln = logarithm::ln;
            ln_1p = logarithm::ln_1p;
            tanh = exponential::tanh;
            sigmoid = exponential::sigmoid;
            logit = logarithm::logit;
        }
        #[inline(always)]
        fn softplus(self) -> Self {
            logarithm::softplus_and_sigmoid(self).0
        }
        #[inline(always)]
        fn powi(self, exponent: i32) -> Self {
            exponential::powi(self, exponent)
        }
        #[inline(always)]
        fn powf(self, exponent: Self) -> Self {
            logarithm::powf(self, exponent)
        }
        #[inline(always)]
        fn sin(self) -> Self {
            if trigonometric::is_far(self) { trigonometric::each(self, f64::sin) } else { trigonometric::sin_cos(self).0 }
        }
        #[inline(always)]
        fn cos(self) -> Self {
            if trigonometric::is_far(self) { trigonometric::each(self, f64::cos) } else { trigonometric::sin_cos(self).1 }
        }
        #[inline(always)]
        fn sin_cos(self) -> (Self, Self) {
            if trigonometric::is_far(self) { (self.sin(), self.cos()) } else { trigonometric::sin_cos(self) }
        }
        #[inline(always)]
        fn atan(self) -> Self {
            trigonometric::each(self, f64::atan)
        }
    };
    (@inlined $($name:ident = $path:path;)*) => {
        $(
            #[inline(always)]
            fn $name(self) -> Self {
                $path(self)
            }
        )*
    };
}

/// Functions that are compiled once for an instruction set, in this crate: a call costs less than their code wherever they are called. Those of one number only
/// in debug builds: where all is optimized, they are a tenth to a third faster inlined.
macro_rules! once {
    (@of_one $lanes:ident, $features:literal: $($name:ident = $path:path => $result:ty;)*) => {
        $(
            #[inline(always)]
            fn $name(self) -> $result {
                #[cfg(debug_assertions)]
                {
                    #[inline(never)]
                    #[target_feature(enable = $features)]
                    fn once(x: $lanes) -> $result {
                        $path(x)
                    }
                    // SAFETY: these lanes are in use where the processor has the instruction set.
                    unsafe { once(self) }
                }
                #[cfg(not(debug_assertions))]
                $path(self)
            }
        )*
    };
    ($lanes:ident, $features:literal $(, $name:ident($($x:ident),*) -> $results:literal)*) => {
        once! { @of_one $lanes, $features:
            erf = special::error_function::erf => $lanes;
            normal_cdf = special::error_function::normal_cdf => $lanes;
            ln_normal_cdf_and_slope = special::error_function::ln_normal_cdf_and_slope => ($lanes, $lanes);
            ln_normal_tails = special::error_function::ln_normal_tails => ($lanes, $lanes);
            trigamma = special::gamma::trigamma => $lanes;
            lgamma_and_digamma = special::gamma::lgamma_and_digamma => ($lanes, $lanes);
        }
        $(
            #[inline(always)]
            fn $name($($x: Self),*) -> [Self; $results] {
                #[inline(never)]
                #[target_feature(enable = $features)]
                fn once($($x: $lanes),*) -> [$lanes; $results] {
                    special::$name::tails($($x),*)
                }
                // SAFETY: these lanes are in use where the processor has the instruction set.
                unsafe { once($($x),*) }
            }
        )*
    };
}

/// Factorials of whole numbers are looked up.
macro_rules! table_of_factorials {
    ($lanes:ident, $features:literal, |$n:ident| $gather:expr) => {
        #[inline(always)]
        fn ln_factorial(self) -> Self {
            #[cold]
            #[inline(never)]
            #[target_feature(enable = $features)]
            fn beyond(n: $lanes) -> $lanes {
                (n + $lanes::constant(1.0)).lgamma()
            }
            if (!is_in_table(self)).any() {
                // SAFETY: these lanes are in use where the processor has the instruction set.
                return unsafe { beyond(self) };
            }
            let $n = self.0;
            // SAFETY: as above, and every lane is a whole number of the table.
            Self(unsafe { $gather })
        }
    };
}

/// A sum of doubles is kept in the lanes themselves.
macro_rules! double_sum {
    ($name:ident) => {
        impl Sum<$name> for $name {
            #[inline(always)]
            fn zero() -> Self {
                Lanes::zero()
            }
            #[inline(always)]
            fn add_product(&mut self, a: $name, b: $name) {
                *self = a.mul_add(b, *self);
            }
            #[inline(always)]
            fn join(&mut self, other: Self) {
                *self += other;
            }
            #[inline(always)]
            fn scale(self, weight: $name) -> Self {
                self * weight
            }
            #[inline(always)]
            fn value(self) -> $name {
                self
            }
            #[inline(always)]
            fn add_to(self, to: &mut [f64]) {
                (Self::load(to) + self).store(to);
            }
        }
    };
}

operators!(F64x8, _mm512_set1_pd, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_div_pd, _mm512_xor_pd);
operators!(F64x4, _mm256_set1_pd, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_div_pd, _mm256_xor_pd);
double_sum!(F64x8);
double_sum!(F64x4);

impl Lanes for F64x8 {
    common!(
        f64,
        Mask8,
        Self,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_fmadd_pd,
        _mm512_sqrt_pd,
        _mm512_min_pd,
        _mm512_max_pd
    );
    compare_bits!(_mm512_cmp_pd_mask, _mm512_mask_blend_pd, Mask8, _mm512_abs_pd);
    special_functions!();
    table_of_factorials!(F64x8, "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi2", |n| _mm512_i32gather_pd::<8>(
        _mm512_cvttpd_epi32(n),
        LN_FACTORIALS.as_ptr()
    ));
    tails!(once(F64x8, "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi2"));
}

impl Lanes for F64x4 {
    common!(
        f64,
        Mask4,
        Self,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_fmadd_pd,
        _mm256_sqrt_pd,
        _mm256_min_pd,
        _mm256_max_pd
    );
    compare_vectors!(_mm256_cmp_pd, _mm256_blendv_pd, Mask4, _mm256_andnot_pd, _mm256_set1_pd);
    special_functions!();
    table_of_factorials!(F64x4, "avx2,fma,bmi2", |n| _mm256_i32gather_pd::<8>(LN_FACTORIALS.as_ptr(), _mm256_cvttpd_epi32(n)));
    tails!(once(F64x4, "avx2,fma,bmi2"));
}

/// Where a number is whole and has a factorial in the table.
#[inline(always)]
fn is_in_table<V: Bits>(n: V) -> V::Mask {
    V::zero().le(n) & n.lt(V::constant(factorial::LEN as f64)) & n.eq(n.round())
}

impl Bits for F64x8 {
    #[inline(always)]
    fn round(self) -> Self {
        Self(unsafe { _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, k: Self) -> Self {
        Self(unsafe { _mm512_scalef_pd(self.0, k.0) })
    }
    #[inline(always)]
    fn exponent_and_mantissa(self) -> (Self, Self) {
        unsafe {
            let mantissa = _mm512_getmant_pd::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_NAN>(self.0);
            (Self(_mm512_getexp_pd(self.0)), Self(mantissa))
        }
    }
}

impl Bits for F64x4 {
    #[inline(always)]
    fn round(self) -> Self {
        Self(unsafe { _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, k: Self) -> Self {
        // In two steps, each a normal power: the result may be subnormal or infinite.
        let half = (k * Self::constant(0.5)).round();
        self * power_of_two(half) * power_of_two(k - half)
    }
    #[inline(always)]
    fn exponent_and_mantissa(self) -> (Self, Self) {
        unsafe {
            let (zero, infinity) = (Self::constant(0.0), Self::constant(f64::INFINITY));
            // Times 2^54, what is subnormal is normal.
            let is_subnormal = self.lt(Self::constant(f64::MIN_POSITIVE));
            let normal = Self::select(is_subnormal, self * Self::constant(18_014_398_509_481_984.0), self);
            let bits = _mm256_castpd_si256(normal.0);
            let biased = _mm256_srli_epi64::<52>(bits);
            // As a double: the bits of 2^52 + biased, less 2^52 and the bias.
            let magic = _mm256_set1_epi64x(0x4330_0000_0000_0000);
            let exponent = _mm256_sub_pd(
                _mm256_castsi256_pd(_mm256_or_si256(biased, magic)),
                _mm256_set1_pd(4_503_599_627_370_496.0 + 1023.0),
            );
            let fraction = _mm256_and_si256(bits, _mm256_set1_epi64x(0x000f_ffff_ffff_ffff));
            let mantissa = _mm256_or_si256(fraction, _mm256_set1_epi64x(0x3ff0_0000_0000_0000));
            let exponent = Self(exponent) - Self::select(is_subnormal, Self::constant(54.0), zero);
            let exponent = Self::select(self.eq(zero), -infinity, Self::select(self.eq(infinity), infinity, exponent));
            let mantissa = Self::select(zero.le(self), Self(_mm256_castsi256_pd(mantissa)), Self::constant(f64::NAN));
            (exponent, mantissa)
        }
    }
}

/// `2^k` for a whole `k` between -1022 and 1023.
#[inline(always)]
fn power_of_two(k: F64x4) -> F64x4 {
    unsafe {
        // The whole number in the low bits of the mantissa of 1.5 2^52 + k, moved to the exponent.
        let shifted = _mm256_add_pd(k.0, _mm256_set1_pd(6_755_399_441_055_744.0 + 1023.0));
        F64x4(_mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(shifted))))
    }
}
