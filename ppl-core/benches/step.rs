//! One optimization step of eight schools, 16 samples: noise, gradient, Adam; with closed pullbacks, and with the guide on dfdx's tape.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ppl_core::estimators::{GradientEstimator as _, Reparameterization};
use ppl_core::guides::{Guide, MeanField, mean_field_reference};
use ppl_core::optimizers::Adam;
use ppl_core::prelude::*;
use ppl_core::random::{antithetic_normals, step_key};
use ppl_core::tensor::dfdx::tensor::{AsArray, Cpu, TensorFromVec};
use ppl_core::tensor::{LogJointOperation, Scope};

model! {
    /// Eight schools, non-centred.
    pub EightSchools(y: [f64; J], sigma: [f64; J]) {
        mu  ~ Normal(0, 5);
        tau ~ HalfCauchy(5);
        for j in J {
            eta[j] ~ Normal(0, 1);
            let theta[j] = mu + tau * eta[j];
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

fn step(c: &mut Criterion) {
    let model = EightSchools {
        y: vec![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        sigma: vec![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    };
    let bound = model.bind().expect("good data");
    let (n, samples) = (10, 16);
    let mut group = c.benchmark_group("step of eight schools");
    {
        let mut guide = MeanField::new(&[0.0; 10], &[-1.0; 10]);
        let mut estimator = Reparameterization::new(&*bound, samples, None);
        let (mut adam, mut gradient, mut key) = (Adam::new(2 * n), vec![0.0; 2 * n], 0);
        group.bench_function("closed pullbacks", |b| {
            b.iter(|| {
                key += 1;
                let estimate = estimator.estimate(&*bound, &guide, step_key(0, key), &mut gradient);
                adam.step(1e-3, &mut gradient);
                let parameters = <MeanField as Guide<f64>>::parameters_mut(&mut guide);
                parameters.iter_mut().zip(&gradient).for_each(|(x, g)| *x += g);
                black_box(estimate.elbo)
            });
        });
    }
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
