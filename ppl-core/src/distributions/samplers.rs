//! Distributions as objects: density, draws and parameter checks behind one trait.

use std::fmt::Debug;
use std::marker::PhantomData;

use rand::{Rng, RngExt as _};

use super::{
    Cumulative, Multiparameter, Multivariate, Parameter, Parts, Quantiles, SampleError, Sampler, Support, Tails, Univariate,
    Vector,
};
use crate::kernel::Real as _;
use crate::kernel::functions::{LogSumExp, ln_factorial};

/// A distribution of one number as an object.
#[derive(Clone, Copy)]
pub struct ScalarSampler<D, const P: usize>(PhantomData<fn() -> D>);

impl<D, const P: usize> ScalarSampler<D, P> {
    /// The object.
    pub const NEW: Self = ScalarSampler(PhantomData);
}

impl<D: Univariate<P>, const P: usize> Debug for ScalarSampler<D, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(D::NAME)
    }
}

/// The parameters as an array; missing ones are `NaN`.
fn array<const P: usize>(params: &[f64]) -> [f64; P] {
    std::array::from_fn(|i| params.get(i).copied().unwrap_or(f64::NAN))
}

/// Refuses parameters outside their supports.
fn check(name: &'static str, known: &'static [Parameter], params: &[f64]) -> Result<(), SampleError> {
    for (parameter, &value) in known.iter().zip(params) {
        // Probabilities of exactly zero and one can be drawn from.
        let inside = match parameter.support {
            Support::Unit => (0.0..=1.0).contains(&value),
            Support::Positive if name == "Poisson" => value >= 0.0,
            support => support.contains(value),
        };
        if !inside {
            return Err(SampleError::Parameter {
                distribution: name,
                parameter: parameter.name,
                value,
                expected: parameter.support,
            });
        }
    }
    Ok(())
}

impl<D: Univariate<P>, const P: usize> Sampler for ScalarSampler<D, P> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn parameters_len(&self) -> usize {
        P
    }

    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn added(&self) -> &'static [&'static str] {
        D::ADDED
    }

    fn log_prob(&self, value: &[f64], params: &[f64]) -> f64 {
        value.first().map_or(f64::NAN, |&x| super::log_prob::<D, P>(x, array(params)))
    }

    fn mean(&self, params: &[f64], value: &mut [f64]) -> bool {
        D::mean(array(params)).map(|mean| value.fill(mean)).is_some()
    }

    fn variance(&self, params: &[f64]) -> Option<f64> {
        D::variance(array(params))
    }

    fn mode(&self, params: &[f64]) -> Option<f64> {
        D::mode(array(params))
    }

    fn entropy(&self, params: &[f64]) -> Option<f64> {
        D::entropy(array(params))
    }

    fn divergence(&self, params: &[f64], other: &[f64]) -> Option<f64> {
        D::divergence(array(params), array(other))
    }

    fn sample(&self, params: &[f64], rng: &mut dyn Rng, value: &mut [f64]) -> Result<(), SampleError> {
        if !D::PROPER {
            return Err(SampleError::Improper { distribution: D::NAME });
        }
        check(D::NAME, D::PARAMETERS, params)?;
        value.fill_with(|| D::sample(array(params), rng));
        Ok(())
    }
}

impl<D: Univariate<P>, const P: usize> Parts for ScalarSampler<D, P> {
    fn base(&self, value: f64) -> (f64, f64) {
        D::base(value)
    }

    fn kernel(&self, value: f64, params: &[f64]) -> (f64, Vec<f64>) {
        let partials = D::kernel(value, array(params));
        (partials.log_prob, std::iter::once(partials.d_value).chain(partials.d_params).collect())
    }

    fn normalizer(&self, params: &[f64]) -> (f64, Vec<f64>) {
        let (value, partials) = D::normalizer(array::<P>(params));
        (value, partials.to_vec())
    }

    fn single(&self, value: f64, params: &[f64]) -> f32 {
        let (value, params) = (f32::from_f64(value), array::<P>(params).map(f32::from_f64));
        super::ln_density::<D, f32, P>(value, params)
    }
}

impl<D: Cumulative<P>, const P: usize> Quantiles for ScalarSampler<D, P> {
    fn cdf(&self, value: f64, params: &[f64]) -> f64 {
        super::cdf::<D, P>(value, array(params))
    }

