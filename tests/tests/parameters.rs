//! Parameters: maximised rather than integrated over, as the M-step of EM does.
#![forbid(unsafe_code)]

use ppl_core::guides::FlowKind;
use ppl_core::model::SiteKind;
use ppl_core::prelude::*;
use ppl_tests::models::{EightSchools, eight_schools};
use ppl_tests::{check_model, log_density};

model! {
    /// Normal means of a population that is a point: the marginal likelihood is known.
    pub Population(y: [f64; N], s: f64) {
        param mu: real = sum(n in N => y[n]) / N;
        param tau: positive = 1;
        for n in N {
            theta[n] ~ Normal(mu, tau);
            y[n] ~ Normal(theta[n], s);
        }
        let spread = tau / s;
    }
}

fn population() -> Population {
    Population { y: vec![2.1, 4.9, 1.0, 7.2, 3.3, 5.5, 0.4, 6.0], s: 1.2 }
}

/// With `theta` integrated out `y[n] ~ Normal(mu, sqrt(tau^2 + s^2))`: mu, tau and the log likelihood at its top.
fn marginal(model: &Population) -> (f64, f64, f64) {
    let n = model.y.len() as f64;
    let mean = model.y.iter().sum::<f64>() / n;
    let variance = model.y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance - model.s * model.s).sqrt(), -0.5 * n * ((std::f64::consts::TAU * variance).ln() + 1.0))
}

#[test]
fn every_family_that_holds_the_posterior_is_at_the_maximum_of_the_marginal_likelihood() {
    let model = population();
    let (mu, tau, evidence) = marginal(&model);
    // Given mu and tau, the theta are independent normals: each of these families is exact.
    let families = [
        Family::Auto,
        Family::FullRank,
        Family::MeanField,
        Family::Blocks,
        Family::LowRank { rank: 2 },
        Family::Mixture { components: 2, full_rank: true },
    ];
    for family in families {
        let fit = fit_bbvi(&model, Bbvi { family, initial: vec![("mu".into(), vec![0.0])], ..Bbvi::default() }).unwrap();
        let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
        assert!((found_mu - mu).abs() < 0.005, "{family:?}: {found_mu} {mu}");
        assert!((found_tau - tau).abs() < 0.005, "{family:?}: {found_tau} {tau}");
        let (elbo, standard_error) = fit.elbo();
        assert!((elbo - evidence).abs() < 0.005 + 4.0 * standard_error, "{family:?}: {elbo} {evidence}");
        assert!(fit.pareto_k() < 0.5, "{family:?}");
    }
}

model! {
    /// The same, from a start that is given.
    pub Begun(y: [f64; N], s: f64, m: f64, t: f64) {
        param mu: real = m;
        param tau: positive = t;
        for n in N {
            theta[n] ~ Normal(mu, tau);
            y[n] ~ Normal(theta[n], s);
        }
    }
}

#[test]
fn the_maximum_is_found_from_far_away() {
    let Population { y, s } = population();
    let (mu, tau, evidence) = marginal(&population());
    // Small scales hold the latents where they are: turns of EM hardly move from there.
    for (m, t) in [(0.0, 1.0), (100.0, 1.0), (-50.0, 3.0), (0.0, 100.0), (0.0, 0.1), (0.0, 0.01), (0.0, 0.003)] {
        for family in [Family::Auto, Family::MeanField] {
            let fit = fit_bbvi(&Begun { y: y.clone(), s, m, t }, Bbvi { family, ..Bbvi::default() }).unwrap();
            let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
            assert!((found_mu - mu).abs() < 1e-3 && (found_tau - tau).abs() < 1e-3, "{family:?} {m} {t}: {found_mu} {found_tau}");
            assert!((fit.elbo().0 - evidence).abs() < 1e-3, "{family:?} {m} {t}: {}", fit.elbo().0);
        }
    }
}

#[test]
fn restarts_and_stochastic_steps_end_at_the_same_maximum() {
    let model = population();
    let (mu, tau, _) = marginal(&model);
    let stochastic = Bbvi { family: Family::MeanField, optimizer: Optimizer::Dowg, ..Bbvi::default() };
    for config in [Bbvi { restarts: 3, ..Bbvi::default() }, stochastic] {
        let fit = fit_bbvi(&model, config).unwrap();
        let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
        assert!((found_mu - mu).abs() < 0.005 && (found_tau - tau).abs() < 0.005, "{found_mu} {found_tau}");
    }
}

