//! Networks whose weights are latent.
#![forbid(unsafe_code)]

use ndarray::Array2;
use ppl_core::amortized::{bound_gradient, load_amortized};
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};

model! {
    /// A regression on a network with latent weights.
    pub Bayesian(x: [f64; N, D], y: [f64; N], f: net(D => 1)) {
        f ~ Normal(0, 2);
        for n in N {
            let mean = f(x[n]);
            y[n] ~ Normal(mean, 0.5);
        }
    }
}

fn normal(i: usize) -> f64 {
    normal_quantile(uniform(3, i as u64))
}

/// A straight line with noise: without hidden layers the posterior of slope and intercept is known.
fn line(rows: usize) -> Bayesian {
    let x = Array2::from_shape_fn((rows, 1), |(n, _)| normal(n));
    let y = (0..rows).map(|n| 1.5 * x[[n, 0]] - 0.7 + 0.5 * normal(rows + n)).collect();
    Bayesian { x, y, f: Mlp::new(&[1, 1]).build(4).expect("sizes") }
}

/// The mean and the covariance of slope and intercept, and the log evidence: a Gaussian linear model.
fn exact(model: &Bayesian) -> ([f64; 2], [[f64; 2]; 2], f64) {
    let mut precision = [[0.25, 0.0], [0.0, 0.25]];
    let (mut along, mut squares) = ([0.0; 2], 0.0);
    for (x, y) in model.x.column(0).iter().zip(&model.y) {
        for (i, a) in [*x, 1.0].into_iter().enumerate() {
            for (j, b) in [*x, 1.0].into_iter().enumerate() {
                precision[i][j] += a * b / 0.25;
            }
            along[i] += a * y / 0.25;
        }
        squares += y * y / 0.25;
    }
    let det = precision[0][0] * precision[1][1] - precision[0][1] * precision[1][0];
    let covariance = [[precision[1][1] / det, -precision[0][1] / det], [-precision[1][0] / det, precision[0][0] / det]];
    let mean = [0, 1].map(|i| covariance[i][0] * along[0] + covariance[i][1] * along[1]);
    let n = model.y.len() as f64;
    // log N(y; 0, 0.25 I + 4 X X^T), by the determinant lemma.
    let log_det = n * 0.25_f64.ln() + det.ln() + 2.0 * 4.0_f64.ln();
    let quadratic = squares - mean[0] * along[0] - mean[1] * along[1];
    (mean, covariance, -0.5 * (n * std::f64::consts::TAU.ln() + log_det + quadratic))
}

#[test]
fn a_line_has_its_posterior_and_its_evidence() {
    let model = line(200);
    let (mean, covariance, evidence) = exact(&model);
    let config =
        Amortized { epochs: 4000, batch: 200, rate: 0.01, schedule: Schedule::Linear { to: 0.01 }, ..Amortized::default() };
    let fit = fit_amortized(&model, &(), config).expect("a good model");
    // The locations of slope and intercept, then the logarithms of their scales.
    let learned = fit.parameters_of("f").expect("a network");
    for i in 0..2 {
        // Of a mean-field guide: the means, and the standard deviations given the other.
        let other = 1 - i;
        let precision = covariance[other][other] / (covariance[0][0] * covariance[1][1] - covariance[0][1] * covariance[1][0]);
        let sd = precision.sqrt().recip();
        assert!((learned[i] - mean[i]).abs() < 0.2 * sd, "{i}: {} {}", learned[i], mean[i]);
        assert!((learned[2 + i].exp() / sd - 1.0).abs() < 0.15, "{i}: {} {sd}", learned[2 + i].exp());
    }
    let last: Vec<f64> = fit.history().iter().rev().take(500).map(|epoch| epoch.bound).collect();
    let bound = 200.0 * last.iter().sum::<f64>() / 500.0;
    // Independent normals miss half the logarithm of one less the squared correlation.
    let correlation = covariance[0][1] * covariance[0][1] / (covariance[0][0] * covariance[1][1]);
    let best = evidence + 0.5 * (1.0 - correlation).ln();
    assert!((bound - best).abs() < 0.3, "{bound} {best} {evidence}");
}

