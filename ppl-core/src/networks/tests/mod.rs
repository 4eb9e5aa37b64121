//! Laws of all layers: derivatives against finite differences and against dfdx, bits for any number of threads, errors.

mod dfdx_layer;
mod errors;
#[cfg(feature = "files")]
mod files;
mod formulas;
mod gradients;
mod reference;
mod threads;

use super::{
    Activate, Activation, Concatenate, Conv2d, ConvTranspose2d, Dense, Dropout, EachStep, Gru, Image, Layer, LayerNorm, Lstm,
    Mode, Pass, Repeat, Residual, Sequential, Window, Work,
};
use crate::kernel::Real;

/// Numbers without a pattern that a layer could be blind to, away from zero, where rectifiers have a kink.
fn pattern(n: usize, phase: f64) -> Vec<f64> {
    (0..n).map(|i| (phase + 1.7 * i as f64).sin() * (1.0 + 0.01 * (i % 50) as f64) + 0.013).collect()
}

/// Every layer that maps numbers to numbers, and compositions, with a name.
fn layers<E: Real>() -> Vec<(String, Box<dyn Layer<E>>)> {
    let mut all: Vec<(String, Box<dyn Layer<E>>)> = Vec::new();
    for activation in Activation::all() {
        all.push((format!("dense {activation}"), Box::new(Dense::new(5, 19, activation).unwrap())));
    }
    all.push(("layer_norm".into(), Box::new(LayerNorm::new(19).unwrap())));
    all.push(("dropout".into(), Box::new(Dropout::new(7, 0.4).unwrap())));
    for activation in [Activation::Gelu, Activation::Softplus] {
        all.push((format!("activate {activation}"), Box::new(Activate::new(21, activation).unwrap())));
    }
    let image = Image { channels: 2, height: 5, width: 6 };
    for window in [
        Window { kernel: 3, stride: 1, padding: 1 },
        Window { kernel: 3, stride: 2, padding: 2 },
        Window { kernel: 2, stride: 3, padding: 0 },
    ] {
        all.push((format!("conv2d {window:?}"), Box::new(Conv2d::new(image, 3, window).unwrap())));
        let extra = window.stride - 1;
        all.push((format!("conv_transpose2d {window:?}"), Box::new(ConvTranspose2d::new(image, 3, window, extra).unwrap())));
    }
    all.push(("gru".into(), Box::new(Gru::new(3, 5, 4).unwrap())));
    all.push(("lstm".into(), Box::new(Lstm::new(3, 5, 4).unwrap())));
    let inner = Sequential::new(Dense::new(6, 9, Activation::Silu).unwrap());
    let inner = inner.then(Dense::new(9, 6, Activation::Tanh).unwrap()).unwrap();
    let residual = Residual::new(inner).unwrap();
    let deep = Sequential::new(Dense::new(4, 6, Activation::Elu).unwrap())
        .then(LayerNorm::new(6).unwrap())
        .and_then(|all| all.then(residual))
        .and_then(|all| all.then(Dropout::new(6, 0.25)?))
        .and_then(|all| all.then(Dense::new(6, 3, Activation::Sigmoid)?));
    all.push(("repeat".into(), Box::new(Repeat::new(3, 4).unwrap())));
    let dense = |inputs, outputs| Sequential::new(Dense::new(inputs, outputs, Activation::Tanh).unwrap());
    all.push(("each_step".into(), Box::new(EachStep::new(4, dense(3, 2)).unwrap())));
    let branches = vec![dense(2, 12), Sequential::new(Gru::new(3, 5, 4).unwrap()), Sequential::new(Repeat::new(2, 4).unwrap())];
    all.push(("concatenate".into(), Box::new(Concatenate::new(4, branches).unwrap())));
    all.push(("sequential".into(), Box::new(deep.unwrap())));
    all
}

/// A forward pass in training, and the cotangent's product with it.
fn value(layer: &dyn Layer<f64>, parameters: &[f64], x: &[f64], rows: usize, work: &mut Work<f64>) -> (Vec<f64>, f64) {
    let mut y = vec![f64::NAN; rows * layer.outputs()];
    work.set_mode(Mode::Train { key: 5 });
    layer.forward(parameters, x, rows, work, &mut y);
    let product = y.iter().zip(pattern(y.len(), 0.4)).map(|(y, c)| y * c).sum();
    (y, product)
}

/// Parameters as drawn, those that are equal made different.
fn parameters(layer: &dyn Layer<f64>) -> Vec<f64> {
    let mut parameters = vec![0.0; layer.parameter_count()];
    layer.initialize(3, &mut parameters);
    parameters.iter_mut().zip(pattern(layer.parameter_count(), 0.9)).for_each(|(p, x)| *p += 0.1 * x);
    parameters
}

/// The adjoints of the input and of the parameters, added to what is there.
fn pull(layer: &dyn Layer<f64>, parameters: &[f64], x: &[f64], rows: usize, d_x: &mut [f64], gradient: &mut [f64]) {
    let mut work = Work::new();
    let (y, _) = value(layer, parameters, x, rows, &mut work);
    let pass = Pass { rows, x, y: &y, y_adjoint: &pattern(y.len(), 0.4) };
    layer.pull(parameters, pass, &mut work, Some(d_x), gradient);
}