/// Of the parameters the derivative along the path is all that there is; the latents have the score function.
#[test]
fn parameters_are_climbed_beside_the_score_function() {
    let model = population();
    let (mu, tau, _) = marginal(&model);
    let whole = Bbvi { estimator: Estimator::SCORE_FUNCTION, family: Family::MeanField, ..Bbvi::default() };
    let some =
        Bbvi { estimators: vec![("theta".into(), Estimator::SCORE_FUNCTION)], family: Family::FullRank, ..Bbvi::default() };
    for config in [whole, some] {
        let fit = fit_bbvi(&model, config).unwrap();
        let (found_mu, found_tau) = (fit.param("mu").unwrap(), fit.param("tau").unwrap());
        assert!((found_mu - mu).abs() < 0.05 && (found_tau - tau).abs() < 0.05, "{found_mu} {found_tau}");
    }
    let alone = Likelihood { y: vec![1.0, 2.0, 6.0] };
    for family in [Family::FullRank, Family::MeanField] {
        let config = Bbvi { estimator: Estimator::SCORE_FUNCTION, family, ..Bbvi::default() };
        assert!((fit_bbvi(&alone, config).unwrap().param("mu").unwrap() - 3.0).abs() < 1e-2, "{family:?}");
    }
    let named = Bbvi { estimators: vec![("mu".into(), Estimator::SCORE_FUNCTION)], ..Bbvi::default() };
    let error = fit_bbvi(&model, named).unwrap_err().to_string();
    assert!(error.contains("`mu`, which is not a latent"), "{error}");
}

#[test]
fn linear_response_is_that_of_the_latents_given_the_parameters() {
    let model = population();
    let (_, tau, _) = marginal(&model);
    let fit = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() }).unwrap();
    let response = fit.linear_response(&model).unwrap();
    // Tilted means move the parameters along, as they are found again: more than `1 / (1 / tau^2 + 1 / s^2)`, what they are held at.
    let held = (tau.powi(-2) + model.s.powi(-2)).recip().sqrt();
    let sd = response.sd("theta[0]").unwrap();
    assert!(sd > held && sd < model.s, "{sd} {held}");
    assert!(response.sd("mu").is_none());
}

#[test]
fn the_mode_given_parameters_is_that_of_the_joint_density() {
    // A population of fixed scale: the mode of theta and mu together.
    let model = Fixed { y: vec![2.0, 5.0, -1.0] };
    let fit = fit_bbvi(&model, Bbvi { family: Family::Map, ..Bbvi::default() }).unwrap();
    assert!((fit.param("mu").unwrap() - 2.0).abs() < 1e-4, "{:?}", fit.params());
    assert!((fit.scalar("theta[1]").unwrap().mean - 3.5).abs() < 1e-4);
}

model! {
    /// A population of scale one.
    pub Fixed(y: [f64; N]) {
        param mu: real = 0;
        for n in N {
            theta[n] ~ Normal(mu, 1);
            y[n] ~ Normal(theta[n], 1);
        }
    }
}

model! {
    /// Probabilistic principal components: loadings, means and noise are points.
    pub Components(y: [f64; N, D], first: [f64; D, K]) {
        for d in D {
            for k in K {
                param w[d, k]: real = first[d, k];
            }
            param loc[d]: real = 0;
        }
        param sigma: positive = 1;
        z[N, K] ~ Normal(0, 1);
        for n in N {
            for d in D {
                y[n, d] ~ Normal(loc[d] + sum(k in K => w[d, k] * z[n, k]), sigma);
            }
        }
    }
}

/// The leading eigenvalues of a symmetric matrix with their vectors, by powers and deflation.
fn leading(matrix: &Array2<f64>, count: usize) -> Vec<(f64, Vec<f64>)> {
    let n = matrix.nrows();
    let mut rest = matrix.clone();
    let mut found = Vec::new();
    for _ in 0..count {
        let mut x: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * i as f64).collect();
        let mut value = 0.0;
        for _ in 0..5000 {
            let next: Vec<f64> = rest.rows().into_iter().map(|row| row.iter().zip(&x).map(|(a, b)| a * b).sum()).collect();
            value = next.iter().map(|x| x * x).sum::<f64>().sqrt();
            x = next.iter().map(|x| x / value).collect();
        }
        for i in 0..n {
            for j in 0..n {
                rest[[i, j]] -= value * x[i] * x[j];
            }
        }
        found.push((value, x));
    }
    found
}

