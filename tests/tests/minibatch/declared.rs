//! Guides written by `guide!`, taken in batches: amortized, structured, and with parameters for each element.

use ppl_core::estimators::{Batched, Estimator, GradientEstimator, Mixed};
use ppl_core::guides::{Guide, GuideOf};
use ppl_core::model::LogJoint;
use ppl_core::prelude::*;
use ppl_core::random::uniform;

use crate::Outcome;

model! {
    /// Measurements of numbers around a mean.
    pub Measured(x: [f64; N], J: usize) {
        mu ~ Normal(0, 2);
        other[J] ~ Normal(0, 1);
        for n in N {
            z[n] ~ Normal(mu, 1);
            x[n] ~ Normal(z[n], 0.5);
        }
    }
}

guide! {
    /// Of the same family as the posterior: a number given its measurement and the mean.
    pub Amortized for Measured() {
        param m: real = 0;
        param s: positive = 1;
        param a: real = 0;
        param b: real = 0;
        param w: positive = 1;
        mu ~ Normal(m, s);
        auto other;
        for n in N {
            z[n] ~ Normal(a * x[n] + b * mu, w);
        }
    }
}

guide! {
    /// Each number with parameters of its own.
    pub Apart for Measured() {
        param m: real = 0;
        param s: positive = 1;
        param at[N]: real = 0;
        param slope: real = 0;
        param w[N]: positive = 1;
        auto other;
        mu ~ Normal(m, s);
        for n in N {
            z[n] ~ Normal(at[n] + slope * mu, w[n]);
        }
    }
}

guide! {
    /// The numbers are left.
    pub Left for Measured() {
        param m: real = 0;
        mu ~ Normal(m, 1);
        auto other, z;
    }
}

fn measured(count: usize) -> Measured {
    let normal =
        |i: usize| (-2.0 * uniform(3, 2 * i as u64).ln()).sqrt() * (std::f64::consts::TAU * uniform(3, 2 * i as u64 + 1)).cos();
    Measured { x: (0..count).map(|n| 1.5 + 1.25_f64.sqrt() * normal(n)).collect(), J: 2 }
}

/// The log evidence: the measurements are normal around the mean, of variance 1.25.
fn evidence(x: &[f64]) -> f64 {
    let (n, v, prior) = (x.len() as f64, 1.25, 4.0);
    let (sum, squares) = (x.iter().sum::<f64>(), x.iter().map(|x| x * x).sum::<f64>());
    let precision = 1.0 / prior + n / v;
    let quadratic = squares / v - (sum / v).powi(2) / precision;
    -0.5 * (n * (std::f64::consts::TAU * v).ln() + (prior * precision).ln() + quadratic)
}

#[test]
fn an_amortized_structured_guide_comes_to_the_evidence_by_batches() -> Outcome {
    let model = measured(600);
    let config = Bbvi { minibatch: Some(Minibatch::of("N", 60)), max_steps: 6000, ..Bbvi::default() };
    let fit = fit_guide(&model, &Amortized, config)?;
    eprintln!("{} beside {}", fit.summary(), evidence(&model.x));
    // Given the mean and the measurement, a number is normal around 0.8 x + 0.2 mu, of variance 0.2.
    for (name, exact) in [("a", 0.8), ("b", 0.2), ("w", 0.2_f64.sqrt())] {
        assert!((fit.guide_param(name).ok_or(name)? - exact).abs() < 0.02, "{name}: {:?}", fit.guide_param(name));
    }
    assert!((fit.elbo().0 - evidence(&model.x)).abs() < 0.3 + 3.0 * fit.elbo().1);
    let again = Bbvi { minibatch: Some(Minibatch::of("N", 60)), max_steps: 6000, ..Bbvi::default() };
    assert_eq!(fit_guide(&model, &Amortized, again)?.elbo(), fit.elbo(), "the same seed gives the same bits");
    Ok(())
}

#[test]
fn elements_with_parameters_of_their_own_come_to_the_evidence_by_batches() -> Outcome {
    let model = measured(400);
    let config = Bbvi { minibatch: Some(Minibatch::of("N", 20)), max_steps: 20_000, ..Bbvi::default() };
    let fit = fit_guide(&model, &Apart, config)?;
    eprintln!("{} beside {}", fit.summary(), evidence(&model.x));
    for n in [0, 7, 150, 399] {
        let at = fit.guide_param(&format!("at[{n}]")).ok_or("a parameter")?;
        assert!((at - 0.8 * model.x[n]).abs() < 0.05, "{at} {}", model.x[n]);
    }
    assert!((fit.elbo().0 - evidence(&model.x)).abs() < 0.5 + 3.0 * fit.elbo().1);
    Ok(())
}

