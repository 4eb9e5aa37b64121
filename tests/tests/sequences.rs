//! Sequences of words beside networks: categorical data in rows, masks, dropout of words, recurrent networks, and what is decoded word by word.
#![forbid(unsafe_code)]

use ndarray::{Array2, Axis};
use ppl_core::amortized::{
    Amortized, AmortizedError, AmortizedObjective, RowModel as _, Transform, bound_gradient, fit_amortized, load_amortized,
    resume_amortized,
};
use ppl_core::networks::{
    Activation, AtLength, Concatenate, Dense, EachStep, Embedding, Gru, Mlp, Network, NetworkError, Parameterized, Repeat,
    Sequential, Work,
};
use ppl_core::prelude::*;
use ppl_core::random::{normals, uniform};

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// One row: words of which some are masked, a category of given probabilities, and parameters picked by an index.
    #[ppl(row)]
    Row(word: [in V; T], length: u64, c: u64, probs: [f64; C], kind: in K, near: [in K; T], T: usize, V: usize, C: usize, K: usize) {
        param logits[T, V]: real = 0;
        param alpha[K]: real = 0;
        param pair[K, K]: real = 0;
        z ~ Normal(alpha[kind], 1);
        let lean = z + sum(t in T => alpha[near[t]] * (t > length || !(t < 2))) + pair[kind, near[0]];
        for t in T {
            word[t] ~ Categorical(logits = logits[t]).mask(t < length);
        }
        c ~ Categorical(probs);
        factor(-lean.powi(2));
    }
}

model! {
    /// The same with data of its own.
    Whole(word: [in V; T], length: u64, c: u64, probs: [f64; C], kind: in K, near: [in K; T], V: usize, K: usize) {
        param logits[T, V]: real = 0;
        param alpha[K]: real = 0;
        param pair[K, K]: real = 0;
        z ~ Normal(alpha[kind], 1);
        let lean = z + sum(t in T => alpha[near[t]] * (t > length || !(t < 2))) + pair[kind, near[0]];
        for t in T {
            word[t] ~ Categorical(logits = logits[t]).mask(t < length);
        }
        c ~ Categorical(probs);
        factor(-lean.powi(2));
    }
}

fn below(counter: u64, count: usize) -> usize {
    (0..count).rev().find(|k| uniform(1, counter) * count as f64 >= *k as f64).unwrap_or(0)
}

fn whole(row: u64) -> Whole {
    let p = 0.1 + 0.8 * uniform(2, row);
    Whole {
        word: (0..4).map(|t| below(20 * row + t, 5)).collect::<Vec<_>>().into(),
        length: row % 5,
        c: row % 2,
        probs: vec![p, 1.0 - p],
        kind: below(20 * row + 9, 3),
        near: (10..14).map(|t| below(20 * row + t, 3)).collect::<Vec<_>>().into(),
        V: 5,
        K: 3,
    }
}

