//! Latents that are the same for all rows, beside networks, and latents that are left to the automatic guide: gradients against finite differences, fits against
//! closed forms.
#![forbid(unsafe_code)]

use ndarray::{Array2, ArrayD};
use ppl_core::amortized::{bound_gradient, bound_gradient_near, load_amortized, resume_amortized};
use ppl_core::guide;
use ppl_core::prelude::*;
use ppl_core::random::{normal_quantile, uniform};

fn normal(seed: u64, i: usize) -> f64 {
    normal_quantile(uniform(seed, i as u64))
}

/// Means and standard deviations of a global latent, an element each.
fn moments(draws: &ArrayD<f64>) -> Vec<(f64, f64)> {
    let count = draws.shape()[0];
    let columns = draws.len() / count;
    let of = |column: usize| {
        let own = || draws.iter().skip(column).step_by(columns);
        let mean = own().sum::<f64>() / count as f64;
        (mean, (own().map(|x| (x - mean).powi(2)).sum::<f64>() / count as f64).sqrt())
    };
    (0..columns).map(of).collect()
}

model! {
    /// A regression beside a network, with a prior that is known from other data, and kinds of supports.
    pub Mixed(x: [f64; N, D], y: [f64; N], w0: [f64; D], kind: [in K; D], base: f64, seen: [f64; M], f: net(2 * D => 1), g: net(K + 1 => 1)) {
        param a: real = 0.3;
        tau ~ HalfNormal(1);
        p[K] ~ Dirichlet(1);
        c[K] ~ Ordered(Normal(0, 2));
        for d in D {
            w[d] ~ Normal(w0[d] + a, tau);
        }
        for i in M {
            seen[i] ~ Normal(a + c[0], 1.2);
        }
        let scale = 0.5 + tau * p[0];
        let spread = scale * 2;
        for n in N {
            z[n] ~ Normal(c[1], 1);
            let m = f(x[n], w0);
            let k = g(p, z[n]);
            let gathered = sum(d in D => c[kind[d]] * x[n, d]);
            y[n] ~ Normal(base + m + k + gathered + dot(w, x[n]) + z[n], spread);
        }
    }
}

guide! {
    /// Of the rows' latent a network; the rest is left.
    pub MixedGuide for Mixed(q: net(D => 2)) {
        auto tau, p, c;
        auto w;
        for n in N {
            let (loc, log_scale) = split(q(x[n]));
            z[n] ~ Normal(loc + w0[0], exp(log_scale));
        }
    }
}

fn mixed() -> Mixed {
    let x = Array2::from_shape_fn((7, 2), |(n, d)| normal(1, 2 * n + d));
    let y = (0..7).map(|n| normal(2, n)).collect();
    let f = Mlp::new(&[4, 3, 1]).activation(Activation::Tanh).build(1).expect("sizes");
    let g = Mlp::new(&[4, 1]).build(2).expect("sizes");
    let kind = ppl_core::indices::Indices::from(vec![0, 2]);
    Mixed { x, y, w0: vec![0.4, -0.2], kind, base: 0.7, seen: vec![0.1, 0.9, 0.3], f, g }
}

#[test]
fn gradients_by_global_latents_are_those_of_finite_differences() {
    let model = mixed();
    let lighter = Amortized { kl_weight: KlWeight::Linear { from: 0.3, steps: 9 }, samples: 2, ..Amortized::default() };
    let weighted = Amortized { objective: AmortizedObjective::ImportanceWeighted, samples: 3, ..Amortized::default() };
    for (config, left) in [(Amortized::default(), 0.0), (lighter, 0.7), (weighted, 0.0)] {
        let at = |by: &[f64]| {
            let found = bound_gradient_near(&model, &Automatic, &config, 3, by).expect("a good model");
            found.bound + left * found.divergence
        };
        let found = bound_gradient(&model, &Automatic, &config, 3).expect("a good model").global_latents;
        // tau, p of three, c of three and w of two: eight unconstrained numbers, and a triangle.
        assert_eq!(found.len(), 8 + 36);
        let start: Vec<f64> = (0..found.len()).map(|i| 0.1 * normal(5, i)).collect();
        let moved = |i: usize, by: f64| {
            let mut all = start.clone();
            all[i] += by;
            at(&all)
        };
        let found = bound_gradient_near(&model, &Automatic, &config, 3, &start).expect("a good model").global_latents;
        for (i, found) in found.iter().enumerate() {
            let difference = (moved(i, 1e-5) - moved(i, -1e-5)) / 2e-5;
            assert!((found - difference).abs() < 1e-6 * (1.0 + difference.abs()), "{i}: {found} {difference}");
        }
    }
}

