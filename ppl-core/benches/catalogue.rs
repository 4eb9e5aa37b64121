//! The speed of every density of one number, beside the goal: `cargo bench -p ppl-core --bench catalogue [-- name ..]`.
//!
//! The whole log density (base, kernel and normalizer) of 100 000 elements with all partials, over lanes. The value and one parameter vary: their partials
//! are stored, the others summed. What depends on the other parameters alone is computed once.
#![allow(missing_docs)]
#![allow(clippy::wildcard_imports, reason = "the list names every distribution")]

use std::hint::black_box;
use std::ops::Range;
use std::time::Instant;

use ppl_core::distributions::*;
use ppl_core::kernel::{Kernel, Lanes, dispatch, simd_level};
use ppl_core::model::{Aligned, aligned};

const N: usize = 100_000;
/// Nanoseconds an element on AVX-512.
const GOAL: f64 = 1.5;
/// And for each special function.
const GOAL_OF_A_FUNCTION: f64 = 3.0;
/// In place of the special functions, where there is no goal.
const EXCEPTED: &str = "incomplete gamma function";

/// A distribution a line: where its values lie, its parameters, which one varies over what, and the special functions that vary with value and parameter.
macro_rules! densities {
    ($($density:ty: $values:expr, [$($param:expr),*], $at:literal in $over:expr, $functions:expr;)*) => {
        vec![$(row::<$density, _, $at, { normalizer_varies(stringify!($density), $at) }>(stringify!($density), $values, [$($param),*], $over, $functions)),*]
    };
}

