//! Value and gradient of the log joint, 16 samples, beside hand-written loops over the same lanes in the same run;
//! `RAYON_NUM_THREADS=1` for one core.
#![allow(missing_docs)]

mod eight_schools;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ppl_core::kernel::{Kernel, Lanes, dispatch};
use ppl_core::prelude::*;

const SAMPLES: usize = 16;

model! {
    /// Radon, non-centred.
    pub Radon(y: [f64; N], floor: [f64; N], county: [in C; N], uranium: [f64; C]) {
        mu    ~ Normal(0, 10);
        gamma ~ Normal(0, 10);
        beta  ~ Normal(0, 10);
        tau   ~ HalfNormal(1);
        sigma ~ HalfNormal(1);
        for c in C {
            offset[c] ~ Normal(0, 1);
            let alpha[c] = mu + gamma * uranium[c] + tau * offset[c];
        }
        for n in N {
            y[n] ~ Normal(alpha[county[n]] + beta * floor[n], sigma);
        }
    }
}

model! {
    /// Logistic regression.
    pub LogisticRegression(y: [bool; N], x: [f64; N, P]) {
        beta[P] ~ Normal(0, 1);
        for n in N {
            y[n] ~ Bernoulli(logit = dot(x[n], beta));
        }
    }
}

/// Numbers between -1 and 1.
fn numbers(n: usize) -> Vec<f64> {
    let mut state = 1_u64;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        })
        .collect()
}

fn bench_model(c: &mut Criterion, group: &str, model: &dyn LogJoint<f64>) {
    let n = model.layout().unconstrained();
    let u: Vec<f64> = numbers(n * SAMPLES).iter().map(|x| 0.3 * x).collect();
    let (mut work, weights) = (model.workspace(SAMPLES), model.unit_weights(SAMPLES));
    let mut value = vec![0.0; SAMPLES];
    work.u_mut().copy_from_slice(&u);
    c.benchmark_group(group).bench_function("generated", |b| {
        b.iter(|| {
            model.log_density(black_box(&mut work), &weights, &mut value);
            black_box(value[0])
        });
    });
}

/// By hand: the normalizers outside the loop, adjoints in registers.
struct HandEight<'a> {
    y: &'a [f64],
    inverse: &'a [f64],
    constant: f64,
    u: &'a [f64],
    value: &'a mut [f64],
    gradient: &'a mut [f64],
}

impl Kernel<f64> for HandEight<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) {
        let mut o = 0;
        while o < SAMPLES {
            let (mu, log_tau) = (V::load(&self.u[o..]), V::load(&self.u[SAMPLES + o..]));
            let tau = log_tau.exp();
            let ratio = tau * V::constant(0.2);
            let square = ratio * ratio;
            let scaled = mu * V::constant(0.2);
            let mut value = V::constant(self.constant) - V::constant(0.5) * scaled * scaled - square.ln_1p() + log_tau;
            let mut d_mu = -(scaled * V::constant(0.2));
            let mut d_tau = V::constant(-0.4) * ratio / (V::constant(1.0) + square);
            for j in 0..8 {
                let eta = V::load(&self.u[(2 + j) * SAMPLES + o..]);
                let inverse = V::splat(self.inverse[j]);
                let z = (V::splat(self.y[j]) - tau.mul_add(eta, mu)) * inverse;
                let d = z * inverse;
                value = value - V::constant(0.5) * z.mul_add(z, eta * eta);
                d_mu = d_mu + d;
                d_tau = d.mul_add(eta, d_tau);
                (d * tau - eta).store(&mut self.gradient[(2 + j) * SAMPLES + o..]);
            }
            d_mu.store(&mut self.gradient[o..]);
            d_tau.mul_add(tau, V::constant(1.0)).store(&mut self.gradient[SAMPLES + o..]);
            value.store(&mut self.value[o..]);
            o += V::WIDTH;
        }
    }
}

