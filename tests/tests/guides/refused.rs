//! What is said where a guide does not fit a model at run time; what is said at compile time stands in `ui/guides.rs`.

use ppl_core::guides::GuideError;
use ppl_core::prelude::*;

model! {
    /// Groups around a mean.
    pub Groups(y: [f64; J]) {
        mu ~ Normal(0, 2);
        for j in J {
            theta[j] ~ Normal(mu, 1);
            y[j] ~ Normal(theta[j], 1);
        }
    }
}

guide! {
    /// A guide whose scale is what it is given, less one.
    pub Given for Groups(width: [f64; J], start: f64) {
        param s: positive = start;
        mu ~ Normal(0, s);
        for j in J {
            theta[j] ~ Normal(mu, width[j] - 1);
        }
    }
}

fn says(guide: &Given) -> String {
    let model = Groups { y: vec![1.0, 2.0, 3.0] };
    match fit_guide(&model, guide, Bbvi::default()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_guide_that_does_not_fit_says_where() {
    assert_eq!(says(&Given { width: vec![2.0; 3], start: 1.0 }), "");
    assert_eq!(
        says(&Given { width: vec![2.0; 4], start: 1.0 }),
        "`Given`: dimension `J` has size 3 in `y` but 4 in `width`; a dimension has one size everywhere"
    );
    assert_eq!(
        says(&Given { width: vec![2.0, f64::NAN, 2.0], start: 1.0 }),
        "`Given`: `width[1]` is NaN; data must be finite (leave the row out, or model what is missing)"
    );
    assert_eq!(
        says(&Given { width: vec![2.0; 3], start: -1.0 }),
        "`Given`: `s` starts from -1, but `param s: positive = start` needs it positive; change what stands right of `=`"
    );
    // A scale of data alone is checked like that of a model.
    assert_eq!(
        says(&Given { width: vec![2.0, 2.0, 0.5], start: 1.0 }),
        "`Given`: `scale[2]` is -0.5, but `theta[j] ~ Normal(mu, width[j] - 1)` needs it positive"
    );
}

guide! {
    /// A guide whose scale is below zero where it starts.
    pub Below for Groups() {
        param a: positive = 1;
        mu ~ Normal(0, 1);
        theta[J] ~ Normal(mu, 0.5 - a);
    }
}

#[test]
fn a_guide_starts_where_it_is_a_distribution() {
    let model = Groups { y: vec![1.0, 2.0, 3.0] };
    let error = fit_guide(&model, &Below, Bbvi::default()).expect_err("a scale is negative");
    let FitError::Guide(GuideError::Place { ref latent, what, value, .. }) = error else { panic!("{error}") };
    assert_eq!((latent.as_str(), what, value), ("theta[0]", "scale", -0.5));
    assert_eq!(
        error.to_string(),
        "guide `Below`: the scale of `theta[0]` is -0.5 where the guide starts, but a location must be finite, and a scale positive too; \
         start its parameters elsewhere, or write `exp(..)` around a scale"
    );
}

guide! {
    /// A guide whose degrees of freedom are below zero where it starts.
    pub NoFreedom for Groups() {
        param a: real = -0.5;
        mu ~ StudentT(positive(a), 0, 1);
        theta[J] ~ Normal(mu, 1);
    }
}

#[test]
fn a_parameter_of_a_family_starts_where_it_may_lie() {
    let model = Groups { y: vec![1.0, 2.0, 3.0] };
    let error = fit_guide(&model, &NoFreedom, Bbvi::default()).expect_err("degrees of freedom are negative");
    assert_eq!(
        error.to_string(),
        "guide `NoFreedom`: `df` of `StudentT`, from which `mu` is drawn, is -0.5 where the guide starts, but must be positive; \
         start its parameters elsewhere, or write `exp(..)` around what must be positive"
    );
}

model! {
    /// Shares of bounds that are data, and a precision.
    pub Bounds(y: [f64; J], high: [f64; J], scale: [f64; P, P]) {
        for j in J {
            x[j] ~ Uniform(0, high[j]);
            y[j] ~ Normal(x[j], 1);
        }
        r[P, P] ~ Wishart(5, scale);
    }
}

guide! {
    /// Bounds of its own.
    pub OtherBounds for Bounds(top: [f64; J], df: f64) {
        param m: real = 1;
        param v[P, P]: covariance = 1;
        for j in J {
            x[j] ~ Truncated(Normal(m, 1), lower = 0, upper = top[j]);
        }
        r[P, P] ~ Wishart(df, v);
    }
}

#[test]
fn bounds_are_those_of_the_model_and_draws_are_numbers() {
    let scale = ndarray::array![[1.0, 0.2], [0.2, 1.0]];
    let model = Bounds { y: vec![1.0, 2.0, 3.0], high: vec![2.0, 3.0, 4.0], scale };
    let says = |top: Vec<f64>, df: f64| match fit_guide(&model, &OtherBounds { top, df }, Bbvi::default()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert_eq!(says(vec![2.0, 3.0, 4.0], 5.0), "");
    assert_eq!(
        says(vec![2.0, 3.5, 4.0], 5.0),
        "guide `OtherBounds`: `x[1]` lies between other bounds in the model than what it is drawn from here, `Truncated`; give the guide the bounds of the model"
    );
    assert_eq!(
        says(vec![2.0, 3.0, 4.0], 0.5),
        "guide `OtherBounds`: `r[0, 0]` is drawn as NaN from `Wishart` where the guide starts, so that its parameters are of no distribution there (bounds in their order, \
         a matrix that is positive definite, degrees of freedom above the number of rows less one); start its parameters elsewhere"
    );
}

#[test]
fn a_fit_with_a_guide_is_not_saved() {
    let model = Groups { y: vec![1.0, 2.0, 3.0] };
    let fit = fit_guide(&model, &Given { width: vec![2.0; 3], start: 1.0 }, Bbvi::default()).expect("a fit");
    let path = std::env::temp_dir().join(format!("declared-guide-{}.json", std::process::id()));
    let refused = fit.save(&path).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(
        refused.ends_with(
            "the fit is not written: the guide `Given` is of a type of yours and cannot be saved; save its parameters instead"
        ),
        "{refused}"
    );
}
