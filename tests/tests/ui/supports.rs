use ppl_core::prelude::*;

model! {
    pub Supports(y: [f64; N]) {
        a ~ Normal(0, 1);
        b ~ HalfNormal(1);
        p ~ Normal(0, a);
        q ~ Normal(0, b - 1 + a);
        r ~ Gamma(exp(a), -2);
        s ~ Uniform(1, 0);
        t ~ Truncated(Normal(0, 1), lower = 2, upper = 2);
        for n in N {
            y[n] ~ Bernoulli(a);
            factor(Erlang(2.5, 1).log_prob(b));
        }
    }
}

fn main() {}
