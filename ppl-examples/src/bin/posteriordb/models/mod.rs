//! The models, one a file, and what they are called in posteriordb.

mod ar_k;
mod blr;
mod eight_schools;
mod gauss_mix;
mod gp_regr;
mod hmm;
mod kidscore;
mod lotka_volterra;
mod radon;

use ppl_core::prelude::*;
use ppl_core::report::ChainScalar;

use crate::database::{Data, Failure};

/// A posterior that is modelled here.
pub(crate) struct Entry {
    /// Its name.
    pub(crate) posterior: &'static str,
    /// The name of its model.
    pub(crate) model: &'static str,
    /// The name of its data.
    pub(crate) data: &'static str,
    /// Fits it.
    pub(crate) fit: fn(&Data, &mut Run) -> Result<Fitted, Failure>,
}

/// A fit without its type: scalars by the names of posteriordb.
pub(crate) struct Fitted {
    /// Names and posteriors.
    pub(crate) params: Vec<(String, Scalar)>,
    /// In nats, with its standard error.
    pub(crate) elbo: (f64, f64),
    /// The Pareto shape.
    pub(crate) pareto_k: f64,
    /// The time of the fit alone.
    pub(crate) seconds: f64,
    /// Steps, and why it stopped.
    pub(crate) stop: String,
    /// The families that were tried, the one that was kept first.
    pub(crate) tried: Vec<ppl_core::diagnostics::Tried>,
    /// How far the fit is from long chains, if these were asked for.
    pub(crate) check: Option<Check>,
}

/// Chains of the No-U-Turn sampler beside a fit.
pub(crate) struct Check {
    /// The table and the sentence of [`Fit::check_with_nuts`](ppl_core::fit::Fit).
    pub(crate) text: String,
    /// The scalars of the chains by the names of posteriordb.
    pub(crate) params: Vec<(String, ChainScalar)>,
}

/// How to fit.
pub(crate) struct Run {
    /// The configuration of the fit.
    pub(crate) config: Bbvi,
    /// Draws of each of four chains beside which the fit is put; none for no chains.
    pub(crate) chains: Option<usize>,
}

impl Run {
    /// Fits a model, and gives its parameters the names of posteriordb: ours to theirs.
    pub(crate) fn fitted<M: Model>(&mut self, model: &M, names: &[(String, String)]) -> Result<Fitted, Failure> {
        let fit = fit_bbvi(model, &mut self.config)?;
        let check = match self.chains {
            None => None,
            Some(draws) => Some(check(&fit, model, draws, names)?),
        };
        let params = names.iter().filter_map(|(ours, theirs)| fit.scalar(ours).map(|scalar| (theirs.clone(), scalar.clone())));
        let mut tried = fit.tried().to_vec();
        tried.sort_by(|a, b| b.elbo.total_cmp(&a.elbo));
        Ok(Fitted {
            params: params.collect(),
            elbo: fit.elbo(),
            pareto_k: fit.pareto_k(),
            seconds: fit.elapsed().as_secs_f64(),
            tried,
            stop: format!("{} steps, {}", fit.steps(), fit.stop_reason()),
            check,
        })
    }
}

/// The fit beside chains of the No-U-Turn sampler.
#[cfg(feature = "nuts")]
fn check<M: Model>(fit: &Fit<M>, model: &M, draws: usize, names: &[(String, String)]) -> Result<Check, Failure> {
    let check = fit.check_with_nuts(model, &Nuts { draws, warmup: 2000, target_accept: 0.95, ..Nuts::default() })?;
    let own = |name: &str| check.chains.scalars.iter().find(|own| own.scalar.name == name).cloned();
    let params = names.iter().filter_map(|(ours, theirs)| own(ours).map(|own| (theirs.clone(), own))).collect();
    Ok(Check { text: check.to_string(), params })
}

#[cfg(not(feature = "nuts"))]
fn check<M: Model>(_: &Fit<M>, _: &M, _: usize, _: &[(String, String)]) -> Result<Check, Failure> {
    Err("chains need the feature `nuts`: add `--features nuts` to the command".into())
}

/// The names of an array: ours count from zero, theirs from one.
pub(crate) fn elements(ours: &str, theirs: &str, count: usize) -> impl Iterator<Item = (String, String)> {
    let names = (0..count).map(|i| (format!("{ours}[{i}]"), format!("{theirs}[{}]", i + 1)));
    names.collect::<Vec<_>>().into_iter()
}

/// The names of a number.
pub(crate) fn number(ours: &str, theirs: &str) -> (String, String) {
    (ours.to_owned(), theirs.to_owned())
}

/// Every posterior that is modelled.
pub(crate) const ALL: &[Entry] = &[
    Entry {
        posterior: "eight_schools-eight_schools_noncentered",
        model: "eight_schools_noncentered",
        data: "eight_schools",
        fit: eight_schools::fit,
    },
    Entry {
        posterior: "eight_schools-eight_schools_centered",
        model: "eight_schools_centered",
        data: "eight_schools",
        fit: eight_schools::fit_centered,
    },
    Entry { posterior: "sblrc-blr", model: "blr", data: "sblrc", fit: blr::fit },
    Entry { posterior: "kidiq-kidscore_momhsiq", model: "kidscore_momhsiq", data: "kidiq", fit: kidscore::fit },
    Entry { posterior: "arK-arK", model: "arK", data: "arK", fit: ar_k::fit },
    Entry {
        posterior: "low_dim_gauss_mix-low_dim_gauss_mix",
        model: "low_dim_gauss_mix",
        data: "low_dim_gauss_mix",
        fit: gauss_mix::fit,
    },
    Entry { posterior: "gp_pois_regr-gp_regr", model: "gp_regr", data: "gp_pois_regr", fit: gp_regr::fit },
    Entry { posterior: "hmm_example-hmm_example", model: "hmm_example", data: "hmm_example", fit: hmm::fit },
    Entry {
        posterior: "hudson_lynx_hare-lotka_volterra",
        model: "lotka_volterra",
        data: "hudson_lynx_hare",
        fit: lotka_volterra::fit,
    },
    Entry {
        posterior: "radon_mn-radon_hierarchical_intercept_noncentered",
        model: "radon_hierarchical_intercept_noncentered",
        data: "radon_mn",
        fit: radon::fit,
    },
    Entry {
        posterior: "radon_mn-radon_hierarchical_intercept_centered",
        model: "radon_hierarchical_intercept_centered",
        data: "radon_mn",
        fit: radon::fit_centered,
    },
];
