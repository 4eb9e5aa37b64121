//! The means of what is observed, given what its distribution reads.

use crate::kernel::Lanes as _;
use crate::model::Statement;

/// The mean of a distribution of one number; `NaN` where it has none or none is known.
pub(super) fn mean(statement: &Statement<'_>) -> f64 {
    let distribution = statement.distribution;
    let find = |name: &str| {
        let at = distribution.parameters().iter().position(|parameter| parameter.name == name)?;
        statement.params.get(at).copied()
    };
    let of = |name: &str| find(name).unwrap_or(f64::NAN);
    let prob = || find("prob").unwrap_or_else(|| of("logit").sigmoid());
    match distribution.name() {
        "Normal" | "Laplace" => of("loc"),
        "StudentT" if of("df") > 1.0 => of("loc"),
        "LogNormal" => (of("loc") + 0.5 * of("scale").powi(2)).exp(),
        "HalfNormal" => of("scale") * (2.0 / std::f64::consts::PI).sqrt(),
        "Exponential" => of("rate").recip(),
        "Gamma" => of("shape") / of("rate"),
        "Beta" => of("alpha") / (of("alpha") + of("beta")),
        "Uniform" => 0.5 * (of("lower") + of("upper")),
        "Bernoulli" => prob(),
        "Binomial" => of("trials") * prob(),
        "Poisson" => find("rate").unwrap_or_else(|| of("log_rate").exp()),
        "NegativeBinomial" => of("mean"),
        _ => f64::NAN,
    }
}
