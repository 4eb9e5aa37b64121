//! Fits of guides beside those of the families, on models with several plates, index arrays, parameters and missing values.

use ppl_core::guides::FittedGuide;
use ppl_core::prelude::*;
use ppl_core::random::uniform;
use ppl_tests::models::Radon;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Eight schools, as Rubin wrote it.
    pub Schools(y: [f64; J], sigma: [f64; J]) {
        mu ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            theta[j] ~ Normal(mu, tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

guide! {
    /// Effects follow the population: what is known of one given the population is known in closed form, but for a factor.
    pub Structured for Schools() {
        param m: real = 0;
        param s: positive = 1;
        param lm: real = 0;
        param ls: positive = 1;
        param r[J]: positive = 1;
        mu ~ Normal(m, s);
        tau ~ LogNormal(lm, ls);
        for j in J {
            let shrink = sigma[j].powi(2) / (sigma[j].powi(2) + tau * tau);
            theta[j] ~ Normal(shrink * mu + (1 - shrink) * y[j], r[j] * tau * sqrt(shrink));
        }
    }
}

guide! {
    /// The population is left to the automatic guide.
    pub Half for Schools() {
        param r[J]: positive = 1;
        auto mu, tau;
        for j in J {
            let shrink = sigma[j].powi(2) / (sigma[j].powi(2) + tau * tau);
            theta[j] ~ Normal(shrink * mu + (1 - shrink) * y[j], r[j] * tau * sqrt(shrink));
        }
    }
}

guide! {
    /// Nothing depends on anything.
    pub Apart for Schools() {
        param m: real = 0;
        param s: positive = 1;
        param lm: real = 0;
        param ls: positive = 1;
        param a[J]: real = 0;
        param w[J]: positive = 1;
        mu ~ Normal(m, s);
        tau ~ LogNormal(lm, ls);
        theta[J] ~ Normal(a, w);
    }
}

guide! {
    /// The automatic guide of everything.
    pub Automatic for Schools() {
        auto theta, mu, tau;
    }
}

fn schools() -> Schools {
    Schools { y: vec![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0], sigma: vec![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0] }
}

#[test]
fn structure_is_worth_more_than_independence() -> Outcome {
    let model = schools();
    let mean_field = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() })?;
    let apart = fit_guide(&model, &Apart, Bbvi::default())?;
    let structured = fit_guide(&model, &Structured, Bbvi::default())?;
    let half = fit_guide(&model, &Half, Bbvi::default())?;
    let bound = |fit: &Fit<Schools>| fit.elbo().0;
    println!(
        "mean-field {:.3} (k {:.2}), apart {:.3}, structured {:.3} (k {:.2}), half {:.3} (k {:.2})",
        bound(&mean_field),
        mean_field.pareto_k(),
        bound(&apart),
        bound(&structured),
        structured.pareto_k(),
        bound(&half),
        half.pareto_k()
    );
    // Independent statements are the mean-field Gaussian; the family of the catalogue is also tried in the coordinates of residuals.
    assert!((-34.0..bound(&mean_field) + 0.05).contains(&bound(&apart)), "{:?} {:?}", apart.elbo(), mean_field.elbo());
    assert!(bound(&structured) > bound(&mean_field) + 0.1, "{:?} {:?}", structured.elbo(), mean_field.elbo());
    // Gaussians of the population that may be correlated are as many again.
    assert!(bound(&half) > bound(&structured) - 0.02, "{:?} {:?}", half.elbo(), structured.elbo());
    assert!(structured.pareto_k() < 0.7, "{}", structured.pareto_k());
    // Draws, predictions and the summary are those of any fit; a reference is a long run of NUTS: mu 4.4 +- 3.3, tau 3.6 +- 3.2.
    let mu = structured.scalar("mu").ok_or("mu is a latent")?;
    assert!((mu.mean - 4.4).abs() < 0.3 && (mu.sd - 3.3).abs() < 0.3, "{mu:?}");
    let predicted = structured.predict(&SchoolsInputs { sigma: model.sigma.clone() }, 500)?;
    assert_eq!(predicted.y.dim(), (500, 8));
    assert_eq!(structured.draws(&model, 300)?.theta.dim(), (300, 8));
    Ok(())
}

#[test]
fn all_left_to_the_automatic_guide_is_the_full_rank_gaussian() -> Outcome {
    let model = schools();
    let automatic = fit_guide(&model, &Automatic, Bbvi::default())?;
    // The model as written, without the coordinates of residuals, by the same number of parameters.
    let bound = model.bind()?;
    let FittedGuide::Own(own) = automatic.guide() else { return Err("a guide that was given".into()) };
    assert_eq!(own.guide::<f64>().parameters().len(), 10 + 55);
    assert_eq!(bound.layout().unconstrained(), 10);
    let config = Bbvi { family: Family::FullRank, search_time: std::time::Duration::ZERO, ..Bbvi::default() };
    let full_rank = fit_bbvi(&model, config)?;
    let written = full_rank.tried().iter().filter(|tried| tried.family == "full-rank Gaussian").map(|tried| tried.elbo);
    let written = written.fold(f64::NEG_INFINITY, f64::max);
    println!("automatic {:?}, full rank {:?}", automatic.elbo(), full_rank.tried());
    assert!(automatic.elbo().0 > written - 0.05, "{:?} {:?}", automatic.elbo(), full_rank.tried());
    Ok(())
}

