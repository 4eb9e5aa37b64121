//! Arrays with missing values: the missing elements are latent, the given ones constants.

use ppl_core::prelude::*;
use ppl_tests::check_model;

model! {
    /// A covariate and a response with missing values, positive and bounded ones too.
    pub Gaps(x: [Option<f64>; N], y: [Option<f64>; N], z: [Option<f64>; N], low: [f64; N], share: [Option<f64>; G, K], g: [in G; N]) {
        a ~ Normal(0, 1);
        b ~ Normal(0, 1);
        s ~ HalfNormal(1);
        share[G, K] ~ Beta(2, 3);
        for n in N {
            x[n] ~ Normal(a, 2);
            z[n] ~ Uniform(low[n], 3);
            y[n] ~ LogNormal(a + b * x[n] + z[n] * share[g[n], 0], s);
        }
    }
}

fn gaps() -> Gaps {
    Gaps {
        x: vec![Some(0.3), None, Some(-0.7), None],
        y: vec![Some(1.2), Some(0.4), None, None],
        z: vec![None, Some(1.0), None, Some(2.5)],
        low: vec![-1.0, 0.5, 0.25, 2.0],
        share: Array2::from_shape_vec((2, 2), vec![None, Some(0.5), Some(0.2), None]).expect("four elements"),
        g: vec![0, 1, 1, 0].into(),
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences_and_the_forms_agree() {
    let model = gaps();
    let bound = model.bind().expect("good data");
    assert_eq!(bound.layout().unconstrained(), 3 + 2 + 2 + 2 + 2);
    check_model(&*bound);
    let none_missing = Gaps { x: vec![Some(0.3); 4], y: vec![Some(1.0); 4], z: vec![Some(2.5); 4], ..gaps() };
    check_model(&*none_missing.bind().expect("good data"));
    let empty = Array2::from_shape_vec((0, 2), vec![]).expect("no elements");
    check_model(
        &*Gaps { x: vec![], y: vec![], z: vec![], low: vec![], share: empty, g: Vec::<usize>::new().into() }
            .bind()
            .expect("no rows"),
    );
}

model! {
    /// A normal mean, some of whose measurements are missing.
    pub Mean(y: [Option<f64>; N]) {
        mu ~ Normal(0, 10);
        y[N] ~ Normal(mu, 1);
    }
}

#[test]
fn the_posterior_is_that_of_the_given_elements_and_the_missing_are_imputed() {
    let model = Mean { y: vec![Some(1.0), None, Some(3.0)] };
    let fit = fit_bbvi(&model, Bbvi::default()).expect("a fit");
    // The posterior of mu is Normal(4 / 2.01, 1 / sqrt(2.01)), and a Gaussian guide finds its mean exactly.
    for name in ["mu", "y[1]"] {
        let found = fit.scalar(name).expect("a latent").mean;
        assert!((found - 4.0 / 2.01).abs() < 0.02, "{name}: {found}");
    }
    assert!(fit.scalar("y[0]").is_none(), "a given element is not in the table");
    let draws = fit.draws(&model, 100).expect("draws");
    assert_eq!(draws.y.dim(), (100, 3));
    assert!(draws.y.column(0).iter().all(|&y| y == 1.0) && draws.y.column(2).iter().all(|&y| y == 3.0));
    assert!(draws.y.column(1).iter().any(|&y| y != draws.y[[0, 1]]));
}

#[test]
fn given_elements_are_checked_like_data() {
    let text = |model: Gaps| model.bind().err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        text(Gaps { y: vec![Some(1.0), Some(-0.4), None, None], ..gaps() }),
        "`Gaps`: `y[1]` is -0.4, but `y[n] ~ LogNormal(a + b * x[n] + z[n] * share[g[n], 0], s)` needs it positive"
    );
    assert_eq!(
        text(Gaps { z: vec![None, None, Some(0.1), None], ..gaps() }),
        "`Gaps`: `z[2]` is 0.1, but `z[n] ~ Uniform(low[n], 3)` needs it within its bounds (0.25 to 3)"
    );
    assert_eq!(
        text(Gaps { x: vec![Some(f64::NAN), None, None, None], ..gaps() }),
        "`Gaps`: `x[0]` is NaN; data must be finite (leave the row out, or model what is missing)"
    );
}

model! {
    /// One number that may be missing, in single precision.
    pub One(x: Option<f32>, y: f32) {
        x ~ Normal(0, 1);
        y ~ Normal(x, 1);
    }
}

#[test]
fn a_single_number_may_be_missing_in_single_precision() {
    let fit = fit_bbvi(&One { x: None, y: 2.0 }, Bbvi::default()).expect("a fit");
    let x = fit.scalar("x").expect("missing");
    assert!((x.mean - 1.0).abs() < 0.02 && (x.sd - 0.5_f64.sqrt()).abs() < 0.02, "{x:?}");
}

#[test]
fn where_nothing_is_missing_the_elbo_is_the_log_density() {
    let fit = fit_bbvi(&One { x: Some(0.5), y: 2.0 }, Bbvi::default()).expect("a fit");
    let expected = -0.5 * (0.25 + 2.25) - (2.0 * std::f64::consts::PI).ln();
    assert!((fit.elbo().0 - expected).abs() < 1e-4, "{:?}", fit.elbo());
}

#[test]
fn given_elements_are_left_out_one_by_one_and_missing_ones_are_not() {
    let y = vec![Some(1.0), None, Some(3.0), Some(2.0), Some(1.5), None, Some(2.5), Some(2.2)];
    let model = Mean { y: y.clone() };
    let loo = fit_bbvi(&model, Bbvi::default()).expect("a fit").loo(&model).expect("six rows");
    let names: Vec<&str> = loo.pointwise.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["y[0]", "y[2]", "y[3]", "y[4]", "y[6]", "y[7]"]);
    // Of five others mu is Normal(sum / 5.01, 1 / sqrt(5.01)).
    let given: Vec<f64> = y.into_iter().flatten().collect();
    let variance: f64 = 1.0 + 1.0 / 5.01;
    for (row, own) in loo.pointwise.iter().zip(&given) {
        let others = given.iter().sum::<f64>() - own;
        let exact = -0.5 * (own - others / 5.01).powi(2) / variance - 0.5 * (2.0 * std::f64::consts::PI * variance).ln();
        assert!((row.elpd_loo - exact).abs() < 0.01, "{row:?} {exact}");
    }
    // Every statement about given elements, in the order of the model, those about latents alone left out.
    let model = gaps();
    let fit = fit_bbvi(&model, Bbvi::default()).expect("a fit");
    let matrix = fit.log_likelihood(&model, 64).expect("a matrix");
    let expected = ["share[0, 1]", "share[1, 0]", "x[0]", "x[2]", "z[1]", "z[3]", "y[0]", "y[1]"];
    assert_eq!(matrix.names, expected);
    let sites: Vec<(&str, usize)> = matrix.factors.iter().map(|factor| (factor.site, factor.rows.len())).collect();
    assert_eq!(sites, [("share", 2), ("x", 2), ("z", 2), ("y", 2)]);
    let draws = fit.raw().draws(&model, 64).expect("draws");
    for s in 0..64 {
        let by_hand = -0.5 * ((-0.7 - draws.a[s]) / 2.0).powi(2) - (2.0 * (2.0 * std::f64::consts::PI).sqrt()).ln();
        assert!((matrix.values[[s, 3]] - by_hand).abs() < 1e-12);
        // Beta(2, 3) at one half has density 12 / 8.
        assert!((matrix.values[[s, 0]] - 1.5_f64.ln()).abs() < 1e-12);
    }
}
