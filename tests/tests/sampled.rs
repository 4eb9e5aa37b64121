//! Discrete latents that are drawn: `k[n] ~ Poisson(rate) sampled;`, by the score function.
#![forbid(unsafe_code)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts and indices are small whole numbers")]

use ppl_core::estimators::{GradientEstimator, Mixed};
use ppl_core::fit::ConfigError;
use ppl_core::guides::{FittedGuide, Guide, MeanField, Table, WithDiscrete};
use ppl_core::model::LogJoint;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, step_key, uniform};

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Switches and a count that one number is the sum of.
    pub Coupled(y: f64, weight: [f64; L]) {
        on[L] ~ Bernoulli(0.3) sampled;
        count ~ Poisson(2) sampled;
        y ~ Normal(dot(weight, on) + 0.5 * count, 0.7);
    }
}

fn coupled() -> Coupled {
    Coupled { y: 2.1, weight: vec![1.0, -0.8, 0.6] }
}

/// All values of the switches, and counts up to 24.
fn states() -> Vec<Vec<f64>> {
    let on = |bits: u32| (0..3).map(move |l| f64::from((bits >> l) & 1));
    (0..8).flat_map(|bits| (0..25).map(move |count| on(bits).chain([f64::from(count)]).collect())).collect()
}

/// The log densities of many states.
fn log_densities(model: &dyn LogJoint<f64>, states: &[Vec<f64>]) -> Vec<f64> {
    let samples = states.len().next_multiple_of(8);
    let (mut work, weights) = (model.workspace(samples), model.unit_weights(samples));
    for (s, state) in (0..samples).map(|s| (s, &states[s.min(states.len() - 1)])) {
        state.iter().enumerate().for_each(|(i, x)| work.u_mut()[i * samples + s] = *x);
    }
    let mut log_density = vec![0.0; samples];
    model.log_density(&mut work, &weights, &mut log_density);
    log_density.truncate(states.len());
    log_density
}

/// The ELBO of tables by all states.
fn elbo(guide: &WithDiscrete, states: &[Vec<f64>], log_joint: &[f64]) -> f64 {
    let log_q = |state: &Vec<f64>| -> f64 {
        let each = guide.tables().zip(state);
        each.map(|((table, theta), value)| table.log_probs(theta)[table.place(*value).expect("a value")]).sum()
    };
    states.iter().zip(log_joint).map(|(state, log_joint)| log_q(state).exp() * (log_joint - log_q(state))).sum()
}

#[test]
fn log_densities_are_those_of_the_statements() -> Outcome {
    let model = coupled();
    let bound = model.bind()?;
    let found = log_densities(&*bound, &[vec![1.0, 0.0, 1.0, 3.0]]);
    let normal = -0.5 * ((2.1 - 1.6 - 1.5) / 0.7_f64).powi(2) - 0.7_f64.ln() - 0.5 * std::f64::consts::TAU.ln();
    let poisson = 3.0 * 2.0_f64.ln() - 2.0 - 6.0_f64.ln();
    assert!((found[0] - (2.0 * 0.3_f64.ln() + 0.7_f64.ln() + poisson + normal)).abs() < 1e-12);
    insta::assert_snapshot!(Coupled::EXPANSION);
    Ok(())
}