fn eight_schools(c: &mut Criterion) {
    let model = eight_schools::eight_schools();
    bench_model(c, "eight schools", &*model.bind().expect("good data"));
    let inverse: Vec<f64> = model.sigma.iter().map(|s| 1.0 / s).collect();
    let u: Vec<f64> = numbers(10 * SAMPLES).iter().map(|x| 0.3 * x).collect();
    let (mut value, mut gradient) = (vec![0.0; SAMPLES], vec![0.0; 10 * SAMPLES]);
    c.benchmark_group("eight schools").bench_function("by hand", |b| {
        b.iter(|| {
            dispatch(HandEight {
                y: &model.y,
                inverse: &inverse,
                constant: -31.0,
                u: black_box(&u),
                value: &mut value,
                gradient: &mut gradient,
            });
            black_box(value[0])
        });
    });
}

/// One row at a lane offset; no closure, which would not be compiled for the instruction set of its caller.
#[inline(always)]
fn row<V: Lanes<Element = f64>>(rows: &[f64], i: usize, offset: usize) -> V {
    V::load(&rows[i * SAMPLES + offset..])
}

struct HandRadon<'a> {
    y: &'a [f64],
    floor: &'a [f64],
    county: &'a [usize],
    uranium: &'a [f64],
    u: &'a [f64],
    alpha: &'a mut [f64],
    d_alpha: &'a mut [f64],
    value: &'a mut [f64],
    gradient: &'a mut [f64],
}

impl Kernel<f64> for HandRadon<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) {
        let counties = self.uranium.len();
        self.d_alpha.fill(0.0);
        let mut o = 0;
        while o < SAMPLES {
            let (mu, gamma, beta, tau, sigma) = (
                row::<V>(self.u, 0, o),
                row::<V>(self.u, 1, o),
                row::<V>(self.u, 2, o),
                row::<V>(self.u, 3, o).exp(),
                row::<V>(self.u, 4, o).exp(),
            );
            for c in 0..counties {
                let alpha = row::<V>(self.u, 5 + c, o).mul_add(tau, V::splat(self.uranium[c]).mul_add(gamma, mu));
                alpha.store(&mut self.alpha[c * SAMPLES + o..]);
            }
            let inverse = V::constant(1.0) / sigma;
            let (mut q, mut d_beta) = (V::zero(), V::zero());
            for n in 0..self.y.len() {
                let row = self.county[n] * SAMPLES + o;
                let floor = V::splat(self.floor[n]);
                let z = (V::splat(self.y[n]) - floor.mul_add(beta, V::load(&self.alpha[row..]))) * inverse;
                q = z.mul_add(z, q);
                let d = z * inverse;
                d_beta = d.mul_add(floor, d_beta);
                let row = &mut self.d_alpha[row..row + V::WIDTH];
                (V::load(row) + d).store(row);
            }
            let rows = V::constant(self.y.len() as f64);
            let hundredth = V::constant(0.01);
            let mut value = V::constant(-0.5) * q - rows * (sigma.ln() + V::constant(0.918_938_533_204_672_8));
            value = value - V::constant(0.5) * (hundredth * (mu * mu + gamma * gamma + beta * beta) + tau * tau + sigma * sigma);
            let (mut d_mu, mut d_gamma, mut d_tau) = (V::zero(), V::zero(), V::zero());
            for c in 0..counties {
                let (d, offset) = (V::load(&self.d_alpha[c * SAMPLES + o..]), row::<V>(self.u, 5 + c, o));
                value = value - V::constant(0.5) * offset * offset;
                d_mu = d_mu + d;
                d_gamma = d.mul_add(V::splat(self.uranium[c]), d_gamma);
                d_tau = d.mul_add(offset, d_tau);
                d.mul_add(tau, -offset).store(&mut self.gradient[(5 + c) * SAMPLES + o..]);
            }
            let d_sigma = (q - rows) - sigma * sigma;
            let all = [
                d_mu - hundredth * mu,
                d_gamma - hundredth * gamma,
                d_beta - hundredth * beta,
                (d_tau - tau) * tau + V::constant(1.0),
                d_sigma + V::constant(1.0),
            ];
            for (i, d) in all.into_iter().enumerate() {
                d.store(&mut self.gradient[i * SAMPLES + o..]);
            }
            value.store(&mut self.value[o..]);
            o += V::WIDTH;
        }
    }
}