/// Tipping & Bishop 1999, Probabilistic principal component analysis, equations 7 and 8: the noise is what the leading eigenvalues leave on average.
#[test]
fn principal_components_are_those_of_the_closed_form() {
    let (rows, columns) = (50, 5);
    let y = Array2::from_shape_fn((rows, columns), |(n, d)| {
        let (n, d) = (n as f64, d as f64);
        (d + 1.0) * 0.7 * (1.1 * n).sin() + (2.0 - d) * 0.6 * (2.3 * n).cos() + 0.4 * (n * n + 3.0 * n * d).sin() + d
    });
    let mean: Array1<f64> = y.columns().into_iter().map(|column| column.mean().unwrap()).collect();
    let centred = &y - &mean;
    let covariance = centred.t().dot(&centred) / rows as f64;
    for factors in [1, 2] {
        let leading = leading(&covariance, factors);
        let left: f64 = covariance.diag().sum() - leading.iter().map(|(value, _)| value).sum::<f64>();
        let noise = left / (columns - factors) as f64;
        let log_det: f64 = leading.iter().map(|(value, _)| value.ln()).sum::<f64>() + (columns - factors) as f64 * noise.ln();
        let top = -0.5 * rows as f64 * (columns as f64 * (std::f64::consts::TAU.ln() + 1.0) + log_det);
        let first =
            Array2::from_shape_fn((columns, factors), |(d, k)| if k == 0 { 0.3 + 0.1 * d as f64 } else { 1.0 - 0.4 * d as f64 });
        let fit = fit_bbvi(&Components { y: y.clone(), first }, Bbvi::default()).unwrap();
        assert!((fit.param("sigma").unwrap() - noise.sqrt()).abs() < 1e-3, "{:?} {}", fit.params(), noise.sqrt());
        assert!((fit.elbo().0 - top).abs() < 0.01 + 4.0 * fit.elbo().1, "{:?} {top}", fit.elbo());
        for d in 0..columns {
            assert!((fit.param(&format!("loc[{d}]")).unwrap() - mean[d]).abs() < 2e-3);
        }
        // Rotations of the loadings are all the same; the covariance that they make is not.
        let w = |d: usize, k: usize| fit.param(&format!("w[{d}, {k}]")).unwrap();
        for d in 0..columns {
            for e in 0..columns {
                let found: f64 = (0..factors).map(|k| w(d, k) * w(e, k)).sum();
                let expected: f64 = leading.iter().map(|(value, x)| (value - noise) * x[d] * x[e]).sum();
                assert!((found - expected).abs() < 5e-3, "{factors} factors, {d} {e}: {found} {expected}");
            }
        }
    }
}

model! {
    /// A logistic regression on groups, whose mean and scale are points.
    pub Logistic(y: [bool; N], g: [in C; N]) {
        param mu: real = 0;
        param tau: positive = 1;
        a[C] ~ Normal(0, 1);
        for n in N {
            y[n] ~ Bernoulli(logit = mu + tau * a[g[n]]);
        }
    }
}

/// With each `a` integrated out by the trapezoidal rule, the fit is where a step of Newton's method on the marginal likelihood leads nowhere.
#[test]
fn a_logistic_population_is_at_the_maximum_of_the_marginal_likelihood() {
    let g: Vec<usize> = (0..200).map(|i| i % 10).collect();
    let y: Vec<bool> = (0..200).map(|i| (i * 7919 % 101) < 20 + 7 * (i % 10)).collect();
    let fit = fit_bbvi(&Logistic { y: y.clone(), g: g.clone().into() }, Bbvi::default()).unwrap();
    let marginal = |mu: f64, ln_tau: f64| -> f64 {
        let group = |c: usize| {
            let yes = y.iter().zip(&g).filter(|(y, own)| **own == c && **y).count() as f64;
            let at = |a: f64| {
                let logit = ln_tau.exp().mul_add(a, mu);
                (yes * logit - 20.0 * logit.exp().ln_1p() - 0.5 * a * a).exp()
            };
            (0.01 * (-800..=800).map(|i| at(0.01 * f64::from(i))).sum::<f64>() / std::f64::consts::TAU.sqrt()).ln()
        };
        (0..10).map(group).sum()
    };
    let (mu, ln_tau, h) = (fit.param("mu").unwrap(), fit.param("tau").unwrap().ln(), 1e-3);
    let here = marginal(mu, ln_tau);
    let step = |above: f64, below: f64| (above - below) * h / 2.0 / (2.0 * here - above - below);
    let of_mu = step(marginal(mu + h, ln_tau), marginal(mu - h, ln_tau));
    let of_tau = step(marginal(mu, ln_tau + h), marginal(mu, ln_tau - h));
    assert!(of_mu.abs() < 0.005 && of_tau.abs() < 0.01, "{of_mu} {of_tau}");
    assert!((fit.elbo().0 - here).abs() < 0.05, "{:?} {here}", fit.elbo());
}

