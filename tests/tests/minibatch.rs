//! Batches of a plate: their expectation is the whole, what cannot be taken apart is refused, and fits agree with those over all rows.

use ppl_core::estimators::{Batched, GradientEstimator, Mixed, Pathwise};
use ppl_core::guides::MeanField;
use ppl_core::model::Batch;
use ppl_core::prelude::*;
use ppl_core::random::{step_key, uniform};
use ppl_tests::guides::Reticent;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Latents over the plate and not, on several supports, with an index into another plate and a plate within.
    pub Panel(y: [f64; N, T], x: [f64; T, N], group: [in G; N], size: [u64; N]) {
        mu ~ Normal(0, 2);
        tau ~ HalfNormal(1);
        param noise: positive = 1 + sum(size) / N;
        for g in G {
            alpha[g] ~ Normal(mu, tau);
        }
        for n in N {
            rate[n] ~ Gamma(2, 1);
            share[n, T] ~ Dirichlet(2);
            param shift[n]: interval(-1, 2) = 0.1;
            let level[n] = alpha[group[n]] + rate[n].ln() + shift[n];
            size[n] ~ Poisson(rate[n]);
            for t in T {
                effect[t, n] ~ Normal(0, 1);
                y[n, t] ~ Normal(level[n] + effect[t, n] * x[t, n], noise + share[n, t]);
            }
        }
    }
}

fn panel() -> Panel {
    let number = |i: usize| 2.0 * uniform(9, i as u64) - 1.0;
    Panel {
        y: Array2::from_shape_fn((6, 3), |(n, t)| number(3 * n + t)),
        x: Array2::from_shape_fn((3, 6), |(t, n)| number(100 + 6 * t + n)),
        group: Indices::from(vec![0, 1, 1, 0, 2, 1]),
        size: vec![1, 0, 3, 2, 1, 4],
    }
}

/// The mean over the batches of a partition of the plate is the log density of all of it, and its gradient.
#[test]
fn batches_of_a_partition_make_up_the_whole() -> Outcome {
    let data = panel();
    let model = data.bind()?;
    let (samples, layout) = (8, model.layout());
    let u = ppl_tests::points(layout.unconstrained(), samples);
    let (whole, gradient) = ppl_tests::log_density(&*model, &u, &model.unit_weights(samples));
    let plate = model.graph().plate("N")?;
    let (mut mean, mut mean_gradient) = (vec![0.0; samples], vec![0.0; u.len()]);
    for rows in [[4, 1], [0, 5], [3, 2]] {
        let batch = Batch { plate, size: 6, rows: &rows };
        let part = model.batch(&batch)?;
        let dimensions = batch.unconstrained(layout);
        assert_eq!(dimensions.len(), part.layout().unconstrained());
        let own: Vec<f64> = dimensions.iter().flat_map(|&i| u[i * samples..(i + 1) * samples].to_vec()).collect();
        let (value, derivative) = ppl_tests::log_density(&*part, &own, &part.unit_weights(samples));
        mean.iter_mut().zip(&value).for_each(|(mean, value)| *mean += value / 3.0);
        for (row, &i) in derivative.chunks_exact(samples).zip(&dimensions) {
            mean_gradient[i * samples..].iter_mut().zip(row).for_each(|(mean, d)| *mean += d / 3.0);
        }
    }
    for (found, expected) in mean.iter().chain(&mean_gradient).zip(whole.iter().chain(&gradient)) {
        assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{found}, {expected}");
    }
    Ok(())
}

