//! Counter-based noise: a key a step, a counter of element and lane, so that any thread gives the same bits.

use std::ops::Range;

use crate::kernel::{Kernel, Lanes, Real, dispatch};

/// A 64-bit hash of a key and a counter (the finalizer of `SplitMix64`, Steele, Lea & Flood 2014, twice).
#[inline(always)]
fn hash(key: u64, counter: u64) -> u64 {
    mix(mix(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(key)) ^ key)
}

#[inline(always)]
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The key of a step of a seed.
#[must_use]
pub fn step_key(seed: u64, step: u64) -> u64 {
    hash(mix(seed ^ 0x6a09_e667_f3bc_c908), step)
}

/// A uniform number strictly between zero and one.
#[must_use]
pub fn uniform(key: u64, counter: u64) -> f64 {
    ((hash(key, counter) >> 12) as f64 + 0.5) * 2.220_446_049_250_313e-16
}

/// 52 bits, centred in their cell: strictly between zero and one, also where that rounds to the nearest number of single precision.
fn unit<E: Real>(bits: u64) -> E {
    let below_one = if size_of::<E>() == 4 { 1.0 - f64::from(f32::EPSILON) / 2.0 } else { 1.0 };
    E::from_f64((((bits >> 12) as f64 + 0.5) * 2.220_446_049_250_313e-16).min(below_one))
}

/// Shuffles by a key: the same key gives the same order (Fisher & Yates).
pub(crate) fn shuffle(key: u64, rows: &mut [usize]) {
    for i in (1..rows.len()).rev() {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a uniform number below one times a length")]
        let other = (uniform(key, i as u64) * (i + 1) as f64) as usize;
        rows.swap(i, other.min(i));
    }
}

/// Standard normal noise, `[element][sample]`: the second half of the samples is the first with its signs changed
/// (antithetic pairs), so that its mean over samples is exactly zero.
pub fn antithetic_normals<E: Real>(key: u64, samples: usize, out: &mut [E]) {
    fill(key, samples, samples / 2, out);
}

/// Some samples of [`antithetic_normals`] of so many, all of one half: `[element][sample]`.
pub(crate) fn some_antithetic_normals<E: Real>(key: u64, samples: usize, some: Range<usize>, out: &mut [E]) {
    let (width, half) = (some.len(), samples / 2);
    let is_mirrored = some.start >= half;
    for (element, row) in out.chunks_exact_mut(width).enumerate() {
        for (x, sample) in row.iter_mut().zip(some.clone()) {
            *x = unit(hash(key, (element as u64) << 20 | (sample % half) as u64));
        }
    }
    dispatch(FromUniforms { half: width, samples: width, rows: out });
    if is_mirrored {
        out.iter_mut().for_each(|x| *x = -*x);
    }
}

/// Independent standard normal noise, `[element][sample]`.
pub fn normals<E: Real>(key: u64, samples: usize, out: &mut [E]) {
    fill(key, samples, samples, out);
}

/// Independent uniform noise strictly between zero and one, `[element][sample]`.
pub(crate) fn uniforms<E: Real>(key: u64, samples: usize, out: &mut [E]) {
    for (element, row) in out.chunks_exact_mut(samples).enumerate() {
        for (lane, x) in row.iter_mut().enumerate() {
            *x = unit(hash(key, (element as u64) << 20 | lane as u64));
        }
    }
}

/// Standard normal noise of the first `half` samples; what is left is theirs with its signs changed.
fn fill<E: Real>(key: u64, samples: usize, half: usize, out: &mut [E]) {
    for (element, row) in out.chunks_exact_mut(samples).enumerate() {
        for (lane, x) in row[..half].iter_mut().enumerate() {
            let counter = (element as u64) << 20 | lane as u64;
            *x = unit(hash(key, counter));
        }
    }
    dispatch(FromUniforms { half, samples, rows: out });
}

/// As [`antithetic_normals`], with the second moments of the normal too: rows are uncorrelated, of mean square one, where there are few enough of them
/// for the samples (else of mean square one alone).
pub fn standardized_normals<E: Real>(key: u64, samples: usize, out: &mut [E]) {
    antithetic_normals(key, samples, out);
    let rows = out.len() / samples.max(1);
    if rows > 1 && rows <= 512 && 4 * rows <= samples {
        decorrelate(samples, rows, out);
        return;
    }
    for row in out.chunks_exact_mut(samples) {
        let square = row.iter().map(|x| x.to_f64().powi(2)).sum::<f64>() / samples as f64;
        let factor = square.sqrt().recip();
        row.iter_mut().for_each(|x| *x = E::from_f64(x.to_f64() * factor));
    }
}

/// Multiplies rows by the inverse of the Cholesky factor of their second moments.
fn decorrelate<E: Real>(samples: usize, rows: usize, out: &mut [E]) {
    // Gram-Schmidt, row by row: the same as the Cholesky factor's inverse.
    for i in 0..rows {
        let (before, rest) = out.split_at_mut(i * samples);
        let own = &mut rest[..samples];
        for other in before.chunks_exact(samples) {
            let product = other.iter().zip(&*own).map(|(a, b)| a.to_f64() * b.to_f64()).sum::<f64>() / samples as f64;
            own.iter_mut().zip(other).for_each(|(x, o)| *x = E::from_f64(x.to_f64() - product * o.to_f64()));
        }
        let square = own.iter().map(|x| x.to_f64().powi(2)).sum::<f64>() / samples as f64;
        let factor = square.sqrt().recip();
        own.iter_mut().for_each(|x| *x = E::from_f64(x.to_f64() * factor));
    }
}

