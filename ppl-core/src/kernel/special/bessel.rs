//! The modified Bessel functions of orders zero and one, of numbers from zero on: their series, then polynomials in the inverse.

use super::polynomial;
use crate::kernel::Lanes;

/// Up to here the series is summed.
const FROM: f64 = 16.0;
/// Its terms: those that follow are below the last bit.
const TERMS: usize = 34;

/// `ln(sqrt(2 pi x) e^-x I0(x))` in powers of `2 FROM / x - 1`, by `reference/bessel.py`.
const LN_SCALED: [f64; 14] = [
    0.003_969_375_634_325_845,
    0.004_034_702_816_416_009,
    6.764_789_548_777_318e-5,
    2.448_735_911_033_618_6e-6,
    1.377_292_566_280_9e-7,
    1.065_815_291_567_560_3e-8,
    1.067_716_852_559_486_6e-9,
    1.336_626_846_243_305_5e-10,
    2.049_489_925_783_496e-11,
    3.774_818_133_265_418e-12,
    7.638_680_555_371_865e-13,
    2.077_122_702_052_112_9e-13,
    1.215_876_854_487_112_7e-13,
    4.228_212_497_921_035_3e-14,
];
/// `x (1 - I1(x) / I0(x))`, likewise.
const REST: [f64; 14] = [
    0.504_034_702_816_416,
    0.004_169_998_607_391_707,
    0.000_142_641_998_707_738_76,
    7.897_124_754_768_13e-6,
    6.042_078_032_034_53e-7,
    5.969_710_929_950_899e-8,
    7.341_881_766_695_153_4e-9,
    1.099_431_869_198_478_6e-9,
    1.980_571_451_879_547e-10,
    4.191_659_201_803_818e-11,
    9.801_696_222_318_168e-12,
    3.478_099_622_417_811_6e-12,
    2.053_017_779_318_278e-12,
    6.382_634_831_377_505e-13,
];

/// What is told of `I0` and `I1` together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bessel<V> {
    /// `ln(e^-x I0(x))`
    pub(crate) ln_scaled: V,
    /// `I1(x) / I0(x)`
    pub(crate) ratio: V,
    /// One less that, with its digits where the ratio is near one.
    pub(crate) rest: V,
}

