//! The divergence of the guide from the prior of the latents: from the draws, or in closed form where both are normal.

use std::collections::BTreeSet;
use std::ops::Range;

use super::buffers::{Buffers, Half};
use super::discrete::Discrete;
use super::engine::Engine;
use super::plan::{Located, Plan, Source};
use super::tiles::Tile;
use super::{Amortized, AmortizedError, AmortizedEstimator, AmortizedObjective, DiscreteEstimator, Divergence};
use crate::bijectors::Bijector;
use crate::kernel::{Kernel, Lanes, Real, Sum as _, dispatch};
use crate::model::{Graph, Layout, SiteKind};

/// The divergence in closed form, of every latent.
///
/// # Source
/// Kingma & Welling 2014, Auto-encoding variational Bayes, appendix B.
#[derive(Debug)]
pub(super) struct ClosedForm {
    /// Of each latent of the guide, in its order, the prior.
    priors: Vec<Prior>,
    /// Of each discrete latent, the factor of the model that is its prior.
    discretes: Vec<usize>,
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
    /// Whether it is the same for all rows and never learned.
    fixed: bool,
}

/// A normal distribution and the one that it diverges from.
#[derive(Clone, Copy, Debug)]
struct Normals<V> {
    location: V,
    scale: V,
    prior_location: V,
    /// One over the scale of the prior.
    each: V,
}

impl<V: Lanes> Normals<V> {
    #[inline(always)]
    fn new(location: V, scale: V, prior_location: V, prior_scale: V) -> Self {
        Normals { location, scale, prior_location, each: V::constant(1.0) / prior_scale }
    }

    /// How much wider it is, and how far away, in scales of the prior.
    #[inline(always)]
    fn ratio_and_distance(self) -> (V, V) {
        (self.scale * self.each, (self.location - self.prior_location) * self.each)
    }

    /// In nats.
    #[inline(always)]
    fn divergence(self) -> V {
        let (ratio, distance) = self.ratio_and_distance();
        V::constant(0.5) * (ratio * ratio + distance * distance - V::constant(1.0)) - ratio.ln()
    }

    /// The derivative by location and scale.
    #[inline(always)]
    fn by_own(self) -> [V; 2] {
        let (ratio, distance) = self.ratio_and_distance();
        [distance * self.each, ratio * self.each - V::constant(1.0) / self.scale]
    }

    /// The derivative by location and scale of the prior.
    #[inline(always)]
    fn by_prior(self) -> [V; 2] {
        let (ratio, distance) = self.ratio_and_distance();
        [-distance * self.each, (V::constant(1.0) - ratio * ratio - distance * distance) * self.each]
    }
}

/// Where the numbers of a latent are: rows of the workspace of the guide, and of that of the model.
#[derive(Clone, Copy)]
struct Places<'a, E> {
    own: &'a Located,
    prior: &'a Prior,
    guide: &'a [E],
    model: &'a [E],
    lanes: usize,
}

impl<E: Real> Places<'_, E> {
    /// The numbers of an element from a lane on.
    #[inline(always)]
    fn at<V: Lanes<Element = E>>(self, element: usize, lane: usize) -> Normals<V> {
        let of_guide = |rows: &Range<usize>| V::load(&self.guide[(rows.start + element) * self.lanes + lane..]);
        let of_model = |rows: &Range<usize>| V::load(&self.model[(rows.start + element) * self.lanes + lane..]);
        let (own, prior) = (self.own, self.prior);
        Normals::new(of_guide(&own.location()), of_guide(&own.scale()), of_model(&prior.location), of_model(&prior.scale))
    }
}

/// Adds the divergence of each lane, and writes the sum of each element over the lanes that count.
struct Evaluate<'a, E> {
    places: Places<'a, E>,
    real: usize,
    divergence: &'a mut [f64],
    by_element: &'a mut [f64],
}

impl<E: Real> Kernel<E> for Evaluate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        self.by_element.fill(0.0);
        for lane in (0..self.places.lanes).step_by(V::WIDTH) {
            let mut sum = V::Sum::zero();
            let counting = self.real.saturating_sub(lane).min(V::WIDTH);
            for (element, total) in self.by_element.iter_mut().enumerate() {
                let own = self.places.at::<V>(element, lane).divergence();
                sum += own;
                let mut lanes = [E::default(); 16];
                own.store(&mut lanes);
                *total += lanes[..counting].iter().map(|x| x.to_f64()).sum::<f64>();
            }
            sum.add_to(&mut self.divergence[lane..]);
        }
    }
}

/// Writes or adds derivatives of the divergence, each times the weight of its lane; one of weight zero is zero whatever it was.
struct Pull<'a, E> {
    places: Places<'a, E>,
    above: &'a [bool],
    weights: &'a [E],
    /// By the prior, written; else by the guide, added.
    of_prior: bool,
    location: Range<usize>,
    scale: Range<usize>,
    adjoints: &'a mut [E],
}

