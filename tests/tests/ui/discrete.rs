use ppl_core::prelude::*;

model! {
    pub Unbounded(y: [f64; N], w: [f64; K], e: [u64; N]) {
        mu[K] ~ Normal(0, 1);
        many ~ Poisson(3);
        for n in N {
            few[n] ~ Binomial(e[n], 0.5);
            k[n] ~ Categorical(w);
            y[n] ~ Normal(mu[k], 1);
        }
        z[0] ~ Binomial(3, 0.5);
        for t in 1..N {
            z[t] ~ Binomial(4, 0.5);
        }
    }
}

model! {
    pub Read(y: [f64; N], w: [f64; K]) {
        mu[K] ~ Normal(0, 1);
        for n in N {
            k[n] ~ Categorical(w);
            let q[n] = mu[k[n]];
            param theta[n]: real = k[n];
            x[n] ~ Uniform(0, k[n] + 1);
            sum j in K ~ Categorical(w) {
                y[n] ~ Normal(mu[j] + k[n], 1);
                i[n] ~ Bernoulli(0.5);
            }
            sum l in 0..5 ~ Binomial(k[n] + 4, 0.5) {
                factor(l);
            }
        }
    }
}

model! {
    pub Groups(y: [f64; N], w: [f64; K]) {
        mu ~ Normal(0, 1);
        for n in N {
            k[n] ~ Categorical(w);
            y[n] ~ Normal(mu * k[n], 1);
        }
    }
}

guide! {
    pub OfGroups for Groups() {
        mu ~ Normal(0, 1);
        for n in N {
            k[n] ~ Categorical(w);
        }
    }
}

fn main() {}