fn rows() -> Vec<Row> {
    densities! {
        Normal: -3.0..3.0, [0.0, 1.3], 0 in -2.0..2.0, "";
        HalfNormal: 0.1..4.0, [1.0], 0 in 0.5..3.0, "ln scale";
        LogNormal: 0.1..6.0, [0.0, 1.3], 0 in -2.0..2.0, "ln x";
        StudentT: -3.0..3.0, [4.0, 0.0, 1.3], 1 in -2.0..2.0, "ln(1 + z^2 / df)";
        HalfStudentT: 0.1..4.0, [0.0, 1.3], 0 in 2.0..30.0, "ln(1 + z^2 / df), ln df, lgamma(df / 2), digamma, lgamma(df / 2 + 1 / 2), digamma";
        Cauchy: -3.0..3.0, [0.0, 1.3], 0 in -2.0..2.0, "ln(1 + z^2)";
        HalfCauchy: 0.1..4.0, [1.0], 0 in 0.5..3.0, "ln(1 + z^2), ln scale";
        Laplace: -3.0..3.0, [0.0, 1.3], 0 in -2.0..2.0, "";
        AsymmetricLaplace: -3.0..3.0, [0.0, 1.3, 0.7], 0 in -2.0..2.0, "";
        Logistic: -3.0..3.0, [0.0, 1.3], 0 in -2.0..2.0, "exp, ln(1 + e)";
        Gumbel: -3.0..3.0, [0.0, 1.3], 0 in -2.0..2.0, "exp";
        SkewNormal: -3.0..3.0, [0.0, 1.3, 2.0], 0 in -2.0..2.0, "ln normal cdf, exp";
        Exponential: 0.1..6.0, [1.0], 0 in 0.5..3.0, "ln rate";
        Gamma: 0.1..6.0, [1.0, 1.3], 0 in 0.5..20.0, "ln x, lgamma shape, digamma";
        InverseGamma: 0.1..6.0, [1.0, 1.3], 0 in 0.5..20.0, "ln x, lgamma shape, digamma";
        ChiSquared: 0.1..20.0, [1.0], 0 in 1.0..30.0, "ln x, lgamma(df / 2), digamma";
        InverseChiSquared: 0.1..6.0, [1.0], 0 in 1.0..30.0, "ln x, lgamma(df / 2), digamma";
        FisherSnedecor: 0.1..6.0, [1.0, 7.0], 0 in 1.0..30.0, "ln x, ln(1 + t), lgamma(df1 / 2), digamma, lgamma(sum), digamma";
        BetaPrime: 0.1..6.0, [1.0, 3.0], 0 in 0.5..20.0, "ln x, ln(1 + x), lgamma alpha, digamma, lgamma(alpha + beta), digamma";
        Weibull: 0.1..6.0, [1.0, 1.3], 0 in 0.5..3.0, "ln x, exp, ln shape";
        Frechet: 0.1..6.0, [1.0, 1.3], 0 in 0.5..3.0, "ln x, exp, ln shape";
        Rayleigh: 0.1..6.0, [1.0], 0 in 0.5..3.0, "ln x, ln scale";
        Gompertz: 0.1..3.0, [1.0, 0.7], 0 in 0.5..3.0, "e^x - 1, ln shape";
        Beta: 0.01..0.99, [1.0, 3.0], 0 in 0.5..20.0, "ln x, ln(1 - x), lgamma alpha, digamma, lgamma(alpha + beta), digamma";
        Kumaraswamy: 0.01..0.99, [1.0, 3.0], 0 in 0.5..5.0, "ln x, exp, ln(1 - x^alpha), ln alpha";
        LogitNormal: 0.01..0.99, [0.0, 1.3], 0 in -2.0..2.0, "ln x, ln(1 - x)";
        RelaxedBernoulli: 0.01..0.99, [0.7, 0.0], 1 in -2.0..2.0, "ln x, ln(1 - x), exp, ln(1 + e)";
        Uniform: -1.5..1.5, [0.0, 2.0], 0 in -3.0..-2.0, "ln width";
        LogUniform: 1.0..3.0, [0.0, 4.0], 0 in 0.1..0.9, "ln x, ln lower, ln width";
        Triangular: -1.5..1.5, [0.0, 2.0, 0.3], 0 in -3.0..-2.0, "ln share, ln width";
        Pareto: 1.1..6.0, [1.0, 2.0], 1 in 0.5..5.0, "ln x, ln lower, ln shape";
        Erlang: 0.1..6.0, [3.0, 1.0], 1 in 0.5..3.0, "ln x, ln rate";
        VonMises: -3.0..3.0, [0.0, 2.0], 0 in -2.0..2.0, "sin, cos";
        Flat: -3.0..3.0, [], 0 in 0.0..1.0, "";
        FlatPositive: 0.1..4.0, [], 0 in 0.0..1.0, "";
        BernoulliProb: 0.0..2.0, [0.5], 0 in 0.01..0.99, "ln of a probability";
        BernoulliLogit: 0.0..2.0, [0.0], 0 in -3.0..3.0, "exp, ln(1 + e)";
        BinomialProb: 0.0..21.0, [20.0, 0.5], 1 in 0.01..0.99, "lgamma(x + 1), lgamma(rest + 1), ln prob, ln(1 - prob)";
        BinomialLogit: 0.0..21.0, [20.0, 0.0], 1 in -3.0..3.0, "lgamma(x + 1), lgamma(rest + 1), exp, ln(1 + e)";
        PoissonRate: 0.0..15.0, [1.0], 0 in 0.5..20.0, "lgamma(x + 1), ln rate";
        PoissonLog: 0.0..15.0, [0.0], 0 in -2.0..3.0, "lgamma(x + 1), exp";
        NegativeBinomial: 0.0..15.0, [1.0, 2.5], 0 in 0.5..20.0, "lgamma(x + 1), lgamma(x + dispersion), digamma, ln mean, ln total";
        NegativeBinomialProb: 0.0..15.0, [2.5, 0.5], 1 in 0.01..0.99, "lgamma(x + 1), lgamma(x + successes), ln prob, ln(1 - prob)";
        Hypergeometric: 0.0..6.0, [5.0, 20.0, 30.0], 1 in 10.0..30.0, "lgamma(x + 1), lgamma(draws - x + 1), lgamma(successes - x + 1), lgamma(failures - draws + x + 1), lgamma(successes + 1), lgamma(successes + failures + 1), lgamma(successes + failures - draws + 1)";
        DiscreteUniform: 0.0..15.0, [0.0, 20.0], 1 in 15.0..20.0, "ln size";
        Skellam: -5.0..5.0, [1.0, 2.0], 0 in 0.5..20.0, EXCEPTED;
        Geometric: 0.0..15.0, [0.5], 0 in 0.01..0.99, "ln prob, ln(1 - prob)";
        BetaBinomial: 0.0..21.0, [20.0, 1.0, 3.0], 1 in 0.5..20.0, "lgamma(x + 1), lgamma(rest + 1), lgamma(x + alpha), digamma, lgamma(rest + beta), digamma, lgamma alpha, digamma, lgamma(alpha + beta), digamma, lgamma(trials + alpha + beta), digamma";
        Transformed<Normal, ByExp>: 0.1..6.0, [0.0, 1.3], 0 in -2.0..2.0, "ln x";
        Transformed<Normal, BySigmoid>: 0.01..0.99, [0.0, 1.3], 0 in -2.0..2.0, "ln x, ln(1 - x)";
        Transformed<Normal, BySoftplus>: 0.1..6.0, [0.0, 1.3], 0 in -2.0..2.0, "e^x - 1, ln";
        ZeroInflated<PoissonLog>: 0.0..15.0, [0.0, 0.2], 0 in -2.0..3.0, "lgamma(x + 1), exp, exp, ln(1 + e), exp, e^x - 1";
        Truncated<Normal>: -1.0..1.0, [0.0, 1.3, -1.5, 2.0], 0 in -2.0..2.0, "below lower: ln cdf, ln(1 - cdf), below upper: ln cdf, ln(1 - cdf), exp, exp, exp, exp, e^x - 1, ln";
        Censored<Normal>: -2.0..3.0, [0.0, 1.3, -1.5, 2.0], 0 in -2.0..2.0, "ln cdf, ln(1 - cdf), exp, exp";
        Truncated<Gamma>: 0.6..2.9, [1.0, 1.3, 0.5, 3.0], 0 in 0.5..20.0, EXCEPTED;
    }
}

