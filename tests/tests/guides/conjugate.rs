//! Conjugate models, whose posteriors are in families of the catalogue: a guide of the family finds the posterior and the evidence.

use ppl_core::kernel::Lanes;
use ppl_core::prelude::*;

fn ln_gamma(x: f64) -> f64 {
    Lanes::lgamma(x)
}

/// That a guide has found a posterior of these parameters and the evidence.
fn check<M: Model>(fit: &Fit<M>, parameters: &[(&str, f64)], log_evidence: f64) {
    println!("{:?} exact {log_evidence}, parameters {:?}, {:.2?}", fit.elbo(), fit.guide_params(), fit.pareto_k());
    assert!((fit.elbo().0 - log_evidence).abs() < 1e-3, "{:?}, exact {log_evidence}", fit.elbo());
    for &(name, expected) in parameters {
        let found = fit.guide_param(name).expect("a parameter");
        assert!((found / expected - 1.0).abs() < 2e-3, "{name}: {found}, exact {expected}");
    }
}

model! {
    /// Counts of one rate.
    pub Counts(y: [u64; N]) {
        rate ~ Gamma(2, 0.5);
        for n in N {
            y[n] ~ Poisson(rate);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfCounts for Counts() {
        param a: positive = 1;
        param b: positive = 1;
        rate ~ Gamma(a, b);
    }
}

fn counts() -> (Counts, f64, f64, f64) {
    let y = vec![3_u64, 5, 2, 4, 4, 7];
    let (n, total) = (y.len() as f64, y.iter().sum::<u64>() as f64);
    let (a, b) = (2.0 + total, 0.5 + n);
    let factorials: f64 = y.iter().map(|&y| ln_gamma(y as f64 + 1.0)).sum();
    let log_evidence = 2.0 * 0.5_f64.ln() - ln_gamma(2.0) + ln_gamma(a) - a * b.ln() - factorials;
    (Counts { y }, a, b, log_evidence)
}

#[test]
fn a_gamma_guide_finds_a_gamma_posterior() -> Result<(), FitError> {
    let (model, a, b, log_evidence) = counts();
    let fit = fit_guide(&model, &OfCounts, Bbvi::default())?;
    check(&fit, &[("a", a), ("b", b)], log_evidence);
    assert!(fit.pareto_k() < 0.5, "{}", fit.pareto_k());
    let rate = fit.scalar("rate").expect("a latent");
    assert!((rate.mean - a / b).abs() < 0.02 && (rate.sd - a.sqrt() / b).abs() < 0.02, "{rate:?}");
    Ok(())
}

#[test]
fn stochastic_steps_find_it_too() -> Result<(), FitError> {
    let (model, _, _, log_evidence) = counts();
    for estimator in [ppl_core::estimators::Estimator::StickingTheLanding, ppl_core::estimators::Estimator::SCORE_FUNCTION] {
        let fit = fit_guide(&model, &OfCounts, Bbvi { estimator, ..Bbvi::default() })?;
        println!("{:?} exact {log_evidence}, {:?}", fit.elbo(), fit.guide_params());
        assert!((fit.elbo().0 - log_evidence).abs() < 0.01, "{:?}, exact {log_evidence}", fit.elbo());
    }
    Ok(())
}

model! {
    /// Tosses of a coin.
    pub Coin(heads: u64, total: u64) {
        p ~ Beta(2, 1.5);
        heads ~ Binomial(total, p);
    }
}

guide! {
    /// The family of the posterior.
    pub OfCoin for Coin() {
        param a: positive = 1;
        param b: positive = 1;
        p ~ Beta(a, b);
    }
}

#[test]
fn a_beta_guide_finds_a_beta_posterior() -> Result<(), FitError> {
    let fit = fit_guide(&Coin { heads: 3, total: 17 }, &OfCoin, Bbvi::default())?;
    let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let choose = ln_gamma(18.0) - ln_gamma(4.0) - ln_gamma(15.0);
    check(&fit, &[("a", 5.0), ("b", 15.5)], choose + ln_beta(5.0, 15.5) - ln_beta(2.0, 1.5));
    Ok(())
}

model! {
    /// Numbers of known mean and unknown variance.
    pub Variance(y: [f64; N]) {
        variance ~ InverseGamma(3, 2);
        for n in N {
            y[n] ~ Normal(1, sqrt(variance));
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfVariance for Variance() {
        param a: positive = 1;
        param b: positive = 1;
        variance ~ InverseGamma(a, b);
    }
}

#[test]
fn an_inverse_gamma_guide_finds_the_posterior_of_a_variance() -> Result<(), FitError> {
    let y = vec![0.3, 2.1, 1.4, -0.8, 3.0, 0.9, 1.7];
    let squares: f64 = y.iter().map(|y: &f64| (y - 1.0).powi(2)).sum();
    let (a, b) = (3.0 + 3.5, 2.0 + 0.5 * squares);
    let log_evidence = -3.5 * std::f64::consts::TAU.ln() + 3.0 * 2.0_f64.ln() - ln_gamma(3.0) + ln_gamma(a) - a * b.ln();
    let fit = fit_guide(&Variance { y }, &OfVariance, Bbvi::default())?;
    check(&fit, &[("a", a), ("b", b)], log_evidence);
    Ok(())
}

model! {
    /// A prior of heavy tails, and nothing observed.
    pub Heavy() {
        x ~ StudentT(4, 1.5, 0.7);
        w ~ Weibull(1.5, 3);
        l ~ Logistic(-2, 0.3);
    }
}

guide! {
    /// The families of the priors, one of them with degrees of freedom to be found.
    pub OfHeavy for Heavy() {
        param df: positive = 10;
        param m: real = 0;
        param s: positive = 1;
        param k: positive = 1;
        param scale: positive = 1;
        param at: real = 0;
        param width: positive = 1;
        x ~ StudentT(df, m, s);
        w ~ Weibull(k, scale);
        l ~ Logistic(at, width);
    }
}

#[test]
fn guides_of_heavy_tails_find_their_priors() -> Result<(), FitError> {
    let fit = fit_guide(&Heavy {}, &OfHeavy, Bbvi::default())?;
    println!("{:?} {:?}", fit.elbo(), fit.guide_params());
    assert!(fit.elbo().0.abs() < 1e-3, "{:?}", fit.elbo());
    for (name, expected) in [("m", 1.5), ("s", 0.7), ("k", 1.5), ("scale", 3.0), ("at", -2.0), ("width", 0.3)] {
        let found = fit.guide_param(name).expect("a parameter");
        assert!((found - expected).abs() < 0.02 * f64::abs(expected), "{name}: {found}, exact {expected}");
    }
    let df = fit.guide_param("df").expect("a parameter");
    assert!((df / 4.0 - 1.0).abs() < 0.1, "{df}");
    Ok(())
}

model! {
    /// Groups of counts whose rates come of a population: each is a gamma variable given it.
    pub Groups(y: [u64; J], exposure: [f64; J]) {
        shape ~ Gamma(3, 1);
        mean ~ LogNormal(0, 1);
        for j in J {
            rate[j] ~ Gamma(shape, shape / mean);
            y[j] ~ Poisson(rate[j] * exposure[j]);
        }
    }
}

guide! {
    /// The rates as they are given the population, which is left to the automatic guide.
    pub Structured for Groups() {
        auto shape, mean;
        for j in J {
            rate[j] ~ Gamma(shape + y[j], shape / mean + exposure[j]);
        }
    }
}

guide! {
    /// The same, the population too of families of its own: a gamma variable is nearer to zero than a log-normal one, and the mean depends on the shape.
    pub Native for Groups() {
        param a: positive = 3;
        param b: positive = 1;
        param m: real = 0.5;
        param slope: real = 0;
        param s: positive = 0.5;
        shape ~ Gamma(a, b);
        mean ~ LogNormal(m + slope / shape, s);
        for j in J {
            rate[j] ~ Gamma(shape + y[j], shape / mean + exposure[j]);
        }
    }
}

guide! {
    /// The rates apart from the population.
    pub Apart for Groups() {
        param m[J]: real = 0;
        param s[J]: positive = 1;
        auto shape, mean;
        rate[J] ~ LogNormal(m, s);
    }
}

#[test]
fn rates_follow_a_population() -> Result<(), FitError> {
    let model = Groups { y: vec![3, 0, 7, 2, 1, 12, 4, 0], exposure: vec![1.0, 0.5, 2.0, 1.0, 1.0, 3.0, 1.5, 0.7] };
    let structured = fit_guide(&model, &Structured, Bbvi::default())?;
    let apart = fit_guide(&model, &Apart, Bbvi::default())?;
    let native = fit_guide(&model, &Native, Bbvi::default())?;
    println!("structured {:?} k {}, apart {:?}", structured.elbo(), structured.pareto_k(), apart.elbo());
    println!("native {:?} k {} {:?}", native.elbo(), native.pareto_k(), native.guide_params());
    assert!(structured.elbo().0 > apart.elbo().0 + 0.5, "{:?} {:?}", structured.elbo(), apart.elbo());
    // The population given the data has tails that are not normal on any scale: weights of a Gaussian for it have none of their moments.
    assert!(native.elbo().0 > structured.elbo().0 && native.pareto_k() < 0.7, "{:?} {}", native.elbo(), native.pareto_k());
    Ok(())
}

model! {
    /// Categories of unknown probabilities.
    pub Categories(y: [in K; N], prior: [f64; K]) {
        share[K] ~ Dirichlet(prior);
        for n in N {
            y[n] ~ Categorical(share);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfCategories for Categories() {
        param a[K]: positive = 1;
        share[K] ~ Dirichlet(a);
    }
}

#[test]
fn a_dirichlet_guide_finds_a_dirichlet_posterior() -> Result<(), FitError> {
    let (counts, prior) = ([7_usize, 1, 4], vec![0.5, 0.5, 2.0]);
    let y: Vec<usize> = counts.iter().enumerate().flat_map(|(k, &count)| vec![k; count]).collect();
    let ln_beta = |a: &[f64]| a.iter().map(|&a| ln_gamma(a)).sum::<f64>() - ln_gamma(a.iter().sum());
    let exact: Vec<f64> = counts.iter().zip(&prior).map(|(&count, a)| count as f64 + a).collect();
    let log_evidence = ln_beta(&exact) - ln_beta(&prior);
    let fit = fit_guide(&Categories { y: y.into(), prior }, &OfCategories, Bbvi::default())?;
    check(&fit, &[("a[0]", exact[0]), ("a[1]", exact[1]), ("a[2]", exact[2])], log_evidence);
    assert!(fit.pareto_k() < 0.5, "{}", fit.pareto_k());
    Ok(())
}

model! {
    /// Angles around an unknown direction.
    pub Directions(y: [f64; N]) {
        direction ~ VonMises(0.5, 0.8);
        for n in N {
            y[n] ~ VonMises(direction, 2);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfDirections for Directions() {
        param loc: real = 1;
        param concentration: positive = 1;
        direction ~ VonMises(loc, concentration);
    }
}

/// `ln (2 pi I0(x))` by the trapezoidal rule, which is exact to rounding for a periodic function.
fn ln_circle(x: f64) -> f64 {
    let at = |k: u32| (x * (f64::from(k) * std::f64::consts::TAU / 256.0).cos()).exp();
    ((0..256).map(at).sum::<f64>() * std::f64::consts::TAU / 256.0).ln()
}

/// The parameters of the posterior and the evidence.
fn of_directions(y: &[f64]) -> (f64, f64, f64) {
    let (mut cos, mut sin) = (0.8 * 0.5_f64.cos(), 0.8 * 0.5_f64.sin());
    for y in y {
        cos += 2.0 * f64::cos(*y);
        sin += 2.0 * f64::sin(*y);
    }
    let (loc, concentration) = (sin.atan2(cos), sin.hypot(cos));
    (loc, concentration, ln_circle(concentration) - ln_circle(0.8) - y.len() as f64 * ln_circle(2.0))
}

#[test]
fn a_von_mises_guide_finds_a_von_mises_posterior() -> Result<(), FitError> {
    let y = vec![0.4, 1.6, -0.3, 2.2, 1.1, 0.2];
    let (loc, concentration, log_evidence) = of_directions(&y);
    let fit = fit_guide(&Directions { y }, &OfDirections, Bbvi::default())?;
    check(&fit, &[("loc", loc), ("concentration", concentration)], log_evidence);
    Ok(())
}

#[test]
fn a_posterior_that_goes_around_the_circle_is_found_from_both_ends() -> Result<(), FitError> {
    // Directions around pi: part of the posterior is above -pi, at the other end of the unconstrained scale.
    let y = vec![2.4, -2.6, 3.0, -2.2, 2.2];
    let (loc, concentration, log_evidence) = of_directions(&y);
    let fit = fit_guide(&Directions { y }, &OfDirections, Bbvi::default())?;
    println!("{:?} exact {log_evidence}, {:?} exact {loc} {concentration}", fit.elbo(), fit.guide_params());
    assert!((fit.elbo().0 - log_evidence).abs() < 0.01, "{:?}, exact {log_evidence}", fit.elbo());
    assert!((fit.guide_param("loc").expect("a parameter") - loc).abs() < 0.05);
    assert!((fit.guide_param("concentration").expect("a parameter") / concentration - 1.0).abs() < 0.05);
    Ok(())
}

model! {
    /// Categories whose probabilities differ between groups.
    pub Shares(y: [in K; N], group: [in G; N]) {
        for g in G {
            share[g, K] ~ Dirichlet(1.5);
        }
        for n in N {
            y[n] ~ Categorical(share[group[n]]);
        }
    }
}

guide! {
    /// The family of the posterior.
    pub OfShares for Shares() {
        param a[G, K]: positive = 1;
        for g in G {
            share[g, K] ~ Dirichlet(a[g]);
        }
    }
}

#[test]
fn a_dirichlet_guide_has_a_simplex_for_each_group() -> Result<(), FitError> {
    let counts = [[3_usize, 1, 4], [0, 6, 1]];
    let (mut y, mut group, mut exact, mut log_evidence) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for (g, counts) in counts.iter().enumerate() {
        log_evidence += ln_gamma(4.5) - 3.0 * ln_gamma(1.5) - ln_gamma(4.5 + counts.iter().sum::<usize>() as f64);
        for (k, &count) in counts.iter().enumerate() {
            y.extend(vec![k; count]);
            group.extend(vec![g; count]);
            exact.push((format!("a[{g}, {k}]"), 1.5 + count as f64));
            log_evidence += ln_gamma(1.5 + count as f64);
        }
    }
    let fit = fit_guide(&Shares { y: y.into(), group: group.into() }, &OfShares, Bbvi::default())?;
    let exact: Vec<(&str, f64)> = exact.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    check(&fit, &exact, log_evidence);
    Ok(())
}