impl<E: Real> Kernel<E> for Pull<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let lanes = self.places.lanes;
        for (element, &counts) in self.above.iter().enumerate() {
            for lane in (0..lanes).step_by(V::WIDTH) {
                let weight = if counts { V::load(&self.weights[lane..]) } else { V::zero() };
                let normals = self.places.at::<V>(element, lane);
                let derivatives = if self.of_prior { normals.by_prior() } else { normals.by_own() };
                for (rows, derivative) in [&self.location, &self.scale].into_iter().zip(derivatives) {
                    let to = &mut self.adjoints[(rows.start + element) * lanes + lane..];
                    let weighted = V::select(weight.eq(V::zero()), V::zero(), weight * derivative);
                    let before = if self.of_prior { V::zero() } else { V::load(to) };
                    (before + weighted).store(to);
                }
            }
        }
    }
}

/// The closed form for a fit that asks for it, or that may have it.
pub(super) fn closed_form<E: Real>(engine: &Engine<'_, E>, config: &Amortized) -> Result<Option<ClosedForm>, AmortizedError> {
    let relaxed = !engine.discretes.is_empty() && matches!(config.discrete, DiscreteEstimator::Concrete { .. });
    let needed = config.divergence == Divergence::Analytic || config.free_bits > 0.0 || relaxed;
    let possible = config.objective == AmortizedObjective::Elbo && config.estimator == AmortizedEstimator::Standard;
    if config.divergence == Divergence::Sampled || !(needed || possible) {
        return Ok(None);
    }
    match priors(engine) {
        Ok((priors, discretes)) => Ok(Some(ClosedForm { priors, discretes, free_bits: config.free_bits })),
        Err(error) if needed => Err(error),
        Err(_) => Ok(None),
    }
}

