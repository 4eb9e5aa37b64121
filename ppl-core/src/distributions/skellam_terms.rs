//! The density of the difference of two Poisson counts with its derivatives: modified Bessel functions of whole order, small ones by
//! their series, others by Debye's uniform expansion, which is written around the mode so that large parts never cancel.

/// From this size `w = sqrt(n^2 + z^2)` of order and argument on, the expansion has converged to the last bit.
const FROM: f64 = 40.0;
/// The terms of the expansion.
const TERMS: usize = 12;

/// A log density in nats and its derivatives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) log_prob: f64,
    pub(super) d_rate1: f64,
    pub(super) d_rate2: f64,
}

/// `log p(x)` of the difference of two Poisson counts, `NaN` where a rate is negative.
pub(super) fn terms(x: f64, rate1: f64, rate2: f64) -> Terms {
    if !(rate1 >= 0.0 && rate2 >= 0.0 && x.is_finite()) {
        return Terms { log_prob: f64::NAN, d_rate1: f64::NAN, d_rate2: f64::NAN };
    }
    // The rate of the counts that a difference of this sign has more of, and the other one.
    let (more, less) = if x >= 0.0 { (rate1, rate2) } else { (rate2, rate1) };
    let n = x.abs();
    let w = n.hypot(2.0 * (more * less).sqrt());
    let (log_prob, ratio) = if w < FROM { series(n, more, less) } else { expansion(n, more, less, w) };
    // d log p = (p(x - 1) / p(x) - 1) d rate1 + (p(x + 1) / p(x) - 1) d rate2
    let of_more = if n == 0.0 { 0.0 } else { n / more };
    let (d_more, d_less) = (of_more + 2.0 * less * ratio - 1.0, 2.0 * more * ratio - 1.0);
    let (d_rate1, d_rate2) = if x >= 0.0 { (d_more, d_less) } else { (d_less, d_more) };
    Terms { log_prob, d_rate1, d_rate2 }
}

/// The log density and `I_(n+1)(z) / (z I_n(z))` by the series, whose terms are positive.
fn series(n: f64, more: f64, less: f64) -> (f64, f64) {
    let square = more * less;
    let (mut own, mut next, mut of_own, mut of_next) = (1.0, 1.0, 1.0, 1.0);
    let mut k = 1.0;
    while of_own > 1e-17 * own {
        of_own *= square / (k * (n + k));
        of_next *= square / (k * (n + 1.0 + k));
        own += of_own;
        next += of_next;
        k += 1.0;
    }
    let counted = if n == 0.0 { 0.0 } else { n * more.ln() };
    (counted - more - less - crate::kernel::Lanes::lgamma(n + 1.0) + f64::ln(own), 0.5 * next / ((n + 1.0) * own))
}

/// The log density and `I_(n+1)(z) / (z I_n(z))` by Debye's expansion in `1 / w` (NIST Handbook 10.41.3 and 10.41.5).
fn expansion(n: f64, more: f64, less: f64, w: f64) -> (f64, f64) {
    let (square, inverse) = ((n / w).powi(2), w.recip());
    let (mut value, mut slope, mut power) = (0.0, 0.0, 1.0);
    for (k, coefficients) in DEBYE.iter().enumerate() {
        let (mut u, mut d_u) = (0.0, 0.0);
        for c in coefficients[..=k].iter().rev() {
            d_u = d_u * square + u;
            u = u * square + c;
        }
        value += power * u;
        slope += power * ((k as f64 + 0.5) * u + 2.0 * square * d_u);
        power *= inverse;
    }
    // -more - less + w and ln(2 more / (n + w)), as differences from the mode.
    let (sum, difference) = (more + less, more - less);
    let off = n - difference;
    let drop = off * (n + difference) / (w + sum);
    let change = -off * (1.0 + (n + difference) / (w + sum)) / (n + w);
    let ln = if change > -0.5 { change.ln_1p() } else { (2.0 * more / (n + w)).ln() };
    let counted = if n == 0.0 { 0.0 } else { n * ln };
    let log_prob = drop + counted - 0.5 * (std::f64::consts::TAU * w).ln() + f64::ln(value);
    (log_prob, (n + w).recip() - slope / (value * w * w))
}

