//! Laws of draws, over every proper continuous distribution of one number whose support does not depend on its parameters.

use super::super::reference::REFERENCE;
#[allow(clippy::wildcard_imports, reason = "the list names every distribution")]
use super::super::*;
use super::*;

/// From far below to far above.
const NOISE: [f64; 13] = [-6.0, -4.5, -3.0, -2.0, -1.0, -0.3, 0.0, 0.4, 1.0, 2.0, 3.0, 4.5, 6.0];

/// Parameters beside those of the reference densities.
const EXTREMES: &[(&str, &[f64])] = &[
    ("Gamma", &[0.01, 3.0]),
    ("Gamma", &[0.3, 1e-6]),
    ("Gamma", &[1.0, 1.0]),
    ("Gamma", &[30.0, 1e4]),
    ("Gamma", &[1e5, 2.0]),
    ("InverseGamma", &[0.01, 3.0]),
    ("InverseGamma", &[1e5, 2.0]),
    ("ChiSquared", &[0.02]),
    ("InverseChiSquared", &[0.02]),
    ("FisherSnedecor", &[0.1, 0.1]),
    ("BetaPrime", &[0.02, 0.02]),
    ("BetaPrime", &[300.0, 2.0]),
    ("Beta", &[0.02, 3.0]),
    ("Beta", &[3.0, 1.0]),
    ("Beta", &[2e3, 4e4]),
    ("Kumaraswamy", &[0.1, 5.0]),
    ("Weibull", &[0.1, 2.0]),
    ("Frechet", &[0.1, 2.0]),
    ("StudentT", &[0.2, 1.0, 1e-3]),
    ("StudentT", &[1e4, 1e3, 2.0]),
    ("HalfStudentT", &[0.2, 1.0]),
    ("Cauchy", &[-4.0, 1e3]),
    ("SkewNormal", &[0.0, 1.0, -20.0]),
    ("Logistic", &[1e3, 1e-3]),
];

fn cases(name: &str) -> Vec<&'static [f64]> {
    let all = REFERENCE.iter().map(|&(name, params, ..)| (name, params)).chain(EXTREMES.iter().copied());
    let mut own: Vec<&[f64]> = all.filter(|(known, _)| *known == name).map(|(_, params)| params).collect();
    own.dedup();
    own
}

/// Calls a law for each distribution, with the words that it has in the catalogue.
macro_rules! each {
    ($law:ident) => {
        each!($law: HalfNormal 1, LogNormal 2, HalfStudentT 2, HalfCauchy 1, Exponential 1, Gamma 2, InverseGamma 2, ChiSquared 1, InverseChiSquared 1,
            FisherSnedecor 2, BetaPrime 2, Weibull 2, Frechet 2, Rayleigh 1, Gompertz 2, Beta 2, Kumaraswamy 2, LogitNormal 2, RelaxedBernoulli 2, Normal 2, StudentT 3, Cauchy 2,
            Laplace 2, AsymmetricLaplace 3, Logistic 2, Gumbel 2, SkewNormal 3)
    };
    ($law:ident: $($name:ident $count:literal),*) => {
        $(for params in cases(stringify!($name)) {
            let params: [f64; $count] = params.try_into().expect("as many as the reference has");
            $law::<$name, $count>(stringify!($name), params);
        })*
    };
}

#[test]
fn every_distribution_is_tested() {
    let proper = REGISTRY.iter().filter(|entry| entry.quantiles.is_some());
    let fixed = proper.filter(|entry| matches!(entry.support, Support::Real | Support::Positive | Support::Unit));
    // Neither angles nor, since a count has no derivative, Erlang's.
    let fixed = fixed.filter(|entry| !matches!(entry.name, "VonMises" | "Erlang"));
    assert_eq!(fixed.count(), 27);
}

// One copy for a distribution: it is long.
#[inline(never)]
fn ask<D: Cumulative<P>, const P: usize>(wanted: Wanted<f64>, params: [f64; P]) -> Answer<f64, P> {
    answer::<D, f64, P>(wanted, params)
}

