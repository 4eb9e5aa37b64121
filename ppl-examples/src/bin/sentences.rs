//! A variational auto-encoder of sentences: whole sentences as points of a space, between which one can go.
//!
//! ```text
//! cargo run --release -p ppl-examples --bin sentences -- --text FILE --out out
//! ```
//! A recurrent decoder predicts each word of the words before it, and does so well without its latents: it is a language model. If nothing is done about it, that is what
//! is learned, and the posterior collapses to the prior. Two things keep the latents in use: annealing, where the divergence from the prior costs nothing at first; and
//! dropout of words, where some of the words that the decoder reads become the unknown word, so that it has to ask the latents. Perplexity is of the words of held-out
//! sentences, their ends among them; that by importance sampling is nearest to the truth, that by the bound is what is usually reported.
//!
//! # Source
//! Bowman, Vilnis, Vinyals, Dai, Jozefowicz & Bengio 2016, Generating sentences from a continuous space.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ndarray::s;
use ppl_core::amortized::RowBound;
use ppl_core::networks::{
    AtLength, Concatenate, Dense, EachStep, Embedding, Gru, NetworkError, Parameterized, Repeat, Sequential,
};
use ppl_core::prelude::*;
use ppl_core::random::{normals, step_key};
use ppl_examples::pictures::{Captions, curve};
use ppl_examples::sentences::{Corpus, END, UNKNOWN, lines, sentences};

model! {
    /// A sentence given a latent that every position reads beside the word before it (Bowman et al. 2016).
    pub SentenceVae(word: [in V; N, T], previous: [in V; N, T], length: [u64; N], decoder: net(Z + T => T * V), Z: usize, V: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let logits = decoder(z[n], previous[n]);
            for t in T {
                word[n, t] ~ Categorical(logits = logits[t]).mask(t < length[n]);
            }
        }
    }
}

