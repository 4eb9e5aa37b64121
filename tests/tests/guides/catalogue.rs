//! Guides draw from all of the catalogue: intervals, mixtures, sorted vectors, vectors and matrices.

use ndarray::array;
use ppl_core::prelude::*;

use super::laws::{check, density_is_that_of_the_draws, guide};

model! {
    /// Numbers in intervals, mixtures and sorted vectors.
    pub Numbers(y: f64, low: [f64; P], high: f64, K: usize) {
        mu ~ Normal(0, 1);
        share ~ Uniform(-1, high);
        for p in P {
            above[p] ~ Truncated(Normal(1, 2), lower = low[p]);
        }
        below ~ Truncated(Cauchy(1, 2), upper = high);
        tail ~ Pareto(0.5, 3);
        part ~ Uniform(0, 1);
        size ~ HalfNormal(2);
        cut[K] ~ Ordered(Normal(0, 1));
        wait[K] ~ Ordered(Gamma(2, 1));
        y ~ Normal(mu + share + above[0] + below + tail + part * size + cut[1] + wait[0], 1);
    }
}

guide! {
    /// Families on intervals, and others whose values are the same.
    pub Intervals for Numbers() {
        param m: real = 0.4;
        param s: positive = 0.6;
        param a[P]: real = 1.2;
        param k: positive = 1.7;
        mu ~ Normal(m, s);
        share ~ Truncated(Normal(m + 0.2 * mu, s), lower = -1, upper = high);
        for p in P {
            above[p] ~ Truncated(StudentT(3 + k, a[p], s), lower = low[p]);
        }
        below ~ Truncated(Gumbel(0.3 * share, k), upper = high);
        tail ~ Pareto(0.5, 2 + k);
        part ~ Beta(k, 1 + s);
        size ~ Truncated(Logistic(m, s), lower = 0);
        cut[K] ~ Ordered(Normal(m, 0.5 + 0.1 * size));
        wait[K] ~ Ordered(Gamma(k + 1, s));
    }
}

guide! {
    /// Others.
    pub Others for Numbers(Two: usize) {
        param m: real = 0.4;
        param s: positive = 0.6;
        param w[K]: simplex = 1 / 3;
        param at[K]: real = 0.3;
        param k: positive = 1.7;
        param peak: interval(-0.9, 1.9) = 0.6;
        param two[Two]: simplex = 0.5;
        mu ~ Mixture(w, i in K => Normal(at[i], s));
        share ~ Triangular(-1, high, peak);
        for p in P {
            above[p] ~ Truncated(Normal(m + mu, k), lower = low[p]);
        }
        below ~ Truncated(Normal(m, s), upper = high);
        tail ~ Truncated(Gamma(1 + k, 1), lower = 0.5);
        part ~ Transformed(StudentT(4, m, s), sigmoid);
        size ~ Mixture(two, LogNormal(m, s), Weibull(1 + k, 1.5 + 0.1 * share));
        cut[K] ~ Ordered(StudentT(3, m + 0.1 * mu, s));
        wait[K] ~ Ordered(LogNormal(0.1 * mu, s));
    }
}

guide! {
    /// What has nothing to learn on its interval, and maps.
    pub Fixed for Numbers() {
        param m: real = 0.4;
        param s: positive = 0.6;
        mu ~ Normal(m, s);
        share ~ Uniform(-1, high);
        for p in P {
            above[p] ~ Truncated(Normal(m + 4 * mu, s), lower = low[p]);
        }
        auto below, cut, wait;
        tail ~ Pareto(0.5, s);
        part ~ Truncated(Beta(1 + s, 2), lower = 0, upper = 1);
        size ~ Transformed(Normal(m, s), softplus);
    }
}

fn numbers() -> Numbers {
    Numbers { y: 3.0, low: vec![-0.5, 1.5], high: 2.0, K: 3 }
}

model! {
    /// Vectors and matrices.
    pub Arrays(y: f64, scale: [f64; P, P], K: usize, T: usize) {
        beta[P] ~ Normal(0, 1);
        for k in K {
            gamma[k, P] ~ MultivariateNormal(0, scale);
        }
        walk[T] ~ GaussianRandomWalk(1);
        w[K] ~ Dirichlet(1);
        omega[P, P] ~ LkjCholesky(2);
        r[P, P] ~ LkjCorrelation(2);
        a[P, P] ~ Wishart(7, scale);
        b[P, P] ~ InverseWishart(7, scale);
        c[P, P] ~ WishartCholesky(7, omega);
        d[P, P] ~ InverseWishartCholesky(7, omega);
        y ~ Normal(beta[0] + gamma[0, 1] + walk[1] + w[0] + r[1, 0] + a[0, 0] + b[1, 0] + c[1, 1] + d[1, 0], 1);
    }
}