    fn quantile(&self, probability: f64, params: &[f64]) -> f64 {
        super::quantile::<D, P>(probability, array(params))
    }

    fn tails(&self, value: f64, params: &[f64]) -> (f64, f64, Vec<f64>) {
        let Tails { ln_below, ln_above, velocity } = D::tails(value, array::<P>(params));
        (ln_below, ln_above, velocity.to_vec())
    }

    fn single_tails(&self, value: f64, params: &[f64]) -> (f64, f64) {
        let tails = D::tails(f32::from_f64(value), array::<P>(params).map(f32::from_f64));
        (f64::from(tails.ln_below), f64::from(tails.ln_above))
    }
}

/// A distribution with a vector as its parameter, as an object.
#[derive(Clone, Copy)]
pub struct VectorSampler<D>(PhantomData<fn() -> D>);

impl<D> VectorSampler<D> {
    /// The object.
    pub const NEW: Self = VectorSampler(PhantomData);
}

impl<D: Multivariate> Debug for VectorSampler<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(D::NAME)
    }
}

struct Slice<'a>(&'a [f64]);

impl Vector<f64> for Slice<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, k: usize) -> f64 {
        self.0[k]
    }
}

impl<D: Multivariate> Sampler for VectorSampler<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn log_prob(&self, value: &[f64], params: &[f64]) -> f64 {
        D::log_prob(&Slice(value), &Slice(params))
    }

    fn mean(&self, params: &[f64], value: &mut [f64]) -> bool {
        D::mean(params, value)
    }

    fn sample(&self, params: &[f64], rng: &mut dyn Rng, value: &mut [f64]) -> Result<(), SampleError> {
        if let Some(parameter) = D::PARAMETERS.first() {
            let element = match parameter.support {
                Support::Simplex => Support::NonNegative,
                support => support,
            };
            if let Some(&value) = params.iter().find(|&&x| !element.contains(x)) {
                return Err(SampleError::Parameter {
                    distribution: D::NAME,
                    parameter: parameter.name,
                    value,
                    expected: parameter.support,
                });
            }
        }
        D::sample(params, rng, value);
        Ok(())
    }
}

/// Independent draws of a distribution of one number, sorted.
#[derive(Debug)]
pub struct Sorted<'a>(pub &'a dyn Sampler);

impl Sampler for Sorted<'_> {
    fn name(&self) -> &'static str {
        "Ordered"
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.0.parameters()
    }

    fn log_prob(&self, value: &[f64], params: &[f64]) -> f64 {
        let each: f64 = value.iter().map(|&x| self.0.log_prob(&[x], params)).sum();
        each + ln_factorial(value.len())
    }

    fn sample(&self, params: &[f64], rng: &mut dyn Rng, value: &mut [f64]) -> Result<(), SampleError> {
        for x in value.iter_mut() {
            self.0.sample(params, rng, std::slice::from_mut(x))?;
        }
        value.sort_by(f64::total_cmp);
        Ok(())
    }
}

/// A mixture: the parameters are a weight for each component, and then the parameters of each.
#[derive(Debug)]
pub enum Mixed<'a> {
    /// Components of one distribution.
    Each(&'a dyn Sampler),
    /// A component of each.
    Listed(&'a [&'a dyn Sampler]),
}

impl<'a> Mixed<'a> {
    /// The weights, and the components with their parameters.
    fn split<'p>(&self, params: &'p [f64]) -> (&'p [f64], impl Iterator<Item = (&'a dyn Sampler, &'p [f64])>) {
        let (count, one, all): (usize, _, &[&dyn Sampler]) = match *self {
            Mixed::Each(one) => (params.len() / (one.parameters_len() + 1), Some(one), &[]),
            Mixed::Listed(all) => (all.len(), None, all),
        };
        let (weights, mut rest) = params.split_at(count);
        let components = std::iter::repeat_n(one, count).flatten().chain(all.iter().copied());
        let with_parameters = components.map(move |component| {
            let (own, after) = rest.split_at(component.parameters_len());
            rest = after;
            (component, own)
        });
        (weights, with_parameters)
    }
}

