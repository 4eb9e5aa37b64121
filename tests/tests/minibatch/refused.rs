//! What is refused in batches, and how it is named.

use ppl_core::guides::MeanField;
use ppl_core::prelude::*;
use ppl_tests::guides::Reticent;

use crate::fits::Groups;

/// What is said of a fit in batches.
fn message<M: Model>(model: &M, plate: &str) -> String {
    let config = Bbvi { minibatch: Some(Minibatch::of(plate, 2)), ..Bbvi::default() };
    fit_bbvi(model, config).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_cannot_be_taken_apart_is_refused_with_the_reason() {
    use crate::indivisible::*;
    let y = || vec![0.1, 0.5, -0.3];
    let found = [
        message(&Summed { y: y(), M: 2 }, "N"),
        message(&Walk { y: y() }, "T"),
        message(&Games { y: y(), home: Indices::from(vec![0, 1, 1]), away: Indices::from(vec![1, 0, 0]) }, "G"),
        message(&Coded { y: y(), group: Indices::from(vec![0, 1, 1]) }, "G"),
        message(&Sized { y: y() }, "N"),
        message(&Numbered { y: y() }, "N"),
        message(&Shares { y: Array2::from_elem((3, 2), 4) }, "K"),
        message(&Holes { y: vec![Some(0.1), None, Some(1.0)] }, "N"),
        message(&Gathered { y: y(), group: Indices::from(vec![0, 1, 1]) }, "P"),
        message(&Pairs { y: y() }, "N"),
        message(&Inner { y: y(), x: Array2::ones((3, 2)) }, "K"),
        message(&From { y: y(), T: 5 }, "N"),
        message(&Labels { y: y(), p: vec![0.2, 0.3, 0.5], c: 1 }, "N"),
        message(&First { y: y() }, "N"),
        message(&At { y: y(), T: 5 }, "N"),
        message(&Chained { y: y() }, "T"),
        message(&Solved { times: vec![1.0, 2.0, 3.0], y: y() }, "T"),
    ];
    let expected = [
        "`Summed` cannot be taken in batches of `N`: `y[n] ~ Normal(sum(m in N => theta[m]), 1)` sums over all of it; dimensions that can be: none",
        "`Walk` cannot be taken in batches of `T`: `t` runs over part of it; dimensions that can be: none",
        "`Games` cannot be taken in batches of `G`: `y[n] ~ Normal(skill[home[n]] - skill[away[n]], 1)` reads `skill` through `away` and through `home`; dimensions that can be: `N`",
        "`Coded` cannot be taken in batches of `G`: `y[n] ~ Normal(theta[group[n]] + group[n], 1)` uses `group` as a number; dimensions that can be: `N`",
        "`Sized` cannot be taken in batches of `N`: `y[n] ~ Normal(mu, 1 + 1 / N)` uses its size as a number; dimensions that can be: none",
        "`Numbered` cannot be taken in batches of `N`: `y[n] ~ Normal(mu * n, 1)` uses `n` as a number; dimensions that can be: none",
        "`Shares` cannot be taken in batches of `K`: the elements of `share` along it are one event; dimensions that can be: `N`",
        "`Holes` cannot be taken in batches of `N`: `y` has missing values; dimensions that can be: none",
        "`P` is not a dimension of `Gathered`; those that can be taken in batches are `N`, `G`",
        "`Pairs` cannot be taken in batches of `N`: `factor(-(x[n] - x[m]).powi(2))` stands in two loops over it; dimensions that can be: none",
        "`Inner` cannot be taken in batches of `K`: no statement runs over it; dimensions that can be: `N`",
        "`From` cannot be taken in batches of `N`: the range of `t` depends on its size; dimensions that can be: none",
        "`Labels` cannot be taken in batches of `N`: `c ~ Categorical(probs = p)` reads all of `p`; dimensions that can be: none",
        "`First` cannot be taken in batches of `N`: `y[n] ~ Normal(mu + y[0], 1)` reads another element of `y`; dimensions that can be: none",
        "`At` cannot be taken in batches of `N`: `y[n] ~ Normal(z[(N)], 1)` reads `z` at its size; dimensions that can be: none",
        "`Chained` cannot be taken in batches of `T`: `sum z[t] in 0..2 for t in T { .. }` is a chain along it; dimensions that can be: none",
        "`Solved` cannot be taken in batches of `T`: `ode s in 0..times[t] for t in T { .. }` is solved along it; dimensions that can be: none",
    ];
    assert_eq!(found, expected);
    let config = |minibatch| Bbvi { minibatch: Some(minibatch), ..Bbvi::default() };
    let data = Gathered { y: y(), group: Indices::from(vec![0, 1, 1]) };
    let error = |config: Bbvi| fit_bbvi(&data, config).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(error(config(Minibatch::of("N", 4))), "`minibatch` asks for 4 elements of `N`, which has 3; ask for 1 to 3");
    let mixture = Family::Mixture { components: 2, full_rank: true };
    let error_of_family = error(Bbvi { family: mixture, ..config(Minibatch::of("N", 2)) });
    assert!(
        error_of_family.ends_with("cannot be fitted in batches: take Family::MeanField, Blocks, LowRank or FullRank"),
        "{error_of_family}"
    );
    let objective = Objective::ImportanceWeighted { samples: 4 };
    assert!(error(Bbvi { objective, ..config(Minibatch::of("N", 2)) }).ends_with("take the ELBO"));
}

/// Guides without parts are refused where latents are over the plate.
#[test]
fn a_guide_without_parts_is_refused() {
    let model = Groups { y: Array2::from_elem((4, 2), 0.5) };
    let config = Bbvi { minibatch: Some(Minibatch::of("G", 2)), ..Bbvi::default() };
    let refused = fit_guide(&model, &Reticent::whole(MeanField::new(&[0.0; 6], &[0.0; 6])), config);
    assert!(refused.is_err_and(|error| error.to_string().ends_with("implement `Guide::part`")));
}

model! {
    /// A latent over the plate whose density is not finite wherever the guide draws it.
    pub Broken(y: [f64; N]) {
        for n in N {
            theta[n] ~ Normal(0, 1);
            y[n] ~ Normal(sqrt(theta[n] - 100), 1);
        }
    }
}

/// A density that is not finite is named by its statement, also where only a batch was evaluated.
#[test]
fn what_is_not_finite_in_a_batch_is_named() {
    let model = Broken { y: vec![1.0; 6] };
    let config = || Bbvi { minibatch: Some(Minibatch::of("N", 2)), ..Bbvi::default() };
    let start = fit_bbvi(&model, config()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(start.contains("sqrt(theta[n] - 100)"), "{start}");
    // A guide that brings its own start meets it in the first step.
    let step = fit_guide(&model, &MeanField::new(&[0.0; 6], &[0.0; 6]), config());
    let step = step.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(step.starts_with("step ") && step.contains("sqrt(theta[n] - 100)"), "{step}");
}

model! {
    /// A Gaussian process: its covariance is computed as a whole.
    pub Together(x: [f64; N], y: [f64; N]) {
        s ~ HalfNormal(1);
        let k[N, N] = squared_exponential(x, s, 1, 1);
        for n in N {
            y[n] ~ Normal(k[n, 0], 1);
        }
    }
}

#[test]
fn an_array_that_is_computed_together_is_not_taken_apart() {
    let said = message(&Together { x: vec![0.1, 0.5, -0.3], y: vec![0.0, 1.0, 2.0] }, "N");
    assert_eq!(
        said,
        "`Together` cannot be taken in batches of `N`: `let k[N, N] = squared_exponential(x, s, 1, 1)` computes all of `k` together; dimensions that can be: none"
    );
}
