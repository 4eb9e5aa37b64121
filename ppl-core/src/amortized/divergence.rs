//! The divergence of the guide from the prior of the latents: from the draws, or in closed form where both are normal.

use std::collections::BTreeSet;
use std::ops::Range;

use super::buffers::{Buffers, Half};
use super::engine::Engine;
use super::plan::{Located, Plan, Source};
use super::transpose::LaneShape;
use super::{Amortized, AmortizedError, AmortizedEstimator, AmortizedObjective, Divergence};
use crate::bijectors::Bijector;
use crate::kernel::Real;
use crate::model::{Graph, Layout, SiteKind};

/// The divergence in closed form, of every latent.
///
/// # Source
/// Kingma & Welling 2014, Auto-encoding variational Bayes, appendix B.
#[derive(Debug)]
pub(super) struct ClosedForm {
    /// Of each latent of the guide, in its order, the prior.
    priors: Vec<Prior>,
    /// What the divergence of an element, averaged over a batch, counts for at least, in nats.
    free_bits: f64,
}

/// The prior of a latent.
#[derive(Debug)]
struct Prior {
    /// Which of [`Layout::centred`] of the model.
    centred: usize,
    location: Range<usize>,
    scale: Range<usize>,
}

/// A normal distribution and the one that it diverges from.
#[derive(Clone, Copy, Debug)]
struct Normals {
    location: f64,
    scale: f64,
    prior_location: f64,
    prior_scale: f64,
}

impl Normals {
    /// Those of an element of a latent in a lane.
    fn at<E: Real>((own, of_guide): (&Located, &[E]), (prior, of_model): (&Prior, &[E]), at: (usize, usize, usize)) -> Self {
        let (element, lane, lanes) = at;
        let read = |values: &[E], rows: &Range<usize>| values[(rows.start + element) * lanes + lane].to_f64();
        Normals {
            location: read(of_guide, &own.location),
            scale: read(of_guide, &own.scale),
            prior_location: read(of_model, &prior.location),
            prior_scale: read(of_model, &prior.scale),
        }
    }

    /// In nats.
    fn divergence(self) -> f64 {
        let ratio = self.scale / self.prior_scale;
        let distance = (self.location - self.prior_location) / self.prior_scale;
        0.5 * (ratio * ratio + distance * distance - 1.0) - ratio.ln()
    }

    /// The derivative by location and scale.
    fn by_own(self) -> [f64; 2] {
        let precision = (self.prior_scale * self.prior_scale).recip();
        [(self.location - self.prior_location) * precision, self.scale * precision - self.scale.recip()]
    }

    /// The derivative by location and scale of the prior.
    fn by_prior(self) -> [f64; 2] {
        let each = self.prior_scale.recip();
        let (ratio, distance) = (self.scale * each, (self.location - self.prior_location) * each);
        [-distance * each, (1.0 - ratio * ratio - distance * distance) * each]
    }
}

/// The closed form for a fit that asks for it, or that may have it.
pub(super) fn closed_form<E: Real>(engine: &Engine<'_, E>, config: &Amortized) -> Result<Option<ClosedForm>, AmortizedError> {
    let needed = config.divergence == Divergence::Analytic || config.free_bits > 0.0;
    let possible = config.objective == AmortizedObjective::Elbo && config.estimator == AmortizedEstimator::Standard;
    if config.divergence == Divergence::Sampled || !(needed || possible) {
        return Ok(None);
    }
    match priors(engine) {
        Ok(priors) => Ok(Some(ClosedForm { priors, free_bits: config.free_bits })),
        Err(error) if needed => Err(error),
        Err(_) => Ok(None),
    }
}

