//! Latents between bounds that depend on other latents.

use ppl_core::prelude::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

model! {
    /// Two shares of one, of which the second is what the first leaves at most.
    pub Region(y: [f64; N]) {
        alpha ~ Uniform(0, 1);
        beta ~ Uniform(0, 1 - alpha);
        for n in N {
            y[n] ~ Normal(alpha + 2 * beta, 0.4);
        }
    }
}

model! {
    /// Elements between the same bounds, and each between its own.
    pub Bounded(y: [f64; N, K], z: [f64; N]) {
        s ~ LogNormal(0, 0.5);
        b[K] ~ Uniform(-s, s);
        for n in N {
            c[n] ~ Uniform(b[0], upper = b[0] + s);
            z[n] ~ Normal(c[n], 0.3);
            y[n, K] ~ Normal(b, 0.5);
        }
    }
}

#[test]
fn means_are_those_of_quadrature() -> Outcome {
    let y = vec![0.9, 1.3, 0.7];
    let fit = fit_bbvi(&Region { y: y.clone() }, Bbvi::default())?;
    let (mut total, mut sums) = (0.0, [0.0; 2]);
    let steps = 1000;
    for i in 0..steps {
        let alpha = (f64::from(i) + 0.5) / f64::from(steps);
        for j in 0..steps {
            // The density of beta is one over its width, and so is the width of a step the width over the steps.
            let beta = (1.0 - alpha) * (f64::from(j) + 0.5) / f64::from(steps);
            let weight = y.iter().map(|y| -0.5 * ((y - alpha - 2.0 * beta) / 0.4).powi(2)).sum::<f64>().exp();
            total += weight;
            sums[0] += weight * alpha;
            sums[1] += weight * beta;
        }
    }
    for (name, sum) in [("alpha", sums[0]), ("beta", sums[1])] {
        let found = fit.scalar(name).ok_or("reported")?;
        assert!((found.mean - sum / total).abs() < 0.1 * found.sd, "{name}: {} {}", found.mean, sum / total);
    }
    assert!(fit.scalar("share_of_beta").is_some());
    insta::assert_snapshot!(Region::EXPANSION);
    Ok(())
}

#[test]
fn elements_lie_between_their_bounds() -> Outcome {
    let y = Array2::from_shape_fn((30, 2), |(n, k)| [0.8, -1.1][k] + 0.5 * ((n * 7 + k) as f64).sin());
    let z = (0..30).map(|n| 1.0 + 0.4 * f64::from(n).cos()).collect();
    let model = Bounded { y, z };
    let fit = fit_bbvi(&model, Bbvi::default())?;
    let draws = fit.draws(&model, 500)?;
    for draw in 0..500 {
        let s = draws.s[draw];
        assert!((0..2).all(|k| draws.b[[draw, k]].abs() < s));
        assert!((0..30).all(|n| (0.0..s).contains(&(draws.c[[draw, n]] - draws.b[[draw, 0]]))));
    }
    let mean = fit.scalar("b[1]").ok_or("reported")?.mean;
    assert!((mean + 1.1).abs() < 0.3, "{mean}");
    Ok(())
}
