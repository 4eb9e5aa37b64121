//! Discrete latents of rows with networks: their gradient by the score function, by expectation and relaxed; what is asked of a fit with them.

use ndarray::{Array2, Axis};
use ppl_core::amortized::{
    Amortized, AmortizedError, AmortizedEstimator, AmortizedObjective, BoundGradient, DiscreteEstimator, Divergence, RowGuide,
    Schedule, bound_gradient, fit_amortized,
};
use ppl_core::guide;
use ppl_core::networks::{Activation, Embedding, Mlp, Network as _, Parameterized, Sequential};
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Codes, which a network alone reads.
    #[derive(Debug)]
    pub Codes(x: [f64; N, D], w: [f64; K], decoder: net(L * K => D), L: usize) {
        for n in N {
            for l in L {
                k[n, l] ~ Categorical(w);
            }
            x[n, D] ~ Normal(decoder(one_hot(k[n])), 0.7);
        }
    }
}

guide! {
    #[derive(Debug)]
    pub Coder for Codes(encoder: net(D => L * K)) {
        for n in N {
            let a = encoder(x[n]);
            for l in L {
                k[n, l] ~ Categorical(logits = a[l]);
            }
        }
    }
}

model! {
    /// Latents of all kinds that read each other, a prior that is learned, and a label that is given.
    #[derive(Debug)]
    pub Mixed(x: [f64; N, D], label: [in C; N], decoder: net(K + D + C => D), K: usize, C: usize) {
        param w[K]: simplex = 1 / K;
        param mu[K]: real = 0.3;
        for n in N {
            k[n] ~ Categorical(w);
            on[n] ~ Bernoulli(0.3);
            z[n, D] ~ Normal(mu[k[n]], 1);
            let m = decoder(one_hot(k[n]), z[n], one_hot(label[n]));
            for d in D {
                x[n, d] ~ Normal(m[d] + on[n], 0.8);
            }
        }
    }
}

guide! {
    #[derive(Debug)]
    pub MixedGuide for Mixed(first: net(D => K + 1), second: net(K + D => 2 * D)) {
        for n in N {
            let (a, b) = split(first(x[n]));
            k[n] ~ Categorical(logits = a);
            let (loc, log_scale) = split(second(one_hot(k[n]), x[n]));
            z[n, D] ~ Normal(loc, exp(log_scale));
            on[n] ~ Bernoulli(logit = b + z[n, 0]);
        }
    }
}

model! {
    /// Two switches, which networks read as they are.
    #[derive(Debug)]
    pub Switches(x: [f64; N, D], decoder: net(L => D), L: usize) {
        for n in N {
            s[n, L] ~ Bernoulli(0.4);
            x[n, D] ~ Normal(decoder(s[n]), 0.6);
        }
    }
}

guide! {
    #[derive(Debug)]
    pub SwitchGuide for Switches(encoder: net(D => L)) {
        for n in N {
            let a = encoder(x[n]);
            s[n, L] ~ Bernoulli(logit = a);
        }
    }
}

model! {
    /// Counts without bounds.
    #[derive(Debug)]
    pub Counted(x: [f64; N], decoder: net(1 => 1)) {
        for n in N {
            c[n] ~ Poisson(3);
            x[n] ~ Normal(decoder(c[n]), 1.5);
        }
    }
}

guide! {
    #[derive(Debug)]
    pub Counter for Counted(encoder: net(1 => 1)) {
        for n in N {
            c[n] ~ Poisson(log_rate = encoder(x[n]));
        }
    }
}

model! {
    /// Which of several normals a row comes from: its index is read by a statement, and by an embedding.
    #[derive(Debug)]
    pub Clusters(x: [f64; N, D], means: [f64; K, D], w: [f64; K], shift: net(1 => D)) {
        for n in N {
            k[n] ~ Categorical(w);
            let by = shift(k[n]);
            for d in D {
                x[n, d] ~ Normal(means[k[n], d] + by[d], 0.9);
            }
        }
    }
}

