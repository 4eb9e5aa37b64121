use ppl_core::prelude::*;

model! {
    pub Wrong(y: [f64; N], x: [f64; N], w: [f64; K], table: [f64; K, K]) {
        mu ~ Normal(0, 1) sampled;
        y[N] ~ Normal(0, 1) sampled;
        count ~ Poisson(3) sampled;
        unbounded ~ Poisson(2);
        difference ~ Skellam(1, 2) sampled;
        either ~ Mixture(w, Binomial(3, 0.5), Binomial(5, 0.5)) sampled;
        part[0] ~ Bernoulli(0.5) sampled;
        for n in 1..N {
            part[n] ~ Bernoulli(0.5);
        }
        other[0] ~ Bernoulli(0.5) sampled;
        for n in 1..N {
            other[n] ~ Poisson(0.5) sampled;
        }
        whole[0] ~ Bernoulli(0.5);
        for n in 1..N {
            whole[n] ~ Bernoulli(0.5) sampled;
        }
        for n in N {
            k[n] ~ Categorical(w) sampled;
            let elsewhere = x[k[n]];
            let counted = w[count];
            let chosen = if k[n] == 0 { 1 } else { 2 };
            x[n] ~ Normal(elsewhere + counted + chosen, k[n] - 3);
            next[n] ~ Categorical(table[k[n]]) sampled;
            itself[n] ~ Poisson(exp(itself[n])) sampled;
        }
        sum j in K ~ Categorical(w) {
            inner ~ Poisson(w[j]) sampled;
        }
    }
}

model! {
    pub Rows(y: [f64; N], net: net(1 => 1)) {
        for n in N {
            k[n] ~ Bernoulli(0.5) sampled;
            y[n] ~ Normal(k[n], 1);
        }
    }
}

model! {
    pub Counts(y: [u64; N]) {
        rate ~ Gamma(2, 1);
        for n in N {
            all[n] ~ Poisson(rate) sampled;
            y[n] ~ Binomial(all[n], 0.5);
        }
    }
}

guide! {
    pub OfCounts for Counts() {
        auto all;
        rate ~ LogNormal(0, 1);
    }
}

model! {
    pub Plain(y: [u64; N]) {
        rate ~ Gamma(2, 1);
        y[N] ~ Poisson(rate);
    }
}

guide! {
    pub OfPlain for Plain() {
        rate ~ LogNormal(0, 1) sampled;
    }
}

guide! {
    pub OfAll for Counts() {
        param a: real = 0;
        rate ~ LogNormal(0, 1);
        all[N] ~ Normal(a, 1);
    }
}

guide! {
    pub Inflated for Counts() {
        rate ~ LogNormal(0, 1);
        all[N] ~ ZeroInflated(Poisson(2), gate = 0.5);
    }
}

guide! {
    pub Missing for Counts() {
        rate ~ LogNormal(0, 1);
    }
}

model! {
    pub Switches(y: [f64; N], w: [f64; K]) {
        for n in N {
            on[n] ~ Bernoulli(0.5) sampled;
            kind[n] ~ Categorical(w) sampled;
            few[n] ~ Binomial(3, 0.5) sampled;
            y[n] ~ Normal(on[n] + few[n], 1);
        }
    }
}

guide! {
    pub OfSwitches for Switches(v: [f64; L]) {
        for n in N {
            on[n] ~ Poisson(y[n]);
            kind[n] ~ Categorical(v);
            few[n] ~ Binomial(4, 0.5);
        }
    }
}

guide! {
    pub Left for Switches() {
        auto kind;
        few[N] ~ Bernoulli(0.5);
        on[0] ~ Bernoulli(0.5);
        on[1] ~ Bernoulli(0.4);
    }
}

fn main() {}