/// `I0` and `I1`; `NaN` where `x` is negative.
#[inline(always)]
pub(crate) fn bessel_i0_i1<V: Lanes>(x: V) -> Bessel<V> {
    let (zero, one, half) = (V::zero(), V::constant(1.0), V::constant(0.5));
    let small = x.lt(V::constant(FROM));
    let near = V::select(small, x, zero);
    // (I0 - 1) / t and I1 / (x / 2) with t = x^2 / 4: all terms are positive.
    let t = V::constant(0.25) * near * near;
    let (mut i0, mut i1) = (one, one);
    let mut k = TERMS;
    while k > 1 {
        let n = k as f64;
        i0 = (i0 * t).mul_add(V::constant(1.0 / (n * n)), one);
        i1 = (i1 * t).mul_add(V::constant(1.0 / (n * (n - 1.0))), one);
        k -= 1;
    }
    let ln_i0 = (t * i0).ln_1p();
    let ratio_near = half * near * i1 / t.mul_add(i0, one);

    let far = V::select(small, V::constant(FROM), x);
    let s = V::constant(2.0 * FROM) / far - one;
    let ln_far = polynomial(s, &LN_SCALED) - half * (V::constant(std::f64::consts::TAU) * far).ln();
    let rest_far = polynomial(s, &REST) / far;

    let legal = |value: V| V::select(zero.le(x), value, V::constant(f64::NAN));
    Bessel {
        ln_scaled: legal(V::select(small, ln_i0 - near, ln_far)),
        ratio: legal(V::select(small, ratio_near, one - rest_far)),
        rest: legal(V::select(small, one - ratio_near, rest_far)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Kernel, SimdLevel, dispatch_at};

    /// `x`, `ln I0`, `ln(e^-x I0)`, `I1 / I0` and one less that, by `reference/bessel.py`.
    const TABLE: &[[f64; 5]] = &[
        [1.0e-8, 2.5e-17, -9.999_999_975e-9, 5.0e-9, 0.999_999_995],
        [1.0e-5, 2.499_999_999_984_375_4e-11, -9.999_975e-6, 4.999_999_999_937_5e-6, 0.999_995_000_000_000_1],
        [0.001, 2.499_999_843_750_017_5e-7, -0.000_999_750_000_015_625, 0.000_499_999_937_500_010_5, 0.999_500_000_062_5],
        [0.1, 0.002_498_439_233_876_243_8, -0.097_501_560_766_123_76, 0.049_937_603_987_938_92, 0.950_062_396_012_061_1],
        [0.5, 0.061_549_719_185_481_31, -0.438_450_280_814_518_7, 0.242_499_612_580_801_94, 0.757_500_387_419_198],
        [1.0, 0.235_914_358_507_178_65, -0.764_085_641_492_821_3, 0.446_389_965_896_534_5, 0.553_610_034_103_465_5],
        [2.5, 1.190_838_671_196_028, -1.309_161_328_803_972, 0.764_996_747_588_809_9, 0.235_003_252_411_190_08],
        [6.0, 4.208_185_125_075_977, -1.791_814_874_924_022_8, 0.912_359_304_352_915_2, 0.087_640_695_647_084_74],
        [11.0, 8.894_051_579_910_439, -2.105_948_420_089_561_5, 0.953_401_773_100_842, 0.046_598_226_899_158_01],
        [15.999, 13.701_873_203_626_777, -2.297_126_796_373_224_3, 0.968_225_734_520_593_7, 0.031_774_265_479_406_29],
        [16.0, 13.702_841_430_371_771, -2.297_158_569_628_228_6, 0.968_227_755_428_16, 0.031_772_244_571_840_07],
        [16.5, 14.187_202_669_813_471, -2.312_797_330_186_528, 0.969_206_974_734_757_1, 0.030_793_025_265_242_87],
        [21.0, 18.564_901_963_063_356, -2.435_098_036_936_644_4, 0.975_892_413_886_218_2, 0.024_107_586_113_781_807],
        [40.0, 37.239_786_861_352_36, -2.760_213_138_647_643, 0.987_419_841_336_350_6, 0.012_580_158_663_649_341],
        [101.5, 98.272_269_724_521_02, -3.227_730_275_478_982_5, 0.995_061_636_935_231, 0.004_938_363_064_769_06],
        [1_000.0, 995.627_308_889_869_5, -4.372_691_110_130_535_5, 0.999_499_874_874_804_3, 0.000_500_125_125_195_719_8],
        [12_345.678, 12_340.048_540_931_56, -5.629_459_068_439_662, 0.999_959_499_176_487_4, 4.050_082_351_257_332e-5],
        [1_000_000.0, 999_992.173_306_312_8, -7.826_693_687_186_747, 0.999_999_499_999_875, 5.000_001_250_001_25e-7],
        [100_000_000.0, 99_999_989.870_721_1, -10.129_278_903_930_855, 0.999_999_995, 5.000_000_012_5e-9],
    ];

    /// The Bessel functions of one number in all lanes.
    struct Apply(f64);

    impl Kernel<f64> for Apply {
        type Output = [f64; 3];
        #[inline(always)]
        fn run<V: Lanes<Element = f64>>(self) -> [f64; 3] {
            let found = bessel_i0_i1(V::constant(self.0));
            [found.ln_scaled, found.ratio, found.rest].map(|value| {
                let mut lanes = [0.0; 8];
                value.store(&mut lanes);
                lanes[V::WIDTH - 1]
            })
        }
    }

    #[test]
    fn orders_zero_and_one_are_exact_to_the_last_bits() {
        for level in [SimdLevel::Portable, SimdLevel::Avx2, SimdLevel::Avx512] {
            for &[x, ln, ln_scaled, ratio, rest] in TABLE {
                let found = dispatch_at(level, Apply(x));
                // The logarithm itself has its digits as a sum: those of its parts.
                let sum = (found[0] + x - ln).abs() / x.max(1.0);
                assert!(sum < 1e-15, "{level:?}: ln I0({x}) is {}, expected {ln}", found[0] + x);
                // Of the series the digits are those of one less the ratio, and of the logarithm of I0.
                let lost = if x < FROM { 4e-16 } else { 0.0 };
                for (found, expected, lost) in [(found[0], ln_scaled, lost), (found[1], ratio, 0.0), (found[2], rest, lost)] {
                    let error = (found - expected).abs();
                    assert!(error < 1.5e-15 * expected.abs() + lost, "{level:?}: {found} at {x}, expected {expected}: {error:e}");
                }
            }
            assert!(dispatch_at(level, Apply(-1.0)).iter().all(|x| x.is_nan()));
            assert_eq!(dispatch_at(level, Apply(0.0)), [0.0, 0.0, 1.0]);
        }
    }
}
