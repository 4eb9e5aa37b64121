//! The variance of every estimator of the gradient, on the same models, at the same points, with the same number of samples.

use std::process::ExitCode;

use clap::Parser;
use ppl_core::estimators::{GradientEstimator, Mixed, Reparameterization};
use ppl_core::guides::{Guide, MeanField};
use ppl_core::optimizers::Curvature;
use ppl_core::prelude::*;
use ppl_core::random::{step_key, uniform};

model! {
    /// A normal mean with a known scale: conjugate.
    pub(crate) ConjugateNormal(y: [f64; N]) {
        mu ~ Normal(0, 10);
        for n in N {
            y[n] ~ Normal(mu, 1);
        }
    }
}

model! {
    /// Logistic regression.
    pub(crate) LogisticRegression(x: [f64; N, K], y: [bool; N]) {
        beta[K] ~ Normal(0, 2);
        for n in N {
            y[n] ~ Bernoulli(logit = dot(x[n], beta));
        }
    }
}

model! {
    /// Counts whose rates are gamma distributed.
    pub(crate) PoissonGamma(y: [u64; N, M]) {
        rate ~ Exponential(1);
        for n in N {
            lambda[n] ~ Gamma(2, rate);
            for m in M {
                y[n, m] ~ Poisson(lambda[n]);
            }
        }
    }
}

model! {
    /// A hundred groups of five.
    pub(crate) HundredGroups(y: [f64; G, M]) {
        mu ~ Normal(0, 5);
        tau ~ HalfNormal(2);
        for g in G {
            theta[g] ~ Normal(mu, tau);
            for m in M {
                y[g, m] ~ Normal(theta[g], 1);
            }
        }
    }
}

/// Prints the variance of every estimator of the gradient of the ELBO under a mean-field guide of 16 samples, the sum over all parameters, in multiples of
/// that of the reparameterization gradient; at the start of a fit (location 0, standard deviation 1) and at its end.
#[derive(Parser)]
struct Arguments {
    /// Gradients that the variance is measured over.
    #[arg(long, default_value_t = 4000)]
    steps: u64,
    /// Samples of each gradient.
    #[arg(long, default_value_t = 16)]
    samples: usize,
}

fn main() -> ExitCode {
    ppl_examples::end(run())
}

fn run() -> Result<(), ppl_examples::Failure> {
    let arguments = Arguments::parse();
    let normal = |i: usize| (-2.0 * uniform(1, i as u64).ln()).sqrt() * (std::f64::consts::TAU * uniform(2, i as u64)).cos();
    let x = Array2::from_shape_fn((200, 5), |(n, k)| normal(5 * n + k));
    let logit = |n: usize| x.row(n).iter().zip([1.0, -0.5, 0.3, 0.0, 2.0]).map(|(x, b)| x * b).sum::<f64>();
    let y = (0..200).map(|n| uniform(3, n as u64) < 1.0 / (1.0 + (-logit(n)).exp())).collect();
    let counts = Array2::from_shape_fn((20, 5), |(n, m)| {
        [0.2, 0.4, 0.6, 0.8].iter().filter(|&&t| f64::midpoint(uniform(4, n as u64), uniform(5, (5 * n + m) as u64)) > t).count()
            as u64
    });
    let groups = Array2::from_shape_fn((100, 5), |(g, m)| 1.0 + normal(g) + normal(1000 + 5 * g + m));

    let columns = [
        column("conjugate normal", &ConjugateNormal { y: (0..50).map(|n| 1.5 + normal(n)).collect() }, &arguments)?,
        column("logistic", &LogisticRegression { x, y }, &arguments)?,
        column("Poisson-gamma", &PoissonGamma { y: counts }, &arguments)?,
        column("100 groups", &HundredGroups { y: groups }, &arguments)?,
    ]
    .concat();
    print!("| estimator |");
    columns.iter().for_each(|column| print!(" {} |", column.title));
    println!("\n|---|{}", "---:|".repeat(columns.len()));
    for (i, (name, _)) in kinds().iter().enumerate() {
        print!("| {name} |");
        columns.iter().for_each(|column| print!(" {} |", figure(column.variances[i] / column.variances[0])));
        println!();
    }
    print!("| variance of the first |");
    columns.iter().for_each(|column| print!(" {:.2e} |", column.variances[0]));
    println!();
    Ok(())
}