struct FromUniforms<'a, E> {
    half: usize,
    samples: usize,
    rows: &'a mut [E],
}

impl<E: Real> Kernel<E> for FromUniforms<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        for row in self.rows.chunks_exact_mut(self.samples) {
            let (first, second) = row.split_at_mut(self.half);
            let mut lane = 0;
            while lane + V::WIDTH <= self.half {
                let x = normal_quantile(V::load(&first[lane..]));
                x.store(&mut first[lane..]);
                if !second.is_empty() {
                    (-x).store(&mut second[lane..]);
                }
                lane += V::WIDTH;
            }
            while lane < self.half {
                first[lane] = normal_quantile(first[lane]);
                if let Some(mirrored) = second.get_mut(lane) {
                    *mirrored = -first[lane];
                }
                lane += 1;
            }
        }
    }
}

const A: [f64; 8] = [
    3.387_132_872_796_366_6,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const B: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_854e3,
];
const C: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const D: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const E: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const F: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

/// The standard normal quantile function (Wichura 1988, algorithm AS 241, `PPND16`): about 1e-16.
#[inline(always)]
pub fn normal_quantile<V: Lanes>(p: V) -> V {
    let half = V::constant(0.5);
    let q = p - half;
    let central = q.abs().le(V::constant(0.425));
    let r = V::constant(0.180_625) - V::select(central, q * q, V::zero());
    let middle = q * polynomial(r, &A) / polynomial(r, &B);
    let tail = V::select(q.lt(V::zero()), p, V::constant(1.0) - p);
    let r = (-tail.ln()).sqrt();
    let near = r - V::constant(1.6);
    let far = r - V::constant(5.0);
    let outer =
        V::select(r.le(V::constant(5.0)), polynomial(near, &C) / polynomial(near, &D), polynomial(far, &E) / polynomial(far, &F));
    let outer = V::select(q.lt(V::zero()), -outer, outer);
    V::select(central, middle, outer)
}

#[inline(always)]
fn polynomial<V: Lanes>(x: V, coefficients: &[f64; 8]) -> V {
    let mut sum = V::constant(coefficients[7]);
    let mut k = 7;
    while k > 0 {
        k -= 1;
        sum = sum.mul_add(x, V::constant(coefficients[k]));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_uniform_is_below_one_in_either_precision() {
        assert!(unit::<f64>(u64::MAX) < 1.0 && unit::<f32>(u64::MAX) < 1.0);
        assert!(unit::<f64>(0) > 0.0 && unit::<f32>(0) > 0.0);
        assert!(normal_quantile(unit::<f32>(u64::MAX)).is_finite() && normal_quantile(unit::<f32>(0)).is_finite());
    }

    #[test]
    fn some_of_the_normals_are_those_of_all() {
        let mut all = vec![0.0_f64; 3 * 64];
        antithetic_normals(7, 64, &mut all);
        for some in [0..32, 32..64, 8..16, 56..64] {
            let mut found = vec![0.0_f64; 3 * some.len()];
            some_antithetic_normals(7, 64, some.clone(), &mut found);
            let expected = all.chunks_exact(64).flat_map(|row| row[some.clone()].to_vec());
            assert!(found.iter().copied().eq(expected), "{some:?}");
        }
    }

    #[test]
    fn the_quantile_undoes_the_distribution_function() {
        for x in [-8.0, -5.0, -2.5, -1.0, -0.1, 0.0, 0.3, 1.2, 4.0] {
            let back = normal_quantile(f64::normal_cdf(x));
            assert!((back - x).abs() < 1e-11 * (1.0 + x.abs()), "{x} came back as {back}");
        }
    }

    #[test]
    fn the_noise_has_the_moments_of_the_normal() {
        let (samples, elements) = (64, 4000);
        let mut noise = vec![0.0_f64; samples * elements];
        antithetic_normals(step_key(1, 2), samples, &mut noise);
        // One half is independent: 128 000 draws, standard errors 0.0028, 0.004 and 0.027.
        let first: Vec<f64> = noise.chunks(samples).flat_map(|row| row[..samples / 2].to_vec()).collect();
        let mean_of = |f: &dyn Fn(f64) -> f64| first.iter().map(|&x| f(x)).sum::<f64>() / first.len() as f64;
        assert!(mean_of(&|x| x).abs() < 0.012);
        assert!((mean_of(&|x| x * x) - 1.0).abs() < 0.016);
        assert!((mean_of(&|x| x.powi(4)) - 3.0).abs() < 0.12);
        // Neighbouring elements and lanes do not correlate.
        let lag: f64 = first.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / first.len() as f64;
        assert!(lag.abs() < 0.012);
    }

    #[test]
    fn steps_and_seeds_give_different_noise_and_the_same_ones_the_same() {
        let draw = |key| {
            let mut noise = [0.0_f64; 16];
            antithetic_normals(key, 16, &mut noise);
            noise
        };
        assert_eq!(draw(step_key(1, 1)), draw(step_key(1, 1)));
        assert_ne!(draw(step_key(1, 1)), draw(step_key(1, 2)));
        assert_ne!(draw(step_key(1, 1)), draw(step_key(2, 1)));
    }
}
