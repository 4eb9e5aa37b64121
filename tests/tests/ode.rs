//! Differential equations inside models: their solutions, the derivatives of these, and how accurate they are.
#![forbid(unsafe_code)]

use std::time::Duration;

use ndarray::{Array1, Array2};
use ppl_core::model::Refinement;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};
use ppl_tests::{check_model, log_density, points, same_densities};

model! {
    /// Lynxes and hares (Lotka 1925, Volterra 1926).
    pub LotkaVolterra(times: [f64; T], y: [f64; T, S]) {
        theta[S, S] ~ LogNormal(-0.5, 0.3);
        z0[S] ~ LogNormal(1, 0.5);
        sigma[S] ~ LogNormal(-1, 0.5);
        ode s in 0..times[t] for t in T {
            start(prey) = z0[0];
            start(predator) = z0[1];
            let eaten = predator * prey;
            d(prey) = theta[0, 0] * prey - theta[0, 1] * eaten;
            d(predator) = theta[1, 0] * eaten - theta[1, 1] * predator;
        }
        for t in T {
            y[t, 0] ~ LogNormal(ln(prey[t]), sigma[0]);
            y[t, 1] ~ LogNormal(ln(predator[t]), sigma[1]);
        }
    }
}

model! {
    /// Decay.
    pub Decay(times: [f64; T], y: [f64; T]) {
        k ~ LogNormal(0, 1);
        x0 ~ LogNormal(0, 1);
        ode s in 0..times[t] for t in T {
            start(x) = x0;
            d(x) = -k * x;
        }
        for t in T {
            y[t] ~ Normal(x[t], 0.1);
        }
    }
}

model! {
    /// Its solution.
    pub Decayed(times: [f64; T], y: [f64; T]) {
        k ~ LogNormal(0, 1);
        x0 ~ LogNormal(0, 1);
        for t in T {
            let x[t] = x0 * exp(-k * times[t]);
            y[t] ~ Normal(x[t], 0.1);
        }
    }
}

model! {
    /// A forced oscillator in one step between two times.
    pub Forced(y: [f64; T], force: [f64; T]) {
        a ~ LogNormal(0, 0.5);
        damping ~ LogNormal(-1, 0.5);
        x0 ~ Normal(0, 1);
        ode s in 1..1 + 0.5 * t for t in T, steps = 1 {
            start(x) = x0;
            start(v) = 0;
            d(x) = v;
            d(v) = force[t] * s - a * sin(x) - damping * v;
        }
        for t in T {
            y[t] ~ Normal(x[t], 1);
        }
    }
}

model! {
    /// The same step, written out as a recursion.
    pub WrittenOut(y: [f64; T], force: [f64; T]) {
        a ~ LogNormal(0, 0.5);
        damping ~ LogNormal(-1, 0.5);
        x0 ~ Normal(0, 1);
        let x[0] = x0;
        let v[0] = 0 * x0;
        for t in 1..T {
            let s = 0.5 + 0.5 * t;
            let x1 = x[t - 1];
            let v1 = v[t - 1];
            let a1 = force[t] * s - a * sin(x1) - damping * v1;
            let x2 = x1 + 0.25 * v1;
            let v2 = v1 + 0.25 * a1;
            let a2 = force[t] * (s + 0.25) - a * sin(x2) - damping * v2;
            let x3 = x1 + 0.25 * v2;
            let v3 = v1 + 0.25 * a2;
            let a3 = force[t] * (s + 0.25) - a * sin(x3) - damping * v3;
            let x4 = x1 + 0.5 * v3;
            let v4 = v1 + 0.5 * a3;
            let a4 = force[t] * (s + 0.5) - a * sin(x4) - damping * v4;
            let x[t] = x1 + 0.5 / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
            let v[t] = v1 + 0.5 / 6 * (a1 + 2 * a2 + 2 * a3 + a4);
        }
        for t in T {
            y[t] ~ Normal(x[t], 1);
        }
    }
}

