//! The same bits for any number of threads, and steady memory.

use super::pattern;
use crate::kernel::matrix::{multiply, multiply_shared};
use crate::networks::dense::{matrix, transposed};
use crate::networks::{
    Activate, Activation, AdamConfig, AdamState, Conv2d, ConvTranspose2d, Dense, Dropout, Gru, Image, LayerNorm, Lstm, Mode,
    Network, Parameterized, Pass, Residual, Sequential, Window, Work,
};

/// Layers large enough for their products and loops to be shared between threads.
fn network() -> Parameterized<f32> {
    let inner = Sequential::new(Dense::new(203, 203, Activation::Gelu).unwrap());
    let layers = Sequential::new(Dense::new(301, 203, Activation::Tanh).unwrap())
        .then(LayerNorm::new(203).unwrap())
        .and_then(|all| all.then(Residual::new(inner)?))
        .and_then(|all| all.then(Dropout::new(203, 0.1)?))
        .and_then(|all| all.then(Dense::new(203, 499, Activation::Identity)?));
    Parameterized::initialize(layers.unwrap(), 11)
}

/// An image through convolutions, and its lines as a sequence.
fn convolutional() -> Parameterized<f32> {
    let window = Window { kernel: 4, stride: 2, padding: 1 };
    let first = Conv2d::new(Image { channels: 1, height: 16, width: 16 }, 8, window).unwrap();
    let back = ConvTranspose2d::new(first.output(), 1, window, 0).unwrap();
    let layers = Sequential::new(first)
        .then(Activate::new(8 * 64, Activation::Silu).unwrap())
        .and_then(|all| all.then(back))
        .and_then(|all| all.then(Gru::new(16, 48, 16)?))
        .and_then(|all| all.then(Lstm::new(48, 40, 16)?));
    Parameterized::initialize(layers.unwrap(), 12)
}

/// Five steps on this number of threads.
fn learn(mut network: Parameterized<f32>, threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let (rows, mut work) = (131, Work::new());
        let (inputs, outputs) = (network.inputs(), network.outputs());
        #[allow(clippy::cast_possible_truncation, reason = "the test is of single precision")]
        let x: Vec<f32> = (0..rows * inputs).map(|i| (i as f64 * 0.7).sin() as f32).collect();
        let (mut y, mut d_x) = (vec![0.0; rows * outputs], vec![0.0; rows * inputs]);
        let mut gradient = vec![0.0; network.parameters().len()];
        let config = AdamConfig { largest_norm: Some(0.5), ..AdamConfig::default() };
        let mut optimizer = AdamState::new(gradient.len(), config);
        let mut bytes = 0;
        for step in 0..5 {
            work.set_mode(Mode::Train { key: step });
            network.forward(&x, rows, &mut work, &mut y).unwrap();
            let d_y: Vec<f32> = y.iter().map(|y| -y / rows as f32).collect();
            let pass = Pass { rows, x: &x, y: &y, y_adjoint: &d_y };
            network.pull(pass, &mut work, Some(&mut d_x), &mut gradient).unwrap();
            optimizer.step(1e-3, network.parameters_mut(), &mut gradient).unwrap();
            assert!(step == 0 || bytes == work.bytes(), "memory is steady");
            bytes = work.bytes();
        }
        network.parameters().iter().chain(&y).chain(&d_x).map(|x| x.to_bits()).collect()
    })
}

#[test]
fn one_two_and_eight_threads_give_the_same_bits() {
    for (name, make) in [("dense", network as fn() -> _), ("convolutional", convolutional)] {
        let one = learn(make(), 1);
        assert!(one.iter().all(|bits| f32::from_bits(*bits).is_finite()), "{name}");
        assert!(learn(make(), 2) == one, "{name}: two threads differ from one");
        assert!(learn(make(), 8) == one, "{name}: eight threads differ from one");
    }
}

#[test]
fn the_same_seed_gives_the_same_parameters_and_another_one_others() {
    assert_eq!(network().parameters(), network().parameters());
    let other = Parameterized::<f32>::initialize(Sequential::new(Dense::new(3, 4, Activation::Tanh).unwrap()), 1);
    let another = Parameterized::<f32>::initialize(Sequential::new(Dense::new(3, 4, Activation::Tanh).unwrap()), 2);
    assert_ne!(other.parameters(), another.parameters());
}

/// Numbers that round differently if they are added in another order.
fn numbers(n: usize) -> Vec<f32> {
    #[allow(clippy::cast_possible_truncation, reason = "the test is of single precision")]
    let numbers = pattern(n, 1.0).into_iter().map(|x| x as f32).collect();
    numbers
}

#[test]
fn a_shared_product_has_the_bits_of_one_thread() {
    for (rows, inner, columns) in [(128, 784, 400), (400, 128, 784), (128, 400, 784), (97, 2000, 61), (1000, 33, 35)] {
        let (left, right) = (numbers(rows * inner), numbers(inner * columns));
        for left in [matrix(&left, rows, inner), transposed(&left, inner, rows)] {
            for right in [matrix(&right, inner, columns), transposed(&right, columns, inner)] {
                let mut one = numbers(rows * columns);
                multiply(left, right, &mut one, columns, true);
                for threads in [1, 2, 3, 8] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let mut shared = numbers(rows * columns);
                    pool.install(|| multiply_shared(left, right, &mut shared, columns, true));
                    let same = one.iter().zip(&shared).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{rows} x {inner} x {columns} on {threads} threads");
                }
            }
        }
    }
}
