//! Latents outside the loop over the rows: one Gaussian guide of them all, of which the rows of a batch share out some draws.

use std::ops::Range;

use super::AmortizedError;
use super::plan::Plan;
use super::tiles::Tile;
use crate::guides::{FittedGuide, FullRank, Guide, MeanField, Path};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint, SiteKind, Weights, Workspace};
use crate::networks::{AdamConfig, AdamState};
use crate::optimizers::Gaussian;
use crate::random::normals;

/// The most unconstrained numbers that have a guide of full rank.
const FULL_RANK: usize = 300;
/// The scale that learning starts from, on the unconstrained scale.
const FIRST_SCALE: f64 = 0.1;

/// The guide of the global latents, with what is learned of it.
#[derive(Clone, Debug)]
pub(super) struct GlobalGuide<E> {
    guide: FittedGuide,
    /// The parameters of the guide: locations first.
    pub(super) parameters: Vec<E>,
    pub(super) gradient: Vec<E>,
    pub(super) adam: AdamState<E>,
    /// The latents with their unconstrained numbers.
    pub(super) names: Vec<(&'static str, Range<usize>)>,
    /// The key of one draw for all rows, where each evaluation is of one.
    pub(super) one: Option<u64>,
    /// Whether draws are at the locations, whatever the noise is.
    pub(super) still: bool,
}

impl<E: Real> GlobalGuide<E> {
    /// A guide to start from.
    pub(super) fn new(layout: &Layout) -> Self {
        let names: Vec<_> = layout.latents().map(|v| (v.name, v.unconstrained.clone())).collect();
        let count = names.iter().map(|(_, range)| range.len()).sum();
        let mut guide = if count <= FULL_RANK {
            let precision = (0..count * count).map(|at| f64::from(u8::from(at % (count + 1) == 0))).collect();
            FittedGuide::FullRank(FullRank::new(Gaussian { mean: vec![0.0; count], precision }))
        } else {
            FittedGuide::MeanField(MeanField::new(&vec![0.0; count], &vec![0.0; count]))
        };
        // From here on locations move by as much as the rate says, whatever the scale is.
        Guide::<E>::narrow(guide.guide_mut::<E>(), FIRST_SCALE);
        let parameters: Vec<E> = guide.guide::<E>().parameters().iter().map(|&x| E::from_f64(x)).collect();
        let count = parameters.len();
        GlobalGuide {
            guide,
            gradient: vec![E::default(); count],
            adam: AdamState::new(count, AdamConfig::default()),
            parameters,
            names,
            one: None,
            still: false,
        }
    }

    /// The guide at the parameters.
    pub(super) fn guide(&self) -> &dyn Guide<E> {
        self.guide.guide()
    }

    /// The latents by name.
    pub(super) fn listed(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("the latents {}", names.join(", "))
    }

    /// Whether it has a scale for each number alone.
    #[cfg(feature = "files")]
    pub(super) fn is_mean_field(&self) -> bool {
        matches!(self.guide, FittedGuide::MeanField(_))
    }

    /// The number of unconstrained dimensions.
    #[cfg(feature = "files")]
    pub(super) fn dimensions(&self) -> usize {
        self.guide().dimensions()
    }

    /// Moves the guide to the parameters.
    pub(super) fn settle(&mut self) {
        let parameters = self.guide.guide_mut::<E>().parameters_mut();
        parameters.iter_mut().zip(&self.parameters).for_each(|(to, from)| *to = from.to_f64());
    }
}

/// The model of what stands outside the loop over the rows, bound, and where its values go.
pub(super) struct GlobalSide<'a, E: Real> {
    pub(super) density: &'a dyn LogJoint<E>,
    /// Of each latent that rows read, its rows in its own workspace and in that of a row.
    latents: Vec<(Range<usize>, Range<usize>)>,
    /// Of each parameter, its numbers among the globals of the store, and its unconstrained rows here.
    parameters: Vec<(Range<usize>, Range<usize>)>,
    /// The factors that are densities of latents.
    priors: Vec<usize>,
}

/// Draws of the global latents, `[row][draw]`, and the buffers of their density.
#[derive(Debug)]
pub(super) struct GlobalDraws<E> {
    work: Workspace<E>,
    weights: Weights<E>,
    /// Standard normal noise; zero where the latents are at their locations.
    pub(super) noise: Vec<E>,
    u: Vec<E>,
    log: Vec<f64>,
    log_det: Vec<f64>,
    factor: Vec<E>,
    gradient: Vec<f64>,
    /// The expectation of the terms of the density, less that of the guide's, in nats.
    pub(super) bound: f64,
    /// The divergence of the guide from the prior, in nats.
    pub(super) divergence: f64,
}