#[test]
fn a_flow_moves_the_parameters_too() {
    let model = population();
    let (mu, tau, _) = marginal(&model);
    let family = Family::Flow(FlowKind::Planar { layers: 1 });
    let fit = fit_bbvi(&model, Bbvi { family, max_steps: 3000, ..Bbvi::default() }).unwrap();
    assert!((fit.param("mu").unwrap() - mu).abs() < 0.1 && (fit.param("tau").unwrap() - tau).abs() < 0.1, "{:?}", fit.params());
}

#[test]
fn a_fit_reports_its_parameters_apart_from_its_draws() {
    let model = population();
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let (mu, tau, _) = marginal(&model);
    let names: Vec<&str> = fit.params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["mu", "tau"]);
    assert!(fit.scalar("mu").is_none() && fit.param("theta[0]").is_none());
    assert!(
        fit.summary().to_string().contains("\n  param  maximised\n  mu         3.800\n  tau        1.985\n"),
        "{}",
        fit.summary()
    );
    // What depends on parameters alone is a constant.
    let draws = fit.draws(&model, 50).unwrap();
    assert!(draws.spread.iter().all(|x| (x - tau / 1.2).abs() < 1e-3));
    let shrunk = |y: f64| (y * tau * tau + mu * 1.44) / (tau * tau + 1.44);
    assert!((fit.scalar("theta[3]").unwrap().mean - shrunk(7.2)).abs() < 0.01);
    assert!(fit.summary_of(&model, "mu").unwrap_err().to_string().contains("`theta`, `spread`"));
    assert_eq!(fit.posterior_predictive(&model, 10).unwrap().y.shape(), [10, 8]);
    // The rows that a parameter was found from are not left out of it.
    let told = "2 parameters are held where all the rows put them: the estimate is too high, by about 1 nat for each\n";
    let (loo, waic) = (fit.loo(&model).unwrap(), fit.waic(&model).unwrap());
    assert!(loo.to_string().ends_with(told) && waic.to_string().ends_with(told), "{loo}{waic}");
}

#[test]
fn saved_fits_keep_their_parameters() {
    let path = std::env::temp_dir().join(format!("ppl-params-{}.json", std::process::id()));
    let fit = fit_bbvi(&population(), Bbvi::default()).unwrap();
    fit.save(&path).unwrap();
    let loaded = Fit::<Population>::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(loaded.params(), fit.params());
    assert_eq!(loaded.draws(&population(), 5).unwrap().theta, fit.draws(&population(), 5).unwrap().theta);
}

model! {
    /// Every support, in scalars and arrays, in and outside of loops, beside latents that have rows of their own.
    pub Supports(y: [f64; N], g: [in C; N], high: [f64; C], first: [f64; K], D: usize) {
        s ~ HalfNormal(1);
        param a: real = -0.5;
        param b[C]: positive = 1 + C;
        param p: unit = 0.25;
        for c in C {
            let half = high[c] / 2;
            param q[c]: interval(-1, high[c]) = half;
            param w[c, K]: simplex = 1 / K;
        }
        z ~ Beta(2, 2);
        param o[K]: ordered = first;
        for d in D {
            param e[d]: positive_ordered = d + 1;
        }
        param r[0]: interval(lower = 0, upper = 1) = 0.5;
        for c in 1..C {
            param r[c]: interval(upper = 2 * c, lower = c) = 1.5 * c;
        }
        u[C] ~ Normal(a, b[0]);
        let scale = s * b[0];
        for n in N {
            let loc = a * p + q[g[n]] + dot(w[g[n]], o) + u[g[n]] + r[g[n]];
            y[n] ~ Normal(loc, scale * (1 + z));
        }
        factor(sum(e) - sum(d in D => e[d] * e[d]));
    }
}