guide! {
    #[derive(Debug)]
    pub ClusterGuide for Clusters(encoder: net(D => K)) {
        for n in N {
            k[n] ~ Categorical(logits = encoder(x[n]));
        }
    }
}

/// The value that a number is.
fn value(x: f64) -> usize {
    (0..10).find(|&value| value as f64 == x).expect("a small whole number")
}

fn noise(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut all = vec![0.0; (rows * columns).next_multiple_of(8)];
    normals(step_key(seed, 0), 8, &mut all);
    all.truncate(rows * columns);
    Array2::from_shape_vec((rows, columns), all).expect("of that size")
}

fn smooth(sizes: &[usize], seed: u64) -> Parameterized<f64> {
    Mlp::new(sizes).activation(Activation::Tanh).build(seed).expect("sizes are positive")
}

/// Two codes of three values, of five rows.
fn codes() -> (Codes, Coder) {
    let model = Codes { x: noise(1, 5, 2), w: vec![0.2, 0.5, 0.3], decoder: smooth(&[6, 4, 2], 1), L: 2 };
    (model, Coder { encoder: smooth(&[2, 4, 6], 2) })
}

fn mixed() -> (Mixed, MixedGuide) {
    let label = Indices::of_size(vec![0, 2, 1, 2], 3);
    let model = Mixed { x: noise(1, 4, 2), label, decoder: smooth(&[8, 4, 2], 1), K: 3, C: 3 };
    (model, MixedGuide { first: smooth(&[2, 4, 4], 2), second: smooth(&[5, 4, 4], 3) })
}

fn switches() -> (Switches, SwitchGuide) {
    let model = Switches { x: noise(4, 5, 2), decoder: smooth(&[2, 4, 2], 1), L: 2 };
    (model, SwitchGuide { encoder: smooth(&[2, 4, 2], 2) })
}

fn by(discrete: DiscreteEstimator) -> Amortized {
    Amortized { discrete, ..Amortized::default() }
}

fn flat(gradient: &BoundGradient<f64>) -> Vec<f64> {
    let networks = gradient.networks.iter().flat_map(|(_, gradient)| gradient.iter().copied());
    networks.chain(gradient.globals.iter().copied()).collect()
}

model! {
    /// A latent whose prior depends on a discrete one.
    #[derive(Debug)]
    pub Levels(x: [f64; N, D], w: [f64; K], mu: [f64; K], decoder: net(1 => D)) {
        for n in N {
            k[n] ~ Categorical(w);
            z[n] ~ Normal(mu[k[n]], 0.5);
            x[n, D] ~ Normal(decoder(z[n]), 0.7);
        }
    }
}

guide! {
    /// In the order of the model.
    #[derive(Debug)]
    pub Down for Levels(first: net(D => K), second: net(K + D => 2)) {
        for n in N {
            k[n] ~ Categorical(logits = first(x[n]));
            let (loc, log_scale) = split(second(one_hot(k[n]), x[n]));
            z[n] ~ Normal(loc, exp(log_scale));
        }
    }
}

guide! {
    /// In the other one.
    #[derive(Debug)]
    pub Up for Levels(first: net(D => 2), second: net(1 + D => K)) {
        for n in N {
            let (loc, log_scale) = split(first(x[n]));
            z[n] ~ Normal(loc, exp(log_scale));
            k[n] ~ Categorical(logits = second(z[n], x[n]));
        }
    }
}

/// What networks a model or a guide has.
trait Networks {
    fn networks(&mut self) -> Vec<&mut Parameterized<f64>>;
}

macro_rules! networks {
    ($($of:ty: $($network:ident),*;)*) => {
        $(impl Networks for $of {
            fn networks(&mut self) -> Vec<&mut Parameterized<f64>> {
                vec![$(&mut self.$network),*]
            }
        })*
    };
}

