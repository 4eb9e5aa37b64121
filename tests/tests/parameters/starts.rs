//! Where parameters start: as their statements say, within their support, and in draws from the prior.

use ppl_core::prelude::*;

use crate::supports::{Supports, SupportsInputs, supports};

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
    /// Where prior draws are known.
    pub Start(level: f64, y: [f64; N]) {
        param loc: real = level;
        param scale: positive = level - 1;
        x ~ Normal(loc, scale);
        y[N] ~ Normal(x, 1);
    }
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
