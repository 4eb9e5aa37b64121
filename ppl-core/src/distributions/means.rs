//! The means of the catalogue, in closed form, by the names of distributions and parameters.

use std::f64::consts::PI;

use super::Parameter;
use crate::kernel::Lanes as _;

/// Writes the mean of a distribution to all elements of `value`; whether there is one, and it is known. Of a category it is that of its number.
///
/// There is none of `Cauchy`, `HalfCauchy`, `StudentT` and `HalfStudentT` of at most one degree of freedom, `InverseGamma` of a shape of at most one and flat
/// priors; none is known of a truncated distribution and of the user's own.
pub(super) fn mean(name: &str, known: &[Parameter], params: &[f64], value: &mut [f64]) -> bool {
    let find = |parameter: &str| {
        let at = known.iter().position(|known| known.name == parameter)?;
        params.get(at).copied()
    };
    let of = |parameter: &str| find(parameter).unwrap_or(f64::NAN);
    let prob = || find("prob").unwrap_or_else(|| of("logit").sigmoid());
    let mean = match name {
        "Normal" | "Laplace" => of("loc"),
        "StudentT" if of("df") > 1.0 => of("loc"),
        "LogNormal" => (of("loc") + 0.5 * of("scale").powi(2)).exp(),
        "HalfNormal" => of("scale") * (2.0 / PI).sqrt(),
        "HalfStudentT" if of("df") > 1.0 => {
            let df = of("df");
            let ratio = (f64::lgamma(0.5 * (df + 1.0)) - f64::lgamma(0.5 * df)).exp();
            2.0 * of("scale") * (df / PI).sqrt() * ratio / (df - 1.0)
        }
        "Exponential" => of("rate").recip(),
        "Gamma" => of("shape") / of("rate"),
        "InverseGamma" if of("shape") > 1.0 => of("scale") / (of("shape") - 1.0),
        "Beta" => of("alpha") / (of("alpha") + of("beta")),
        "Uniform" => 0.5 * (of("lower") + of("upper")),
        "Bernoulli" => prob(),
        "Binomial" => of("trials") * prob(),
        "Poisson" => find("rate").unwrap_or_else(|| of("log_rate").exp()),
        "NegativeBinomial" => of("mean"),
        "Categorical" if find("probs").is_some() => numbered(params.iter().copied()),
        "Categorical" => {
            let most = params.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            numbered(params.iter().map(|logit| (logit - most).exp()))
        }
        "Dirichlet" => {
            // One number is a concentration for every element.
            let concentration = |k: usize| params.get(k).or(params.first()).copied().unwrap_or(f64::NAN);
            let total: f64 = (0..value.len()).map(concentration).sum();
            value.iter_mut().enumerate().for_each(|(k, mean)| *mean = concentration(k) / total);
            return true;
        }
        _ => return false,
    };
    value.fill(mean);
    true
}