#[test]
fn the_score_function_is_the_gradient_over_all_states() -> Outcome {
    let model = coupled();
    let bound = model.bind()?;
    let states = states();
    let log_joint = log_densities(&*bound, &states);
    let log_poisson: Vec<f64> =
        (0..25).map(|v: u32| f64::from(v) * 1.6_f64.ln() - (1..=v).map(|k| f64::from(k).ln()).sum::<f64>()).collect();
    let mut tables = vec![Table::new(0.0, &[0.1, -0.3]); 3];
    tables.push(Table::new(0.0, &log_poisson));
    let inner = FittedGuide::MeanField(MeanField::new(&[], &[]));
    let mut guide = WithDiscrete::new(inner, tables);
    let at = |guide: &mut WithDiscrete, i: usize, h: f64| Guide::<f64>::parameters_mut(guide)[i] += h;
    let start = [0.3, -0.2, 0.0, 0.4, -0.5, 0.1, 0.2, -0.1];
    Guide::<f64>::parameters_mut(&mut guide).copy_from_slice(&start);
    let exact: Vec<f64> = (0..start.len())
        .map(|i| {
            at(&mut guide, i, 1e-4);
            let above = elbo(&guide, &states, &log_joint);
            at(&mut guide, i, -2e-4);
            let below = elbo(&guide, &states, &log_joint);
            at(&mut guide, i, 1e-4);
            (above - below) / 2e-4
        })
        .collect();
    for rao_blackwell in [RaoBlackwell::Off, RaoBlackwell::On, RaoBlackwell::Measured] {
        for baseline in [Baseline::None, Baseline::Optimal, Baseline::LeaveOneOut] {
            let kind = Estimator::ScoreFunction { rao_blackwell, baseline };
            let blocks = Guide::<f64>::blocks(&guide).len();
            let mut estimator = Mixed::new(&*bound, &guide, 16, &vec![kind; blocks]);
            let (mut gradient, steps) = (vec![0.0; start.len()], 4000);
            let (mut sums, mut squares) = (vec![0.0; start.len()], vec![0.0; start.len()]);
            for step in 0..steps {
                estimator.estimate(&*bound, &guide, step_key(7, step), &mut gradient);
                for ((sum, square), g) in sums.iter_mut().zip(&mut squares).zip(&gradient) {
                    *sum += g;
                    *square += g * g;
                }
            }
            let n = steps as f64;
            for (i, exact) in exact.iter().enumerate() {
                let mean = sums[i] / n;
                let error = ((squares[i] / n - mean * mean) / n).sqrt();
                assert!((mean - exact).abs() < 4.5 * error + 1e-6, "{kind:?} {i}: {mean} +- {error}, exactly {exact}");
            }
        }
    }
    Ok(())
}

#[test]
fn tables_are_the_best_that_independent_ones_can_be() -> Outcome {
    let model = coupled();
    let states = states();
    let log_joint = log_densities(&*model.bind()?, &states);
    // Coordinate ascent over all states.
    let mut q = [vec![0.5; 2], vec![0.5; 2], vec![0.5; 2], vec![0.04; 25]];
    let prob = |q: &[Vec<f64>; 4], state: &[f64], but: usize| -> f64 {
        (0..4).filter(|i| *i != but).map(|i| q[i][state[i] as usize]).product()
    };
    for _ in 0..200 {
        for i in 0..4 {
            let mut log = vec![0.0; q[i].len()];
            states.iter().zip(&log_joint).for_each(|(state, lp)| log[state[i] as usize] += prob(&q, state, i) * lp);
            let most = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = log.iter().map(|x| (x - most).exp()).sum();
            q[i] = log.iter().map(|x| (x - most).exp() / total).collect();
        }
    }
    let log_q = |state: &[f64]| (0..4).map(|i| q[i][state[i] as usize].ln()).sum::<f64>();
    let best: f64 = states.iter().zip(&log_joint).map(|(s, lp)| prob(&q, s, 4) * (lp - log_q(s))).sum();
    let fit = fit_bbvi(&model, Bbvi::default())?;
    let (elbo, error) = fit.elbo();
    assert!((elbo - best).abs() < 0.02 + 3.0 * error, "{elbo} +- {error}, the best {best}");
    let on = fit.responsibilities(&model, "on")?;
    for l in 0..3 {
        assert!((on[[l, 1]] - q[l][1]).abs() < 0.03, "{l}: {} {}", on[[l, 1]], q[l][1]);
    }
    let count = fit.scalar("count").ok_or("reported")?;
    let mean: f64 = q[3].iter().enumerate().map(|(v, p)| v as f64 * p).sum();
    assert!((count.mean - mean).abs() < 0.2, "{} {mean}", count.mean);
    Ok(())
}

