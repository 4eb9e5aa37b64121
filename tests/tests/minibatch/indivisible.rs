//! Models that cannot be taken in batches of some of their plates.

use ppl_core::prelude::*;

model! {
    pub Summed(y: [f64; N], M: usize) {
        for n in N {
            theta[n] ~ Normal(0, 1);
            y[n] ~ Normal(sum(m in N => theta[m]), 1);
        }
    }
}

model! {
    pub Walk(y: [f64; T]) {
        for t in T {
            x[t] ~ Normal(0, 1);
            y[t] ~ Normal(x[t], 1);
        }
        for t in 1..T {
            factor(-(x[t] - x[t - 1]).powi(2));
        }
    }
}

model! {
    pub Gathered(y: [f64; N], group: [in G; N]) {
        for g in G {
            theta[g] ~ Normal(0, 1);
        }
        for n in N {
            y[n] ~ Normal(theta[group[n]], 1);
        }
    }
}

model! {
    pub Games(y: [f64; N], home: [in G; N], away: [in G; N]) {
        for g in G {
            skill[g] ~ Normal(0, 1);
        }
        for n in N {
            y[n] ~ Normal(skill[home[n]] - skill[away[n]], 1);
        }
    }
}

model! {
    pub Coded(y: [f64; N], group: [in G; N]) {
        for g in G {
            theta[g] ~ Normal(0, 1);
        }
        for n in N {
            y[n] ~ Normal(theta[group[n]] + group[n], 1);
        }
    }
}

model! {
    pub Sized(y: [f64; N]) {
        mu ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(mu, 1 + 1 / N);
        }
    }
}

model! {
    pub Numbered(y: [f64; N]) {
        mu ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(mu * n, 1);
        }
    }
}

model! {
    pub Shares(y: [u64; N, K]) {
        share[K] ~ Dirichlet(1);
        for n in N {
            for k in K {
                y[n, k] ~ Poisson(10 * share[k]);
            }
        }
    }
}

model! {
    pub Pairs(y: [f64; N]) {
        for n in N {
            x[n] ~ Normal(y[n], 1);
            for m in N {
                factor(-(x[n] - x[m]).powi(2));
            }
        }
    }
}

model! {
    pub Inner(y: [f64; N], x: [f64; N, K]) {
        mu ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(mu * sum(k in K => x[n, k]), 1);
        }
    }
}

model! {
    pub From(y: [f64; N], T: usize) {
        z[T] ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(0, 1);
        }
        for t in N..T {
            factor(-z[t].powi(2));
        }
    }
}

model! {
    pub Labels(y: [f64; N], p: [f64; N], c: in N) {
        mu ~ Normal(0, 1);
        c ~ Categorical(probs = p);
        for n in N {
            y[n] ~ Normal(mu, 1);
        }
    }
}

model! {
    pub First(y: [f64; N]) {
        mu ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(mu + y[0], 1);
        }
    }
}

model! {
    pub At(y: [f64; N], T: usize) {
        z[T] ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(z[(N)], 1);
        }
    }
}

model! {
    pub Holes(y: [Option<f64>; N]) {
        mu ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(mu, 1);
        }
    }
}

model! {
    pub Solved(times: [f64; T], y: [f64; T]) {
        k ~ HalfNormal(1);
        ode s in 0..times[t] for t in T {
            start(x) = 1;
            d(x) = -k * x;
        }
        for t in T {
            y[t] ~ Normal(x[t], 1);
        }
    }
}

model! {
    pub Chained(y: [f64; T]) {
        mu ~ Normal(0, 1);
        sum z[t] in 0..2 for t in T {
            z[0] ~ Bernoulli(0.5);
            z[t] ~ Bernoulli(0.2 + 0.6 * z[t - 1]);
            factor(z[t] * mu);
        }
        for t in T {
            y[t] ~ Normal(mu, 1);
        }
    }
}
