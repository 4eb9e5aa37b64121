//! The densities and gradients of batches, whose expectation is that of all rows.

use ppl_core::estimators::{Batched, GradientEstimator, Pathwise};
use ppl_core::guides::MeanField;
use ppl_core::model::{Batch, LogJoint};
use ppl_core::prelude::*;
use ppl_core::random::{step_key, uniform};

use crate::Outcome;

model! {
    /// Latents over the plate and not, on several supports, with an index into another plate and a plate within.
    pub Panel(y: [f64; N, T], x: [f64; T, N], group: [in G; N], size: [u64; N]) {
        mu ~ Normal(0, 2);
        tau ~ HalfNormal(1);
        param noise: positive = 1 + sum(size) / N;
        for g in G {
            alpha[g] ~ Normal(mu, tau);
        }
        for n in N {
            rate[n] ~ Gamma(2, 1);
            share[n, T] ~ Dirichlet(2);
            param shift[n]: interval(-1, 2) = 0.1;
            let level[n] = alpha[group[n]] + rate[n].ln() + shift[n];
            size[n] ~ Poisson(rate[n]);
            for t in T {
                effect[t, n] ~ Normal(0, 1);
                y[n, t] ~ Normal(level[n] + effect[t, n] * x[t, n], noise + share[n, t]);
            }
        }
    }
}

fn panel() -> Panel {
    let number = |i: usize| 2.0 * uniform(9, i as u64) - 1.0;
    Panel {
        y: Array2::from_shape_fn((6, 3), |(n, t)| number(3 * n + t)),
        x: Array2::from_shape_fn((3, 6), |(t, n)| number(100 + 6 * t + n)),
        group: Indices::from(vec![0, 1, 1, 0, 2, 1]),
        size: vec![1, 0, 3, 2, 1, 4],
    }
}

model! {
    /// Arrays that are computed together, outside the plate and in it.
    pub Fields(grid: [f64; M], y: [f64; N], x: [f64; N, P], at: [in M; N]) {
        omega[P, P] ~ LkjCholesky(2);
        z[M] ~ Normal(0, 1);
        let covariance[M, M] = matern32(grid, 1, 0.7, jitter = 0.1);
        let root[M, M] = cholesky(covariance);
        let f[M] = matvec(root, z);
        for n in N {
            e[n, P] ~ Normal(0, 1);
            let b[n, P] = matvec(omega, e[n]);
            y[n] ~ Normal(f[at[n]] + dot(x[n], b[n]), 0.5);
        }
    }
}

fn fields() -> Fields {
    let number = |i: usize| 2.0 * uniform(11, i as u64) - 1.0;
    Fields {
        grid: vec![0.0, 0.4, 1.1, 1.5],
        y: (0..6).map(number).collect(),
        x: Array2::from_shape_fn((6, 3), |(n, p)| number(100 + 3 * n + p)),
        at: Indices::from(vec![3, 0, 1, 1, 2, 3]),
    }
}

model! {
    /// What is summed out of a row, and a discrete latent of each row.
    pub Kinds(y: [f64; N], group: [in G; N], K: usize) {
        w[K] ~ Dirichlet(2);
        mu[K] ~ Normal(0, 2);
        for g in G {
            rare[g] ~ Bernoulli(0.3);
        }
        for n in N {
            sum k in K ~ Categorical(w) {
                y[n] ~ Normal(mu[k], 1);
            }
            z[n] ~ Categorical(w);
            factor(-0.1 * (y[n] - mu[z[n]] - rare[group[n]]).powi(2));
        }
    }
}

model! {
    /// Pupils belong to classes, and classes to schools.
    pub Schools(y: [f64; N], age: [f64; N], class: [in C; N], school: [in S; C], size: [f64; S]) {
        mu ~ Normal(0, 2);
        for s in S {
            of_school[s] ~ Normal(mu * size[s], 1);
        }
        for c in C {
            of_class[c] ~ Normal(of_school[school[c]], 0.5);
            let level[c] = of_class[c] + size[school[c]];
        }
        for n in N {
            own[n] ~ Normal(0, 1);
            y[n] ~ Normal(level[class[n]] + own[n] * age[n], 1);
        }
    }
}

fn schools() -> Schools {
    Schools {
        y: (0..6).map(|n| uniform(13, n)).collect(),
        age: (0..6).map(|n| uniform(14, n)).collect(),
        class: Indices::from(vec![4, 1, 1, 0, 2, 3]),
        school: Indices::of_size(vec![1, 0, 1, 2, 0], 6),
        size: (0..6).map(|s| uniform(15, s)).collect(),
    }
}

