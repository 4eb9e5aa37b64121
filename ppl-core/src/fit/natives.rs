//! Families of latents on their own supports: as they are asked for, or where draws from the posterior are more like one of them than like a normal.

use super::config::{ByName, Checked};
use super::drawn::{BATCH, Drawn, Stage};
use super::engine::Engine;
use super::error::{ConfigError, FitError};
use super::observer::Observer;
use super::search::{Candidate, judged};
use crate::bijectors::Bijector;
use crate::diagnostics::PsisWeights;
use crate::guides::{FittedGuide, Guide, Native, NativeFamily};
use crate::kernel::Real;
use crate::model::{LogJoint, Variable};
use crate::random::step_key;

/// Draws that families are compared over.
const DRAWS: usize = 2048;
/// Nats that other families must promise beside independent normals, after what independence costs.
const PAYS: f64 = 0.05;
/// The most dimensions whose correlations are worth finding.
const FEW: usize = 300;

/// Fits the families that are asked for, each latent independent of the others.
pub(super) fn asked<E: Real>(
    model: &dyn LogJoint<E>,
    config: &Checked,
    start: &[f64],
    by_name: &ByName,
    observers: &mut [Box<dyn Observer>],
) -> Result<Candidate, FitError> {
    if by_name.is_local(model) {
        return Err(ConfigError::NativeAlone.into());
    }
    let engine = Engine::new(model, config, by_name, start)?;
    let gaussian = FittedGuide::MeanField(engine.independent());
    let draws = Draws::new(model, &gaussian, config.seed, false)?;
    let units: Vec<f64> = engine.curvature.diagonal.iter().map(|a| a.sqrt().recip()).collect();
    let chosen = model.layout().latents().zip(&by_name.natives).map(|(latent, family)| match draws.matched(*family, latent) {
        Some(parameters) => (*family, parameters),
        None => (NativeFamily::Normal, draws.normal(latent)),
    });
    let guide = draws.guide(model, chosen.collect(), &units);
    judged(model, config, engine.settle_or_climb(guide, observers)?)
}

/// Independent latents of the families that are most like weighted draws of a guide, if these promise a better bound than the guide has.
pub(super) fn promising<E: Real>(model: &dyn LogJoint<E>, guide: &FittedGuide, config: &Checked) -> Option<FittedGuide> {
    let layout = model.layout();
    let spread = layout.unconstrained() - layout.points();
    if spread > FEW || spread == 0 {
        return None;
    }
    let draws = Draws::new(model, guide, config.seed, true).ok()?;
    let (mut chosen, mut gain) = (Vec::new(), 0.0);
    for latent in layout.latents() {
        let normal = draws.normal(latent);
        let of_normal = draws.mean_log_prob(NativeFamily::Normal, latent, &normal);
        let mut best = (NativeFamily::Normal, normal, 0.0);
        for family in NativeFamily::ALL {
            let Some(parameters) = draws.matched(family, latent) else { continue };
            let own = draws.mean_log_prob(family, latent, &parameters) - of_normal;
            if own > best.2 {
                best = (family, parameters, own);
            }
        }
        gain += best.2;
        chosen.push((best.0, best.1));
    }
    let pays = gain > draws.dependence(spread) + PAYS;
    pays.then(|| draws.guide(model, chosen, &vec![1.0; layout.unconstrained()]))
}

/// Draws on the unconstrained scale of the model as written, with their weights.
struct Draws {
    /// `[dimension][draw]`
    u: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

impl Draws {
    fn new<E: Real>(model: &dyn LogJoint<E>, guide: &FittedGuide, seed: u64, weighted: bool) -> Result<Self, FitError> {
        let mut drawn = Drawn::new(model, guide.guide(), DRAWS, step_key(seed, u64::MAX - 18))?;
        let (mut u, mut ratios) = (vec![Vec::with_capacity(DRAWS); model.layout().unconstrained()], Vec::with_capacity(DRAWS));
        let mut z = vec![0.0; drawn.work.values.len() / BATCH];
        // Without weights no data are asked.
        let stage = if weighted { Stage::Ratios } else { Stage::Latents };
        while ratios.len() < DRAWS {
            drawn.next_batch(stage);
            for draw in 0..BATCH {
                z.iter_mut().enumerate().for_each(|(row, z)| *z = drawn.work.values[row * BATCH + draw].to_f64());
                // A draw at the end of its support has no place on the whole line, and no weight.
                let place = model.unconstrain(&z).ok().filter(|place| place.iter().all(|x| x.is_finite()));
                ratios.push(if place.is_some() { drawn.log_ratios[draw] } else { f64::NEG_INFINITY });
                u.iter_mut().enumerate().for_each(|(i, row)| row.push(place.as_ref().map_or(0.0, |place| place[i])));
            }
        }
        let smoothed = weighted.then(|| PsisWeights::new(&ratios)).transpose()?;
        let even = || ratios.iter().map(|ratio| if *ratio > f64::NEG_INFINITY { 1.0 } else { 0.0 }).collect();
        let mut weights: Vec<f64> = smoothed.map_or_else(even, |smoothed| smoothed.weights());
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= total);
        Ok(Draws { u, weights })
    }