model! {
    /// A straight line, with a network that is held at nothing.
    pub Line(x: [f64; N, D], y: [f64; N], f: net(D => 1)) {
        mu ~ Normal(0, 3);
        for d in D {
            w[d] ~ Normal(0, 2);
        }
        for n in N {
            let m = f(x[n]);
            y[n] ~ Normal(mu + m + dot(w, x[n]), 0.5);
        }
    }
}

fn line() -> Line {
    let x = Array2::from_shape_fn((200, 2), |(n, d)| normal(3, 2 * n + d) + 0.5);
    let y = (0..200).map(|n| 0.6 + 1.5 * x[[n, 0]] - 0.7 * x[[n, 1]] + 0.5 * normal(4, n)).collect();
    let mut f = Mlp::new(&[2, 1]).build(1).expect("sizes");
    ppl_core::networks::Network::<f64>::parameters_mut(&mut f).fill(0.0);
    Line { x, y, f }
}

/// The posterior of `mu, w` and the log evidence: a Gaussian linear model.
fn exact(line: &Line) -> (Vec<f64>, Vec<f64>, f64) {
    let sds = [3.0, 2.0, 2.0_f64];
    let row = |n: usize| [1.0, line.x[[n, 0]], line.x[[n, 1]]];
    let mut a = [[0.0_f64; 3]; 3];
    let (mut b, mut squares) = ([0.0; 3], 0.0);
    for i in 0..3 {
        a[i][i] = sds[i].powi(-2);
    }
    for (n, y) in line.y.iter().enumerate() {
        let row = row(n);
        for i in 0..3 {
            b[i] += row[i] * y / 0.25;
            for j in 0..3 {
                a[i][j] += row[i] * row[j] / 0.25;
            }
        }
        squares += y * y / 0.25;
    }
    // Gauss and Jordan.
    let (mut inverse, mut log_det) = ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 0.0_f64);
    for i in 0..3 {
        let pivot = a[i][i];
        log_det += pivot.ln();
        for j in 0..3 {
            a[i][j] /= pivot;
            inverse[i][j] /= pivot;
        }
        for k in (0..3).filter(|k| *k != i) {
            let factor = a[k][i];
            for j in 0..3 {
                a[k][j] -= factor * a[i][j];
                inverse[k][j] -= factor * inverse[i][j];
            }
        }
    }
    let mean: Vec<f64> = (0..3).map(|i| (0..3).map(|j| inverse[i][j] * b[j]).sum()).collect();
    let sd = (0..3).map(|i| inverse[i][i].sqrt()).collect();
    let count = line.y.len() as f64;
    let prior: f64 = sds.iter().map(|sd| 2.0 * sd.ln()).sum();
    let quadratic = squares - mean.iter().zip(b).map(|(m, b)| m * b).sum::<f64>();
    let evidence = -0.5 * (count * (std::f64::consts::TAU.ln() + 0.25_f64.ln()) + log_det + prior + quadratic);
    (mean, sd, evidence)
}

fn of_line(epochs: usize) -> Amortized {
    let schedule = Schedule::Linear { to: 0.002 };
    Amortized { epochs, batch: 100, rate: 0.02, schedule, held: vec!["f".to_owned()], ..Amortized::default() }
}

