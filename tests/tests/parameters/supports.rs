//! Parameters of every support: their layout, their gradients, and no Jacobian.

use ppl_core::model::SiteKind;
use ppl_core::prelude::*;
use ppl_tests::{check_model, log_density};

use crate::Likelihood;

model! {
    /// Every support, in scalars and arrays, in and outside of loops, beside latents that have rows of their own.
    pub Supports(y: [f64; N], g: [in C; N], high: [f64; C], first: [f64; K], D: usize) {
        s ~ HalfNormal(1);
        param a: real = -0.5;
        param b[C]: positive = 1 + C;
        param p: unit = 0.25;
        for c in C {
            let half = high[c] / 2;
            param q[c]: interval(-1, high[c]) = half;
            param w[c, K]: simplex = 1 / K;
        }
        z ~ Beta(2, 2);
        param o[K]: ordered = first;
        for d in D {
            param e[d]: positive_ordered = d + 1;
        }
        param r[0]: interval(lower = 0, upper = 1) = 0.5;
        for c in 1..C {
            param r[c]: interval(upper = 2 * c, lower = c) = 1.5 * c;
        }
        u[C] ~ Normal(a, b[0]);
        let scale = s * b[0];
        for n in N {
            let loc = a * p + q[g[n]] + dot(w[g[n]], o) + u[g[n]] + r[g[n]];
            y[n] ~ Normal(loc, scale * (1 + z));
        }
        factor(sum(e) - sum(d in D => e[d] * e[d]));
    }
}

pub(crate) fn supports() -> Supports {
    Supports { y: vec![0.3, -1.0, 2.2, 0.7], g: vec![0, 1, 1, 0].into(), high: vec![2.0, 5.0], first: vec![-1.0, 0.0, 2.5], D: 2 }
}

#[test]
fn gradients_of_every_support_are_those_of_differences() {
    let model = supports();
    let bound = model.bind().unwrap();
    check_model(&*bound);
    let layout = bound.layout();
    let names: Vec<&str> = layout.parameters().map(|parameter| parameter.name).collect();
    assert_eq!(names, ["a", "b", "p", "q", "w", "o", "e", "r"]);
    assert_eq!(layout.points(), 1 + 2 + 1 + 2 + 4 + 3 + 2 + 2);
    // They come last among the unconstrained numbers.
    let first = layout.unconstrained() - layout.points();
    assert!(layout.latents().all(|latent| latent.unconstrained.end <= first));
    assert!(layout.parameters().all(|parameter| parameter.unconstrained.start >= first));
    assert_eq!(Supports::GRAPH.sites[1].kind, SiteKind::Parameter);
    let read = |site: usize| Supports::GRAPH.factors.iter().any(|factor| factor.reads.iter().any(|read| read.site == site));
    assert!((0..Supports::GRAPH.sites.len()).filter(|&site| Supports::GRAPH.sites[site].kind == SiteKind::Parameter).all(read));
}

#[test]
fn a_parameter_has_no_jacobian() {
    let model = Likelihood { y: vec![0.3, 1.0] };
    let bound = model.bind().unwrap();
    let u: Vec<f64> = [0.2_f64, -0.7].iter().flat_map(|&x| [x; 8]).collect();
    let (value, gradient) = log_density(&*bound, &u, &bound.unit_weights(8));
    let sigma = (-0.7_f64).exp();
    let log_normal = |y: f64| -0.5 * (((y - 0.2) / sigma).powi(2) + std::f64::consts::TAU.ln()) + 0.7;
    assert!((value[0] - log_normal(0.3) - log_normal(1.0)).abs() < 1e-12, "{}", value[0]);
    // The derivative by ln sigma.
    let slope = (0.01 + 0.64) / (sigma * sigma) - 2.0;
    assert!((gradient[8] - slope).abs() < 1e-12, "{} {slope}", gradient[8]);
    let mut log_det = vec![0.0; 8];
    let mut work = bound.workspace(8);
    work.u_mut().copy_from_slice(&u);
    bound.constrain(&mut work, &mut log_det);
    assert_eq!(log_det, vec![0.0; 8]);
}
