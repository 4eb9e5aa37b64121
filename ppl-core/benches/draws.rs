//! The speed of draws beside those of `rand_distr`: `cargo bench -p ppl-core --bench draws [-- name ..]`.
//!
//! Ours take their parameters with each draw, and the generator behind `dyn Rng`. Those of `rand_distr` are of an object that is prepared once, of one that is
//! constructed for each draw, and of one for each draw with the generator behind `dyn Rng` too.
#![allow(missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of trials")]

use std::hint::black_box;
use std::time::Instant;

use ppl_core::distributions::{
    BernoulliProb, Beta, BinomialProb, Cauchy, ChiSquared, Exponential, FisherSnedecor, Frechet, Gamma, Geometric, Gumbel,
    LogNormal, Normal, PoissonRate, SkewNormal, StudentT, Triangular, Uniform, Univariate as _, Weibull,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng as _};
use rand_distr::Distribution as _;

const N: usize = 20_000;

type Draws = Box<dyn Fn(&mut StdRng)>;

/// A distribution with parameters a line, and how `rand_distr` makes it of them.
macro_rules! draws {
    ($($ours:ident: $params:expr, |$names:pat_param| $theirs:expr;)*) => {
        vec![$({
            let make = maker(&$params, |$names| $theirs.expect("the parameters are fine"));
            let draws: [Draws; 4] = [
                Box::new(move |rng| many(|| { black_box($ours::sample(black_box($params), black_box::<&mut dyn Rng>(rng))); })),
                Box::new(move |rng| { let prepared = black_box(make($params)); many(|| { black_box(prepared.sample(rng)); }) }),
                Box::new(move |rng| many(|| { black_box(make(black_box($params)).sample(rng)); })),
                Box::new(move |rng| many(|| { black_box(make(black_box($params)).sample(black_box::<&mut dyn Rng>(rng))); })),
            ];
            Row { name: stringify!($ours), params: format!("{:?}", $params), draws, best: [f64::INFINITY; 4] }
        }),*]
    };
}

fn rows() -> Vec<Row> {
    draws! {
        BernoulliProb: [0.3], |[p]| rand_distr::Bernoulli::new(p);
        Beta: [2.0, 3.0], |[a, b]| rand_distr::Beta::new(a, b);
        Beta: [0.5, 0.7], |[a, b]| rand_distr::Beta::new(a, b);
        BinomialProb: [10.0, 0.3], |[n, p]| rand_distr::Binomial::new(n as u64, p);
        BinomialProb: [1000.0, 0.3], |[n, p]| rand_distr::Binomial::new(n as u64, p);
        Cauchy: [0.5, 1.3], |[loc, scale]| rand_distr::Cauchy::new(loc, scale);
        ChiSquared: [1.0], |[df]| rand_distr::ChiSquared::new(df);
        ChiSquared: [5.0], |[df]| rand_distr::ChiSquared::new(df);
        Exponential: [1.3], |[rate]| rand_distr::Exp::new(rate);
        FisherSnedecor: [5.0, 7.0], |[a, b]| rand_distr::FisherF::new(a, b);
        Frechet: [2.5, 1.3], |[shape, scale]| rand_distr::Frechet::new(0.0, scale, shape);
        Gamma: [0.5, 1.3], |[shape, rate]| rand_distr::Gamma::new(shape, 1.0 / rate);
        Gamma: [2.5, 1.3], |[shape, rate]| rand_distr::Gamma::new(shape, 1.0 / rate);
        Geometric: [0.02], |[p]| rand_distr::Geometric::new(p);
        Geometric: [0.4], |[p]| rand_distr::Geometric::new(p);
        Geometric: [0.8], |[p]| rand_distr::Geometric::new(p);
        Gumbel: [0.5, 1.3], |[loc, scale]| rand_distr::Gumbel::new(loc, scale);
        LogNormal: [0.5, 1.3], |[loc, scale]| rand_distr::LogNormal::new(loc, scale);
        Normal: [0.5, 1.3], |[loc, scale]| rand_distr::Normal::new(loc, scale);
        PoissonRate: [3.0], |[rate]| rand_distr::Poisson::new(rate);
        PoissonRate: [50.0], |[rate]| rand_distr::Poisson::new(rate);
        SkewNormal: [0.5, 1.3, 2.0], |[loc, scale, shape]| rand_distr::SkewNormal::new(loc, scale, shape);
        StudentT: [4.0, 0.0, 1.0], |[df, _, _]| rand_distr::StudentT::new(df);
        Triangular: [-1.0, 2.0, 0.3], |[lower, upper, peak]| rand_distr::Triangular::new(lower, upper, peak);
        Uniform: [-1.0, 2.0], |[lower, upper]| rand_distr::Uniform::new(lower, upper);
        Weibull: [2.5, 1.3], |[shape, scale]| rand_distr::Weibull::new(scale, shape);
    }
}

/// A function of such parameters.
fn maker<const P: usize, D, F: Fn([f64; P]) -> D + Copy>(_: &[f64; P], make: F) -> F {
    make
}

#[inline(always)]
fn many(mut draw: impl FnMut()) {
    for _ in 0..N {
        draw();
    }
}

/// A distribution of the table.
struct Row {
    name: &'static str,
    params: String,
    draws: [Draws; 4],
    best: [f64; 4],
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without `--bench` it is run as a test.
    let rounds = if arguments.iter().any(|argument| argument == "--bench") { 40 } else { 1 };
    let mut rows = rows();
    let names: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-')).collect();
    rows.retain(|row| names.is_empty() || names.contains(&row.name));
    for round in 0..rounds {
        for row in &mut rows {
            for (draws, best) in row.draws.iter().zip(&mut row.best) {
                let mut rng = StdRng::seed_from_u64(round);
                let start = Instant::now();
                draws(black_box(&mut rng));
                *best = best.min(start.elapsed().as_nanos() as f64 / N as f64);
            }
        }
    }
    println!("Nanoseconds a draw; ratios of ours to an object for each draw, and to one with the generator behind `dyn Rng` too");
    println!(
        "{:36} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "distribution", "ours", "prepared", "per draw", "and dyn", "ratio", "and dyn"
    );
    for Row { name, params, best: [ours, prepared, per_draw, behind], .. } in &rows {
        println!(
            "{:36} {ours:8.2} {prepared:8.2} {per_draw:8.2} {behind:8.2} {:8.2} {:8.2}",
            format!("{name} {params}"),
            ours / per_draw,
            ours / behind
        );
    }
}
