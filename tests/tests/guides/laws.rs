//! What holds for every guide: pullbacks are derivatives, and the density is that of the draws.

use ndarray::{Array2, array};
use ppl_core::guides::{Guide, Path};
use ppl_core::kernel::Real;
use ppl_core::prelude::*;
use ppl_core::random::antithetic_normals;

model! {
    /// Latents of all supports over several plates, and parameters of the model.
    pub Zoo(y: [f64; N], x: [f64; N, P], group: [in G; N], size: [f64; G], heads: u64) {
        param shift: real = 0.3;
        param rate: positive = 2;
        mu ~ Normal(0, 1);
        tau ~ HalfNormal(1);
        beta[P] ~ Normal(0, 1);
        p ~ Beta(2, 3);
        w[G] ~ Dirichlet(1);
        c ~ Uniform(-1, 2);
        for g in G {
            alpha[g] ~ Normal(mu, tau);
            spread[g] ~ Gamma(2, rate);
        }
        heads ~ Binomial(9, p);
        for n in N {
            y[n] ~ Normal(alpha[group[n]] + dot(x[n], beta) + shift + c * w[group[n]], spread[group[n]]);
        }
    }
}

guide! {
    /// Every latent reads some before it, data of the model and of its own.
    pub Chained for Zoo(width: f64, bend: [f64; G], Q: usize) {
        param m: real = 0.2;
        param s: positive = 0.7;
        param k[Q]: real = 0.1;
        param a[G]: real = 0.4;
        param b[G]: positive = size[0];
        param tilt: interval(-1, 3) = 0.5;
        tau ~ LogNormal(m, s);
        auto p, w, c;
        let doubled = 2 * tau;
        mu ~ Normal(tilt * ln(tau) + sum(q in Q => k[q]), width + 0.1 * p);
        for g in G {
            let near = a[g] + tilt * mu;
            let slope[g] = if size[g] > 1 { near } else { bend[g] };
            alpha[g] ~ Normal(slope[g] + w[g] * c, b[g] * exp(0.1 * doubled));
        }
        beta[P] ~ Normal(alpha[group[0]] + y[0], 0.3);
        for g in G {
            spread[g] ~ LogNormal(0.1 * alpha[g] * alpha[g] + 0.2 * dot(x[0], beta), positive(s + 0.1 * spread_of(b[g])));
        }
    }
}

guide! {
    /// Families that are not normal, of which each reads some before it.
    pub Shapes for Zoo() {
        param m: real = 0.2;
        param k: positive = 1.3;
        param a[G]: positive = 0.8;
        param b[G]: positive = 2.5;
        param n: positive = 3;
        param d[P]: real = 0.4;
        auto c;
        w[G] ~ Dirichlet(a);
        tau ~ Gamma(k, 0.7 * k);
        mu ~ StudentT(n, m + 0.3 * ln(tau), 0.5 + 0.1 * tau);
        beta[P] ~ Logistic(d, 0.4 * k);
        p ~ Beta(k + 0.1 * exp(mu), 1.5);
        for g in G {
            alpha[g] ~ Gumbel(mu * p, a[g]);
            spread[g] ~ InverseGamma(b[g], a[g] + 0.2 * tau * exp(0.1 * alpha[g]));
        }
    }
}

guide! {
    /// More of them.
    pub MoreShapes for Zoo() {
        param m: real = 0.2;
        param k: positive = 1.3;
        param a[G]: positive = 0.8;
        auto c;
        w[G] ~ Dirichlet(0.5 + k);
        tau ~ LogNormal(m, 0.7);
        mu ~ Normal(m, tau);
        beta[P] ~ Cauchy(m, 0.4 * k);
        p ~ LogitNormal(m + 0.1 * mu, k);
        for g in G {
            alpha[g] ~ Normal(mu * p, a[g]);
            spread[g] ~ Weibull(1 + a[g], k + 0.2 * tau);
        }
    }
}

guide! {
    /// Vectors that are drawn together, among others.
    pub Vectors for Zoo() {
        param m: real = 0.2;
        param d[P]: real = 0.4;
        param l[P, P]: covariance_cholesky = 0.7;
        param of_alpha[G, G]: covariance_cholesky = 0.5;
        auto p, w, c;
        mu ~ Normal(m, 0.6);
        for j in P {
            let at[j] = d[j] + 0.3 * mu;
        }
        beta[P] ~ MultivariateNormal(at, scale_tril = l);
        tau ~ LogNormal(0.2 * dot(x[0], beta), 0.7);
        alpha[G] ~ MultivariateNormal(m, scale_tril = of_alpha);
        for g in G {
            spread[g] ~ LogNormal(0.3 * alpha[g] + 0.1 * tau, 0.5);
        }
    }
}