/// The mean number of a category, of weights that need not sum to one.
fn numbered(weights: impl Iterator<Item = f64>) -> f64 {
    let (sum, total) =
        weights.enumerate().fold((0.0, 0.0), |(sum, total), (k, weight)| (sum + k as f64 * weight, total + weight));
    sum / total
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use crate::distributions::{
        BernoulliLogit, BernoulliProb, Beta, BinomialLogit, BinomialProb, CategoricalLogits, CategoricalProbs, Cauchy, Dirichlet,
        Exponential, Flat, FlatPositive, Gamma, HalfCauchy, HalfNormal, HalfStudentT, InverseGamma, Laplace, LogNormal,
        NegativeBinomial, Normal, PoissonLog, PoissonRate, Sampler, ScalarSampler, StudentT, Truncated, Uniform, VectorSampler,
    };

    /// That the mean of draws is the mean, within five of its standard errors.
    fn agrees(sampler: &dyn Sampler, params: &[f64], elements: usize) {
        let (draws, mut rng) = (40_000, StdRng::seed_from_u64(1));
        let (mut sum, mut squares, mut value) = (vec![0.0; elements], vec![0.0; elements], vec![0.0; elements]);
        for _ in 0..draws {
            sampler.sample(params, &mut rng, &mut value).expect("parameters in their supports");
            for k in 0..elements {
                sum[k] += value[k];
                squares[k] += value[k] * value[k];
            }
        }
        assert!(sampler.mean(params, &mut value), "{sampler:?} has a mean");
        for k in 0..elements {
            let mean = sum[k] / f64::from(draws);
            let error = ((squares[k] / f64::from(draws) - mean * mean) / f64::from(draws)).sqrt();
            assert!((mean - value[k]).abs() < 5.0 * error, "{sampler:?} {params:?}: {mean} and {}, {error}", value[k]);
        }
    }

    #[test]
    fn means_are_those_of_draws() {
        agrees(&ScalarSampler::<Normal, 2>::NEW, &[1.5, 2.0], 1);
        agrees(&ScalarSampler::<HalfNormal, 1>::NEW, &[2.0], 1);
        agrees(&ScalarSampler::<LogNormal, 2>::NEW, &[0.3, 0.6], 1);
        agrees(&ScalarSampler::<StudentT, 3>::NEW, &[6.0, -1.0, 2.0], 1);
        agrees(&ScalarSampler::<HalfStudentT, 2>::NEW, &[6.0, 2.0], 1);
        agrees(&ScalarSampler::<Laplace, 2>::NEW, &[-0.5, 1.2], 1);
        agrees(&ScalarSampler::<Exponential, 1>::NEW, &[2.5], 1);
        agrees(&ScalarSampler::<Gamma, 2>::NEW, &[1.4, 2.5], 1);
        agrees(&ScalarSampler::<InverseGamma, 2>::NEW, &[5.0, 2.5], 1);
        agrees(&ScalarSampler::<Beta, 2>::NEW, &[2.0, 0.7], 1);
        agrees(&ScalarSampler::<Uniform, 2>::NEW, &[-1.0, 4.0], 1);
        agrees(&ScalarSampler::<BernoulliProb, 1>::NEW, &[0.3], 1);
        agrees(&ScalarSampler::<BernoulliLogit, 1>::NEW, &[0.8], 1);
        agrees(&ScalarSampler::<BinomialProb, 2>::NEW, &[9.0, 0.3], 1);
        agrees(&ScalarSampler::<BinomialLogit, 2>::NEW, &[9.0, 0.8], 1);
        agrees(&ScalarSampler::<PoissonRate, 1>::NEW, &[3.1], 1);
        agrees(&ScalarSampler::<PoissonLog, 1>::NEW, &[0.4], 1);
        agrees(&ScalarSampler::<NegativeBinomial, 2>::NEW, &[3.1, 1.5], 1);
        agrees(&VectorSampler::<CategoricalProbs>::NEW, &[0.2, 0.5, 0.3], 1);
        agrees(&VectorSampler::<CategoricalLogits>::NEW, &[0.2, -1.5, 0.3], 1);
        agrees(&VectorSampler::<Dirichlet>::NEW, &[0.5, 2.0, 1.0], 3);
    }

    #[test]
    fn where_there_is_no_mean_none_is_given() {
        let none = |sampler: &dyn Sampler, params: &[f64]| assert!(!sampler.mean(params, &mut [0.0]), "{sampler:?} {params:?}");
        none(&ScalarSampler::<Cauchy, 2>::NEW, &[0.0, 1.0]);
        none(&ScalarSampler::<HalfCauchy, 1>::NEW, &[1.0]);
        none(&ScalarSampler::<StudentT, 3>::NEW, &[1.0, 0.0, 1.0]);
        none(&ScalarSampler::<HalfStudentT, 2>::NEW, &[0.7, 1.0]);
        none(&ScalarSampler::<InverseGamma, 2>::NEW, &[1.0, 1.0]);
        none(&ScalarSampler::<Flat, 0>::NEW, &[]);
        none(&ScalarSampler::<FlatPositive, 0>::NEW, &[]);
        none(&ScalarSampler::<Truncated<Normal>, 4>::NEW, &[0.0, 1.0, -1.0, 1.0]);
    }
}
