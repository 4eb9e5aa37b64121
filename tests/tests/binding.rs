//! Bad data: each error names the field, the row, the value and what was expected.
#![forbid(unsafe_code)]

use ppl_core::prelude::*;

model! {
    /// Counts by group with a lag.
    pub Groups(y: [u64; N], x: [f64; N], scale: [f64; N], g: [in C; N], base: [f64; C], K: usize) {
        a ~ Normal(0, 1);
        r ~ HalfNormal(1);
        for c in C {
            b[c] ~ Normal(base[c], r);
        }
        for n in N {
            y[n] ~ Poisson(log_rate = b[g[n]] + a);
        }
        for n in K..N {
            factor(Normal(a * x[n - K], scale[n]).log_prob(x[n]));
            z[n] ~ Normal(0, scale[n]);
        }
        for n in 0..K {
            z[n] ~ Normal(0, 1);
        }
    }
}

fn good() -> Groups {
    Groups {
        y: vec![0, 2, 1],
        x: vec![0.1, 0.2, 0.3],
        scale: vec![1.0, 2.0, 0.5],
        g: vec![0, 1, 0].into(),
        base: vec![0.0, 1.0],
        K: 1,
    }
}

fn message(model: &Groups) -> String {
    match model.bind() {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn good_data_are_bound() {
    assert_eq!(message(&good()), "no error");
}

#[test]
fn sizes_that_disagree_name_both_arrays() {
    let message = message(&Groups { x: vec![0.1], ..good() });
    assert!(message.contains("`N` has size 3 in `y` but 1 in `x`"), "{message}");
}

#[test]
fn an_index_outside_its_dimension_names_the_row() {
    let message = message(&Groups { g: vec![0, 7, 0].into(), ..good() });
    assert!(message.contains("`g[1]` is 7") && message.contains("`C`, which has size 2"), "{message}");
}

#[test]
fn nan_is_refused_with_its_row() {
    let message = message(&Groups { x: vec![0.1, f64::NAN, 0.3], ..good() });
    assert!(message.contains("`x[1]` is NaN"), "{message}");
}

#[test]
fn a_parameter_of_data_outside_its_support_names_the_statement() {
    let message = message(&Groups { scale: vec![1.0, -2.0, 0.5], ..good() });
    assert!(message.contains("`scale[1]` is -2") && message.contains("z[n] ~ Normal(0, scale[n])"), "{message}");
    assert!(message.contains("positive"), "{message}");
}

#[test]
fn a_range_that_starts_beyond_its_end_is_empty() {
    assert!(Groups { K: 3, ..good() }.bind().is_ok());
}

#[test]
fn an_empty_plate_is_legal() {
    let empty = Groups { y: vec![], x: vec![], scale: vec![], g: vec![].into(), K: 0, ..good() };
    assert_eq!(message(&empty), "no error");
    let fit = fit_bbvi(&empty, Bbvi::default()).expect("the prior is fitted");
    assert!((fit.scalar("a").expect("a latent").sd - 1.0).abs() < 0.02);
}

model! {
    /// A lag that reaches too far.
    pub Lag(y: [f64; T]) {
        a ~ Normal(0, 1);
        for t in 1..T {
            y[t] ~ Normal(a * y[t - 2], 1);
        }
    }
}

#[test]
fn a_shifted_index_that_leaves_its_axis_is_refused() {
    let error = Lag { y: vec![1.0, 2.0, 3.0] }.bind().err().expect("t - 2 is -1 for t = 1");
    let message = error.to_string();
    assert!(message.contains("`y[t - 2]`") && message.contains("from -1 to 0"), "{message}");
}

model! {
    /// Observed values with supports.
    pub Supports(flips: [f64; N], rates: [f64; N], wins: [u64; N], trials: [u64; N], shares: [f64; N]) {
        p ~ Beta(1, 1);
        for n in N {
            flips[n] ~ Bernoulli(p);
            rates[n] ~ Gamma(2, p);
            wins[n] ~ Binomial(trials[n], p);
            shares[n] ~ Beta(2, p);
        }
    }
}

#[test]
fn observed_values_outside_the_support_are_refused() {
    let good = || Supports { flips: vec![1.0], rates: vec![2.0], wins: vec![1], trials: vec![2], shares: vec![0.5] };
    assert!(good().bind().is_ok());
    for (model, field) in [
        (Supports { flips: vec![0.5], ..good() }, "flips[0]"),
        (Supports { rates: vec![-1.0], ..good() }, "rates[0]"),
        (Supports { wins: vec![3], ..good() }, "wins[0]"),
        (Supports { shares: vec![1.0], ..good() }, "shares[0]"),
    ] {
        let error = model.bind().err();
        let message = error.map_or_else(|| "no error".to_owned(), |e| e.to_string());
        assert!(message.contains(field), "{field}: {message}");
    }
}

model! {
    /// The scale of a row is the row before it.
    pub Lagged(y: [f64; T]) {
        a ~ Normal(0, 1);
        y[0] ~ Normal(a, 1);
        for t in 1..T {
            y[t] ~ Normal(a, abs(y[t - 1]));
        }
    }
}

#[test]
fn a_scale_made_of_observed_data_is_checked_where_there_are_any() {
    let message = Lagged { y: vec![1.0, 0.0, 2.0] }.bind().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("is 0, but `y[t] ~ Normal(a, abs(y[t - 1]))` needs it positive"), "{message}");
    let (_, data) = prior_predictive::<Lagged>(&LaggedInputs { T: 3 }, 5, 0).expect("draws");
    assert_eq!(data.y.dim(), (5, 3));
}

model! {
    /// Latents between bounds of their own.
    pub Between(y: [f64; N], low: [f64; N], high: [f64; N], most: f64) {
        top ~ Truncated(Normal(0, 1), upper = most);
        for n in N {
            z[n] ~ Uniform(low[n], high[n]);
            y[n] ~ Normal(z[n] + top, 1);
        }
    }
}

#[test]
fn bounds_that_are_not_in_order_name_the_element() {
    let message = |last: f64| {
        let model = Between { y: vec![0.1, 0.2], low: vec![0.0, 2.0], high: vec![1.0, last], most: 1.0 };
        model.bind().map_or_else(|error| error.to_string(), |_| "no error".to_owned())
    };
    assert_eq!(message(3.0), "no error");
    for last in [2.0, -1.0] {
        let message = message(last);
        assert!(
            message.contains(&format!("the bounds of `z[1]` are 2 and {last}, but the first must be below the second")),
            "{message}"
        );
    }
}
