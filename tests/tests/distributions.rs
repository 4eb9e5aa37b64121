//! Distributions of one number in models: every one of the catalogue, and those that are made of others.
#![forbid(unsafe_code)]

use ppl_core::prelude::*;
use ppl_tests::check_model;

model! {
    /// All distributions over numbers as latents, with parameters that are latent where they can be.
    pub Distributions(N: usize) {
        scale ~ HalfStudentT(3, 2);
        loc ~ Laplace(0, 2);
        rate ~ Exponential(1);
        a ~ LogNormal(loc, scale);
        b ~ StudentT(rate + 1, loc, scale);
        c ~ Cauchy(b, scale);
        d ~ HalfCauchy(scale);
        e ~ Gamma(d, rate);
        f ~ InverseGamma(d + 1, a);
        g ~ Beta(d, rate);
        h ~ Uniform(-1, 3);
        i ~ Truncated(Normal(loc, scale), lower = 0);
        j ~ Truncated(Cauchy(loc, scale), lower = -1, upper = 2);
        k ~ Truncated(StudentT(4, loc, scale), upper = 1);
        l[N] ~ Normal(loc, scale);
        m ~ HalfNormal(scale);
    }
}

model! {
    /// More of them.
    pub MoreDistributions(N: usize, y: [u64; N]) {
        scale ~ Weibull(2, 1);
        loc ~ Logistic(0, 1);
        rate ~ Rayleigh(scale);
        a ~ Gumbel(loc, scale);
        b ~ AsymmetricLaplace(loc, scale, rate);
        c ~ SkewNormal(b, scale, loc);
        d ~ Frechet(rate + 1, scale);
        e ~ Gompertz(scale, rate);
        f ~ ChiSquared(df = d);
        g ~ InverseChiSquared(e + 1);
        h ~ FisherSnedecor(f, g);
        i ~ BetaPrime(alpha = scale, beta = rate);
        j ~ Kumaraswamy(scale, i);
        k ~ LogitNormal(loc, scale);
        s ~ RelaxedBernoulli(temperature = scale, logit = loc);
        l ~ LogUniform(0.5, 20);
        m ~ Triangular(-1, 3, peak = 0.5);
        r ~ Pareto(0.5, shape = scale);
        o ~ VonMises(loc, concentration = r);
        q ~ VonMises(o, 30);
        p ~ Erlang(3, rate);
        factor(-0.1 * (q + p).powi(2));
        for n in N {
            y[n] ~ Geometric(j);
            factor(BetaBinomial(20, i, rate).log_prob(y[n]) + Weibull(h + 1, l).log_prob(k) + m);
        }
    }
}

model! {
    /// Distributions that are made of others.
    pub MadeOfOthers(y: [f64; N], c: [u64; N], limit: [f64; N], K: usize) {
        shape ~ Truncated(Gamma(2, 1), upper = 4);
        share ~ Beta(2, 3);
        loc ~ Truncated(Logistic(0, shape), lower = -1, upper = 2);
        spread ~ Transformed(Normal(loc, 0.5), softplus);
        gate ~ Transformed(StudentT(4, loc, 1), sigmoid);
        w[K] ~ Dirichlet(2);
        mu[K] ~ Normal(0, spread);
        z ~ Mixture(w, k in K => Normal(mu[k], spread));
        for n in N {
            y[n] ~ Censored(StudentT(4, loc, spread), upper = limit[n]);
            c[n] ~ ZeroInflated(NegativeBinomial(shape, spread), gate = gate);
            factor(Truncated(Poisson(shape), lower = 1, upper = 9).log_prob(1 + c[n]) * share);
            factor(Censored(Weibull(shape, spread), lower = 0.5).log_prob(max(0.5, limit[n])));
        }
        factor(z);
    }
}

model! {
    /// Counts, whole numbers and angles that are data.
    pub WholeNumbers(
        goals: [i64; N], angle: [f64; N], failures: [u64; N], aces: [u64; N], drawn: [u64; N], die: [i64; N], wait: [f64; N], at_least: f64,
        faces: u64
    ) {
        home ~ Gamma(3, 1);
        away ~ Exponential(rate = 1);
        chance ~ Beta(2, 2);
        direction ~ Normal(0, 1);
        for n in N {
            goals[n] ~ Skellam(home, away);
            angle[n] ~ VonMises(direction, home);
            failures[n] ~ NegativeBinomial(successes = away, prob = chance);
            aces[n] ~ Hypergeometric(drawn[n], 4, failures = 48);
            die[n] ~ DiscreteUniform(1, faces);
            wait[n] ~ Pareto(at_least, home);
            factor(Erlang(drawn[n], away).log_prob(wait[n]) + 0.1 * goals[n] * direction);
            factor(NegativeBinomial(3, prob = chance).log_prob(failures[n]));
        }
    }
}

model! {
    /// A mixture of observations.
    pub Mixed(y: [f64; N], w: [f64; K]) {
        mu[K] ~ Ordered(Normal(0, 3));
        s ~ HalfNormal(1);
        for n in N {
            y[n] ~ Mixture(w, k in K => StudentT(5, mu[k], s));
        }
    }
}

