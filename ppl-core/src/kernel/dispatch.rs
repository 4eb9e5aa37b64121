//! Runs a kernel with the widest lanes that the processor has.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{Lanes, Real};

/// A computation that is written once over lanes.
pub trait Kernel<E: Real> {
    /// What it gives.
    type Output;
    /// Runs it; `#[inline(always)]`, so that it is compiled for the instruction set of its caller.
    fn run<V: Lanes<Element = E>>(self) -> Self::Output;
}

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimdLevel {
    /// One lane at a time.
    Portable = 1,
    /// AVX2 with FMA: four doubles.
    Avx2 = 2,
    /// AVX-512 (F, DQ, VL, BW): eight doubles.
    Avx512 = 3,
}

/// Whether kernels are compiled for AVX-512: not in debug builds, which are a third shorter for it; the tests of the lanes themselves are an exception.
const WITH_AVX512: bool = cfg!(any(test, not(debug_assertions)));

/// The instruction set in use: the best of the processor (in debug builds AVX2 at most), or less if `PPL_SIMD` says `avx2` or `portable`.
#[must_use]
#[inline]
pub fn simd_level() -> SimdLevel {
    static LEVEL: AtomicU8 = AtomicU8::new(0);
    match LEVEL.load(Ordering::Relaxed) {
        1 => SimdLevel::Portable,
        2 => SimdLevel::Avx2,
        3 => SimdLevel::Avx512,
        _ => {
            let wanted = match std::env::var("PPL_SIMD").as_deref() {
                Ok("portable") => SimdLevel::Portable,
                Ok("avx2") => SimdLevel::Avx2,
                _ => SimdLevel::Avx512,
            };
            let level = detect().min(wanted);
            LEVEL.store(level as u8, Ordering::Relaxed);
            level
        }
    }
}

fn detect() -> SimdLevel {
    #[cfg(target_arch = "x86_64")]
    {
        let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("bmi2");
        let has_avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw");
        if has_avx2 && has_avx512 && WITH_AVX512 {
            return SimdLevel::Avx512;
        }
        if has_avx2 {
            return SimdLevel::Avx2;
        }
    }
    SimdLevel::Portable
}

/// Runs a kernel with the widest lanes in use.
#[inline]
pub fn dispatch<E: Real, K: Kernel<E>>(kernel: K) -> K::Output {
    dispatch_at(simd_level(), kernel)
}

/// Runs a kernel at a level, or at the best that the processor has if that is less.
#[inline]
pub fn dispatch_at<E: Real, K: Kernel<E>>(level: SimdLevel, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        E::run_vectorized(level, kernel)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = level;
        kernel.run::<E>()
    }
}

/// What the processor has, looked up once.
#[cfg(target_arch = "x86_64")]
#[inline]
fn detected() -> SimdLevel {
    static DETECTED: AtomicU8 = AtomicU8::new(0);
    match DETECTED.load(Ordering::Relaxed) {
        1 => SimdLevel::Portable,
        2 => SimdLevel::Avx2,
        3 => SimdLevel::Avx512,
        _ => {
            let level = detect();
            DETECTED.store(level as u8, Ordering::Relaxed);
            level
        }
    }
}

/// An element with vector lanes: sealed, since running at a level needs the level to be there.
pub trait Vectorized: Sized {
    /// Runs a kernel at a level, or at the best that the processor has if that is less.
    #[doc(hidden)]
    #[cfg(target_arch = "x86_64")]
    fn run_vectorized<K: Kernel<Self>>(level: SimdLevel, kernel: K) -> K::Output
    where
        Self: Real;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code)]
    use super::super::simd::{doubles::F64x4, singles::F32x8};
    #[cfg(any(test, not(debug_assertions)))]
    use super::super::simd::{doubles::F64x8, singles::F32x16};
    use super::{Kernel, SimdLevel, Vectorized};

    macro_rules! vectorized {
        ($element:ty, $wide:ty, $narrow:ty) => {
            impl Vectorized for $element {
                #[inline]
                fn run_vectorized<K: Kernel<Self>>(level: SimdLevel, kernel: K) -> K::Output {
                    #[cfg(any(test, not(debug_assertions)))]
                    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi2")]
                    fn avx512<K: Kernel<$element>>(kernel: K) -> K::Output {
                        kernel.run::<$wide>()
                    }
                    #[target_feature(enable = "avx2,fma,bmi2")]
                    fn avx2<K: Kernel<$element>>(kernel: K) -> K::Output {
                        kernel.run::<$narrow>()
                    }
                    let level = level.min(super::detected());
                    match level {
                        // SAFETY: the processor has every feature that the function enables: `detected` saw them.
                        #[cfg(any(test, not(debug_assertions)))]
                        SimdLevel::Avx512 => unsafe { avx512(kernel) },
                        // SAFETY: as above.
                        #[cfg(any(test, not(debug_assertions)))]
                        SimdLevel::Avx2 => unsafe { avx2(kernel) },
                        // SAFETY: as above; without kernels for AVX-512, `detected` never sees it.
                        #[cfg(not(any(test, not(debug_assertions))))]
                        SimdLevel::Avx512 | SimdLevel::Avx2 => unsafe { avx2(kernel) },
                        SimdLevel::Portable => kernel.run::<$element>(),
                    }
                }
            }
        };
    }

    vectorized!(f64, F64x8, F64x4);
    vectorized!(f32, F32x16, F32x8);
}

#[cfg(not(target_arch = "x86_64"))]
impl Vectorized for f64 {}
#[cfg(not(target_arch = "x86_64"))]
impl Vectorized for f32 {}
