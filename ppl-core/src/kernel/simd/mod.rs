//! Lanes over the vector registers of x86-64: AVX-512 and AVX2 with FMA, doubles and singles.
//!
//! Safety of every `unsafe` here: the types are private to [`crate::kernel`], and the only place that names them is
//! [`super::dispatch`], which runs a kernel with them only after the processor was seen to have the instruction set. The
//! intrinsics have no other requirement; loads and stores go through slices whose length is checked first, and what is
//! gathered from a table is looked up for whole numbers below its length alone.
#![allow(unsafe_code)]

/// Operators of two that are an intrinsic each.
macro_rules! binary {
    ($name:ident: $($operator:ident, $method:ident, $intrinsic:ident;)*) => {
        $(
            impl $operator for $name {
                type Output = Self;
                #[inline(always)]
                fn $method(self, other: Self) -> Self {
                    Self(unsafe { $intrinsic(self.0, other.0) })
                }
            }
        )*
    };
}

/// Arithmetic.
macro_rules! operators {
    ($name:ident, $set1:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $xor:ident) => {
        binary! { $name: Add, add, $add; Sub, sub, $sub; Mul, mul, $mul; Div, div, $div; }
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(unsafe { $xor(self.0, $set1(-0.0)) })
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

pub(super) mod doubles;
mod masks;
pub(super) mod singles;
