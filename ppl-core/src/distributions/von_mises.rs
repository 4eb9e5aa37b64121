//! The von Mises distribution: a normal distribution on the circle.

use std::f64::consts::{PI, TAU};

use rand::Rng;

use super::{
    Cumulative, Partials, Probability, Tails, Univariate, cdf,
    special::{WIDEST, from_doubles, integral, invert, normal_quantile, open01, to_doubles},
};
use crate::kernel::{Lanes, bessel_i0_i1};

/// The von Mises distribution: a normal distribution on the circle, of angles in radians.
///
/// `log p(x) = concentration cos(x - loc) - ln(2 pi I0(concentration))`, in nats. The density is periodic: data are any numbers, while a latent, a
/// draw and what is told of the distribution are between `-pi` and `pi`, the cdf begins at `-pi`. The mean direction is `loc`; the mean of
/// the number that stands for it is not known in closed form.
///
/// Drawn by the rejection method of Best & Fisher (1979, Applied Statistics 28), with `r = (1 + sqrt(1 + 4 k^2)) / 2k` and in
/// differences from one, which keep their digits at any concentration `k`.
///
/// # Source
/// Stan `von_mises(mu, kappa)`, R `circular::dvonmises(mu, kappa)`, scipy `vonmises(kappa, loc = mu)`, whose cdf begins at `loc - pi`.
///
/// # Examples
/// ```
/// use ppl_core::distributions::{log_prob, VonMises};
/// // Without concentration it is uniform on the circle: -ln(2 pi)
/// assert!((log_prob::<VonMises, 2>(1.0, [0.0, 1e-9]) + 1.8378771).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VonMises;

impl Univariate<2> for VonMises {
    #[inline(always)]
    fn kernel<V: Lanes>(x: V, [loc, concentration]: [V; 2]) -> Partials<V, 2> {
        // cos(d) - 1 by the half of d, with its digits near the location.
        let two = V::constant(2.0);
        let half = V::constant(0.5) * (x - loc);
        let (sin, cos) = half.sin_cos();
        let drop = -(two * sin * sin);
        let slope = two * concentration * sin * cos;
        Partials { log_prob: concentration * drop, d_value: -slope, d_params: [slope, drop] }
    }

    #[inline(always)]
    fn normalizer<V: Lanes>([_loc, concentration]: [V; 2]) -> (V, [V; 2]) {
        let bessel = bessel_i0_i1(concentration);
        (V::constant(TAU.ln()) + bessel.ln_scaled, [V::zero(), -bessel.rest])
    }

    fn sample([loc, concentration]: [f64; 2], rng: &mut dyn Rng) -> f64 {
        let root = 4.0_f64.mul_add(concentration * concentration, 1.0).sqrt();
        // r - 1
        let excess = (1.0 + (root + 2.0 * concentration).recip()) / (2.0 * concentration);
        loop {
            let (sin, cos) = (0.5 * PI * open01(rng)).sin_cos();
            // One less the cosine of the angle.
            let drop = 2.0 * excess * sin * sin / (excess + 2.0 * cos * cos);
            let (c, uniform) = (concentration * (excess + drop), open01(rng));
            if c.is_nan() {
                return f64::NAN;
            }
            if c * (2.0 - c) > uniform || (c / uniform).ln() + 1.0 >= c {
                let angle = 2.0 * (0.5 * drop).sqrt().min(1.0).asin();
                return wrapped(if open01(rng) < 0.5 { loc - angle } else { loc + angle });
            }
        }
    }

    fn mode([loc, _]: [f64; 2]) -> Option<f64> {
        Some(wrapped(loc))
    }

    fn entropy([_, concentration]: [f64; 2]) -> Option<f64> {
        let bessel = bessel_i0_i1(concentration);
        Some(TAU.ln() + bessel.ln_scaled + concentration * bessel.rest)
    }

    fn divergence([loc, concentration]: [f64; 2], [other_loc, other]: [f64; 2]) -> Option<f64> {
        let (own, others) = (bessel_i0_i1(concentration), bessel_i0_i1(other));
        let apart = 2.0 * (0.5 * (loc - other_loc)).sin().powi(2);
        let scaled = others.ln_scaled - own.ln_scaled;
        Some(scaled + (other - concentration) * own.rest + other * own.ratio * apart)
    }
}

