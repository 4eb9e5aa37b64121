//! Lanes over the vector registers of x86-64: AVX-512 and AVX2 with FMA, doubles and singles.
//!
//! Safety of every `unsafe` here: the types are private to [`crate::kernel`], and the only place that names them is
//! [`super::dispatch`], which runs a kernel with them only after the processor was seen to have the instruction set. The
//! intrinsics have no other requirement; loads and stores go through slices whose length is checked first.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, __m256d, __m512, __m512d, __mmask8, __mmask16, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC,
    _MM_FROUND_TO_NEAREST_INT, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_ZERO, _mm256_add_pd, _mm256_add_ps, _mm256_and_pd, _mm256_and_ps,
    _mm256_and_si256, _mm256_andnot_pd, _mm256_andnot_ps, _mm256_blendv_pd, _mm256_blendv_ps, _mm256_castpd_si256,
    _mm256_castps256_ps128, _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmp_pd, _mm256_cmp_ps, _mm256_cvtpd_ps,
    _mm256_cvtps_pd, _mm256_div_pd, _mm256_div_ps, _mm256_extractf128_ps, _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd,
    _mm256_loadu_ps, _mm256_max_pd, _mm256_max_ps, _mm256_min_pd, _mm256_min_ps, _mm256_movemask_pd, _mm256_movemask_ps,
    _mm256_mul_pd, _mm256_mul_ps, _mm256_or_pd, _mm256_or_ps, _mm256_or_si256, _mm256_round_pd, _mm256_set_m128,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_pd, _mm256_set1_ps, _mm256_slli_epi64, _mm256_sqrt_pd, _mm256_sqrt_ps,
    _mm256_srli_epi64, _mm256_storeu_pd, _mm256_storeu_ps, _mm256_sub_pd, _mm256_sub_ps, _mm256_xor_pd, _mm256_xor_ps,
    _mm512_abs_pd, _mm512_abs_ps, _mm512_add_pd, _mm512_add_ps, _mm512_castps256_ps512, _mm512_castps512_ps256,
    _mm512_cmp_pd_mask, _mm512_cmp_ps_mask, _mm512_cvtpd_ps, _mm512_cvtps_pd, _mm512_div_pd, _mm512_div_ps,
    _mm512_extractf32x8_ps, _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_getexp_pd, _mm512_getmant_pd, _mm512_insertf32x8,
    _mm512_loadu_pd, _mm512_loadu_ps, _mm512_mask_blend_pd, _mm512_mask_blend_ps, _mm512_max_pd, _mm512_max_ps, _mm512_min_pd,
    _mm512_min_ps, _mm512_mul_pd, _mm512_mul_ps, _mm512_roundscale_pd, _mm512_scalef_pd, _mm512_set1_pd, _mm512_set1_ps,
    _mm512_sqrt_pd, _mm512_sqrt_ps, _mm512_storeu_pd, _mm512_storeu_ps, _mm512_sub_pd, _mm512_sub_ps, _mm512_xor_pd,
    _mm512_xor_ps,
};
use std::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, Neg, Not, Sub, SubAssign};

use super::special::{self, Bits, exponential, logarithm, tails, trigonometric};
use super::{Lanes, Mask, Sum};

/// A mask in mask registers.
macro_rules! bit_mask {
    ($name:ident, $bits:ty) => {
        #[derive(Clone, Copy, Debug)]
        pub(in crate::kernel) struct $name($bits);
        impl BitAnd for $name {
            type Output = Self;
            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }
        impl BitOr for $name {
            type Output = Self;
            #[inline(always)]
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
        impl Not for $name {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                Self(!self.0)
            }
        }
        impl Mask for $name {
            #[inline(always)]
            fn any(self) -> bool {
                self.0 != 0
            }
        }
    };
}

/// A mask in a vector register: all bits of a lane, or none.
macro_rules! vector_mask {
    ($name:ident, $vector:ty, $and:ident, $or:ident, $xor:ident, $ones:expr, $movemask:ident) => {
        #[derive(Clone, Copy, Debug)]
        pub(in crate::kernel) struct $name($vector);
        impl BitAnd for $name {
            type Output = Self;
            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                Self(unsafe { $and(self.0, other.0) })
            }
        }
        impl BitOr for $name {
            type Output = Self;
            #[inline(always)]
            fn bitor(self, other: Self) -> Self {
                Self(unsafe { $or(self.0, other.0) })
            }
        }
        impl Not for $name {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                Self(unsafe { $xor(self.0, $ones) })
            }
        }
        impl Mask for $name {
            #[inline(always)]
            fn any(self) -> bool {
                unsafe { $movemask(self.0) != 0 }
            }
        }
    };
}

bit_mask!(Mask8, __mmask8);
bit_mask!(Mask16, __mmask16);
vector_mask!(
    Mask4,
    __m256d,
    _mm256_and_pd,
    _mm256_or_pd,
    _mm256_xor_pd,
    _mm256_castsi256_pd(_mm256_set1_epi64x(-1)),
    _mm256_movemask_pd
);
vector_mask!(
    Mask8Single,
    __m256,
    _mm256_and_ps,
    _mm256_or_ps,
    _mm256_xor_ps,
    _mm256_castsi256_ps(_mm256_set1_epi32(-1)),
    _mm256_movemask_ps
);