networks! {
    Codes: decoder;
    Coder: encoder;
    Mixed: decoder;
    MixedGuide: first, second;
    Switches: decoder;
    SwitchGuide: encoder;
    Counted: decoder;
    Levels: decoder;
    Down: first, second;
    Up: first, second;
    Counter: encoder;
}

/// The derivative of an objective by the parameters of all networks, by differences.
fn differences<M: Networks, G: Networks>(model: &mut M, guide: &mut G, objective: &dyn Fn(&M, &G) -> f64) -> Vec<f64> {
    let h = 1e-5;
    let mut all = Vec::new();
    for of_guide in [false, true] {
        let counts: Vec<usize> =
            if of_guide { guide.networks() } else { model.networks() }.iter().map(|own| own.parameters().len()).collect();
        for (network, count) in counts.into_iter().enumerate() {
            for i in 0..count {
                let mut moved = |by: f64| {
                    let mut networks = if of_guide { guide.networks() } else { model.networks() };
                    networks[network].parameters_mut()[i] += by;
                    objective(model, guide)
                };
                let (above, below) = (moved(h), moved(-2.0 * h));
                moved(h);
                all.push((above - below) / (2.0 * h));
            }
        }
    }
    all
}

/// The gradient of an estimator whose bound is a smooth function of the parameters, against differences.
fn check<M: Networks, G: Networks + RowGuide<M, Element = f64>>(
    (mut model, mut guide): (M, G),
    config: &Amortized,
    left: f64,
) -> Outcome {
    let found = bound_gradient(&model, &guide, config, 5)?;
    let found: Vec<f64> = found.networks.iter().flat_map(|(_, gradient)| gradient.iter().copied()).collect();
    let objective = |model: &M, guide: &G| {
        let found = bound_gradient(model, guide, config, 5).expect("as before");
        found.bound + left * found.divergence
    };
    let numeric = differences(&mut model, &mut guide, &objective);
    assert_eq!(found.len(), numeric.len());
    for (i, (found, numeric)) in found.iter().zip(&numeric).enumerate() {
        assert!((found - numeric).abs() < 2e-8 * (1.0 + numeric.abs()), "{i}: {found} {numeric}");
    }
    assert!(numeric.iter().any(|x| x.abs() > 1e-3));
    Ok(())
}

#[test]
fn expectation_is_exact() -> Outcome {
    let exact = by(DiscreteEstimator::Expectation);
    let drawn = || Amortized { divergence: Divergence::Sampled, ..by(DiscreteEstimator::Expectation) };
    check(codes(), &exact, 0.0)?;
    check(codes(), &drawn(), 0.0)?;
    check(switches(), &exact, 0.0)?;
    check(switches(), &drawn(), 0.0)?;
    // Divergence that is exact is that of all values.
    let (model, guide) = codes();
    let [closed, summed] = [&exact, &drawn()].map(|config| bound_gradient(&model, &guide, config, 5));
    let (closed, summed) = (closed?, summed?);
    assert!((closed.bound - summed.bound).abs() < 1e-12 && (closed.divergence - summed.divergence).abs() < 1e-12);
    for (closed, summed) in flat(&closed).iter().zip(flat(&summed)) {
        assert!((closed - summed).abs() < 1e-12);
    }
    let lighter = Amortized { kl_weight: KlWeight::Linear { from: 0.3, steps: 9 }, ..by(DiscreteEstimator::Expectation) };
    check(codes(), &lighter, 0.7)?;
    check(codes(), &Amortized { divergence: Divergence::Sampled, ..lighter }, 0.7)
}

#[test]
fn relaxed_gradients_are_those_of_finite_differences() -> Outcome {
    for temperature in [0.5, 1.3] {
        let relaxed = || Amortized { samples: 3, ..by(DiscreteEstimator::Concrete { temperature }) };
        check(codes(), &relaxed(), 0.0)?;
        check(switches(), &relaxed(), 0.0)?;
        check(codes(), &Amortized { kl_weight: KlWeight::Linear { from: 0.3, steps: 9 }, ..relaxed() }, 0.7)?;
    }
    Ok(())
}