/// Whether the normalizer reads a parameter: if not, it stands outside the loop.
const fn normalizer_varies(name: &str, at: usize) -> bool {
    let mut i = 0;
    while i < REGISTRY.len() {
        if same(REGISTRY[i].name.as_bytes(), name.as_bytes()) {
            let (reads, mut k) = (REGISTRY[i].normalizer, 0);
            while k < reads.len() {
                if reads[k] == at {
                    return true;
                }
                k += 1;
            }
            return false;
        }
        i += 1;
    }
    // Of a distribution made of another one.
    true
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// The density of numbers, with its partials stored or summed.
struct Density<'a, D, const P: usize, const AT: usize, const NORMALIZER_VARIES: bool> {
    x: &'a [f64],
    varied: &'a [f64],
    params: [f64; P],
    d_x: &'a mut [f64],
    d_varied: &'a mut [f64],
    of: std::marker::PhantomData<D>,
}

impl<D: Univariate<P>, const P: usize, const AT: usize, const NORMALIZER_VARIES: bool> Kernel<f64>
    for Density<'_, D, P, AT, NORMALIZER_VARIES>
{
    type Output = f64;
    #[inline(always)]
    fn run<V: Lanes<Element = f64>>(self) -> f64 {
        let mut params = [V::zero(); P];
        for i in 0..P {
            params[i] = V::splat(self.params[i]);
        }
        let (x, varied) = (V::chunks(self.x), V::chunks(self.varied));
        let (d_x, d_varied) = (V::chunks_mut(self.d_x), V::chunks_mut(self.d_varied));
        let (mut normalizer, mut d_normalizer) = D::normalizer(params);
        let (mut sum, mut sums) = (V::zero(), [V::zero(); P]);
        for at in 0..x.len() {
            let value = V::from_chunk(&x[at]);
            if let Some(param) = params.get_mut(AT) {
                *param = V::from_chunk(&varied[at]);
            }
            let (base, d_base) = D::base(value);
            let kernel = D::kernel(value, params);
            if NORMALIZER_VARIES {
                (normalizer, d_normalizer) = D::normalizer(params);
            }
            sum = sum + (base + kernel.log_prob - normalizer);
            (kernel.d_value + d_base).to_chunk(&mut d_x[at]);
            for i in 0..P {
                let d = kernel.d_params[i] - d_normalizer[i];
                if i == AT { d.to_chunk(&mut d_varied[at]) } else { sums[i] = sums[i] + d }
            }
        }
        for other in sums {
            black_box(other);
        }
        let mut lanes = [0.0; 8];
        sum.store(&mut lanes[..V::WIDTH]);
        lanes.iter().sum()
    }
}

/// What a density reads and writes.
struct Buffers {
    x: Aligned<f64>,
    varied: Aligned<f64>,
    d_x: Aligned<f64>,
    d_varied: Aligned<f64>,
}

/// A density of the table.
struct Row {
    name: String,
    values: Range<f64>,
    /// Of value and parameter.
    is_whole: [bool; 2],
    over: Range<f64>,
    functions: &'static str,
    run: Box<dyn Fn(&mut Buffers) -> f64>,
    best: f64,
}