model! {
    /// Counts of which some are seen, with known rates: what is not seen is a Poisson number of its own.
    pub Thinned(seen: [u64; S]) {
        for s in S {
            all[s] ~ Poisson(6) sampled;
            seen[s] ~ Binomial(all[s], 0.4);
        }
    }
}

#[test]
fn a_posterior_that_is_known_is_found_exactly() -> Outcome {
    let model = Thinned { seen: vec![0, 2, 5, 1, 11] };
    let fit = fit_bbvi(&model, Bbvi::default())?;
    // all - seen is Poisson(3.6), seen is Poisson(2.4).
    let evidence: f64 =
        model.seen.iter().map(|&y| y as f64 * 2.4_f64.ln() - 2.4 - (1..=y).map(|k| (k as f64).ln()).sum::<f64>()).sum();
    let (elbo, error) = fit.elbo();
    assert!((elbo - evidence).abs() < 0.01 + 3.0 * error, "{elbo} {evidence}");
    assert!(fit.pareto_k() < 0.5, "{}", fit.pareto_k());
    for (s, y) in model.seen.iter().enumerate() {
        let all = fit.scalar(&format!("all[{s}]")).ok_or("reported")?;
        assert!((all.mean - (*y as f64 + 3.6)).abs() < 0.1, "{s}: {}", all.mean);
        assert!((all.sd - 3.6_f64.sqrt()).abs() < 0.1, "{s}: {}", all.sd);
    }
    let probabilities = fit.responsibilities(&model, "all")?;
    assert!(probabilities[[2, 4]] == 0.0 && (probabilities[[2, 5]] - (-3.6_f64).exp()).abs() < 0.003);
    Ok(())
}

model! {
    /// Abundance by repeated counts: of the animals of a site some are seen at each visit (Royle 2004).
    pub Abundance(seen: [u64; S, T], forest: [f64; S]) {
        alpha ~ Normal(1, 1);
        beta ~ Normal(0, 1);
        p ~ Beta(2, 2);
        for s in S {
            animals[s] ~ Poisson(exp(alpha + beta * forest[s])) sampled;
            for t in T {
                seen[s, t] ~ Binomial(animals[s], p);
            }
        }
    }
}

fn abundance() -> (Abundance, Vec<f64>) {
    let (sites, visits) = (60, 4);
    let draw = |counter: u64| uniform(11, counter);
    let forest: Vec<f64> = (0..sites).map(|s| normal_quantile(draw(s))).collect();
    let poisson = |rate: f64, u: f64| {
        let (mut k, mut p, mut sum) = (0.0, (-rate).exp(), (-rate).exp());
        while sum < u {
            k += 1.0;
            p *= rate / k;
            sum += p;
        }
        k
    };
    let animals: Vec<f64> = (0..sites).map(|s| poisson((1.5 + 0.6 * forest[s as usize]).exp(), draw(1000 + s))).collect();
    let seen = Array2::from_shape_fn((sites as usize, visits), |(s, t)| {
        let one = |k: usize| u64::from(draw(10_000 + ((s * 10 + t) * 1000 + k) as u64) < 0.5);
        (0..animals[s] as usize).map(one).sum::<u64>()
    });
    (Abundance { seen, forest }, animals)
}

