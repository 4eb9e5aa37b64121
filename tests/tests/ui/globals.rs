use ppl_core::{guide, model};

model! {
    pub Outside(x: [f64; N, D], y: [f64; M, N], f: net(D => 1), g: net(D => 1)) {
        auto mu;
        mu ~ Normal(x[0, 0], 1);
        tau ~ HalfNormal(1 / N);
        w[D] ~ Normal(f(mu), tau);
        for n in N {
            x[n, D] ~ Normal(mu, tau);
        }
        for n in N {
            let m = f(x[n]);
            auto m;
            tau ~ HalfNormal(1);
            mu[n] ~ Normal(0, 1);
            z[n] ~ Normal(m, nu);
        }
    }
}

model! {
    pub Supports(x: [f64; N, D], f: net(D => 1)) {
        mu ~ Normal(0, 1);
        sigma ~ Gamma(2, 2);
        for n in N {
            let m = f(x[n]);
            z[n] ~ Normal(m, sigma);
            x[n, D] ~ Normal(z[n], mu);
        }
    }
}

model! {
    pub Fine(x: [f64; N, D], w0: [f64; D], f: net(D => 1)) {
        mu ~ Normal(0, 1);
        sigma ~ HalfNormal(1);
        w[D] ~ Normal(w0, 1);
        for n in N {
            let m = f(x[n]);
            z[n] ~ Normal(m, 1);
            u[n] ~ HalfNormal(1);
            x[n, D] ~ Normal(z[n] + u[n] + mu, sigma);
        }
    }
}

guide! {
    pub Forgotten for Fine(q: net(D => 2)) {
        auto mu, mu, nu, z;
        for n in N {
            let (r, k) = split(q(x[n]));
            z[n] ~ Normal(r, exp(k));
        }
    }
}

guide! {
    pub Reads for Fine(q: net(D => 2)) {
        auto mu, sigma, w, u;
        tau ~ Normal(0, 1);
        for n in N {
            let (r, k) = split(q(x[n]));
            z[n] ~ Normal(r + mu + u[n], exp(k));
            w[n] ~ Normal(0, 1);
            auto z;
        }
    }
}

guide! {
    pub Elsewhere for Fine() {
        auto mu, sigma, w, z, u;
        for d in D {
            z[d] ~ Normal(0, 1);
        }
    }
}

fn main() {}
