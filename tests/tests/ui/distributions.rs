use ppl_core::prelude::*;

model! {
    pub Distributions(y: [f64; N], c: [u64; N]) {
        a ~ Normal(0);
        b ~ Normal(0, sigma = 1);
        d ~ Gamma(shape = 1, shape = 2);
        e ~ normal(0, 1);
        f ~ 3 + 4;
        g ~ Bernoulli(0.5);
        h ~ Normal(0, -1);
        i ~ Normal(0, h);
        j ~ Truncated(Gamma(1, 1), lower = 0);
        l ~ Truncated(Normal(0, 1));
        o ~ Ordered(Normal(0, 1));
        for n in N {
            y[n] ~ Poisson(2);
            c[n] ~ Normal(0, 1);
        }
    }
}

fn main() {}
