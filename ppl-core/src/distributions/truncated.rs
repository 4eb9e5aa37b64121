//! Truncation to an interval: the density of a distribution with a cdf, divided by the probability of the interval.

use std::marker::PhantomData;

use rand::Rng;
use rand_distr::Distribution as _;

use super::special::student_cdf;
use super::{Cauchy, Distribution, Normal, Parameter, Partials, StudentT, Support, Univariate, ValueKind};
use crate::kernel::Lanes;

/// A distribution of one number whose probability of an interval is known.
pub trait IntervalProbability<const P: usize>: Univariate<P> {
    /// `ln P(lower < x < upper)` and its derivatives with respect to the parameters and the two bounds, which may be infinite.
    fn ln_interval<V: Lanes>(params: [V; P], lower: V, upper: V) -> (V, [V; P], V, V);
}

/// A distribution restricted to `lower < x < upper`; the bounds follow its own parameters.
///
/// `log p(x) = log p_D(x) - ln P_D(lower < x < upper)`, in nats.
///
/// # Source
/// Stan's `T[lower, upper]`. The cdf of Student's t is the regularized incomplete beta function by its continued fraction
/// (Numerical Recipes 6.4), its derivative in the degrees of freedom a central difference, accurate to about 1e-8.
#[derive(Clone, Copy, Debug)]
pub struct Truncated<D>(PhantomData<fn() -> D>);

impl<D: Distribution> Distribution for Truncated<D> {
    const NAME: &'static str = "Truncated";
    const PARAMETERS: &'static [Parameter] = D::PARAMETERS;
    const KIND: ValueKind = ValueKind::Continuous;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = Support::Interval;
}

macro_rules! truncated {
    ($distribution:ty, $inner:literal, $outer:literal) => {
        impl Univariate<$outer> for Truncated<$distribution> {
            #[inline(always)]
            fn kernel<V: Lanes>(x: V, params: [V; $outer]) -> Partials<V, $outer> {
                let mut inner = [V::zero(); $inner];
                inner.copy_from_slice(&params[..$inner]);
                let own = <$distribution as Univariate<$inner>>::kernel(x, inner);
                let mut d_params = [V::zero(); $outer];
                d_params[..$inner].copy_from_slice(&own.d_params);
                Partials { log_prob: own.log_prob, d_value: own.d_value, d_params }
            }

            #[inline(always)]
            fn normalizer<V: Lanes>(params: [V; $outer]) -> (V, [V; $outer]) {
                let mut inner = [V::zero(); $inner];
                inner.copy_from_slice(&params[..$inner]);
                let (own, d_own) = <$distribution as Univariate<$inner>>::normalizer(inner);
                let (ln, d_params, d_lower, d_upper) =
                    <$distribution as IntervalProbability<$inner>>::ln_interval(inner, params[$inner], params[$inner + 1]);
                let mut partials = [V::zero(); $outer];
                for i in 0..$inner {
                    partials[i] = d_own[i] + d_params[i];
                }
                partials[$inner] = d_lower;
                partials[$inner + 1] = d_upper;
                (own + ln, partials)
            }

            fn sample(params: [f64; $outer], rng: &mut dyn Rng) -> f64 {
                let inner: [f64; $inner] = std::array::from_fn(|i| params[i]);
                let uniform: f64 = rand_distr::Open01.sample(rng);
                invert(uniform, params[$inner], params[$inner + 1], inner[$inner - 2], inner[$inner - 1], |lower, upper| {
                    <$distribution as IntervalProbability<$inner>>::ln_interval(inner, lower, upper).0
                })
            }
        }
    };
}

truncated!(Normal, 2, 4);
truncated!(Cauchy, 2, 4);
truncated!(StudentT, 3, 5);

/// The point of the interval below which a share `uniform` of its probability lies, by bisection.
fn invert(uniform: f64, lower: f64, upper: f64, loc: f64, scale: f64, ln_interval: impl Fn(f64, f64) -> f64) -> f64 {
    let target = uniform.ln() + ln_interval(lower, upper);
    // A finite bracket around the point: from the location, doubling.
    let start = loc.clamp(lower, upper);
    let (mut low, mut high) = (lower, upper);
    let mut step = scale;
    if low == f64::NEG_INFINITY {
        low = start.min(upper) - step;
        while ln_interval(lower, low) > target {
            step *= 2.0;
            low -= step;
        }
    }
    step = scale;
    if high == f64::INFINITY {
        high = start.max(lower) + step;
        while ln_interval(lower, high) < target && step < f64::MAX / 4.0 {
            step *= 2.0;
            high += step;
        }
    }
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if ln_interval(lower, middle) < target { low = middle } else { high = middle }
    }
    low + (high - low) / 2.0
}

/// Whether a bound is infinite.
#[inline(always)]
fn infinite<V: Lanes>(z: V) -> V::Mask {
    V::constant(f64::INFINITY).eq(z.abs())
}

/// A bound that is finite, for what is not used where it is not.
#[inline(always)]
fn finite<V: Lanes>(z: V) -> V {
    V::select(infinite(z), V::zero(), z)
}

