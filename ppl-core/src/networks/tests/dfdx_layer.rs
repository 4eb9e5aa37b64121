//! Modules of dfdx against our own layers of the same weights.

use dfdx::prelude::{Cpu, DeviceBuildExt, Linear, Tanh};

use super::{pattern, pull};
use crate::networks::{Activation, Dense, DfdxLayer, Layer, NetworkError, Sequential, Work};

#[test]
fn a_module_is_the_layers_of_the_same_weights() {
    let module = Cpu::default().build_module::<(Linear<5, 7>, Tanh, Linear<7, 3>), f64>();
    let weights = module.0.weight.as_vec();
    let layer = DfdxLayer::<5, 3, _>::new(module).unwrap();
    let own = Sequential::<f64>::new(Dense::new(5, 7, Activation::Tanh).unwrap());
    let own = own.then(Dense::new(7, 3, Activation::Identity).unwrap()).unwrap();
    let tensors = Layer::<f64>::tensors(&layer);
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["0.weight", "0.bias", "2.weight", "2.bias"]);
    assert!(tensors.iter().zip(own.tensors()).all(|(a, b)| a.shape == b.shape && a.range == b.range));
    let mut start = vec![0.0; own.parameter_count()];
    layer.initialize(1, &mut start);
    assert_eq!(start[..35], weights, "they start as the module has them");

    let (parameters, rows) = (pattern(own.parameter_count(), 0.3), 4);
    let x = pattern(rows * 5, 2.0);
    let run = |layer: &dyn Layer<f64>| {
        let mut y = vec![0.0; rows * 3];
        layer.forward(&parameters, &x, rows, &mut Work::new(), &mut y);
        // A pullback adds to what is there.
        let (mut x_adjoint, mut gradient) = (vec![0.5; x.len()], vec![-0.5; parameters.len()]);
        pull(layer, &parameters, &x, rows, &mut x_adjoint, &mut gradient);
        [y, x_adjoint, gradient].concat()
    };
    for (found, expected) in run(&layer).iter().zip(run(&own)) {
        assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn single_precision_and_one_row() {
    let module = Cpu::default().build_module::<Linear<2, 2>, f32>();
    let layer = DfdxLayer::<2, 2, _>::new(module).unwrap();
    let mut y = [0.0_f32; 2];
    layer.forward(&[1.0, 2.0, 3.0, 4.0, 0.5, -0.5], &[1.0, -1.0], 1, &mut Work::new(), &mut y);
    assert_eq!(y, [-0.5, -1.5]);
}

#[test]
fn there_is_no_layer_without_features() {
    let error = DfdxLayer::<0, 0, _>::new(Tanh).unwrap_err();
    assert_eq!(error, NetworkError::ZeroSize { layer: "dfdx", size: "the number of inputs" });
}
