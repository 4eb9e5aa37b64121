//! Discrete variables that are summed out: densities against sums that are written out, gradients, walks and what each value is responsible for.
#![forbid(unsafe_code)]

use ndarray::Array2;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_tests::{check_model, same_densities};

model! {
    /// A mixture: all columns of a row are of one component, whose statements share a name and a mask.
    pub Clusters(y: [f64; N, D], count: [u64; N], seen: [bool; N], K: usize) {
        w[K] ~ Dirichlet(2);
        mu[K, D] ~ Normal(0, 3);
        rate[K] ~ LogNormal(0, 1);
        sigma ~ HalfNormal(1);
        for n in N {
            sum k in K ~ Categorical(w) {
                let own = rate[k] + 0.1 * y[n, 0].powi(2);
                y[n, D] ~ Normal(mu[k], sigma);
                count[n] ~ Poisson(own).mask(seen[n]);
                factor(-0.1 * own);
            }
        }
    }
}

model! {
    /// The same, each density written out.
    pub ClustersByHand(y: [f64; N, D], count: [u64; N], seen: [bool; N], K: usize) {
        w[K] ~ Dirichlet(2);
        mu[K, D] ~ Normal(0, 3);
        rate[K] ~ LogNormal(0, 1);
        sigma ~ HalfNormal(1);
        for n in N {
            factor(log_sum_exp(k in K => ln(w[k])
                + sum(d in D => Normal(mu[k, d], sigma).log_prob(y[n, d]))
                + seen[n] * Poisson(rate[k] + 0.1 * y[n, 0].powi(2)).log_prob(count[n])
                - 0.1 * (rate[k] + 0.1 * y[n, 0].powi(2))));
        }
    }
}

model! {
    /// A mixture of mixtures, by logits, with a loop within; the inner weights are of the outer component.
    pub Nested(y: [f64; N, T], K: usize, J: usize) {
        logits[K] ~ Normal(0, 1);
        for k in K {
            v[k, J] ~ Dirichlet(3);
        }
        mu[K, J] ~ Normal(0, 2);
        for n in N {
            sum k in K ~ Categorical(logits = logits) {
                for t in T {
                    sum j in J ~ Categorical(v[k]) {
                        y[n, t] ~ StudentT(5, mu[k, j] + 0.1 * t, 1);
                    }
                }
            }
        }
    }
}

model! {
    /// The components are correlated normals; the shares that are observed have a Dirichlet distribution of each component, the label a categorical one.
    pub Shapes(y: [f64; N, D], p: [f64; N, S], label: [in S; N], scale: [f64; D, D], K: usize) {
        w[K] ~ Dirichlet(1);
        for k in K {
            mu[k, D] ~ Normal(0, 2);
            cov[k, D, D] ~ InverseWishart(6, scale);
            alpha[k, S] ~ LogNormal(0, 0.5);
            theta[k, S] ~ Dirichlet(2);
        }
        for n in N {
            sum k in K ~ Categorical(w) {
                y[n, D] ~ MultivariateNormal(mu[k], covariance = cov[k]);
                p[n, S] ~ Dirichlet(alpha[k]);
                label[n] ~ Categorical(theta[k]);
            }
        }
    }
}

model! {
    /// When a rate changed (Carlin, Gelfand & Smith 1992): one sum over all rows.
    pub Change(deaths: [u64; T]) {
        early ~ Exponential(1);
        late ~ Exponential(1);
        sum s in T ~ DiscreteUniform(0, T - 1) {
            for t in T {
                deaths[t] ~ Poisson(if t < s { early } else { late });
            }
        }
    }
}

