//! Latents of the elements of a plate that is taken in batches: each keeps its own parameters, which only its own batches move.

use ppl_core::prelude::*;
use ppl_core::random::{normals, uniform};

use crate::Outcome;

model! {
    /// Groups of unequal sizes, whose rows name their group.
    pub Clusters(y: [f64; N], group: [in G; N]) {
        mu ~ Normal(0, 10);
        tau ~ HalfNormal(5);
        for g in G {
            theta[g] ~ Normal(mu, tau);
        }
        for n in N {
            y[n] ~ Normal(theta[group[n]], 1);
        }
    }
}

model! {
    /// The same without the means of the groups: what is known of their averages.
    pub Averages(mean: [f64; G], sd: [f64; G]) {
        mu ~ Normal(0, 10);
        tau ~ HalfNormal(5);
        for g in G {
            mean[g] ~ Normal(mu, (tau.powi(2) + sd[g].powi(2)).sqrt());
        }
    }
}

/// So many groups of three to nine rows, in the order of the groups or mixed up.
fn clusters(groups: usize) -> Clusters {
    let mut theta = vec![0.0_f64; groups];
    normals(1, 1, &mut theta);
    let group: Vec<usize> = (0..groups).flat_map(|g| vec![g; 3 + g % 7]).collect();
    let mut order: Vec<usize> = (0..group.len()).collect();
    order.sort_by(|&a, &b| uniform(2, a as u64).total_cmp(&uniform(2, b as u64)));
    let mut y = vec![0.0_f64; group.len()];
    normals(3, 1, &mut y);
    let group: Vec<usize> = order.iter().map(|&row| group[row]).collect();
    y.iter_mut().zip(&group).for_each(|(y, &g)| *y += 1.0 + 1.5 * theta[g]);
    Clusters { y, group: Indices::from(group) }
}

/// The number, sum and average of the rows of each group.
fn averages(data: &Clusters) -> (Averages, Vec<f64>) {
    let groups = data.group.size();
    let (mut count, mut mean) = (vec![0.0; groups], vec![0.0; groups]);
    for (y, &g) in data.y.iter().zip(data.group.values()) {
        count[g] += 1.0;
        mean[g] += y;
    }
    mean.iter_mut().zip(&count).for_each(|(mean, count)| *mean /= count);
    let sd = count.iter().map(|count: &f64| count.sqrt().recip()).collect();
    (Averages { mean, sd }, count)
}

#[test]
fn latents_of_groups_find_their_posterior() -> Outcome {
    let data = clusters(3000);
    let (averages, count) = averages(&data);
    let exact = fit_bbvi(&averages, Bbvi::default())?;
    for optimizer in [Optimizer::Auto, Optimizer::NaturalGradient { delay: 200.0, forgetting: 0.7 }, Optimizer::Adam] {
        let fit = fit_bbvi(
            &data,
            Bbvi { minibatch: Some(Minibatch::of("G", 100)), max_steps: 1500, draws: 1000, optimizer, ..Bbvi::default() },
        )?;
        let known = |name: &str| exact.scalar(name).expect("a latent");
        for name in ["mu", "tau"] {
            let (found, known) = (fit.scalar(name).expect("a latent"), known(name));
            eprintln!("{optimizer:?} {name}: {} {}, exactly {} {}", found.mean, found.sd, known.mean, known.sd);
            assert!((found.mean - known.mean).abs() < 0.5 * known.sd, "{optimizer:?}, {name}");
            // Independent of the latents of the groups, they seem better known than they are.
            assert!(found.sd < 1.1 * known.sd && found.sd > 0.5 * known.sd, "{optimizer:?}, {name}");
        }
        let (mu, tau) = (known("mu").mean, known("tau").mean);
        let (mut error, mut spread) = (0.0, 0.0);
        for ((theta, mean), count) in fit.summary_of(&data, "theta")?.iter().zip(&averages.mean).zip(&count) {
            let precision = count + tau.powi(-2);
            let (known, sd) = ((count * mean + mu * tau.powi(-2)) / precision, precision.powf(-0.5));
            error += ((theta.mean - known) / sd).powi(2) / 3000.0;
            spread += (theta.sd / sd).ln().abs() / 3000.0;
        }
        eprintln!("{optimizer:?}: error of a latent {:.3} of its sd, of its sd {:.3}", f64::sqrt(error), spread);
        // A thousand draws know a mean to three hundredths of a standard deviation.
        assert!(error.sqrt() < 0.12 && spread < 0.06, "{optimizer:?}: {error} {spread}");
    }
    Ok(())
}