#[test]
fn the_weights_of_a_fit_are_at_their_locations_whether_the_last_the_best_or_read_from_a_file() {
    let model = line(100);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fit.safetensors");
    for patience in [None, Some(100)] {
        let config = Amortized { epochs: 30, batch: 25, rate: 0.3, held_out: 50, patience, ..Amortized::default() };
        let fit = fit_amortized(&model, &(), config).expect("a good model");
        let bounds: Vec<f64> = fit.history().iter().filter_map(|epoch| epoch.held_out).collect();
        assert!(bounds[29] < bounds.iter().copied().fold(f64::NEG_INFINITY, f64::max), "the last epoch is not the best");
        fit.save(&path).expect("a file");
        let read = load_amortized(&model, &(), &path).expect("the same model");
        for fit in [&fit, &read] {
            let learned = fit.parameters_of("f").expect("a network");
            let again = fit.reconstruct(&model).expect("rows");
            let means = again.mean("y").expect("a normal distribution");
            for (mean, x) in means.iter().zip(&model.x) {
                assert!((mean - (learned[0] * x + learned[1])).abs() < 1e-12, "{patience:?}: {mean} {learned:?} {x}");
            }
        }
    }
}

#[test]
fn the_gradient_by_locations_is_that_of_the_bound() {
    let model = |shift: Option<(usize, f64)>| {
        let mut f = Mlp::new(&[1, 3, 1]).activation(Activation::Tanh).build::<f64>(2).expect("sizes");
        if let Some((at, by)) = shift {
            ppl_core::networks::Network::parameters_mut(&mut f)[at] += by;
        }
        Bayesian { f, ..line(20) }
    };
    let of = |model: &Bayesian| bound_gradient(model, &(), &Amortized::default(), 5).expect("a good model");
    let (_, gradient) = of(&model(None)).networks.remove(0);
    assert_eq!(gradient.len(), 20, "a location and a scale for each of ten weights");
    for at in 0..10 {
        let difference = (of(&model(Some((at, 1e-5)))).bound - of(&model(Some((at, -1e-5)))).bound) / 2e-5;
        assert!((gradient[at] - difference).abs() < 1e-6 * (1.0 + difference.abs()), "{at}: {} {difference}", gradient[at]);
    }
}

#[test]
fn predictions_are_uncertain_where_there_are_no_data() {
    let f = Mlp::new(&[1, 20, 1]).activation(Activation::Relu).build(1).expect("sizes");
    let x = Array2::from_shape_fn((100, 1), |(n, _)| n as f64 / 50.0 - 1.0);
    let y = x.column(0).iter().enumerate().map(|(n, x)| (3.0 * x).sin() + 0.5 * normal(n)).collect();
    let model = Bayesian { x, y, f };
    let config = Amortized { epochs: 3000, batch: 100, rate: 0.01, schedule: Schedule::Cosine, ..Amortized::default() };
    let fit = fit_amortized(&model, &(), config).expect("a good model");
    let asked = ndarray::array![[0.0], [4.0]];
    let new =
        Bayesian { x: asked, y: vec![0.0; 2], f: Mlp::new(&[1, 20, 1]).activation(Activation::Relu).build(1).expect("sizes") };
    let made = fit.predictive(&new, 200, 1).expect("good rows");
    let sd = |row: usize| {
        let means: Vec<f64> = made.iter().map(|made| made.array("mean").expect("what the network gives")[[row, 0]]).collect();
        let mean = means.iter().sum::<f64>() / 200.0;
        (means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 199.0).sqrt()
    };
    assert!(sd(0) < 0.3 && sd(1) > 2.0 * sd(0), "{} {}", sd(0), sd(1));
}
