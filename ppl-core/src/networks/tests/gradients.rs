//! Derivatives against finite differences.

use super::{layers, parameters, pattern, pull, value};
use crate::networks::{AtLength, Embedding, Gru, Layer, Mode, Pass, Sequential, Work};

/// The largest difference of derivatives from central differences, relative to one and their size.
fn largest_difference(exact: &[f64], at: &mut dyn FnMut(usize, f64) -> f64) -> f64 {
    let h = 1e-5;
    let mut largest = 0.0_f64;
    for (i, &exact) in exact.iter().enumerate() {
        let numeric = (at(i, h) - at(i, -h)) / (2.0 * h);
        largest = largest.max((numeric - exact).abs() / (1.0 + exact.abs()));
    }
    largest
}

fn check(name: &str, layer: &dyn Layer<f64>, x: &[f64], rows: usize, differentiate_input: bool) {
    let parameters = parameters(layer);
    let (mut d_x, mut gradient) = (vec![0.0; x.len()], vec![0.0; parameters.len()]);
    pull(layer, &parameters, x, rows, &mut d_x, &mut gradient);
    let mut work = Work::new();
    let of_parameters = largest_difference(&gradient, &mut |i, h| {
        let mut moved = parameters.clone();
        moved[i] += h;
        value(layer, &moved, x, rows, &mut work).1
    });
    assert!(of_parameters < 1e-8, "{name}: parameters differ by {of_parameters}");
    if differentiate_input {
        let of_x = largest_difference(&d_x, &mut |i, h| {
            let mut moved = x.to_vec();
            moved[i] += h;
            value(layer, &parameters, &moved, rows, &mut work).1
        });
        assert!(of_x < 1e-8, "{name}: inputs differ by {of_x}");
    }
}

#[test]
fn derivatives_of_every_layer_are_those_of_finite_differences() {
    for (name, layer) in layers::<f64>() {
        for rows in [1, 3] {
            let x = pattern(rows * layer.inputs(), 2.0);
            check(&name, &*layer, &x, rows, true);
        }
    }
}

#[test]
fn derivatives_of_an_embedding_are_those_of_finite_differences() {
    let layer = Embedding::new(5, 3, 4).unwrap();
    check("embedding", &layer, &[0.0, 4.0, 4.0, 2.0, 1.0, 1.0, 0.0, 3.0], 2, false);
}

/// A recurrent encoder over 4 steps of 3 features, with the length of each sequence behind them.
fn at_length() -> AtLength<f64> {
    AtLength::new(4, Sequential::new(Gru::new(3, 5, 4).unwrap())).unwrap()
}

#[test]
fn derivatives_at_the_end_of_sequences_are_those_of_finite_differences() {
    let (layer, lengths) = (at_length(), [3.0, 0.0, 4.0, 1.0]);
    let mut x = pattern(4 * 13, 2.0);
    x.chunks_exact_mut(13).zip(lengths).for_each(|(x, length)| x[12] = length);
    check("at_length", &layer, &x, 4, false);
    let (mut d_x, parameters) = (vec![0.0; x.len()], parameters(&layer));
    pull(&layer, &parameters, &x, 4, &mut d_x, &mut vec![0.0; parameters.len()]);
    let mut work = Work::new();
    for (i, exact) in d_x.iter().enumerate().filter(|(i, _)| i % 13 < 12) {
        let mut at = |h: f64| {
            let mut moved = x.clone();
            moved[i] += h;
            value(&layer, &parameters, &moved, 4, &mut work).1
        };
        let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((numeric - exact).abs() < 1e-8, "{i}: {numeric} {exact}");
    }
    assert!(d_x.iter().skip(12).step_by(13).all(|d| *d == 0.0), "a length has no derivative");
}

