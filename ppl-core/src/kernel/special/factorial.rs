//! Logarithms of factorials, by a table.

/// How many are in the table: 2 KiB.
pub(in crate::kernel) const LEN: usize = 256;

/// `ln n!`, to the last bit.
pub(in crate::kernel) static LN_FACTORIALS: [f64; LEN] = table();

/// `ln n!` where the number is whole and in the table.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only whole numbers of the table are used")]
pub(in crate::kernel) fn of_whole(n: f64) -> Option<f64> {
    let at = n as usize;
    #[allow(clippy::float_cmp, reason = "whole numbers are exact")]
    let is_whole = at as f64 == n;
    if is_whole { LN_FACTORIALS.get(at).copied() } else { None }
}

/// The product is kept as a mantissa and a power of two, with a rounding a factor at most: far below the last bit of its logarithm.
const fn table() -> [f64; LEN] {
    let mut all = [0.0; LEN];
    let (mut mantissa, mut exponent) = (1.0, 0.0);
    let mut n = 1;
    while n < LEN {
        mantissa *= n as f64;
        while mantissa >= std::f64::consts::SQRT_2 {
            mantissa *= 0.5;
            exponent += 1.0;
        }
        all[n] = exponent * std::f64::consts::LN_2 + ln_near_one(mantissa);
        n += 1;
    }
    all
}

/// `ln m = 2 artanh s` with `s = (m - 1) / (m + 1)`, `m` between `sqrt(1/2)` and `sqrt(2)`.
const fn ln_near_one(m: f64) -> f64 {
    let s = (m - 1.0) / (m + 1.0);
    let (mut power, mut sum, mut k) = (s, 0.0, 1.0);
    while k < 24.0 {
        sum += power / k;
        power *= s * s;
        k += 2.0;
    }
    2.0 * sum
}