model! {
    /// An epidemic whose rate of contact is another between any two times, and less under a lockdown.
    pub Sir(times: [f64; T], cases: [u64; T], population: f64, lockdown: f64) {
        rate ~ LogNormal(0, 0.3);
        recovery ~ LogNormal(-1, 0.3);
        effect ~ Beta(2, 2);
        e[T] ~ Normal(0, 0.3);
        i0 ~ LogNormal(1, 0.3);
        ode day in 0..times[t] for t in T, steps = 4 {
            start(susceptible) = population - i0;
            start(infected) = i0;
            start(all) = 0;
            let contact = rate * exp(e[t]) * (if day < lockdown { 1 } else { effect });
            let infection = contact * susceptible * infected / population;
            d(susceptible) = -infection;
            d(infected) = infection - recovery * infected;
            d(all) = infection;
        }
        for t in T {
            cases[t] ~ Poisson(all[t]);
        }
    }
}

model! {
    /// Pharmacokinetics: subjects with absorption and elimination of their own, at times of their own.
    pub Subjects(dose: [f64; N], times: [f64; N, T], y: [f64; N, T]) {
        mu ~ Normal(0, 1);
        tau ~ HalfNormal(0.5);
        absorption ~ LogNormal(0.5, 0.3);
        for n in N {
            eta[n] ~ Normal(mu, tau);
            let elimination = exp(eta[n] - 1);
            ode s in 0..times[n, t] for t in T {
                start(gut) = dose[n];
                start(blood) = 0;
                d(gut) = -absorption * gut;
                d(blood) = absorption * gut - elimination * blood;
            }
            for t in T {
                y[n, t] ~ Normal(blood[n, t], 0.1);
            }
        }
    }
}

model! {
    /// The same in closed form (Bateman 1910).
    pub Bateman(dose: [f64; N], times: [f64; N, T], y: [f64; N, T]) {
        mu ~ Normal(0, 1);
        tau ~ HalfNormal(0.5);
        absorption ~ LogNormal(0.5, 0.3);
        for n in N {
            eta[n] ~ Normal(mu, tau);
            let elimination = exp(eta[n] - 1);
            let share = absorption / (absorption - elimination);
            for t in T {
                let blood[n, t] = dose[n] * share * (exp(-elimination * times[n, t]) - exp(-absorption * times[n, t]));
                y[n, t] ~ Normal(blood[n, t], 0.1);
            }
        }
    }
}

model! {
    /// Contagion between groups by age, and a delay of transit compartments, of each of which the first is another.
    pub Groups(times: [f64; T], y: [f64; T, G], x0: [f64; G], C: usize) {
        a[G, G] ~ Normal(0, 0.4);
        b[G] ~ LogNormal(-1, 0.5);
        ode s in 0..times[t] for t in T, steps = 3 {
            start(x[G]) = x0 + b;
            for g in G {
                d(x[g]) = sum(h in G => a[g, h] * x[h]) - b[g] * tanh(x[g]) + 0.1 * dot(a[g], x);
                for c in C {
                    start(transit[g, c]) = 0.1 * b[g];
                }
                let total = sum(x);
                d(transit[g, 0]) = total - transit[g, 0];
                for c in 1..C {
                    d(transit[g, c]) = transit[g, c - 1] - transit[g, c] * exp(-s);
                }
            }
        }
        for t in T {
            for g in G {
                y[t, g] ~ Normal(x[t, g] + transit[t, g, C - 1], 1);
            }
        }
    }
}

model! {
    /// In single precision, two equations one after the other.
    pub Single(times: [f32; T], y: [f32; T]) {
        k ~ LogNormal(0, 0.5);
        ode s in 0..times[t] for t in T {
            start(x) = 1;
            d(x) = -k * x;
        }
        ode s in 0..times[t] for t in T {
            start(z) = x[0];
            d(z) = 0.1 * x[t] - k * z;
        }
        for t in T {
            y[t] ~ Normal(z[t], 1);
        }
    }
}

fn numbers(count: usize, seed: u64) -> Vec<f64> {
    (0..count).map(|i| normal_quantile(uniform(seed, i as u64))).collect()
}

fn table(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), numbers(rows * columns, seed)).unwrap()
}

/// Times of their own for each subject, the last one twice.
fn times(subjects: usize) -> Array2<f64> {
    Array2::from_shape_fn((subjects, 5), |(n, t)| [0.2, 0.5, 1.0, 2.0, 2.0][t] * (1.0 + 0.3 * n as f64))
}

fn subjects(n: usize) -> Subjects {
    Subjects { dose: (0..n).map(|n| 1.0 + n as f64).collect(), times: times(n), y: table(n, 5, 6) }
}