fn supports() -> Supports {
    Supports { y: vec![0.3, -1.0, 2.2, 0.7], g: vec![0, 1, 1, 0].into(), high: vec![2.0, 5.0], first: vec![-1.0, 0.0, 2.5], D: 2 }
}

#[test]
fn gradients_of_every_support_are_those_of_differences() {
    let model = supports();
    let bound = model.bind().unwrap();
    check_model(&*bound);
    let layout = bound.layout();
    let names: Vec<&str> = layout.parameters().map(|parameter| parameter.name).collect();
    assert_eq!(names, ["a", "b", "p", "q", "w", "o", "e", "r"]);
    assert_eq!(layout.points(), 1 + 2 + 1 + 2 + 4 + 3 + 2 + 2);
    // They come last among the unconstrained numbers.
    let first = layout.unconstrained() - layout.points();
    assert!(layout.latents().all(|latent| latent.unconstrained.end <= first));
    assert!(layout.parameters().all(|parameter| parameter.unconstrained.start >= first));
    assert_eq!(Supports::GRAPH.sites[1].kind, SiteKind::Parameter);
    let read = |site: usize| Supports::GRAPH.factors.iter().any(|factor| factor.reads.iter().any(|read| read.site == site));
    assert!((0..Supports::GRAPH.sites.len()).filter(|&site| Supports::GRAPH.sites[site].kind == SiteKind::Parameter).all(read));
}

#[test]
fn starts_are_where_the_statements_say() {
    let (model, lanes) = (supports(), 8);
    let bound = model.bind().unwrap();
    let (layout, mut work) = (bound.layout(), bound.workspace(lanes));
    work.u_mut().chunks_exact_mut(lanes).zip(layout.start()).for_each(|(row, x)| row.fill(x));
    bound.constrain(&mut work, &mut vec![0.0; lanes]);
    let third = 1.0 / 3.0;
    let expected: [(&str, &[f64]); 8] = [
        ("a", &[-0.5]),
        ("b", &[3.0, 3.0]),
        ("p", &[0.25]),
        ("q", &[1.0, 2.5]),
        ("w", &[third, third, third, third, third, third]),
        ("o", &[-1.0, 0.0, 2.5]),
        ("e", &[1.0, 2.0]),
        ("r", &[0.5, 1.5]),
    ];
    for ((name, values), parameter) in expected.into_iter().zip(layout.parameters()) {
        assert_eq!(name, parameter.name);
        for (row, value) in parameter.rows.clone().zip(values) {
            assert!((work.values[row * lanes] - value).abs() < 1e-12, "{name}: {} {value}", work.values[row * lanes]);
        }
    }
}

model! {
    /// Maximum likelihood: nothing is integrated over.
    pub Likelihood(y: [f64; N]) {
        param mu: real = 0;
        param sigma: positive = 1;
        y[N] ~ Normal(mu, sigma);
    }
}

#[test]
fn a_parameter_has_no_jacobian() {
    let model = Likelihood { y: vec![0.3, 1.0] };
    let bound = model.bind().unwrap();
    let u: Vec<f64> = [0.2_f64, -0.7].iter().flat_map(|&x| [x; 8]).collect();
    let (value, gradient) = log_density(&*bound, &u, &bound.unit_weights(8));
    let sigma = (-0.7_f64).exp();
    let log_normal = |y: f64| -0.5 * (((y - 0.2) / sigma).powi(2) + std::f64::consts::TAU.ln()) + 0.7;
    assert!((value[0] - log_normal(0.3) - log_normal(1.0)).abs() < 1e-12, "{}", value[0]);
    // The derivative by ln sigma.
    let slope = (0.01 + 0.64) / (sigma * sigma) - 2.0;
    assert!((gradient[8] - slope).abs() < 1e-12, "{} {slope}", gradient[8]);
    let mut log_det = vec![0.0; 8];
    let mut work = bound.workspace(8);
    work.u_mut().copy_from_slice(&u);
    bound.constrain(&mut work, &mut log_det);
    assert_eq!(log_det, vec![0.0; 8]);
}

