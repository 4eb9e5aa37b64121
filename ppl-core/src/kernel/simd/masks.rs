//! Truth values of comparisons: bits of a mask register, or lanes of a vector register.
#![allow(clippy::wildcard_imports, reason = "intrinsics have names of their own")]

use std::arch::x86_64::*;
use std::ops::{BitAnd, BitOr, Not};

use crate::kernel::Mask;

/// A mask in mask registers.
macro_rules! bit_mask {
    ($name:ident, $bits:ty) => {
        #[derive(Clone, Copy, Debug)]
        pub(in crate::kernel) struct $name(pub(super) $bits);
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
        pub(in crate::kernel) struct $name(pub(super) $vector);
        binary! { $name: BitAnd, bitand, $and; BitOr, bitor, $or; }
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