/// The posterior means of `alpha`, `beta` and `p`, with the animals summed out: over a grid.
fn abundance_by_grid(model: &Abundance) -> [[f64; 2]; 3] {
    let ln_factorial: Vec<f64> = (0..200)
        .scan(0.0, |sum, k: u32| {
            *sum += f64::from(k.max(1)).ln();
            Some(*sum)
        })
        .collect();
    let (mut all, mut most) = (Vec::new(), f64::NEG_INFINITY);
    for a in 0..30 {
        for b in 0..30 {
            for c in 0..30 {
                let at = [0.9 + 0.04 * f64::from(a), 0.2 + 0.03 * f64::from(b), 0.3 + 0.015 * f64::from(c)];
                let [alpha, beta, p] = at;
                let mut ln = -0.5 * ((alpha - 1.0).powi(2) + beta * beta) + (p * (1.0 - p)).ln();
                for (row, forest) in model.seen.rows().into_iter().zip(&model.forest) {
                    let (rate, least) = ((alpha + beta * forest).exp(), row.iter().copied().max().unwrap_or(0) as usize);
                    let (mut sum, mut top) = (0.0, f64::NEG_INFINITY);
                    for n in least..least + 40 {
                        let mut own = n as f64 * rate.ln() - rate - ln_factorial[n];
                        for &y in row {
                            let y = y as usize;
                            own += ln_factorial[n] - ln_factorial[y] - ln_factorial[n - y]
                                + y as f64 * p.ln()
                                + (n - y) as f64 * (1.0 - p).ln();
                        }
                        if own > top {
                            sum = sum * (top - own).exp() + 1.0;
                            top = own;
                        } else {
                            sum += (own - top).exp();
                        }
                    }
                    ln += top + sum.ln();
                }
                most = most.max(ln);
                all.push((at, ln));
            }
        }
    }
    let total: f64 = all.iter().map(|(_, ln)| (ln - most).exp()).sum();
    let moment = |i: usize, power: i32| all.iter().map(|(at, ln)| at[i].powi(power) * (ln - most).exp()).sum::<f64>() / total;
    [0, 1, 2].map(|i| [moment(i, 1), (moment(i, 2) - moment(i, 1).powi(2)).sqrt()])
}

#[test]
fn animals_are_found_beside_what_they_depend_on() -> Outcome {
    let (model, animals) = abundance();
    let exact = abundance_by_grid(&model);
    let fit = fit_bbvi(&model, Bbvi::default())?;
    println!("{}", fit.summary());
    for (name, [mean, sd]) in ["alpha", "beta", "p"].into_iter().zip(exact) {
        let found = fit.scalar(name).ok_or("reported")?;
        println!("{name}: {} +- {}, exactly {mean} +- {sd}", found.mean, found.sd);
        // Independent counts make the scales too small, and the means hardly differ.
        assert!((found.mean - mean).abs() < 0.5 * sd, "{name}: {} instead of {mean}", found.mean);
    }
    let draws = fit.draws(&model, 1000)?;
    let error: f64 = animals.iter().enumerate().map(|(s, n)| (draws.animals.column(s).mean().unwrap_or(0.0) - n).abs()).sum();
    assert!(error / (animals.len() as f64) < 1.2, "{error}");
    assert!(draws.animals.iter().all(|n| n.fract() == 0.0 && *n >= 0.0));
    Ok(())
}

model! {
    /// A mixture whose components are drawn.
    pub Drawn(y: [f64; N], w: [f64; K]) {
        mu[K] ~ Normal(0, 5);
        for n in N {
            k[n] ~ Categorical(w) sampled;
            y[n] ~ Normal(mu[k[n]], 1);
        }
    }
}

model! {
    /// The same by the expectation over all components.
    pub Expected(y: [f64; N], w: [f64; K]) {
        mu[K] ~ Normal(0, 5);
        for n in N {
            k[n] ~ Categorical(w);
            y[n] ~ Normal(mu[k[n]], 1);
        }
    }
}