#[test]
fn the_gradient_over_batches_has_the_expectation_of_the_whole_one() -> Outcome {
    let model = measured(12);
    let bound = model.bind()?;
    for guide in [Amortized.bind_guide(&model, bound.layout())?, Apart.bind_guide(&model, bound.layout())?] {
        let mut guide = guide;
        let parameters = guide.guide_mut::<f64>().parameters_mut();
        parameters.iter_mut().enumerate().for_each(|(i, x)| *x += 0.3 * uniform(9, i as u64) - 0.1);
        let guide = guide.guide::<f64>();
        for estimator in [Estimator::Reparameterization, Estimator::StickingTheLanding, Estimator::SCORE_FUNCTION] {
            check_expectation(&*bound, guide, estimator, (4, 3000))?;
        }
    }
    Ok(())
}

model! {
    /// Vectors, shares and walks of each element.
    pub Pairs(x: [f64; N], K: usize) {
        mu ~ Normal(0, 2);
        for n in N {
            share[n] ~ Uniform(0, 2);
            z[n] ~ Normal(mu, 1);
            v[n, K] ~ Normal(mu, 1);
            walk[n, K] ~ Normal(0, 1);
            cut[n, K] ~ Ordered(Normal(0, 1));
            x[n] ~ Normal(z[n] * share[n] + v[n, 0] + walk[n, 1] + cut[n, 0], 0.5);
        }
    }
}

guide! {
    /// Of all kinds, with parameters of all elements and of each.
    pub OfPairs for Pairs() {
        param m: real = 0.2;
        param s: positive = 0.8;
        param a[K]: real = 0.3;
        param w[K]: simplex = 0.5;
        param l[K, K]: covariance_cholesky = 0.7;
        param own[N]: real = 0.1;
        mu ~ Normal(m, s);
        for n in N {
            share[n] ~ Truncated(Normal(0.5 + m * x[n], s), lower = 0, upper = 2);
            z[n] ~ Mixture(w, k in K => Normal(a[k] * x[n] + 0.3 * mu, s));
            v[n, K] ~ MultivariateStudentT(4 + s, a, l);
            walk[n, K] ~ GaussianRandomWalk(s * exp(0.1 * z[n]));
            cut[n, K] ~ Ordered(Normal(own[n], s));
        }
    }
}

#[test]
fn vectors_mixtures_and_intervals_are_taken_in_batches() -> Outcome {
    let model = Pairs { x: measured(8).x, K: 2 };
    let bound = model.bind()?;
    let guide = OfPairs.bind_guide(&model, bound.layout())?;
    check_expectation(&*bound, guide.guide::<f64>(), Estimator::StickingTheLanding, (4, 400))
}

/// That the gradient over batches of so many elements has the expectation of that over all, by so many of each.
fn check_expectation(
    bound: &dyn LogJoint<f64>,
    guide: &dyn Guide<f64>,
    estimator: Estimator,
    (rows, count): (usize, u32),
) -> Outcome {
    let batches = bound.batches(bound.graph().plate("N")?, rows, 1);
    let mut of_batches = Batched::new(batches, 64, &vec![estimator; bound.layout().unconstrained()]);
    let of_block = |block| if guide.has_path(block) { estimator } else { Estimator::SCORE_FUNCTION };
    let off = Estimator::ScoreFunction { rao_blackwell: RaoBlackwell::Off, baseline: Baseline::LeaveOneOut };
    let whole = |block| {
        if guide.is_last(block) {
            of_block(block)
        } else if guide.has_path(block) {
            estimator
        } else {
            off
        }
    };
    let mut whole = Mixed::new(bound, guide, 64, &(0..guide.blocks().len()).map(whole).collect::<Vec<_>>());
    let parameters = guide.parameters().len();
    let mut moments = vec![[[0.0; 2]; 2]; parameters];
    let mut gradient = vec![0.0; parameters];
    let mut add = |of: usize, gradient: &[f64]| {
        for (moments, g) in moments.iter_mut().zip(gradient) {
            moments[of][0] += g / f64::from(count);
            moments[of][1] += g * g / f64::from(count);
        }
    };
    for key in 0..count {
        of_batches.estimate(bound, guide, key.into(), &mut gradient);
        add(0, &gradient);
        whole.estimate(bound, guide, u64::from(key) + 1_000_000, &mut gradient);
        add(1, &gradient);
    }
    for (i, [a, b]) in moments.iter().enumerate() {
        let variance = |[mean, square]: &[f64; 2]| (square - mean * mean).max(0.0) / f64::from(count);
        let error = (variance(a) + variance(b)).sqrt();
        assert!((a[0] - b[0]).abs() < 4.5 * error + 1e-9, "{estimator:?}, parameter {i}: {} {} +- {error}", a[0], b[0]);
    }
    Ok(())
}