/// That the mean of a gradient over seeds is one that is known, within four standard errors.
fn mean_is<M, G: RowGuide<M, Element = f64>>(model: &M, guide: &G, config: &Amortized, expected: &[f64]) -> Outcome {
    let draws = 4000;
    let mut sums = vec![(0.0, 0.0); expected.len()];
    for seed in 0..draws {
        for (x, (sum, squares)) in flat(&bound_gradient(model, guide, config, seed)?).iter().zip(&mut sums) {
            *sum += x;
            *squares += x * x;
        }
    }
    let count = draws as f64;
    let mut score = 0.0;
    for (i, ((sum, squares), expected)) in sums.into_iter().zip(expected).enumerate() {
        let mean = sum / count;
        let error = ((squares / count - mean * mean) / count).max(0.0).sqrt() + 1e-9;
        assert!((mean - expected).abs() < 4.5 * error, "{i}: {mean} +- {error}, {expected}");
        score += ((mean - expected) / error).powi(2);
    }
    let score = score / expected.len() as f64;
    assert!(score < 2.0, "{score}");
    Ok(())
}

#[test]
fn a_divergence_in_closed_form_is_of_what_does_not_depend_on_itself() -> Outcome {
    let model = || Levels { x: noise(1, 4, 2), w: vec![0.2, 0.5, 0.3], mu: vec![-1.0, 0.5, 2.0], decoder: smooth(&[1, 4, 2], 1) };
    let down = || Down { first: smooth(&[2, 4, 3], 2), second: smooth(&[5, 4, 2], 3) };
    let up = || Up { first: smooth(&[2, 4, 2], 2), second: smooth(&[3, 4, 3], 3) };
    let analytic = || Amortized { divergence: Divergence::Analytic, ..by(DiscreteEstimator::Expectation) };
    let message = bound_gradient(&model(), &up(), &analytic(), 0).expect_err("refused").to_string();
    assert!(message.contains("the guide draws `k` given it"), "{message}");
    let message = bound_gradient(&model(), &down(), &analytic(), 0).expect_err("refused").to_string();
    assert!(message.contains("both the model and the guide read discrete latents"), "{message}");
    // From draws they are what they are: with the noise of z held, the mean over k is exact.
    let config = by(DiscreteEstimator::Expectation);
    check((model(), down()), &config, 0.0)?;
    check((model(), up()), &config, 0.0)?;
    let score = Amortized { samples: 3, divergence: Divergence::Sampled, ..Amortized::default() };
    let mean = |config: &Amortized| -> Result<Vec<f64>, AmortizedError> {
        let mut sum = Vec::new();
        for seed in 0..6000 {
            let found = flat(&bound_gradient(&model(), &up(), config, seed)?);
            sum.resize(found.len(), 0.0);
            sum.iter_mut().zip(found).for_each(|(sum, x)| *sum += x / 6000.0);
        }
        Ok(sum)
    };
    for (i, (score, exact)) in mean(&score)?.iter().zip(&mean(&config)?).enumerate() {
        assert!((score - exact).abs() < 0.05 * (1.0 + exact.abs()), "{i}: {score} {exact}");
    }
    Ok(())
}

#[test]
fn the_score_function_has_the_mean_of_the_expectation() -> Outcome {
    let (model, guide) = codes();
    let exact = flat(&bound_gradient(&model, &guide, &by(DiscreteEstimator::Expectation), 0)?);
    for (samples, divergence) in
        [(1, Divergence::Auto), (1, Divergence::Sampled), (4, Divergence::Auto), (4, Divergence::Sampled)]
    {
        mean_is(&model, &guide, &Amortized { samples, divergence, ..Amortized::default() }, &exact)?;
    }
    let (model, guide) = switches();
    let exact = flat(&bound_gradient(&model, &guide, &by(DiscreteEstimator::Expectation), 0)?);
    mean_is(&model, &guide, &Amortized { samples: 2, divergence: Divergence::Sampled, ..Amortized::default() }, &exact)
}