#[test]
fn drawn_indices_end_where_the_expectation_does() -> Outcome {
    let w = vec![0.5, 0.3, 0.2];
    let y: Vec<f64> = (0..80)
        .map(|n| {
            let center = [-3.0, 0.5, 4.0][usize::from(uniform(3, n) > 0.5) + usize::from(uniform(3, n) > 0.8)];
            center + normal_quantile(uniform(4, n))
        })
        .collect();
    let start = vec![("mu".to_owned(), vec![-2.0, 0.0, 3.0])];
    let config = || Bbvi { initial: start.clone(), family: Family::MeanField, ..Bbvi::default() };
    let drawn_model = Drawn { y: y.clone(), w: w.clone() };
    let (drawn, expected) = (fit_bbvi(&drawn_model, config())?, fit_bbvi(&Expected { y, w }, config())?);
    let ((a, a_error), (b, b_error)) = (drawn.elbo(), expected.elbo());
    println!(
        "drawn {a} +- {a_error} in {} steps, {:?}; expected {b} +- {b_error}, {:?}",
        drawn.steps(),
        drawn.elapsed(),
        expected.elapsed()
    );
    assert!((a - b).abs() < 0.02 + 3.0 * (a_error + b_error), "{a} {b}");
    for k in 0..3 {
        let name = format!("mu[{k}]");
        let (a, b) = (drawn.scalar(&name).ok_or("reported")?, expected.scalar(&name).ok_or("reported")?);
        assert!((a.mean - b.mean).abs() < 0.1 * b.sd, "{name}: {} {}", a.mean, b.mean);
    }
    // The score function climbs from there, and does not leave it.
    let climbed = fit_bbvi(&drawn_model, Bbvi { estimator: Estimator::SCORE_FUNCTION, max_steps: 2000, ..config() })?;
    let (c, c_error) = climbed.elbo();
    println!("climbed {c} +- {c_error} in {} steps, {:?}", climbed.steps(), climbed.elapsed());
    assert!(climbed.steps() > 100 && (c - b).abs() < 0.1 + 3.0 * (b_error + c_error), "{c} {b}");
    let (q, exact) = (drawn.responsibilities(&drawn_model, "k")?, drawn.most_probable(&drawn_model, "k")?);
    assert_eq!((q.shape(), exact.shape()), (&[80, 3][..], &[80][..]));
    assert!(q.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-9));
    Ok(())
}

model! {
    /// Which of many predictors matter: each has a switch, and all of them stand in one sum (George & `McCulloch` 1993).
    pub Selection(y: [f64; N], x: [f64; N, P]) {
        sigma ~ HalfNormal(1);
        for p in P {
            on[p] ~ Bernoulli(0.2) sampled;
            slope[p] ~ Normal(0, 1);
            let effect[p] = on[p] * slope[p];
        }
        for n in N {
            y[n] ~ Normal(dot(x[n], effect), sigma);
        }
    }
}

#[test]
fn switches_of_one_sum_are_found() -> Outcome {
    let (rows, columns) = (100, 20);
    let normal = |counter: usize| normal_quantile(uniform(21, counter as u64));
    let x = Array2::from_shape_fn((rows, columns), |(n, p)| normal(n * columns + p));
    let truth = |p: usize| [(2, 1.0), (7, -0.8), (11, 0.6)].iter().find(|(at, _)| *at == p).map_or(0.0, |(_, slope)| *slope);
    let y = (0..rows).map(|n| (0..columns).map(|p| x[[n, p]] * truth(p)).sum::<f64>() + 0.5 * normal(100_000 + n)).collect();
    let model = Selection { y, x };
    let fit = fit_bbvi(&model, Bbvi::default())?;
    println!("{}", fit.summary());
    let on = fit.responsibilities(&model, "on")?;
    for p in 0..columns {
        let found = on[[p, 1]];
        assert!(if truth(p) == 0.0 { found < 0.3 } else { found > 0.95 }, "{p}: {found}");
    }
    let effect = fit.draws(&model, 2000)?.effect;
    for p in 0..columns {
        let mean = effect.column(p).mean().unwrap_or(f64::NAN);
        assert!((mean - truth(p)).abs() < 0.2, "{p}: {mean}");
    }
    Ok(())
}

model! {
    /// In single precision, with indices, counts in a range and a parameter.
    pub Single(y: [f32; N], w: [f32; K]) {
        param scale: positive = 1;
        level[K] ~ Normal(0, 3);
        die ~ DiscreteUniform(1, 6) sampled;
        for n in N {
            k[n] ~ Categorical(w) sampled;
            y[n] ~ Normal(level[k[n]] + 0.1 * die, scale);
        }
    }
}

