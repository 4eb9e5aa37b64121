//! Special functions against references, at every instruction set.

use super::reference as table;
use super::{Dual, Kernel, Lanes, SimdLevel, dispatch_at, functions};

const LEVELS: [SimdLevel; 3] = [SimdLevel::Portable, SimdLevel::Avx2, SimdLevel::Avx512];

macro_rules! matches_reference {
    ($($test:ident: $method:ident $(.$result:tt)?, $table:ident, $relative:literal, $absolute:literal;)*) => {
        $(
            #[test]
            fn $test() {
                struct Apply<'a>(&'a [f64], &'a mut [f64]);
                impl Kernel<f64> for Apply<'_> {
                    type Output = ();
                    #[inline(always)]
                    fn run<V: Lanes<Element = f64>>(self) {
                        let mut at = 0;
                        while at < self.0.len() {
                            V::load(&self.0[at..]).$method()$(.$result)?.store(&mut self.1[at..]);
                            at += V::WIDTH;
                        }
                    }
                }
                for level in LEVELS {
                    // Each argument fills eight lanes.
                    let x: Vec<f64> = table::$table.iter().flat_map(|(x, _)| [*x; 8]).collect();
                    let mut y = vec![0.0; x.len()];
                    dispatch_at(level, Apply(&x, &mut y));
                    for (i, (x, expected)) in table::$table.iter().enumerate() {
                        for lane in 0..8 {
                            let found = y[i * 8 + lane];
                            let error = (found - expected).abs();
                            assert!(
                                error <= $relative * expected.abs() + $absolute,
                                "{level:?}: {}({x}) is {found}, expected {expected}", stringify!($method)
                            );
                        }
                    }
                }
            }
        )*
    };
}

matches_reference! {
    the_exponential_is_exact_to_the_last_bits: exp, EXP, 5e-16, 1e-323;
    the_exponential_less_one_keeps_its_digits_near_zero: exp_m1, EXPM1, 6e-16, 0.0;
    the_logarithm_is_exact_to_the_last_bits: ln, LN, 4e-16, 0.0;
    the_logarithm_of_one_plus_keeps_its_digits_near_zero: ln_1p, LOG1P, 5e-16, 0.0;
    lgamma_is_exact_to_its_magnitude: lgamma, LGAMMA, 1e-15, 1e-14;
    digamma_is_exact_to_its_magnitude: digamma, DIGAMMA, 2e-15, 5e-15;
    trigamma_is_exact_to_its_magnitude: trigamma, TRIGAMMA, 5e-15, 0.0;
    the_error_function_is_exact: erf, ERF, 1e-15, 0.0;
    the_normal_distribution_function_keeps_its_digits_in_the_tail: normal_cdf, NORMAL_CDF, 5e-15, 0.0;
    its_logarithm_is_exact_far_into_the_tail: ln_normal_cdf, LN_NORMAL_CDF, 2e-15, 0.0;
    the_slope_of_its_logarithm_is_exact_far_into_the_tail: ln_normal_cdf_and_slope.1, INVERSE_MILLS, 5e-15, 1e-100;
    the_logarithm_of_the_lower_tail_is_exact: ln_normal_tails.0, LN_NORMAL_CDF, 2e-15, 0.0;
    the_logarithm_of_the_upper_tail_is_exact: ln_normal_tails.1, LN_NORMAL_SURVIVAL, 2e-15, 0.0;
    logarithms_of_factorials_are_exact_in_the_table_and_beyond: ln_factorial, LN_FACTORIAL, 1e-15, 1e-15;
    the_hyperbolic_tangent_is_exact: tanh, TANH, 1e-15, 0.0;
    the_logistic_function_is_exact: sigmoid, SIGMOID, 1e-15, 0.0;
    softplus_is_exact: softplus, SOFTPLUS, 1e-15, 0.0;
    the_sine_has_its_digits_also_near_its_zeros: sin, SIN, 3e-16, 0.0;
    the_cosine_has_its_digits_also_near_its_zeros: cos, COS, 3e-16, 0.0;
}

