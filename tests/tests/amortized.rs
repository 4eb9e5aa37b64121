//! Amortized inference: gradients against finite differences, fits against closed forms, and what is said of what cannot be.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use ndarray::Array2;
use ppl_core::amortized::{
    Amortized, AmortizedError, AmortizedEstimator, AmortizedObjective, BoundGradient, BoundRows, Call, RowGuide, RowInput,
    RowModel, Schedule, Stopped, bound_gradient, fit_amortized,
};
use ppl_core::networks::{Activation, Mlp, Network, Parameterized};
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// One row of a factor analysis.
    #[ppl(row)]
    FactorRow(x: [f64; D], D: usize, Z: usize) {
        param h[D]: real = 0;
        param s: positive = 0.7;
        z[Z] ~ Normal(0, 1);
        x[D] ~ Normal(h, s);
    }
}

model! {
    /// A guide of its latents.
    #[ppl(row)]
    NormalRow(Z: usize) {
        param location[Z]: real = 0;
        param log_scale[Z]: real = 0;
        z[Z] ~ Normal(location, exp(log_scale));
    }
}

/// Factor analysis with a network for a decoder.
struct Factors {
    x: Array2<f64>,
    z: usize,
    decoder: Parameterized<f64>,
}

impl RowModel for Factors {
    type Element = f64;
    type Row = FactorRow;

    fn bind_rows(&self) -> Result<BoundRows<'_, FactorRow>, DataError> {
        const CALLS: &[Call] = &[Call { network: 0, operands: &["z"], results: &["h"] }];
        let (rows, columns) = self.x.dim();
        let data = Cow::Owned(self.x.iter().copied().collect());
        Ok(BoundRows {
            row: FactorRow { D: columns, Z: self.z },
            rows,
            inputs: vec![RowInput { name: "x", columns, data, observed: None }],
            networks: vec![("decoder", &self.decoder)],
            calls: CALLS,
        })
    }
}

/// A guide that reads the row through one network.
struct Encoder(Parameterized<f64>);

impl RowGuide<Factors> for Encoder {
    type Row = NormalRow;

    fn bind_guide(&self, model: &BoundRows<'_, FactorRow>) -> Result<BoundRows<'_, NormalRow>, DataError> {
        const CALLS: &[Call] = &[Call { network: 0, operands: &["x"], results: &["location", "log_scale"] }];
        Ok(BoundRows {
            row: NormalRow { Z: model.row.Z },
            rows: 0,
            inputs: vec![],
            networks: vec![("encoder", &self.0)],
            calls: CALLS,
        })
    }
}

fn noise(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut numbers = vec![0.0; rows * columns];
    normals(step_key(seed, 0), columns, &mut numbers);
    Array2::from_shape_vec((rows, columns), numbers).expect("as many")
}

model! {
    /// A row with a latent of positive numbers, and one whose location a network gives; `P` millionths are where `s` starts.
    #[ppl(row)]
    DeepRow(x: [f64; D], c: [f64; C], D: usize, C: usize, K: usize, P: usize) {
        param a[K]: real = 0;
        param h[D]: real = 0;
        param s: positive = 0.000001 * P;
        z[K] ~ Normal(0, 1);
        w ~ HalfNormal(1.5);
        y[K] ~ Normal(a, 0.8);
        x[D] ~ Normal(h + 0.3 * c[0] * w, s);
    }
}

model! {
    /// Its guide: a trunk, and heads of which one reads a draw.
    #[ppl(row)]
    DeepGuideRow(c: [f64; C], C: usize, K: usize, T: usize, P: usize) {
        param trunk[T]: real = 0;
        param l[K]: real = 0;
        param k[K]: real = 0;
        param m[K]: real = 0;
        param n[K]: real = 0;
        param t: positive = 0.000001 * P;
        z[K] ~ Normal(l, exp(k));
        w ~ Normal(0.3 * z[0] + 0.2 * c[0], t);
        y[K] ~ Normal(m + 0.1 * z[1], t * exp(n));
    }
}

/// Latents of several kinds, of which one is the prior's location of another, and conditions besides the data.
struct Deep {
    x: Array2<f64>,
    c: Array2<f64>,
    networks: [Parameterized<f64>; 2],
    start: usize,
}

/// Its guide.
struct DeepGuide {
    networks: [Parameterized<f64>; 3],
    start: usize,
}

impl RowModel for Deep {
    type Element = f64;
    type Row = DeepRow;

