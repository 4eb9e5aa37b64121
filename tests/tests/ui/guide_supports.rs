use ppl_core::distributions::{Distribution, Parameter, Partials, Support, Univariate, ValueKind};
use ppl_core::prelude::*;

/// A distribution over positive numbers.
pub struct Waiting;

impl Distribution for Waiting {
    const NAME: &'static str = "Waiting";
    const PARAMETERS: &'static [Parameter] = &[Parameter { name: "rate", support: Support::Positive }];
    const KIND: ValueKind = ValueKind::Continuous;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = Support::Positive;
}

#[ppl_core::distribution]
impl Univariate<1> for Waiting {
    fn kernel<V: Lanes>(x: V, [rate]: [V; 1]) -> Partials<V, 1> {
        Partials { log_prob: rate.ln() - x * rate, d_value: -rate, d_params: [V::constant(1.0) / rate - x] }
    }
    fn sample([rate]: [f64; 1], _rng: &mut dyn rand::Rng) -> f64 {
        1.0 / rate
    }
}

model! {
    pub Times(y: f64) {
        first ~ Waiting(1);
        second ~ Waiting(1);
        y ~ Normal(first + second, 1);
    }
}

guide! {
    pub OfTimes for Times() {
        first ~ LogNormal(0, 1);
        second ~ Normal(0, 1);
    }
}

model! {
    pub Lines(y: [f64; N], x: [f64; N, P]) {
        beta[P] ~ Normal(0, 1);
        rate[P] ~ Gamma(2, 1);
        y[N] ~ Normal(1, 1);
    }
}

guide! {
    pub OfLines for Lines() {
        param m[P]: real = 0;
        param l[P, P]: covariance_cholesky = 1;
        beta[P] ~ Ordered(Normal(0, 1));
        rate[P] ~ MultivariateNormal(m, scale_tril = l);
    }
}

guide! {
    pub OwnOfLines for Lines() {
        beta[P] ~ Waiting(1);
        rate[P] ~ Waiting(2);
    }
}

fn main() {}
