//! Every construct of the language: gradients by finite differences, both forms of the kernels, and the walk.
#![forbid(unsafe_code)]

use ppl_core::kernel::Lanes;
use ppl_core::prelude::*;
use ppl_tests::check_model;
use ppl_tests::models::Radon;

#[test]
fn gathers_and_plates() {
    let model = Radon {
        log_radon: vec![1.0, 2.0, 0.5, 0.1],
        floor: vec![0.0, 1.0, 1.0, 0.0],
        county: vec![0, 1, 1, 2].into(),
        uranium: vec![0.3, -0.2, 0.9],
    };
    check_model(&*model.bind().unwrap());
}

model! {
    /// Products, stored quantities, gathers of gathers, ranges, sums, choices and factors.
    pub Everything(
        y: [f64; N], x: [f64; N, P], g: [in C; N], region: [in R; C], treated: [bool; N], exposure: f64, order: usize
    ) {
        beta[P] ~ Normal(0, 1);
        w[C, P] ~ Normal(0, 2);
        r[R] ~ StudentT(4, 0, 1);
        s ~ HalfNormal(2);
        m ~ Normal(0, 1);
        for c in C {
            raw[c] ~ Normal(r[region[c]], 1);
            let alpha[c] = m + s * raw[c];
        }
        let total = sum(alpha) / C;
        for n in N {
            let effect = dot(x[n], beta) + alpha[g[n]] + dot(x[n], w[g[n]]) + r[region[g[n]]]
                + if treated[n] && x[n, 0] > 0 { exp(m) / s } else { tanh(m) };
            y[n] ~ Normal(effect * exposure + total * (x[n, 0] - 1).powi(2), exp(0.1 * s) + 0.5);
        }
        factor(log_sum_exp(k in 0..3 => Normal(k, 1).log_prob(m)) - sqrt(s) * sum(p in P => beta[p] * beta[p]));
        for n in order..N {
            factor(-0.1 * (y[n] - m * y[n - order]).powi(2) + (x[n, 1] >= 0.2) * m);
        }
    }
}

fn everything(rows: usize) -> Everything {
    Everything {
        y: (0..rows).map(|i| (i % 7) as f64 / 7.0).collect(),
        x: Array2::from_shape_fn((rows, 4), |(i, j)| ((i * 31 + j * 17) % 13) as f64 / 13.0 - 0.4),
        g: (0..rows).map(|i| i % 3).collect(),
        region: vec![0, 1, 1].into(),
        treated: (0..rows).map(|i| i % 3 == 0).collect(),
        exposure: 0.7,
        order: 2,
    }
}

#[test]
fn products_quantities_ranges_sums_choices_and_factors() {
    check_model(&*everything(37).bind().unwrap());
}

#[test]
fn plates_that_are_cut_in_parts_give_the_same_derivatives() {
    check_model(&*everything(5000).bind().unwrap());
}

model! {
    /// All functions of the language, on a positive and a bounded latent.
    pub Functions(a: f64) {
        x ~ Gamma(2, 1);
        p ~ Beta(2, 3);
        z ~ Normal(0, 1);
        factor(exp(-x) + ln(x) + log1p(x) + expm1(0.1 * z) + sqrt(x) + abs(z) + sin(z) + cos(z) + tanh(z));
        factor(sigmoid(z) + logit(p) + softplus(z) + erf(z) + normal_cdf(z) + lgamma(x) + powf(x, z) + powf(x, a));
        factor(min(x, z) + max(p, z) + log_sum_exp(x, p, z) + z.powi(3) - x / p + (x - p) * (z + 1) / 2);
        factor(0.3 * positive(x - z + 3) + unit(p));
    }
}

#[test]
fn all_functions() {
    check_model(&*Functions { a: 1.3 }.bind().unwrap());
}

model! {
    /// Counts and categories.
    pub Counts(
        flips: [bool; N], zeros: [f64; N], wins: [u64; N], trials: [u64; N], events: [u64; N], class: [in K; N], x: [f64; N, P]
    ) {
        p ~ Beta(1, 1);
        eta ~ Normal(0, 1);
        dispersion ~ Gamma(2, 1);
        w[K] ~ Dirichlet(2);
        c[K, P] ~ Normal(0, 1);
        for n in N {
            flips[n] ~ Bernoulli(p);
            zeros[n] ~ Bernoulli(logit = eta);
            wins[n] ~ Binomial(trials[n], logit = eta);
            events[n] ~ NegativeBinomial(mean = exp(eta), dispersion = dispersion);
            factor(Poisson(log_rate = eta).log_prob(events[n]) + Binomial(trials[n], p).log_prob(wins[n]));
            factor(Poisson(exp(eta)).log_prob(events[n]));
            for k in K {
                let score[n, k] = dot(x[n], c[k]);
            }
            class[n] ~ Categorical(logits = score[n]);
        }
        for n in N {
            factor(0.5 * ln(w[class[n]]));
        }
    }
}