#[test]
fn a_model_without_latents_is_maximum_likelihood() {
    let y = vec![1.0, 2.5, 4.0, 3.5, 2.0, 5.0];
    let mean = y.iter().sum::<f64>() / 6.0;
    let sd = (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 6.0).sqrt();
    let families = [
        Family::Auto,
        Family::MeanField,
        Family::FullRank,
        Family::Blocks,
        Family::LowRank { rank: 2 },
        Family::Mixture { components: 2, full_rank: true },
        Family::Flow(FlowKind::Planar { layers: 1 }),
        Family::Map,
    ];
    for family in families {
        let fit = fit_bbvi(&Likelihood { y: y.clone() }, Bbvi { family, ..Bbvi::default() }).unwrap();
        assert!((fit.param("mu").unwrap() - mean).abs() < 1e-3 * sd, "{family:?}: {:?}", fit.params());
        assert!((fit.param("sigma").unwrap() / sd - 1.0).abs() < 1e-3, "{family:?}: {:?}", fit.params());
        let top = -3.0 * (std::f64::consts::TAU.ln() + 1.0) - 6.0 * sd.ln();
        assert!((fit.elbo().0 - top).abs() < 1e-4, "{family:?}: {:?} {top}", fit.elbo());
        let text = fit.summary().to_string();
        assert!(text.starts_with("Likelihood\n\n  param  maximised\n") && !text.contains("Pareto"), "{text}");
    }
}

model! {
    /// A mixture whose weights, means and scales are points: what EM was made for.
    pub Mixture(y: [f64; N], K: usize) {
        param w[K]: simplex = 1 / K;
        for k in K {
            param mu[k]: ordered = 4 * k;
            param sigma[k]: positive = 1;
        }
        for n in N {
            factor(log_sum_exp(k in K => ln(w[k]) + Normal(mu[k], sigma[k]).log_prob(y[n])));
        }
    }
}

/// Two thousand iterations of EM, from the start of the model.
fn em(y: &[f64]) -> ([f64; 2], [f64; 2], [f64; 2]) {
    let (mut w, mut mu, mut sigma) = ([0.5; 2], [0.0, 4.0], [1.0; 2]);
    for _ in 0..2000 {
        let joint = |k: usize, y: f64| w[k] / sigma[k] * (-0.5 * ((y - mu[k]) / sigma[k]).powi(2)).exp();
        let shares: Vec<[f64; 2]> = y
            .iter()
            .map(|&y| {
                let (a, b) = (joint(0, y), joint(1, y));
                [a / (a + b), b / (a + b)]
            })
            .collect();
        let total = [0, 1].map(|k| shares.iter().map(|r| r[k]).sum::<f64>());
        let means = [0, 1].map(|k| shares.iter().zip(y).map(|(r, y)| r[k] * y).sum::<f64>() / total[k]);
        sigma = [0, 1].map(|k| (shares.iter().zip(y).map(|(r, y)| r[k] * (y - means[k]).powi(2)).sum::<f64>() / total[k]).sqrt());
        (w, mu) = (total.map(|t| t / y.len() as f64), means);
    }
    (w, mu, sigma)
}

#[test]
fn a_mixture_of_points_is_where_em_ends() {
    let y: Vec<f64> =
        (0..60).map(|i| if i % 3 == 0 { 4.0 + (f64::from(i) * 0.7).sin() } else { (f64::from(i) * 1.3).cos() }).collect();
    let (w, mu, sigma) = em(&y);
    let fit = fit_bbvi(&Mixture { y, K: 2 }, Bbvi::default()).unwrap();
    for k in 0..2 {
        for (name, expected) in [("w", w[k]), ("mu", mu[k]), ("sigma", sigma[k])] {
            let found = fit.param(&format!("{name}[{k}]")).unwrap();
            assert!((found - expected).abs() < 2e-3, "{name}[{k}]: {found} {expected}");
        }
    }
}

model! {
    /// A regression in single precision with a point in the place of its noise, and a population within a population.
    pub Nested(y: [f32; N], g: [in C; N]) {
        param sigma: positive = 1;
        m ~ Normal(0, 10);
        t ~ HalfNormal(2);
        for c in C {
            a[c] ~ Normal(m, t);
        }
        for n in N {
            y[n] ~ Normal(a[g[n]], sigma);
        }
    }
}