    fn bind_rows(&self) -> Result<BoundRows<'_, DeepRow>, DataError> {
        const CALLS: &[Call] = &[
            Call { network: 0, operands: &["z"], results: &["a"] },
            Call { network: 1, operands: &["y", "c", "w", "z"], results: &["h"] },
        ];
        let input = |name, array: &Array2<f64>| RowInput {
            name,
            columns: array.ncols(),
            data: Cow::Owned(array.iter().copied().collect()),
            observed: None,
        };
        Ok(BoundRows {
            row: DeepRow { D: self.x.ncols(), C: self.c.ncols(), K: 2, P: self.start },
            rows: self.x.nrows(),
            inputs: vec![input("x", &self.x), input("c", &self.c)],
            networks: vec![("prior", &self.networks[0]), ("decoder", &self.networks[1])],
            calls: CALLS,
        })
    }
}

impl RowGuide<Deep> for DeepGuide {
    type Row = DeepGuideRow;

    fn bind_guide(&self, model: &BoundRows<'_, DeepRow>) -> Result<BoundRows<'_, DeepGuideRow>, DataError> {
        const CALLS: &[Call] = &[
            Call { network: 0, operands: &["x"], results: &["trunk"] },
            Call { network: 1, operands: &["trunk", "c"], results: &["l", "k"] },
            Call { network: 2, operands: &["trunk", "z"], results: &["m", "n"] },
        ];
        let [trunk, first, second] = &self.networks;
        Ok(BoundRows {
            row: DeepGuideRow { C: model.row.C, K: model.row.K, T: 3, P: self.start },
            rows: 0,
            inputs: vec![],
            networks: vec![("trunk", trunk), ("first", first), ("second", second)],
            calls: CALLS,
        })
    }
}

fn smooth(sizes: &[usize], seed: u64) -> Parameterized<f64> {
    Mlp::new(sizes).activation(Activation::Tanh).build(seed).expect("sizes are positive")
}

fn deep() -> (Deep, DeepGuide) {
    let networks = [smooth(&[2, 3, 2], 1), smooth(&[7, 4, 5], 2)];
    let model = Deep { x: noise(1, 7, 5), c: noise(2, 7, 2), networks, start: 800_000 };
    let networks = [smooth(&[5, 4, 3], 3), smooth(&[5, 4], 4), smooth(&[5, 3, 4], 5)];
    (model, DeepGuide { networks, start: 500_000 })
}

fn weighted(estimator: AmortizedEstimator, samples: usize) -> Amortized {
    Amortized { objective: AmortizedObjective::ImportanceWeighted, estimator, samples, ..Amortized::default() }
}

/// The gradient of the networks, one after the other, and of the globals.
fn flat(gradient: &BoundGradient<f64>) -> Vec<f64> {
    let networks = gradient.networks.iter().flat_map(|(_, gradient)| gradient.iter().copied());
    networks.chain(gradient.globals.iter().copied()).collect()
}

#[test]
fn gradients_are_those_of_finite_differences() -> Outcome {
    let elbo = Amortized { samples: 2, ..Amortized::default() };
    let lighter = Amortized { kl_weight: KlWeight::Linear { from: 0.3, steps: 9 }, samples: 2, ..Amortized::default() };
    for (config, of_bound) in [(elbo, true), (weighted(AmortizedEstimator::Standard, 3), true), (lighter, false)] {
        let (mut model, mut guide) = deep();
        let found = bound_gradient(&model, &guide, &config, 5)?;
        if !of_bound {
            // What is maximised then is not the bound that is reported: the weight is that of a mixture of two bounds.
            continue;
        }
        let mut numeric = Vec::new();
        let h = 1e-5;
        for network in 0..5 {
            let count = if network < 2 {
                model.networks[network].parameters().len()
            } else {
                guide.networks[network - 2].parameters().len()
            };
            for i in 0..count {
                let mut moved = |by: f64| -> Result<f64, AmortizedError> {
                    let own = if network < 2 { &mut model.networks[network] } else { &mut guide.networks[network - 2] };
                    own.parameters_mut()[i] += by;
                    Ok(bound_gradient(&model, &guide, &config, 5)?.bound)
                };
                let above = moved(h)?;
                let below = moved(-2.0 * h)?;
                moved(h)?;
                numeric.push((above - below) / (2.0 * h));
            }
        }
        // The globals are unconstrained numbers: the logarithm, or what it is that the bijector takes.
        for of_guide in [false, true] {
            let mut moved = |by: i64| -> Result<f64, AmortizedError> {
                let start = if of_guide { &mut guide.start } else { &mut model.start };
                *start = start.checked_add_signed(isize::try_from(by).expect("small")).expect("positive");
                Ok(bound_gradient(&model, &guide, &config, 5)?.bound)
            };
            let above = moved(10)?;
            let below = moved(-20)?;
            moved(10)?;
            numeric.push((above - below) / 20e-6);
        }
        let found = flat(&found);
        assert_eq!(found.len(), numeric.len());
        let last = found.len() - 2;
        for (i, (found, numeric)) in found.iter().zip(&numeric).enumerate() {
            // A positive parameter is the exponential of its number.
            let numeric = numeric
                * if i == last {
                    0.8
                } else if i == last + 1 {
                    0.5
                } else {
                    1.0
                };
            assert!((found - numeric).abs() < 2e-7 * (1.0 + numeric.abs()), "{i}: {found} {numeric}");
        }
    }
    Ok(())
}

#[test]
fn estimators_have_the_same_mean() -> Outcome {
    let (model, guide) = deep();
    let elbo = |estimator| Amortized { estimator, samples: 2, ..Amortized::default() };
    let pairs = [
        (elbo(AmortizedEstimator::Standard), elbo(AmortizedEstimator::StickingTheLanding)),
        (weighted(AmortizedEstimator::Standard, 4), weighted(AmortizedEstimator::DoublyReparameterized, 4)),
    ];
    for (one, other) in pairs {
        let draws = 3000;
        let mut sums: Vec<(f64, f64)> = Vec::new();
        for seed in 0..draws {
            let [a, b] = [&one, &other].map(|config| bound_gradient(&model, &guide, config, seed));
            let (a, b) = (flat(&a?), flat(&b?));
            sums.resize(a.len(), (0.0, 0.0));
            for ((a, b), (sum, squares)) in a.iter().zip(&b).zip(&mut sums) {
                *sum += a - b;
                *squares += (a - b).powi(2);
            }
        }
        let n = draws as f64;
        let worst = sums.iter().map(|(sum, squares)| sum.abs() / (squares - sum * sum / n).max(1e-20).sqrt()).fold(0.0, f64::max);
        // The largest of about 130 standard normal numbers.
        assert!(worst < 4.0, "{:?}: {worst} standard errors", other.estimator);
        let differ = sums.iter().filter(|(_, squares)| *squares > 1e-12).count();
        assert!(differ > 50, "the estimators do differ, by {differ} numbers");
    }
    Ok(())
}

/// Principal components with noise: rows `x = W z + mu + s e`.
fn components(rows: usize, seed: u64) -> Array2<f64> {
    let loadings = ndarray::arr2(&[[1.2, 0.1], [-0.7, 0.5], [0.3, 1.1], [0.9, -0.4], [0.0, 0.8]]);
    let location = ndarray::arr1(&[0.5, -0.2, 0.0, 1.0, 0.3]);
    noise(seed, rows, 2).dot(&loadings.t()) + location + 0.5 * noise(seed + 100, rows, 5)
}

/// `L L^T = a`, lower.
fn cholesky(a: &Array2<f64>) -> Array2<f64> {
    let n = a.nrows();
    let mut l = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| l[[i, k]] * l[[j, k]]).sum();
            l[[i, j]] = if i == j { (a[[i, i]] - sum).sqrt() } else { (a[[i, j]] - sum) / l[[j, j]] };
        }
    }
    l
}