/// What each row of the table is: the default of a mean-field fit by stochastic steps is none of [`Mixed`].
fn kinds() -> Vec<(&'static str, Option<Estimator>)> {
    let score = |rao_blackwell, baseline| Some(Estimator::ScoreFunction { rao_blackwell, baseline });
    vec![
        ("reparameterization", Some(Estimator::Reparameterization)),
        ("sticking the landing", Some(Estimator::StickingTheLanding)),
        ("reparameterization, antithetic, linear control variate", None),
        ("score function", score(RaoBlackwell::Off, Baseline::None)),
        ("score function, optimal baseline", score(RaoBlackwell::Off, Baseline::Optimal)),
        ("score function, leave-one-out", score(RaoBlackwell::Off, Baseline::LeaveOneOut)),
        ("score function, Rao-Blackwell", score(RaoBlackwell::On, Baseline::None)),
        ("score function, Rao-Blackwell, optimal baseline", score(RaoBlackwell::On, Baseline::Optimal)),
        ("score function, Rao-Blackwell, leave-one-out", score(RaoBlackwell::On, Baseline::LeaveOneOut)),
        ("score function, Rao-Blackwell where measured to pay, leave-one-out", Some(Estimator::SCORE_FUNCTION)),
    ]
}

#[derive(Clone)]
struct Column {
    title: String,
    variances: Vec<f64>,
}

/// The variances at the start and at the end of a fit.
fn column<M: Model<Element = f64>>(name: &str, model: &M, arguments: &Arguments) -> Result<Vec<Column>, ppl_examples::Failure> {
    let bound = model.bind()?;
    let n = bound.layout().unconstrained();
    let start = MeanField::new(&vec![0.0; n], &vec![0.0; n]);
    let fit = fit_guide(model, &start, Bbvi::default())?;
    let (loc, log_scale) = fit.guide().guide::<f64>().parameters().split_at(n);
    let end = MeanField::new(loc, log_scale);
    Ok([("start", start), ("end", end)]
        .into_iter()
        .map(|(when, guide)| Column {
            title: format!("{name}, {when}"),
            variances: kinds().into_iter().map(|(_, kind)| variance(&*bound, &guide, kind, arguments)).collect(),
        })
        .collect())
}

/// The variance of a gradient, summed over parameters.
fn variance(model: &dyn LogJoint<f64>, guide: &MeanField, kind: Option<Estimator>, arguments: &Arguments) -> f64 {
    let parameters = Guide::<f64>::parameters(guide).len();
    let mut estimator: Box<dyn GradientEstimator<f64>> = match kind {
        Some(kind) => Box::new(Mixed::new(model, guide, arguments.samples, &vec![kind; guide.loc().len()])),
        None => Box::new(Reparameterization::new(model, arguments.samples, curvature(model, guide.loc()).matrix.as_deref())),
    };
    let (mut gradient, mut mean, mut square) = (vec![0.0; parameters], vec![0.0; parameters], vec![0.0; parameters]);
    for step in 0..arguments.steps {
        estimator.estimate(model, guide, step_key(0, step), &mut gradient);
        for (i, g) in gradient.iter().enumerate() {
            mean[i] += g / arguments.steps as f64;
            square[i] += g * g / arguments.steps as f64;
        }
    }
    square.iter().zip(&mean).map(|(square, mean)| square - mean * mean).sum()
}

/// The curvature of the log density at a point.
fn curvature(model: &dyn LogJoint<f64>, center: &[f64]) -> Curvature {
    let samples = 8;
    let (mut work, weights, mut value) = (model.workspace(samples), model.unit_weights(samples), vec![0.0; samples]);
    let mut gradient = |point: &Vec<f64>| -> Vec<f64> {
        work.u_mut().chunks_exact_mut(samples).zip(point).for_each(|(row, x)| row.fill(*x));
        model.log_density(&mut work, &weights, &mut value);
        work.gradient().iter().step_by(samples).copied().collect()
    };
    Curvature::at(center, 0, 6e-6, |points| points.iter().map(&mut gradient).collect())
}

/// A ratio, in as many digits as say something.
fn figure(ratio: f64) -> String {
    match ratio {
        r if r < 1e-3 => "0".to_owned(),
        r if r < 0.1 => format!("{r:.3}"),
        r if r < 10.0 => format!("{r:.2}"),
        r => format!("{r:.0}"),
    }
}
