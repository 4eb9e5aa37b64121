use ppl_core::prelude::*;

model! {
    pub Normal(y: f64) {
        a ~ Normal(0, 1);
    }
}

model! {
    pub Arguments(y: [f64; N], g: [in K; N], single: [f64; N]) {
        a ~ Normal;
        b ~ y;
        c ~ Gamma(1, 2, 3);
        d ~ Truncated(Normal(0, 1), 0);
        e ~ Truncated(Normal(0, 1), lower = 0, lower = 1);
        f[K] ~ Ordered(1);
        h[K] ~ Ordered(Dirichlet(1));
        i[K] ~ Ordered(Beta(1, 2));
        j ~ Ordered(Normal(0, 1));
        k[K] ~ Ordered(Poisson(1));
        s ~ HalfNormal(1);
        l ~ Uniform(0, s);
        factor(Dirichlet(1).log_prob(s));
        factor(nothing(1).log_prob(s));
        factor(Poisson(1).log_prob(s));
        factor(Binomial(s, 0.5).log_prob(2));
        single[N] ~ Skellam(1, 2);
        m[K] ~ Ordered(Normal(0, 1), 2);
        g[N] ~ Poisson(3);
    }
}

model! {
    pub Precision(double: [f64; N], single: [f32; N]) {
        a ~ Normal(0, 1);
    }
}

fn main() {}