#[test]
fn words_in_lanes_have_the_density_of_words_in_a_model() -> Outcome {
    let row = Row { T: 4, V: 5, C: 2, K: 3 };
    let bound = row.bind()?;
    let lanes = 16;
    let mut work = bound.workspace(lanes);
    let unknowns = bound.layout().unconstrained();
    let u: Vec<f64> = (0..unknowns * lanes).map(|i| 2.0 * uniform(3, i as u64) - 1.0).collect();
    work.u_mut().copy_from_slice(&u);
    let names: Vec<&str> = bound.layout().inputs.iter().map(|input| input.name).collect();
    assert_eq!(names, ["word", "length", "c", "probs", "kind", "near"]);
    for lane in 0..lanes {
        let Whole { word, length, c, probs, kind, near, .. } = whole(lane as u64);
        let whole = |indices: &[usize]| indices.iter().map(|i| *i as f64).collect::<Vec<_>>();
        let values =
            [whole(word.values()), vec![length as f64, c as f64], probs, vec![kind as f64], whole(near.values())].concat();
        let rows = bound.layout().inputs.iter().flat_map(|input| input.rows.clone());
        rows.zip(values).for_each(|(row, value)| work.values[row * lanes + lane] = value);
    }
    let mut found = vec![0.0; lanes];
    bound.log_density(&mut work, &bound.unit_weights(lanes), &mut found);
    for lane in 0..lanes {
        let model = whole(lane as u64);
        let whole = model.bind()?;
        let mut own = whole.workspace(8);
        for i in 0..unknowns {
            own.u_mut()[i * 8..(i + 1) * 8].fill(u[i * lanes + lane]);
        }
        let mut expected = vec![0.0; 8];
        whole.log_density(&mut own, &whole.unit_weights(8), &mut expected);
        assert!((found[lane] - expected[0]).abs() < 1e-12 * expected[0].abs(), "{} {}", found[lane], expected[0]);
        for i in 0..unknowns {
            let (found, expected) = (work.gradient()[i * lanes + lane], own.gradient()[i * 8]);
            assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{i}: {found} {expected}");
        }
        // By hand: `logits` come first among the parameters, which follow the latent.
        let at = |i: usize| u[i * lanes + lane];
        let logits = |t: usize| (0..5).map(move |v| 1 + 5 * t + v);
        let words = model
            .word
            .values()
            .iter()
            .enumerate()
            .take(usize::try_from(model.length)?)
            .map(|(t, word)| at(1 + 5 * t + word) - logits(t).map(|i| at(i).exp()).sum::<f64>().ln());
        let alpha = |k: usize| at(21 + k);
        let far = |t: u64| t > model.length || t >= 2;
        let lean = at(0)
            + at(24 + 3 * model.kind + model.near.values()[0])
            + (0..4).filter(|t| far(*t)).map(|t| alpha(model.near.values()[usize::try_from(t).unwrap_or(0)])).sum::<f64>();
        let normal = -0.5 * (at(0) - alpha(model.kind)).powi(2) - 0.918_938_533_204_672_8;
        let by_hand = words.sum::<f64>() + normal + model.probs[usize::try_from(model.c)?].ln() - lean.powi(2);
        assert!((expected[0] - by_hand).abs() < 1e-12 * by_hand.abs(), "{} {by_hand}", expected[0]);
        // Rows of the masked factor one by one.
        let mut rows = vec![0.0; 4 * 8];
        let words = whole.graph().factors.iter().position(|factor| factor.text.starts_with("word")).ok_or("a factor")?;
        whole.log_prob_rows(words, 0..4, &mut own, &mut rows);
        let counted = rows.iter().step_by(8).filter(|x| **x != 0.0).count();
        assert_eq!(counted, usize::try_from(model.length.min(4))?);
    }
    Ok(())
}

model! {
    /// A sentence about a topic.
    pub Sentences(
        word: [in V; N, T], previous: [in V; N, T], length: [u64; N], topic: [f64; N, C], decoder: net(Z + T + C => T * V), Z: usize, V: usize,
    ) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let logits = decoder(z[n], previous[n], topic[n]);
            for t in T {
                word[n, t] ~ Categorical(logits = logits[t]).mask(t < length[n]);
            }
        }
    }
}

