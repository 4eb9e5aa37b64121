use ppl_core::prelude::*;

model! {
    pub Priors(y: [f64; N], w: [f64; K], v: [f64; J]) {
        mu[K] ~ Normal(0, 1);
        for n in N {
            sum a in K ~ Normal(0, 1) {
                y[n] ~ Normal(mu[a], 1);
            }
            sum b in K ~ Categorical(v) {
                factor(b);
            }
            sum c in K ~ Categorical(w).mask(n > 0) {
                factor(c);
            }
            sum d in 0..2 ~ Bernoulli(mu[0]) {
                factor(d);
            }
            sum b in K ~ Categorical(w) {
                factor(b);
            }
        }
    }
}

model! {
    pub Blocks(y: [f64; N], w: [f64; K]) {
        mu[K] ~ Normal(0, 1);
        for n in N {
            sum k in K ~ Categorical(w) {
                let q[n] = mu[k];
                param theta: real = 0;
                x[n] ~ Uniform(0, 1);
                z[n, k] ~ Normal(0, 1);
                j ~ Normal(0, 1);
                y[n] ~ Normal(mu[k], 1);
            }
            factor(mu[k]);
        }
    }
}

model! {
    pub Chains(y: [f64; T], w: [f64; K], a: [f64; K, K]) {
        sum p[t] in K for t in T {
            p[0] ~ Categorical(w);
            y[t] ~ Normal(p[t], 1);
        }
        sum q[t] in K for t in 1..T {
            q[t] ~ Categorical(a[q[t - 1]]);
        }
        sum r[t] in K for t in T {
            r[0] ~ Categorical(w);
            r[t] ~ Categorical(a[r[t - 2]]);
            r[1] ~ Categorical(w);
            factor(r[t - 1]);
        }
        sum s[t] in K for t in T {
            s[0] ~ Categorical(w);
            s[t] ~ Categorical(a[s[t]]);
            factor(a[s, 0] + s);
        }
    }
}

model! {
    pub Words(y: [f64; T], w: [f64; K]) {
        sum 3 in K ~ Categorical(w) { }
        sum k K ~ Categorical(w) { }
        sum k in K { factor(k); }
        sum k in K ~ Categorical(w);
        sum k[0] in K for t in T { }
        sum k[t] in K { }
    }
}

model! {
    pub Mixed(y: [f64; N], w: [f64; K]) {
        mu ~ Normal(0, 1);
        for n in N {
            sum k in K ~ Categorical(w) {
                y[n] ~ Normal(mu * k, 1);
            }
        }
    }
}

guide! {
    pub MixedGuide for Mixed() {
        sum k in 0..2 ~ Bernoulli(0.5) {
            mu ~ Normal(k, 1);
        }
    }
}

model! {
    pub Rows(y: [f32; N, T], K: usize, decoder: net(Z => T), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let m = decoder(z[n]);
            sum s[t] in 0..2 for t in T {
                s[0] ~ Bernoulli(0.5);
                s[t] ~ Bernoulli(0.5);
                y[n, t] ~ Normal(m[t] + s[t], 1);
            }
        }
    }
}

fn main() {}