/// A function of the user's.
#[ppl_core::function]
pub(crate) fn spread_of<V: Lanes>(x: V) -> V {
    x * x
}

guide! {
    /// All is left to the automatic guide.
    pub AllAuto for Zoo() {
        auto mu, tau, beta, p, w, c, alpha, spread;
    }
}

fn zoo() -> Zoo {
    Zoo {
        y: vec![0.3, -1.0, 0.8, 1.4],
        x: array![[1.0, 0.2], [0.4, -0.3], [-1.0, 0.5], [0.1, 0.9]],
        group: vec![0, 1, 2, 1].into(),
        size: vec![0.5, 1.5, 2.5],
        heads: 4,
    }
}

fn chained() -> Chained {
    Chained { width: 0.6, bend: vec![0.3, -0.2, 0.1], Q: 2 }
}

const SAMPLES: usize = 16;

/// A guide of the zoo, its parameters moved from where they start.
pub(crate) fn guide<E: Real, M: Model<Element = E>>(model: &M, guide: &impl GuideOf<M>) -> ppl_core::guides::OwnGuide {
    let bound = model.bind().expect("good data");
    let mut own = guide.bind_guide(model, bound.layout()).expect("a good start");
    let parameters = own.guide_mut::<E>().parameters_mut();
    parameters.iter_mut().enumerate().for_each(|(i, x)| *x += 0.2 * (1.0 + 1.7 * i as f64).sin());
    own
}

fn noise<E: Real>(guide: &dyn Guide<E>) -> Vec<E> {
    let mut noise = vec![E::default(); guide.noise() * SAMPLES];
    antithetic_normals(3, SAMPLES, &mut noise);
    noise
}

fn draws<E: Real>(guide: &dyn Guide<E>, noise: &[E]) -> Vec<E> {
    let mut u = vec![E::default(); guide.dimensions() * SAMPLES];
    guide.sample(noise, SAMPLES, &mut u);
    u
}

fn log_prob<E: Real>(guide: &dyn Guide<E>, u: &[E]) -> Vec<f64> {
    let mut log_prob = vec![f64::NAN; SAMPLES];
    guide.log_prob(u, SAMPLES, &mut log_prob);
    log_prob
}

/// The derivative of `value` by each parameter.
fn by_parameters<E: Real>(guide: &mut dyn Guide<E>, h: f64, value: impl Fn(&dyn Guide<E>) -> f64) -> Vec<f64> {
    (0..guide.parameters().len())
        .map(|i| {
            let mut at = |by: f64| {
                guide.parameters_mut()[i] += by;
                let found = value(guide);
                guide.parameters_mut()[i] -= by;
                found
            };
            (at(h) - at(-h)) / (2.0 * h)
        })
        .collect()
}