/// An angle between `-pi` and `pi`.
fn wrapped(angle: f64) -> f64 {
    if angle.abs() <= PI { angle } else { (angle + PI).rem_euclid(TAU) - PI }
}

/// The probability from `-pi` to an angle around the location at zero, a turn counting one, and its derivative in the concentration.
fn unwound(angle: f64, concentration: f64) -> (f64, f64) {
    let turns = (angle / TAU).round();
    let rest = angle - turns * TAU;
    let (tail, slope) = upper_tail(rest.abs().min(PI), concentration);
    if rest < 0.0 { (turns + tail, slope) } else { (turns + 1.0 - tail, -slope) }
}

/// Up to which concentration the series is summed, and how many terms it may have.
const SERIES: (f64, usize) = (50.0, 80);

/// The probability between an angle and `pi`, and its derivative in the concentration, by the Fourier series of the density, whose coefficients are ratios of
/// Bessel functions by their recurrence backwards (Hill 1977, algorithm 518); small ones lose their digits.
fn by_series(angle: f64, concentration: f64) -> (f64, f64) {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 73")]
    let terms = (8.6 * concentration.sqrt()) as usize + 12;
    // I_p / I_0
    let mut coefficients = [0.0; SERIES.1];
    for p in (1..=terms).rev() {
        coefficients[p] = (2.0 * p as f64 / concentration + coefficients[p + 1]).recip();
    }
    coefficients[0] = 1.0;
    for p in 1..=terms {
        coefficients[p] *= coefficients[p - 1];
    }
    let (sine, cosine) = angle.sin_cos();
    let (mut before, mut own) = (0.0, sine);
    let (mut sum, mut slope) = (0.0, 0.0);
    for p in 1..=terms {
        let share = own / p as f64;
        sum += share * coefficients[p];
        slope += share * (0.5 * (coefficients[p - 1] + coefficients[p + 1]) - coefficients[p] * coefficients[1]);
        (before, own) = (own, 2.0 * cosine * own - before);
    }
    (0.5 - angle / TAU - sum / PI, -slope / PI)
}

/// The probability between an angle from zero on and `pi`, with the digits of small ones, and its derivative in the concentration.
fn upper_tail(angle: f64, concentration: f64) -> (f64, f64) {
    if concentration <= SERIES.0 {
        let found = by_series(angle, concentration);
        if found.0 > 1e-3 {
            return found;
        }
    }
    let drop = |angle: f64| -2.0 * concentration * (0.5 * angle).sin().powi(2);
    // Where the density is less than the first one by a factor of e^-40, the rest is beyond the last bit.
    let sine = ((0.5 * angle).sin().powi(2) + 20.0 / concentration).min(1.0).sqrt();
    let (first, last) = (drop(angle), (2.0 * sine.asin()).clamp(angle, PI));
    let bessel = bessel_i0_i1(concentration);
    let scale = (first - bessel.ln_scaled).exp() / TAU;
    // The density, and that times the cosine less its mean.
    let [mass, slope] = integral(angle, last, |angle| {
        let below = 2.0 * (0.5 * angle).sin().powi(2);
        let density = (-concentration * below - first).exp();
        [density, (bessel.rest - below) * density]
    });
    (mass * scale, slope * scale)
}

impl Cumulative<2> for VonMises {
    #[inline(always)]
    fn ends<V: Lanes>(_params: [V; 2]) -> Option<[V; 2]> {
        Some([-PI, PI].map(V::constant))
    }

    #[inline(always)]
    fn tails<V: Lanes>(x: V, params: [V; 2]) -> Tails<V, 2> {
        let (x, params) = (to_doubles(x), params.map(to_doubles));
        let mut found = [[0.0; WIDEST]; 4];
        for lane in 0..V::WIDTH {
            let (x, [loc, concentration]) = (x[lane].clamp(-PI, PI), params.map(|param| param[lane]));
            let (upper, lower) = (unwound(x - loc, concentration), unwound(-PI - loc, concentration));
            let below = (upper.0 - lower.0).clamp(0.0, 1.0);
            let density = |angle: f64| super::log_prob::<Self, 2>(angle, [loc, concentration]);
            found[0][lane] = below.ln();
            found[1][lane] = (-below).ln_1p();
            found[2][lane] = -(density(-PI) - density(x)).exp_m1();
            found[3][lane] = (lower.1 - upper.1) * (-density(x)).exp();
        }
        let [ln_below, ln_above, d_loc, d_concentration] = found.map(|lanes| from_doubles(&lanes));
        Tails { ln_below, ln_above, velocity: [d_loc, d_concentration] }
    }