#[test]
fn latents_of_all_kinds_go_together() -> Outcome {
    // Two ways to the same mean, neither of which is exact: z is drawn, and where it is read what is discrete has no logits of a network.
    let (model, guide) = mixed();
    let config = |samples: usize| Amortized { samples, ..Amortized::default() };
    let refused = bound_gradient(&model, &guide, &by(DiscreteEstimator::Expectation), 0);
    assert!(matches!(refused, Err(AmortizedError::Discrete { latent: "on", .. })), "{refused:?}");
    let (mut moved, mut of_guide) = mixed();
    // The gradient is that of the mean of the bound, of which differences are taken with many samples: of a few parameters.
    let mean = |model: &Mixed, guide: &MixedGuide| -> f64 {
        let config = config(2);
        (0..4000).map(|seed| bound_gradient(model, guide, &config, seed).expect("finite").bound).sum::<f64>() / 4000.0
    };
    let mut sums: Vec<f64> = Vec::new();
    for seed in 0..4000 {
        let found = flat(&bound_gradient(&model, &guide, &config(2), seed)?);
        sums.resize(found.len(), 0.0);
        sums.iter_mut().zip(found).for_each(|(sum, x)| *sum += x / 4000.0);
    }
    let counts: Vec<usize> = moved.networks().into_iter().chain(of_guide.networks()).map(|own| own.parameters().len()).collect();
    // Biases of the last layers: of the decoder, and of both networks of the guide.
    for (network, from_end) in [(0, 1), (1, 1), (1, 2), (2, 1), (2, 4)] {
        let at = counts[network] - from_end;
        let h = 0.05;
        let mut value = |by: f64| {
            let own = moved.networks().into_iter().chain(of_guide.networks()).nth(network).expect("there are three");
            own.parameters_mut()[at] += by;
            mean(&moved, &of_guide)
        };
        let (above, below) = (value(h), value(-2.0 * h));
        value(h);
        let numeric = (above - below) / (2.0 * h);
        let found = sums[counts[..network].iter().sum::<usize>() + at];
        assert!((found - numeric).abs() < 0.06 * (1.0 + numeric.abs()), "{network} {from_end}: {found} {numeric}");
    }
    Ok(())
}

/// Logarithms of the probabilities of one row that networks of one layer give: of an index in the guide, and of index and data in the model.
fn tables(model: &Clusters, guide: &ClusterGuide) -> Vec<Vec<(f64, f64)>> {
    let encoder = guide.encoder.parameters();
    let shift = model.shift.parameters();
    let (d, k) = (model.x.ncols(), model.w.len());
    model
        .x
        .axis_iter(Axis(0))
        .map(|x| {
            let logits: Vec<f64> =
                (0..k).map(|j| encoder[d * k + j] + (0..d).map(|i| encoder[j * d + i] * x[i]).sum::<f64>()).collect();
            let total = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
            let density = |j: usize, i: usize| {
                let z: f64 = (x[i] - model.means[[j, i]] - shift[j * d + i]) / 0.9;
                -0.5 * z * z - 0.9_f64.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
            };
            (0..k).map(|j| (logits[j] - total, model.w[j].ln() + (0..d).map(|i| density(j, i)).sum::<f64>())).collect()
        })
        .collect()
}

fn clusters(rows: usize) -> (Clusters, ClusterGuide) {
    let means = Array2::from_shape_vec((3, 2), vec![-1.5, 0.0, 1.5, 0.5, 0.0, 2.0]).expect("of that size");
    let k: Vec<usize> = (0..rows).map(|n| n * n % 7 % 3).collect();
    let noise = noise(3, rows, 2);
    let x = Array2::from_shape_fn((rows, 2), |(n, d)| means[[k[n], d]] + 0.9 * noise[[n, d]]);
    let shift =
        Parameterized::new(Sequential::new(Embedding::new(3, 2, 1).expect("positive")), vec![0.1, 0.0, -0.1, 0.2, 0.0, 0.1]);
    let encoder = Mlp::new(&[2, 3]).build(5).expect("sizes are positive");
    let model = Clusters { x, means, w: vec![0.3, 0.3, 0.4], shift: shift.expect("three rows of two") };
    (model, ClusterGuide { encoder })
}