/// That the pullbacks of a guide are derivatives.
pub(crate) fn check<E: Real>(mut own: ppl_core::guides::OwnGuide, h: f64, tolerance: f64) {
    let close = |what: &str, found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < tolerance * (1.0 + expected.abs()), "{what} {i}: {found}, expected {expected}");
        }
    };
    let guide = own.guide_mut::<E>();
    let noise = noise(guide);
    let u = draws(guide, &noise);
    assert!(u.iter().all(|u| u.to_f64().is_finite()));
    let path = Path { noise: &noise, u: &u, samples: SAMPLES };
    let weights: Vec<f64> = (0..SAMPLES).map(|s| 0.5 + 0.1 * s as f64).collect();
    let lanes: Vec<E> = weights.iter().map(|&w| E::from_f64(w)).collect();
    let adjoint: Vec<E> = (0..u.len()).map(|i| E::from_f64((0.3 * i as f64).cos())).collect();
    let count = guide.parameters().len();
    let weigh = |values: &[f64]| values.iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>();
    let along = |u: &[E]| u.iter().zip(&adjoint).map(|(u, a)| u.to_f64() * a.to_f64()).sum::<f64>();
    let numbers = |rows: &[E]| rows.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();

    let mut of_noise = vec![f64::NAN; SAMPLES];
    guide.log_prob_of(path, &mut of_noise);
    close("log q of known noise", &of_noise, &log_prob(guide, &u));

    let mut of_draws = vec![0.0; count];
    guide.pull_sample(path, &mut adjoint.clone(), &mut of_draws);
    close("draws", &of_draws, &by_parameters(guide, h, |guide| along(&draws(guide, &noise))));

    let (mut of_density, mut by_u) = (vec![0.0; count], vec![E::default(); u.len()]);
    guide.pull_log_prob(&u, SAMPLES, &weights, Some(&mut by_u), Some(&mut of_density));
    close("log q by parameters", &of_density, &by_parameters(guide, h, |guide| weigh(&log_prob(guide, &u))));
    let numeric: Vec<f64> = (0..u.len())
        .map(|i| {
            let at = |by: f64| {
                let mut u = u.clone();
                u[i] = E::from_f64(u[i].to_f64() + by);
                weigh(&log_prob(guide, &u))
            };
            (at(h) - at(-h)) / (2.0 * h)
        })
        .collect();
    close("log q by draws", &numbers(&by_u), &numeric);

    let mut whole = vec![0.0; count];
    guide.pull_path(path, &lanes, &mut adjoint.clone(), &mut whole, &mut Vec::new());
    let value = |guide: &dyn Guide<E>| {
        let u = draws(guide, &noise);
        along(&u) - weigh(&log_prob(guide, &u))
    };
    close("the whole path", &whole, &by_parameters(guide, h, value));
    // Sticking the landing leaves out what the parameters of the density are at the draws.
    let mut sticking = vec![0.0; count];
    guide.stick(path, &lanes, &mut adjoint.clone(), &mut sticking, &mut Vec::new());
    let expected: Vec<f64> = whole.iter().zip(&of_density).map(|(whole, direct)| whole + direct).collect();
    close("sticking the landing", &sticking, &expected);
}

#[test]
fn pullbacks_are_derivatives() {
    check::<f64>(guide(&zoo(), &chained()), 1e-5, 2e-7);
    check::<f64>(guide(&zoo(), &AllAuto), 1e-5, 2e-7);
    check::<f64>(guide(&zoo(), &Shapes), 1e-5, 2e-6);
    check::<f64>(guide(&zoo(), &MoreShapes), 1e-5, 2e-6);
    check::<f64>(guide(&zoo(), &Vectors), 1e-5, 2e-7);
}

model! {
    /// Groups in single precision.
    pub Single(y: [f32; J]) {
        mu ~ Normal(0, 1);
        tau ~ HalfNormal(1);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], 1);
        }
    }
}

guide! {
    /// Its guide.
    pub OfSingle for Single() {
        param m[J]: real = 0;
        param k: real = 0.5;
        auto mu;
        tau ~ LogNormal(0.3 * mu, 0.6);
        for j in J {
            theta[j] ~ Normal(m[j] + k * mu + y[j], 0.5 * tau);
        }
    }
}

guide! {
    /// Its guide of other families.
    pub ShapesOfSingle for Single() {
        param m[J]: real = 0;
        param k: positive = 1.5;
        auto mu;
        tau ~ Gamma(k, 1);
        for j in J {
            theta[j] ~ Logistic(m[j] + y[j], 0.5 + 0.1 * tau);
        }
    }
}

guide! {
    /// Its guide by vectors.
    pub VectorsOfSingle for Single() {
        param m[J]: real = 0;
        param l[J, J]: covariance_cholesky = 0.8;
        auto mu, tau;
        theta[J] ~ MultivariateNormal(m, scale_tril = l);
    }
}

#[test]
fn pullbacks_are_derivatives_in_single_precision() {
    check::<f32>(guide(&Single { y: vec![0.3, -0.4, 1.0] }, &VectorsOfSingle), 1e-2, 2e-2);
    check::<f32>(guide(&Single { y: vec![0.3, -0.4, 1.0] }, &ShapesOfSingle), 2e-2, 5e-2);
    check::<f32>(guide(&Single { y: vec![0.3, -0.4, 1.0] }, &OfSingle), 1e-2, 2e-2);
}

/// `ln |det|` by elimination with pivots.
fn log_det(mut a: Array2<f64>) -> f64 {
    let n = a.nrows();
    let mut log = 0.0;
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[[i, k]].abs().total_cmp(&a[[j, k]].abs())).expect("rows");
        for j in 0..n {
            a.swap([k, j], [pivot, j]);
        }
        log += a[[k, k]].abs().ln();
        for i in k + 1..n {
            let factor = a[[i, k]] / a[[k, k]];
            for j in k..n {
                a[[i, j]] -= factor * a[[k, j]];
            }
        }
    }
    log
}

