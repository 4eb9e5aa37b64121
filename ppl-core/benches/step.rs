//! One optimization step with a mean-field guide, 16 samples: noise, gradient, Adam; of eight schools with closed pullbacks and with the guide on dfdx's
//! tape, and of radon (919 rows, 85 counties).
#![allow(missing_docs)]

mod eight_schools;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ppl_core::estimators::{GradientEstimator as _, Reparameterization};
use ppl_core::guides::{Guide, MeanField, mean_field_reference};
use ppl_core::optimizers::{Adam, StepRule as _};
use ppl_core::prelude::*;
use ppl_core::random::{antithetic_normals, step_key};
use ppl_core::tensor::dfdx::tensor::{AsArray, Cpu, TensorFromVec};
use ppl_core::tensor::{LogJointOperation, Scope};

use eight_schools::eight_schools;

model! {
    /// Radon in homes, non-centred.
    pub Radon(log_radon: [f64; N], floor: [f64; N], uranium: [f64; N], county: [in C; N], C: usize) {
        mu    ~ Normal(0, 10);
        gamma ~ Normal(0, 10);
        beta  ~ Normal(0, 10);
        tau   ~ HalfNormal(1);
        sigma ~ HalfNormal(1);
        for c in C {
            offset[c] ~ Normal(0, 1);
            let alpha[c] = mu + tau * offset[c];
        }
        for n in N {
            log_radon[n] ~ Normal(alpha[county[n]] + gamma * uranium[n] + beta * floor[n], sigma);
        }
    }
}

fn radon() -> Radon {
    let rows = 919;
    Radon {
        log_radon: (0..rows).map(|n| 1.2 + 0.8 * (n as f64).sin()).collect(),
        floor: (0..rows).map(|n| f64::from(u8::from(n % 6 == 0))).collect(),
        uranium: (0..rows).map(|n| (0.3 * (n * 85 / rows) as f64).cos()).collect(),
        county: (0..rows).map(|n| n * 85 / rows).collect::<Vec<usize>>().into(),
        C: 85,
    }
}

/// A step of a mean-field guide with closed pullbacks.
fn closed(bound: &dyn LogJoint<f64>, b: &mut criterion::Bencher<'_>) {
    let (n, samples) = (bound.layout().unconstrained(), 16);
    let mut guide = MeanField::new(&vec![0.0; n], &vec![-1.0; n]);
    let mut estimator = Reparameterization::new(bound, samples, None);
    let (mut adam, mut gradient, mut key) = (Adam::new(2 * n), vec![0.0; 2 * n], 0);
    b.iter(|| {
        key += 1;
        let estimate = estimator.estimate(bound, &guide, step_key(0, key), &mut gradient);
        adam.step(1e-3, &mut gradient);
        let parameters = <MeanField as Guide<f64>>::parameters_mut(&mut guide);
        parameters.iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
        black_box(estimate.elbo)
    });
}

fn step(c: &mut Criterion) {
    let model = eight_schools();
    let bound = model.bind().expect("good data");
    let (n, samples) = (10, 16);
    let homes = radon();
    let of_homes = homes.bind().expect("good data");
    c.bench_function("step of radon/closed pullbacks", |b| closed(&*of_homes, b));
    let mut group = c.benchmark_group("step of eight schools");
    group.bench_function("closed pullbacks", |b| closed(&*bound, b));
    let device = Cpu::default();
    let operation = LogJointOperation::new(&*bound);
    let mut parameters = [vec![0.0; n], vec![-1.0; n]].concat();
    let (mut adam, mut key) = (Adam::new(2 * n), 0);
    group.bench_function("guide in dfdx operations", |b| {
        b.iter(|| {
            key += 1;
            let mut noise = vec![0.0_f64; n * samples];
            antithetic_normals(step_key(0, key), samples, &mut noise);
            let noise = device.tensor_from_vec(noise, (n, samples));
            let loc = device.tensor_from_vec(parameters[..n].to_vec(), (n,));
            let log_scale = device.tensor_from_vec(parameters[n..].to_vec(), (n,));
            let mut scope = Scope::new();
            let elbo =
                mean_field_reference::elbo(&operation, scope.leaf(&loc), scope.leaf(&log_scale), &noise).expect("shapes fit");
            let mut gradients = scope.gradient(&elbo).expect("a gradient");
            let mut gradient = gradients.of(&loc).expect("of loc").as_vec();
            gradient.extend(gradients.of(&log_scale).expect("of log_scale").as_vec());
            adam.step(1e-3, &mut gradient);
            parameters.iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
            black_box(elbo.array())
        });
    });
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
