//! Layers against the same in stock operations of dfdx, and against numbers that one can check.

use crate::networks::{Activation, AdamConfig, AdamState, Dense, Dropout, Layer, LayerNorm, Mode, Pass, Work};
use crate::tensor::dfdx::prelude::*;

use super::pattern;

#[test]
fn dense_layers_agree_with_dfdx() {
    const ROWS: usize = 6;
    type Weight = Rank2<4, 5>;
    let device = Cpu::default();
    for name in ["identity", "tanh", "relu", "sigmoid"] {
        let (x, parameters, cotangent) = (pattern(ROWS * 5, 1.0), pattern(24, 2.0), pattern(ROWS * 4, 3.0));
        let layer = Dense::new(5, 4, name.parse().unwrap()).unwrap();
        let (mut work, mut y) = (Work::new(), vec![0.0; ROWS * 4]);
        layer.forward(&parameters, &x, ROWS, &mut work, &mut y);
        let (mut d_x, mut gradient) = (vec![0.0; x.len()], vec![0.0; 24]);
        let pass = Pass { rows: ROWS, x: &x, y: &y, y_adjoint: &cotangent };
        layer.pull(&parameters, pass, &mut work, Some(&mut d_x), &mut gradient);

        let input: Tensor<Rank2<ROWS, 5>, f64, Cpu> = device.tensor_from_vec(x, Default::default());
        let weight: Tensor<Weight, f64, Cpu> = device.tensor_from_vec(parameters[..20].to_vec(), Default::default());
        let bias: Tensor<Rank1<4>, f64, Cpu> = device.tensor_from_vec(parameters[20..].to_vec(), Default::default());
        let cotangent: Tensor<Rank2<ROWS, 4>, f64, Cpu> = device.tensor_from_vec(cotangent, Default::default());
        let product = input.leaky_trace().matmul(weight.leaky_trace().permute::<Rank2<5, 4>, _>());
        let sum = product + bias.leaky_trace().broadcast_like::<Rank2<ROWS, 4>, _>(&Rank2::<ROWS, 4>::default());
        let output = match name {
            "tanh" => sum.tanh(),
            "relu" => sum.relu(),
            "sigmoid" => sum.sigmoid(),
            _ => sum,
        };
        let near =
            |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13 * (1.0 + a.abs()));
        assert!(near(&y, &output.as_vec()), "{name}");
        let gradients = (output * cotangent).sum::<Rank0, _>().backward();
        assert!(near(&d_x, &gradients.get(&input).as_vec()), "{name}");
        assert!(near(&gradient[..20], &gradients.get(&weight).as_vec()), "{name}");
        assert!(near(&gradient[20..], &gradients.get(&bias).as_vec()), "{name}");
    }
}

/// `torch.nn.functional` at 1 and -1: `gelu` 0.8413447, -0.1586553; `silu` 0.7310586, -0.2689414; by their formulas.
#[test]
fn activations_have_their_values() {
    let at = |activation: &str, x: f64| {
        let layer = Dense::new(1, 1, activation.parse().unwrap()).unwrap();
        let mut y = [0.0];
        layer.forward(&[1.0, 0.0], &[x], 1, &mut Work::new(), &mut y);
        y[0]
    };
    for (name, positive, negative) in [
        ("identity", 1.0, -1.0),
        ("tanh", 0.761_594_155_955_764_9, -0.761_594_155_955_764_9),
        ("relu", 1.0, 0.0),
        ("leaky_relu", 1.0, -0.01),
        ("gelu", 0.841_344_746_068_542_9, -0.158_655_253_931_457_05),
        ("silu", 0.731_058_578_630_004_9, -0.268_941_421_369_995_1),
        ("softplus", 1.313_261_687_518_222_8, 0.313_261_687_518_222_8),
        ("sigmoid", 0.731_058_578_630_004_9, 0.268_941_421_369_995_1),
        ("elu", 1.0, -0.632_120_558_828_557_7),
    ] {
        assert!((at(name, 1.0) - positive).abs() < 1e-14 && (at(name, -1.0) - negative).abs() < 1e-14, "{name}");
        // Large arguments neither overflow nor become NaN.
        assert!(at(name, 800.0).is_finite() && at(name, -800.0).is_finite(), "{name}");
    }
}