    /// Where a normal distribution, or a circle that is filled evenly, has the probability around the location.
    fn guess<V: Lanes>(probability: Probability<V>, params: [V; 2]) -> V {
        let (ln_below, params) = (to_doubles(probability.ln_below), params.map(to_doubles));
        let mut found = [0.0; WIDEST];
        for lane in 0..V::WIDTH {
            let [loc, concentration] = params.map(|param| param[lane]);
            let before = unwound(-PI - loc, concentration).0 + ln_below[lane].exp();
            let turns = (before - 0.5).round();
            let within = before - turns;
            let normal = normal_quantile(within) / concentration.sqrt();
            let angle = if normal.abs() < PI { normal } else { TAU * (within - 0.5) };
            let x = (loc + angle + TAU * turns).clamp(-3.1, 3.1);
            found[lane] = ((PI + x) / (PI - x)).ln();
        }
        from_doubles(&found)
    }

    fn quantile(probability: f64, params: [f64; 2]) -> f64 {
        let at = |turn: f64| TAU.mul_add(turn, -PI);
        at(invert(probability, 0.0, 1.0, |turn| cdf::<Self, 2>(at(turn), params)))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_cdf_is_that_of_quadrature_at_any_concentration() {
        // mpmath 1.3.0: the density between -pi and the angle, cut at whole standard deviations, integrated with 40 digits.
        for (x, loc, concentration, expected) in [
            (0.5, 0.0, 1e-8, 0.579_577_472_308_977_2),
            (-2.5, 0.3, 1.7, 0.010_309_836_685_916_713),
            (3.0, -3.1, 2.0, 0.927_986_832_819_208_8),
            (1.0, 2.5, 16.5, 0.005_532_682_213_868_038),
            (0.3002, 0.3, 1e6, 0.579_259_699_532_696_8),
            (-1e-4, 0.0, 1e8, 0.158_655_254_334_741_6),
        ] {
            let found = cdf::<VonMises, 2>(x, [loc, concentration]);
            // The difference of two angles near 0.3 has twelve digits of a standard deviation of 1e-3.
            assert!((found - expected).abs() < 1e-12, "at {x} of {loc}, {concentration}: {found}, expected {expected}");
        }
        // Small probabilities have their digits where the location is at zero.
        let tail = cdf::<VonMises, 2>(-6e-4, [0.0, 1e8]);
        assert!((tail / 9.865_882_374_364_515e-10 - 1.0).abs() < 1e-12, "{tail}");
        assert_eq!(cdf::<VonMises, 2>(PI, [1.0, 3.0]), 1.0);
        assert_eq!(cdf::<VonMises, 2>(-PI, [1.0, 3.0]), 0.0);
    }

    #[test]
    fn draws_have_their_digits_at_any_concentration() {
        let (mut rng, count) = (rand::rngs::StdRng::seed_from_u64(5), 20_000);
        for concentration in [1e3, 1e8, 1e14] {
            // The mean of k x^2 is near one, with a standard error of sqrt(2 / count).
            let squares = (0..count).map(|_| concentration * VonMises::sample([0.0, concentration], &mut rng).powi(2));
            let mean = squares.sum::<f64>() / f64::from(count);
            assert!((mean - 1.0).abs() < 5.0 * (2.0 / f64::from(count)).sqrt(), "{concentration}: {mean}");
        }
        // Without concentration the circle is filled evenly, whose square has the mean pi^2 / 3, and 4 pi^4 / 45 as its variance.
        let mean = (0..count).map(|_| VonMises::sample([2.0, 1e-12], &mut rng).powi(2)).sum::<f64>() / f64::from(count);
        assert!((mean - PI.powi(2) / 3.0).abs() < 5.0 * (4.0 * PI.powi(4) / 45.0 / f64::from(count)).sqrt(), "{mean}");
    }
}