#[test]
fn parameters_go_with_degrees_of_centring_and_single_precision() {
    let y: Vec<f32> = (0..60).map(|i| (i % 6) as f32 + 0.5 * (i as f32 * 1.7).sin()).collect();
    let model = Nested { g: (0..60).map(|i| i % 6).collect(), y };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let mean = |c: usize| model.y.iter().skip(c).step_by(6).map(|&y| f64::from(y)).sum::<f64>() / 10.0;
    let squares: f64 = model.y.iter().enumerate().map(|(i, &y)| (f64::from(y) - mean(i % 6)).powi(2)).sum();
    // With means that are integrated out the degrees of freedom are 60 - 6, but for what the population says of these.
    let (sigma, expected) = (fit.param("sigma").unwrap(), (squares / 54.0).sqrt());
    assert!((sigma / expected - 1.0).abs() < 0.02, "{sigma} {expected}");
    assert!((fit.scalar("a[4]").unwrap().mean - mean(4)).abs() < 0.05);
}

model! {
    /// A population whose location is a point and whose scale is not: guided through residuals that hold the point.
    pub Centred(y: [f64; J], sigma: [f64; J]) {
        param mu: real = 0;
        tau ~ HalfNormal(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

/// With theta integrated out `y[j] ~ Normal(mu, sqrt(tau^2 + sigma[j]^2))`; tau is integrated out by a sum.
#[test]
fn residuals_of_a_location_that_is_a_point_are_at_the_maximum_of_the_marginal_likelihood() {
    let EightSchools { y, sigma } = eight_schools();
    let model = Centred { y: y.clone(), sigma: sigma.clone() };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    assert!(fit.summary().to_string().contains("of residuals"), "{}", fit.summary());
    let normal = |x: f64, sd: f64| (-0.5 * (x / sd).powi(2)).exp() / (sd * std::f64::consts::TAU.sqrt());
    let marginal = |mu: f64| -> f64 {
        let at = |tau: f64| -> f64 {
            2.0 * normal(tau, 5.0) * y.iter().zip(&sigma).map(|(y, s)| normal(y - mu, tau.hypot(*s))).product::<f64>()
        };
        (0.01 * (0..4000).map(|i| at(0.01 * (f64::from(i) + 0.5))).sum::<f64>()).ln()
    };
    let (mu, h) = (fit.param("mu").unwrap(), 1e-2);
    let here = marginal(mu);
    // A step of Newton's method; the standard deviation of mu is about four.
    let step = (marginal(mu + h) - marginal(mu - h)) * h / 2.0 / (2.0 * here - marginal(mu + h) - marginal(mu - h));
    assert!(step.abs() < 0.1, "{mu} {step}");
    assert!(fit.elbo().0 < here + 4.0 * fit.elbo().1 && fit.elbo().0 > here - 0.25, "{:?} {here}", fit.elbo());
}

#[test]
fn what_cannot_be_done_with_parameters_is_refused() {
    let message = |config: Bbvi| fit_bbvi(&population(), config).unwrap_err().to_string();
    assert!(message(Bbvi { family: Family::Laplace, ..Bbvi::default() }).contains("`mu`"));
    assert!(message(Bbvi { initial: vec![("tau".into(), vec![-1.0])], ..Bbvi::default() }).contains("-1 of `tau`"));
    assert!(message(Bbvi { initial: vec![("nu".into(), vec![1.0])], ..Bbvi::default() }).contains("`theta`, `mu`, `tau`"));
    let error = sample_nuts(&population(), &Nuts::default()).unwrap_err().to_string();
    assert!(error.contains("`mu` is a parameter"), "{error}");
    let error = prior_predictive::<Population>(&PopulationInputs { s: 1.0, N: 3 }, 5, 0).unwrap_err().to_string();
    assert!(error.contains("`mu` starts from observed data"), "{error}");
}

#[test]
fn chains_hold_the_parameters_where_the_fit_left_them() {
    let model = population();
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let check = fit.check_with_nuts(&model, &Nuts { draws: 2000, ..Nuts::default() }).unwrap();
    assert_eq!(check.scalars.len(), 8, "theta alone");
    assert!(check.scalars.iter().all(|own| own.error.abs() < 0.1 && (own.sd_ratio - 1.0).abs() < 0.1), "{check}");
    let alone = Likelihood { y: vec![1.0, 2.0] };
    assert!(fit_bbvi(&alone, Bbvi::default()).unwrap().check_with_nuts(&alone, &Nuts::default()).is_ok());
}

#[test]
fn draws_from_the_prior_have_the_parameters_where_they_start() {
    let inputs = SupportsInputs { g: vec![0, 1].into(), high: vec![2.0, 5.0], first: vec![-1.0, 0.0, 2.5], D: 2 };
    let error = prior_predictive::<Supports>(&inputs, 10, 0).unwrap_err().to_string();
    assert!(error.contains("factor("), "{error}");
    let (draws, data) = prior_predictive::<Start>(&StartInputs { level: 3.0, N: 2 }, 4000, 1).unwrap();
    let variance = draws.x.mapv(|x| (x - 3.0).powi(2)).mean().unwrap();
    assert!((variance / 4.0 - 1.0).abs() < 0.1, "{variance}");
    assert!((data.y.mean().unwrap() - 3.0).abs() < 0.2);
}

model! {
    /// Where prior draws are known.
    pub Start(level: f64, y: [f64; N]) {
        param loc: real = level;
        param scale: positive = level - 1;
        x ~ Normal(loc, scale);
        y[N] ~ Normal(x, 1);
    }
}

model! {
    /// Starts that are computed.
    pub Computed(a: f64) {
        param r: real = 1 / a;
        param p: positive = exp(a);
        param u: unit = 1 - exp(a);
        param i: interval(-a, 2) = ln(a);
        y ~ Normal(r + p + u + i, 1);
    }
}

#[test]
fn starts_that_are_no_numbers_are_refused() {
    let text = |a: f64| Computed { a }.bind().err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        text(0.0),
        "`Computed`: `r` starts from inf, but `param r: real = 1 / a` needs it a finite number; change what stands right of `=`"
    );
    assert_eq!(
        text(1000.0),
        "`Computed`: `p` starts from inf, but `param p: positive = exp(a)` needs it positive; change what stands right of `=`"
    );
    assert_eq!(
        text(-1000.0),
        "`Computed`: `p` starts from 0, but `param p: positive = exp(a)` needs it positive; change what stands right of `=`"
    );
    assert_eq!(
        text(0.5),
        "`Computed`: `u` starts from -0.6487212707001282, but `param u: unit = 1 - exp(a)` needs it between 0 and 1; change what stands right of `=`"
    );
    assert_eq!(
        text(-0.5),
        "`Computed`: `i` starts from NaN, but `param i: interval(-a, 2) = ln(a)` needs it within its bounds; change what stands right of `=`"
    );
}

#[test]
fn starts_outside_their_support_name_element_value_and_statement() {
    let text = |model: Start| model.bind().err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        text(Start { level: 0.5, y: vec![] }),
        "`Start`: `scale` starts from -0.5, but `param scale: positive = level - 1` needs it positive; change what stands right of `=`"
    );
    let text = |model: Supports| model.bind().err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        text(Supports { first: vec![0.0, 0.0, 1.0], ..supports() }),
        "`Supports`: `o[1]` starts from 0, but `param o[K]: ordered = first` needs it increasing; change what stands right of `=`"
    );
    assert_eq!(
        text(Supports { high: vec![1.0, -1.0], ..supports() }),
        "`Supports`: `q[1]` starts from -0.5, but `param q[c]: interval(-1, high[c]) = half` needs it within its bounds; change what stands right of `=`"
    );
    let narrow = Narrow { first: array![[0.5, 0.5], [0.5, 0.6]] };
    assert_eq!(
        narrow.bind().err().map(|error| error.to_string()).unwrap_or_default(),
        "`Narrow`: `w[1, 0]` starts from 0.5, but `param w[c, K]: simplex = first[c]` needs it a simplex: positive, summing to one; change what stands right of `=`"
    );
}

model! {
    /// Simplexes that start from data.
    pub Narrow(first: [f64; C, K]) {
        for c in C {
            param w[c, K]: simplex = first[c];
        }
        factor(sum(c in C => ln(w[c, 0]) + ln(w[c, 1])));
    }
}