#[test]
fn of_the_importance_weighted_bound_too() -> Outcome {
    let (model, mut guide) = clusters(4);
    let bound = |guide: &ClusterGuide| -> f64 {
        let tables = tables(&model, guide);
        let of_row = |row: &Vec<(f64, f64)>| {
            let pairs = row.iter().flat_map(|one| row.iter().map(move |other| (one, other)));
            pairs.map(|(a, b)| (a.0 + b.0).exp() * f64::midpoint((a.1 - a.0).exp(), (b.1 - b.0).exp()).ln()).sum::<f64>()
        };
        tables.iter().map(of_row).sum::<f64>() / tables.len() as f64
    };
    let config = Amortized {
        samples: 2,
        objective: AmortizedObjective::ImportanceWeighted,
        held: vec!["shift".into()],
        ..Amortized::default()
    };
    let count = guide.encoder.parameters().len();
    let mut exact = vec![f64::NAN; model.shift.parameters().len()];
    for i in 0..count {
        let mut moved = |by: f64| {
            guide.encoder.parameters_mut()[i] += by;
            bound(&guide)
        };
        let (above, below) = (moved(1e-5), moved(-2e-5));
        moved(1e-5);
        exact.push((above - below) / 2e-5);
    }
    let draws = 20_000;
    let mut sums = vec![(0.0, 0.0); exact.len()];
    let mut mean_bound = 0.0;
    for seed in 0..draws {
        let found = bound_gradient(&model, &guide, &config, seed)?;
        mean_bound += found.bound / draws as f64;
        for (x, (sum, squares)) in flat(&found).iter().zip(&mut sums) {
            *sum += x / draws as f64;
            *squares += x * x / draws as f64;
        }
    }
    assert!((mean_bound - bound(&guide)).abs() < 0.02, "{mean_bound} {}", bound(&guide));
    for (i, ((mean, square), exact)) in sums.iter().zip(&exact).enumerate().filter(|(_, (_, exact))| exact.is_finite()) {
        let error = ((square - mean * mean) / draws as f64).sqrt();
        assert!((mean - exact).abs() < 4.5 * error, "{i}: {mean} +- {error}, {exact}");
    }
    Ok(())
}

#[test]
fn counts_without_bounds_are_drawn() -> Outcome {
    let model = Counted { x: vec![2.0, 4.5, 0.3], decoder: Mlp::new(&[1, 1]).build(1)? };
    let guide = Counter { encoder: Mlp::new(&[1, 1]).build(2)? };
    // By sums over as many counts as have a probability.
    let bound = |model: &Counted, guide: &Counter| -> f64 {
        let (decoder, encoder) = (model.decoder.parameters(), guide.encoder.parameters());
        let of_row = |x: f64| {
            let log_rate = encoder[1] + encoder[0] * x;
            let mut ln_factorial = 0.0;
            (0..60)
                .map(|c| {
                    let c = f64::from(c);
                    ln_factorial += if c > 0.0 { c.ln() } else { 0.0 };
                    let q = c * log_rate - log_rate.exp() - ln_factorial;
                    let z = (x - decoder[1] - decoder[0] * c) / 1.5;
                    let p = c * 3.0_f64.ln()
                        - 3.0
                        - ln_factorial
                        - 0.5 * z * z
                        - 1.5_f64.ln()
                        - 0.5 * (2.0 * std::f64::consts::PI).ln();
                    q.exp() * (p - q)
                })
                .sum::<f64>()
        };
        model.x.iter().map(|&x| of_row(x)).sum::<f64>() / 3.0
    };
    let (mut moved, mut of_guide) =
        (Counted { x: model.x.clone(), decoder: model.decoder.clone() }, Counter { encoder: guide.encoder.clone() });
    let exact = differences(&mut moved, &mut of_guide, &bound);
    mean_is(&model, &guide, &Amortized { samples: 4, ..Amortized::default() }, &exact)
}