#[test]
fn a_line_has_its_exact_posterior_and_evidence() {
    let model = line();
    let (mean, sd, evidence) = exact(&model);
    // Most epochs at a small rate: where the evidence is met within noise, and not less what larger steps lose.
    let config = Amortized { schedule: Schedule::Steps { epochs: vec![5_000, 10_000], factor: 0.1 }, ..of_line(40_000) };
    let fit = fit_amortized(&model, &Automatic, config).expect("a good model");
    let draws = fit.global_draws(20_000, 1).expect("draws");
    let found: Vec<(f64, f64)> = draws.iter().flat_map(|(_, draws)| moments(draws)).collect();
    for i in 0..3 {
        assert!((found[i].0 - mean[i]).abs() < 0.1 * sd[i], "{i}: {:?} {} {}", found[i], mean[i], sd[i]);
        assert!((found[i].1 / sd[i] - 1.0).abs() < 0.05, "{i}: {:?} {}", found[i], sd[i]);
    }
    // An epoch's bound has a standard deviation of about two nats, as rows share draws.
    let last: Vec<f64> = fit.history().iter().rev().take(20_000).map(|epoch| epoch.bound).collect();
    let bound = 200.0 * last.iter().sum::<f64>() / last.len() as f64;
    assert!((bound - evidence).abs() < 0.05, "{bound} {evidence}");
    let told = fit.global_latents().expect("what was learned");
    let names: Vec<&str> = told.iter().map(|latent| latent.name.as_str()).collect();
    assert_eq!(names, ["mu", "w[0]", "w[1]"]);
    let summary = fit.summary().expect("a summary");
    assert!((summary.bound.0 * 200.0 - evidence).abs() < 0.3 && summary.bound.1 > 0.0 && !summary.rises, "{summary}");
    assert!(summary.weights.is_none() && summary.active.is_empty() && summary.held_out.is_none());
    let text = summary.to_string();
    for part in ["Line: 200 rows", "w[1]", "95 %", "all epochs are over", "rows have no latents"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

model! {
    /// Principal components with noise, whose loadings are known: a network without bias.
    pub Components(x: [f64; N, D], loadings: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let h = loadings(z[n]);
            x[n, D] ~ Normal(h, 0.5);
        }
    }
}

guide! {
    /// As `Automatic`.
    pub Each for Components() { auto z; }
}

const LOADINGS: [[f64; 2]; 3] = [[1.2, 0.1], [-0.7, 0.5], [0.3, 1.1]];

fn components(rows: usize) -> Components {
    let x = Array2::from_shape_fn((rows, 3), |(n, d)| {
        LOADINGS[d][0] * normal(6, 2 * n) + LOADINGS[d][1] * normal(6, 2 * n + 1) + 0.5 * normal(7, 3 * n + d)
    });
    let mut loadings = Mlp::new(&[2, 3]).build(1).expect("sizes");
    let weights = ppl_core::networks::Network::<f64>::parameters_mut(&mut loadings);
    weights.fill(0.0);
    // Weights of a dense layer are `[output][input]`, then its biases.
    for (d, row) in LOADINGS.iter().enumerate() {
        weights[2 * d..2 * d + 2].copy_from_slice(row);
    }
    Components { x, loadings, Z: 2 }
}

/// Of a row, the posterior means and the standard deviations of each given the other; the log evidence, and what independent normals miss of it.
fn of_row(x: [f64; 3]) -> ([f64; 2], [f64; 2], f64, f64) {
    let dot = |i: usize, j: usize| (0..3).map(|d| LOADINGS[d][i] * LOADINGS[d][j]).sum::<f64>() / 0.25;
    let (a, b, c) = (1.0 + dot(0, 0), dot(0, 1), 1.0 + dot(1, 1));
    let det = a * c - b * b;
    let along = [0, 1].map(|i| (0..3).map(|d| LOADINGS[d][i] * x[d]).sum::<f64>() / 0.25);
    let mean = [(c * along[0] - b * along[1]) / det, (a * along[1] - b * along[0]) / det];
    let squares = x.iter().map(|x| x * x).sum::<f64>() / 0.25;
    let quadratic = squares - mean[0] * along[0] - mean[1] * along[1];
    let evidence = -0.5 * (3.0 * (std::f64::consts::TAU.ln() + 0.25_f64.ln()) + det.ln() + quadratic);
    (mean, [a.sqrt().recip(), c.sqrt().recip()], evidence, -0.5 * (1.0 - b * b / (a * c)).ln())
}

#[test]
fn each_row_has_its_own_location_and_scale() {
    let model = components(60);
    let config = Amortized {
        epochs: 6000,
        batch: 20,
        rate: 0.02,
        schedule: Schedule::Linear { to: 0.002 },
        held: vec!["loadings".to_owned()],
        ..Amortized::default()
    };
    let fit = fit_amortized(&model, &Each {}, config).expect("a good model");
    let encoded = fit.encode(&model).expect("the rows learned from");
    let (mut evidence, mut missed) = (0.0, 0.0);
    for n in 0..60 {
        let (mean, sd, own, gap) = of_row([0, 1, 2].map(|d| model.x[[n, d]]));
        (evidence, missed) = (evidence + own, missed + gap);
        for i in 0..2 {
            assert!((encoded[0].location[[n, i]] - mean[i]).abs() < 0.2 * sd[i], "{n} {i}");
            assert!((encoded[0].scale[[n, i]] / sd[i] - 1.0).abs() < 0.1, "{n} {i}: {} {}", encoded[0].scale[[n, i]], sd[i]);
        }
    }
    let last: Vec<f64> = fit.history().iter().rev().take(400).map(|epoch| epoch.bound).collect();
    let bound = last.iter().sum::<f64>() / last.len() as f64;
    assert!((bound - (evidence - missed) / 60.0).abs() < 0.01, "{bound} {} {}", evidence / 60.0, missed / 60.0);
    // Importance sampling closes what independent normals miss.
    let all = fit.log_likelihood(&model, 2000).expect("the rows learned from");
    assert!((all.iter().sum::<f64>() - evidence).abs() < 0.1, "{} {evidence}", all.iter().sum::<f64>());
    // A guide of independent normals is near the posterior here.
    let summary = fit.summary().expect("a summary");
    let weights = summary.weights.expect("latents of rows");
    assert!(weights.rows == 60 && weights.bad == 0 && weights.median < 0.5, "{summary}");
    assert_eq!(summary.active, [("z", 2, 2)]);
    let other = Components { x: model.x.mapv(|x| x + 1.0), ..components(60) };
    match fit.encode(&other) {
        Err(AmortizedError::OtherRows { latent, .. }) => assert_eq!(latent, "z"),
        other => panic!("{other:?}"),
    }
    let held_out = Amortized { held_out: 5, ..Amortized::default() };
    assert!(matches!(fit_amortized(&model, &Automatic, held_out), Err(AmortizedError::Together { one: "held_out", .. })));
}

model! {
    /// Kinds of supports of latents of rows.
    pub Kinds(x: [f64; N, D], f: net(K => D), K: usize) {
        for n in N {
            s[n] ~ Gamma(2, 2);
            u[n] ~ Beta(2, 3);
            p[n, K] ~ Dirichlet(1);
            c[n, D] ~ Ordered(Normal(0, 1));
            m[n, D, K] ~ Normal(0, s[n]);
            r[n, D, K] ~ Dirichlet(1);
            let h = f(p[n]);
            for d in D {
                x[n, d] ~ Normal(h[d] + u[n] * c[n, d] + m[n, d, 0] * r[n, d, 1], 0.5 + s[n]);
            }
        }
    }
}

#[test]
fn any_support_may_be_left_to_the_automatic_guide() {
    let x = Array2::from_shape_fn((30, 2), |(n, d)| normal(8, 2 * n + d));
    let model = Kinds { x, f: Mlp::new(&[3, 2]).build(3).expect("sizes"), K: 3 };
    let config = Amortized { epochs: 400, batch: 10, rate: 0.02, ..Amortized::default() };
    let fit = fit_amortized(&model, &Automatic, config).expect("a good model");
    let bounds: Vec<f64> = fit.history().iter().map(|epoch| epoch.bound).collect();
    let mean = |bounds: &[f64]| bounds.iter().sum::<f64>() / bounds.len() as f64;
    assert!(mean(&bounds[350..]) > mean(&bounds[..20]) + 0.2, "{} {}", mean(&bounds[350..]), mean(&bounds[..20]));
    for (name, draws) in fit.draws(&model, 5, 1).expect("the rows learned from") {
        let all = || draws.iter().copied();
        match name {
            "s" => assert!(all().all(|x| x > 0.0)),
            "u" => assert!(all().all(|x| 0.0 < x && x < 1.0)),
            "r" => assert!(draws.lanes(ndarray::Axis(2)).into_iter().all(|row| (row.sum() - 2.0).abs() < 1e-12)),
            "p" => assert!(draws.lanes(ndarray::Axis(2)).into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12)),
            "c" => assert!(draws.lanes(ndarray::Axis(2)).into_iter().all(|row| row[0] < row[1])),
            _ => assert_eq!(draws.dim(), (5, 30, 6)),
        }
    }
}