#[inline(never)]
fn drawn_single<D: Cumulative<P>, const P: usize>(noise: f32, params: [f32; P]) -> f32 {
    answer::<D, f32, P>(Wanted::Draw(Probability::below(noise)), params).u
}

fn drawn<D: Cumulative<P>, const P: usize>(noise: f64, params: [f64; P]) -> f64 {
    ask::<D, P>(Wanted::Draw(Probability::below(noise)), params).u
}

fn density<D: Cumulative<P>, const P: usize>(u: f64, params: [f64; P]) -> Density<f64, P> {
    ask::<D, P>(Wanted::Density(u), params).density
}

fn moved<D: Cumulative<P>, const P: usize>(u: f64, params: [f64; P]) -> [f64; P] {
    ask::<D, P>(Wanted::Velocity(u), params).velocity
}

/// The tails, of the object in the registry.
fn tails_at<D: Cumulative<P>, const P: usize>(x: f64, params: [f64; P]) -> (f64, f64) {
    let entry = REGISTRY.iter().find(|entry| entry.name == D::NAME).expect("one of the catalogue");
    let (below, above, _) = entry.quantiles.expect("a distribution function").tails(x, &params);
    (below, above)
}

/// The tails at a number, those beyond the ends of the doubles by the straight lines.
fn tails<D: Cumulative<P>, const P: usize>(u: f64, params: [f64; P]) -> (f64, f64) {
    let (inside, beyond) = Scale::of::<D, P>(params).clamped(u);
    let (ln_below, ln_above) = tails_at::<D, P>(Scale::of::<D, P>(params).number(inside).x, params);
    let ln = density::<D, P>(inside, params).ln;
    if beyond < 0.0 {
        let below = ln_below + beyond * (ln - ln_below).exp();
        (below, ln_one_minus_exp(below))
    } else if beyond > 0.0 {
        let above = ln_above - beyond * (ln - ln_above).exp();
        (ln_one_minus_exp(above), above)
    } else {
        (ln_below, ln_above)
    }
}

/// The rounding of differences of logarithms of gamma functions, which densities and tails are made of.
fn rounding<const P: usize>(params: [f64; P]) -> f64 {
    4.0 * f64::EPSILON * params.iter().map(|param| f64::lgamma(1.0 + param.abs()).abs()).fold(1.0, f64::max)
}

/// How far the logarithm of a tail moves when the number is off by its last digits.
fn digits<D: Cumulative<P>, const P: usize>(u: f64, params: [f64; P], ln_tail: f64) -> f64 {
    let rest = if D::SUPPORT == Support::Unit { 1.0 + Scale::of::<D, P>(params).clamped(u).0.exp() } else { 1.0 };
    rounding(params) + 4.0 * f64::EPSILON * (u.abs() + rest) * (density::<D, P>(u, params).ln - ln_tail).exp()
}

fn round_trip<D: Cumulative<P>, const P: usize>(name: &str, params: [f64; P]) {
    for noise in NOISE {
        let u = drawn::<D, P>(noise, params);
        let (below, above) = tails::<D, P>(u, params);
        let expected = Probability::below(noise);
        let (found, expected) = if noise < 0.0 { (below, expected.ln_below) } else { (above, expected.ln_above) };
        let tolerance = 1e-10 + digits::<D, P>(u, params, found);
        assert!(
            (found - expected).abs() < tolerance,
            "{name}{params:?} at {noise}: u {u}, ln of the tail {found}, expected {expected}, off by {:e} of {tolerance:e}",
            found - expected
        );
    }
}

#[test]
fn a_draw_has_the_probability_of_its_noise_below_it() {
    each!(round_trip);
}