#[test]
fn the_edges_of_exponential_and_logarithm_are_those_of_ieee() {
    struct Edges;
    impl Kernel<f64> for Edges {
        type Output = [f64; 14];
        #[inline(always)]
        fn run<V: Lanes<Element = f64>>(self) -> [f64; 14] {
            let values = [
                V::constant(f64::INFINITY).exp(),
                V::constant(f64::NEG_INFINITY).exp(),
                V::constant(f64::NAN).exp(),
                V::zero().ln(),
                V::constant(-1.0).ln(),
                V::constant(f64::INFINITY).ln(),
                V::constant(-1.0).ln_1p(),
                V::constant(-0.0).ln(),
                V::constant(f64::INFINITY).ln_1p(),
                V::constant(f64::NAN).ln(),
                V::constant(f64::NAN).ln_1p(),
                V::constant(-1.5).ln_1p(),
                V::constant(-1000.0).exp_m1(),
                V::constant(1e308).ln_1p(),
            ];
            let mut out = [0.0; 14];
            for (value, out) in values.into_iter().zip(&mut out) {
                let mut lanes = [0.0; 8];
                value.store(&mut lanes);
                *out = lanes[0];
            }
            out
        }
    }
    for level in LEVELS {
        let [a, b, c, d, e, f, g, rest @ ..] = dispatch_at(level, Edges);
        assert_eq!((a, b, d, f, g), (f64::INFINITY, 0.0, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY), "{level:?}");
        assert!(c.is_nan() && e.is_nan(), "{level:?}");
        assert_eq!(rest[..2], [f64::NEG_INFINITY, f64::INFINITY], "{level:?}");
        assert!(rest[2..5].iter().all(|x| x.is_nan()), "{level:?}");
        assert!(rest[5] == -1.0 && (rest[6] - 709.196_208_642_166_1).abs() < 1e-12, "{level:?}");
    }
    assert!(Lanes::lgamma(-0.5_f64).is_nan());
}

#[test]
fn single_precision_follows_double_precision() {
    struct Apply;
    impl Kernel<f32> for Apply {
        type Output = Vec<(f32, f32)>;
        #[inline(always)]
        fn run<V: Lanes<Element = f32>>(self) -> Vec<(f32, f32)> {
            let mut out = Vec::new();
            for x in [0.1_f32, 0.9, 2.5, 17.0] {
                let v = V::splat(x);
                let mut lanes = [0.0_f32; 16];
                (v.exp() + v.ln() * v.tanh() - v.lgamma() + v.normal_cdf().sqrt()).store(&mut lanes);
                let x = f64::from(x);
                let exact = x.exp() + x.ln() * x.tanh() - Lanes::lgamma(x) + Lanes::normal_cdf(x).sqrt();
                #[allow(clippy::cast_possible_truncation)]
                out.push((lanes[V::WIDTH - 1], exact as f32));
            }
            out
        }
    }
    for level in LEVELS {
        for (found, expected) in dispatch_at(level, Apply) {
            assert!((found - expected).abs() <= 4e-7 * expected.abs().max(1.0), "{level:?}: {found} {expected}");
        }
    }
}

#[test]
fn sine_and_cosine_are_those_of_the_standard_library() {
    struct Apply<'a>(&'a [f64], &'a mut [f64], &'a mut [f64]);
    impl Kernel<f64> for Apply<'_> {
        type Output = ();
        #[inline(always)]
        fn run<V: Lanes<Element = f64>>(self) {
            let mut at = 0;
            while at < self.0.len() {
                let (sin, cos) = V::load(&self.0[at..]).sin_cos();
                sin.store(&mut self.1[at..]);
                cos.store(&mut self.2[at..]);
                at += V::WIDTH;
            }
        }
    }
    // All sizes and signs, some of them far beside others that are not.
    let x: Vec<f64> = (0..80_000).map(|i| ((f64::from(i) * 0.618).fract() - 0.5) * 10_f64.powi(i % 19 - 6)).collect();
    for level in LEVELS {
        let (mut sin, mut cos) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        dispatch_at(level, Apply(&x, &mut sin, &mut cos));
        for ((x, sin), cos) in x.iter().zip(&sin).zip(&cos) {
            assert!((sin - x.sin()).abs() < 2.3e-16 && (cos - x.cos()).abs() < 2.3e-16, "{level:?}: {x}: {sin} {cos}");
        }
        let mut edges = [vec![0.0; 8], vec![0.0; 8]];
        let [sin, cos] = &mut edges;
        dispatch_at(level, Apply(&[0.0, f64::INFINITY, f64::NAN, f64::NEG_INFINITY, 1.0, -1.0, -0.0, 2.0], sin, cos));
        assert!((1..4).all(|i| sin[i].is_nan() && cos[i].is_nan()) && (sin[0], cos[0]) == (0.0, 1.0), "{level:?}");
    }
}