model! {
    /// How many there are where only some are seen (Royle 2004), whether a site is empty, and a latent of one of two kinds.
    pub Occupancy(seen: [u64; I, J], wet: [bool; I]) {
        lambda ~ Exponential(0.1);
        p ~ Beta(2, 2);
        empty ~ Beta(1, 3);
        for i in I {
            sum z in 0..2 ~ Bernoulli(empty) {
                height[i] ~ Normal(2 * z, 0.5 + z);
                sum many in 0..60 ~ Poisson(lambda * (1 - z) + 0.01 * exp(height[i])) {
                    for j in J {
                        seen[i, j] ~ Binomial(many, p);
                        factor(if wet[i] { 0.1 * z } else { 0 });
                    }
                }
            }
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn noise(n: usize, key: u64) -> Vec<f64> {
    (0..n).map(|i| normal_quantile(uniform(key, i as u64))).collect()
}

fn clusters(n: usize) -> Clusters {
    let y = Array2::from_shape_vec((n, 2), noise(2 * n, 1)).expect("a table");
    let count = (0..n as u64).map(|i| i * 7 % 5).collect();
    Clusters { y, count, seen: (0..n).map(|i| i % 3 != 0).collect(), K: 3 }
}

#[test]
fn sums_are_those_written_out() -> Outcome {
    let data = clusters(7);
    let by_hand = ClustersByHand { y: data.y.clone(), count: data.count.clone(), seen: data.seen.clone(), K: 3 };
    let (model, by_hand) = (data.bind()?, by_hand.bind()?);
    check_model(&*by_hand);
    same_densities(&*model, &*by_hand);
    Ok(())
}

#[test]
fn sums_nest_and_hold_densities_of_arrays() -> Outcome {
    let y = Array2::from_shape_vec((4, 3), noise(12, 2))?;
    check_model(&*Nested { y, K: 2, J: 3 }.bind()?);
    let p = Array2::from_shape_fn((5, 3), |(n, s)| (1 + (n + s) % 3) as f64 / 6.0);
    let shapes = Shapes {
        y: Array2::from_shape_vec((5, 2), noise(10, 3))?,
        p,
        label: (0..5).map(|n| n % 3).collect(),
        scale: Array2::eye(2),
        K: 2,
    };
    check_model(&*shapes.bind()?);
    Ok(())
}

#[test]
fn sums_run_over_counts() -> Outcome {
    check_model(&*Change { deaths: vec![4, 5, 4, 1, 0, 1, 2] }.bind()?);
    let seen = Array2::from_shape_fn((3, 4), |(i, j)| (3 * i + j) as u64 % 4);
    check_model(&*Occupancy { seen, wet: vec![true, false, true] }.bind()?);
    Ok(())
}

model! {
    /// Known components, so that probabilities are those of Bayes' theorem; a latent that says nothing of them.
    pub Known(y: [f64; N], w: [f64; K], mu: [f64; K], v: [f64; K, J], scale: [f64; J]) {
        a ~ Normal(0, 1);
        for n in N {
            sum k in K ~ Categorical(w) {
                sum j in J ~ Categorical(v[k]) {
                    y[n] ~ Normal(mu[k], scale[j]);
                }
            }
        }
        sum all in 0..4 ~ Binomial(3, 0.5) {
            factor(all * ln(2));
        }
    }
}

model! {
    /// A sum in an expression, over what has a base measure of its own.
    pub Expression(y: [u64; N]) {
        rate ~ LogNormal(0, 1);
        factor(sum(n in N => Poisson(rate).log_prob(y[n])));
    }
}

model! {
    pub Statements(y: [u64; N]) {
        rate ~ LogNormal(0, 1);
        y[N] ~ Poisson(rate);
    }
}

fn known() -> Known {
    let v = Array2::from_shape_vec((2, 2), vec![0.5, 0.5, 0.9, 0.1]).expect("a table");
    Known { y: vec![-1.0, 0.2, 3.0], w: vec![0.3, 0.7], mu: vec![-1.0, 1.0], v, scale: vec![0.5, 2.0] }
}

fn normal(y: f64, mu: f64, scale: f64) -> f64 {
    (-0.5 * ((y - mu) / scale).powi(2)).exp() / (scale * std::f64::consts::TAU.sqrt())
}

#[test]
fn responsibilities_are_those_of_bayes_theorem() -> Outcome {
    let data = known();
    let fit = fit_bbvi(&data, Bbvi::default())?;
    let (k, j, all) = (fit.responsibilities(&data, "k")?, fit.responsibilities(&data, "j")?, fit.responsibilities(&data, "all")?);
    assert_eq!((k.shape(), j.shape(), all.shape()), (&[3, 2][..], &[3, 2, 2][..], &[4][..]));
    for (n, &y) in data.y.iter().enumerate() {
        let joint = |k: usize, j: usize| data.w[k] * data.v[[k, j]] * normal(y, data.mu[k], data.scale[j]);
        let total: f64 = (0..4).map(|i| joint(i / 2, i % 2)).sum();
        for a in 0..2 {
            assert!((k[[n, a]] - (joint(a, 0) + joint(a, 1)) / total).abs() < 1e-12);
            for b in 0..2 {
                assert!((j[[n, a, b]] - joint(a, b) / total).abs() < 1e-12);
            }
        }
    }
    // Weights 1, 3, 3, 1 times 1, 2, 4, 8.
    for (found, ways) in all.iter().zip([1.0, 6.0, 12.0, 8.0]) {
        assert!((found - ways / 27.0).abs() < 1e-12);
    }
    let error = fit.responsibilities(&data, "z").expect_err("there is no such sum");
    assert_eq!(error.to_string(), "`z` is neither summed out nor a discrete latent of the model; there are `k`, `j`, `all`");
    Ok(())
}

#[test]
fn predictions_draw_what_is_summed_out() -> Outcome {
    let data = known();
    let fit = fit_bbvi(&data, Bbvi::default())?;
    let draws = 20_000;
    let new = KnownInputs { w: data.w.clone(), mu: data.mu.clone(), v: data.v.clone(), scale: data.scale.clone(), N: 3 };
    let y = fit.predict(&new, draws)?.y;
    let component = |k: usize| data.v[[k, 0]] * data.scale[0].powi(2) + data.v[[k, 1]] * data.scale[1].powi(2);
    let mean: f64 = (0..2).map(|k| data.w[k] * data.mu[k]).sum();
    let second: f64 = (0..2).map(|k| data.w[k] * (data.mu[k].powi(2) + component(k))).sum();
    let count = y.len() as f64;
    let (first, of_squares) = (y.sum() / count, y.iter().map(|x| x * x).sum::<f64>() / count);
    let sd = (second - mean * mean).sqrt();
    assert!((first - mean).abs() < 4.0 * sd / count.sqrt(), "{first} and {mean}");
    assert!((of_squares - second).abs() < 0.05 * second, "{of_squares} and {second}");
    Ok(())
}

#[test]
fn sums_in_expressions_are_those_of_statements() -> Outcome {
    let y = vec![0, 3, 1, 4];
    let (expression, statements) = (Expression { y: y.clone() }, Statements { y });
    let (one, other) = (expression.bind()?, statements.bind()?);
    check_model(&*one);
    let (u, weights) = (ppl_tests::points(1, 8), one.unit_weights(8));
    let (own, _) = ppl_tests::log_density(&*one, &u, &weights);
    let (same, _) = ppl_tests::log_density(&*other, &u, &weights);
    own.iter().zip(&same).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{a} and {b}"));
    Ok(())
}

model! {
    /// Hidden Markov models of several series that share their parameters; a covariate moves what is observed.
    pub Hidden(y: [f64; S, T], x: [f64; S, T], K: usize) {
        start[K] ~ Dirichlet(1);
        for k in K {
            transition[k, K] ~ Dirichlet(2);
        }
        mu[K] ~ Normal(0, 2);
        beta ~ Normal(0, 1);
        sigma ~ HalfNormal(1);
        for s in S {
            sum z[t] in K for t in T {
                z[0] ~ Categorical(start);
                z[t] ~ Categorical(transition[z[t - 1]]);
                let mean = mu[z[t]] + beta * x[s, t];
                y[s, t] ~ Normal(mean, sigma);
            }
        }
    }
}

model! {
    /// The same by a recursion on the logarithms.
    pub HiddenByHand(y: [f64; S, T], x: [f64; S, T], K: usize) {
        start[K] ~ Dirichlet(1);
        for k in K {
            transition[k, K] ~ Dirichlet(2);
        }
        mu[K] ~ Normal(0, 2);
        beta ~ Normal(0, 1);
        sigma ~ HalfNormal(1);
        for s in S {
            for k in K {
                let a[s, 0, k] = ln(start[k]) + Normal(mu[k] + beta * x[s, 0], sigma).log_prob(y[s, 0]);
            }
            for t in 1..T {
                for k in K {
                    let a[s, t, k] = log_sum_exp(i in K => a[s, t - 1, i] + ln(transition[i, k]))
                        + Normal(mu[k] + beta * x[s, t], sigma).log_prob(y[s, t]);
                }
            }
            factor(log_sum_exp(k in K => a[s, T - 1, k]));
        }
    }
}

model! {
    /// A chain of two values from the second step on, by counts and a logit that moves with the step; the last step counts twice.
    pub Switching(y: [u64; T], dry: [f64; T], K: usize) {
        rate[K] ~ LogNormal(0, 1);
        alpha ~ Normal(0, 1);
        sum on[t] in 0..2 for t in 1..T {
            on[1] ~ Bernoulli(0.3);
            on[t] ~ Bernoulli(logit = alpha * dry[t] + 2 * on[t - 1] - 1);
            y[t] ~ Poisson(rate[0] + on[t] * rate[1] + 0.1 * t);
            factor(if t == T - 1 { 0.5 * on[t] } else { 0 });
        }
        y[0] ~ Poisson(rate[K - 1]);
    }
}

model! {
    pub SwitchingByHand(y: [u64; T], dry: [f64; T], K: usize) {
        rate[K] ~ LogNormal(0, 1);
        alpha ~ Normal(0, 1);
        for on in K {
            let a[1, on] = Bernoulli(0.3).log_prob(on) + Poisson(rate[0] + on * rate[1] + 0.1).log_prob(y[1]);
        }
        for t in 2..T {
            for on in K {
                let a[t, on] = log_sum_exp(i in K => a[t - 1, i] + Bernoulli(logit = alpha * dry[t] + 2 * i - 1).log_prob(on))
                    + Poisson(rate[0] + on * rate[1] + 0.1 * t).log_prob(y[t]);
            }
        }
        for on in K {
            let a[0, on] = 0;
        }
        factor(log_sum_exp(on in K => a[T - 1, on] + 0.5 * on));
        y[0] ~ Poisson(rate[K - 1]);
    }
}

#[test]
fn chains_are_recursions_written_out() -> Outcome {
    let (y, x) = (Array2::from_shape_vec((2, 6), noise(12, 4))?, Array2::from_shape_vec((2, 6), noise(12, 5))?);
    let (model, by_hand) = (Hidden { y: y.clone(), x: x.clone(), K: 3 }, HiddenByHand { y, x, K: 3 });
    let (model, by_hand) = (model.bind()?, by_hand.bind()?);
    check_model(&*by_hand);
    same_densities(&*model, &*by_hand);
    let (y, dry) = (vec![3, 0, 2, 1, 5], noise(5, 6));
    let (model, by_hand) = (Switching { y: y.clone(), dry: dry.clone(), K: 2 }, SwitchingByHand { y, dry, K: 2 });
    let (model, by_hand) = (model.bind()?, by_hand.bind()?);
    check_model(&*by_hand);
    same_densities(&*model, &*by_hand);
    Ok(())
}

model! {
    /// A chain whose parameters are known.
    pub KnownChain(y: [f64; T], start: [f64; K], transition: [f64; K, K], mu: [f64; K]) {
        a ~ Normal(0, 1);
        sum z[t] in K for t in T {
            z[0] ~ Categorical(start);
            z[t] ~ Categorical(transition[z[t - 1]]);
            y[t] ~ Normal(mu[z[t]], 1);
        }
    }
}

#[test]
fn states_and_the_path_of_a_chain_are_those_of_all_paths() -> Outcome {
    let transition = Array2::from_shape_vec((3, 3), vec![0.8, 0.2, 0.0, 0.1, 0.6, 0.3, 0.3, 0.3, 0.4])?;
    let data = KnownChain {
        y: vec![0.4, -0.2, 1.3, 0.9, 2.4, 0.1],
        start: vec![0.5, 0.3, 0.2],
        transition: transition.clone(),
        mu: vec![0.0, 1.0, 2.0],
    };
    let fit = fit_bbvi(&data, Bbvi::default())?;
    let (states, path) = (fit.responsibilities(&data, "z")?, fit.most_probable(&data, "z")?);
    let (mut total, mut of_state, mut best) = (0.0, Array2::<f64>::zeros((6, 3)), (0.0, Vec::new()));
    for number in 0..3_usize.pow(6) {
        let values: Vec<usize> = (0..6).map(|t| number / 3_usize.pow(t) % 3).collect();
        let mut p = data.start[values[0]];
        for t in 0..6 {
            p *= normal(data.y[t], data.mu[values[t]], 1.0);
            if t > 0 {
                p *= transition[[values[t - 1], values[t]]];
            }
        }
        total += p;
        values.iter().enumerate().for_each(|(t, &k)| of_state[[t, k]] += p);
        if p > best.0 {
            best = (p, values);
        }
    }
    let model = data.bind()?;
    let (mut work, mut found) = (model.workspace(8), [0.0; 8]);
    model.constrain(&mut work, &mut [0.0; 8]);
    model.accumulate(&mut work, &model.unit_weights(8), &mut found);
    let found = found[0] + 0.5 * std::f64::consts::TAU.ln();
    assert!((found - total.ln()).abs() < 1e-10, "{found} and {}", total.ln());
    states.iter().zip(&of_state).for_each(|(own, all)| assert!((own - all / total).abs() < 1e-10, "{own} and {}", all / total));
    assert_eq!(path.into_raw_vec_and_offset().0, best.1);
    Ok(())
}

#[test]
fn predictions_walk_along_a_chain() -> Outcome {
    let transition = Array2::from_shape_vec((2, 2), vec![0.9, 0.1, 0.4, 0.6])?;
    let data = KnownChain { y: vec![0.0; 4], start: vec![1.0, 0.0], transition: transition.clone(), mu: vec![0.0, 10.0] };
    let fit = fit_bbvi(&data, Bbvi::default())?;
    let draws = 20_000;
    let new = KnownChainInputs { start: data.start.clone(), transition: transition.clone(), mu: data.mu.clone(), T: 4 };
    let y = fit.predict(&new, draws)?.y;
    // Components lie so far apart that a draw tells its state.
    let mut second = 0.0;
    for t in 0..4 {
        let share = y.column(t).iter().filter(|y| **y > 5.0).count() as f64 / draws as f64;
        assert!((share - second).abs() < 4.0 * (0.25 / draws as f64).sqrt(), "step {t}: {share} and {second}");
        second = (1.0 - second) * transition[[0, 1]] + second * transition[[1, 1]];
    }
    let stays = y.rows().into_iter().filter(|y| y[1] > 5.0).map(|y| f64::from(u8::from(y[2] > 5.0)));
    let stays: Vec<f64> = stays.collect();
    let share = stays.iter().sum::<f64>() / stays.len() as f64;
    assert!((share - 0.6).abs() < 4.0 * (0.25 / stays.len() as f64).sqrt(), "{share}");
    Ok(())
}

model! {
    /// Rows of an auto-encoder whose noise has one of several shifts, and whose codes have one of several centres.
    pub Shifted(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            sum c in 0..2 ~ Bernoulli(0.7) {
                z[n, Z] ~ Normal(4 * c - 2, 1);
            }
            let m = decoder(z[n]);
            sum k in 0..2 ~ Bernoulli(0.7) {
                x[n, D] ~ Normal(m + 2 * k - 1, 0.5);
            }
        }
    }
}

guide! {
    pub OfShifted for Shifted(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

model! {
    /// The same, the sums written out.
    pub ShiftedByHand(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            factor(log_sum_exp(c in 0..2 => Bernoulli(0.7).log_prob(c) + sum(i in Z => Normal(4 * c - 2, 1).log_prob(z[n, i]) - Normal(0, 1).log_prob(z[n, i]))));
            let m = decoder(z[n]);
            factor(log_sum_exp(k in 0..2 => Bernoulli(0.7).log_prob(k) + sum(d in D => Normal(m[d] + 2 * k - 1, 0.5).log_prob(x[n, d]))));
        }
    }
}

guide! {
    pub OfShiftedByHand for ShiftedByHand(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

#[test]
#[allow(clippy::cast_possible_truncation, reason = "data in single precision")]
fn rows_of_networks_sum_out_too() -> Outcome {
    let x = Array2::from_shape_fn((64, 3), |(n, d)| (noise(192, 7)[3 * n + d] + if n % 2 == 0 { 1.0 } else { -1.0 }) as f32);
    let networks =
        || -> Result<_, Box<dyn std::error::Error>> { Ok((Mlp::new(&[2, 5, 3]).build(1)?, Mlp::new(&[3, 5, 4]).build(2)?)) };
    // Fits take noise in other ways where a divergence is known: the networks stay nearly where they were made.
    let config = || Amortized { epochs: 1, rate: 1e-9, ..Amortized::default() };
    let ((decoder, encoder), (same, as_well)) = (networks()?, networks()?);
    let model = Shifted { x: x.clone(), decoder, Z: 2 };
    let by_hand = ShiftedByHand { x, decoder: same, Z: 2 };
    let (guide, other) = (OfShifted { encoder }, OfShiftedByHand { encoder: as_well });
    let own = fit_amortized(&model, &guide, config())?.bounds(&model, 2000)?;
    let of_other = fit_amortized(&by_hand, &other, config())?.bounds(&by_hand, 2000)?;
    // One divergence is in closed form, the other over draws: of guides as narrow as the prior these are near each other.
    let near: Vec<_> = own.iter().zip(&of_other).filter(|(own, _)| own.divergence < 6.0).collect();
    assert!(near.len() > 32, "{} rows", near.len());
    for (own, other) in near {
        assert!((own.bound() - other.bound()).abs() < 0.3, "{own:?} and {other:?}");
    }
    Ok(())
}

model! {
    /// States beyond the axis that they point into.
    pub Beyond(y: [f64; T], mu: [f64; K]) {
        a ~ Normal(0, 1);
        sum z[t] in 0..4 for t in T {
            z[0] ~ Binomial(3, 0.5);
            z[t] ~ Bernoulli(logit = mu[z[t - 1]] * a);
            y[t] ~ Normal(a, 1);
        }
    }
}

#[test]
fn states_that_point_beyond_an_axis_are_named_as_they_are_written() {
    let error = Beyond { y: vec![0.0; 3], mu: vec![0.1; 3] }.bind().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("`mu[z[t - 1]]`"), "{error}");
}