/// All batches of an epoch are disjoint and the expectation of the gradient is that over all rows.
#[test]
fn the_gradient_over_batches_is_unbiased() -> Outcome {
    let data = panel();
    let model = data.bind()?;
    let n = model.layout().unconstrained();
    let loc: Vec<f64> = (0..n).map(|i| 0.3 * (1.7 * i as f64).sin()).collect();
    let points = model.layout().points();
    let guide = MeanField::with_points(&loc, &vec![-1.0; n - points], &vec![1.0; points]);
    let plate = model.graph().plate("N")?;
    let moments = |estimator: &mut dyn GradientEstimator<f64>, steps: u64| {
        let (mut mean, mut square, mut gradient) =
            (vec![0.0; 2 * n - points], vec![0.0; 2 * n - points], vec![0.0; 2 * n - points]);
        for step in 0..steps {
            estimator.estimate(&*model, &guide, step_key(5, step), &mut gradient);
            for i in 0..2 * n - points {
                mean[i] += gradient[i] / steps as f64;
                square[i] += gradient[i].powi(2) / steps as f64;
            }
        }
        let error: Vec<f64> = square.iter().zip(&mean).map(|(s, m)| ((s - m * m) / steps as f64).max(0.0)).collect();
        (mean, error)
    };
    let whole = moments(&mut Pathwise::new(&*model, &guide, 64, Objective::Elbo).sticking(false), 500);
    for kind in [Estimator::Reparameterization, Estimator::StickingTheLanding, Estimator::SCORE_FUNCTION] {
        let mut batched = Batched::new(6, (plate, 2), 64, &vec![kind; n], 3);
        let batched = moments(&mut batched, 6000);
        for i in 0..2 * n - points {
            let error = (whole.1[i] + batched.1[i]).sqrt();
            assert!(
                (whole.0[i] - batched.0[i]).abs() < 4.5 * error + 1e-12,
                "{kind:?}, {i}: {} {} {error}",
                whole.0[i],
                batched.0[i]
            );
        }
    }
    Ok(())
}

mod refused {
    use super::*;

    model! {
        pub Summed(y: [f64; N], M: usize) {
            for n in N {
                theta[n] ~ Normal(0, 1);
                y[n] ~ Normal(sum(m in N => theta[m]), 1);
            }
        }
    }
    model! {
        pub Walk(y: [f64; T]) {
            for t in T {
                x[t] ~ Normal(0, 1);
                y[t] ~ Normal(x[t], 1);
            }
            for t in 1..T {
                factor(-(x[t] - x[t - 1]).powi(2));
            }
        }
    }
    model! {
        pub Gathered(y: [f64; N], group: [in G; N]) {
            for g in G {
                theta[g] ~ Normal(0, 1);
            }
            for n in N {
                y[n] ~ Normal(theta[group[n]], 1);
            }
        }
    }
    model! {
        pub Sized(y: [f64; N]) {
            mu ~ Normal(0, 1);
            for n in N {
                y[n] ~ Normal(mu, 1 + 1 / N);
            }
        }
    }
    model! {
        pub Numbered(y: [f64; N]) {
            mu ~ Normal(0, 1);
            for n in N {
                y[n] ~ Normal(mu * n, 1);
            }
        }
    }
    model! {
        pub Shares(y: [u64; N, K]) {
            share[K] ~ Dirichlet(1);
            for n in N {
                for k in K {
                    y[n, k] ~ Poisson(10 * share[k]);
                }
            }
        }
    }
    model! {
        pub Pairs(y: [f64; N]) {
            for n in N {
                x[n] ~ Normal(y[n], 1);
                for m in N {
                    factor(-(x[n] - x[m]).powi(2));
                }
            }
        }
    }
    model! {
        pub Inner(y: [f64; N], x: [f64; N, K]) {
            mu ~ Normal(0, 1);
            for n in N {
                y[n] ~ Normal(mu * sum(k in K => x[n, k]), 1);
            }
        }
    }
    model! {
        pub From(y: [f64; N], T: usize) {
            z[T] ~ Normal(0, 1);
            for n in N {
                y[n] ~ Normal(0, 1);
            }
            for t in N..T {
                factor(-z[t].powi(2));
            }
        }
    }
    model! {
        pub Labels(y: [f64; N], p: [f64; N], c: in N) {
            mu ~ Normal(0, 1);
            c ~ Categorical(probs = p);
            for n in N {
                y[n] ~ Normal(mu, 1);
            }
        }
    }
    model! {
        pub First(y: [f64; N]) {
            mu ~ Normal(0, 1);
            for n in N {
                y[n] ~ Normal(mu + y[0], 1);
            }
        }
    }
    model! {
        pub At(y: [f64; N], T: usize) {
            z[T] ~ Normal(0, 1);
            for n in N {
                y[n] ~ Normal(z[(N)], 1);
            }
        }
    }
    model! {
        pub Holes(y: [Option<f64>; N]) {
            mu ~ Normal(0, 1);
            for n in N {
                y[n] ~ Normal(mu, 1);
            }
        }
    }
}