    fn mean(&self, of: impl Fn(usize) -> f64) -> f64 {
        let each = self.weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
        each.map(|(draw, weight)| weight * of(draw)).sum()
    }

    /// The mean and the standard deviation.
    fn moments(&self, of: impl Fn(usize) -> f64) -> [f64; 2] {
        let mean = self.mean(&of);
        [mean, self.mean(|draw| (of(draw) - mean).powi(2)).sqrt().max(1e-9)]
    }

    fn normal(&self, latent: &Variable) -> Vec<Vec<f64>> {
        if latent.unconstrained.is_empty() {
            return vec![Vec::new(); 2];
        }
        of_elements(latent.unconstrained.clone().map(|i| self.moments(|draw| self.u[i][draw])))
    }

    /// The parameters of a family that are matched to the draws of a latent; none where it is not on the support, or has no such moments.
    fn matched(&self, family: NativeFamily, latent: &Variable) -> Option<Vec<Vec<f64>>> {
        if !family.is_on(latent) || latent.unconstrained.is_empty() {
            return None;
        }
        let own = latent.unconstrained.clone();
        let each = |of: &dyn Fn(usize) -> Option<Vec<f64>>| own.clone().map(of).collect::<Option<Vec<_>>>();
        match family {
            NativeFamily::Normal => Some(self.normal(latent)),
            NativeFamily::StudentT => each(&|i| {
                let [mean, sd] = self.moments(|draw| self.u[i][draw]);
                // The kurtosis beyond that of a normal is 6 / (df - 4).
                let kurtosis = self.mean(|draw| ((self.u[i][draw] - mean) / sd).powi(4)) - 3.0;
                let df = 4.0 + 6.0 / kurtosis.max(0.06);
                Some(vec![df, mean, sd * ((df - 2.0) / df).sqrt()])
            })
            .map(of_elements),
            NativeFamily::Gamma => each(&|i| self.gamma(|draw| self.u[i][draw])).map(of_elements),
            NativeFamily::InverseGamma => each(&|i| self.gamma(|draw| -self.u[i][draw])).map(of_elements),
            NativeFamily::Beta => each(&|i| {
                let [mean, sd] = self.moments(|draw| (1.0 + (-self.u[i][draw]).exp()).recip());
                let count = mean * (1.0 - mean) / (sd * sd) - 1.0;
                (count > 0.0).then(|| vec![(mean * count).max(1e-3), ((1.0 - mean) * count).max(1e-3)])
            })
            .map(of_elements),
            NativeFamily::Dirichlet => self.simplexes(latent),
            NativeFamily::VonMises => each(&|i| {
                let angle = |draw: usize| std::f64::consts::PI * (self.u[i][draw] / 2.0).tanh();
                let (cos, sin) = (self.mean(|draw| angle(draw).cos()), self.mean(|draw| angle(draw).sin()));
                let length = cos.hypot(sin).min(1.0 - 1e-9);
                // Banerjee et al. 2005, equation 4.4, of the circle.
                Some(vec![sin.atan2(cos), (length * (2.0 - length * length) / (1.0 - length * length)).max(1e-3)])
            })
            .map(of_elements),
        }
    }

    /// Shape and rate of a gamma variable whose logarithm is given, by its mean and its mean logarithm (Minka 2002).
    fn gamma(&self, ln: impl Fn(usize) -> f64) -> Option<Vec<f64>> {
        let (mean, mean_ln) = (self.mean(|draw| ln(draw).exp()), self.mean(&ln));
        let s = mean.ln() - mean_ln;
        let shape = (3.0 - s + ((s - 3.0).powi(2) + 24.0 * s).sqrt()) / (12.0 * s);
        (s > 0.0 && shape.is_finite() && mean.is_finite() && mean > 0.0).then(|| vec![shape, shape / mean])
    }