/// The log density of each row under a normal of this mean and covariance.
fn evidence(x: &Array2<f64>, mean: &[f64], covariance: &Array2<f64>) -> Vec<f64> {
    let l = cholesky(covariance);
    let d = mean.len();
    x.rows()
        .into_iter()
        .map(|row| {
            let mut y = vec![0.0; d];
            let mut log = -0.5 * d as f64 * (2.0 * std::f64::consts::PI).ln();
            for i in 0..d {
                let sum: f64 = (0..i).map(|k| l[[i, k]] * y[k]).sum();
                y[i] = (row[i] - mean[i] - sum) / l[[i, i]];
                log -= 0.5 * y[i] * y[i] + l[[i, i]].ln();
            }
            log
        })
        .collect()
}

/// The eigenvalues of a symmetric matrix by Jacobi's rotations, and a matrix whose columns are its eigenvectors.
fn eigen(a: &Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let n = a.nrows();
    let (mut a, mut v) = (a.clone(), Array2::<f64>::eye(n));
    for _ in 0..50 {
        for p in 0..n {
            for q in p + 1..n {
                let angle = 0.5 * (2.0 * a[[p, q]]).atan2(a[[q, q]] - a[[p, p]]);
                let mut turn = Array2::<f64>::eye(n);
                (turn[[p, p]], turn[[q, q]], turn[[p, q]], turn[[q, p]]) = (angle.cos(), angle.cos(), angle.sin(), -angle.sin());
                a = turn.t().dot(&a).dot(&turn);
                v = v.dot(&turn);
            }
        }
    }
    (a.diag().to_vec(), v)
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

#[test]
fn principal_components_are_those_of_maximum_likelihood() -> Outcome {
    let rows = 1000;
    let linear = |sizes: &[usize], seed| Mlp::new(sizes).build(seed);
    let model = Factors { x: components(rows, 1), z: 2, decoder: linear(&[2, 5], 1)? };
    let guide = Encoder(linear(&[5, 4], 2)?);
    let config = Amortized {
        epochs: 800,
        batch: 100,
        rate: 2e-2,
        schedule: Schedule::Cosine,
        estimator: AmortizedEstimator::StickingTheLanding,
        ..Amortized::default()
    };
    let fit = fit_amortized(&model, &guide, config)?;
    assert_eq!(fit.stopped(), &Stopped::Epochs);
    // Tipping & Bishop 1999, equations 7 and 8: eigenvalues of the covariance of the data.
    let location: Vec<f64> = model.x.columns().into_iter().map(|column| column.sum() / rows as f64).collect();
    let centred = &model.x - &ndarray::arr1(&location);
    let (values, vectors) = eigen(&(centred.t().dot(&centred) / rows as f64));
    let mut order: Vec<usize> = (0..5).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let noise_variance = order[2..].iter().map(|&i| values[i]).sum::<f64>() / 3.0;
    let mut outer = Array2::<f64>::zeros((5, 5));
    for &k in &order[..2] {
        let v = vectors.column(k).to_owned().insert_axis(ndarray::Axis(1));
        outer = outer + (values[k] - noise_variance) * v.dot(&v.t());
    }
    let decoder = fit.parameters_of("decoder").ok_or("there is a decoder")?;
    let loadings = Array2::from_shape_vec((5, 2), decoder[..10].to_vec())?;
    let (name, sd) = &fit.globals()[0];
    assert_eq!(*name, "s");
    assert!((sd[0].powi(2) - noise_variance).abs() < 0.01, "{} {noise_variance}", sd[0].powi(2));
    let found = loadings.dot(&loadings.t());
    let largest = (&found - &outer).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(largest < 0.05, "{found} {outer}");
    // The guide is of the family of the posterior (but for its diagonal): the bound is the evidence where the columns are orthogonal, as the bound makes them.
    let covariance = &found + &(sd[0].powi(2) * Array2::<f64>::eye(5));
    let exact = evidence(&model.x, &decoder[10..], &covariance);
    let last = fit.history().last().ok_or("there are epochs")?;
    assert!((last.bound - mean(&exact)).abs() < 0.02, "{} {}", last.bound, mean(&exact));
    // Rows that were not learned from.
    let other = Factors { x: components(50, 7), z: 2, decoder: linear(&[2, 5], 3)? };
    let exact = evidence(&other.x, &decoder[10..], &covariance);
    let estimated = fit.log_likelihood(&other, 500)?;
    for (estimated, exact) in estimated.iter().zip(&exact) {
        assert!((estimated - exact).abs() < 0.03, "{estimated} {exact}");
    }
    assert_eq!(fit.active_units(&model)?, [("z", vec![true, true])]);
    let encoded = fit.encode(&other)?;
    assert_eq!((encoded[0].name, encoded[0].location.dim()), ("z", (50, 2)));
    let mut posterior = Array2::<f64>::eye(2) + loadings.t().dot(&loadings) / sd[0].powi(2);
    for i in 0..2 {
        posterior[[i, i]] = posterior[[i, i]].sqrt().recip();
        assert!((encoded[0].scale[[3, i]] / posterior[[i, i]] - 1.0).abs() < 0.1, "{} {posterior}", encoded[0].scale);
    }
    Ok(())
}