#[test]
fn counts_categories_and_a_product_for_each_class() {
    let model = Counts {
        flips: vec![true, false, true],
        zeros: vec![0.0, 1.0, 0.0],
        wins: vec![0, 2, 5],
        trials: vec![3, 2, 9],
        events: vec![0, 4, 11],
        class: vec![0, 2, 1].into(),
        x: array![[0.1, 0.4], [-0.3, 0.2], [0.9, -0.5]],
    };
    check_model(&*model.bind().unwrap());
}

model! {
    /// Vectors: simplexes, ordered and positive ordered, with latent concentrations, and data in several statements.
    pub Vectors(y: [f64; T], n: [u64; T], K: usize, C: usize) {
        conc ~ Gamma(3, 1);
        for c in C {
            theta[c, K] ~ Dirichlet(conc);
        }
        mu[K] ~ Ordered(Normal(0, conc));
        late[K] ~ Ordered(Exponential(1));
        phi ~ Uniform(-1, 1);
        s ~ HalfNormal(1);
        h[0] ~ Normal(0, s);
        for t in 1..T {
            h[t] ~ Normal(phi * h[t - 1], s);
        }
        for t in T {
            y[t] ~ Normal(h[t] + mu[0] + late[1] + theta[0, 1], 1);
        }
        factor(log_sum_exp(k in K => ln(theta[1, k]) + Normal(mu[k], 1).log_prob(0.3)) + log_sum_exp(late) + sum(mu));
    }
}

#[test]
fn vectors_and_series() {
    let model = Vectors { y: vec![0.3, 0.1, -0.2, 0.5], n: vec![0; 4], K: 3, C: 2 };
    check_model(&*model.bind().unwrap());
}

model! {
    /// Arrays of which two axes are one dimension.
    pub Squares(y: [f64; K, K], K: usize) {
        param shift[K, K]: real = 0.5;
        w[K, K] ~ Normal(0.5, 2);
        for i in K {
            for j in K {
                y[i, j] ~ Normal(w[j, i] + shift[i, j], 1);
            }
        }
    }
}

#[test]
fn axes_of_one_dimension_are_apart() {
    let model = Squares { y: Array2::from_shape_fn((3, 3), |(i, j)| i as f64 - 0.3 * j as f64), K: 3 };
    let bound = model.bind().unwrap();
    check_model(&*bound);
    assert_eq!(bound.layout().start()[9..], [0.5; 9]);
}

/// A saturating response.
#[ppl_core::function]
fn hill<V>(x: V, half: V, steepness: V) -> V {
    let ratio = (x / half).powf(steepness);
    ratio / (V::constant(1.0) + ratio)
}

/// A distribution of one's own: the logistic.
#[derive(Debug)]
pub struct Sigmoidal;

impl ppl_core::distributions::Distribution for Sigmoidal {
    const NAME: &'static str = "Sigmoidal";
    const PARAMETERS: &'static [ppl_core::distributions::Parameter] = &[
        ppl_core::distributions::Parameter { name: "loc", support: ppl_core::distributions::Support::Real },
        ppl_core::distributions::Parameter { name: "scale", support: ppl_core::distributions::Support::Positive },
    ];
    const KIND: ppl_core::distributions::ValueKind = ppl_core::distributions::ValueKind::Continuous;
    const EVENT_RANK: usize = 0;
    const SUPPORT: ppl_core::distributions::Support = ppl_core::distributions::Support::Real;
}

#[ppl_core::distribution]
impl ppl_core::distributions::Univariate<2> for Sigmoidal {
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> ppl_core::distributions::Partials<V, 2> {
        let z = (x - loc) / scale;
        let slope = (V::constant(1.0) - z.sigmoid() - z.sigmoid()) / scale;
        ppl_core::distributions::Partials {
            log_prob: -z - (-z).softplus() - (-z).softplus(),
            d_value: slope,
            d_params: [-slope, -(slope * z)],
        }
    }

