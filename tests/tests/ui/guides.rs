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
            z[n, Z] ~ StudentT(3, loc, exp(log_scale));
            s[n] ~ Normal(0, 1);
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

fn main() {}