/// The derivatives of `ln P(a < z < b)` of a standardized variable, from the log densities at its ends:
/// `(d/da, d/db, a d/da, b d/db)`, zero at infinite bounds.
#[inline(always)]
fn ends<V: Lanes>([a, b]: [V; 2], [density_a, density_b]: [V; 2], ln: V) -> (V, V, V, V) {
    let d_a = -V::select(infinite(a), V::zero(), (density_a - ln).exp());
    let d_b = V::select(infinite(b), V::zero(), (density_b - ln).exp());
    (d_a, d_b, finite(a) * d_a, finite(b) * d_b)
}

/// The log density of the standard normal.
#[inline(always)]
fn ln_normal<V: Lanes>(z: V) -> V {
    (V::constant(-0.5) * z).mul_add(z, V::constant(-0.918_938_533_204_672_8))
}

/// The log density of the standard Cauchy.
#[inline(always)]
fn ln_cauchy<V: Lanes>(z: V) -> V {
    -(z * z).ln_1p() - V::constant(1.144_729_885_849_400_2)
}

/// The log density of Student's t up to its normalizer.
#[inline(always)]
fn ln_student<V: Lanes>(df: V, z: V) -> V {
    -(V::constant(0.5) * (df + V::constant(1.0)) * (z * z / df).ln_1p())
}

impl IntervalProbability<2> for Normal {
    #[inline(always)]
    fn ln_interval<V: Lanes>([loc, scale]: [V; 2], lower: V, upper: V) -> (V, [V; 2], V, V) {
        let inverse = V::constant(1.0) / scale;
        let (a, b) = ((lower - loc) * inverse, (upper - loc) * inverse);
        // In the upper tail by symmetry, where the lower tail has its digits.
        let flip = V::zero().lt(a);
        let (low, high) = (V::select(flip, -b, a), V::select(flip, -a, b));
        let ln_high = high.ln_normal_cdf();
        let ln = ln_high + (-(low.ln_normal_cdf() - ln_high).exp()).ln_1p();
        let densities = [ln_normal(finite(a)), ln_normal(finite(b))];
        let (d_a, d_b, a_d_a, b_d_b) = ends([a, b], densities, ln);
        (ln, [-(d_a + d_b) * inverse, -(a_d_a + b_d_b) * inverse], d_a * inverse, d_b * inverse)
    }
}

impl IntervalProbability<2> for Cauchy {
    #[inline(always)]
    fn ln_interval<V: Lanes>([loc, scale]: [V; 2], lower: V, upper: V) -> (V, [V; 2], V, V) {
        let one = V::constant(1.0);
        let inverse = one / scale;
        let (a, b) = ((lower - loc) * inverse, (upper - loc) * inverse);
        // Far from the center the arc tangents of the inverses have the digits.
        let tail = one.lt(a) | b.lt(-one);
        let away = (one / a).atan() - (one / b).atan();
        let near = b.atan() - a.atan();
        let ln = (V::select(tail, away, near) * V::constant(std::f64::consts::FRAC_1_PI)).ln();
        let densities = [ln_cauchy(finite(a)), ln_cauchy(finite(b))];
        let (d_a, d_b, a_d_a, b_d_b) = ends([a, b], densities, ln);
        (ln, [-(d_a + d_b) * inverse, -(a_d_a + b_d_b) * inverse], d_a * inverse, d_b * inverse)
    }
}

impl IntervalProbability<3> for StudentT {
    #[inline(always)]
    fn ln_interval<V: Lanes>([df, loc, scale]: [V; 3], lower: V, upper: V) -> (V, [V; 3], V, V) {
        let inverse = V::constant(1.0) / scale;
        let (a, b) = ((lower - loc) * inverse, (upper - loc) * inverse);
        let (ln, d_df) = lane_by_lane(df, a, b);
        let (normalizer, _) = <StudentT as Univariate<3>>::normalizer([df, V::zero(), V::constant(1.0)]);
        let densities = [ln_student(df, finite(a)) - normalizer, ln_student(df, finite(b)) - normalizer];
        let (d_a, d_b, a_d_a, b_d_b) = ends([a, b], densities, ln);
        (ln, [d_df, -(d_a + d_b) * inverse, -(a_d_a + b_d_b) * inverse], d_a * inverse, d_b * inverse)
    }
}

/// `ln P(a < t < b)` and its derivative in the degrees of freedom, a lane at a time.
fn lane_by_lane<V: Lanes>(df: V, a: V, b: V) -> (V, V) {
    use crate::kernel::Real;
    let zero = V::Element::default();
    let mut lanes = [[zero; 16]; 5];
    df.store(&mut lanes[0]);
    a.store(&mut lanes[1]);
    b.store(&mut lanes[2]);
    for i in 0..V::WIDTH {
        let [df, a, b] = [0, 1, 2].map(|k: usize| lanes[k][i].to_f64());
        let step = 1e-5 * df;
        let slope = (ln_student_interval(df + step, a, b) - ln_student_interval(df - step, a, b)) / (2.0 * step);
        lanes[3][i] = V::Element::from_f64(ln_student_interval(df, a, b));
        lanes[4][i] = V::Element::from_f64(slope);
    }
    (V::load(&lanes[3]), V::load(&lanes[4]))
}

fn ln_student_interval(df: f64, a: f64, b: f64) -> f64 {
    let (low, high) = if a > 0.0 { (-b, -a) } else { (a, b) };
    (student_cdf(df, high) - student_cdf(df, low)).ln()
}
