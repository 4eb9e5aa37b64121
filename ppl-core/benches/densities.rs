//! Densities over 100 000 elements with all partials, value and location varying, beside hand-written loops in the same run.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ppl_core::distributions::{
    BernoulliLogit, Distribution, Normal, Partials, PoissonLog, StudentT, Support, Univariate, ValueKind,
};
use ppl_core::kernel::{Kernel, Lanes, dispatch};
use ppl_core::model::aligned;

const N: usize = 100_000;

/// A density of a value and a location that vary, the other parameters fixed: sums it, and writes both partials.
struct Ours<'a, D, const P: usize> {
    x: &'a [f64],
    location: &'a [f64],
    fixed: [f64; P],
    varying: usize,
    d_x: &'a mut [f64],
    d_location: &'a mut [f64],
    density: std::marker::PhantomData<D>,
}

impl<D: Univariate<P>, const P: usize> Kernel<f64> for Ours<'_, D, P> {
    type Output = f64;
    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) -> f64 {
        let mut params = [V::zero(); P];
        for i in 0..P {
            params[i] = V::splat(self.fixed[i]);
        }
        let mut sum = V::zero();
        let mut at = 0;
        while at + V::WIDTH <= N {
            params[self.varying] = V::load(&self.location[at..]);
            let partials = D::kernel(V::load(&self.x[at..]), params);
            sum = sum + partials.log_prob;
            partials.d_value.store(&mut self.d_x[at..]);
            partials.d_params[self.varying].store(&mut self.d_location[at..]);
            at += V::WIDTH;
        }
        total(sum)
    }
}

fn total<V: Lanes<Element = f64>>(sum: V) -> f64 {
    let mut lanes = [0.0; 8];
    sum.store(&mut lanes[..V::WIDTH]);
    lanes.iter().sum()
}

/// The normal density by hand.
struct HandNormal<'a> {
    x: &'a [f64],
    location: &'a [f64],
    scale: f64,
    d_x: &'a mut [f64],
    d_location: &'a mut [f64],
}

impl Kernel<f64> for HandNormal<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) -> f64 {
        let inverse = V::constant(1.0 / self.scale);
        let mut sum = V::zero();
        let mut at = 0;
        while at + V::WIDTH <= N {
            let z = (V::load(&self.x[at..]) - V::load(&self.location[at..])) * inverse;
            sum = z.mul_add(z, sum);
            let d = z * inverse;
            (-d).store(&mut self.d_x[at..]);
            d.store(&mut self.d_location[at..]);
            at += V::WIDTH;
        }
        -0.5 * total(sum)
    }
}

/// A user's own normal.
#[derive(Debug)]
struct MyNormal;

impl Distribution for MyNormal {
    const NAME: &'static str = "MyNormal";
    const PARAMETERS: &'static [ppl_core::distributions::Parameter] = &[];
    const KIND: ValueKind = ValueKind::Continuous;
    const EVENT_RANK: usize = 0;
    const SUPPORT: Support = Support::Real;
}

#[ppl_core::distribution]
impl Univariate<2> for MyNormal {
    fn kernel<V: Lanes>(x: V, [loc, scale]: [V; 2]) -> Partials<V, 2> {
        let inverse = V::constant(1.0) / scale;
        let z = (x - loc) * inverse;
        let d = z * inverse;
        Partials { log_prob: V::constant(-0.5) * z * z, d_value: -d, d_params: [d, z * d] }
    }

    fn sample(_params: [f64; 2], _rng: &mut dyn rand::Rng) -> f64 {
        f64::NAN
    }
}

fn densities(c: &mut Criterion) {
    let [mut x, mut binary, mut location, mut d_x, mut d_location] = std::array::from_fn(|_| aligned(0.0, N));
    for i in 0..N {
        x[i] = (i % 7) as f64;
        binary[i] = f64::from(u8::from(i % 3 == 0));
        location[i] = ((i * 7919) % 1000) as f64 / 250.0 - 2.0;
    }
    let mut group = c.benchmark_group("densities of 100 000");
    macro_rules! ours {
        ($name:literal, $density:ty, $x:expr, $fixed:expr, $varying:literal) => {
            group.bench_function($name, |b| {
                b.iter(|| {
                    dispatch(Ours::<$density, _> {
                        x: black_box(&$x),
                        location: &location,
                        fixed: $fixed,
                        varying: $varying,
                        d_x: &mut d_x,
                        d_location: &mut d_location,
                        density: std::marker::PhantomData,
                    })
                });
            });
        };
    }
    ours!("normal", Normal, x, [0.0, 1.3], 0);
    ours!("normal of a user", MyNormal, x, [0.0, 1.3], 0);
    ours!("bernoulli logit", BernoulliLogit, binary, [0.0], 0);
    ours!("poisson log", PoissonLog, x, [0.0], 0);
    ours!("student t", StudentT, x, [4.0, 0.0, 1.3], 1);
    group.bench_function("normal by hand", |b| {
        b.iter(|| {
            dispatch(HandNormal { x: black_box(&x), location: &location, scale: 1.3, d_x: &mut d_x, d_location: &mut d_location })
        });
    });
    group.finish();
}

criterion_group!(benches, densities);
criterion_main!(benches);