#[test]
fn a_normalized_row_has_mean_zero_and_variance_one() {
    let (layer, mut y) = (LayerNorm::new(50).unwrap(), vec![0.0; 100]);
    let mut parameters = vec![0.0; 100];
    layer.initialize(0, &mut parameters);
    let x: Vec<f64> = pattern(100, 1.0).iter().map(|x| 100.0 + 30.0 * x).collect();
    layer.forward(&parameters, &x, 2, &mut Work::new(), &mut y);
    for row in y.chunks(50) {
        let mean = row.iter().sum::<f64>() / 50.0;
        let variance = row.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 50.0;
        assert!(mean.abs() < 1e-14 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");
    }
}

#[test]
fn dropout_leaves_the_share_out_that_it_says_and_keeps_the_mean() {
    let (layer, rows) = (Dropout::new(100, 0.3).unwrap(), 1000);
    let (x, mut y, mut work) = (vec![1.0_f64; 100 * rows], vec![0.0; 100 * rows], Work::new());
    layer.forward(&[], &x, rows, &mut work, &mut y);
    assert_eq!(x, y, "evaluation changes nothing");
    work.set_mode(Mode::Train { key: 9 });
    layer.forward(&[], &x, rows, &mut work, &mut y);
    let share = y.iter().filter(|y| **y == 0.0).count() as f64 / y.len() as f64;
    // Four standard errors of 100 000 draws.
    assert!((share - 0.3).abs() < 4.0 * (0.21_f64 / 1e5).sqrt(), "{share}");
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    assert!((mean - 1.0).abs() < 4.0 * (0.21_f64 / 0.49 / 1e5).sqrt(), "{mean}");
    let first = y.clone();
    work.set_mode(Mode::Train { key: 10 });
    layer.forward(&[], &x, rows, &mut work, &mut y);
    assert_ne!(first, y, "another key, other noise");
}

#[test]
fn adam_steps_as_its_formulas_say() {
    let n = 37;
    let config = AdamConfig { largest_norm: Some(2.0), ..AdamConfig::default() };
    let (mut state, mut parameters) = (AdamState::new(n, config), pattern(n, 1.0));
    let (mut expected, mut m, mut v) = (parameters.clone(), vec![0.0; n], vec![0.0; n]);
    for step in 1..=5_i32 {
        let gradient = pattern(n, f64::from(step));
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        for i in 0..n {
            let g = gradient[i] * (2.0 / norm).min(1.0);
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            let (m, v) = (m[i] / (1.0 - 0.9_f64.powi(step)), v[i] / (1.0 - 0.999_f64.powi(step)));
            expected[i] += 0.01 * m / (v.sqrt() + 1e-8);
        }
        let mut cleared = gradient;
        state.step(0.01, &mut parameters, &mut cleared).unwrap();
        assert!(cleared.iter().all(|g| *g == 0.0));
    }
    assert!(parameters.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-13), "{parameters:?} {expected:?}");
    let before = parameters.clone();
    assert!(state.step(0.01, &mut parameters, &mut vec![f64::NAN; n]).is_err());
    assert_eq!(before, parameters);
}

#[test]
fn the_weights_to_start_from_have_the_variance_of_their_source() {
    for (activation, variance) in [(Activation::Tanh, 2.0 / 500.0), (Activation::Relu, 2.0 / 300.0)] {
        let layer = Dense::new(300, 200, activation).unwrap();
        let mut parameters = vec![0.0_f32; <Dense as Layer<f32>>::parameter_count(&layer)];
        layer.initialize(1, &mut parameters);
        let found = parameters[..60_000].iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / 60_000.0;
        // Relative standard error of a variance of normals: sqrt(2 / 60 000) = 0.006.
        assert!((found / variance - 1.0).abs() < 0.025, "{activation}: {found}");
        assert!(parameters[60_000..].iter().all(|b| *b == 0.0));
    }
}