model! {
    /// Classes of schools, with pupils.
    pub Schools(school: [in S; C], class: [in C; N], y: [f64; N]) {
        mu ~ Normal(0, 2);
        for s in S {
            a[s] ~ Normal(mu, 1);
        }
        for c in C {
            b[c] ~ Normal(a[school[c]], 0.5);
        }
        for n in N {
            y[n] ~ Normal(b[class[n]], 1);
        }
    }
}

guide! {
    /// Classes that follow their schools.
    pub Following for Schools() {
        param m: real = 0;
        param v: positive = 1;
        param at[S]: real = 0;
        param of_a[S]: positive = 1;
        param b_at[C]: real = 0;
        param slope: real = 0;
        param of_b[C]: positive = 1;
        mu ~ Normal(m, v);
        for s in S {
            a[s] ~ Normal(at[s], of_a[s]);
        }
        for c in C {
            b[c] ~ Normal(b_at[c] + slope * a[school[c]], of_b[c]);
        }
    }
}

guide! {
    /// Classes that follow another school than in the model.
    pub Other for Schools(other: [in S; C]) {
        param at[S]: real = 0;
        param m: real = 0;
        mu ~ Normal(m, 1);
        for s in S {
            a[s] ~ Normal(at[s], 1);
        }
        for c in C {
            b[c] ~ Normal(a[other[c]], 1);
        }
    }
}

fn schools() -> Schools {
    let school: Vec<usize> = (0..60).map(|c| (7 * c) % 20).collect();
    let class: Vec<usize> = (0..300).map(|n| (11 * n) % 60).collect();
    let y = class.iter().enumerate().map(|(n, &c)| 1.0 + 0.1 * school[c] as f64 + uniform(5, n as u64) - 0.5).collect();
    Schools { school: school.into(), class: class.into(), y }
}

#[test]
fn what_goes_with_the_plate_goes_with_its_guide() -> Outcome {
    let model = schools();
    let whole = fit_guide(&model, &Following, Bbvi::default())?;
    let config = Bbvi { minibatch: Some(Minibatch::of("S", 5)), max_steps: 20_000, ..Bbvi::default() };
    let fit = fit_guide(&model, &Following, config)?;
    eprintln!("{} {}", fit.summary(), whole.summary());
    assert!(fit.elbo().0 > whole.elbo().0 - 0.5, "{:?} {:?}", fit.elbo(), whole.elbo());
    Ok(())
}

#[test]
fn guides_that_cannot_be_taken_apart_are_refused() -> Outcome {
    let batch = |plate: &str| Bbvi { minibatch: Some(Minibatch::of(plate, 5)), ..Bbvi::default() };
    let error = fit_guide(&measured(20), &Left, batch("N")).err().ok_or("an error")?.to_string();
    assert_eq!(
        error,
        "latents are over `N`, and guide `Left` cannot be taken in batches of it: `z` is left to the automatic guide, whose parameters belong to all elements; \
         give it a statement, such as `z[..] ~ Normal(m[..], s[..]);` with parameters over `N` or made of data"
    );
    let model = schools();
    let other = Other { other: (0..60).map(|c| (7 * c + 1) % 20).collect::<Vec<usize>>().into() };
    let error = fit_guide(&model, &other, batch("S")).err().ok_or("an error")?.to_string();
    assert_eq!(
        error,
        "latents are over `S`, and guide `Other` cannot be taken in batches of it: its statements over `C` read what is over `S` through `other`, \
         those of the model do not"
    );
    Ok(())
}

model! {
    /// Two kinds of measurements, at a place that is to be found.
    pub Kinds(x: [f64; N]) {
        place ~ Normal(0, 2);
        for n in N {
            k[n] ~ Bernoulli(0.3) sampled;
            z[n] ~ Normal(0.5 * k[n], 1);
            x[n] ~ Normal(place + 3 * k[n] + z[n], 0.5);
        }
    }
}