fn radon(c: &mut Criterion) {
    radon_in_order(c, "radon", |i| i);
    // 919 is a prime: the counties come as if shuffled.
    radon_in_order(c, "radon, rows shuffled", |i| i * 577 % 919);
}

fn radon_in_order(c: &mut Criterion, group: &str, order: fn(usize) -> usize) {
    let (rows, counties) = (919, 85);
    let model = Radon {
        y: numbers(rows),
        floor: numbers(rows).iter().map(|x| f64::from(u8::from(*x > 0.5))).collect(),
        county: (0..rows).map(|i| order(i) * counties / rows).collect(),
        uranium: numbers(counties),
    };
    bench_model(c, group, &*model.bind().expect("good data"));
    let n = 5 + counties;
    let u: Vec<f64> = numbers(n * SAMPLES).iter().map(|x| 0.3 * x).collect();
    let county = model.county.values().to_vec();
    let (mut alpha, mut d_alpha) = (vec![0.0; counties * SAMPLES], vec![0.0; counties * SAMPLES]);
    let (mut value, mut gradient) = (vec![0.0; SAMPLES], vec![0.0; n * SAMPLES]);
    c.benchmark_group(group).bench_function("by hand", |b| {
        b.iter(|| {
            dispatch(HandRadon {
                y: &model.y,
                floor: &model.floor,
                county: &county,
                uranium: &model.uranium,
                u: black_box(&u),
                alpha: &mut alpha,
                d_alpha: &mut d_alpha,
                value: &mut value,
                gradient: &mut gradient,
            });
            black_box(value[0])
        });
    });
}

fn logistic(c: &mut Criterion) {
    let (rows, columns) = (10_000, 50);
    let x = Array2::from_shape_vec((rows, columns), numbers(rows * columns)).expect("the shape fits");
    let model = LogisticRegression { y: numbers(rows).iter().map(|y| *y > 0.0).collect(), x };
    bench_model(c, "logistic", &*model.bind().expect("good data"));
    // The two products alone: what the rest is added to.
    let (w, mut eta, mut d_w) = (numbers(columns * SAMPLES), vec![0.0; rows * SAMPLES], vec![0.0; columns * SAMPLES]);
    let x = model.x.as_slice().expect("row-major");
    c.benchmark_group("logistic").bench_function("the two products, one thread", |b| {
        b.iter(|| {
            use ppl_core::kernel::matrix::{View, multiply};
            for block in 0..10 {
                let part = &x[block * 1000 * columns..(block + 1) * 1000 * columns];
                let eta = &mut eta[block * 1000 * SAMPLES..(block + 1) * 1000 * SAMPLES];
                let left = View { data: part, rows: 1000, columns, row_stride: columns, column_stride: 1 };
                let right = View { data: &w[..], rows: columns, columns: SAMPLES, row_stride: SAMPLES, column_stride: 1 };
                multiply(left, right, eta, SAMPLES, false);
                let left = View { data: part, rows: columns, columns: 1000, row_stride: 1, column_stride: columns };
                let right = View { data: &*eta, rows: 1000, columns: SAMPLES, row_stride: SAMPLES, column_stride: 1 };
                multiply(left, right, &mut d_w, SAMPLES, true);
            }
            black_box(d_w[0])
        });
    });
}

criterion_group!(benches, eight_schools, radon, logistic);
criterion_main!(benches);