#[test]
fn a_fit_finds_the_posterior() -> Outcome {
    let (model, guide) = clusters(200);
    let config = |discrete: DiscreteEstimator| Amortized {
        discrete,
        epochs: 400,
        batch: 50,
        samples: if discrete == DiscreteEstimator::Expectation { 1 } else { 4 },
        rate: 0.03,
        schedule: Schedule::Cosine,
        held: vec!["shift".into()],
        ..Amortized::default()
    };
    let evidence: Vec<f64> =
        tables(&model, &guide).iter().map(|row| row.iter().map(|(_, log)| log.exp()).sum::<f64>().ln()).collect();
    for discrete in [DiscreteEstimator::ScoreFunction, DiscreteEstimator::Expectation] {
        let fit = fit_amortized(&model, &guide, config(discrete))?;
        // The posterior is a softmax of what is linear in the row: the guide can have it.
        let [(name, probabilities)] = &fit.probabilities(&model)?[..] else { panic!("there is one latent") };
        assert_eq!((*name, probabilities.dim()), ("k", (200, 1, 3)));
        for (n, row) in tables(&model, &guide).iter().enumerate() {
            for (j, (_, log)) in row.iter().enumerate() {
                let (found, exact) = (probabilities[[n, 0, j]], (log - evidence[n]).exp());
                assert!((found - exact).abs() < 0.05, "{discrete:?} {n} {j}: {found} {exact}");
            }
        }
        let bound = fit.bounds(&model, 50)?.iter().map(|row| row.bound()).sum::<f64>() / 200.0;
        let exact = evidence.iter().sum::<f64>() / 200.0;
        assert!((bound - exact).abs() < 0.01, "{bound} {exact}");
        for (found, exact) in fit.log_likelihood(&model, 500)?.iter().zip(&evidence) {
            assert!((found - exact).abs() < 0.02, "{found} {exact}");
        }
    }
    Ok(())
}

#[test]
fn they_can_be_left_to_the_automatic_guide() -> Outcome {
    let (model, _) = clusters(60);
    let config = Amortized {
        discrete: DiscreteEstimator::Expectation,
        epochs: 600,
        batch: 60,
        rate: 0.05,
        schedule: Schedule::Cosine,
        held: vec!["shift".into()],
        ..Amortized::default()
    };
    // Each row has probabilities of its own: the bound is the evidence.
    let fit = fit_amortized(&model, &Automatic, config)?;
    let bound = fit.history().last().expect("there are epochs").bound;
    let guide = ClusterGuide { encoder: Mlp::new(&[2, 3]).build(5)? };
    let evidence = tables(&model, &guide).iter().map(|row| row.iter().map(|(_, log)| log.exp()).sum::<f64>().ln()).sum::<f64>();
    assert!((bound - evidence / 60.0).abs() < 0.01, "{bound} {}", evidence / 60.0);
    let (model, _) = switches();
    let fit = fit_amortized(&model, &Automatic, Amortized { epochs: 20, samples: 4, ..Amortized::default() })?;
    assert_eq!(fit.probabilities(&model)?[0].1.dim(), (5, 2, 2));
    let (model, _) = codes();
    let fit =
        fit_amortized(&model, &Automatic, Amortized { epochs: 20, ..by(DiscreteEstimator::Concrete { temperature: 0.5 }) })?;
    assert_eq!(fit.probabilities(&model)?[0].1.dim(), (5, 2, 3));
    Ok(())
}

