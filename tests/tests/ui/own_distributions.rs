use ppl_core::distributions::{Distribution, Parameter, Partials, Support, Univariate, ValueKind};
use ppl_core::prelude::*;

/// A distribution over whole numbers.
pub struct Counts;

impl Distribution for Counts {
    const NAME: &'static str = "Counts";
    const PARAMETERS: &'static [Parameter] = &[Parameter { name: "rate", support: Support::Positive }];
    const KIND: ValueKind = ValueKind::Discrete;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = Support::Count;
}

#[ppl_core::distribution]
impl Univariate<1> for Counts {
    fn kernel<V: Lanes>(x: V, [rate]: [V; 1]) -> Partials<V, 1> {
        Partials { log_prob: x * rate, d_value: rate, d_params: [x] }
    }
    fn sample([rate]: [f64; 1], _rng: &mut dyn rand::Rng) -> f64 {
        rate
    }
}

pub struct NoDistribution;

model! {
    pub Own(real: [f64; N], whole: [u64; N], y: [f64; N]) {
        free ~ Normal(0, 1);
        latent ~ Counts(1);
        real[N] ~ Counts(2);
        whole[N] ~ Counts(speed = 3);
        sorted[N] ~ Ordered(Counts(1));
        factor(Counts(free).log_prob(2));
    }
}

model! {
    pub TooMany(whole: [u64; N]) {
        whole[N] ~ Counts(1, 2);
    }
}

model! {
    pub None(whole: [u64; N]) {
        whole[N] ~ NoDistribution(1);
    }
}

fn main() {}