guide! {
    /// The recognition network: a recurrent encoder, whose state at the end of the sentence says where its latent is.
    pub Encoder for SentenceVae(encoder: net(T + 1 => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(word[n], length[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

model! {
    /// The same decoder without a latent.
    pub LanguageModel(word: [in V; N, T], previous: [in V; N, T], length: [u64; N], decoder: net(T => T * V), V: usize) {
        for n in N {
            let logits = decoder(previous[n]);
            for t in T {
                word[n, t] ~ Categorical(logits = logits[t]).mask(t < length[n]);
            }
        }
    }
}

/// Learns a variational auto-encoder of sentences, and prints what it makes of them: perplexities, reconstructions, what is between two sentences, samples.
#[derive(Parser)]
struct Arguments {
    /// Where the texts and the curves are written.
    #[arg(long)]
    out: PathBuf,
    /// A file of one sentence a line; simple sentences of a grammar if none is given.
    #[arg(long)]
    text: Option<PathBuf>,
    /// How often every sentence is seen.
    #[arg(long, default_value_t = 25)]
    epochs: usize,
    /// Words that are told apart, the most frequent ones.
    #[arg(long, default_value_t = 2000)]
    vocabulary: usize,
    /// The most words of a sentence; longer ones are left out.
    #[arg(long, default_value_t = 14)]
    longest: usize,
    /// Latent dimensions.
    #[arg(long, default_value_t = 16)]
    latents: usize,
    /// The size of the state of encoder and decoder.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Steps in which the weight of the divergence rises to one; two thirds of all if not given.
    #[arg(long)]
    annealing: Option<usize>,
    /// The share of words that the decoder does not get to read while it learns.
    #[arg(long, default_value_t = 0.75, value_parser = share)]
    word_dropout: f64,
    /// Minutes after which each of the three fits ends.
    #[arg(long)]
    minutes: Option<f64>,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("it must be 0 to 1".to_owned()) }
}

type Outcome<T> = Result<T, ppl_examples::Failure>;

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Outcome<()> {
    let arguments = Arguments::parse();
    let text = match &arguments.text {
        Some(path) => lines(path)?,
        None => sentences(5000, 1),
    };
    let corpus = Corpus::new(&text, arguments.vocabulary, arguments.longest)?;
    std::fs::create_dir_all(&arguments.out)?;
    // The lines of a text may have an order: every so many is held out.
    let every = (corpus.len() / 500).max(2);
    let [train, test] = [false, true].map(|held| {
        let rows: Vec<usize> = (0..corpus.len()).filter(|row| row.is_multiple_of(every) == held).collect();
        corpus.rows(&rows)
    });
    println!(
        "{} sentences of at most {} words to learn from, {} held out; a vocabulary of {} words, such as {}",
        train.len(),
        corpus.words.ncols() - 1,
        test.len(),
        corpus.vocabulary.len(),
        corpus.vocabulary.iter().skip(2).take(8).map(String::as_str).collect::<Vec<_>>().join(", ")
    );
    let study = Study { arguments: &arguments, train, test };

    println!("\nthe decoder as a language model, without a latent");
    let language = study.language_model(&study.train)?;
    let alone = fit_amortized(&language, &(), study.config(KlWeight::One, 0.0)?)?;
    let log_likelihood = alone.log_likelihood(&study.language_model(&study.test)?, 1)?;
    println!("perplexity of held-out sentences {:.2}", study.perplexity(log_likelihood));

    let steps = arguments.epochs * study.train.len().div_ceil(BATCH);
    let annealing = KlWeight::Linear { from: 0.0, steps: arguments.annealing.unwrap_or(2 * steps / 3) };
    study.auto_encoder("the auto-encoder without annealing and dropout of words", "without", KlWeight::One, 0.0)?;
    study.auto_encoder("the auto-encoder with both", "with", annealing, arguments.word_dropout)
}

/// Sentences in a step.
const BATCH: usize = 64;
/// Features of a word.
const EMBEDDING: usize = 32;

struct Study<'a> {
    arguments: &'a Arguments,
    train: Corpus,
    test: Corpus,
}

impl Study<'_> {
    /// From a row of words to features of each.
    fn embedding(&self) -> Result<Embedding, NetworkError> {
        Embedding::new(self.train.vocabulary.len(), EMBEDDING, self.train.words.ncols())
    }

    /// From features at each position to the logits of the word there.
    fn predictor(&self, features: Sequential<f32>, size: usize) -> Result<Sequential<f32>, NetworkError> {
        let (hidden, steps) = (self.arguments.hidden, self.train.words.ncols());
        let word = Dense::new(hidden, self.train.vocabulary.len(), Activation::Identity)?;
        features.then(Gru::new(size, hidden, steps)?)?.then(EachStep::new(steps, Sequential::new(word))?)
    }

    fn language_model(&self, words: &Corpus) -> Outcome<LanguageModel> {
        let layers = self.predictor(Sequential::new(self.embedding()?), EMBEDDING)?;
        Ok(LanguageModel {
            word: words.words.clone(),
            previous: words.previous(),
            length: words.lengths.clone(),
            decoder: Parameterized::initialize(layers, self.arguments.seed),
            V: words.vocabulary.len(),
        })
    }

    /// The latent beside the word before, at every position.
    fn decoder(&self) -> Result<Parameterized<f32>, NetworkError> {
        let (latents, steps) = (self.arguments.latents, self.train.words.ncols());
        let latent = Sequential::new(Repeat::new(latents, steps)?);
        let both = Concatenate::new(steps, vec![latent, Sequential::new(self.embedding()?)])?;
        let layers = self.predictor(Sequential::new(both), latents + EMBEDDING)?;
        Ok(Parameterized::initialize(layers, self.arguments.seed))
    }

    fn encoder(&self) -> Result<Parameterized<f32>, NetworkError> {
        let (hidden, steps) = (self.arguments.hidden, self.train.words.ncols());
        let states = Sequential::new(self.embedding()?).then(Gru::new(EMBEDDING, hidden, steps)?)?;
        let last = Sequential::new(AtLength::new(steps, states)?);
        let layers = last.then(Dense::new(hidden, 2 * self.arguments.latents, Activation::Identity)?)?;
        Ok(Parameterized::initialize(layers, self.arguments.seed + 1))
    }

    fn model(&self, words: &Corpus) -> Outcome<SentenceVae> {
        Ok(SentenceVae {
            word: words.words.clone(),
            previous: words.previous(),
            length: words.lengths.clone(),
            decoder: self.decoder()?,
            Z: self.arguments.latents,
            V: words.vocabulary.len(),
        })
    }

    fn config(&self, kl_weight: KlWeight, word_dropout: f64) -> Outcome<Amortized> {
        let every = self.arguments.epochs.div_ceil(5);
        let report = move |epoch: &Epoch| {
            if (epoch.epoch + 1).is_multiple_of(every) {
                println!(
                    "epoch {:4}  reconstruction {:8.2}  divergence {:6.2} nats a sentence  {:5.1} s",
                    epoch.epoch + 1,
                    epoch.bound + epoch.divergence,
                    epoch.divergence,
                    epoch.elapsed.as_secs_f64()
                );
            }
            ControlFlow::Continue(())
        };
        Ok(Amortized {
            batch: BATCH,
            epochs: self.arguments.epochs,
            rate: 4e-3,
            schedule: Schedule::Cosine,
            largest_norm: Some(5.0),
            kl_weight,
            transforms: vec![Transform::replace("previous", word_dropout, UNKNOWN as f64)],
            seed: self.arguments.seed,
            max_time: self.arguments.minutes.map(|minutes| Duration::try_from_secs_f64(60.0 * minutes)).transpose()?,
            observer: Some(Box::new(report)),
            ..Amortized::default()
        })
    }

    /// By the log likelihoods of the held-out sentences.
    fn perplexity(&self, log_likelihood: impl IntoIterator<Item = f64>) -> f64 {
        (-log_likelihood.into_iter().sum::<f64>() / self.test.count() as f64).exp()
    }

    /// Fits the auto-encoder, and says what it makes of held-out sentences.
    fn auto_encoder(&self, title: &str, name: &str, kl_weight: KlWeight, word_dropout: f64) -> Outcome<()> {
        println!("\n{title}");
        let (model, unseen) = (self.model(&self.train)?, self.model(&self.test)?);
        let guide = Encoder { encoder: self.encoder()? };
        let fit = fit_amortized(&model, &guide, self.config(kl_weight, word_dropout)?)?;

        let bounds = fit.bounds(&unseen, 10)?;
        let mean = |of: fn(&RowBound) -> f64| bounds.iter().map(of).sum::<f64>() / bounds.len() as f64;
        let active: usize = fit.active_units(&unseen)?.iter().map(|(_, used)| used.iter().filter(|used| **used).count()).sum();
        println!(
            "held-out sentences: reconstruction {:.2}, divergence {:.2} nats a sentence; {active} of {} units active",
            mean(|row| row.reconstruction),
            mean(|row| row.divergence),
            self.arguments.latents
        );
        println!(
            "perplexity {:.2} by 100 importance samples, {:.2} by the bound",
            self.perplexity(fit.log_likelihood(&unseen, 100)?),
            self.perplexity(bounds.iter().map(|row| row.bound()))
        );
        let points = |of: fn(&Epoch) -> f64| fit.history().iter().map(|epoch| [epoch.epoch as f64 + 1.0, of(epoch)]).collect();
        let curves = [
            ("reconstruction", points(|epoch| -epoch.bound - epoch.divergence)),
            ("divergence", points(|epoch| epoch.divergence)),
        ];
        let captions = Captions { title: "The two parts of the bound, both as costs", x: "epoch", y: "nats a sentence" };
        curve(self.arguments.out.join(format!("{name}.png")), &curves, captions)?;

        let texts = self.texts(&fit, &unseen)?;
        print!("{texts}");
        std::fs::write(self.arguments.out.join(format!("{name}.txt")), texts)?;
        Ok(())
    }

    /// Reconstructions of held-out sentences, sentences between two, and sentences of the prior.
    fn texts(&self, fit: &AmortizedFit<'_, SentenceVae, Encoder>, unseen: &SentenceVae) -> Outcome<String> {
        let mut out = String::new();
        let located = fit.encode(unseen)?.remove(0).location.mapv(f64::from);
        let own = |row: usize| self.test.text(self.test.words.row(row).iter().copied());
        let shown = 6.min(self.test.len());

        let again = self.greedy(fit, &located.slice(s![..shown, ..]).to_owned())?;
        writeln!(out, "reconstructions")?;
        (0..shown).try_for_each(|row| writeln!(out, "  {}\n    {}", own(row), again[row]))?;

        for (from, to) in [(0, 1), (2, 3)].into_iter().filter(|(_, to)| *to < shown) {
            let steps = 7;
            let between = Array2::from_shape_fn((steps, located.ncols()), |(step, unit)| {
                let share = step as f64 / (steps - 1) as f64;
                located[[from, unit]] + share * (located[[to, unit]] - located[[from, unit]])
            });
            writeln!(out, "from \"{}\" to \"{}\"", own(from), own(to))?;
            self.greedy(fit, &between)?.iter().try_for_each(|sentence| writeln!(out, "  {sentence}"))?;
        }

        let mut noise = vec![0.0; 6 * located.ncols()];
        normals(step_key(self.arguments.seed, 1), noise.len(), &mut noise);
        writeln!(out, "samples from the prior")?;
        let samples = self.greedy(fit, &Array2::from_shape_vec((6, located.ncols()), noise)?)?;
        samples.iter().try_for_each(|sentence| writeln!(out, "  {sentence}"))?;
        Ok(out)
    }

    /// The sentence of each latent: at each position the word that is likeliest after those chosen before it.
    fn greedy(&self, fit: &AmortizedFit<'_, SentenceVae, Encoder>, latents: &Array2<f64>) -> Outcome<Vec<String>> {
        let (rows, steps) = (latents.nrows(), self.train.words.ncols());
        let chosen = Corpus {
            vocabulary: self.train.vocabulary.clone(),
            words: Array2::from_elem((rows, steps), END),
            lengths: vec![steps as u64; rows],
        };
        let mut model = self.model(&chosen)?;
        for step in 0..steps {
            let made = fit.decode_given(&model, &[("z", latents.clone())])?;
            let logits = made.shaped("logits").ok_or("the decoder gives logits")?;
            for (row, logits) in logits.slice(s![.., step, ..]).outer_iter().enumerate() {
                let known = logits.iter().enumerate().filter(|(word, _)| *word != UNKNOWN);
                let best = known.max_by(|a, b| a.1.total_cmp(b.1)).map_or(END, |(word, _)| word);
                model.word[[row, step]] = best;
                if step + 1 < steps {
                    model.previous[[row, step + 1]] = best;
                }
            }
        }
        Ok(model.word.outer_iter().map(|words| self.train.text(words.iter().copied())).collect())
    }
}
