//! Distributions of users are checked as ours are: supports of latents, data and parameters come from their constants.

use ppl_core::bijectors::Bijector;
use ppl_core::distributions::{Cumulative, Distribution, Parameter, Partials, Support, Tails, Univariate, ValueKind};
use ppl_core::prelude::*;
use ppl_tests::check_model;

/// The exponential distribution by its mean.
#[derive(Debug)]
pub struct Waiting;

impl Distribution for Waiting {
    const NAME: &'static str = "Waiting";
    const PARAMETERS: &'static [Parameter] = &[Parameter { name: "mean", support: Support::Positive }];
    const KIND: ValueKind = ValueKind::Continuous;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = Support::Positive;
}

#[ppl_core::distribution]
impl Univariate<1> for Waiting {
    fn kernel<V: Lanes>(x: V, [mean]: [V; 1]) -> Partials<V, 1> {
        let rate = V::constant(1.0) / mean;
        Partials { log_prob: -(x * rate), d_value: -rate, d_params: [x * rate * rate] }
    }

    fn normalizer<V: Lanes>([mean]: [V; 1]) -> (V, [V; 1]) {
        (mean.ln(), [V::constant(1.0) / mean])
    }

    fn sample([mean]: [f64; 1], rng: &mut dyn rand::Rng) -> f64 {
        let u = (rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0;
        -mean * (1.0 - u).ln()
    }
}

impl Cumulative<1> for Waiting {
    fn tails<V: Lanes>(x: V, [mean]: [V; 1]) -> Tails<V, 1> {
        Tails::from_above(-(x / mean), [x / mean])
    }
}

model! {
    /// A latent, data and a parameter of a distribution of the user's.
    pub Queue(waits: [f64; N], exposure: [f64; N]) {
        rate ~ Waiting(mean = 2);
        for n in N {
            waits[n] ~ Waiting(exposure[n]);
            factor(Waiting(mean = rate).log_prob(waits[n]));
        }
    }
}

#[test]
fn the_support_of_a_latent_is_that_of_its_distribution() {
    let model = Queue { waits: vec![0.5, 1.5], exposure: vec![1.0, 2.0] };
    let bound = model.bind().expect("good data");
    assert_eq!(bound.layout().variables[0].bijector, Bijector::Exp);
    assert_eq!(bound.graph().sites[0].support, Support::Positive);
    check_model(&*bound);
}

#[test]
fn data_and_parameters_made_of_data_are_checked_against_its_supports() {
    let text = |waits, exposure| Queue { waits, exposure }.bind().err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        text(vec![0.5, -1.5], vec![1.0, 2.0]),
        "`Queue`: `waits[1]` is -1.5, but `waits[n] ~ Waiting(exposure[n])` needs it positive"
    );
    assert_eq!(
        text(vec![0.5, 1.5], vec![0.0, 2.0]),
        "`Queue`: `exposure[0]` is 0, but `waits[n] ~ Waiting(exposure[n])` needs it positive"
    );
}

model! {
    /// Waiting times of which nothing is seen.
    pub Alone(N: usize) {
        first ~ Waiting(2);
        rest ~ Exponential(0.5);
    }
}

guide! {
    /// The distribution of both.
    pub OfAlone for Alone() {
        param m: positive = 1;
        param k: positive = 1;
        first ~ Waiting(m);
        rest ~ Waiting(mean = k);
    }
}

#[test]
fn a_guide_draws_from_it_by_its_distribution_function() -> Result<(), FitError> {
    let fit = fit_guide(&Alone { N: 1 }, &OfAlone, Bbvi::default())?;
    println!("{:?} {:?}", fit.elbo(), fit.guide_params());
    assert!(fit.elbo().0.abs() < 1e-4, "{:?}", fit.elbo());
    for (name, expected) in [("m", 2.0), ("k", 2.0)] {
        let found = fit.guide_param(name).expect("a parameter");
        assert!((found - expected).abs() < 0.01, "{name}: {found}");
    }
    Ok(())
}