/// The polynomials `U_k(p) / p^k` of Debye's expansion in powers of `p^2`, by their recurrence (NIST Handbook 10.41.9).
const DEBYE: [[f64; TERMS]; TERMS] = {
    let mut table = [[0.0; TERMS]; TERMS];
    table[0][0] = 1.0;
    let mut k = 0;
    while k + 1 < TERMS {
        let mut m = 0;
        while m <= k + 1 {
            let exponent = (k + 2 * m) as f64;
            let share = 0.125 / (exponent + 1.0);
            let kept = table[k][m] * (0.5 * exponent + share);
            let moved = if m == 0 { 0.0 } else { table[k][m - 1] * (0.5 * (exponent - 2.0) + 5.0 * share) };
            table[k + 1][m] = kept - moved;
            m += 1;
        }
        k += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// A value, the two rates, the log density and its derivatives in the rates, by `reference/skellam.py`.
    #[allow(clippy::unreadable_literal, clippy::excessive_precision, reason = "printed by another program")]
    const TABLE: &[[f64; 6]] = &[
        [0.0, 1e-09, 1e-09, -1.999999999e-09, -0.999999999, -0.999999999],
        [3.0, 1e-09, 1e-09, -63.961556982067286, 2999999999.0, -0.99999999975],
        [-2.0, 1e-09, 5.0, -2.474271355025078, 0.6666666659722222, -0.5999999996666666],
        [7.0, 19.0, 21.0, -3.779387160777735, 0.23870786348168346, -0.21259764732609593],
        [12.0, 19.9, 19.9, -4.5757154851853254, 0.3344158887324074, -0.2685991866444771],
        [13.0, 20.0, 20.0, -4.8804340251722325, 0.3651461662569597, -0.2848538337430403],
        [-39.0, 0.001, 1.0, -107.63273526065107, -0.9750000152438842, 38.00002499998475],
        [-40.0, 0.001, 1.0, -111.32161532452058, -0.9756097702614496, 39.00002439022974],
        [-41.0, 0.001, 1.0, -115.03518797194448, -0.97619048937403, 40.00002380951062],
        [200.0, 0.5, 0.7, -1003.0596820183673, 399.0034825570444, -0.9975124592540227],
        [5000.0, 4900.0, 3.0, -6.252539258661491, 0.021007691185008465, -0.02077106448617417],
        [5000.0, 0.001, 0.001, -72129.92190378725, 4999999.0000002, -0.999999800039992],
        [-1000.0, 300.0, 500.0, -357.1147500130062, -0.5587939286096578, 1.2647236428342052],
        [0.0, 10000.0, 10000.0, -5.870676059316478, -2.5000312515626222e-05, -2.5000312515626222e-05],
        [150.0, 10000.0, 10000.0, -6.433187485508452, 0.0075031256982728434, -0.007496874301727157],
        [-9.0, 100000000.0, 100000000.0, -10.475852697335828, -4.7499998990625e-08, 4.250000100937501e-08],
        [20000.0, 100000000.0, 100000000.0, -11.475852496502494, 0.00010000250000000937, -9.999749999999063e-05],
        [5.0, 123456.0, 123400.0, -7.132486492518086, -0.0002086018571422031, 0.00020459359096152493],
    ];

    #[test]
    fn rates_of_any_size_keep_their_digits() {
        for &[x, rate1, rate2, log_prob, d_rate1, d_rate2] in TABLE {
            let found = terms(x, rate1, rate2);
            let close = |found: f64, expected: f64, what: &str| {
                assert!(
                    (found - expected).abs() < 1e-13 * expected.abs().max(1.0),
                    "{what} at {x} of {rate1}, {rate2}: {found}, expected {expected}"
                );
            };
            close(found.log_prob, log_prob, "log density");
            close(found.d_rate1, d_rate1, "derivative in the first rate");
            close(found.d_rate2, d_rate2, "derivative in the second rate");
        }
    }

    #[test]
    fn probabilities_sum_to_one_and_obey_their_recurrence() {
        for (rate1, rate2) in [(0.3, 0.1), (19.0, 23.0), (1000.0, 1200.0), (1e-6, 400.0)] {
            let p = |x: i32| terms(f64::from(x), rate1, rate2).log_prob.exp();
            let sum: f64 = (-3000..3000).map(p).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{rate1}, {rate2}: {sum}");
            // x p(x) = rate1 p(x - 1) - rate2 p(x + 1)
            for x in -300..300 {
                let (left, right) = (f64::from(x) * p(x), rate1 * p(x - 1) - rate2 * p(x + 1));
                assert!((left - right).abs() < 1e-12 * (rate1 + rate2), "{rate1}, {rate2} at {x}: {left}, {right}");
            }
        }
    }
}