fn quantiles<D: Cumulative<P>, const P: usize>(name: &str, params: [f64; P]) {
    let entry = REGISTRY.iter().find(|entry| entry.name == D::NAME).expect("one of the catalogue");
    for noise in [-2.0, -0.5, 0.7, 1.5] {
        let u = drawn::<D, P>(noise, params);
        if Scale::of::<D, P>(params).clamped(u).1 != 0.0 {
            continue;
        }
        // The distribution function itself, whatever the steps are made of.
        let below = entry.quantiles.expect("a distribution function").cdf(Scale::of::<D, P>(params).number(u).x, &params);
        let found = if noise < 0.0 { below } else { 1.0 - below };
        let expected = Probability::below(-f64::abs(noise)).ln_below;
        let tolerance = 1e-10 + digits::<D, P>(u, params, expected);
        assert!(
            (found / expected.exp() - 1.0).abs() < tolerance,
            "{name}{params:?} at {noise}: {found}, expected {}",
            expected.exp()
        );
    }
}

#[test]
fn draws_are_quantiles() {
    each!(quantiles);
}

/// The derivative of a function, its error and what rounding leaves of it, by differences of two lengths (Richardson).
fn difference(h: f64, function: impl Fn(f64) -> f64) -> f64 {
    let at = |h: f64| (function(h) - function(-h)) / (2.0 * h);
    (4.0 * at(0.5 * h) - at(h)) / 3.0
}

fn derivatives<D: Cumulative<P>, const P: usize>(name: &str, params: [f64; P]) {
    for noise in [-3.0, -1.1, 0.3, 1.7, 3.0] {
        let u = drawn::<D, P>(noise, params);
        let own = density::<D, P>(u, params);
        // Change of variables: phi(noise) = q(u) du / d noise. Kinks are left out.
        let slope = difference(1e-3, |by| drawn::<D, P>(noise + by, params));
        let expected = -0.5 * noise * noise - 0.5 * std::f64::consts::TAU.ln() - slope.ln();
        let smooth = !name.ends_with("Laplace");
        // A number near one has few digits of its rest.
        let near_one = if D::SUPPORT == Support::Unit { f64::EPSILON * u.max(0.0).exp() } else { 0.0 };
        let lost = (10.0 * rounding(params) + near_one) / 1e-3;
        let tolerance = 1e-7 + 10.0 * lost + 50.0 * f64::EPSILON * (1.0 + u.abs()) / (1e-3 * slope);
        assert!(
            (own.ln - expected).abs() < tolerance || !smooth,
            "{name}{params:?} at {noise}: ln q {}, expected {expected}",
            own.ln
        );
        let step = 1e-3 * slope;
        let found = difference(step, |by| density::<D, P>(u + by, params).ln);
        let close = |what: &str, found: f64, expected: f64, scale: f64| {
            assert!(
                (found - expected).abs() < (1e-6 + lost) * (scale + expected.abs()),
                "{name}{params:?} at {noise}, u {u}: {what} {found}, expected {expected}"
            );
        };
        close("d ln q / du", own.d_u * slope, found * slope, 1.0 + own.ln.abs());
        let velocities = moved::<D, P>(u, params);
        for i in 0..P {
            let unit = if params[i] == 0.0 { 1.0 } else { params[i].abs() };
            let with = |by: f64| std::array::from_fn(|j| if i == j { params[j] + by * unit } else { params[j] });
            // A location far from zero moves the draw by many scales.
            let step = 1e-3 / (velocities[i] * unit / slope).abs().max(1.0);
            let expected = difference(step, |by| drawn::<D, P>(noise, with(by)));
            close(&format!("du / d parameter {i}"), velocities[i] * unit / slope, expected / slope, 1.0 + 1e-6 * u.abs() / slope);
            let expected = difference(step, |by| density::<D, P>(u, with(by)).ln);
            close(&format!("d ln q / d parameter {i}"), own.d_params[i] * unit, expected, 1.0 + u.abs());
        }
    }
}

#[test]
fn derivatives_are_those_of_the_draw_and_its_density() {
    each!(derivatives);
}

