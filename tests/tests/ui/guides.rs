use ppl_core::{guide, model};

model! {
    pub Vae(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            s[n] ~ HalfNormal(1);
            x[n, D] ~ Normal(decoder(z[n]), s[n]);
        }
    }
}

guide! {
    pub Partial for Vae(encoder: net(D => Z)) {
        for n in N {
            z[n, D] ~ Normal(encoder(x[n]), 1);
            w[n] ~ Normal(0, 1);
        }
    }
}

guide! {
    pub Supports for Vae(encoder: net(D => 2 * Z + H)) {
        for n in N {
            let (loc, log_scale, more) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
            s[n] ~ LogNormal(0, 1);
            factor(loc[0]);
        }
    }
}

guide! {
    pub Kinds for Vae(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ StudentT(3, loc, exp(log_scale));
            s[n] ~ Normal(0, 1);
        }
    }
}

guide! {
    pub Sizes for Vae(encoder: net(H => Z)) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            s[n] ~ Normal(0, 1);
        }
    }
}

guide! {
    pub Data for Vae(encoder: net(D => Z)) {
        for n in N {
            z[n, Z] ~ Normal(encoder(x[n]), 1);
            s[n] ~ Normal(0, 1);
            x[n, D] ~ Normal(0, 1);
        }
    }
}

guide! { pub Encoder of Vae() {} }

model! {
    pub Plain(y: [f64; N]) {
        mu ~ Normal(0, 1);
        y[N] ~ Normal(mu, 1);
    }
}

guide! {
    pub OfPlain for Plain(encoder: net(N => 1)) {
        for n in N {
            mu ~ Normal(0, 1);
        }
    }
}

model! {
    pub Bits(x: [bool; N, D], decoder: net(1 => D)) {
        for n in N {
            share[n] ~ Beta(1, 1);
            x[n, D] ~ Bernoulli(logit = decoder(share[n]));
        }
    }
}

guide! {
    pub OfBits for Bits() {
        for n in N {
            share[n] ~ LogNormal(0, 1);
        }
    }
}

model! {
    pub Homes(y: [f64; N], z: [Option<f64>; N], county: [in C; N]) {
        param slope: real = 0;
        mu ~ Normal(0, 1);
        tau ~ HalfNormal(1);
        share ~ Beta(1, 1);
        weight[C] ~ Dirichlet(1);
        heading ~ VonMises(0, 1);
        limit ~ Uniform(0, 2);
        for c in C {
            alpha[c] ~ Normal(mu, tau);
        }
        for n in N {
            z[n] ~ Normal(slope, 1);
            y[n] ~ Normal(alpha[county[n]] + z[n] + share * weight[county[n]], tau);
        }
    }
}

guide! {
    pub TooLittle for Homes() {
        auto share, weight, limit;
        for n in N {
            alpha[n] ~ Normal(0, 1);
            eta[n] ~ Normal(0, 1);
            y[n] ~ Normal(0, 1);
            z[n] ~ Normal(0, 1);
        }
        factor(-1);
    }
}

guide! {
    pub Families for Homes() {
        auto z;
        mu ~ LogNormal(0, 1);
        tau ~ Normal(0, 1);
        share ~ Gamma(2, 2);
        weight[C] ~ LogitNormal(0, 1);
        heading ~ Normal(0, 1);
        limit ~ Normal(0, 1);
        alpha[C] ~ Beta(3, 1);
    }
}

guide! {
    pub Improper for Homes() {
        auto z, share, weight, alpha, heading, limit;
        mu ~ Flat();
        tau ~ FlatPositive();
    }
}

guide! {
    pub Fitting for Homes() {
        auto z, weight, heading, limit;
        mu ~ Gumbel(0, 1);
        tau ~ Gamma(2, -2);
        share ~ Beta(2, 2);
        alpha[C] ~ StudentT(3, 0, 1);
    }
}

guide! {
    pub Counts for Homes() {
        auto z, tau, share, weight, heading, limit, alpha;
        mu ~ Poisson(3);
    }
}

guide! {
    pub TooMuch for Homes() {
        auto mu, tau, share, mu, nothing;
        auto z, weight, heading, limit, alpha;
        param slope: real = 0;
        tau ~ LogNormal(0, 1);
    }
}

guide! {
    pub Twice for Homes() {
        auto mu, tau, share, z, weight, heading, limit;
        param a[C]: real = 0;
        alpha[C] ~ Normal(a, 1);
        for c in C {
            alpha[c] ~ Normal(0, 1);
        }
    }
}

guide! {
    pub Names for Homes() {
        auto mu, tau, share, weight, heading, limit;
        param alpha[C]: real = 0;
        param s: positive = z[0];
        for h in H {
            alpha[h] ~ Normal(missing, exp(s));
        }
    }
}

guide! {
    pub InLoop for Homes() {
        for c in C {
            auto alpha;
        }
        auto mu, tau, share, weight, heading, limit, z;
    }
}

guide! {
    pub Scales for Homes() {
        auto share, weight, heading, limit, z, alpha;
        param s: real = 0;
        mu ~ Normal(0, s);
        tau ~ LogNormal(mu, -1);
    }
}

model! {
    pub Series(y: [f64; T]) {
        x[0] ~ Normal(0, 1);
        for t in 1..T {
            x[t] ~ Normal(x[t - 1], 1);
        }
        y[T] ~ Normal(x, 1);
    }
}

guide! {
    pub Steps for Series() {
        param a: real = 0;
        x[0] ~ Normal(0, 1);
        for t in 1..T {
            x[t] ~ Normal(a * x[t - 1], 1);
        }
    }
}

guide! {
    pub Itself for Series() {
        for t in T {
            x[t] ~ Normal(x[(T) - 1], 1);
        }
    }
}

guide! {
    pub OtherRow for Series() {
        param a[T]: real = 0;
        let twice[0] = a[0];
        for t in 1..T {
            let twice[t] = 2 * twice[t - 1];
        }
        for t in T {
            x[t] ~ Normal(twice[t], 1);
        }
    }
}

guide! {
    pub Precision for Series(width: f32) {
        x[T] ~ Normal(0, width);
    }
}

guide! {
    pub NoModel for Nowhere() {
        mu ~ Normal(0, 1);
    }
}

guide! {
    pub Half for Series() {
        x[T] ~ Normal(0 1);
    }
}

fn main() {}