/// That of every draw, by the Jacobian determinant of the draws in their noise.
pub(crate) fn density_is_that_of_the_draws(own: &ppl_core::guides::OwnGuide) {
    let guide = own.guide::<f64>();
    let noise = noise(guide);
    let found = log_prob(guide, &draws(guide, &noise));
    let n = guide.noise();
    // The derivative of all draws by one row of noise at a time, in every sample.
    let h = 1e-5;
    let columns: Vec<Vec<f64>> = (0..n)
        .map(|row| {
            let at = |by: f64| {
                let mut noise = noise.clone();
                noise[row * SAMPLES..(row + 1) * SAMPLES].iter_mut().for_each(|x| *x += by);
                draws(guide, &noise)
            };
            at(h).iter().zip(at(-h)).map(|(a, b)| (a - b) / (2.0 * h)).collect()
        })
        .collect();
    for sample in 0..SAMPLES {
        // Points have no noise.
        let jacobian = Array2::from_shape_fn((n, n), |(i, j)| columns[j][i * SAMPLES + sample]);
        let squares: f64 = (0..n).map(|i| noise[i * SAMPLES + sample].powi(2)).sum();
        let expected = -0.5 * (squares + n as f64 * std::f64::consts::TAU.ln()) - log_det(jacobian);
        assert!((found[sample] - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{} {expected}", found[sample]);
    }
}

#[test]
fn the_density_is_that_of_the_draws() {
    let shapes = [guide(&zoo(), &Shapes), guide(&zoo(), &MoreShapes), guide(&zoo(), &Vectors)];
    for own in [guide(&zoo(), &chained()), guide(&zoo(), &AllAuto)].into_iter().chain(shapes) {
        density_is_that_of_the_draws(&own);
    }
}

#[test]
fn units_are_those_of_the_fisher_information() {
    let own = guide(&Single { y: vec![0.3, -0.4, 1.0] }, &OfSingle);
    let guide = own.guide::<f32>();
    let mut units = vec![0.0; guide.parameters().len()];
    guide.units(guide.parameters(), &mut units);
    // Of a location, E[1 / scale^2], the scale being half of a log-normal number whose location is a Gaussian's.
    let noise = noise(guide);
    let u = draws(guide, &noise);
    let mean = |f: &dyn Fn(f64) -> f64| u[SAMPLES..2 * SAMPLES].iter().map(|u| f(f64::from(*u))).sum::<f64>() / SAMPLES as f64;
    let expected = mean(&|log_tau| (0.5 * log_tau.exp()).powi(-2)).powf(-0.5);
    for unit in &units[..3] {
        // Both are means over few samples.
        assert!((unit / expected).ln().abs() < 0.7, "{unit} {expected}");
    }
}

/// The entropy of a guide, by draws.
fn entropy(guide: &dyn Guide<f64>) -> f64 {
    let batches = 200;
    let of_batch = |batch: u64| {
        let mut noise = vec![0.0; guide.noise() * SAMPLES];
        antithetic_normals(batch, SAMPLES, &mut noise);
        -log_prob(guide, &draws(guide, &noise)).iter().sum::<f64>() / SAMPLES as f64
    };
    (0..batches).map(of_batch).sum::<f64>() / batches as f64
}

#[test]
fn narrowing_multiplies_scales() {
    for (name, mut own) in [
        ("Chained", guide(&zoo(), &chained())),
        ("AllAuto", guide(&zoo(), &AllAuto)),
        ("Shapes", guide(&zoo(), &Shapes)),
        ("MoreShapes", guide(&zoo(), &MoreShapes)),
        ("Vectors", guide(&zoo(), &Vectors)),
    ] {
        let was = entropy(own.guide::<f64>());
        own.guide_mut::<f64>().narrow(0.8);
        // Where some scales are of data alone, others are narrowed for them, so that the mean logarithm is that of the factor.
        let gained = (was - entropy(own.guide::<f64>())) / own.guide::<f64>().noise() as f64;
        println!("{name}: {}", gained / -0.8_f64.ln());
        assert!((0.8..1.2).contains(&(gained / -0.8_f64.ln())), "{name}: {gained}");
    }
}