/// What is said of a fit in batches.
fn message<M: Model>(model: &M, plate: &str) -> String {
    let config = Bbvi { minibatch: Some(Minibatch::of(plate, 2)), ..Bbvi::default() };
    fit_bbvi(model, config).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_cannot_be_taken_apart_is_refused_with_the_reason() {
    use refused::*;
    let y = || vec![0.1, 0.5, -0.3];
    let found = [
        message(&Summed { y: y(), M: 2 }, "N"),
        message(&Walk { y: y() }, "T"),
        message(&Gathered { y: y(), group: Indices::from(vec![0, 1, 1]) }, "G"),
        message(&Sized { y: y() }, "N"),
        message(&Numbered { y: y() }, "N"),
        message(&Shares { y: Array2::from_elem((3, 2), 4) }, "K"),
        message(&Holes { y: vec![Some(0.1), None, Some(1.0)] }, "N"),
        message(&Gathered { y: y(), group: Indices::from(vec![0, 1, 1]) }, "P"),
        message(&Pairs { y: y() }, "N"),
        message(&Inner { y: y(), x: Array2::ones((3, 2)) }, "K"),
        message(&From { y: y(), T: 5 }, "N"),
        message(&Labels { y: y(), p: vec![0.2, 0.3, 0.5], c: 1 }, "N"),
        message(&First { y: y() }, "N"),
        message(&At { y: y(), T: 5 }, "N"),
    ];
    let expected = [
        "`Summed` cannot be taken in batches of `N`: `y[n] ~ Normal(sum(m in N => theta[m]), 1)` sums over all of it; dimensions that can be: none",
        "`Walk` cannot be taken in batches of `T`: `t` runs over part of it; dimensions that can be: none",
        "`Gathered` cannot be taken in batches of `G`: `y[n] ~ Normal(theta[group[n]], 1)` reads `theta` through `group`; dimensions that can be: `N`",
        "`Sized` cannot be taken in batches of `N`: `y[n] ~ Normal(mu, 1 + 1 / N)` uses its size as a number; dimensions that can be: none",
        "`Numbered` cannot be taken in batches of `N`: `y[n] ~ Normal(mu * n, 1)` uses `n` as a number; dimensions that can be: none",
        "`Shares` cannot be taken in batches of `K`: the elements of `share` along it are one event; dimensions that can be: `N`",
        "`Holes` cannot be taken in batches of `N`: `y` has missing values; dimensions that can be: none",
        "`P` is not a dimension of `Gathered`; those that can be taken in batches are `N`",
        "`Pairs` cannot be taken in batches of `N`: `factor(-(x[n] - x[m]).powi(2))` stands in two loops over it; dimensions that can be: none",
        "`Inner` cannot be taken in batches of `K`: no statement runs over it; dimensions that can be: `N`",
        "`From` cannot be taken in batches of `N`: the range of `t` depends on its size; dimensions that can be: none",
        "`Labels` cannot be taken in batches of `N`: `c ~ Categorical(probs = p)` reads all of `p`; dimensions that can be: none",
        "`First` cannot be taken in batches of `N`: `y[n] ~ Normal(mu + y[0], 1)` reads another element of `y`; dimensions that can be: none",
        "`At` cannot be taken in batches of `N`: `y[n] ~ Normal(z[(N)], 1)` reads `z` at its size; dimensions that can be: none",
    ];
    assert_eq!(found, expected);
    let config = |minibatch| Bbvi { minibatch: Some(minibatch), ..Bbvi::default() };
    let data = Gathered { y: y(), group: Indices::from(vec![0, 1, 1]) };
    let error = |config: Bbvi| fit_bbvi(&data, config).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(error(config(Minibatch::of("N", 4))), "`minibatch` asks for 4 elements of `N`, which has 3; ask for 1 to 3");
    let mixture = Family::Mixture { components: 2, full_rank: true };
    let error_of_family = error(Bbvi { family: mixture, ..config(Minibatch::of("N", 2)) });
    assert!(
        error_of_family.ends_with("cannot be fitted in batches: take Family::MeanField, Blocks, LowRank or FullRank"),
        "{error_of_family}"
    );
    let objective = Objective::ImportanceWeighted { samples: 4 };
    assert!(error(Bbvi { objective, ..config(Minibatch::of("N", 2)) }).ends_with("take the ELBO"));
}

model! {
    /// Logistic regression.
    pub Logistic(x: [f64; N, K], y: [bool; N]) {
        beta[K] ~ Normal(0, 2);
        for n in N {
            y[n] ~ Bernoulli(logit = dot(x[n], beta));
        }
    }
}

fn logistic(rows: usize) -> Logistic {
    let x = Array2::from_shape_fn((rows, 4), |(n, k)| 3.0 * uniform(1, (4 * n + k) as u64) - 1.5);
    let logit = |n: usize| x.row(n).iter().zip([1.0, -0.5, 0.3, 0.0]).map(|(x, b)| x * b).sum::<f64>();
    let y = (0..rows).map(|n| uniform(2, n as u64) < 1.0 / (1.0 + (-logit(n)).exp())).collect();
    Logistic { x, y }
}

/// Checks means, in standard deviations, and standard deviations, in logarithms, of one fit against another.
fn check_near<M: Model>(found: &Fit<M>, expected: &Fit<M>, tolerance: f64) {
    for scalar in &found.raw().summary().scalars {
        let raw = expected.raw();
        let expected = raw.scalar(&scalar.name).expect("the same latents");
        assert!((scalar.mean - expected.mean).abs() < tolerance * expected.sd, "{scalar:?}, {expected:?}");
        assert!((scalar.sd / expected.sd).ln().abs() < tolerance, "{scalar:?}, {expected:?}");
    }
}

#[test]
fn a_regression_in_batches_agrees_with_one_over_all_rows() -> Outcome {
    let model = logistic(4000);
    let whole = fit_bbvi(&model, Bbvi::default())?;
    for family in [Family::Auto, Family::MeanField, Family::LowRank { rank: 2 }, Family::Blocks] {
        let minibatch = Some(Minibatch::of("N", 200));
        let fit = fit_bbvi(&model, Bbvi { minibatch, family, tolerance: 0.05, ..Bbvi::default() })?;
        eprintln!("{family:?} {} {:?} {:?}", fit.steps(), fit.elapsed(), fit.stop_reason());
        check_near(&fit, &whole, 0.2);
        let again =
            fit_bbvi(&model, Bbvi { minibatch: Some(Minibatch::of("N", 200)), family, tolerance: 0.05, ..Bbvi::default() })?;
        assert_eq!(fit.elbo(), again.elbo(), "the same seed gives the same bits");
    }
    Ok(())
}

model! {
    /// Many small groups.
    pub Groups(y: [f64; G, M]) {
        mu ~ Normal(0, 5);
        sigma ~ HalfNormal(2);
        for g in G {
            theta[g] ~ Normal(mu, 2);
            for m in M {
                y[g, m] ~ Normal(theta[g], sigma);
            }
        }
    }
}

#[test]
fn latents_over_the_plate_follow_in_batches() -> Outcome {
    let normal = |i: usize| (-2.0 * uniform(3, i as u64).ln()).sqrt() * (std::f64::consts::TAU * uniform(4, i as u64)).cos();
    let model = Groups { y: Array2::from_shape_fn((300, 5), |(g, m)| 1.0 + 2.0 * normal(g) + normal(1000 + 5 * g + m)) };
    let plain = MeanField::new(&[0.0; 302], &[0.0; 302]);
    let whole = fit_guide(&model, "mean-field", plain, Bbvi::default())?;
    let minibatch = Some(Minibatch::of("G", 30));
    let fit = fit_bbvi(&model, Bbvi { minibatch, tolerance: 0.05, ..Bbvi::default() })?;
    eprintln!("{} {:?} {:?} {:?} {:?}", fit.steps(), fit.elapsed(), fit.stop_reason(), fit.elbo(), whole.elbo());
    assert!((fit.elbo().0 - whole.elbo().0).abs() < 0.02 * 302.0, "{:?}, {:?}", fit.elbo(), whole.elbo());
    check_near(&fit, &whole, 0.4);
    Ok(())
}

/// With no weight on the divergence the gradient is that of the likelihood alone; later it is that of the ELBO.
#[test]
fn the_weight_of_the_divergence_goes_from_the_likelihood_to_the_elbo() -> Outcome {
    let data = logistic(50);
    let model = data.bind()?;
    let guide = MeanField::new(&[0.1, -0.2, 0.3, 0.0], &[-1.0; 4]);
    let mut tempered =
        Mixed::new(&*model, &guide, 4096, &[Estimator::Reparameterization; 4]).tempered(KlWeight::Linear { from: 0.0, steps: 1 });
    let (mut first, mut second, mut elbo) = (vec![0.0; 8], vec![0.0; 8], vec![0.0; 8]);
    tempered.estimate(&*model, &guide, 7, &mut first);
    tempered.estimate(&*model, &guide, 7, &mut second);
    Mixed::new(&*model, &guide, 4096, &[Estimator::Reparameterization; 4]).estimate(&*model, &guide, 7, &mut elbo);
    assert_eq!(second, elbo);
    // The divergence from the prior in closed form: its gradient is what the two differ by, but for the noise in the location's square.
    for k in 0..4 {
        let (loc, scale) = (guide.loc()[k], (-1.0_f64).exp());
        let of_scale = 1.0 - scale * scale / 4.0;
        assert!((elbo[k] - first[k] + loc / 4.0).abs() < 0.01, "{k}: {} {}", elbo[k], first[k]);
        assert!((elbo[4 + k] - first[4 + k] - of_scale).abs() < 0.03, "{k}: {} {}", elbo[4 + k], first[4 + k]);
    }
    let kl_weight = KlWeight::Cyclical { cycles: 2, steps: 400 };
    let config = || Bbvi { family: Family::MeanField, ..Bbvi::default() };
    let (plain, tempered) = (fit_bbvi(&data, config())?, fit_bbvi(&data, Bbvi { kl_weight, ..config() })?);
    assert!(tempered.steps() > 400);
    check_near(&tempered, &plain, 0.1);
    let from = Bbvi { kl_weight: KlWeight::Linear { from: 1.5, steps: 10 }, ..Bbvi::default() };
    assert!(fit_bbvi(&data, from).is_err_and(|error| error.to_string() == "`kl_weight.from` is 1.5; it must be between 0 and 1"));
    Ok(())
}

/// Guides without parts are refused where latents are over the plate.
#[test]
fn a_guide_without_parts_is_refused() {
    let model = Groups { y: Array2::from_elem((4, 2), 0.5) };
    let config = Bbvi { minibatch: Some(Minibatch::of("G", 2)), ..Bbvi::default() };
    let refused = fit_guide(&model, "whole", Reticent::whole(MeanField::new(&[0.0; 6], &[0.0; 6])), config);
    assert!(refused.is_err_and(|error| error.to_string().ends_with("implement `Guide::part`")));
}

model! {
    /// A latent over the plate whose density is not finite wherever the guide draws it.
    pub Broken(y: [f64; N]) {
        for n in N {
            theta[n] ~ Normal(0, 1);
            y[n] ~ Normal(sqrt(theta[n] - 100), 1);
        }
    }
}

/// A density that is not finite is named by its statement, also where only a batch was evaluated.
#[test]
fn what_is_not_finite_in_a_batch_is_named() {
    let model = Broken { y: vec![1.0; 6] };
    let config = || Bbvi { minibatch: Some(Minibatch::of("N", 2)), ..Bbvi::default() };
    let start = fit_bbvi(&model, config()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(start.contains("sqrt(theta[n] - 100)"), "{start}");
    // A guide that brings its own start meets it in the first step.
    let step = fit_guide(&model, "mean-field", MeanField::new(&[0.0; 6], &[0.0; 6]), config());
    let step = step.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(step.starts_with("step ") && step.contains("sqrt(theta[n] - 100)"), "{step}");
}
