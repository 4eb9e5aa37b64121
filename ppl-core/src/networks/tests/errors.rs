//! What is refused, and the sentence that says so.

use crate::networks::{
    Activation, AtLength, Concatenate, Conv2d, ConvTranspose2d, Dense, Dropout, EachStep, Embedding, Gru, Image, LayerNorm, Lstm,
    Mlp, Network, NetworkError, Parameterized, Pass, Repeat, Residual, Sequential, Window, Work,
};

fn dense(inputs: usize, outputs: usize) -> Dense {
    Dense::new(inputs, outputs, Activation::Identity).unwrap()
}

#[test]
fn layers_that_do_not_fit_are_refused_with_both_sizes() {
    let error = Sequential::<f32>::new(dense(784, 400)).then(dense(300, 20)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer 1 (`dense`) takes 300 features, but the layer before it (`dense`) gives 400; make the two sizes equal"
    );
    let error = Residual::<f32>::new(Sequential::new(dense(3, 4))).unwrap_err();
    assert_eq!(error, NetworkError::NotResidual { inputs: 3, outputs: 4 });
}

#[test]
fn an_unknown_activation_is_refused_with_those_known() {
    let error = "tahn".parse::<Activation>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no activation `tahn`; those known are identity, tanh, relu, leaky_relu, gelu, silu, softplus, sigmoid, elu"
    );
    for activation in Activation::all() {
        assert_eq!(activation.to_string().parse(), Ok(activation));
    }
}

#[test]
fn sizes_and_probabilities_out_of_range_are_refused() {
    assert_eq!(Mlp::new(&[3]).build::<f32>(0).err(), Some(NetworkError::NoLayers));
    let zero = |size| Some(NetworkError::ZeroSize { layer: "dense", size });
    assert_eq!(Mlp::new(&[3, 0, 1]).build::<f32>(0).err(), zero("the number of outputs"));
    assert!(LayerNorm::new(0).is_err() && Embedding::new(0, 1, 1).is_err() && Dropout::new(0, 0.5).is_err());
    let error = Dropout::new(3, 1.0).unwrap_err();
    assert_eq!(error.to_string(), "the probability of dropout is 1, but it must be at least 0 and below 1");
    assert!(Dropout::new(3, f64::NAN).is_err());
}

#[test]
fn slices_of_other_lengths_are_refused() {
    let network = Mlp::new(&[3, 2]).build::<f64>(0).unwrap();
    let (mut work, mut y) = (Work::new(), [0.0; 4]);
    let error = network.forward(&[0.0; 5], 2, &mut work, &mut y).unwrap_err();
    assert_eq!(error.to_string(), "`x` has 5 elements, but 6 are needed");
    network.forward(&[0.0; 6], 2, &mut work, &mut y).unwrap();
    let pass = Pass { rows: 2, x: &[0.0; 6], y: &y, y_adjoint: &[0.0; 4] };
    let error = network.pull(pass, &mut work, None, &mut [0.0; 7]).unwrap_err();
    assert_eq!(error, NetworkError::Length { operand: "gradient", expected: 8, got: 7 });
    let layers = Mlp::new(&[3, 2]).layers::<f64>().unwrap();
    assert!(Parameterized::new(layers, vec![0.0; 7]).is_err());
}

#[test]
fn no_rows_are_no_work() {
    let network = Mlp::new(&[3, 4, 2]).build::<f64>(0).unwrap();
    let (mut work, mut gradient) = (Work::new(), vec![0.0; network.parameters().len()]);
    network.forward(&[], 0, &mut work, &mut []).unwrap();
    network.pull(Pass { rows: 0, x: &[], y: &[], y_adjoint: &[] }, &mut work, Some(&mut []), &mut gradient).unwrap();
    assert!(gradient.iter().all(|g| *g == 0.0));
}

#[test]
fn what_is_no_index_is_refused_with_its_place() {
    let network = Parameterized::initialize(Sequential::new(Embedding::new(5, 2, 3).unwrap()), 0);
    let mut y = [0.0; 12];
    for (bad, text) in [(5.0, "5"), (-1.0, "-1"), (0.5, "0.5"), (f64::NAN, "NaN")] {
        let error = network.forward(&[0.0, 1.0, 2.0, 3.0, bad, 4.0], 2, &mut Work::new(), &mut y).unwrap_err();
        assert_eq!(error.to_string(), format!("row 1, position 1: `{text}` is not an index below 5"));
    }
}

#[test]
fn kernels_that_do_not_fit_an_image_are_refused() {
    let image = Image { channels: 1, height: 3, width: 9 };
    let window = Window { kernel: 6, stride: 2, padding: 1 };
    let error = Conv2d::new(image, 2, window).unwrap_err();
    assert_eq!(error.to_string(), "`conv2d`: the kernel of 6 is larger than the padded image of 5");
    let error = ConvTranspose2d::new(image, 2, window, 2).unwrap_err();
    assert_eq!(error.to_string(), "`extra` is 2, but it must be less than the stride, 2");
    assert!(Conv2d::new(image, 2, Window { stride: 0, ..window }).is_err());
    assert!(ConvTranspose2d::new(Image { height: 0, ..image }, 2, window, 0).is_err());
    assert!(Gru::new(3, 0, 2).is_err() && Lstm::new(3, 2, 0).is_err());
}

#[test]
fn sequences_that_do_not_fit_are_refused_with_the_row() {
    assert!(Repeat::new(0, 2).is_err() && EachStep::<f32>::new(0, Sequential::new(dense(1, 1))).is_err());
    assert_eq!(Concatenate::<f32>::new(2, vec![]).unwrap_err(), NetworkError::NoLayers);
    let error = Concatenate::<f32>::new(2, vec![Sequential::new(dense(1, 3))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`concatenate`: 3 numbers do not divide into 2 steps; make the layers within give as many at each step"
    );
    let words = Sequential::new(Embedding::new(5, 2, 3).unwrap());
    let network = Parameterized::<f64>::initialize(Sequential::new(AtLength::new(3, words).unwrap()), 0);
    let refused = |x: [f64; 8]| network.forward(&x, 2, &mut Work::new(), &mut [0.0; 4]).unwrap_err().to_string();
    assert_eq!(
        refused([0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 4.0]),
        "row 1: the length of the sequence is 4; it must be a whole number from 0 to 3"
    );
    assert_eq!(refused([0.0, 1.0, 2.0, 3.0, 0.0, 7.0, 2.0, 1.0]), "row 1, position 1: `7` is not an index below 5");
    assert!(AtLength::<f64>::new(2, Sequential::new(dense(1, 3))).is_err());
}