type D = Dual<f64, 1>;
type D2 = Dual<f64, 2>;

#[test]
fn every_derivative_of_a_dual_is_the_finite_difference() {
    let functions: [(&str, fn(D) -> D, fn(f64) -> f64); 22] = [
        ("exp", functions::exp, functions::exp),
        ("ln", functions::ln, functions::ln),
        ("log1p", functions::log1p, functions::log1p),
        ("expm1", functions::expm1, functions::expm1),
        ("sqrt", functions::sqrt, functions::sqrt),
        ("abs", functions::abs, functions::abs),
        ("sin", functions::sin, functions::sin),
        ("cos", functions::cos, functions::cos),
        ("atan", |x| x.atan(), |x| x.atan()),
        ("tanh", functions::tanh, functions::tanh),
        ("sigmoid", functions::sigmoid, functions::sigmoid),
        ("logit", functions::logit, functions::logit),
        ("softplus", functions::softplus, functions::softplus),
        ("erf", functions::erf, functions::erf),
        ("normal_cdf", functions::normal_cdf, functions::normal_cdf),
        ("ln_normal_cdf", |x| x.ln_normal_cdf(), |x| Lanes::ln_normal_cdf(x)),
        ("inverse Mills ratio", |x| x.ln_normal_cdf_and_slope().1, |x| Lanes::ln_normal_cdf_and_slope(x).1),
        ("lgamma", functions::lgamma, functions::lgamma),
        ("digamma", |x| x.digamma(), |x| Lanes::digamma(x)),
        ("trigamma", |x| x.trigamma(), |x| Lanes::trigamma(x)),
        ("powi", |x| Lanes::powi(x, -3), |x| Lanes::powi(x, -3)),
        ("quotient", |x| D::constant(2.0) / x - x * x, |x| 2.0 / x - x * x),
    ];
    for (name, dual, plain) in functions {
        for x in [0.13, 0.47, 0.81] {
            let found = dual(D::variable(x, 0)).partials[0];
            let h = 1e-5;
            let numeric = (plain(x + h) - plain(x - h)) / (2.0 * h);
            assert!((found - numeric).abs() < 1e-6 * (1.0 + numeric.abs()), "{name} at {x}: {found} {numeric}");
        }
    }
    let binary: [(&str, fn(D2, D2) -> D2, fn(f64, f64) -> f64); 4] = [
        ("powf", functions::powf, functions::powf),
        ("min", functions::min, functions::min),
        ("max", functions::max, functions::max),
        ("product", |a, b| a.mul_add(b, a), |a, b| a * b + a),
    ];
    for (name, dual, plain) in binary {
        let (x, y, h) = (0.7, 1.3, 1e-5);
        let found = dual(D2::variable(x, 0), D2::variable(y, 1)).partials;
        let numeric = [(plain(x + h, y) - plain(x - h, y)) / (2.0 * h), (plain(x, y + h) - plain(x, y - h)) / (2.0 * h)];
        for (found, numeric) in found.iter().zip(numeric) {
            assert!((found - numeric).abs() < 1e-6, "{name}: {found} {numeric}");
        }
    }
}

#[test]
fn a_log_sum_over_nothing_and_over_infinities_is_no_nan() {
    assert_eq!(functions::LogSumExp::<f64>::new().value(), f64::NEG_INFINITY);
    let mut sum = functions::LogSumExp::<f64>::new();
    sum.push(f64::NEG_INFINITY);
    sum.push(f64::NEG_INFINITY);
    assert_eq!(sum.value(), f64::NEG_INFINITY);
    sum.push(700.0);
    sum.push(700.0);
    assert!((sum.value() - 700.0 - std::f64::consts::LN_2).abs() < 1e-12);
    assert_eq!(functions::log_sum_exp(f64::NEG_INFINITY, f64::NEG_INFINITY), f64::NEG_INFINITY);
    assert_eq!(functions::log_sum_exp(f64::NEG_INFINITY, 3.0), 3.0);
}