#[test]
fn a_fit_with_globals_goes_on_to_the_same_bits_on_any_number_of_threads() {
    let model = mixed();
    let encoder = || MixedGuide { q: Mlp::new(&[2, 2]).build(4).expect("sizes") };
    let guide = encoder();
    let config = |epochs| Amortized { epochs, batch: 3, rate: 0.01, ..Amortized::default() };
    let path = std::env::temp_dir().join(format!("ppl_globals_{}.safetensors", std::process::id()));
    let fit = |epochs, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| fit_amortized(&model, &guide, config(epochs)).expect("a good model"))
    };
    let bits = |fit: &AmortizedFit<'_, Mixed, MixedGuide>| {
        let draws = fit.global_draws(20, 1).expect("draws");
        let all = draws.iter().flat_map(|(_, draws)| draws.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        let networks = ["f", "g", "q"].into_iter().flat_map(|name| fit.parameters_of(name).expect("a network").iter());
        all.chain(networks.map(|x| x.to_bits())).collect::<Vec<_>>()
    };
    let whole = fit(20, 1);
    assert_eq!(bits(&whole), bits(&fit(20, 4)));
    fit(8, 2).save(&path).expect("a file");
    let resumed = resume_amortized(&model, &guide, &path, config(20)).expect("the same");
    assert_eq!(bits(&whole), bits(&resumed));
    let of_rows = Each {};
    let parts = components(20);
    let own = Amortized { epochs: 5, batch: 6, ..Amortized::default() };
    let first = fit_amortized(&parts, &of_rows, own).expect("a good model");
    first.save(&path).expect("a file");
    let loaded = load_amortized(&parts, &of_rows, &path).expect("the same");
    assert_eq!(first.encode(&parts).expect("rows"), loaded.encode(&parts).expect("rows"));
    std::fs::remove_file(&path).expect("the file");
}

