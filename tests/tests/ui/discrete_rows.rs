//! Discrete latents of models with networks, and of their guides.

use ppl_core::prelude::*;

model! {
    pub Coded(x: [f64; N, D], w: [f64; K], decoder: net(K + 1 => D)) {
        for n in N {
            k[n] ~ Categorical(w);
            z[n] ~ Normal(0, 1);
            x[n, D] ~ Normal(decoder(one_hot(k[n]), z[n]), 1);
        }
    }
}

ppl_core::guide! {
    pub Continuous for Coded(encoder: net(D => 1)) {
        for n in N {
            let a = encoder(x[n]);
            z[n] ~ Normal(0, 1);
            k[n] ~ Normal(0, 1);
        }
    }
}

ppl_core::guide! {
    pub Another for Coded(encoder: net(D => 1)) {
        for n in N {
            let a = encoder(x[n]);
            z[n] ~ Poisson(3);
            k[n] ~ Bernoulli(logit = a);
        }
    }
}

model! {
    pub Counted(x: [f64; N], decoder: net(1 => 1)) {
        for n in N {
            k[n] ~ Poisson(3);
            x[n] ~ Normal(decoder(k[n]), 1);
        }
    }
}

ppl_core::guide! {
    pub Left for Counted() {
        auto k;
    }
}

model! {
    pub Nothing(x: [f64; N, D], decoder: net(D => D)) {
        for n in N {
            k[n] ~ Categorical(0.5);
            x[n, D] ~ Normal(decoder(one_hot(x[n])), 1);
        }
    }
}

model! {
    pub TwoWords(x: [f64; N, D], k: [in K; N], decoder: net(K => D)) {
        for n in N {
            x[n, D] ~ Normal(decoder(one_hot(k[n], 1)), 1);
        }
    }
}

model! {
    pub Parts(x: [f64; N, D], w: [f64; K], v: [f64; J], decoder: net(D => D), L: usize) {
        for n in N {
            k[n, 0] ~ Categorical(w);
            for l in 1..L {
                k[n, l] ~ Categorical(v);
            }
            x[n, D] ~ Normal(decoder(x[n]), 1);
        }
    }
}

model! {
    pub Within(x: [f64; N, D], w: [f64; K], decoder: net(D => D)) {
        for n in N {
            sum j in K ~ Categorical(w) {
                k[n] ~ Categorical(w);
                x[n, D] ~ Normal(decoder(x[n]), 1);
            }
        }
    }
}

model! {
    pub Outside(x: [f64; N, D], w: [f64; K], decoder: net(D => D)) {
        k ~ Categorical(w);
        for n in N {
            x[n, D] ~ Normal(decoder(x[n]) + k, 1);
        }
    }
}

fn main() {}