fn single() -> Single {
    Single { y: vec![-2.1, -1.9, 2.2, 1.8, 2.0, -2.3, 1.9], w: vec![0.5, 0.5] }
}

#[test]
fn single_precision_parameters_and_ranges() -> Outcome {
    let model = single();
    let config = || Bbvi { initial: vec![("level".to_owned(), vec![-1.0, 1.0])], ..Bbvi::default() };
    let (fit, again) = (fit_bbvi(&model, config())?, fit_bbvi(&model, config())?);
    assert_eq!(fit.guide(), again.guide(), "the same seed gives the same bits");
    let draws = fit.draws(&model, 500)?;
    assert!(draws.die.iter().all(|die| (1.0..=6.0).contains(die) && die.fract() == 0.0));
    assert!(draws.k.iter().all(|k| *k == 0.0 || *k == 1.0));
    assert_eq!(fit.responsibilities(&model, "die")?.shape(), [6]);
    let scale = fit.params().first().ok_or("a parameter")?.value;
    assert!((0.1..0.5).contains(&scale), "{scale}");
    // What is saved is read back, and predicts.
    let path = std::env::temp_dir().join(format!("ppl-sampled-{}.json", std::process::id()));
    fit.save(&path)?;
    let read: Fit<Single> = Fit::load(&path)?;
    std::fs::remove_file(&path)?;
    assert_eq!(read.guide(), fit.guide());
    let predicted = read.predict(&SingleInputs { w: model.w.clone(), N: 7 }, 100)?;
    assert_eq!(predicted.y.shape(), [100, 7]);
    Ok(())
}

#[test]
fn what_is_drawn_from_the_prior_has_its_values() -> Outcome {
    let (model, _) = abundance();
    let inputs = AbundanceInputs { forest: model.forest.clone(), T: 2 };
    let (draws, prior) = prior_predictive::<Abundance>(&inputs, 50, 1)?;
    assert!(draws.animals.iter().all(|n| n.fract() == 0.0 && *n >= 0.0));
    assert!(prior.seen.iter().all(|n| n.fract() == 0.0 && *n >= 0.0));
    Ok(())
}

#[test]
fn what_cannot_be_done_is_said() {
    let (model, _) = abundance();
    let refused = |config: Bbvi| match fit_bbvi(&model, config) {
        Err(FitError::Config(error)) => error.to_string(),
        Err(other) => other.to_string(),
        Ok(_) => String::new(),
    };
    let family = |family| refused(Bbvi { family, ..Bbvi::default() });
    assert_eq!(
        family(Family::Mixture { components: 4, full_rank: true }),
        "Family::Mixture { components: 4, full_rank: true } is of continuous latents, and `animals` is discrete and drawn: take Family::Auto, MeanField, FullRank or Blocks for the others"
    );
    let batch = refused(Bbvi { minibatch: Some(Minibatch::of("S", 10)), ..Bbvi::default() });
    assert!(batch.starts_with("tables of discrete latents that are drawn are not fitted in batches"), "{batch}");
    let bound = refused(Bbvi { objective: Objective::ImportanceWeighted { samples: 4 }, ..Bbvi::default() });
    assert!(bound.contains("score function"), "{bound}");
    let block = refused(Bbvi { blocks: vec![vec!["p".to_owned(), "animals".to_owned()]], ..Bbvi::default() });
    assert!(block.contains("`animals`, which is discrete"), "{block}");
    let initial = |value: f64| {
        let initial = vec![("animals".to_owned(), vec![value; 60])];
        match fit_bbvi(&model, Bbvi { initial, ..Bbvi::default() }) {
            Err(FitError::Config(error)) => Some(error),
            _ => None,
        }
    };
    let wrong = |value| Some(ConfigError::InitialSupport { name: "animals[0]".to_owned(), value });
    assert_eq!((initial(2.5), initial(-1.0)), (wrong(2.5), wrong(-1.0)));
    assert!(matches!(sample_nuts(&model, &Nuts::default()), Err(FitError::SamplerDiscrete { name: "animals" })));
}

