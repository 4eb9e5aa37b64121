//! A mixture of normals four ways: `cargo run --release -p ppl-examples --bin mixture -- --out DIR`.

mod exact;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_examples::pictures::{Captions, components};

use exact::{Known, Problem};

model! {
    /// Bayesian mixture of normals of known scale (Blei, Kucukelbir & `McAuliffe` 2017, section 2.1): the component of each row is latent.
    pub Mixture(x: [f64; N, D], spread: f64, K: usize) {
        let w[K] = 1 / K;
        mu[K, D] ~ Normal(0, spread);
        for n in N {
            c[n] ~ Categorical(w);
            x[n, D] ~ Normal(mu[c[n]], 1);
        }
    }
}

model! {
    /// The same, the components summed out.
    pub SummedOut(x: [f64; N, D], spread: f64, K: usize) {
        let w[K] = 1 / K;
        mu[K, D] ~ Normal(0, spread);
        for n in N {
            sum k in K ~ Categorical(w) {
                x[n, D] ~ Normal(mu[k], 1);
            }
        }
    }
}

/// Draws points around some means and finds these again: by expectation maximization, by coordinate ascent and by stochastic variational inference, each written
/// for this model, and by the black box, which is given the model alone. All start from the same means.
#[derive(Parser)]
struct Arguments {
    /// Where the pictures are written, as PNG and SVG.
    #[arg(long)]
    out: PathBuf,
    /// The number of points.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    points: u32,
    /// The number of components.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=10))]
    components: u32,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The scale of the prior of the means, and of the means themselves.
const SPREAD: f64 = 4.0;

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)?;
    let (x, start) = data(arguments.points as usize, arguments.components as usize, arguments.seed);
    let problem = Problem { x: &x, spread: SPREAD };
    println!("{:<42} {:>12} {:>9}  largest distance of a mean", "", "nats", "seconds");
    let timed = |name: &str, run: &dyn Fn() -> Known| {
        let began = Instant::now();
        let known = run();
        let name = format!("{name}, {} passes", known.passes);
        (name, began.elapsed().as_secs_f64(), known)
    };
    let exact = [
        timed("expectation maximization", &|| problem.expectation_maximization(&start)),
        timed("coordinate ascent", &|| problem.coordinate_ascent(&start)),
        timed("stochastic variational inference", &|| problem.stochastic(&start, 1000)),
    ];
    let reference = exact[1].2.means.clone();
    for (name, seconds, known) in &exact {
        line(name, known.value, *seconds, distance(&known.means, &reference));
    }
    let config =
        || Bbvi { seed: arguments.seed, initial: vec![("mu".to_owned(), start.iter().copied().collect())], ..Bbvi::default() };
    let model = Mixture { x: x.clone(), spread: SPREAD, K: start.nrows() };
    let fit = fit_bbvi(&model, config())?;
    let means = found(&fit, start.dim());
    line("black box, components latent", fit.elbo().0, fit.elapsed().as_secs_f64(), distance(&means, &reference));
    let summed = SummedOut { x: x.clone(), spread: SPREAD, K: start.nrows() };
    let marginal = fit_bbvi(&summed, config())?;
    let of_marginal = found(&marginal, start.dim());
    line(
        "black box, components summed out",
        marginal.elbo().0,
        marginal.elapsed().as_secs_f64(),
        distance(&of_marginal, &reference),
    );

    let probabilities = fit.responsibilities(&model, "c")?;
    let rows: Vec<Vec<f64>> = probabilities.outer_iter().map(|row| row.iter().copied().collect()).collect();
    let points: Vec<[f64; 2]> = x.rows().into_iter().map(|row| [row[0], row[1]]).collect();
    let circles: Vec<Vec<[f64; 2]>> = means.rows().into_iter().map(|mean| circle([mean[0], mean[1]])).collect();
    for ending in ["png", "svg"] {
        let path = arguments.out.join(format!("mixture.{ending}"));
        components(&path, &points, &rows, &circles, Captions { title: "A mixture of normals", x: "x[n, 0]", y: "x[n, 1]" })?;
        println!("written: {}", path.display());
    }
    Ok(())
}

fn line(name: &str, value: f64, seconds: f64, distance: f64) {
    println!("{name:<42} {value:>12.4} {seconds:>9.4}  {distance:.5}");
}