guide! {
    /// A recurrent encoder.
    pub Reader for Sentences(encoder: net(T + 1 => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(word[n], length[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

const STEPS: usize = 4;
const WORDS: usize = 5;
const LATENTS: usize = 2;

fn decoder() -> Result<Parameterized<f64>, NetworkError> {
    let of = |layer: Dense| Sequential::new(layer);
    let branches = vec![
        Sequential::new(Repeat::new(LATENTS, STEPS)?),
        Sequential::new(Embedding::new(WORDS, 3, STEPS)?),
        of(Dense::new(1, STEPS, Activation::Tanh)?),
    ];
    let layers = Sequential::new(Concatenate::new(STEPS, branches)?)
        .then(Gru::new(LATENTS + 3 + 1, 4, STEPS)?)?
        .then(EachStep::new(STEPS, of(Dense::new(4, WORDS, Activation::Identity)?))?)?;
    Ok(Parameterized::initialize(layers, 1))
}

fn encoder() -> Result<Parameterized<f64>, NetworkError> {
    let states = Sequential::new(Embedding::new(WORDS, 3, STEPS)?).then(Gru::new(3, 4, STEPS)?)?;
    let layers = Sequential::new(AtLength::new(STEPS, states)?).then(Dense::new(4, 2 * LATENTS, Activation::Identity)?)?;
    Ok(Parameterized::initialize(layers, 2))
}

fn written(rows: usize, seed: usize) -> Result<(Sentences, Reader), NetworkError> {
    // Words follow each other, from a first one that is the row's.
    let word = Array2::from_shape_fn((rows, STEPS), |(n, t)| (n * n + seed + 2 * t) % WORDS);
    let previous = Array2::from_shape_fn((rows, STEPS), |(n, t)| if t == 0 { 0 } else { word[[n, t - 1]] });
    let length = (0..rows as u64).map(|n| 1 + n % STEPS as u64).collect();
    let topic = Array2::from_shape_fn((rows, 1), |(n, _)| 0.3 * (n % 3) as f64);
    let model = Sentences { word, previous, length, topic, decoder: decoder()?, Z: LATENTS, V: WORDS };
    Ok((model, Reader { encoder: encoder()? }))
}

#[test]
fn gradients_through_recurrent_networks_are_those_of_finite_differences() -> Outcome {
    let analytic = Amortized { samples: 2, ..Amortized::default() };
    let weighted = Amortized { samples: 3, objective: AmortizedObjective::ImportanceWeighted, ..Amortized::default() };
    for config in [analytic, weighted] {
        let (mut model, mut guide) = written(7, 0)?;
        let found = bound_gradient(&model, &guide, &config, 5)?;
        let h = 1e-5;
        for (network, (name, gradient)) in found.networks.iter().enumerate() {
            for (i, found) in gradient.iter().enumerate() {
                let mut moved = |by: f64| -> Result<f64, AmortizedError> {
                    let own = if network == 0 { &mut model.decoder } else { &mut guide.encoder };
                    own.parameters_mut()[i] += by;
                    Ok(bound_gradient(&model, &guide, &config, 5)?.bound)
                };
                let (above, below) = (moved(h)?, moved(-2.0 * h)?);
                moved(h)?;
                let numeric = (above - below) / (2.0 * h);
                assert!((found - numeric).abs() < 1e-8 * (1.0 + numeric.abs()), "{name} {i}: {found} {numeric}");
            }
        }
    }
    Ok(())
}

#[test]
fn words_that_are_masked_change_nothing() -> Outcome {
    let (model, guide) = written(40, 0)?;
    let fit = fit_amortized(&model, &guide, Amortized { epochs: 2, ..Amortized::default() })?;
    let (mut padded, _) = written(40, 0)?;
    for (n, length) in model.length.iter().enumerate() {
        for t in usize::try_from(*length)?..STEPS {
            padded.word[[n, t]] = (padded.word[[n, t]] + 1) % WORDS;
            padded.previous[[n, t]] = 4;
        }
    }
    assert_ne!(model.word, padded.word);
    assert_eq!(fit.log_likelihood(&model, 20)?, fit.log_likelihood(&padded, 20)?);
    assert_eq!(fit.bounds(&model, 3)?, fit.bounds(&padded, 3)?);
    Ok(())
}

/// The logits that a decoder of the fit gives, `[row][step][word]`.
fn logits_of(decoder: &Parameterized<f64>, inputs: &Array2<f64>) -> Result<Vec<f64>, NetworkError> {
    let mut y = vec![0.0; inputs.nrows() * STEPS * WORDS];
    let x: Vec<f64> = inputs.iter().copied().collect();
    decoder.forward(&x, inputs.nrows(), &mut Work::new(), &mut y)?;
    Ok(y)
}

#[test]
fn what_is_decoded_given_words_is_what_the_network_gives() -> Outcome {
    let (model, guide) = written(150, 0)?;
    let fit = fit_amortized(&model, &guide, Amortized { epochs: 1, ..Amortized::default() })?;
    let (given, _) = written(140, 1)?;
    let mut noise = vec![0.0; 140 * LATENTS];
    normals(3, noise.len(), &mut noise);
    let z = Array2::from_shape_vec((140, LATENTS), noise)?;
    let made = fit.decode_given(&given, &[("z", z.clone())])?;
    let mut learned = decoder()?;
    learned.parameters_mut().copy_from_slice(fit.parameters_of("decoder").ok_or("there is a decoder")?);
    let inputs = ndarray::concatenate![Axis(1), z, given.previous.mapv(|word| word as f64), given.topic];
    let (expected, logits) = (logits_of(&learned, &inputs)?, made.shaped("logits").ok_or("there are logits")?);
    assert_eq!(logits.shape(), [140, STEPS, WORDS]);
    assert!(logits.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14));
    assert_eq!(made.shaped("word").ok_or("words are made")?.shape(), [140, STEPS]);
    assert!(made.array("word").ok_or("words are made")?.iter().all(|word| (0.0..5.0).contains(word) && word.fract() == 0.0));
    // Draws have the frequencies of their probabilities: of the first word of all rows, in standard errors.
    let first = made.array("word").ok_or("words are made")?;
    let (mut expected_zeros, mut variance) = (0.0, 0.0);
    for logits in logits.index_axis(Axis(1), 0).into_dimensionality::<ndarray::Ix2>()?.outer_iter() {
        let p = logits[0].exp() / logits.iter().map(|x| x.exp()).sum::<f64>();
        (expected_zeros, variance) = (expected_zeros + p, variance + p * (1.0 - p));
    }
    let zeros = first.column(0).iter().filter(|word| **word == 0.0).count() as f64;
    assert!((zeros - expected_zeros).abs() < 4.0 * f64::sqrt(variance), "{zeros} {expected_zeros}");
    let error = fit.decode_given(&given, &[("z", z.select(Axis(0), &(0..9).collect::<Vec<_>>()))]).err().ok_or("too few rows")?;
    assert_eq!(error.to_string(), "`z` is [9, 2]; it must be 140 rows of 2");
    let error = fit.decode(&[("z", z)]).err().ok_or("there are conditions")?.to_string();
    assert!(error.contains("`previous`") && error.contains("`decode_given`"), "{error}");
    Ok(())
}

model! {
    /// Two words of a latent number.
    pub Pairs(word: [in V; N, T], scale: [f64; N], decoder: net(1 => T * V), V: usize) {
        for n in N {
            z[n] ~ Normal(0, scale[n]);
            let logits = decoder(z[n]);
            for t in T {
                word[n, t] ~ Categorical(logits = logits[t]);
            }
        }
    }
}

guide! {
    pub PairReader for Pairs(encoder: net(T => 2)) {
        for n in N {
            let (loc, log_scale) = split(encoder(word[n]));
            z[n] ~ Normal(loc, exp(log_scale));
        }
    }
}

#[test]
fn evidence_and_bound_of_words_are_those_of_quadrature() -> Outcome {
    let word = Array2::from_shape_fn((9, 2), |(n, t)| if t == 0 { n / 3 } else { n % 3 });
    let decoder = || Mlp::new(&[1, 6, 6]).activation(Activation::Tanh).build(3);
    let repeated = ndarray::concatenate(Axis(0), &vec![word.view(); 12])?;
    let model = Pairs { scale: vec![1.0; 108], word: repeated, decoder: decoder()?, V: 3 };
    let guide = PairReader { encoder: Mlp::new(&[2, 6, 2]).activation(Activation::Tanh).build(4)? };
    let fit = fit_amortized(&model, &guide, Amortized { epochs: 150, rate: 0.01, ..Amortized::default() })?;
    let asked = Pairs { scale: vec![1.0; 9], word, decoder: decoder()?, V: 3 };
    let mut learned = decoder()?;
    learned.parameters_mut().copy_from_slice(fit.parameters_of("decoder").ok_or("there is a decoder")?);
    // log p(words | z) on a grid.
    let grid: Vec<f64> = (0..4001).map(|i| -10.0 + 0.005 * f64::from(i)).collect();
    let mut logits = vec![0.0; grid.len() * 6];
    learned.forward(&grid, grid.len(), &mut Work::new(), &mut logits)?;
    let of_words = |at: usize, words: ndarray::ArrayView1<'_, usize>| -> f64 {
        let each = logits[6 * at..6 * at + 6].chunks(3).zip(words);
        each.map(|(logits, word)| logits[*word] - logits.iter().map(|x| x.exp()).sum::<f64>().ln()).sum()
    };
    let normal = |x: f64, loc: f64, scale: f64| (-0.5 * ((x - loc) / scale).powi(2)).exp() / scale * 0.398_942_280_401_432_7;
    let integral = |of: &dyn Fn(usize, f64) -> f64| grid.iter().enumerate().map(|(at, z)| 0.005 * of(at, *z)).sum::<f64>();
    let (encoded, draws) = (fit.encode(&asked)?, 40_000);
    let (found, bounds) = (fit.log_likelihood(&asked, draws)?, fit.bounds(&asked, draws)?);
    let mut all = 0.0;
    for (n, words) in asked.word.outer_iter().enumerate() {
        let evidence = integral(&|at, z| normal(z, 0.0, 1.0) * of_words(at, words).exp());
        let (loc, scale) = (encoded[0].location[[n, 0]], encoded[0].scale[[n, 0]]);
        // The variance of a weight, and so of the logarithm of the mean of many.
        let weight = |at: usize, z: f64| normal(z, 0.0, 1.0) * of_words(at, words).exp() / evidence / normal(z, loc, scale);
        let variance =
            integral(&|at, z| if normal(z, loc, scale) > 1e-200 { normal(z, loc, scale) * weight(at, z).powi(2) } else { 0.0 })
                - 1.0;
        let error = (variance / draws as f64).sqrt();
        assert!((found[n] - evidence.ln()).abs() < 4.5 * error + 1e-9, "{n}: {} {} {error}", found[n], evidence.ln());
        let reconstruction = integral(&|at, z| normal(z, loc, scale) * of_words(at, words));
        let square = integral(&|at, z| normal(z, loc, scale) * (of_words(at, words) - reconstruction).powi(2));
        let difference = bounds[n].reconstruction - reconstruction;
        assert!(difference.abs() < 4.5 * (square / draws as f64).sqrt() + 1e-9, "{n}: {difference}");
        let divergence = 0.5 * (scale * scale + loc * loc - 1.0) - scale.ln();
        assert!((bounds[n].divergence - divergence).abs() < 1e-9, "{} {divergence}", bounds[n].divergence);
        assert!(bounds[n].bound() <= evidence.ln() + 0.01);
        all += evidence;
    }
    assert!((all - 1.0).abs() < 1e-6, "there are nine pairs: {all}");
    Ok(())
}

#[test]
fn rows_are_changed_as_they_are_drawn() -> Outcome {
    let (model, guide) = written(60, 0)?;
    let config = |transforms: Vec<Transform>| Amortized { epochs: 3, transforms, ..Amortized::default() };
    let learned = |transforms: Vec<Transform>| -> Result<Vec<f64>, AmortizedError> {
        Ok(fit_amortized(&model, &guide, config(transforms))?.parameters_of("decoder").unwrap_or_default().to_vec())
    };
    let plain = learned(vec![])?;
    let dropout = || Transform::replace("previous", 0.5, 1.0);
    assert_eq!(learned(vec![Transform::replace("previous", 0.0, 1.0)])?, plain);
    assert_ne!(learned(vec![dropout()])?, plain);
    assert_eq!(learned(vec![dropout()])?, learned(vec![dropout()])?);
    // All words replaced is the same as a function that does so, and as data that are so.
    let by_hand = Transform::map("previous", |_, _, words| words.fill(1.0));
    let (mut ones, _) = written(60, 0)?;
    ones.previous.fill(1);
    let fit = fit_amortized(&ones, &guide, config(vec![]))?;
    assert_eq!(learned(vec![Transform::replace("previous", 1.0, 1.0)])?, fit.parameters_of("decoder").ok_or("a decoder")?);
    assert_eq!(learned(vec![by_hand.clone()])?, fit.parameters_of("decoder").ok_or("a decoder")?);
    // What a fit is asked about is of rows as they are, unless it is always done.
    let once = fit_amortized(&model, &guide, config(vec![by_hand.clone()]))?;
    assert_ne!(once.log_likelihood(&model, 5)?, once.log_likelihood(&ones, 5)?);
    let always = fit_amortized(&model, &guide, config(vec![by_hand.clone().always()]))?;
    assert_eq!(always.log_likelihood(&model, 5)?, always.log_likelihood(&ones, 5)?);
    // Which row it is, and noise of its own in each.
    let named = Transform::map("topic", |row, key, topic| topic[0] += row as f64 + uniform(key, 0));
    assert_ne!(learned(vec![named.clone()])?, learned(vec![Transform::map("topic", |row, _, topic| topic[0] += row as f64)])?);
    assert_ne!(learned(vec![Transform::noise("topic", 0.3)])?, plain);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build()?;
    let both = || vec![named.clone(), dropout()];
    assert_eq!(pool.install(|| learned(both()))?, learned(both())?);
    Ok(())
}

#[test]
fn a_saved_fit_with_transforms_goes_on_to_the_same_bits() -> Outcome {
    let (model, guide) = written(60, 0)?;
    let transforms = || vec![Transform::replace("previous", 0.5, 1.0), Transform::noise("topic", 0.1).always()];
    let config = |epochs| Amortized { epochs, transforms: transforms(), ..Amortized::default() };
    let whole = fit_amortized(&model, &guide, config(6))?;
    let path = std::env::temp_dir().join(format!("sentences-{}.safetensors", std::process::id()));
    let half = fit_amortized(&model, &guide, config(3))?;
    half.save(&path)?;
    assert_eq!(load_amortized(&model, &guide, &path)?.bounds(&model, 2)?, half.bounds(&model, 2)?);
    let rest = resume_amortized(&model, &guide, &path, config(6))?;
    assert_eq!(rest.parameters_of("decoder"), whole.parameters_of("decoder"));
    let own = |epochs| {
        let double = Transform::map("topic", |_, _, topic| topic[0] *= 2.0).always();
        Amortized { epochs, transforms: vec![double], ..Amortized::default() }
    };
    let fit = fit_amortized(&model, &guide, own(2))?;
    fit.save(&path)?;
    let error = load_amortized(&model, &guide, &path).err().ok_or("a function")?.to_string();
    assert!(error.contains("a function of yours changes `topic`") && error.contains("the 2 that are done"), "{error}");
    assert_eq!(resume_amortized(&model, &guide, &path, own(2))?.bounds(&model, 2)?, fit.bounds(&model, 2)?);
    std::fs::remove_file(&path)?;
    Ok(())
}

#[test]
fn words_and_transforms_out_of_range_are_refused_with_the_place() -> Outcome {
    let (model, guide) = written(20, 0)?;
    let refused = |model: &Sentences, transform: Option<Transform>| {
        let config = Amortized { epochs: 1, transforms: transform.into_iter().collect(), ..Amortized::default() };
        fit_amortized(model, &guide, config).map(|_| ()).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let (mut wrong, _) = written(20, 0)?;
    wrong.word[[3, 2]] = 9;
    assert_eq!(refused(&wrong, None), "`word[3, 2]` is 9; it must be an index into `V`, which has size 5 (0 to 4)");
    let (mut wrong, _) = written(20, 0)?;
    wrong.length[4] = 7;
    assert!(
        refused(&wrong, None).contains("the length of the sequence is 7; it must be a whole number from 0 to 4"),
        "{}",
        refused(&wrong, None)
    );
    for (transform, message) in [
        (
            Transform::replace("previuos", 0.5, 1.0),
            "there is no input `previuos`; there is `word`, `previous`, `length`, `topic`",
        ),
        (Transform::replace("previous", 1.5, 1.0), "a transform of `previous` replaces with probability 1.5; it must be 0 to 1"),
        (
            Transform::replace("previous", 0.5, 5.0),
            "a transform of `previous` replaces by 5; it must be an index into `V`, which has size 5 (0 to 4)",
        ),
        (
            Transform::noise("topic", -1.0),
            "a transform of `topic` adds noise of standard deviation -1; it must be at least 0 and finite",
        ),
        (
            Transform::noise("word", 0.1),
            "a transform of `word` adds noise to what is an index into `V`, which has size 5 (0 to 4); take `Transform::replace`",
        ),
        (Transform::binarize("length"), "`length[1, 0]` is 2; it must be a probability, 0 to 1"),
        (
            Transform::map("word", |row, _, words| words[2] += if row == 6 { 0.5 } else { 0.0 }),
            "`word[6, 2]` is 0.5; it must be an index into `V`, which has size 5 (0 to 4), also after its transforms",
        ),
        (
            Transform::map("topic", |row, _, topic| topic[0] = if row == 8 { f64::NAN } else { 0.0 }),
            "`topic[8, 0]` is NaN; it must be finite, also after its transforms",
        ),
    ] {
        let found = refused(&model, Some(transform));
        assert_eq!(found, message);
    }
    Ok(())
}

model! {
    /// Words of the words before them alone.
    pub Language(word: [in V; N, T], previous: [in V; N, T], decoder: net(T => T * V), V: usize) {
        for n in N {
            let logits = decoder(previous[n]);
            for t in T {
                word[n, t] ~ Categorical(logits = logits[t]);
            }
        }
    }
}

#[test]
fn a_language_model_without_latents_learns_what_follows() -> Outcome {
    // Each word is followed by the next one, or by the one after that, with equal probabilities.
    let mut word = Array2::from_elem((200, 6), 0);
    for ((n, t), word) in word.indexed_iter_mut() {
        *word = if t == 0 { n % 4 } else { usize::MAX };
    }
    for n in 0..200 {
        for t in 1..6 {
            word[[n, t]] = (word[[n, t - 1]] + 1 + below((6 * n + t) as u64, 2)) % 4;
        }
    }
    let previous = Array2::from_shape_fn((200, 6), |(n, t)| if t == 0 { 4 } else { word[[n, t - 1]] });
    let layers = Sequential::new(Embedding::new(5, 8, 6)?);
    let layers =
        layers.then(Gru::new(8, 16, 6)?)?.then(EachStep::new(6, Sequential::new(Dense::new(16, 5, Activation::Identity)?))?)?;
    let model = Language { word, previous, decoder: Parameterized::initialize(layers, 1), V: 5 };
    assert_eq!(model.bind_rows()?.inputs[0].categories, Some((5, "V")));
    let fit = fit_amortized(&model, &(), Amortized { epochs: 150, rate: 5e-3, ..Amortized::default() })?;
    let log_likelihood = fit.log_likelihood(&model, 1)?;
    let mean = log_likelihood.iter().sum::<f64>() / 200.0;
    // One of four, then five times one of two; learned from few rows, it is a little better on them.
    let expected = -(4.0_f64.ln() + 5.0 * 2.0_f64.ln());
    assert!((mean - expected).abs() < 0.25, "{mean} {expected}");
    assert!(
        fit.bounds(&model, 1)?
            .iter()
            .zip(&log_likelihood)
            .all(|(row, own)| row.divergence == 0.0 && (row.bound() - own).abs() < 1e-4)
    );
    Ok(())
}

model! {
    /// Pictures, whose axes are kept apart until the network reads them.
    pub Pictures(x: [f64; N, H, W], y: [f64; N], f: net(H * W + 1 => 2 * W * H), g: net(W => H * W)) {
        param scale: positive = 1;
        for n in N {
            let (a, b) = split(f(x[n], y[n]));
            for h in H {
                for w in W {
                    x[n, h, w] ~ Normal(0.5 * a[w, h] + b[w, h], scale);
                }
            }
            y[n] ~ Normal(0, 1);
        }
    }
}

#[test]
fn axes_of_operands_and_results_multiply() -> Outcome {
    let (f, g) = (Mlp::new(&[7, 12]).build(1)?, Mlp::new(&[3, 6]).build(1)?);
    let x = ndarray::Array3::from_shape_fn((4, 2, 3), |(n, h, w)| 0.1 * (n + 2 * h + 3 * w) as f64);
    let model = Pictures { x, y: vec![0.5; 4], f, g };
    let bound = model.bind_rows()?;
    assert_eq!((bound.inputs[0].columns, bound.row.H, bound.row.W), (6, 2, 3));
    let gradient = bound_gradient(&model, &(), &Amortized::default(), 0)?;
    // By hand, with the weights as they are.
    let mut expected = 0.0;
    for n in 0..4 {
        let pixels: Vec<f64> = model.x.index_axis(Axis(0), n).iter().copied().chain([0.5]).collect();
        let mut y = vec![0.0; 12];
        model.f.forward(&pixels, 1, &mut Work::new(), &mut y)?;
        let normal = |x: f64| -0.5 * x * x - 0.918_938_533_204_672_8;
        expected += normal(0.5);
        for h in 0..2 {
            for w in 0..3 {
                expected += normal(pixels[3 * h + w] - 0.5 * y[2 * w + h] - y[6 + 2 * w + h]);
            }
        }
    }
    assert!((gradient.bound - expected / 4.0).abs() < 1e-12, "{} {}", gradient.bound, expected / 4.0);
    let wrong = Pictures { f: Mlp::new(&[7, 10]).build(1)?, ..model };
    assert_eq!(
        wrong.bind_rows().err().ok_or("a wrong size")?.to_string(),
        "`Pictures`: the network `f` gives 10 numbers for a row, but `2 * W * H` is 12; build it for that many"
    );
    Ok(())
}
