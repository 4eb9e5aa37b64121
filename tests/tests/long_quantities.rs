//! Quantities of thousands of elements are computed where they are asked for by name.

use ppl_core::prelude::*;

model! {
    /// A line, with a fitted value for each row.
    pub Line(x: [f64; N], y: [f64; N]) {
        a ~ Normal(0, 10);
        b ~ Normal(0, 10);
        for n in N {
            let fitted[n] = a + b * x[n];
            y[n] ~ Normal(fitted[n], 1);
        }
    }
}

#[test]
fn a_long_quantity_is_left_out_unless_it_is_asked_for() {
    let n = 4001_u32;
    let x: Vec<f64> = (0..n).map(|i| f64::from(i) / f64::from(n) - 0.5).collect();
    let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| 1.0 + 2.0 * x + 0.5 * (i as f64).sin()).collect();
    let model = Line { x, y };
    let fit = fit_bbvi(&model, Bbvi::default()).expect("a fit");
    let table = fit.summary().to_string();
    assert!(table.contains("`fitted` has 4001 elements: `fit.summary_of(&model, \"fitted\")`"), "{table}");
    assert!(fit.scalar("fitted[0]").is_none());

    let draws = fit.draws(&model, 50).expect("draws");
    assert_eq!((draws.a.len(), draws.fitted.dim()), (50, (0, 4001)));
    let asked = fit.draws_of(&model, 50, &["fitted"]).expect("draws");
    assert_eq!(asked.a, draws.a);
    for (draw, fitted) in asked.fitted.outer_iter().enumerate() {
        assert!((fitted[4000] - (asked.a[draw] + asked.b[draw] * model.x[4000])).abs() < 1e-12);
    }
    let scalars = fit.summary_of(&model, "fitted").expect("a table");
    let mean = |name: &str| fit.scalar(name).expect("a latent").mean;
    assert_eq!(scalars[4000].name, "fitted[4000]");
    assert!((scalars[4000].mean - (mean("a") + mean("b") * model.x[4000])).abs() < 0.01);

    let error = fit.draws_of(&model, 50, &["fittet"]).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("`fittet` is not a latent or quantity of the model (`a`, `b`, `fitted`)"));
}