guide! {
    /// By factors.
    pub ByFactors for Arrays() {
        param m[K, P]: real = 0.3;
        param l[P, P]: covariance_cholesky = 0.8;
        param n: positive = 4;
        param s: positive = 0.7;
        param logits[K]: real = 0.2;
        omega[P, P] ~ LkjCholesky(n);
        r[P, P] ~ LkjCorrelation(0.3 + s);
        beta[P] ~ MultivariateStudentT(n, m[0], l);
        for k in K {
            gamma[k, P] ~ MultivariateStudentT(2 + n, m[k], omega);
        }
        walk[T] ~ GaussianRandomWalk(s * exp(0.1 * beta[0]));
        w[K] ~ Concrete(s, logits);
        c[P, P] ~ WishartCholesky(3 + n, l);
        d[P, P] ~ InverseWishartCholesky(4 + n, c);
        auto a, b;
    }
}

guide! {
    /// By covariances.
    pub ByCovariances for Arrays(R: usize) {
        param m[P]: real = 0.3;
        param v[P, P]: covariance = 1;
        param f[K, P, R]: real = 0.4;
        param e[K, P]: positive = 0.5;
        param n: positive = 4;
        beta[P] ~ MultivariateNormal(m, v);
        for k in K {
            gamma[k, P] ~ MultivariateNormal(beta, factor = f[k], diagonal = e[k]);
        }
        a[P, P] ~ Wishart(3 + n, v);
        b[P, P] ~ InverseWishart(4 + n, a);
        auto walk, w, omega, r, c, d;
    }
}

guide! {
    /// By precisions.
    pub ByPrecisions for Arrays() {
        param m[K, P]: real = 0.3;
        param v[K, P, P]: covariance = 1;
        for k in K {
            gamma[k, P] ~ MultivariateNormal(m[k], precision = v[k]);
        }
        auto beta, walk, w, omega, r, a, b, c, d;
    }
}

fn arrays() -> Arrays {
    Arrays { y: 3.0, scale: array![[1.0, 0.3, 0.1], [0.3, 0.8, -0.2], [0.1, -0.2, 1.5]], K: 3, T: 4 }
}

#[test]
fn pullbacks_are_derivatives() {
    check::<f64>(guide(&numbers(), &Intervals), 1e-5, 2e-6);
    check::<f64>(guide(&numbers(), &Others { Two: 2 }), 1e-5, 2e-6);
    check::<f64>(guide(&numbers(), &Fixed), 1e-5, 2e-6);
    check::<f64>(guide(&arrays(), &ByFactors), 1e-5, 2e-6);
    check::<f64>(guide(&arrays(), &ByCovariances { R: 2 }), 1e-5, 2e-6);
    check::<f64>(guide(&arrays(), &ByPrecisions), 1e-5, 2e-6);
}

#[test]
fn densities_are_those_of_the_draws() {
    for own in [guide(&numbers(), &Intervals), guide(&numbers(), &Others { Two: 2 }), guide(&numbers(), &Fixed)] {
        density_is_that_of_the_draws(&own);
    }
    for own in [guide(&arrays(), &ByFactors), guide(&arrays(), &ByCovariances { R: 2 }), guide(&arrays(), &ByPrecisions)] {
        density_is_that_of_the_draws(&own);
    }
}

model! {
    /// Some of all in single precision.
    pub Small(y: f32, scale: [f32; P, P]) {
        share ~ Uniform(-1, 2);
        size ~ HalfNormal(2);
        cut[P] ~ Ordered(Normal(0, 1));
        beta[P] ~ Normal(0, 1);
        w[P] ~ Dirichlet(1);
        omega[P, P] ~ LkjCholesky(2);
        a[P, P] ~ Wishart(7, scale);
        y ~ Normal(share + size + cut[0] + beta[0] + w[0] + omega[1, 0] + a[0, 0], 1);
    }
}

guide! {
    /// Its guide.
    pub OfSmall for Small() {
        param m: real = 0.3;
        param s: positive = 0.7;
        param n: positive = 4;
        param v[P]: simplex = 0.5;
        param l[P, P]: covariance_cholesky = 0.8;
        share ~ Truncated(Normal(m, s), lower = -1, upper = 2);
        size ~ Mixture(v, k in P => LogNormal(m * k, s));
        cut[P] ~ Ordered(Normal(m, s));
        beta[P] ~ MultivariateStudentT(n, m, l);
        w[P] ~ Concrete(s, beta);
        omega[P, P] ~ LkjCholesky(n);
        a[P, P] ~ Wishart(3 + n, scale);
    }
}

#[test]
fn pullbacks_are_derivatives_in_single_precision() {
    let model = Small { y: 3.0, scale: array![[1.0, 0.3], [0.3, 0.8]] };
    check::<f32>(guide(&model, &OfSmall), 1e-2, 5e-2);
}