model! {
    /// Mixtures of unlike components: a line with outliers, counts of two kinds, a latent.
    pub Unlike(y: [f64; N], x: [f64; N], c: [u64; N], share: [f64; K], J: usize) {
        a ~ Normal(0, 1);
        s ~ HalfNormal(1);
        w[J] ~ Dirichlet(1);
        b ~ Mixture(share, Normal(1, s), Cauchy(0, s), Laplace(a, 1));
        for n in N {
            y[n] ~ Mixture(w, Normal(a + b * x[n], s), Cauchy(0, 10));
            c[n] ~ Mixture(w, Poisson(s), NegativeBinomial(exp(a), s));
        }
    }
}

/// A line with an outlier.
fn unlike() -> Unlike {
    Unlike {
        y: vec![0.1, 1.2, 1.9, 30.0, 4.1],
        x: vec![0.0, 1.0, 2.0, 3.0, 4.0],
        c: vec![0, 2, 1, 0, 14],
        share: vec![0.5, 0.2, 0.3],
        J: 2,
    }
}

/// Data of whole numbers and angles.
fn whole_numbers() -> WholeNumbers {
    WholeNumbers {
        goals: vec![-2, 0, 3],
        angle: vec![-9.0, 0.1, 3.1],
        failures: vec![0, 4, 11],
        aces: vec![0, 1, 4],
        drawn: vec![5, 5, 13],
        die: vec![1, 4, 6],
        wait: vec![0.7, 2.0, 5.5],
        at_least: 0.5,
        faces: 6,
    }
}

#[test]
fn distributions_made_of_others() {
    let model = MadeOfOthers { y: vec![0.4, 1.5], c: vec![0, 3], limit: vec![2.0, 1.5], K: 3 };
    check_model(&*model.bind().unwrap());
    check_model(&*unlike().bind().unwrap());
    let model = Mixed { y: vec![-2.0, 0.3, 2.5], w: vec![0.2, 0.8] };
    check_model(&*model.bind().unwrap());
}

#[test]
fn data_beyond_the_bounds_of_their_distribution_are_named() {
    let refused = |y: Vec<f64>, c: Vec<u64>| {
        let error = MadeOfOthers { y, c, limit: vec![2.0, 1.5], K: 3 }.bind().err().expect("refused");
        error.to_string()
    };
    let beyond = refused(vec![0.4, 1.6], vec![0, 3]);
    assert!(beyond.contains("y[1]") && beyond.contains("1.6") && beyond.contains("1.5"), "{beyond}");
}

#[test]
fn a_mixture_has_as_many_weights_as_components() {
    let error = Unlike { J: 3, ..unlike() }.bind().err().expect("refused").to_string();
    assert!(error.contains("`J` has size 3") && error.contains("but 2 in `the components of `y``"), "{error}");
    let error = Unlike { share: vec![0.5, 0.5], ..unlike() }.bind().err().expect("refused").to_string();
    assert!(error.contains("`K` has size 2") && error.contains("3 in"), "{error}");
}

#[test]
fn an_outlier_of_a_mixture_leaves_the_line_where_it_is() {
    let fit = fit_bbvi(&unlike(), Bbvi::default()).unwrap();
    let b = fit.scalar("b").unwrap();
    assert!((b.mean - 1.0).abs() < 0.2, "{b:?}");
}

#[test]
fn whole_numbers_and_angles() {
    check_model(&*whole_numbers().bind().unwrap());
}

#[test]
fn data_outside_the_bounds_of_their_distribution_are_refused() {
    let refused = |model: WholeNumbers| model.bind().err().expect("outside its bounds").to_string();
    let mut model = whole_numbers();
    model.die[2] = 0;
    let message = refused(model);
    assert!(message.contains("die") && message.contains("1 to 6"), "{message}");
    let mut model = whole_numbers();
    model.die[2] = -3;
    assert!(refused(model).contains("1 to 6"));
    let mut model = whole_numbers();
    model.wait[1] = 0.4;
    let message = refused(model);
    assert!(message.contains("wait") && message.contains("0.5 to inf"), "{message}");
    let mut model = whole_numbers();
    model.aces[0] = 6;
    let message = refused(model);
    assert!(message.contains("aces") && message.contains("0 to 5"), "{message}");
}

#[test]
fn latent_angles_are_between_minus_pi_and_pi() {
    let model = MoreDistributions { N: 2, y: vec![0, 3] };
    let bound = model.bind().unwrap();
    let (mut work, samples) = (bound.workspace(8), 8);
    let u = ppl_tests::points(bound.layout().unconstrained(), samples);
    work.u_mut().copy_from_slice(&u.iter().map(|u| 100.0 * u).collect::<Vec<_>>());
    bound.constrain(&mut work, &mut [0.0; 8]);
    let angle = bound.layout().latents().find(|latent| latent.name == "o").expect("an angle");
    let values = &work.values[angle.rows.start * samples..angle.rows.end * samples];
    assert!(values.iter().all(|x| x.abs() <= std::f64::consts::PI), "{values:?}");
    assert!(values.iter().any(|x| *x < -3.0) && values.iter().any(|x| *x > 3.0), "{values:?}");
}

#[test]
fn all_distributions_of_numbers() {
    check_model(&*Distributions { N: 2 }.bind().unwrap());
    check_model(&*MoreDistributions { N: 2, y: vec![0, 3] }.bind().unwrap());
}
