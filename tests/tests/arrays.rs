//! Arrays of three axes, index arrays of two, and functions where their arguments tie.

use ppl_core::prelude::*;
use ppl_tests::{check_model, log_density};

model! {
    /// Three axes of data and of latents, in nested plates and whole, and indices over two axes.
    pub Cube(y: [f64; A, B, C], g: [in G; A, B], who: [in C; A, B], z: [f64; A, B]) {
        s ~ HalfNormal(1);
        w[A, B, C] ~ Normal(0, 1);
        effect[G] ~ Normal(0, 1);
        mix[A, B, G] ~ Normal(0, s);
        for a in A {
            for b in B {
                z[a, b] ~ Normal(effect[g[a, b]] + w[a, b, who[a, b]] + dot(mix[a, b], effect), s);
                for c in C {
                    y[a, b, c] ~ Normal(w[a, b, c] + effect[g[a, b]] * sum(k in G => mix[a, b, k]), 1);
                }
            }
        }
    }
}

fn cube() -> Cube {
    let (a, b, c) = (2, 3, 4);
    let numbers = |n: usize| (0..n).map(|i| (i * 37 % 19) as f64 / 10.0 - 0.9).collect::<Vec<f64>>();
    Cube {
        y: Array3::from_shape_vec((a, b, c), numbers(a * b * c)).expect("the shape fits"),
        g: Array2::from_shape_vec((a, b), vec![0, 1, 2, 2, 1, 0]).expect("the shape fits"),
        who: Array2::from_shape_vec((a, b), vec![3, 2, 1, 0, 3, 2]).expect("the shape fits"),
        z: Array2::from_shape_vec((a, b), numbers(a * b)).expect("the shape fits"),
    }
}

#[test]
fn three_axes_and_indices_of_two_have_the_right_gradient() {
    let model = cube();
    let bound = model.bind().expect("good data");
    check_model(&*bound);
    let names: Vec<String> = [0, 5, 23].iter().map(|&i| bound.layout().element_name(&bound.layout().variables[1], i)).collect();
    assert_eq!(names, ["w[0, 0, 0]", "w[0, 1, 1]", "w[1, 2, 3]"]);
    let fit = fit_bbvi(&model, Bbvi { max_steps: 50, ..Bbvi::default() }).expect("a fit");
    assert_eq!(fit.draws(&model, 3).expect("draws").w.dim(), (3, 2, 3, 4));
    assert_eq!(fit.posterior_predictive(&model, 3).expect("draws").y.dim(), (3, 2, 3, 4));
}

#[test]
fn any_order_of_strides_gives_the_same_log_density() {
    let (model, u) = (cube(), |n| ppl_tests::points(n, 8));
    let bound = model.bind().expect("good data");
    let (value, gradient) = log_density(&*bound, &u(bound.layout().unconstrained()), &bound.unit_weights(8));
    // The same arrays, stored with the last axis slowest.
    let turned = Cube { y: model.y.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes(), ..cube() };
    assert!(!turned.y.is_standard_layout());
    let other = turned.bind().expect("good data");
    assert_eq!(log_density(&*other, &u(other.layout().unconstrained()), &other.unit_weights(8)), (value, gradient));
}

#[test]
fn indices_of_two_axes_are_checked_by_their_place() {
    let mut model = cube();
    model.who[[1, 2]] = 4;
    let error = model.bind().err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("`Cube`: `who[5]` is 4, but it must be an index into `C`, which has size 4 (0 to 3)"));
}

model! {
    /// Functions with corners.
    pub Corners(y: f64) {
        a ~ Normal(0, 1);
        b ~ Normal(0, 1);
        factor(min(a, b) + 2 * max(a, b) + 3 * abs(a));
        y ~ Normal(max(a, 0), 1);
    }
}

#[test]
fn at_a_tie_the_derivative_is_one_of_those_beside_it() {
    let model = Corners { y: 0.0 };
    let bound = model.bind().expect("good data");
    // Lane 0: both zero. Lane 1: tied at 0.5. The others apart.
    let u: Vec<f64> = [[0.0, 0.5, 0.2, 0.9, -0.3, -0.8, 1.0, 2.0], [0.0, 0.5, 0.9, 0.2, -0.8, -0.3, 2.0, 1.0]].concat();
    let (value, gradient) = log_density(&*bound, &u, &bound.unit_weights(8));
    assert!(value.iter().chain(&gradient).all(|x| x.is_finite()));
    // At the tie of min and max (0.5, 0.5): da of min + 2 max is 1 or 2, and both add up to 3 with db.
    let (prior, likelihood, corner) = (-0.5, -0.5, 3.0);
    let (d_a, d_b) = (gradient[1] - prior - likelihood - corner, gradient[8 + 1] - prior);
    assert!((d_a == 1.0 && d_b == 2.0) || (d_a == 2.0 && d_b == 1.0) || (d_a == 1.5 && d_b == 1.5), "{d_a} {d_b}");
    // At zero, every one-sided derivative of a: -3 to 3 for abs, 1 or 2 for min and max.
    assert!((-3.0 + 1.0..=3.0 + 2.0).contains(&gradient[0]), "{}", gradient[0]);
}
