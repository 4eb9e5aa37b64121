//! The same bits on any number of threads, and no allocation in steady state.

use ppl_core::prelude::*;
use ppl_tests::models::EightSchools;
use ppl_tests::points;

model! {
    /// A plate that is cut in parts, with a product and a gather.
    pub Wide(y: [f64; N], x: [f64; N, P], g: [in C; N]) {
        b[P] ~ Normal(0, 1);
        s ~ HalfNormal(1);
        for c in C {
            a[c] ~ Normal(0, s);
        }
        for n in N {
            y[n] ~ Normal(dot(x[n], b) + a[g[n]], s);
        }
    }
}

fn wide() -> Wide {
    let n: usize = 9000;
    Wide {
        y: (0..n).map(|i| (i % 11) as f64 / 11.0).collect(),
        x: Array2::from_shape_fn((n, 5), |(i, j)| ((i * 31 + j * 17) % 13) as f64 / 13.0 - 0.4),
        g: (0..n).map(|i| i % 7).collect(),
    }
}

#[test]
fn one_two_and_eight_threads_give_the_same_bits() {
    let evaluate = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let model = wide();
            let bound = model.bind().expect("good data");
            let n = bound.layout().unconstrained();
            let (value, gradient) = ppl_tests::log_density(&*bound, &points(n, 16), &bound.unit_weights(16));
            value.iter().chain(&gradient).map(|x| x.to_bits()).collect::<Vec<u64>>()
        })
    };
    let one = evaluate(1);
    assert_eq!(one, evaluate(2));
    assert_eq!(one, evaluate(8));
}

#[test]
fn whole_fits_have_the_same_bits_on_any_number_of_threads() {
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let model = wide();
            let fit = fit_bbvi(&model, Bbvi { draws: 200, max_steps: 3, ..Bbvi::default() }).expect("a fit");
            let draws = fit.draws(&model, 50).expect("draws");
            (fit.elbo().0.to_bits(), draws.a.iter().map(|x| x.to_bits()).collect::<Vec<u64>>())
        })
    };
    let one = fit(1);
    assert_eq!(one, fit(2));
    assert_eq!(one, fit(8));
}

/// Counts the allocations of this thread.
mod counting {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) struct Counting;

    // SAFETY: every call is passed on to the system's allocator unchanged; the count is a thread-local without destructor.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let _ = COUNT.try_with(|count| count.set(count.get() + 1));
            // SAFETY: the caller's obligations are those of the system's allocator.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            // SAFETY: as above.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    /// The allocations that this thread has made so far.
    pub(crate) fn count() -> usize {
        COUNT.with(Cell::get)
    }
}

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

#[test]
fn a_step_allocates_nothing() {
    use ppl_core::estimators::{GradientEstimator as _, Reparameterization};
    use ppl_core::guides::MeanField;

    let model = EightSchools { y: vec![28.0, 8.0, -3.0], sigma: vec![15.0, 10.0, 16.0] };
    let bound = model.bind().expect("good data");
    let n = bound.layout().unconstrained();
    let guide = MeanField::new(&vec![0.0; n], &vec![-1.0; n]);
    let matrix: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i % (n + 1) == 0))).collect();
    let mut estimator = Reparameterization::new(&*bound, 16, Some(&matrix));
    let mut gradient = vec![0.0; 2 * n];
    let mut step = |key| estimator.estimate(&*bound, &guide, key, &mut gradient).elbo;
    assert!(step(1).is_finite());
    let before = counting::count();
    let mut sum = 0.0;
    for key in 2..200 {
        sum += step(key);
    }
    assert_eq!(counting::count() - before, 0, "the steps allocated (sum of ELBOs {sum})");
}