/// The priors of all latents of the guide, if each has a closed form.
fn priors<E: Real>(engine: &Engine<'_, E>) -> Result<Vec<Prior>, AmortizedError> {
    let of_model = Side { graph: engine.model.graph(), layout: engine.model.layout(), plan: engine.model_plan };
    let of_guide = Side { graph: engine.guide.graph(), layout: engine.guide.layout(), plan: engine.guide_plan };
    let prior = |located: &Located| {
        let refused = |reason: String| {
            let factor = of_model.graph.factors.iter().find(|factor| of_model.is_of(factor.site, located.name));
            let statement = factor.map_or("", |factor| factor.text);
            AmortizedError::NoClosedForm { latent: located.name, statement, reason }
        };
        let centred = of_model.layout.centred.iter().position(|centred| {
            let variable = &of_model.layout.variables[centred.variable];
            variable.name == located.name && centred.family == "Normal" && variable.bijector == Bijector::Identity
        });
        let Some(centred) = centred else {
            return Err(refused("it is not `Normal` of a location and a scale".to_owned()));
        };
        // The mean over the latent itself is taken with the prior held fixed: the prior may not depend on it through the guide.
        for read in of_model.read_by(located.name) {
            if of_guide.before(read).contains(located.name) {
                return Err(refused(format!(
                    "it depends on `{read}`, which the guide draws given `{}`, not in the order of the model",
                    located.name
                )));
            }
        }
        let known = &of_model.layout.centred[centred];
        Ok(Prior { centred, location: known.location.clone(), scale: known.scale.clone() })
    };
    engine.guide_plan.located.iter().map(prior).collect()
}

/// Who depends on whom in a model or a guide.
struct Side<'a> {
    graph: &'static Graph,
    layout: &'a Layout,
    plan: &'a Plan,
}

impl Side<'_> {
    fn is_of(&self, site: Option<usize>, name: &str) -> bool {
        site.is_some_and(|site| self.graph.sites[site].name == name)
    }

    /// The latents that the distribution of a latent reads, itself or through networks.
    fn read_by(&self, latent: &str) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        for factor in self.graph.factors.iter().filter(|factor| self.is_of(factor.site, latent)) {
            for site in factor.reads.iter().map(|read| &self.graph.sites[read.site]).filter(|site| site.name != latent) {
                match site.kind {
                    SiteKind::Latent => {
                        found.insert(site.name);
                    }
                    _ => self.behind(site.name, &mut found),
                }
            }
        }
        found
    }

    /// Adds the latents that a result of a network depends on.
    fn behind(&self, result: &str, found: &mut BTreeSet<&'static str>) {
        let Some(variable) = self.layout.parameters().find(|variable| variable.name == result) else { return };
        let gives = |call: &&super::plan::Wired| call.results.iter().any(|result| result.rows == variable.rows);
        for operand in self.plan.calls.iter().filter(gives).flat_map(|call| &call.operands) {
            match &operand.source {
                Source::Input(_) => {}
                Source::Latent(rows) => found.extend(self.layout.latents().filter(|v| v.rows == *rows).map(|v| v.name)),
                Source::Result(rows) => {
                    if let Some(before) = self.layout.parameters().find(|v| v.rows == *rows) {
                        self.behind(before.name, found);
                    }
                }
            }
        }
    }

    /// All latents that a latent depends on, at any distance.
    fn before(&self, latent: &str) -> BTreeSet<&'static str> {
        let mut found = self.read_by(latent);
        let mut left: Vec<&str> = found.iter().copied().collect();
        while let Some(next) = left.pop() {
            left.extend(self.read_by(next).into_iter().filter(|name| found.insert(name)));
        }
        found
    }
}

impl ClosedForm {
    /// Writes the divergence of each lane, in nats, and which elements are above the floor; the latents are in their places in guide and model, and the
    /// networks have been called.
    pub(super) fn evaluate<E: Real>(&self, engine: &Engine<'_, E>, buffers: &mut Buffers<E>) {
        let Buffers { shape, model, guide, divergence, above, .. } = buffers;
        let (lanes, real) = (shape.lanes, shape.real());
        divergence.fill(0.0);
        for (prior, own) in self.priors.iter().zip(&engine.guide_plan.located) {
            engine.model.locate(prior.centred, &mut model.work);
            for element in 0..own.rows.len() {
                let mut sum = 0.0;
                for (lane, total) in divergence.iter_mut().enumerate().take(real) {
                    let at = (element, lane, lanes);
                    let own = Normals::at((own, &guide.work.values), (prior, &model.work.values), at).divergence();
                    *total += own;
                    sum += own;
                }
                above[own.noise + element] = self.free_bits == 0.0 || sum > self.free_bits * real as f64;
            }
        }
    }

