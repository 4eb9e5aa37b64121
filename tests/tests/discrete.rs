//! Discrete latents: every statement that reads one is an expectation over its values, whose probabilities are parameters.
#![forbid(unsafe_code)]

use ndarray::Array2;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_tests::{check_model, same_densities};

model! {
    /// Components by rows; a `let` and a number that read them; groups whose kind many rows read.
    pub Rows(y: [f64; N, D], count: [u64; N], group: [in G; N], K: usize) {
        w[K] ~ Dirichlet(2);
        mu[K, D] ~ Normal(0, 3);
        rate[K] ~ LogNormal(0, 1);
        alpha ~ Normal(0, 1);
        tilt ~ Normal(0, 1);
        for g in G {
            rare[g] ~ Bernoulli(sigmoid(alpha));
        }
        for n in N {
            k[n] ~ Categorical(w);
            let own = rate[k[n]] * exp(tilt * rare[group[n]]);
            y[n, D] ~ Normal(mu[k[n]], 1 + rare[group[n]]);
            count[n] ~ Poisson(own).mask(y[n, 0] > -0.5);
            factor(if rare[group[n]] > 0 { -0.1 * own } else { 0 });
        }
    }
}

model! {
    /// The same, each expectation written out.
    pub RowsByHand(y: [f64; N, D], count: [u64; N], group: [in G; N], K: usize, R: usize) {
        w[K] ~ Dirichlet(2);
        mu[K, D] ~ Normal(0, 3);
        rate[K] ~ LogNormal(0, 1);
        alpha ~ Normal(0, 1);
        tilt ~ Normal(0, 1);
        for g in G {
            param rare[g, R]: simplex = 0.5;
            factor(sum(r in R => rare[g, r] * (Bernoulli(sigmoid(alpha)).log_prob(r) - ln(rare[g, r]))));
        }
        for n in N {
            param k[n, K]: simplex = 1 / K;
            factor(sum(c in K => k[n, c] * (ln(w[c]) - ln(k[n, c]))));
            factor(sum(d in D => sum(c in K => sum(r in R => k[n, c] * rare[group[n], r] * Normal(mu[c, d], 1 + r).log_prob(y[n, d])))));
            factor((y[n, 0] > -0.5) * sum(c in K => sum(r in R => k[n, c] * rare[group[n], r]
                * Poisson(rate[c] * exp(tilt * r)).log_prob(count[n]))));
            factor(sum(c in K => k[n, c] * rare[group[n], 1] * -0.1 * rate[c] * exp(tilt)));
        }
    }
}

model! {
    /// A chain in mean-field, and counts with bounds: of trials, truncated, in a range.
    pub Steps(y: [f64; T], start: [f64; K], transition: [f64; K, K]) {
        mu[K] ~ Normal(0, 2);
        p ~ Beta(2, 2);
        z[0] ~ Categorical(start);
        for t in 1..T {
            z[t] ~ Categorical(transition[z[t - 1]]);
        }
        for t in T {
            y[t] ~ Normal(mu[z[t]], 1);
        }
        many ~ Binomial(4, p);
        few ~ Truncated(Poisson(3 * p), lower = 1, upper = 3);
        which ~ DiscreteUniform(2, K + 1);
        factor(-0.1 * (many - 2 * few).powi(2) + which * ln(p));
    }
}