#[test]
fn derivatives_go_through_the_steps() {
    let times = vec![0.0, 0.4, 1.0, 1.0, 2.5];
    check_model(&*LotkaVolterra { times: times.clone(), y: table(5, 2, 1).mapv(f64::exp) }.bind().unwrap());
    check_model(&*Decay { times: times.clone(), y: numbers(5, 2) }.bind().unwrap());
    check_model(&*Forced { y: numbers(5, 3), force: numbers(5, 4) }.bind().unwrap());
    let cases = vec![1, 2, 5, 9, 14];
    check_model(
        &*Sir { times: times[1..].iter().chain(&[4.0]).copied().collect(), cases, population: 100.0, lockdown: 0.7 }
            .bind()
            .unwrap(),
    );
    check_model(&*subjects(3).bind().unwrap());
    check_model(&*Groups { times, y: table(5, 3, 7), x0: numbers(3, 8), C: 2 }.bind().unwrap());
}

#[test]
fn a_step_is_what_the_recursion_says() {
    let (y, force) = (numbers(6, 3), numbers(6, 4));
    same_densities(&*Forced { y: y.clone(), force: force.clone() }.bind().unwrap(), &*WrittenOut { y, force }.bind().unwrap());
}

/// Log densities and gradients of one model against another's.
fn error(one: &dyn LogJoint<f64>, exact: &dyn LogJoint<f64>) -> f64 {
    let (u, weights) = (points(one.layout().unconstrained(), 8), one.unit_weights(8));
    let (own, other) = (log_density(one, &u, &weights), log_density(exact, &u, &weights));
    let pairs = own.0.iter().chain(&own.1).zip(other.0.iter().chain(&other.1));
    pairs.map(|(own, other)| (own - other).abs()).fold(0.0, f64::max)
}

#[test]
fn the_error_falls_by_the_fourth_power_of_the_step() {
    let model = subjects(3);
    let exact = Bateman { dose: model.dose.clone(), times: model.times.clone(), y: model.y.clone() };
    let (mut bound, exact) = (model.bind().unwrap(), exact.bind().unwrap());
    let errors: Vec<f64> = (0..4)
        .map(|open| {
            bound.refine(Refinement { open, all: 0 });
            error(&*bound, &*exact)
        })
        .collect();
    println!("{errors:?}");
    for pair in errors.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!((3.7..4.5).contains(&order), "{errors:?}");
    }
    bound.refine(Refinement { open: 8, all: 0 });
    assert!(error(&*bound, &*exact) < 1e-10);
    // Those of all equations are halved besides.
    bound.refine(Refinement { open: 2, all: 1 });
    assert!((error(&*bound, &*exact) / errors[3] - 1.0).abs() < 1e-6);
}

#[test]
fn fits_of_the_equation_and_of_its_solution_are_one() {
    let (times, truth): (Vec<f64>, f64) = ((1..=12).map(|t| 0.25 * f64::from(t)).collect(), 0.8);
    let y: Vec<f64> = times.iter().zip(numbers(12, 9)).map(|(t, z)| 2.0 * (-truth * t).exp() + 0.1 * z).collect();
    let (solved, exact) = (Decay { times: times.clone(), y: y.clone() }, Decayed { times, y });
    let (own, other) = (fit_bbvi(&solved, Bbvi::default()).unwrap(), fit_bbvi(&exact, Bbvi::default()).unwrap());
    println!("{}", own.summary());
    for name in ["k", "x0", "x[11]"] {
        let (own, other) = (own.scalar(name).unwrap(), other.scalar(name).unwrap());
        assert!((own.mean - other.mean).abs() < 0.01 * other.sd && (own.sd / other.sd - 1.0).abs() < 0.01, "{own:?} {other:?}");
    }
    assert!((own.scalar("k").unwrap().mean - truth).abs() < 3.0 * own.scalar("k").unwrap().sd);
    let note = own.notes().iter().find(|note| note.contains("ode s in 0..times[t] for t in T"));
    assert!(note.is_some_and(|note| note.contains("8 steps")), "{:?}", own.notes());
}