fn row<D: Univariate<P> + 'static, const P: usize, const AT: usize, const NORMALIZER_VARIES: bool>(
    name: &str,
    values: Range<f64>,
    params: [f64; P],
    over: Range<f64>,
    functions: &'static str,
) -> Row {
    let run = move |buffers: &mut Buffers| {
        let Buffers { x, varied, d_x, d_varied } = buffers;
        let (params, of) = (black_box(params), std::marker::PhantomData);
        dispatch(Density::<D, P, AT, NORMALIZER_VARIES> { x, varied, params, d_x, d_varied, of })
    };
    let is_count = D::PARAMETERS.get(AT).is_some_and(|parameter| matches!(parameter.support, Support::Count | Support::Integer));
    let is_whole = [D::KIND == ValueKind::Discrete, is_count];
    Row { name: name.replace(' ', ""), values, is_whole, over, functions, run: Box::new(run), best: f64::INFINITY }
}

impl Row {
    fn functions_len(&self) -> usize {
        if self.functions.is_empty() { 0 } else { self.functions.split(", ").count() }
    }

    fn goal(&self) -> Option<f64> {
        (self.functions != EXCEPTED).then(|| GOAL_OF_A_FUNCTION.mul_add(self.functions_len() as f64, GOAL))
    }

    /// The least time of some runs, in nanoseconds an element.
    fn measure(&mut self, runs: usize, buffers: &mut Buffers) {
        let within = |range: &Range<f64>, share: f64| (range.end - range.start).mul_add(share, range.start);
        for i in 0..N {
            let x = within(&self.values, (i as f64 * 0.618_033_988_749_895).fract());
            let varied = within(&self.over, (i as f64 * 0.754_877_666_246_693).fract());
            buffers.x[i] = if self.is_whole[0] { x.floor() } else { x };
            buffers.varied[i] = if self.is_whole[1] { varied.floor() } else { varied };
        }
        for _ in 0..runs {
            let start = Instant::now();
            let sum = black_box((self.run)(black_box(buffers)));
            self.best = self.best.min(start.elapsed().as_nanos() as f64 / N as f64);
            assert!(sum.is_finite(), "{} of numbers outside its support", self.name);
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without `--bench` it is run as a test.
    let (rounds, runs) = if arguments.iter().any(|argument| argument == "--bench") { (8, 12) } else { (1, 1) };
    let mut rows = rows();
    for entry in REGISTRY.iter().filter(|entry| entry.parts.is_some()) {
        assert!(rows.iter().any(|row| row.name == entry.name), "{} has no line in the list", entry.name);
    }
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    rows.retain(|row| names.is_empty() || names.contains(&&row.name));
    let [x, varied, d_x, d_varied] = std::array::from_fn(|_| aligned(0.0, N));
    let mut buffers = Buffers { x, varied, d_x, d_varied };
    for _ in 0..rounds {
        rows.iter_mut().for_each(|row| row.measure(runs, &mut buffers));
    }
    print(&rows);
}

fn print(rows: &[Row]) {
    println!(
        "Level {:?}; the goal is one for AVX-512: {GOAL} ns + {GOAL_OF_A_FUNCTION} ns for each special function",
        simd_level()
    );
    println!("{:28} {:>8} {:>6} {:>6}  special functions", "density", "ns", "goal", "ratio");
    let mut ratios = Vec::new();
    for row in rows {
        let (goal, ratio) = match row.goal() {
            Some(goal) => {
                ratios.push((row.best / goal, row.name.as_str()));
                (format!("{goal:.1}"), format!("{:.2}", row.best / goal))
            }
            None => (String::from("-"), String::from("-")),
        };
        println!("{:28} {:8.2} {goal:>6} {ratio:>6}  {} {}", row.name, row.best, row.functions_len(), row.functions);
    }
    ratios.sort_by(|a, b| b.0.total_cmp(&a.0));
    if let (Some((worst, name)), Some((median, _))) = (ratios.first(), ratios.get(ratios.len() / 2)) {
        let above: Vec<&str> = ratios.iter().take_while(|(ratio, _)| *ratio > 1.0).map(|&(_, name)| name).collect();
        println!(
            "worst {worst:.2} ({name}), median {median:.2}; above the goal {} of {}: {}",
            above.len(),
            ratios.len(),
            above.join(", ")
        );
    }
}
