//! Guides written by `guide!`, taken in batches: amortized, structured, and with parameters for each element.

use ppl_core::estimators::{Batched, Estimator, GradientEstimator, Mixed};
use ppl_core::guides::GuideOf;
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
            let estimators = vec![estimator; bound.layout().unconstrained()];
            let batches = |seed| bound.batches(bound.graph().plate("N").unwrap_or(0), 4, seed);
            let mut of_batches = Batched::new(batches(1), 64, &estimators);
            let mut whole = Mixed::new(&*bound, guide, 64, &[estimator]);
            let (count, parameters) = (3000_u32, guide.parameters().len());
            let mut moments = vec![[[0.0; 2]; 2]; parameters];
            let mut gradient = vec![0.0; parameters];
            let mut add = |of: usize, gradient: &[f64]| {
                for (moments, g) in moments.iter_mut().zip(gradient) {
                    moments[of][0] += g / f64::from(count);
                    moments[of][1] += g * g / f64::from(count);
                }
            };
            for key in 0..count {
                of_batches.estimate(&*bound, guide, key.into(), &mut gradient);
                add(0, &gradient);
                whole.estimate(&*bound, guide, u64::from(key) + 1_000_000, &mut gradient);
                add(1, &gradient);
            }
            for (i, [a, b]) in moments.iter().enumerate() {
                let variance = |[mean, square]: &[f64; 2]| (square - mean * mean).max(0.0) / f64::from(count);
                let error = (variance(a) + variance(b)).sqrt();
                assert!((a[0] - b[0]).abs() < 4.5 * error + 1e-9, "{estimator:?}, parameter {i}: {} {} +- {error}", a[0], b[0]);
            }
        }
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