model! {
    pub StepsByHand(y: [f64; T], start: [f64; K], transition: [f64; K, K], A: usize, B: usize) {
        mu[K] ~ Normal(0, 2);
        p ~ Beta(2, 2);
        param z[T, K]: simplex = 1 / K;
        param many[A]: simplex = 1 / A;
        param few[B]: simplex = 1 / B;
        param which[K]: simplex = 1 / K;
        factor(sum(k in K => z[0, k] * (ln(start[k]) - ln(z[0, k]))));
        for t in 1..T {
            factor(sum(i in K => sum(k in K => z[t - 1, i] * z[t, k] * (ln(transition[i, k]) - ln(z[t, k])))));
        }
        for t in T {
            factor(sum(k in K => z[t, k] * Normal(mu[k], 1).log_prob(y[t])));
        }
        factor(sum(a in A => many[a] * (Binomial(4, p).log_prob(a) - ln(many[a]))));
        factor(sum(b in B => few[b] * (Truncated(Poisson(3 * p), lower = 1, upper = 3).log_prob(b + 1) - ln(few[b]))));
        factor(sum(k in K => which[k] * (-ln(K) - ln(which[k]))));
        factor(sum(a in A => sum(b in B => many[a] * few[b] * -0.1 * (a - 2 * (b + 1)).powi(2))) + sum(k in K => which[k] * (k + 2) * ln(p)));
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn noise(n: usize, key: u64) -> Vec<f64> {
    (0..n).map(|i| normal_quantile(uniform(key, i as u64))).collect()
}

#[test]
fn statements_are_expectations_written_out() -> Outcome {
    let y = Array2::from_shape_vec((6, 2), noise(12, 1))?;
    let (count, group): (Vec<u64>, Indices) = ((0..6).map(|n| n % 4).collect(), vec![0, 1, 1, 0, 1, 1].into());
    let model = Rows { y: y.clone(), count: count.clone(), group: group.clone(), K: 3 };
    let by_hand = RowsByHand { y, count, group, K: 3, R: 2 };
    let (model, by_hand) = (model.bind()?, by_hand.bind()?);
    check_model(&*by_hand);
    same_densities(&*model, &*by_hand);
    let transition = Array2::from_shape_vec((2, 2), vec![0.9, 0.1, 0.4, 0.6])?;
    let model = Steps { y: noise(4, 2), start: vec![0.3, 0.7], transition: transition.clone() };
    let by_hand = StepsByHand { y: noise(4, 2), start: vec![0.3, 0.7], transition, A: 5, B: 3 };
    let (model, by_hand) = (model.bind()?, by_hand.bind()?);
    check_model(&*by_hand);
    same_densities(&*model, &*by_hand);
    Ok(())
}

model! {
    /// Normals of known scale (Blei, Kucukelbir & `McAuliffe` 2017, section 2.1).
    pub Clusters(x: [f64; N, D], spread: f64, K: usize) {
        let w[K] = 1 / K;
        mu[K, D] ~ Normal(0, spread);
        for n in N {
            c[n] ~ Categorical(w);
            x[n, D] ~ Normal(mu[c[n]], 1);
        }
    }
}

fn clusters(n: usize, k: usize) -> (Clusters, Vec<f64>) {
    let truth = Array2::from_shape_vec((k, 2), noise(2 * k, 9)).expect("a table") * 5.0;
    let noise = Array2::from_shape_vec((n, 2), noise(2 * n, 10)).expect("a table");
    let x = Array2::from_shape_fn((n, 2), |(i, d)| truth[[i % k, d]] + noise[[i, d]]);
    (Clusters { x, spread: 5.0, K: k }, truth.into_raw_vec_and_offset().0)
}

/// Values that nothing tells apart at the start are told apart: from a symmetric point no gradient leads away.
#[test]
fn components_come_apart_without_a_start() -> Outcome {
    let (data, truth) = clusters(500, 3);
    let fit = fit_bbvi(&data, Bbvi::default())?;
    let best = fit_bbvi(&data, Bbvi { initial: vec![("mu".to_owned(), truth)], ..Bbvi::default() })?;
    assert!((fit.elbo().0 - best.elbo().0).abs() < 0.1, "{:?} and {:?}", fit.elbo(), best.elbo());
    let most = best.most_probable(&data, "c")?;
    assert_eq!((best.responsibilities(&data, "c")?.shape(), most.shape()), (&[500, 3][..], &[500][..]));
    assert!(most.iter().enumerate().filter(|(n, value)| n % 3 != **value).count() < 25);
    let file = tempfile::NamedTempFile::new()?;
    fit.save(file.path())?;
    let again = Fit::<Clusters>::load(file.path())?;
    assert_eq!(again.responsibilities(&data, "c")?, fit.responsibilities(&data, "c")?);
    // Replicates of the data have components of their own, by the probabilities of their rows.
    let new = ClustersInputs { spread: data.spread, K: data.K, N: 500, D: 2 };
    let replicates = fit.predict(&new, 200)?.x;
    let spread = |values: ndarray::ArrayView2<'_, f64>| values.std(0.0);
    let own: f64 = replicates.outer_iter().map(spread).sum::<f64>() / 200.0;
    assert!((own / data.x.std(0.0) - 1.0).abs() < 0.02, "{own} and {}", data.x.std(0.0));
    Ok(())
}

model! {
    /// In single precision, of integers with bounds.
    pub Single(y: [f32; N]) {
        mu ~ Normal(0, 10);
        for n in N {
            k[n] ~ Binomial(2, 0.5);
            y[n] ~ Normal(mu + 3 * k[n], 0.5);
        }
    }
}

#[test]
#[allow(clippy::cast_possible_truncation, reason = "data in single precision")]
fn single_precision_finds_them_too() -> Outcome {
    let kinds: Vec<usize> = (0..80).map(|n| [0, 1, 1, 2][n % 4]).collect();
    let y = kinds.iter().zip(noise(80, 12)).map(|(k, z)| (1.0 + 3.0 * *k as f64 + 0.5 * z) as f32).collect();
    let data = Single { y };
    let fit = fit_bbvi(&data, Bbvi::default())?;
    let most = fit.most_probable(&data, "k")?;
    let wrong = most.iter().zip(&kinds).filter(|(found, kind)| found != kind).count();
    assert!(wrong < 3, "{wrong} of 80");
    let mu = fit.scalar("mu").ok_or("a mean")?;
    assert!((mu.mean - 1.0).abs() < 0.3, "{}", mu.mean);
    Ok(())
}

model! {
    /// What cannot be: a component that no row has, a step that a chain does not take, more successes than trials.
    pub Impossible(y: [f64; N], w: [f64; K], next: [f64; K, K], hits: u64) {
        mu[K] ~ Normal(0, 3);
        p ~ Beta(2, 2);
        many ~ DiscreteUniform(0, 6);
        hits ~ Binomial(many, p);
        k[0] ~ Categorical(w);
        y[0] ~ Normal(mu[k[0]], 1);
        for n in 1..N {
            k[n] ~ Categorical(next[k[n - 1]]);
            y[n] ~ Normal(mu[k[n]], 1);
        }
    }
}

#[test]
fn values_that_cannot_be_have_no_probability() {
    let y = vec![-2.1, -1.7, 2.2, 1.9, 2.4];
    let next = ndarray::arr2(&[[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.3, 0.3, 0.4]]);
    let model = Impossible { y, w: vec![1.0, 0.0, 0.0], next, hits: 4 };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    assert!(fit.elbo().0.is_finite() && fit.pareto_k().is_finite(), "{}", fit.summary());
    let states = fit.responsibilities(&model, "k").unwrap();
    assert!(states[[0, 0]] > 1.0 - 1e-12, "{states}");
    assert!(states.outer_iter().all(|row| row[2] < 1e-12), "{states}");
    assert!(states[[1, 0]] > 0.9 && states[[4, 1]] > 0.99, "{states}");
    // Fewer trials than successes cannot be; of others the probability is as `C(m, 4) e^(m E ln(1 - p))`.
    let many = fit.responsibilities(&model, "many").unwrap();
    assert!((0..4).all(|m| many[[m]] < 1e-12), "{many}");
    let p = fit.draws(&model, 4000).unwrap().p;
    let failure = (p.iter().map(|p| (1.0 - p).ln()).sum::<f64>() / 4000.0).exp();
    for (m, choices) in [(4, 5.0), (5, 3.0)] {
        let ratio = many[[m + 1]] / many[[m]];
        assert!((ratio / (choices * failure) - 1.0).abs() < 0.03, "{many}, {failure}");
    }
}