macro_rules! operators {
    ($name:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $zero:ident) => {
        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(unsafe { $add(self.0, other.0) })
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(unsafe { $sub(self.0, other.0) })
            }
        }
        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(unsafe { $mul(self.0, other.0) })
            }
        }
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                Self(unsafe { $div(self.0, other.0) })
            }
        }
        impl AddAssign for $name {
            #[inline(always)]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl SubAssign for $name {
            #[inline(always)]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
    };
}

/// The lanes that differ between instruction sets by the names of intrinsics alone.
macro_rules! common {
    ($element:ty, $mask:ident, $sum:ty, $width:literal, $set1:ident, $loadu:ident, $storeu:ident, $fmadd:ident, $sqrt:ident, $min:ident, $max:ident) => {
        type Element = $element;
        type Mask = $mask;
        type Sum = $sum;
        type Chunk = [$element; $width];
        const WIDTH: usize = $width;

        #[inline(always)]
        fn splat(x: $element) -> Self {
            Self(unsafe { $set1(x) })
        }
        #[inline(always)]
        #[allow(clippy::cast_possible_truncation, reason = "literals are rounded to the element")]
        fn constant(x: f64) -> Self {
            Self(unsafe { $set1(x as $element) })
        }
        #[inline(always)]
        fn load(from: &[$element]) -> Self {
            let from = &from[..$width];
            Self(unsafe { $loadu(from.as_ptr()) })
        }
        #[inline(always)]
        fn chunks(of: &[$element]) -> &[[$element; $width]] {
            of.as_chunks().0
        }
        #[inline(always)]
        fn chunks_mut(of: &mut [$element]) -> &mut [[$element; $width]] {
            of.as_chunks_mut().0
        }
        #[inline(always)]
        fn from_chunk(chunk: &[$element; $width]) -> Self {
            Self(unsafe { $loadu(chunk.as_ptr()) })
        }
        #[inline(always)]
        fn to_chunk(self, chunk: &mut [$element; $width]) {
            unsafe { $storeu(chunk.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn store(self, to: &mut [$element]) {
            let to = &mut to[..$width];
            unsafe { $storeu(to.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, addend: Self) -> Self {
            Self(unsafe { $fmadd(self.0, factor.0, addend.0) })
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            Self(unsafe { $sqrt(self.0) })
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Self(unsafe { $min(self.0, other.0) })
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(unsafe { $max(self.0, other.0) })
        }
    };
}

/// Comparisons into mask registers.
macro_rules! compare_bits {
    ($cmp:ident, $blend:ident, $mask:ident, $abs:ident) => {
        #[inline(always)]
        fn abs(self) -> Self {
            Self(unsafe { $abs(self.0) })
        }
        #[inline(always)]
        fn lt(self, other: Self) -> $mask {
            $mask(unsafe { $cmp::<_CMP_LT_OQ>(self.0, other.0) })
        }
        #[inline(always)]
        fn le(self, other: Self) -> $mask {
            $mask(unsafe { $cmp::<_CMP_LE_OQ>(self.0, other.0) })
        }
        #[inline(always)]
        fn eq(self, other: Self) -> $mask {
            $mask(unsafe { $cmp::<_CMP_EQ_OQ>(self.0, other.0) })
        }
        #[inline(always)]
        fn select(mask: $mask, if_true: Self, if_false: Self) -> Self {
            Self(unsafe { $blend(mask.0, if_false.0, if_true.0) })
        }
    };
}

/// Comparisons into vector registers.
macro_rules! compare_vectors {
    ($cmp:ident, $blendv:ident, $mask:ident, $andnot:ident, $set1:ident) => {
        #[inline(always)]
        fn abs(self) -> Self {
            Self(unsafe { $andnot($set1(-0.0), self.0) })
        }
        #[inline(always)]
        fn lt(self, other: Self) -> $mask {
            $mask(unsafe { $cmp::<_CMP_LT_OQ>(self.0, other.0) })
        }
        #[inline(always)]
        fn le(self, other: Self) -> $mask {
            $mask(unsafe { $cmp::<_CMP_LE_OQ>(self.0, other.0) })
        }
        #[inline(always)]
        fn eq(self, other: Self) -> $mask {
            $mask(unsafe { $cmp::<_CMP_EQ_OQ>(self.0, other.0) })
        }
        #[inline(always)]
        fn select(mask: $mask, if_true: Self, if_false: Self) -> Self {
            Self(unsafe { $blendv(if_false.0, if_true.0, mask.0) })
        }
    };
}

/// The special functions of doubles.
macro_rules! special_functions {
    () => {
        #[inline(always)]
        fn exp(self) -> Self {
            exponential::exp(self)
        }
        #[inline(always)]
        fn exp_m1(self) -> Self {
            exponential::exp_m1(self)
        }
        #[inline(always)]
        fn ln(self) -> Self {
            logarithm::ln(self)
        }
        #[inline(always)]
        fn ln_1p(self) -> Self {
            logarithm::ln_1p(self)
        }
        #[inline(always)]
        fn tanh(self) -> Self {
            exponential::tanh(self)
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
            ln_normal_cdf = special::error_function::ln_normal_cdf => $lanes;
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

/// The special functions that are made of others.
macro_rules! composed_functions {
    () => {
        #[inline(always)]
        fn powi(self, exponent: i32) -> Self {
            $crate::kernel::special::exponential::powi(self, exponent)
        }
        #[inline(always)]
        fn powf(self, exponent: Self) -> Self {
            $crate::kernel::special::logarithm::powf(self, exponent)
        }
        #[inline(always)]
        fn sigmoid(self) -> Self {
            $crate::kernel::special::exponential::sigmoid(self)
        }
        #[inline(always)]
        fn softplus(self) -> Self {
            $crate::kernel::special::exponential::softplus(self)
        }
        #[inline(always)]
        fn logit(self) -> Self {
            $crate::kernel::special::logarithm::logit(self)
        }
        #[inline(always)]
        fn lgamma(self) -> Self {
            self.lgamma_and_digamma().0
        }
        #[inline(always)]
        fn digamma(self) -> Self {
            self.lgamma_and_digamma().1
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

/// Eight doubles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F64x8(__m512d);
/// Four doubles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F64x4(__m256d);
/// Sixteen singles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F32x16(__m512);
/// Eight singles.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct F32x8(__m256);

operators!(F64x8, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_div_pd, _mm512_setzero_pd);
operators!(F64x4, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_div_pd, _mm256_setzero_pd);
operators!(F32x16, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_setzero_ps);
operators!(F32x8, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps, _mm256_setzero_ps);
double_sum!(F64x8);
double_sum!(F64x4);

impl Neg for F64x8 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(unsafe { _mm512_xor_pd(self.0, _mm512_set1_pd(-0.0)) })
    }
}
impl Neg for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(unsafe { _mm256_xor_pd(self.0, _mm256_set1_pd(-0.0)) })
    }
}
impl Neg for F32x16 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(unsafe { _mm512_xor_ps(self.0, _mm512_set1_ps(-0.0)) })
    }
}
impl Neg for F32x8 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(unsafe { _mm256_xor_ps(self.0, _mm256_set1_ps(-0.0)) })
    }
}

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
    composed_functions!();
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
    composed_functions!();
    tails!(once(F64x4, "avx2,fma,bmi2"));
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
            let mantissa = _mm512_getmant_pd::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_ZERO>(self.0);
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
            let bits = _mm256_castpd_si256(self.0);
            let biased = _mm256_srli_epi64::<52>(bits);
            // As a double: the bits of 2^52 + biased, less 2^52 and the bias.
            let magic = _mm256_set1_epi64x(0x4330_0000_0000_0000);
            let exponent = _mm256_sub_pd(
                _mm256_castsi256_pd(_mm256_or_si256(biased, magic)),
                _mm256_set1_pd(4_503_599_627_370_496.0 + 1023.0),
            );
            let fraction = _mm256_and_si256(bits, _mm256_set1_epi64x(0x000f_ffff_ffff_ffff));
            let mantissa = _mm256_or_si256(fraction, _mm256_set1_epi64x(0x3ff0_0000_0000_0000));
            (Self(exponent), Self(_mm256_castsi256_pd(mantissa)))
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

/// Single-precision functions computed in doubles, half a vector at a time.
macro_rules! single_functions {
    ($half:ident, $narrow:expr, $widen:expr, $($name:ident),*) => {
        $(
            #[inline(always)]
            fn $name(self) -> Self {
                let (low, high): ($half, $half) = $widen(self);
                $narrow(low.$name(), high.$name())
            }
        )*
        #[inline(always)]
        fn lgamma_and_digamma(self) -> (Self, Self) {
            let (low, high): ($half, $half) = $widen(self);
            let ((a, c), (b, d)) = (low.lgamma_and_digamma(), high.lgamma_and_digamma());
            ($narrow(a, b), $narrow(c, d))
        }
        #[inline(always)]
        fn sin_cos(self) -> (Self, Self) {
            let (low, high): ($half, $half) = $widen(self);
            let ((a, c), (b, d)) = (low.sin_cos(), high.sin_cos());
            ($narrow(a, b), $narrow(c, d))
        }
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
    single_functions!(
        F64x8,
        narrow16,
        widen16,
        exp,
        exp_m1,
        ln,
        ln_1p,
        sin,
        cos,
        atan,
        tanh,
        sigmoid,
        logit,
        softplus,
        erf,
        normal_cdf,
        ln_normal_cdf,
        lgamma,
        digamma,
        trigamma
    );
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
    single_functions!(
        F64x4,
        narrow8,
        widen8,
        exp,
        exp_m1,
        ln,
        ln_1p,
        sin,
        cos,
        atan,
        tanh,
        sigmoid,
        logit,
        softplus,
        erf,
        normal_cdf,
        ln_normal_cdf,
        lgamma,
        digamma,
        trigamma
    );
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