/// Points around means that are drawn, and the means that all methods start from: points that lie apart from each other.
fn data(points: usize, values: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let normal = |key: u64, at: usize| normal_quantile(uniform(100 * seed + key, at as u64));
    let means = Array2::from_shape_fn((values, 2), |(k, d)| SPREAD * normal(1, 2 * k + d));
    let x = Array2::from_shape_fn((points, 2), |(n, d)| means[[n % values, d]] + normal(2, 2 * n + d));
    let apart = |a: usize, b: usize| (0..2).map(|d| (x[[a, d]] - x[[b, d]]).powi(2)).sum::<f64>();
    let mut chosen = vec![0];
    while chosen.len() < values {
        let nearest = |n: usize| chosen.iter().map(|&c| apart(n, c)).fold(f64::INFINITY, f64::min);
        let farthest = (0..points).max_by(|&a, &b| nearest(a).total_cmp(&nearest(b))).unwrap_or(0);
        chosen.push(farthest);
    }
    let start = x.select(ndarray::Axis(0), &chosen);
    (x, start)
}

/// The means of a fit.
fn found<M: Model>(fit: &Fit<M>, shape: (usize, usize)) -> Array2<f64> {
    Array2::from_shape_fn(shape, |(k, d)| fit.scalar(&format!("mu[{k}, {d}]")).map_or(f64::NAN, |scalar| scalar.mean))
}

/// The largest distance of a mean from the nearest one of others: components have no order.
fn distance(means: &Array2<f64>, others: &Array2<f64>) -> f64 {
    let nearest = |mean: ndarray::ArrayView1<'_, f64>| {
        let distances = others.rows().into_iter().map(|other| (&mean - &other).mapv(|x| x * x).sum().sqrt());
        distances.fold(f64::INFINITY, f64::min)
    };
    means.rows().into_iter().map(nearest).fold(0.0, f64::max)
}

/// What holds 95 % of the points of a component.
fn circle([x, y]: [f64; 2]) -> Vec<[f64; 2]> {
    let radius = (-2.0 * 0.05_f64.ln()).sqrt();
    let angle = |i: u32| f64::from(i) * std::f64::consts::TAU / 90.0;
    (0..=90).map(|i| [x + radius * angle(i).cos(), y + radius * angle(i).sin()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_black_box_ends_where_coordinate_ascent_does() {
        for (points, allowed) in [(500, 0.1), (2000, 0.02)] {
            let (x, start) = data(points, 3, 1);
            let exact = Problem { x: &x, spread: SPREAD }.coordinate_ascent(&start);
            let model = Mixture { x: x.clone(), spread: SPREAD, K: 3 };
            let config = Bbvi { initial: vec![("mu".to_owned(), start.iter().copied().collect())], ..Bbvi::default() };
            let fit = fit_bbvi(&model, config).expect("a fit");
            let (elbo, error) = fit.elbo();
            assert!((elbo - exact.value).abs() < allowed + 3.0 * error, "{elbo} +- {error} and {}", exact.value);
            for ((k, d), mean) in exact.means.indexed_iter() {
                let (own, sd) = (fit.scalar(&format!("mu[{k}, {d}]")).expect("a mean"), exact.variances[k].sqrt());
                assert!((own.mean - mean).abs() < 0.02 * sd, "mu[{k}, {d}]: {} and {mean}", own.mean);
                assert!((own.sd / sd - 1.0).abs() < 0.03, "mu[{k}, {d}]: sd {} and {sd}", own.sd);
            }
            let found = fit.responsibilities(&model, "c").expect("probabilities");
            found
                .iter()
                .zip(&exact.probabilities)
                .for_each(|(own, exact)| assert!((own - exact).abs() < 1e-3, "{own} and {exact}"));
        }
    }

    #[test]
    fn four_ways_find_the_same_means() {
        let (x, start) = data(400, 3, 1);
        let problem = Problem { x: &x, spread: SPREAD };
        let exact = problem.coordinate_ascent(&start);
        let point = problem.expectation_maximization(&start);
        let stochastic = problem.stochastic(&start, 2000);
        // A standard deviation of a mean is 0.09.
        assert!(distance(&point.means, &exact.means) < 0.02, "{}", distance(&point.means, &exact.means));
        assert!(distance(&stochastic.means, &exact.means) < 0.05, "{}", distance(&stochastic.means, &exact.means));
        assert!(stochastic.value < exact.value + 1e-9 && stochastic.value > exact.value - 2.0, "{}", stochastic.value);
        let config = || Bbvi { initial: vec![("mu".to_owned(), start.iter().copied().collect())], ..Bbvi::default() };
        let fit = fit_bbvi(&Mixture { x: x.clone(), spread: SPREAD, K: 3 }, config()).expect("a fit");
        assert!((fit.elbo().0 - exact.value).abs() < 0.1 + 3.0 * fit.elbo().1, "{:?} and {}", fit.elbo(), exact.value);
        assert!(distance(&found(&fit, (3, 2)), &exact.means) < 0.002);
        // What is summed out costs nothing of the bound.
        let summed = fit_bbvi(&SummedOut { x, spread: SPREAD, K: 3 }, config()).expect("a fit");
        assert!(summed.elbo().0 > exact.value - 0.01, "{:?} and {}", summed.elbo(), exact.value);
    }
}