#[test]
fn a_gamma_variable_of_small_shape_has_its_logarithm_where_it_underflows() {
    // ln x = (ln p + lgamma(shape + 1)) / shape - ln rate, where x is 0.
    let (shape, rate): (f64, f64) = (0.01, 3.0);
    let u = drawn::<Gamma, 2>(-6.0, [shape, rate]);
    let expected = (f64::ln_normal_cdf(-6.0) + f64::lgamma(shape + 1.0)) / shape - rate.ln();
    assert!((u - expected).abs() < 1e-9 * expected.abs(), "{u} {expected}");
    assert!(expected < -2000.0);
    // ln q(u) = shape u - lgamma(shape) + shape ln rate
    let ln = density::<Gamma, 2>(u, [shape, rate]).ln;
    let expected = shape * u - f64::lgamma(shape) + shape * rate.ln();
    assert!((ln - expected).abs() < 1e-10 * expected.abs(), "{ln} {expected}");
}

#[test]
fn an_angle_moves_with_its_parameters() {
    for params in [[0.3, 1.7], [-2.9, 6.0], [0.0, 0.1]] {
        for noise in [-2.0, -0.6, 0.2, 1.4] {
            let u = drawn::<VonMises, 2>(noise, params);
            let x = Scale::of::<VonMises, 2>(params).number(u).x;
            assert!((cdf::<VonMises, 2>(x, params) - Lanes::normal_cdf(noise)).abs() < 1e-12, "{params:?} at {noise}");
            let slope = difference(1e-3, |by| drawn::<VonMises, 2>(noise + by, params));
            let own = density::<VonMises, 2>(u, params);
            let expected = -0.5 * noise * noise - 0.5 * std::f64::consts::TAU.ln() - slope.ln();
            assert!((own.ln - expected).abs() < 1e-7, "{params:?} at {noise}: ln q {}, expected {expected}", own.ln);
            let expected = difference(1e-3, |by| density::<VonMises, 2>(u + by, params).ln);
            assert!((own.d_u - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{params:?} at {noise}: {} {expected}", own.d_u);
            let velocities = moved::<VonMises, 2>(u, params);
            for i in 0..2 {
                let with = |by: f64| std::array::from_fn(|j| if i == j { params[j] + by } else { params[j] });
                let expected = difference(1e-3, |by| drawn::<VonMises, 2>(noise, with(by)));
                let found = velocities[i];
                assert!((found - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{params:?} at {noise}: {found} {expected}");
                let expected = difference(1e-3, |by| density::<VonMises, 2>(u, with(by)).ln);
                assert!((own.d_params[i] - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{params:?} at {noise}: {expected}");
            }
        }
    }
}

/// Of a distribution on an interval: its draws, its density, and how it moves with those parameters that are not the ends.
fn on_interval<D: Cumulative<P>, const P: usize>(params: [f64; P], moving: &[usize]) {
    let name = D::NAME;
    for noise in [-4.0, -2.0, -0.6, 0.2, 1.4, 3.0] {
        let u = drawn::<D, P>(noise, params);
        let x = Scale::of::<D, P>(params).number(u).x;
        // The numbers of which the only end is above grow where the unconstrained ones fall.
        let is_mirrored = matches!(Scale::of::<D, P>(params), Scale::Below(_));
        let (below, expected) = (cdf::<D, P>(x, params), Lanes::normal_cdf(if is_mirrored { -noise } else { noise }));
        assert!((below - expected).abs() < 1e-10, "{name}{params:?} at {noise}: x {x} has {below} below it, expected {expected}");
        let slope = difference(1e-3, |by| drawn::<D, P>(noise + by, params));
        let own = density::<D, P>(u, params);
        let close = |what: &str, found: f64, expected: f64| {
            let off = (found - expected).abs();
            assert!(
                off < 2e-6 * (1.0 + expected.abs()),
                "{name}{params:?} at {noise}, u {u}: {what} {found}, expected {expected}"
            );
        };
        close("ln q", own.ln, -0.5 * noise * noise - 0.5 * std::f64::consts::TAU.ln() - slope.ln());
        let step = 1e-3 * slope.min(1.0);
        close("d ln q / du", own.d_u * slope, slope * difference(step, |by| density::<D, P>(u + by, params).ln));
        let velocities = moved::<D, P>(u, params);
        for &i in moving {
            let with = |by: f64| std::array::from_fn(|j| if i == j { params[j] + by } else { params[j] });
            let step = 1e-3 * slope.min(1.0) / velocities[i].abs().max(1.0);
            let expected = difference(step, |by| drawn::<D, P>(noise, with(by)));
            close(&format!("du / d parameter {i}"), velocities[i] / slope, expected / slope);
            let expected = difference(step, |by| density::<D, P>(u, with(by)).ln);
            close(&format!("d ln q / d parameter {i}"), own.d_params[i] * slope, expected * slope);
        }
    }
}

#[test]
fn draws_on_intervals_have_their_probability_and_derivatives() {
    let infinity = f64::INFINITY;
    on_interval::<Uniform, 2>([-1.0, 2.0], &[]);
    on_interval::<Uniform, 2>([0.0, 1e6], &[]);
    on_interval::<LogUniform, 2>([0.5, 2000.0], &[]);
    on_interval::<Triangular, 3>([-1.0, 2.0, 0.3], &[2]);
    on_interval::<Pareto, 2>([0.7, 2.5], &[1]);
    for params in [[0.3, 1.2, -1.0, 2.0], [0.0, 1.0, 0.0, infinity], [0.5, 1.0, -infinity, 0.2], [-3.0, 1.0, 0.0, infinity]] {
        on_interval::<Truncated<Normal>, 4>(params, &[0, 1]);
    }
    // Much narrower than the interval, and far out in a tail.
    on_interval::<Truncated<Normal>, 4>([5.0, 1e-3, 0.0, 10.0], &[0, 1]);
    on_interval::<Truncated<Normal>, 4>([12.0, 1.0, -1.0, 2.0], &[0, 1]);
    on_interval::<Truncated<StudentT>, 5>([3.0, 0.4, 1.5, 1.0, infinity], &[0, 1, 2]);
    on_interval::<Truncated<Gamma>, 4>([2.0, 1.0, 0.5, infinity], &[0, 1]);
    on_interval::<Truncated<Gamma>, 4>([2.0, 1.0, -infinity, 3.0], &[0, 1]);
    on_interval::<Truncated<Beta>, 4>([2.0, 3.0, 0.2, infinity], &[0, 1]);
    on_interval::<Truncated<Gumbel>, 4>([1.0, 0.5, -infinity, 4.0], &[0, 1]);
}

#[test]
fn what_is_no_parameter_has_no_draws() {
    assert!(drawn::<Gamma, 2>(0.3, [-1.0, 1.0]).is_nan());
    assert!(drawn::<StudentT, 3>(0.3, [3.0, f64::NAN, 1.0]).is_nan());
}

#[allow(clippy::cast_possible_truncation, reason = "single precision")]
fn single<D: Cumulative<P>, const P: usize>(name: &str, params: [f64; P]) {
    if EXTREMES.iter().any(|(known, of)| *known == name && **of == params) {
        return;
    }
    for noise in [-3.0_f32, -1.0, 0.2, 1.0, 3.0] {
        let u = f64::from(drawn_single::<D, P>(noise, params.map(|x| x as f32)));
        let exact = drawn::<D, P>(f64::from(noise), params.map(|x| f64::from(x as f32)));
        if Scale::of::<D, P>(params.map(|x| x as f32)).clamped(exact as f32).1 != 0.0 {
            continue;
        }
        let slope = (-0.5 * f64::from(noise).powi(2) - 0.919 - density::<D, P>(exact, params).ln).exp();
        assert!(
            (u - exact).abs() < 1e-3 * slope + 1e-5 * (1.0 + exact.abs()),
            "{name}{params:?} at {noise}: {u}, expected {exact}"
        );
    }
}

#[test]
#[allow(clippy::cast_possible_truncation, reason = "single precision")]
fn draws_in_single_precision_are_near() {
    each!(single: Gamma 2, InverseGamma 2, Beta 2, Weibull 2, StudentT 3, Gumbel 2);
}