    fn normalizer<V: Lanes>([_loc, scale]: [V; 2]) -> (V, [V; 2]) {
        (scale.ln(), [V::zero(), V::constant(1.0) / scale])
    }

    fn sample([loc, scale]: [f64; 2], rng: &mut dyn rand::Rng) -> f64 {
        let u = (rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0 + 1e-17;
        loc + scale * (u / (1.0 - u)).ln()
    }
}

model! {
    /// A function and a distribution of the user's.
    pub Own(dose: [f64; N], y: [f64; N]) {
        half ~ LogNormal(0, 1);
        steepness ~ LogNormal(0, 0.5);
        top ~ self::Sigmoidal(0, 2);
        s ~ HalfNormal(1);
        for n in N {
            y[n] ~ Sigmoidal(top * hill(dose[n], half, steepness), s);
        }
    }
}

#[test]
fn functions_and_distributions_of_ones_own() {
    let model = Own { dose: vec![0.1, 0.5, 2.0], y: vec![0.0, 0.4, 0.9] };
    check_model(&*model.bind().unwrap());
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    assert!(fit.scalar("half").unwrap().mean > 0.0);
}

mod renamed {
    pub(crate) use ppl_core as engine;
}

ppl_core::model! {
    #[ppl(crate = crate::renamed::engine)]
    /// Names that generated code uses as well.
    pub Hygiene(weight: [f64; rows], frame: f64) {
        log_prob ~ Normal(0, 1);
        layout ~ Normal(log_prob, 1);
        walk ~ HalfNormal(frame);
        for bound in rows {
            let value = log_prob * layout + bound * frame;
            let d_x[bound] = value;
            weight[bound] ~ Normal(d_x[bound], walk);
        }
    }
}

#[test]
fn names_of_generated_code_are_free_for_users() {
    check_model(&*Hygiene { weight: vec![0.3, 0.9], frame: 2.0 }.bind().unwrap());
}

#[test]
fn weights_of_factors_samples_and_rows_multiply_densities_and_derivatives() {
    let model = everything(23);
    let bound = model.bind().unwrap();
    let (n, samples) = (bound.layout().unconstrained(), 8);
    let u = ppl_tests::points(n, samples);
    let mut work = bound.workspace(samples);
    let factors = bound.graph().factors.len();
    let mut weights = bound.unit_weights(samples);
    for (i, w) in weights.factors.iter_mut().enumerate() {
        *w = 0.5 + (i % 7) as f64 * 0.3;
    }
    // The likelihood of `y`, by rows.
    let likelihood = bound.graph().factors.iter().position(|f| f.text.starts_with("y[n] ~")).expect("a likelihood");
    let rows: Vec<f64> = (0..bound.factor_rows(likelihood) * samples).map(|i| (i % 5) as f64 * 0.4).collect();
    weights.rows.push((likelihood, rows.clone()));

    work.u_mut().copy_from_slice(&u);
    bound.constrain(&mut work, &mut vec![0.0; samples]);
    bound.complete(&mut work);
    let mut expected = vec![0.0; samples];
    for factor in 0..factors {
        let mut out = vec![0.0; bound.factor_rows(factor) * samples];
        bound.log_prob_rows(factor, 0..bound.factor_rows(factor), &mut work, &mut out);
        for (i, x) in out.iter().enumerate() {
            let weight = if factor == likelihood { rows[i] } else { weights.factors[factor * samples + i % samples] };
            expected[i % samples] += weight * x;
        }
    }
    let mut found = vec![0.0; samples];
    bound.accumulate(&mut work, &weights, &mut found);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{found} {expected}");
    }

    let (_, gradient) = ppl_tests::log_density(&*bound, &u, &weights);
    for i in 0..n {
        let at = |h: f64| {
            let mut v = u.clone();
            v[i * samples..(i + 1) * samples].iter_mut().for_each(|x| *x += h);
            ppl_tests::log_density(&*bound, &v, &weights).0
        };
        let (above, below) = (at(1e-5), at(-1e-5));
        for s in 0..samples {
            let numeric = (above[s] - below[s]) / 2e-5;
            assert!((numeric - gradient[i * samples + s]).abs() < 1e-5 * (1.0 + numeric.abs()), "dimension {i}");
        }
    }
}