guide! {
    /// County effects of radon, given the regression: a guide of a model of another crate, through index arrays.
    pub Counties for Radon() {
        param a[C]: real = 0;
        param on_mu: real = 0.5;
        param on_gamma[C]: real = 0;
        param w[C]: positive = 0.3;
        auto mu, gamma, beta, tau, sigma;
        for c in C {
            alpha[c] ~ Normal(a[c] + on_mu * mu + on_gamma[c] * gamma, w[c]);
        }
    }
}

/// Homes of counties of one to seven homes.
fn radon() -> Radon {
    let normal = |key: u64, i: usize| {
        let i = i as u64;
        (-2.0 * uniform(key, i).ln()).sqrt() * (std::f64::consts::TAU * uniform(key + 1, i)).cos()
    };
    let county: Vec<usize> = (0..12).flat_map(|c| std::iter::repeat_n(c, 1 + c % 7)).collect();
    let uranium: Vec<f64> = (0..12).map(|c| normal(10, c)).collect();
    let alpha: Vec<f64> = (0..12).map(|c| 1.2 + 0.7 * uranium[c] + 0.4 * normal(20, c)).collect();
    let floor: Vec<f64> = (0..county.len()).map(|n| f64::from(u8::from(n % 3 == 0))).collect();
    let log_radon = county.iter().enumerate().map(|(n, &c)| alpha[c] - 0.6 * floor[n] + 0.7 * normal(30, n)).collect();
    Radon { log_radon, floor, county: county.into(), uranium }
}

#[test]
fn a_guide_of_a_model_of_another_crate_follows_index_arrays() -> Outcome {
    let model = radon();
    let mean_field = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() })?;
    let full_rank = fit_bbvi(&model, Bbvi { family: Family::FullRank, ..Bbvi::default() })?;
    let fit = fit_guide(&model, &Counties, Bbvi::default())?;
    // Of the model as written: the coordinates of residuals are another structure.
    let written = mean_field.tried().iter().find(|tried| tried.family == "mean-field Gaussian").ok_or("as written")?.elbo;
    println!("mean-field {written}, counties {:?}, full rank {:?}", fit.elbo(), full_rank.elbo());
    assert!(fit.elbo().0 > written + 0.5, "{:?} {written}", fit.elbo());
    for name in ["mu", "beta", "sigma", "alpha[0]", "alpha[11]"] {
        let (a, b) = (fit.scalar(name).ok_or(name)?, full_rank.scalar(name).ok_or(name)?);
        assert!((a.mean - b.mean).abs() < 0.2 * b.sd && (a.sd / b.sd - 1.0).abs() < 0.2, "{name}: {a:?} {b:?}");
    }
    Ok(())
}

model! {
    /// A regression with a parameter and missing values.
    pub Mixed(x: [f64; N], y: [Option<f64>; N]) {
        param slope: real = 0;
        sigma ~ HalfNormal(2);
        for n in N {
            y[n] ~ Normal(slope * x[n], sigma);
        }
    }
}

guide! {
    /// What is missing is left to the automatic guide.
    pub OfMixed for Mixed() {
        param m: real = 0;
        param s: positive = 0.5;
        auto y;
        sigma ~ LogNormal(m, s);
    }
}

#[test]
fn parameters_of_the_model_are_points_and_missing_values_are_automatic() -> Outcome {
    let x: Vec<f64> = (0..40).map(|n| f64::from(n) / 10.0 - 2.0).collect();
    let noise = |n: usize| 0.5 * ((-2.0 * uniform(7, n as u64).ln()).sqrt() * (6.3 * uniform(8, n as u64)).cos());
    let y = x.iter().enumerate().map(|(n, x)| (n % 10 != 3).then(|| 1.5 * x + noise(n))).collect();
    let model = Mixed { x, y };
    let fit = fit_guide(&model, &OfMixed, Bbvi::default())?;
    let other = fit_bbvi(&model, Bbvi::default())?;
    let slope = |fit: &Fit<Mixed>| fit.param("slope").ok_or("a parameter");
    assert!((slope(&fit)? - slope(&other)?).abs() < 0.01, "{:?} {:?}", fit.params(), other.params());
    assert!((fit.elbo().0 - other.elbo().0).abs() < 0.05, "{:?} {:?}", fit.elbo(), other.elbo());
    for name in ["sigma", "y[13]"] {
        let (a, b) = (fit.scalar(name).ok_or(name)?, other.scalar(name).ok_or(name)?);
        assert!((a.mean - b.mean).abs() < 0.05 && (a.sd / b.sd - 1.0).abs() < 0.1, "{name}: {a:?} {b:?}");
    }
    Ok(())
}

#[test]
fn the_expansion_is_the_locations_and_scales() {
    let text = Structured::EXPANSION;
    let file = syn::parse_file(text).expect("the expansion is Rust");
    assert_eq!(prettyplease::unparse(&file), text);
    let start = text.find("/// theta[j] ~ Normal").expect("the statement is the document");
    let end = text[start..].find("fn centring_of_theta_forward").expect("the second form follows the first");
    insta::assert_snapshot!(&text[start..start + end]);
}
