//! Amortized inference: gradients against finite differences, fits against closed forms, and what is said of what cannot be.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::Duration;

use ndarray::Array2;
use ppl_core::amortized::{
    Amortized, AmortizedError, AmortizedEstimator, AmortizedFit, AmortizedObjective, BoundGradient, BoundRows, Call, CallOperand,
    Checkpoint, RowGuide, RowInput, RowModel, Schedule, Stopped, bound_gradient, fit_amortized, load_amortized, resume_amortized,
};
use ppl_core::guide;
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
        const CALLS: &[Call] = &[Call { network: 0, operands: &[CallOperand::whole("z")], results: &["h"] }];
        let (rows, columns) = self.x.dim();
        let data = Cow::Owned(self.x.iter().copied().collect());
        Ok(BoundRows {
            row: FactorRow { D: columns, Z: self.z },
            rows,
            inputs: vec![RowInput { name: "x", columns, data, observed: None, categories: None, shared: false }],
            networks: vec![("decoder", &self.decoder)],
            calls: CALLS,
            discretes: vec![],
            priors: &[],
        })
    }
}

model! {
    /// A guide that is not normal.
    #[ppl(row)]
    LaplaceRow(Z: usize) {
        param location[Z]: real = 0;
        param log_scale[Z]: real = 0;
        z[Z] ~ Laplace(location, exp(log_scale));
    }
}

/// That guide, for all rows alike.
struct Pointed;

impl RowGuide<Factors> for Pointed {
    type Element = f64;
    type ModelRow = FactorRow;
    type Row = LaplaceRow;

    fn bind_model<'m>(&self, model: &'m Factors) -> Result<BoundRows<'m, FactorRow>, DataError> {
        model.bind_rows()
    }

    fn bind_guide(&self, model: &BoundRows<'_, FactorRow>) -> Result<BoundRows<'_, LaplaceRow>, DataError> {
        let row = LaplaceRow { Z: model.row.Z };
        Ok(BoundRows { row, rows: 0, inputs: vec![], networks: vec![], calls: &[], discretes: vec![], priors: &[] })
    }
}

/// A guide that reads the row through one network.
struct Encoder(Parameterized<f64>);

impl RowGuide<Factors> for Encoder {
    type Element = f64;
    type ModelRow = FactorRow;
    type Row = NormalRow;