#[test]
fn data_that_no_value_explains_are_named() -> Outcome {
    model! {
        /// A die whose face is seen through a window that is too small.
        pub Impossible(seen: u64) {
            die ~ DiscreteUniform(1, 6) sampled;
            seen ~ Binomial(die, 0.5);
        }
    }
    let error = fit_bbvi(&Impossible { seen: 9 }, Bbvi::default()).err().ok_or("nothing explains nine of six")?;
    assert!(error.to_string().contains("`seen ~ Binomial(die, 0.5)`"), "{error}");
    Ok(())
}

model! {
    /// Events of groups, some of which are inflated: one switch by its expectation, and counts that are drawn.
    pub Both(seen: [u64; S], group: [in G; S]) {
        rate ~ Gamma(2, 0.5);
        for g in G {
            many[g] ~ Bernoulli(0.5);
        }
        for s in S {
            all[s] ~ Poisson(rate * (1 + 3 * many[group[s]])) sampled;
            seen[s] ~ Binomial(all[s], 0.7);
        }
    }
}

#[test]
fn latents_that_are_drawn_go_with_latents_over_which_statements_are_expectations() -> Outcome {
    let model = Both { seen: vec![2, 3, 1, 11, 9, 12, 2, 4], group: vec![0, 0, 0, 1, 1, 1, 2, 2].into() };
    let fit = fit_bbvi(&model, Bbvi::default())?;
    let many = fit.responsibilities(&model, "many")?;
    assert!(many[[0, 1]] < 0.05 && many[[1, 1]] > 0.95 && many[[2, 1]] < 0.1, "{many:?}");
    // What is not seen of the first is Poisson(0.3 rate), the rate near 2.4 / 0.7.
    let first = fit.scalar("all[0]").ok_or("reported")?;
    assert!((first.mean - 2.0 - 0.3 * fit.scalar("rate").ok_or("reported")?.mean).abs() < 0.2, "{first:?}");
    Ok(())
}

model! {
    /// Grades and counts of two kinds of days, behind measurements.
    pub Measured(y: [f64; N], z: [f64; N], cut: [f64; C], w: [f64; K]) {
        for n in N {
            grade[n] ~ OrderedLogistic(0.3, cut) sampled;
            y[n] ~ Normal(grade[n], 1);
            count[n] ~ Mixture(w, Poisson(1), Poisson(6)) sampled;
            z[n] ~ Normal(count[n], 1);
        }
    }
}

#[test]
fn ordered_categories_and_mixtures_of_counts_are_drawn() -> Outcome {
    let model = Measured { y: vec![1.8, 0.1, 0.7], z: vec![2.2, 6.5, 0.3], cut: vec![-1.0, 1.0], w: vec![0.6, 0.4] };
    let fit = fit_bbvi(&model, Bbvi::default())?;
    println!("{}", fit.summary());
    let below = |c: f64| 1.0 / (1.0 + (0.3 - c).exp());
    let grades = [below(-1.0), below(1.0) - below(-1.0), 1.0 - below(1.0)];
    let poisson = |rate: f64, k: u32| (-rate).exp() * (1..=k).map(|i| rate / f64::from(i)).product::<f64>();
    let normal = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let of_grades = model.y.iter().map(|y| (0..3_u32).zip(grades).map(|(k, p)| p * normal(y - f64::from(k))).sum::<f64>().ln());
    let counts = |k: u32| 0.6 * poisson(1.0, k) + 0.4 * poisson(6.0, k);
    let of_counts = model.z.iter().map(|z| (0..60).map(|k| counts(k) * normal(z - f64::from(k))).sum::<f64>().ln());
    let evidence: f64 = of_grades.chain(of_counts).sum();
    // Nothing goes with anything else: tables are the posterior.
    assert!((fit.elbo().0 - evidence).abs() < 2e-3 + 3.0 * fit.elbo().1, "{:?} {evidence}", fit.elbo());
    Ok(())
}
