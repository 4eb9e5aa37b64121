//! Convolutions and recurrent cells against their formulas, written out number by number.

use super::pattern;
use crate::networks::{Conv2d, ConvTranspose2d, Gru, Image, Layer, Lstm, Window, Work};

const WINDOWS: [Window; 4] = [
    Window { kernel: 3, stride: 1, padding: 1 },
    Window { kernel: 3, stride: 2, padding: 2 },
    Window { kernel: 2, stride: 3, padding: 0 },
    Window { kernel: 4, stride: 2, padding: 1 },
];

/// The product of kernels with an image at every place; pixels outside are zero.
fn correlate(weight: &[f64], x: &[f64], image: Image, channels: usize, window: Window) -> Vec<f64> {
    let places = |side: usize| (side + 2 * window.padding - window.kernel) / window.stride + 1;
    let mut y = Vec::new();
    for out in 0..channels {
        for down in 0..places(image.height) {
            for across in 0..places(image.width) {
                let mut sum = 0.0;
                for (index, w) in weight.chunks(image.channels * window.kernel.pow(2)).nth(out).unwrap().iter().enumerate() {
                    let (channel, at) = (index / window.kernel.pow(2), index % window.kernel.pow(2));
                    let row =
                        (down * window.stride + at / window.kernel).checked_sub(window.padding).filter(|y| *y < image.height);
                    let column =
                        (across * window.stride + at % window.kernel).checked_sub(window.padding).filter(|x| *x < image.width);
                    if let (Some(row), Some(column)) = (row, column) {
                        sum += w * x[(channel * image.height + row) * image.width + column];
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

#[test]
fn a_convolution_is_its_formula() {
    let image = Image { channels: 2, height: 5, width: 7 };
    for window in WINDOWS {
        let layer = Conv2d::new(image, 3, window).unwrap();
        let mut parameters = pattern(<Conv2d as Layer<f64>>::parameter_count(&layer), 1.0);
        let weights = parameters.len() - 3;
        let outputs = layer.output().size();
        parameters[weights..].copy_from_slice(&[0.5, -1.0, 2.0]);
        let (x, mut y) = (pattern(2 * image.size(), 2.0), vec![0.0; 2 * outputs]);
        layer.forward(&parameters, &x, 2, &mut Work::new(), &mut y);
        for row in 0..2 {
            let expected = correlate(&parameters[..weights], &x[row * image.size()..], image, 3, window);
            assert_eq!(expected.len(), outputs);
            for (i, expected) in expected.iter().enumerate() {
                let bias = parameters[weights + i / (outputs / 3)];
                assert!((y[row * outputs + i] - expected - bias).abs() < 1e-12, "{window:?}");
            }
        }
    }
}

/// `<y, transposed(x)> = <convolution(y), x>` for any two images.
#[test]
fn a_transposed_convolution_is_the_adjoint_of_a_convolution() {
    let image = Image { channels: 3, height: 4, width: 5 };
    for window in WINDOWS {
        for extra in 0..window.stride {
            let layer = ConvTranspose2d::new(image, 2, window, extra).unwrap();
            let mut parameters = pattern(<ConvTranspose2d as Layer<f64>>::parameter_count(&layer), 1.0);
            let weights = parameters.len() - 2;
            parameters[weights..].fill(0.0);
            let output = layer.output();
            assert_eq!(output.height, 3 * window.stride + window.kernel + extra - 2 * window.padding);
            let (x, mut y) = (pattern(image.size(), 2.0), vec![0.0; output.size()]);
            layer.forward(&parameters, &x, 1, &mut Work::new(), &mut y);
            let other = pattern(output.size(), 3.0);
            let back = correlate(&parameters[..weights], &other, output, 3, window);
            assert_eq!(back.len(), x.len());
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            assert!((dot(&y, &other) - dot(&back, &x)).abs() < 1e-11, "{window:?}, {extra}");
        }
    }
}

/// Gates of one row: `W_i x + b_i` and `W_h h + b_h`.
fn gates(parameters: &[f64], gates: usize, x: &[f64], h: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let product = |w: &[f64], x: &[f64], b: &[f64]| {
        w.chunks(x.len()).zip(b).map(|(w, b)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).collect()
    };
    let (input, rest) = parameters.split_at(gates * x.len());
    let (recurrent, biases) = rest.split_at(gates * h.len());
    (product(input, x, &biases[..gates]), product(recurrent, h, &biases[gates..]))
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

const STEPS: usize = 4;
const FEATURES: usize = 3;
const HIDDEN: usize = 5;

/// The states after each step, of two rows, and those of the formulas of a cell.
fn compare(layer: &dyn Layer<f64>, cell: &dyn Fn(&[f64], &[f64], &mut [f64], &mut [f64])) {
    let (parameters, x) = (pattern(layer.parameter_count(), 1.0), pattern(2 * STEPS * FEATURES, 2.0));
    let mut y = vec![0.0; 2 * STEPS * HIDDEN];
    layer.forward(&parameters, &x, 2, &mut Work::new(), &mut y);
    for row in 0..2 {
        let (mut h, mut c) = (vec![0.0; HIDDEN], vec![0.0; HIDDEN]);
        for step in 0..STEPS {
            cell(&parameters, &x[(row * STEPS + step) * FEATURES..][..FEATURES], &mut h, &mut c);
            let found = &y[(row * STEPS + step) * HIDDEN..][..HIDDEN];
            assert!(found.iter().zip(&h).all(|(a, b)| (a - b).abs() < 1e-13), "row {row}, step {step}: {found:?} {h:?}");
        }
    }
}

#[test]
fn a_gated_recurrent_unit_is_its_formulas() {
    compare(&Gru::new(FEATURES, HIDDEN, STEPS).unwrap(), &|parameters, x, h, _| {
        let (i, s) = gates(parameters, 3 * HIDDEN, x, h);
        for k in 0..HIDDEN {
            let r = sigmoid(i[k] + s[k]);
            let z = sigmoid(i[HIDDEN + k] + s[HIDDEN + k]);
            let n = (i[2 * HIDDEN + k] + r * s[2 * HIDDEN + k]).tanh();
            h[k] = (1.0 - z) * n + z * h[k];
        }
    });
}

#[test]
fn long_short_term_memory_is_its_formulas() {
    compare(&Lstm::new(FEATURES, HIDDEN, STEPS).unwrap(), &|parameters, x, h, c| {
        let (i, s) = gates(parameters, 4 * HIDDEN, x, h);
        let sum = |gate: usize, k: usize| i[gate * HIDDEN + k] + s[gate * HIDDEN + k];
        for k in 0..HIDDEN {
            c[k] = sigmoid(sum(1, k)) * c[k] + sigmoid(sum(0, k)) * sum(2, k).tanh();
            h[k] = sigmoid(sum(3, k)) * c[k].tanh();
        }
    });
}