model! {
    /// A fast equation: eight steps between two times are too few.
    pub Fast(times: [f64; T], y: [f64; T]) {
        k ~ LogNormal(3, 0.1);
        x0 ~ LogNormal(0, 1);
        ode s in 0..times[t] for t in T {
            start(x) = x0;
            d(x) = k * (1 - x) * x;
        }
        for t in T {
            y[t] ~ Normal(x[t], 0.05);
        }
    }
}

model! {
    /// So many steps as the model says.
    pub Coarse(times: [f64; T], y: [f64; T]) {
        k ~ LogNormal(3, 0.1);
        x0 ~ LogNormal(0, 1);
        ode s in 0..times[t] for t in T, steps = 8 {
            start(x) = x0;
            d(x) = k * (1 - x) * x;
        }
        for t in T {
            y[t] ~ Normal(x[t], 0.05);
        }
    }
}

#[test]
fn steps_are_halved_until_they_make_no_difference_and_too_few_are_told() {
    let (times, x0) = (vec![0.5, 1.5, 3.0], 3e-5);
    let y: Vec<f64> = times.iter().map(|t: &f64| 1.0 / (1.0 + (1.0 / x0 - 1.0) * (-20.0 * t).exp())).collect();
    let fit = fit_bbvi(&Fast { times: times.clone(), y: y.clone() }, Bbvi::default()).unwrap();
    println!("{}", fit.summary());
    let note = fit.notes().iter().find(|note| note.contains("ode s")).expect("how accurate it is");
    assert!(!note.contains("too few") && !note.contains(" 8 steps"), "{note}");
    // Draws are solved as finely as the fit was.
    let model = Fast { times: times.clone(), y: y.clone() };
    let draws = fit.draws(&model, 50).unwrap();
    for d in 0..50 {
        let exact = 1.0 / (1.0 + (1.0 / draws.x0[d] - 1.0) * (-draws.k[d] * times[0]).exp());
        assert!((draws.x[[d, 0]] - exact).abs() < 1e-3, "{} {exact}", draws.x[[d, 0]]);
    }
    let coarse = fit_bbvi(&Coarse { times, y }, Bbvi::default()).unwrap();
    assert!(coarse.notes().iter().any(|note| note.contains("too few") && note.contains("steps = 32")), "{:?}", coarse.notes());
}

#[test]
fn predictions_solve_the_equation() {
    let model = subjects(3);
    let (prior, predicted) =
        prior_predictive::<Subjects>(&SubjectsInputs { dose: model.dose.clone(), times: model.times.clone() }, 200, 3).unwrap();
    for d in 0..200 {
        let (a, e) = (prior.absorption[d], (prior.eta[[d, 1]] - 1.0).exp());
        let t = model.times[[1, 2]];
        let blood = model.dose[1] * a / (a - e) * ((-e * t).exp() - (-a * t).exp());
        assert!((prior.blood[[d, 1, 2]] - blood).abs() < 1e-4 * blood.abs().max(1.0), "{} {blood}", prior.blood[[d, 1, 2]]);
        assert!((predicted.y[[d, 1, 2]] - blood).abs() < 0.6);
    }
}

guide! {
    /// What is written for the model by hand.
    pub Written for Decay() {
        param a: real = 0;
        param b: positive = 1;
        k ~ LogNormal(a, b);
        auto x0;
    }
}

#[test]
fn guides_are_written_for_models_with_equations() {
    let times: Vec<f64> = (1..=12).map(|t| 0.25 * f64::from(t)).collect();
    let y: Vec<f64> = times.iter().zip(numbers(12, 9)).map(|(t, z)| 2.0 * (-0.8 * t).exp() + 0.1 * z).collect();
    let model = Decay { times, y };
    let fit = fit_guide(&model, &Written, Bbvi::default()).unwrap();
    assert!((fit.scalar("k").unwrap().mean - 0.8).abs() < 0.3, "{}", fit.summary());
    let predicted = fit.posterior_predictive(&model, 100).unwrap();
    assert_eq!(predicted.y.shape(), [100, 12]);
}

#[test]
fn subjects_are_taken_in_batches_and_times_are_not() {
    let model = simulated(40);
    let fit = fit_bbvi(&model, Bbvi { minibatch: Some(Minibatch::of("N", 10)), ..Bbvi::default() }).unwrap();
    println!("{}", fit.summary());
    assert!((fit.scalar("absorption").unwrap().mean - 1.5).abs() < 0.15);
    let fit = fit_bbvi(&model, Bbvi { minibatch: Some(Minibatch::of("T", 2)), ..Bbvi::default() });
    let Err(error) = fit else { panic!("times follow each other") };
    assert!(error.to_string().contains("solved along it"), "{error}");
}