    /// The concentrations of simplexes: their means times the count that the variance of the first elements tells.
    fn simplexes(&self, latent: &Variable) -> Option<Vec<Vec<f64>>> {
        let Bijector::Simplex { length } = latent.bijector else { return None };
        let free = length.checked_sub(1).filter(|free| *free > 0)?;
        let mut all = Vec::new();
        for first in latent.unconstrained.clone().step_by(free) {
            let shares: Vec<Vec<f64>> = (0..self.weights.len())
                .map(|draw| {
                    let own: Vec<f64> = (first..first + free).map(|i| self.u[i][draw]).collect();
                    latent.bijector.forward_and_log_det(&own).map(|(z, _)| z)
                })
                .collect::<Result<_, _>>()
                .ok()?;
            let of = |k: usize| self.moments(|draw| shares[draw][k]);
            let counts: Vec<f64> = (0..length).map(of).map(|[mean, sd]| mean * (1.0 - mean) / (sd * sd) - 1.0).collect();
            let count = counts.iter().map(|count| count.max(1e-3).ln()).sum::<f64>() / length as f64;
            all.extend((0..length).map(|k| (of(k)[0] * count.exp()).max(1e-3)));
        }
        Some(vec![all])
    }

    /// The mean log density of a latent on the unconstrained scale, in nats.
    fn mean_log_prob(&self, family: NativeFamily, latent: &Variable, parameters: &[Vec<f64>]) -> f64 {
        let guide = Native::new(&[(family, 0..latent.unconstrained.len(), parameters.to_vec())], &[], &[]);
        let rows: Vec<f64> = latent.unconstrained.clone().flat_map(|i| self.u[i].iter().copied()).collect();
        let mut log_prob = vec![0.0; self.weights.len()];
        Guide::<f64>::log_prob(&guide, &rows, self.weights.len(), &mut log_prob);
        self.mean(|draw| log_prob[draw])
    }

    /// What independence costs, in nats: the mutual information of a Gaussian with the correlations of the draws, less what chance makes of none.
    fn dependence(&self, spread: usize) -> f64 {
        let moments: Vec<[f64; 2]> = (0..spread).map(|i| self.moments(|draw| self.u[i][draw])).collect();
        let standardized = |i: usize, draw: usize| (self.u[i][draw] - moments[i][0]) / moments[i][1];
        let mut correlation = vec![0.0; spread * spread];
        for i in 0..spread {
            for j in 0..=i {
                let own = self.mean(|draw| standardized(i, draw) * standardized(j, draw));
                correlation[i * spread + j] = own;
                correlation[j * spread + i] = own;
            }
        }
        let effective = self.weights.iter().map(|weight| weight * weight).sum::<f64>().recip();
        let by_chance = (spread * (spread - 1)) as f64 / (4.0 * effective);
        let factor = crate::optimizers::cholesky(&correlation, spread);
        factor.map_or(f64::INFINITY, |factor| -(0..spread).map(|i| factor[i * spread + i].ln()).sum::<f64>() - by_chance)
    }

    /// The guide of families with their parameters.
    fn guide<E: Real>(&self, model: &dyn LogJoint<E>, chosen: Vec<(NativeFamily, Vec<Vec<f64>>)>, units: &[f64]) -> FittedGuide {
        let layout = model.layout();
        let spread = layout.unconstrained() - layout.points();
        let latents: Vec<_> = layout
            .latents()
            .zip(chosen)
            .map(|(latent, (family, parameters))| (family, latent.unconstrained.clone(), parameters))
            .collect();
        let points: Vec<f64> = self.u[spread..].iter().map(|row| row[0]).collect();
        FittedGuide::Native(Native::new(&latents, &points, &units[spread..]))
    }
}

/// Numbers of each element as numbers of each parameter.
fn of_elements(each: impl IntoIterator<Item = impl IntoIterator<Item = f64>>) -> Vec<Vec<f64>> {
    let mut out: Vec<Vec<f64>> = Vec::new();
    for element in each {
        for (k, x) in element.into_iter().enumerate() {
            if out.len() == k {
                out.push(Vec::new());
            }
            out[k].push(x);
        }
    }
    out
}