#[test]
fn rows_are_made_and_drawn() -> Outcome {
    let (model, guide) = clusters(60);
    let config = || Amortized { epochs: 60, rate: 0.03, samples: 4, held: vec!["shift".into()], ..Amortized::default() };
    let fit = fit_amortized(&model, &guide, config())?;
    let made = fit.sample_given(&model, 3);
    let made = made?;
    let k = made.array("k").expect("a latent");
    assert!(made.latents.iter().any(|(name, _)| *name == "k") && !made.observed.iter().any(|(name, _)| *name == "k"));
    assert!(made.mean("k").is_none());
    let means = made.mean("x").expect("normal");
    let shift = model.shift.parameters();
    for n in 0..60 {
        let own = value(k[[n, 0]]);
        for d in 0..2 {
            assert!((means[[n, d]] - model.means[[own, d]] - shift[own * 2 + d]).abs() < 1e-12);
        }
    }
    assert!((0..3).all(|value| k.iter().any(|&x| self::value(x) == value)));
    let given = Array2::from_shape_fn((3, 1), |(n, _)| n as f64);
    let decoded = fit.decode(&[("k", given.clone())])?;
    for n in 0..3 {
        assert!((decoded.mean("x").expect("normal")[[n, 0]] - model.means[[n, 0]] - shift[2 * n]).abs() < 1e-12);
    }
    let wrong = fit.decode(&[("k", given.mapv(|x| x + 1.0))]);
    let message = wrong.expect_err("one is three").to_string();
    assert_eq!(message, "`k[2, 0]` is 3; it must be a whole number from 0 to 2");
    let draws = fit.draws(&model, 400, 1)?;
    let (_, probabilities) = &fit.probabilities(&model)?[0];
    let [("k", draws)] = &draws[..] else { panic!("there is one latent") };
    for n in 0..60 {
        let share = draws.index_axis(Axis(1), n).iter().filter(|x| **x == 2.0).count() as f64 / 400.0;
        assert!((share - probabilities[[n, 0, 2]]).abs() < 0.12, "{n}: {share} {}", probabilities[[n, 0, 2]]);
    }
    let again = fit.reconstruct(&model)?;
    for n in 0..60 {
        let own = value(again.array("k").expect("a latent")[[n, 0]]);
        assert!((0..3).all(|other| probabilities[[n, 0, other]] <= probabilities[[n, 0, own]]));
    }
    let between = fit.interpolate(&model, 0, 1, 4)?;
    let ends: Vec<f64> = [0, 1].map(|n| again.array("k").expect("a latent")[[n, 0]]).to_vec();
    let path: Vec<f64> = between.array("k").expect("a latent").iter().copied().collect();
    assert_eq!(path, [ends[0], ends[0], ends[1], ends[1]]);
    println!("{}", fit.summary()?);
    Ok(())
}

#[test]
fn what_cannot_be_is_refused() {
    let (model, guide) = clusters(10);
    let refused = |config: Amortized| fit_amortized(&model, &guide, config).expect_err("refused").to_string();
    let concrete = || by(DiscreteEstimator::Concrete { temperature: 0.5 });
    let mut all = vec![
        refused(concrete()),
        refused(Amortized { samples: 2, ..by(DiscreteEstimator::Expectation) }),
        refused(Amortized { estimator: AmortizedEstimator::StickingTheLanding, ..Amortized::default() }),
        refused(Amortized { objective: AmortizedObjective::ImportanceWeighted, ..by(DiscreteEstimator::Expectation) }),
    ];
    let (model, guide) = codes();
    let refused = |config: Amortized| bound_gradient(&model, &guide, &config, 0).expect_err("refused").to_string();
    all.push(refused(by(DiscreteEstimator::Concrete { temperature: -1.0 })));
    all.push(refused(Amortized { divergence: Divergence::Sampled, ..concrete() }));
    let many = Codes { x: noise(1, 5, 2), w: vec![0.2; 5], decoder: smooth(&[100, 2], 1), L: 20 };
    let coder = Coder { encoder: smooth(&[2, 100], 2) };
    all.push(bound_gradient(&many, &coder, &by(DiscreteEstimator::Expectation), 0).expect_err("refused").to_string());
    insta::assert_snapshot!(all.join("\n"));
}