/// How many draws there are.
const fn draws<E: Real>() -> usize {
    E::LANE_MULTIPLE
}

impl<E: Real> GlobalDraws<E> {
    /// One draw for all rows.
    fn one(&mut self, key: u64) {
        let mut own = vec![E::default(); self.noise.len() / draws::<E>()];
        normals(key, 1, &mut own);
        self.noise.chunks_exact_mut(draws::<E>()).zip(own).for_each(|(noise, own)| noise.fill(own));
    }
}

impl<'a, E: Real> GlobalSide<'a, E> {
    /// Finds the latents and the parameters of both in the row.
    pub(super) fn new(density: &'a dyn LogJoint<E>, row: &Layout, plan: &Plan) -> Result<Self, AmortizedError> {
        let (layout, graph) = (density.layout(), density.graph());
        let mut latents = Vec::new();
        for latent in layout.latents() {
            let Some(own) = row.parameters().find(|v| v.name == latent.name) else { continue };
            if own.rows.len() != latent.rows.len() {
                let reason = format!(
                    "`{}` has {} numbers here and {} in the row; give it the same axes",
                    latent.name,
                    latent.rows.len(),
                    own.rows.len()
                );
                return Err(AmortizedError::Wiring { model: layout.model, reason });
            }
            latents.push((latent.rows.clone(), own.rows.clone()));
        }
        let (mut parameters, mut first) = (Vec::new(), 0);
        for global in &plan.globals {
            let numbers = first..first + global.unconstrained.len();
            first = numbers.end;
            if let Some(own) = layout.parameters().find(|v| v.name == global.name) {
                parameters.push((numbers, own.unconstrained.clone()));
            }
        }
        let is_prior = |site: usize| graph.sites[site].kind == SiteKind::Latent;
        let priors = (0..graph.factors.len()).filter(|&factor| graph.factors[factor].site.is_some_and(is_prior)).collect();
        Ok(GlobalSide { density, latents, parameters, priors })
    }

    /// Buffers of draws, with noise of zero.
    pub(super) fn draws(&self) -> GlobalDraws<E> {
        let count: usize = self.density.layout().latents().map(|v| v.unconstrained.len()).sum();
        let rows = self.priors.iter().map(|&factor| self.density.factor_rows(factor)).max().unwrap_or(0);
        let zeros = |rows: usize| vec![E::default(); rows * draws::<E>()];
        GlobalDraws {
            work: self.density.workspace(draws::<E>()),
            weights: self.density.unit_weights(draws::<E>()),
            noise: zeros(count),
            u: zeros(count),
            log: vec![0.0; draws::<E>()],
            log_det: vec![0.0; draws::<E>()],
            factor: zeros(rows),
            gradient: Vec::new(),
            bound: 0.0,
            divergence: 0.0,
        }
    }

    /// Makes draws of the noise; `globals` are the parameters of the model of the store.
    pub(super) fn draw(&self, guide: &GlobalGuide<E>, globals: &[E], own: &mut GlobalDraws<E>) {
        if let Some(key) = guide.one {
            own.one(key);
        }
        if guide.still {
            own.noise.fill(E::default());
        }
        let samples = draws::<E>();
        for (numbers, rows) in &self.parameters {
            for (row, &number) in rows.clone().zip(&globals[numbers.clone()]) {
                own.work.values[row * samples..(row + 1) * samples].fill(number);
            }
        }
        guide.guide().sample(&own.noise, samples, &mut own.u);
        own.work.values[..own.u.len()].copy_from_slice(&own.u);
        own.log_det.fill(0.0);
        self.density.constrain(&mut own.work, &mut own.log_det);
    }

    /// Puts the draws into the lanes of a row: all samples of a row of data have one of them, rows of data take turns.
    pub(super) fn spread(&self, own: &GlobalDraws<E>, tile: &mut Tile<E>) {
        let (samples, first, shape) = (draws::<E>(), tile.first, tile.shape);
        let values = &mut tile.model.work.values;
        for (from, to) in &self.latents {
            for (from, to) in from.clone().zip(to.clone()) {
                let from = &own.work.values[from * samples..(from + 1) * samples];
                let to = &mut values[to * shape.lanes..(to + 1) * shape.lanes];
                for (lane, to) in to.iter_mut().enumerate() {
                    *to = from[(first + lane.min(shape.real() - 1) % shape.batch) % samples];
                }
            }
        }
    }