impl Sampler for Mixed<'_> {
    fn name(&self) -> &'static str {
        "Mixture"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn parameters_len(&self) -> usize {
        0
    }

    fn log_prob(&self, value: &[f64], params: &[f64]) -> f64 {
        let (weights, components) = self.split(params);
        let mut sum = LogSumExp::<f64>::new();
        for (weight, (component, params)) in weights.iter().zip(components) {
            sum.push(weight.ln() + component.log_prob(value, params));
        }
        sum.value()
    }

    fn mean(&self, params: &[f64], value: &mut [f64]) -> bool {
        let (weights, components) = self.split(params);
        let (mut mean, mut own) = (0.0, [0.0]);
        for (weight, (component, params)) in weights.iter().zip(components) {
            if !component.mean(params, &mut own) {
                return false;
            }
            mean += weight * own[0];
        }
        value.fill(mean);
        true
    }

    fn sample(&self, params: &[f64], rng: &mut dyn Rng, value: &mut [f64]) -> Result<(), SampleError> {
        let (weights, components) = self.split(params);
        if let Some(&value) = weights.iter().find(|&&weight| !Support::NonNegative.contains(weight)) {
            return Err(SampleError::Parameter {
                distribution: "Mixture",
                parameter: "weights",
                value,
                expected: Support::Simplex,
            });
        }
        let components: Vec<(&dyn Sampler, &[f64])> = components.collect();
        for x in value.iter_mut() {
            let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
            let mut chosen = weights.len().saturating_sub(1);
            for (k, weight) in weights.iter().enumerate() {
                left -= weight;
                if left < 0.0 {
                    chosen = k;
                    break;
                }
            }
            let Some((component, params)) = components.get(chosen) else {
                *x = f64::NAN;
                continue;
            };
            component.sample(params, rng, std::slice::from_mut(x))?;
        }
        Ok(())
    }
}

/// A distribution of several parameters, which follow each other, as an object.
#[derive(Clone, Copy)]
pub struct ArraySampler<D, const P: usize> {
    lengths: [usize; P],
    of: PhantomData<fn() -> D>,
}

impl<D, const P: usize> ArraySampler<D, P> {
    /// The object of parameters of these lengths.
    #[must_use]
    pub fn new(lengths: [usize; P]) -> Self {
        ArraySampler { lengths, of: PhantomData }
    }

    fn split<'p>(&self, params: &'p [f64]) -> [&'p [f64]; P] {
        let mut rest = params;
        self.lengths.map(|length| {
            let (own, after) = rest.split_at(length.min(rest.len()));
            rest = after;
            own
        })
    }
}

impl<D: Multiparameter<P>, const P: usize> Debug for ArraySampler<D, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(D::NAME)
    }
}

impl<D: Multiparameter<P>, const P: usize> Sampler for ArraySampler<D, P> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        D::PARAMETERS
    }

    fn log_prob(&self, value: &[f64], params: &[f64]) -> f64 {
        D::log_prob(value, self.split(params))
    }

    fn mean(&self, params: &[f64], value: &mut [f64]) -> bool {
        D::mean(self.split(params), value)
    }

    fn sample(&self, params: &[f64], rng: &mut dyn Rng, value: &mut [f64]) -> Result<(), SampleError> {
        let split = self.split(params);
        let refused = |parameter: &Parameter, value: f64| SampleError::Parameter {
            distribution: D::NAME,
            parameter: parameter.name,
            value,
            expected: parameter.support,
        };
        for (parameter, own) in D::PARAMETERS.iter().zip(split) {
            let element = if parameter.support == Support::Simplex { Support::NonNegative } else { parameter.support };
            if let Some(&value) = own.iter().find(|&&x| !element.contains(x)) {
                return Err(refused(parameter, value));
            }
        }
        D::sample(split, rng, value);
        match (value.iter().find(|x| x.is_nan()), D::PARAMETERS.last()) {
            // Each element is legal and all together are not: a matrix that is not positive definite, cutpoints that do not increase.
            (Some(&nan), Some(parameter)) => Err(refused(parameter, nan)),
            _ => Ok(()),
        }
    }
}

/// Arrays one after the other, and their lengths.
#[must_use]
pub fn flatten<const P: usize>(arrays: [&[f64]; P]) -> (Vec<f64>, [usize; P]) {
    (arrays.concat(), arrays.map(<[f64]>::len))
}