    /// Adds what the divergence gives to the adjoints of the model's latents and parameters, through the locations and scales of the priors.
    /// `lane_weights: [lane]` are the derivative of what is maximised by the divergence of each lane.
    pub(super) fn pull_priors<E: Real>(
        &self,
        engine: &Engine<'_, E>,
        (shape, lane_weights, above): (LaneShape, &[E], &[bool]),
        guide: &Half<E>,
        model: &mut Half<E>,
    ) {
        let lanes = shape.lanes;
        for (prior, own) in self.priors.iter().zip(&engine.guide_plan.located) {
            let Half { work, weights, .. } = model;
            for element in 0..own.rows.len() {
                let counts = above[own.noise + element];
                for lane in 0..lanes {
                    let weight = lane_weights[lane].to_f64();
                    let [by_location, by_scale] = if counts && weight != 0.0 {
                        Normals::at((own, &guide.work.values), (prior, &work.values), (element, lane, lanes)).by_prior()
                    } else {
                        [0.0; 2]
                    };
                    for (rows, derivative) in [(&prior.location, by_location), (&prior.scale, by_scale)] {
                        work.adjoints[(rows.start + element) * lanes + lane] = E::from_f64(weight * derivative);
                    }
                }
            }
            engine.model.pull_locate(prior.centred, work, weights);
        }
    }

    /// Adds what the divergence gives to the adjoints of the location and the scale of a latent of the guide, by its number there.
    pub(super) fn add_own<E: Real>(
        &self,
        (index, own): (usize, &Located),
        (shape, lane_weights, above): (LaneShape, &[E], &[bool]),
        guide: &mut Half<E>,
        model: &Half<E>,
    ) {
        let (prior, lanes) = (&self.priors[index], shape.lanes);
        let work = &mut guide.work;
        for element in (0..own.rows.len()).filter(|element| above[own.noise + element]) {
            for lane in 0..shape.real() {
                let weight = lane_weights[lane].to_f64();
                let derivatives = Normals::at((own, &work.values), (prior, &model.work.values), (element, lane, lanes)).by_own();
                for (rows, derivative) in [&own.location, &own.scale].into_iter().zip(derivatives) {
                    let to = &mut work.adjoints[(rows.start + element) * lanes + lane];
                    *to = *to + E::from_f64(weight * derivative);
                }
            }
        }
    }

    /// The name of the first element whose divergence is not finite in a lane, and its value.
    pub(super) fn first_bad<E: Real>(&self, engine: &Engine<'_, E>, lane: usize, buffers: &Buffers<E>) -> Option<(String, f64)> {
        let Buffers { shape, model, guide, .. } = buffers;
        let layout = engine.guide.layout();
        self.priors.iter().zip(&engine.guide_plan.located).find_map(|(prior, own)| {
            (0..own.rows.len()).find_map(|element| {
                let at = (element, lane, shape.lanes);
                let value = Normals::at((own, &guide.work.values), (prior, &model.work.values), at).divergence();
                let variable = &layout.variables[layout.centred[own.centred].variable];
                (!value.is_finite()).then(|| (format!("divergence of {}", layout.element_name(variable, element)), value))
            })
        })
    }
}

/// Writes `log q - log prior` of the draw of each lane, in nats, after both densities have been evaluated.
pub(super) fn from_draws<E: Real>(engine: &Engine<'_, E>, buffers: &mut Buffers<E>) {
    let Buffers { shape, model, guide, divergence, factor, .. } = buffers;
    for ((to, log), log_det) in divergence.iter_mut().zip(&guide.log).zip(&model.log_det) {
        *to = log - log_det;
    }
    for &prior in &engine.prior {
        let rows = engine.model.factor_rows(prior);
        let factor = &mut factor[..rows * shape.lanes];
        engine.model.log_prob_rows(prior, 0..rows, &mut model.work, factor);
        for row in factor.chunks_exact(shape.lanes) {
            divergence.iter_mut().zip(row).for_each(|(sum, x)| *sum -= x.to_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Normals;

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        let at = |x: [f64; 4]| Normals { location: x[0], scale: x[1], prior_location: x[2], prior_scale: x[3] };
        let x = [0.4, 0.7, -1.1, 1.6];
        let found = [at(x).by_own(), at(x).by_prior()].concat();
        for i in 0..4 {
            let moved = |by: f64| {
                let mut x = x;
                x[i] += by;
                at(x).divergence()
            };
            let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((found[i] - numeric).abs() < 1e-9, "{i}: {} {numeric}", found[i]);
        }
        assert_eq!(at([0.3, 1.5, 0.3, 1.5]).divergence(), 0.0);
        // Half the square of the mean, with unit scales.
        assert!((at([2.0, 1.0, 0.0, 1.0]).divergence() - 2.0).abs() < 1e-15);
    }
}