    /// Adds the gradient by what is learned of the guide, and by the parameters, `globals`: of what rows have of the draws, whose adjoints are in the
    /// workspaces of `tiles`, and of a `share` of the density here, in which the divergence counts `kl_weight`.
    pub(super) fn pull(
        &self,
        (guide, globals): (&mut GlobalGuide<E>, &mut [E]),
        (kl_weight, share): (f64, f64),
        tiles: &[Tile<E>],
        own: &mut GlobalDraws<E>,
    ) {
        let samples = draws::<E>();
        let each = share / samples as f64;
        own.weights.factors.fill(E::from_f64(1.0));
        for &prior in &self.priors {
            own.weights.factors[prior * samples..(prior + 1) * samples].fill(E::from_f64(kl_weight));
        }
        self.density.accumulate(&mut own.work, &own.weights, &mut own.log);
        own.work.adjoints.iter_mut().for_each(|adjoint| *adjoint = *adjoint * E::from_f64(each));
        for (to, from) in &self.latents {
            for (to, from) in to.clone().zip(from.clone()) {
                let mut sums = [0.0; 64];
                for Tile { first, shape, model, .. } in tiles {
                    let adjoints = &model.work.adjoints[from * shape.lanes..];
                    for lane in 0..shape.real() {
                        sums[(first + lane % shape.batch) % samples] += adjoints[lane].to_f64();
                    }
                }
                let to = &mut own.work.adjoints[to * samples..(to + 1) * samples];
                to.iter_mut().zip(sums).for_each(|(to, sum)| *to = E::from_f64(to.to_f64() + sum));
            }
        }
        own.weights.log_det.fill(E::from_f64(kl_weight * each));
        self.density.pull_constrain(&mut own.work, &own.weights);
        for (numbers, rows) in &self.parameters {
            for (row, to) in rows.clone().zip(&mut globals[numbers.clone()]) {
                let sum: f64 = own.work.adjoints[row * samples..(row + 1) * samples].iter().map(|x| x.to_f64()).sum();
                *to = E::from_f64(to.to_f64() + sum);
            }
        }
        let GlobalDraws { work, noise, u, gradient, .. } = own;
        gradient.clear();
        gradient.resize(guide.parameters.len(), 0.0);
        let entropy = guide.guide().entropy(Some(gradient)).unwrap_or(0.0);
        gradient.iter_mut().for_each(|gradient| *gradient *= kl_weight * share);
        let count = u.len();
        guide.guide().pull_sample(Path { noise, u, samples }, &mut work.adjoints[..count], gradient);
        guide.gradient.iter_mut().zip(gradient).for_each(|(to, from)| *to = E::from_f64(to.to_f64() + *from));
        self.value(kl_weight, entropy, own);
    }

    /// The terms of the density and of the guide, at the draws.
    fn value(&self, kl_weight: f64, entropy: f64, own: &mut GlobalDraws<E>) {
        let samples = draws::<E>();
        let mut priors = vec![0.0; samples];
        self.density.complete(&mut own.work);
        for &prior in &self.priors {
            let rows = self.density.factor_rows(prior);
            let out = &mut own.factor[..rows * samples];
            self.density.log_prob_rows(prior, 0..rows, &mut own.work, out);
            for row in out.chunks_exact(samples) {
                priors.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.to_f64());
            }
        }
        let mean = |of: &dyn Fn(usize) -> f64| (0..samples).map(of).sum::<f64>() / samples as f64;
        own.divergence = -mean(&|s| priors[s] + own.log_det[s]) - entropy;
        own.bound = mean(&|s| own.log[s] - kl_weight * priors[s]) - own.divergence;
    }

    /// Draws in their own space, latents and then quantities by name: `[draw][element]`.
    pub(super) fn columns(&self, guide: &GlobalGuide<E>, globals: &[E], count: usize, key: u64) -> Vec<(&'static str, Vec<f64>)> {
        let samples = draws::<E>();
        let layout = self.density.layout();
        let wanted = || layout.variables.iter().filter(|v| matches!(v.kind, SiteKind::Latent | SiteKind::Quantity));
        let mut all: Vec<(&'static str, Vec<f64>)> =
            wanted().map(|v| (v.name, Vec::with_capacity(count * v.rows.len()))).collect();
        let mut own = self.draws();
        let guide = GlobalGuide { one: None, ..guide.clone() };
        for block in 0..count.div_ceil(samples) {
            normals(crate::random::step_key(key, block as u64), samples, &mut own.noise);
            self.draw(&guide, globals, &mut own);
            self.density.complete(&mut own.work);
            for draw in 0..samples.min(count - block * samples) {
                for (variable, (_, to)) in wanted().zip(&mut all) {
                    to.extend(variable.rows.clone().map(|row| own.work.values[row * samples + draw].to_f64()));
                }
            }
        }
        all
    }
}