#[test]
fn what_is_behind_the_end_of_a_sequence_changes_nothing() {
    let layer = at_length();
    let parameters = parameters(&layer);
    let mut x = pattern(13, 2.0);
    x[12] = 2.0;
    let (short, _) = value(&layer, &parameters, &x, 1, &mut Work::new());
    x[6..12].fill(7.0);
    let (padded, _) = value(&layer, &parameters, &x, 1, &mut Work::new());
    assert_eq!(short, padded);
    // The state after two steps, by a layer that goes no further.
    let (gru, mut y) = (Gru::new(3, 5, 2).unwrap(), vec![0.0; 10]);
    gru.forward(&parameters, &x[..6], 1, &mut Work::new(), &mut y);
    assert_eq!(short, y[5..]);
    x[12] = 0.0;
    assert!(value(&layer, &parameters, &x, 1, &mut Work::new()).0.iter().all(|y| *y == 0.0));
}

#[test]
fn a_pullback_adds_to_what_is_there() {
    for (name, layer) in layers::<f64>() {
        let rows = 3;
        let (x, parameters) = (pattern(rows * layer.inputs(), 2.0), parameters(&*layer));
        let (mut once_x, mut once) = (vec![0.0; x.len()], vec![0.0; parameters.len()]);
        pull(&*layer, &parameters, &x, rows, &mut once_x, &mut once);
        let (before_x, before) = (pattern(x.len(), 5.0), pattern(parameters.len(), 6.0));
        let (mut after_x, mut after) = (before_x.clone(), before.clone());
        pull(&*layer, &parameters, &x, rows, &mut after_x, &mut after);
        let added = |after: &[f64], before: &[f64], once: &[f64]| {
            after.iter().zip(before).zip(once).all(|((a, b), o)| (a - b - o).abs() < 1e-13 * (1.0 + a.abs() + b.abs()))
        };
        assert!(added(&after_x, &before_x, &once_x), "{name}");
        assert!(added(&after, &before, &once), "{name}");
    }
}

#[test]
fn a_row_gives_the_same_numbers_in_any_batch() {
    for (name, layer) in layers::<f64>() {
        if name.contains("dropout") || name.contains("sequential") {
            // The noise of dropout is of the place in the batch.
            continue;
        }
        let (rows, inputs, outputs) = (4, layer.inputs(), layer.outputs());
        let (x, parameters, mut work) = (pattern(rows * inputs, 2.0), parameters(&*layer), Work::new());
        let (all, _) = value(&*layer, &parameters, &x, rows, &mut work);
        for row in 0..rows {
            let (own, _) = value(&*layer, &parameters, &x[row * inputs..(row + 1) * inputs], 1, &mut work);
            let near = own.iter().zip(&all[row * outputs..(row + 1) * outputs]).all(|(a, b)| (a - b).abs() < 1e-13);
            assert!(near, "{name}, row {row}");
        }
    }
}

#[test]
fn single_precision_agrees_with_double() {
    #[allow(clippy::cast_possible_truncation, reason = "the test is of single precision")]
    let single = |values: &[f64]| values.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let near = |double: &[f64], single: &[f32]| {
        double.iter().zip(single).all(|(a, b)| (a - f64::from(*b)).abs() < 2e-5 * (1.0 + a.abs()))
    };
    for ((name, double), (_, layer)) in layers::<f64>().into_iter().zip(layers::<f32>()) {
        let (rows, parameters) = (3, parameters(&*double));
        let x = pattern(rows * layer.inputs(), 2.0);
        let (y, _) = value(&*double, &parameters, &x, rows, &mut Work::new());
        let (mut d_x, mut gradient) = (vec![0.0; x.len()], vec![0.0; parameters.len()]);
        pull(&*double, &parameters, &x, rows, &mut d_x, &mut gradient);

        let (x, parameters, y_adjoint) = (single(&x), single(&parameters), single(&pattern(y.len(), 0.4)));
        let (mut work, mut found) = (Work::new(), vec![0.0; y.len()]);
        work.set_mode(Mode::Train { key: 5 });
        layer.forward(&parameters, &x, rows, &mut work, &mut found);
        let (mut found_x, mut found_gradient) = (vec![0.0; x.len()], vec![0.0; parameters.len()]);
        let pass = Pass { rows, x: &x, y: &found, y_adjoint: &y_adjoint };
        layer.pull(&parameters, pass, &mut work, Some(&mut found_x), &mut found_gradient);
        assert!(near(&y, &found) && near(&d_x, &found_x) && near(&gradient, &found_gradient), "{name}");
    }
}