guide! {
    /// The kind of a measurement by its value, and what depends on it.
    pub OfKinds for Kinds() {
        param a: real = 0;
        param b: real = 0;
        param m: real = 0;
        param s: positive = 1;
        param by_kind: real = 0;
        param slope: real = 0;
        param w: positive = 1;
        place ~ Normal(m, s);
        for n in N {
            k[n] ~ Bernoulli(logit = a + b * x[n]);
            z[n] ~ Normal(slope * (x[n] - place) + by_kind * k[n], w);
        }
    }
}

guide! {
    /// The kind alone, of which nothing else is drawn.
    pub Last for Kinds() {
        param a: real = 0;
        param b: real = 0;
        param m: real = 0;
        param s: positive = 1;
        param slope: real = 0;
        param w: positive = 1;
        place ~ Normal(m, s);
        for n in N {
            z[n] ~ Normal(slope * x[n], w);
            k[n] ~ Bernoulli(logit = a + b * x[n] - 0.1 * place);
        }
    }
}

fn kinds(count: usize) -> Kinds {
    let normal = |seed: u64, n: usize| ppl_core::random::normal_quantile(uniform(seed, n as u64));
    let x = (0..count).map(|n| 1.0 + 3.5 * f64::from(u8::from(uniform(5, n as u64) < 0.3)) + normal(6, n) + 0.5 * normal(7, n));
    Kinds { x: x.collect() }
}

#[test]
fn switches_in_batches_have_the_gradient_of_the_whole() -> Outcome {
    let model = kinds(12);
    let bound = model.bind()?;
    let guides = [OfKinds.bind_guide(&model, bound.layout())?, Last.bind_guide(&model, bound.layout())?];
    for (mut guide, estimator) in guides.into_iter().zip([Estimator::Auto, Estimator::Reparameterization]) {
        let parameters = guide.guide_mut::<f64>().parameters_mut();
        parameters.iter_mut().enumerate().for_each(|(i, x)| *x += 0.3 * uniform(9, i as u64) - 0.1);
        check_expectation(&*bound, guide.guide(), estimator, (4, 20_000))?;
    }
    Ok(())
}

#[test]
fn switches_and_what_depends_on_them_are_found_by_batches() -> Outcome {
    let model = kinds(1500);
    let config = || Bbvi { max_steps: 10_000, ..Bbvi::default() };
    let fit = fit_guide(&model, &OfKinds, Bbvi { minibatch: Some(Minibatch::of("N", 100)), ..config() })?;
    eprintln!("{}", fit.summary());
    // Given its kind, a number is normal around 0.8 (x - place - 3 k) + 0.2 * 0.5 k.
    for (name, exact, tolerance) in [("slope", 0.8, 0.02), ("by_kind", -2.3, 0.05), ("w", 0.2_f64.sqrt(), 0.02)] {
        assert!((fit.guide_param(name).ok_or(name)? - exact).abs() < tolerance, "{name}: {:?}", fit.guide_param(name));
    }
    // The log odds of a kind: of measurements whose difference is 3.5, and variance 1.25.
    let (b, place) = (fit.guide_param("b").ok_or("b")?, fit.scalar("place").ok_or("place")?.mean);
    assert!((b - 3.5 / 1.25).abs() < 0.15, "{b}");
    let evidence_at = |place: f64| -> f64 {
        let of = |x: f64, at: f64| (-0.5 * (x - at).powi(2) / 1.25).exp() / (std::f64::consts::TAU * 1.25).sqrt();
        let each = model.x.iter().map(|&x| (0.7 * of(x, place) + 0.3 * of(x, place + 3.5)).ln());
        each.sum::<f64>() - place * place / 8.0 - 0.5 * (std::f64::consts::TAU * 4.0).ln()
    };
    // The evidence, by a grid around the place.
    let grid: Vec<f64> = (-400..=400).map(|i| evidence_at(place + 0.001 * f64::from(i))).collect();
    let most = grid.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let evidence = most + (grid.iter().map(|x| (x - most).exp()).sum::<f64>() * 0.001).ln();
    eprintln!("{evidence}");
    assert!(fit.elbo().0 < evidence + 3.0 * fit.elbo().1 && fit.elbo().0 > evidence - 1.5, "{:?} {evidence}", fit.elbo());
    // The automatic guide has tables, and these are of all elements.
    let error = fit_bbvi(&model, Bbvi { minibatch: Some(Minibatch::of("N", 100)), ..config() }).err().ok_or("an error")?;
    assert!(error.to_string().contains("give it a distribution of its data in a `guide!`"), "{error}");
    Ok(())
}
