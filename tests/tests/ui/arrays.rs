//! Matrices, operations on arrays, and distributions made of others.
use ppl_core::model;

model! {
    /// Dimensions that do not agree, arrays of the wrong rank, operations out of place.
    pub Arrays(x: [f64; N, P], y: [f64; N], g: [in G; N], e: [u64; N], s: f64) {
        omega[P, P] ~ LkjCholesky(2);
        beta[P] ~ Normal(0, 1);
        tau ~ HalfNormal(1);
        a[P] ~ MultivariateNormal(y, scale_tril = omega);
        b[G] ~ MultivariateNormal(0, covariance = omega);
        c[P] ~ MultivariateNormal(0, beta);
        d ~ MultivariateNormal(0, covariance = omega);
        f[P] ~ LkjCholesky(2);
        h[P, G] ~ LkjCholesky(2);
        i[P] ~ MultivariateNormal(0, precision = tau);
        j[P] ~ MultivariateNormal(0, covarance = omega);
        k[P, P] ~ LkjCholesky(-1);
        let l[N] = matvec(x, y);
        let m[P] = matvec(x, beta);
        let n[P, P] = cholesky(x);
        let o = matvec(x, beta);
        let p[N] = matvec(x);
        let q = 1 + cholesky(omega);
        let r[N, N] = squared_exponential(y, tau, -1);
        let t[P, P] = cholesky(matrix = omega);
        e[N] ~ Multinomial(9, beta);
    }
}

model! {
    /// Distributions made of others.
    pub Made(y: [f64; N], e: [u64; N], w: [f64; K], v: [f64; M]) {
        mu[K] ~ Normal(0, 1);
        tau ~ HalfNormal(1);
        a ~ Censored(Normal(0, 1), lower = 0);
        b ~ Truncated(Uniform(0, 1), lower = 0.5);
        c ~ Truncated(Flat, lower = 0);
        d ~ Transformed(Gamma(1, 1), exp);
        f ~ Transformed(Normal(0, 1), square);
        h ~ Transformed(Normal(0, 1));
        i ~ ZeroInflated(Normal(0, 1), gate = 0.1);
        j ~ Truncated(Mixture(w, k in K => Normal(mu[k], 1)), lower = 0);
        l ~ Mixture(v, k in K => Normal(mu[k], 1));
        m ~ Mixture(w, k in K => Uniform(0, 1));
        r ~ Mixture(w, Normal(0, 1), Gamma(2, 1));
        t ~ Mixture(w, Normal(0, 1), Uniform(0, 1));
        z ~ Mixture(w, Gamma(2, 1), crate::Mine(0));
        u ~ Mixture(w, Normal(0, 1), Dirichlet(1));
        o ~ Truncated();
        p ~ Censored(Normal(0, 1));
        for n in N {
            e[n] ~ ZeroInflated(Poisson(3));
            e[n] ~ ZeroInflated(Poisson(3), gate = 2);
            e[n] ~ ZeroInflated(Poisson(3), prob = 0.2);
            e[n] ~ Truncated(Poisson(3), upper = tau);
            y[n] ~ Censored(Normal(0, 1), upper = tau);
            y[n] ~ Censored(ZeroInflated(Poisson(3), gate = 0.5), upper = 2);
        }
    }
}

model! {
    pub Mixed(y: [f64; N], w: [f64; K]) {
        y[N] ~ Mixture(w, Normal(0, 1));
    }
}

fn main() {}