/// The priors of all latents of the guide, if each has a closed form.
fn priors<E: Real>(engine: &Engine<'_, E>) -> Result<(Vec<Prior>, Vec<usize>), AmortizedError> {
    let of_model = Side { graph: engine.model.graph(), layout: engine.model.layout(), plan: &engine.model_plan };
    let of_guide = Side { graph: engine.guide.graph(), layout: engine.guide.layout(), plan: &engine.guide_plan };
    let refused = |latent: &'static str, reason: String| {
        let factor = of_model.graph.factors.iter().find(|factor| of_model.is_of(factor.site, latent));
        let statement = factor.map_or("", |factor| factor.text);
        AmortizedError::NoClosedForm { latent, statement, reason }
    };
    let prior = |located: &Located| {
        let refused = |reason: String| refused(located.name, reason);
        if !located.is_normal {
            return Err(refused("it is not normal in the guide".to_owned()));
        }
        let centred = of_model.layout.centred.iter().position(|centred| {
            let variable = &of_model.layout.variables[centred.variable];
            variable.name == located.name && centred.family == "Normal" && variable.bijector == Bijector::Identity
        });
        let Some(centred) = centred else {
            return Err(refused("it is not `Normal` of a location and a scale".to_owned()));
        };
        if let Some(given) = engine.discretes.iter().find(|discrete| of_guide.before(discrete.name).contains(located.name)) {
            return Err(refused(format!("the guide draws `{}` given it, and the prior may depend on that", given.name)));
        }
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
        let fixed = of_model.is_fixed(located.name);
        Ok(Prior { centred, location: known.location(), scale: known.scale(), fixed })
    };
    let hot = |source: &Source| matches!(source, Source::Hot(_) | Source::Drawn(_));
    let read_by_guide = engine.discretes.iter().any(|discrete| discrete.guide_reads)
        || engine.guide_plan.calls.iter().flat_map(|call| &call.operands).any(|operand| hot(&operand.source));
    let of_discrete = |discrete: &Discrete| {
        let refused = |reason: &str| refused(discrete.name, reason.to_owned());
        // The mean over its values is taken with its prior held fixed, which may depend on another one that the guide draws given it.
        if read_by_guide && engine.discretes.iter().any(|discrete| discrete.model_reads) {
            return Err(refused(
                "both the model and the guide read discrete latents, so that its prior may depend on one that is drawn given it",
            ));
        }
        let own = |factor: &usize| of_model.is_of(of_model.graph.factors[*factor].site, discrete.name);
        let mut factors = (0..of_model.graph.factors.len()).filter(own);
        let variable = of_model.layout.observed.iter().find(|v| v.name == discrete.name);
        if discrete.logits.is_none() {
            return Err(refused("it is not drawn by logits that a network gives, `Categorical(logits = a[..])`"));
        }
        // The rows of the factor are the elements.
        match (factors.next(), factors.next(), variable) {
            (Some(factor), None, Some(variable))
                if variable.shape.len() <= 1 && engine.model.factor_rows(factor) == discrete.elements() =>
            {
                if of_model.is_fixed(discrete.name) {
                    Ok(factor)
                } else {
                    Err(refused("its prior is learned, or depends on latents"))
                }
            }
            _ => Err(refused("several statements draw it, or it has several axes")),
        }
    };
    let discretes = engine.discretes.iter().map(of_discrete).collect::<Result<_, _>>()?;
    Ok((engine.guide_plan.located.iter().map(prior).collect::<Result<_, _>>()?, discretes))
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

    /// Whether the distribution of a latent reads nothing that is learned or drawn.
    fn is_fixed(&self, latent: &str) -> bool {
        let mut own = self.graph.factors.iter().filter(|factor| self.is_of(factor.site, latent));
        own.all(|factor| factor.reads.iter().all(|read| self.graph.sites[read.site].name == latent))
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
                Source::Input(_) | Source::OneHot(..) | Source::Drawn(_) | Source::Hot(_) => {}
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
    /// Writes the divergence of each lane of a tile, in nats; the latents are in their places in guide and model, and the networks have been called.
    pub(super) fn evaluate<E: Real>(&self, engine: &Engine<'_, E>, tile: &mut Tile<E>) {
        let Tile { shape, model, guide, divergence, by_element, .. } = tile;
        divergence.fill(0.0);
        for (prior, own) in self.priors.iter().zip(&engine.guide_plan.located) {
            engine.model.locate(prior.centred, &mut model.work);
            let places = Places { own, prior, guide: &guide.work.values, model: &model.work.values, lanes: shape.lanes };
            let by_element = &mut by_element[own.noise..own.noise + own.rows.len()];
            dispatch(Evaluate { places, real: shape.real(), divergence, by_element });
        }
        for (index, &prior) in self.discretes.iter().enumerate() {
            engine.diverge(index, prior, engine.noise_rows(), tile);
        }
    }

    /// Writes which elements are above the floor, on average over the batch.
    pub(super) fn count<E: Real>(&self, buffers: &mut Buffers<E>) {
        let floor = self.free_bits * (buffers.batch * buffers.of.count) as f64;
        for (element, above) in buffers.above.iter_mut().enumerate() {
            let sum: f64 = buffers.tiles.all.iter().map(|tile| tile.by_element[element]).sum();
            *above = self.free_bits == 0.0 || sum > floor;
        }
    }

    /// Adds what the divergence gives to the adjoints of the model's latents and parameters, through the locations and scales of the priors.
    pub(super) fn pull_priors<E: Real>(&self, engine: &Engine<'_, E>, above: &[bool], tile: &mut Tile<E>) {
        let Tile { shape, model, guide, of_divergence, .. } = tile;
        for (prior, own) in self.priors.iter().zip(&engine.guide_plan.located).filter(|(prior, _)| !prior.fixed) {
            let Half { work, weights, .. } = &mut *model;
            let above = &above[own.noise..own.noise + own.rows.len()];
            let places = Places { own, prior, guide: &guide.work.values, model: &work.values, lanes: shape.lanes };
            let (location, scale) = (prior.location.clone(), prior.scale.clone());
            let adjoints = &mut work.adjoints;
            dispatch(Pull { places, above, weights: of_divergence, of_prior: true, location, scale, adjoints });
            engine.model.pull_locate(prior.centred, work, weights);
        }
    }

    /// Adds what the divergence gives to the adjoints of the location and the scale of a latent of the guide, by its number there.
    pub(super) fn add_own<E: Real>(&self, (index, own): (usize, &Located), above: &[bool], tile: &mut Tile<E>) {
        let Tile { shape, model, guide, of_divergence, .. } = tile;
        let above = &above[own.noise..own.noise + own.rows.len()];
        let work = &mut guide.work;
        let places =
            Places { own, prior: &self.priors[index], guide: &work.values, model: &model.work.values, lanes: shape.lanes };
        let (location, scale) = (own.location(), own.scale());
        let adjoints = &mut work.adjoints;
        dispatch(Pull { places, above, weights: of_divergence, of_prior: false, location, scale, adjoints });
    }

    /// The name of the first element whose divergence is not finite in a lane, and its value.
    pub(super) fn first_bad<E: Real>(&self, engine: &Engine<'_, E>, lane: usize, tile: &Tile<E>) -> Option<(String, f64)> {
        let Tile { shape, model, guide, .. } = tile;
        let layout = engine.guide.layout();
        self.priors.iter().zip(&engine.guide_plan.located).find_map(|(prior, own)| {
            (0..own.rows.len()).find_map(|element| {
                let places = Places { own, prior, guide: &guide.work.values, model: &model.work.values, lanes: shape.lanes };
                let value = places.at::<E>(element, lane).divergence().to_f64();
                let variable = &layout.variables[layout.centred[own.centred].variable];
                (!value.is_finite()).then(|| (format!("divergence of {}", layout.element_name(variable, element)), value))
            })
        })
    }
}

/// Writes `log q - log prior` of the draw of each lane of a tile, in nats, after both densities have been evaluated.
pub(super) fn from_draws<E: Real>(engine: &Engine<'_, E>, tile: &mut Tile<E>) {
    let Tile { shape, model, guide, divergence, factor, .. } = tile;
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
        let at = |x: [f64; 4]| Normals::new(x[0], x[1], x[2], x[3]);
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