model! {
    /// Counts of sites, with an exposure each, and an effect of each site that is a point.
    pub Counts(y: [u64; S, D], exposure: [f64; S]) {
        mu ~ Normal(0, 2);
        tau ~ HalfNormal(1);
        for s in S {
            param tilt[s]: interval(-1, 1) = 0;
            rate[s] ~ LogNormal(mu, tau);
            for d in D {
                y[s, d] ~ Poisson(exposure[s] * rate[s]);
            }
            factor(-50 * (tilt[s] - rate[s] / (1 + rate[s])).powi(2));
        }
    }
}

#[test]
fn latents_and_points_of_sites_agree_with_those_of_the_whole() -> Outcome {
    let exposure: Vec<f64> = (0..200).map(|s| 1.0 + 4.0 * uniform(5, s)).collect();
    let mut rate = vec![0.0_f64; 200];
    normals(6, 1, &mut rate);
    let count = |s: usize, d: usize| {
        let (mean, mut product, mut count) = (exposure[s] * (0.5 + 0.6 * rate[s]).exp(), 1.0, 0);
        loop {
            product *= uniform(7 + s as u64, (1000 * d + count) as u64);
            if product < (-mean).exp() {
                return count as u64;
            }
            count += 1;
        }
    };
    let model = Counts { y: Array2::from_shape_fn((200, 4), |(s, d)| count(s, d)), exposure: exposure.clone() };
    let whole = fit_bbvi(&model, Bbvi { family: Family::MeanField, ..Bbvi::default() })?;
    let minibatch = Some(Minibatch::of("S", 20));
    let fit = fit_bbvi(&model, Bbvi { minibatch, max_steps: 4000, ..Bbvi::default() })?;
    eprintln!("{:?} {:?}", fit.elbo(), whole.elbo());
    assert!((fit.elbo().0 - whole.elbo().0).abs() < 1.0, "{:?} {:?}", fit.elbo(), whole.elbo());
    for (found, known) in fit.raw().summary().scalars.iter().zip(&whole.raw().summary().scalars) {
        assert!((found.mean - known.mean).abs() < 0.25 * known.sd, "{}: {} {}", found.name, found.mean, known.mean);
        assert!((found.sd / known.sd).ln().abs() < 0.2, "{}: {} {}", found.name, found.sd, known.sd);
    }
    for (found, known) in fit.params().iter().zip(whole.params()) {
        assert!((found.value - known.value).abs() < 0.02, "{}: {} {}", found.name, found.value, known.value);
    }
    Ok(())
}

#[test]
fn elements_that_were_never_visited_are_told() -> Outcome {
    let fit =
        fit_bbvi(&clusters(500), Bbvi { minibatch: Some(Minibatch::of("G", 10)), max_steps: 20, draws: 100, ..Bbvi::default() })?;
    let note = fit.notes().iter().find(|note| note.contains("never visited")).cloned().unwrap_or_default();
    assert_eq!(
        note,
        "300 of 500 elements of `G` were never visited, and their latents are where they began: `max_steps` of 500 go through all of them ten times"
    );
    Ok(())
}

/// The same seed gives the same bits, and a log density that is not finite is told with what it is of.
#[test]
fn fits_are_reproducible_and_failures_are_named() -> Outcome {
    let config = || Bbvi { minibatch: Some(Minibatch::of("G", 10)), max_steps: 100, draws: 100, ..Bbvi::default() };
    let (first, second) = (fit_bbvi(&clusters(50), config())?, fit_bbvi(&clusters(50), config())?);
    assert_eq!(first.elbo(), second.elbo());
    assert_eq!(first.guide(), second.guide());
    let mut wrong = clusters(50);
    wrong.y.iter_mut().for_each(|y| *y *= 1e200);
    let error = fit_bbvi(&wrong, config()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("`y[n] ~ Normal(theta[group[n]], 1)`"), "{error}");
    Ok(())
}