model! {
    /// A scale beside the coefficients, and a network that is held at nothing.
    pub Beside(x: [f64; N, D], y: [f64; N], f: net(D => 1)) {
        mu ~ Normal(0, 3);
        sigma ~ HalfNormal(1);
        for d in D {
            w[d] ~ Normal(0, 2);
        }
        for n in N {
            let m = f(x[n]);
            y[n] ~ Normal(mu + m + dot(w, x[n]), sigma);
        }
    }
}

model! {
    /// The same without a network.
    pub Alone(x: [f64; N, D], y: [f64; N]) {
        mu ~ Normal(0, 3);
        sigma ~ HalfNormal(1);
        for d in D {
            w[d] ~ Normal(0, 2);
        }
        for n in N {
            y[n] ~ Normal(mu + dot(w, x[n]), sigma);
        }
    }
}

#[test]
fn a_fit_of_rows_agrees_with_that_of_the_whole_model() {
    let Line { x, y, f } = line();
    let alone = Alone { x: x.clone(), y: y.clone() };
    let beside = Beside { x, y, f };
    let whole = fit_bbvi(&alone, Bbvi { family: Family::FullRank, ..Bbvi::default() }).expect("a good model");
    let drawn = whole.draws(&alone, 20_000).expect("draws");
    let of_rows = fit_amortized(&beside, &Automatic, of_line(6000)).expect("a good model");
    let found = of_rows.global_draws(20_000, 1).expect("draws");
    let expected = [("mu", drawn.mu.into_dyn()), ("sigma", drawn.sigma.into_dyn()), ("w", drawn.w.into_dyn())];
    for (name, expected) in &expected {
        let (_, found) = found.iter().find(|(own, _)| own == name).expect("a latent");
        for (found, expected) in moments(found).iter().zip(moments(expected)) {
            assert!((found.0 - expected.0).abs() < 0.1 * expected.1, "{name}: {found:?} {expected:?}");
            assert!((found.1 / expected.1 - 1.0).abs() < 0.06, "{name}: {found:?} {expected:?}");
        }
    }
}