/// The mean over the batches of a partition of a plate into three is the log density of all of it, and its gradient.
fn check_partition(model: &dyn LogJoint<f64>, plate: &str, partition: [&[usize]; 3]) -> Outcome {
    let (samples, layout) = (8, model.layout());
    let u = ppl_tests::points(layout.unconstrained(), samples);
    let (whole, gradient) = ppl_tests::log_density(model, &u, &model.unit_weights(samples));
    let plate = model.graph().plate(plate)?;
    let (mut mean, mut mean_gradient) = (vec![0.0; samples], vec![0.0; u.len()]);
    for rows in partition {
        let batch = Batch { plate, size: layout.dims[plate].size, rows, following: &model.following(plate, rows) };
        let part = model.batch(&batch)?;
        let dimensions = batch.unconstrained(layout);
        assert_eq!(dimensions.len(), part.layout().unconstrained());
        let own: Vec<f64> = dimensions.iter().flat_map(|&i| u[i * samples..(i + 1) * samples].to_vec()).collect();
        let (value, derivative) = ppl_tests::log_density(&*part, &own, &part.unit_weights(samples));
        mean.iter_mut().zip(&value).for_each(|(mean, value)| *mean += value / 3.0);
        for (row, &i) in derivative.chunks_exact(samples).zip(&dimensions) {
            mean_gradient[i * samples..].iter_mut().zip(row).for_each(|(mean, d)| *mean += d / 3.0);
        }
    }
    for (found, expected) in mean.iter().chain(&mean_gradient).zip(whole.iter().chain(&gradient)) {
        assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{found}, {expected}");
    }
    Ok(())
}

#[test]
fn batches_of_a_partition_make_up_the_whole() -> Outcome {
    let (of_n, y) = ([&[4, 1][..], &[0, 5], &[3, 2]], (0..6).map(|n| 2.0 * uniform(12, n) - 1.0).collect());
    let kinds = Kinds { y, group: Indices::from(vec![0, 1, 1, 0, 2, 1]), K: 2 };
    check_partition(&*panel().bind()?, "N", of_n)?;
    check_partition(&*fields().bind()?, "N", of_n)?;
    check_partition(&*kinds.bind()?, "N", of_n)?;
    check_partition(&*schools().bind()?, "N", of_n)
}

/// What reads an array over the plate through an index goes with it: rows of groups, and rows of rows of groups; some groups have none.
#[test]
fn what_belongs_to_the_elements_goes_with_them() -> Outcome {
    let of_groups = [&[1][..], &[2], &[0]];
    check_partition(&*panel().bind()?, "G", of_groups)?;
    let y = (0..6).map(|n| 2.0 * uniform(12, n) - 1.0).collect();
    check_partition(&*Kinds { y, group: Indices::from(vec![0, 1, 1, 0, 2, 1]), K: 2 }.bind()?, "G", of_groups)?;
    let (schools, of_schools) = (schools(), [&[4, 1][..], &[0, 5], &[3, 2]]);
    let model = schools.bind()?;
    check_partition(&*model, "S", of_schools)?;
    let plate = model.graph().plate("S")?;
    let following = model.following(plate, &[2, 0]);
    // School 2 has class 3, whose pupil is 5; school 0 has classes 1 and 4, with pupils 1, 2 and 0.
    let found: Vec<_> = following.iter().map(|known| (&known.rows[..], &known.belongs[..], &known.owners[..])).collect();
    assert_eq!(found, [(&[3, 1, 4][..], &[0, 1, 1][..], &[0, 1, 1][..]), (&[5, 1, 2, 0], &[0, 1, 1, 2], &[0, 1, 1, 1])]);
    Ok(())
}

/// All batches of an epoch are disjoint and the expectation of the gradient is that over all rows.
#[test]
fn the_gradient_over_batches_is_unbiased() -> Outcome {
    let data = panel();
    let model = data.bind()?;
    let n = model.layout().unconstrained();
    let loc: Vec<f64> = (0..n).map(|i| 0.3 * (1.7 * i as f64).sin()).collect();
    let points = model.layout().points();
    let guide = MeanField::with_points(&loc, &vec![-1.0; n - points], &vec![1.0; points]);
    let plate = model.graph().plate("N")?;
    let moments = |estimator: &mut dyn GradientEstimator<f64>, steps: u64| {
        let (mut mean, mut square, mut gradient) =
            (vec![0.0; 2 * n - points], vec![0.0; 2 * n - points], vec![0.0; 2 * n - points]);
        for step in 0..steps {
            estimator.estimate(&*model, &guide, step_key(5, step), &mut gradient);
            for i in 0..2 * n - points {
                mean[i] += gradient[i] / steps as f64;
                square[i] += gradient[i].powi(2) / steps as f64;
            }
        }
        let error: Vec<f64> = square.iter().zip(&mean).map(|(s, m)| ((s - m * m) / steps as f64).max(0.0)).collect();
        (mean, error)
    };
    let whole = moments(&mut Pathwise::new(&*model, &guide, 64, Objective::Elbo).sticking(false), 500);
    for kind in [Estimator::Reparameterization, Estimator::StickingTheLanding, Estimator::SCORE_FUNCTION] {
        let mut batched = Batched::new(model.batches(plate, 2, 3), 64, &vec![kind; n]);
        let batched = moments(&mut batched, 6000);
        for i in 0..2 * n - points {
            let error = (whole.1[i] + batched.1[i]).sqrt();
            assert!(
                (whole.0[i] - batched.0[i]).abs() < 4.5 * error + 1e-12,
                "{kind:?}, {i}: {} {} {error}",
                whole.0[i],
                batched.0[i]
            );
        }
    }
    Ok(())
}