/// Subjects whose absorption is 1.5, and whose eliminations spread around exp(-1) by 0.3.
fn simulated(n: usize) -> Subjects {
    let (dose, times) = (Array1::from_elem(n, 5.0), times(n));
    let (eta, noise) = (numbers(n, 20), table(n, 5, 21));
    let y = Array2::from_shape_fn((n, 5), |(n, t)| {
        let (a, e, time) = (1.5, (0.3 * eta[n] - 1.0).exp(), times[[n, t]]);
        dose[n] * a / (a - e) * ((-e * time).exp() - (-a * time).exp()) + 0.1 * noise[[n, t]]
    });
    Subjects { dose: dose.to_vec(), times, y }
}

#[test]
fn a_fit_finds_absorption_and_elimination_of_subjects() {
    let model = simulated(20);
    let exact = Bateman { dose: model.dose.clone(), times: model.times.clone(), y: model.y.clone() };
    // Of one family: how far richer ones come depends on the time.
    let config = || Bbvi { search_time: Duration::ZERO, ..Bbvi::default() };
    let (fit, exact) = (fit_bbvi(&model, config()).unwrap(), fit_bbvi(&exact, config()).unwrap());
    println!("{}{}", fit.summary(), exact.summary());
    for (name, truth) in [("absorption", 1.5), ("mu", 0.0), ("tau", 0.3)] {
        let (own, other) = (fit.scalar(name).unwrap(), exact.scalar(name).unwrap());
        assert!((own.mean - truth).abs() < 3.5 * own.sd, "{own:?}, {truth}");
        assert!((own.mean - other.mean).abs() < 0.05 * other.sd && (own.sd / other.sd - 1.0).abs() < 0.05, "{own:?} {other:?}");
    }
}

#[test]
fn single_precision_and_an_equation_that_reads_another() {
    let model = Single { times: vec![0.5, 1.0, 2.0], y: vec![0.3, 0.2, 0.1] };
    let fit = fit_bbvi(&model, Bbvi::default()).unwrap();
    let draws = fit.draws(&model, 20).unwrap();
    for d in 0..20 {
        let (k, x1) = (draws.k[d], draws.x[[d, 0]]);
        assert!((x1 - (-0.5 * k).exp()).abs() < 1e-4);
        let first = 0.1 * x1 / k;
        let z = first + (x1 - first) * (-0.5 * k).exp();
        assert!((draws.z[[d, 0]] - z).abs() < 1e-4, "{} {z}", draws.z[[d, 0]]);
    }
}

#[test]
fn times_that_decrease_are_refused_by_name_and_row() {
    let refused = |times: Vec<f64>| Decay { times, y: vec![1.0, 1.0, 1.0] }.bind().err().expect("refused").to_string();
    let error = refused(vec![0.5, 2.0, 1.0]);
    assert!(error.contains("`times[2]` is 1") && error.contains("before it is 2"), "{error}");
    assert!(refused(vec![-1.0, 2.0, 3.0]).contains("`times[0]` is -1"));
    assert!(refused(vec![0.5, f64::NAN, 3.0]).contains("times[1]"));
}

model! {
    /// Growth that explodes in finite time for half of the prior.
    pub Exploding(times: [f64; T], y: [f64; T]) {
        k ~ Normal(0, 2);
        ode s in 0..times[t] for t in T {
            start(x) = 1;
            d(x) = k * x * x;
        }
        for t in T {
            y[t] ~ Normal(x[t], 0.05);
        }
    }
}

#[test]
fn what_explodes_is_blamed_and_fitted_where_it_does_not() {
    let times = vec![0.5, 1.0, 2.0];
    let y: Vec<f64> = times.iter().map(|t| 1.0 / (1.0 + 0.7 * t)).collect();
    let fit = fit_bbvi(&Exploding { times: times.clone(), y }, Bbvi::default()).unwrap();
    println!("{}", fit.summary());
    assert!((fit.scalar("k").unwrap().mean + 0.7).abs() < 0.1);
}