    fn bind_model<'m>(&self, model: &'m Factors) -> Result<BoundRows<'m, FactorRow>, DataError> {
        model.bind_rows()
    }

    fn bind_guide(&self, model: &BoundRows<'_, FactorRow>) -> Result<BoundRows<'_, NormalRow>, DataError> {
        const CALLS: &[Call] = &[Call { network: 0, operands: &[CallOperand::whole("x")], results: &["location", "log_scale"] }];
        Ok(BoundRows {
            row: NormalRow { Z: model.row.Z },
            rows: 0,
            inputs: vec![],
            networks: vec![("encoder", &self.0)],
            calls: CALLS,
            discretes: vec![],
            priors: &[],
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
            Call { network: 0, operands: &[CallOperand::whole("z")], results: &["a"] },
            Call {
                network: 1,
                operands: &[CallOperand::whole("y"), CallOperand::whole("c"), CallOperand::whole("w"), CallOperand::whole("z")],
                results: &["h"],
            },
        ];
        let input = |name, array: &Array2<f64>| RowInput {
            name,
            columns: array.ncols(),
            data: Cow::Owned(array.iter().copied().collect()),
            observed: None,
            categories: None,
            shared: false,
        };
        Ok(BoundRows {
            row: DeepRow { D: self.x.ncols(), C: self.c.ncols(), K: 2, P: self.start },
            rows: self.x.nrows(),
            inputs: vec![input("x", &self.x), input("c", &self.c)],
            networks: vec![("prior", &self.networks[0]), ("decoder", &self.networks[1])],
            calls: CALLS,
            discretes: vec![],
            priors: &[],
        })
    }
}

impl RowGuide<Deep> for DeepGuide {
    type Element = f64;
    type ModelRow = DeepRow;
    type Row = DeepGuideRow;

    fn bind_model<'m>(&self, model: &'m Deep) -> Result<BoundRows<'m, DeepRow>, DataError> {
        model.bind_rows()
    }

    fn bind_guide(&self, model: &BoundRows<'_, DeepRow>) -> Result<BoundRows<'_, DeepGuideRow>, DataError> {
        const CALLS: &[Call] = &[
            Call { network: 0, operands: &[CallOperand::whole("x")], results: &["trunk"] },
            Call { network: 1, operands: &[CallOperand::whole("trunk"), CallOperand::whole("c")], results: &["l", "k"] },
            Call { network: 2, operands: &[CallOperand::whole("trunk"), CallOperand::whole("z")], results: &["m", "n"] },
        ];
        let [trunk, first, second] = &self.networks;
        Ok(BoundRows {
            row: DeepGuideRow { C: model.row.C, K: model.row.K, T: 3, P: self.start },
            rows: 0,
            inputs: vec![],
            networks: vec![("trunk", trunk), ("first", first), ("second", second)],
            calls: CALLS,
            discretes: vec![],
            priors: &[],
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
    // What is maximised is the bound plus what is left of the divergence.
    for (config, left) in [(elbo, 0.0), (weighted(AmortizedEstimator::Standard, 3), 0.0), (lighter, 0.7)] {
        let objective = |model: &Deep, guide: &DeepGuide| {
            bound_gradient(model, guide, &config, 5).map(|found| found.bound + left * found.divergence)
        };
        let (mut model, mut guide) = deep();
        let found = bound_gradient(&model, &guide, &config, 5)?;
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
                    objective(&model, &guide)
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
                objective(&model, &guide)
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
        epochs: 3000,
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
    assert!((sd[0].powi(2) - noise_variance).abs() < 0.005, "{} {noise_variance}", sd[0].powi(2));
    let found = loadings.dot(&loadings.t());
    let largest = (&found - &outer).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(largest < 0.08, "{found} {outer}");
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

model! {
    /// A variational auto-encoder of bits.
    Vae(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            x[n, D] ~ Bernoulli(logit = decoder(z[n]));
        }
    }
}

guide! {
    /// Its recognition network.
    Recognition for Vae(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

/// Bits in two groups that are nearly equal within, so that one number tells most of a row.
fn bits(rows: usize) -> Result<(Vae, Recognition), Box<dyn std::error::Error>> {
    let uniform = |n: usize, d: usize| ppl_core::random::uniform(n as u64, d as u64);
    let bit = |n: usize, d: usize| f32::from(u8::from((uniform(n, 99) < 0.5) == (d < 6) || uniform(n, d) < 0.05));
    let model = Vae {
        x: Array2::from_shape_fn((rows, 12), |(n, d)| bit(n, d)),
        decoder: Mlp::new(&[2, 16, 12]).activation(Activation::Tanh).build(1)?,
        Z: 2,
    };
    Ok((model, Recognition { encoder: Mlp::new(&[12, 16, 4]).activation(Activation::Tanh).build(2)? }))
}

fn short() -> Amortized {
    Amortized { batch: 60, epochs: 30, rate: 5e-3, held_out: 50, seed: 4, ..Amortized::default() }
}

#[test]
fn a_model_in_the_language_is_learned_and_says_what_it_learned() -> Outcome {
    let (model, guide) = bits(500)?;
    let fit = fit_amortized(&model, &guide, short())?;
    let history = fit.history();
    assert_eq!((history.len(), history[29].steps, fit.held_out().len()), (30, 30 * 8, 50));
    // Without the latent a row is 12 bits, all even; with it, one bit and a few wrong ones.
    let held_out = history[29].held_out.ok_or("rows were held out")?;
    assert!(history[0].bound < -7.0 && history[29].bound > -4.0 && held_out > -4.2, "{history:?}");
    assert!((0.3..3.0).contains(&history[29].divergence), "{:?}", history[29]);
    let evidence = fit.log_likelihood(&model, 200)?;
    assert!(evidence.iter().sum::<f64>() / 500.0 > history[29].bound, "the evidence is above its bound");
    let again = fit.reconstruct(&model)?;
    let means = again.mean("x").ok_or("x is observed")?;
    let wrong = means.iter().zip(&model.x).filter(|(mean, x)| (**mean - f64::from(**x)).abs() > 0.5).count();
    assert!(wrong < 500 * 12 / 20, "{wrong} bits are wrong");
    let path = fit.interpolate(&model, 3, 8, 5)?;
    let ends = path.mean("x").ok_or("x is observed")?;
    for d in 0..12 {
        assert!((ends[[0, d]] - means[[3, d]]).abs() < 1e-6 && (ends[[4, d]] - means[[8, d]]).abs() < 1e-6);
    }
    let from_prior = fit.sample(300, 1)?;
    let draws = from_prior.array("x").ok_or("x is observed")?;
    assert!(draws.iter().all(|x| *x == 0.0 || *x == 1.0));
    let together = draws.rows().into_iter().filter(|row| (row[0] - row[1]).abs() < 0.5).count();
    assert!(together > 230, "bits of a group are equal in {together} of 300 rows");
    let z = from_prior.array("z").ok_or("z is latent")?;
    assert!((z.iter().map(|z| z * z).sum::<f64>() / 600.0 - 1.0).abs() < 0.25);
    let decoded = fit.decode(&[("z", z.clone())])?;
    assert_eq!(decoded.mean("x"), from_prior.mean("x"));
    assert_eq!(fit.draws(&model, 7, 1)?[0].1.dim(), (7, 500, 2));
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() -> Outcome {
    let (model, guide) = bits(300)?;
    let run = |threads: usize, seed: u64| -> Result<Vec<f32>, Box<dyn std::error::Error>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let config = Amortized { epochs: 3, seed, transforms: vec![Transform::binarize("x")], ..short() };
        let fit = pool.install(|| fit_amortized(&model, &guide, config))?;
        Ok([fit.parameters_of("decoder"), fit.parameters_of("encoder")].into_iter().flatten().flatten().copied().collect())
    };
    assert_eq!(run(1, 4)?, run(4, 4)?);
    assert_ne!(run(1, 4)?, run(1, 5)?);
    Ok(())
}

#[test]
fn the_code_is_what_the_encoder_gives() -> Outcome {
    let (model, guide) = bits(130)?;
    let fit = fit_amortized(&model, &guide, Amortized { epochs: 1, ..short() })?;
    let encoded = fit.encode(&model)?;
    let encoder = Parameterized::new(
        Mlp::new(&[12, 16, 4]).activation(Activation::Tanh).layers()?,
        fit.parameters_of("encoder").ok_or("there is an encoder")?.to_vec(),
    )?;
    let x: Vec<f32> = model.x.iter().copied().collect();
    let mut y = vec![0.0; 130 * 4];
    encoder.forward(&x, 130, &mut ppl_core::networks::Work::new(), &mut y)?;
    for row in 0..130 {
        for i in 0..2 {
            assert!((encoded[0].location[[row, i]] - y[row * 4 + i]).abs() < 1e-5);
            assert!((encoded[0].scale[[row, i]] / y[row * 4 + 2 + i].exp() - 1.0).abs() < 1e-5);
        }
    }
    Ok(())
}

#[test]
fn a_fit_returns_to_the_best_weights_and_leaves_alone_what_is_held() -> Outcome {
    let (model, guide) = bits(60)?;
    let config = Amortized { epochs: 2000, rate: 0.05, held_out: 30, patience: Some(5), batch: 30, ..Amortized::default() };
    let fit = fit_amortized(&model, &guide, config)?;
    let Stopped::Patience { best } = *fit.stopped() else { return Err("too few rows for 2000 epochs".into()) };
    assert_eq!(fit.history().len(), best + 6);
    let bounds: Vec<f64> = fit.history().iter().filter_map(|epoch| epoch.held_out).collect();
    assert!(bounds.iter().all(|bound| *bound <= bounds[best]));
    let config = Amortized { epochs: 2, held: vec!["decoder".to_owned()], ..short() };
    let (model, guide) = bits(200)?;
    let fit = fit_amortized(&model, &guide, config)?;
    assert_eq!(fit.parameters_of("decoder"), Some(model.decoder.parameters()));
    assert_ne!(fit.parameters_of("encoder"), Some(guide.encoder.parameters()));
    Ok(())
}

#[test]
fn errors_name_the_place_the_value_and_the_way_out() -> Outcome {
    let (model, guide) = deep();
    let refused = |config: Amortized| fit_amortized(&model, &guide, config).map(|_| ()).map_err(|error| error.to_string());
    let says = |config: Amortized, text: &str| assert_eq!(refused(config), Err(text.to_owned()));
    let one = || Amortized { epochs: 1, ..Amortized::default() };
    says(Amortized { batch: 0, ..one() }, "`batch` is 0; it must be at least 1");
    says(Amortized { rate: -1.0, ..one() }, "`rate` is -1; it must be positive and finite");
    says(
        Amortized { held_out: 7, ..one() },
        "`held_out` is 7; it must be less than the number of rows of data, so that some are left to learn from",
    );
    says(
        Amortized { held: vec!["deocder".to_owned()], ..one() },
        "there is no network or parameter `deocder`; there is `prior`, `decoder`, `trunk`, `first`, `second`, `s`, `t`",
    );
    says(
        Amortized { estimator: AmortizedEstimator::DoublyReparameterized, ..one() },
        "`AmortizedEstimator::DoublyReparameterized` does not go with the ELBO, of which it is sticking the landing; \
         take AmortizedEstimator::StickingTheLanding",
    );
    let (mut grey, recognition) = bits(20)?;
    grey.x[[3, 7]] = 1.5;
    let error = fit_amortized(&grey, &recognition, Amortized { transforms: vec![Transform::binarize("x")], ..one() }).err();
    assert_eq!(error.ok_or("no probability")?.to_string(), "`x[3, 7]` is 1.5; it must be a probability, 0 to 1");
    let far = refused(Amortized { epochs: 50, rate: 1e200, ..one() }).err().ok_or("the weights are beyond all numbers")?;
    assert!(far.contains("the first quantity that is not finite is `"), "{far}");
    let (mut wrong, guide) = deep();
    wrong.networks[1] = smooth(&[6, 5], 1);
    assert_eq!(
        fit_amortized(&wrong, &guide, one()).err().ok_or("a wrong size")?.to_string(),
        "`DeepRow`: network `decoder` takes 6 numbers, but the row has 7; make the two sizes equal"
    );
    let factors = Factors { x: components(4, 1), z: 2, decoder: smooth(&[2, 5], 1) };
    assert_eq!(
        fit_amortized(&factors, &Pointed, one()).err().ok_or("not normal")?.to_string(),
        "`LaplaceRow`: `z` is not normal on the unconstrained scale; say what it is drawn from in `families`"
    );
    let (mut wrong, guide) = deep();
    wrong.x[[4, 3]] = f64::NAN;
    let error = fit_amortized(&wrong, &guide, one()).err().ok_or("not a number")?;
    assert!(matches!(error, AmortizedError::Input { input: "x", row: 4, column: 3, .. }), "{error}");
    let (model, guide) = deep();
    let fit = fit_amortized(&model, &guide, one())?;
    let error = fit.sample(3, 1).err().ok_or("there are conditions")?.to_string();
    assert!(error.starts_with("the model reads `c`, which it does not generate"), "{error}");
    let made = fit.sample_given(&model, 1)?;
    assert!(made.array("w").ok_or("w is latent")?.iter().all(|w| *w > 0.0));
    // The second latent is drawn around what the network makes of the first.
    let (y, a) = (made.array("y").ok_or("y is latent")?, made.array("a").ok_or("a is a result")?);
    assert!((y - a).iter().all(|residual| residual.abs() < 0.8 * 4.0));
    Ok(())
}

#[test]
fn a_fit_that_was_saved_goes_on_to_the_same_bits() -> Outcome {
    let (model, guide) = bits(200)?;
    let config = |epochs| Amortized { epochs, patience: Some(50), schedule: Schedule::burda(), rate: 0.02, ..short() };
    let whole = fit_amortized(&model, &guide, config(12))?;
    let path = std::env::temp_dir().join(format!("amortized-{}.safetensors", std::process::id()));
    let half = fit_amortized(&model, &guide, config(7))?;
    half.save(&path)?;
    let read = load_amortized(&model, &guide, &path)?;
    assert_eq!(read.parameters_of("encoder"), half.parameters_of("encoder"));
    assert_eq!((read.history(), read.stopped(), read.held_out()), (half.history(), half.stopped(), half.held_out()));
    assert_eq!(read.encode(&model)?, half.encode(&model)?);
    let rest = resume_amortized(&model, &guide, &path, config(12))?;
    for network in ["encoder", "decoder"] {
        assert_eq!(rest.parameters_of(network), whole.parameters_of(network));
    }
    let bounds = |fit: &AmortizedFit<'_, Vae, Recognition>| fit.history().iter().map(|epoch| epoch.bound).collect::<Vec<_>>();
    assert_eq!(bounds(&rest), bounds(&whole));
    let other = Recognition { encoder: Mlp::new(&[12, 15, 4]).build(2)? };
    let error = load_amortized(&model, &other, &path).err().ok_or("another size")?.to_string();
    assert!(error.contains("`guide.encoder.layers.0.weight` has shape [16, 12], but the model has [15, 12]"), "{error}");
    std::fs::write(&path, "nothing")?;
    assert!(matches!(load_amortized(&model, &guide, &path), Err(AmortizedError::File { .. })));
    std::fs::remove_file(&path)?;
    Ok(())
}

#[test]
fn a_fit_that_was_killed_goes_on_from_its_checkpoint_to_the_same_bits() -> Outcome {
    let (model, guide) = bits(200)?;
    let folder = tempfile::tempdir()?;
    let (path, killed) = (folder.path().join("fit.safetensors"), folder.path().join("killed.safetensors"));
    let config = |epochs, every| Amortized {
        epochs,
        patience: Some(50),
        rate: 0.05,
        checkpoint: Some(Checkpoint { path: path.clone(), every }),
        ..short()
    };
    let whole = fit_amortized(&model, &guide, Amortized { checkpoint: None, ..config(12, Duration::ZERO) })?;
    let (from, to) = (path.clone(), killed.clone());
    // In its eighth epoch the program is killed: what it leaves is of the seventh.
    let observer = move |epoch: &Epoch| {
        if epoch.epoch == 7 {
            std::fs::copy(&from, &to).expect("a checkpoint");
        }
        ControlFlow::Continue(())
    };
    let watched = fit_amortized(&model, &guide, Amortized { observer: Some(Box::new(observer)), ..config(12, Duration::ZERO) })?;
    let same = |fit: &AmortizedFit<'_, Vae, Recognition>| {
        assert_eq!(fit.history().len(), 12);
        for network in ["encoder", "decoder"] {
            assert_eq!(fit.parameters_of(network), whole.parameters_of(network));
        }
    };
    same(&watched);
    let read = load_amortized(&model, &guide, &killed)?;
    assert_eq!((read.history().len(), read.stopped()), (7, &Stopped::Checkpoint));
    same(&resume_amortized(&model, &guide, &killed, config(12, Duration::MAX))?);
    // At the end the fit itself is there, however seldom checkpoints are, and nothing else.
    same(&load_amortized(&model, &guide, &path)?);
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 2);
    let nowhere = folder.path().join("none/fit.safetensors");
    let config = Amortized { checkpoint: Some(Checkpoint::minutes(5, &nowhere)), ..short() };
    match fit_amortized(&model, &guide, config) {
        Err(AmortizedError::File { path, .. }) => assert_eq!(path, nowhere.display().to_string()),
        other => panic!("{:?}", other.map(drop)),
    }
    Ok(())
}

model! {
    /// Means of groups, without a network.
    Groups(y: [f64; G, M]) {
        param centre: real = 0;
        for g in G {
            mu[g] ~ Normal(centre, 1.5);
            for m in M {
                y[g, m] ~ Normal(mu[g], 0.7);
            }
        }
    }
}

guide! {
    /// Reads the measurements of a group.
    GroupReader for Groups(network: net(M => 2)) {
        for g in G {
            let (loc, log_scale) = split(network(y[g]));
            mu[g] ~ Normal(loc, exp(log_scale));
        }
    }
}

#[test]
fn a_guide_of_a_model_without_networks_finds_the_posterior_of_groups_never_seen() -> Outcome {
    let groups = |seed: u64| Groups { y: 2.0 + 1.5 * noise(seed, 300, 1) + 0.7 * noise(seed + 1, 300, 4) };
    let (model, unseen) = (groups(1), groups(3));
    let guide = GroupReader { network: Mlp::new(&[4, 2]).build(5)? };
    let estimator = AmortizedEstimator::StickingTheLanding;
    let config = Amortized { epochs: 5000, rate: 0.02, schedule: Schedule::Cosine, estimator, ..Amortized::default() };
    let fit = fit_amortized(&model, &guide, config)?;
    let centre = fit.global("centre").expect("a parameter")[0];
    assert!((centre - model.y.mean().expect("numbers")).abs() < 0.02, "{centre}");
    let precision: f64 = 4.0 / 0.49 + 1.0 / 2.25;
    let encoded = fit.encode(&unseen)?;
    for (g, y) in unseen.y.rows().into_iter().enumerate() {
        let mean = (y.sum() / 0.49 + centre / 2.25) / precision;
        let (location, scale) = (encoded[0].location[[g, 0]], encoded[0].scale[[g, 0]]);
        assert!((location - mean).abs() < 0.01 && (scale - precision.powf(-0.5)).abs() < 0.01, "{location} {mean} {scale}");
    }
    // It is still a model like any other.
    assert_eq!(model.bind()?.layout().latents().map(|latent| latent.rows.len()).sum::<usize>(), 300);
    Ok(())
}
