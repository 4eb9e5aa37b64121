//! An estimator for each block of a guide: the score function for some, the path of the draws for the others.

use std::ops::Range;

use super::baseline::Optimal;
use super::blanket::Blankets;
use super::landing::Landing;
use super::{Baseline, Estimate, Estimator, GradientEstimator, RaoBlackwell};
use crate::archive::Archive;
use crate::guides::{Guide, Path};
use crate::kernel::Real;
use crate::model::{LogJoint, SiteKind, Weights, Workspace};
use crate::objective::KlWeight;
use crate::random::{antithetic_normals, normals, step_key};

/// How fast the sizes of costs are forgotten.
const MEMORY: f64 = 0.95;

/// The gradient of the ELBO by another estimator for each block of the guide, over independent samples.
///
/// Of a block by the score function it is `E[grad log q_b(u_b) cost_b(u)]`: the cost is `log p(u) - log q(u)`, or with Rao-Blackwellization only what depends
/// on the block, the factors in the union of its members' Markov blankets less `log q_b`. What is left out is independent of the block, so that its product
/// with `grad log q_b` has expectation zero; under a guide of one block nothing can be left out. Of a block along the path it is `E[(du_b / dtheta)^T grad_b (log p - log q_b)]`.
/// Blocks are independent, so that what one is drawn by is nothing to the others.
///
/// # Source
/// Ranganath, Gerrish & Blei 2014, Black box variational inference, equations 2 and 6; mixing by Schulman et al. 2015, Gradient estimation using stochastic
/// computation graphs.
#[derive(Debug)]
pub struct Mixed<E> {
    estimators: Vec<Estimator>,
    blocks: Vec<Vec<usize>>,
    /// None where no block is Rao-Blackwellized.
    blankets: Option<Blankets<E>>,
    optimal: Option<Optimal<E>>,
    landing: Landing,
    /// Whether anything is derived along the path; and the dimensions that are points, which always are.
    has_paths: bool,
    points: Range<usize>,
    samples: usize,
    noise: Vec<E>,
    u: Vec<E>,
    log_density: Vec<f64>,
    /// Log density less log q.
    whole: Vec<f64>,
    /// How large the cost of the blanket was in earlier steps, and the whole: by block.
    sizes: Vec<Option<[f64; 2]>>,
    /// By block and sample.
    log_q: Vec<f64>,
    costs: Vec<f64>,
    weights: Vec<f64>,
    work: Workspace<E>,
    /// Of the factors and Jacobians of the model, and of log q of each block; with the weight of the KL divergence, and without.
    model_weights: Weights<E>,
    base: Weights<E>,
    block_weights: Vec<f64>,
    block_scales: Vec<f64>,
    kl_weight: KlWeight,
    steps: usize,
}

impl<E: Real> Mixed<E> {
    /// An estimator for each of the guide's [`blocks`](Guide::blocks).
    ///
    /// # Panics
    /// If there is not one for each, or fewer than two samples, or a block without a path is to be derived along it.
    #[must_use]
    pub fn new(model: &dyn LogJoint<E>, guide: &dyn Guide<E>, samples: usize, estimators: &[Estimator]) -> Self {
        let blocks = guide.blocks();
        assert!(blocks.len() == estimators.len() && samples >= 2, "an estimator for each block, and two samples at least");
        let is_possible = |(block, e): (usize, &Estimator)| e.is_score_function() || guide.has_path(block);
        assert!(estimators.iter().enumerate().all(is_possible), "draws without a path have the score function alone");
        let whole = |e: &Estimator| {
            !e.is_score_function() || matches!(e, Estimator::ScoreFunction { rao_blackwell: RaoBlackwell::Off, .. })
        };
        let wanted: Vec<bool> = estimators.iter().map(|e| !whole(e)).collect();
        // Under a guide of one block the blanket is everything.
        let is_apart = blocks.len() > 1 && wanted.contains(&true);
        let zero = E::default();
        let best = |e: &Estimator| matches!(e, Estimator::ScoreFunction { baseline: Baseline::Optimal, .. });
        Mixed {
            blankets: is_apart.then(|| Blankets::new(model, &blocks, &wanted)).flatten(),
            optimal: estimators
                .iter()
                .any(best)
                .then(|| Optimal::new(guide.parameters().len(), estimators.iter().map(best).collect())),
            landing: if estimators.contains(&Estimator::Auto) { Landing::MEASURED } else { Landing::Always(false) },
            has_paths: model.layout().points() > 0 || !estimators.iter().all(|e| e.is_score_function()),
            points: model.layout().discrete().start - model.layout().points()..model.layout().discrete().start,
            samples,
            noise: vec![zero; guide.noise() * samples],
            u: vec![zero; guide.dimensions() * samples],
            log_density: vec![0.0; samples],
            log_q: vec![0.0; blocks.len() * samples],
            whole: vec![0.0; samples],
            sizes: vec![None; blocks.len()],
            costs: vec![0.0; blocks.len() * samples],
            weights: vec![0.0; blocks.len() * samples],
            work: model.workspace(samples),
            model_weights: model.unit_weights(samples),
            base: model.unit_weights(samples),
            block_weights: vec![1.0; blocks.len()],
            block_scales: vec![1.0; blocks.len()],
            kl_weight: KlWeight::One,
            steps: 0,
            estimators: estimators.to_vec(),
            blocks,
        }
    }

    /// Weighs log q of each block, of which a batch has some.
    pub(super) fn scaled(mut self, scales: Vec<f64>) -> Self {
        self.block_scales.clone_from(&scales);
        self.block_weights = scales;
        self
    }

    /// Goes on from what earlier steps left.
    pub(super) fn go_on(&mut self, earlier: Option<Vec<u64>>) {
        if let Some(words) = earlier {
            self.archive(&mut Archive::reading(words));
        }
    }

    /// Weighs the divergence from the prior, of the first steps less than the likelihood.
    #[must_use]
    pub fn tempered(mut self, kl_weight: KlWeight) -> Self {
        self.kl_weight = kl_weight;
        self
    }

    /// Sets the weights of this step.
    fn temper(&mut self, model: &dyn LogJoint<E>) {
        if self.kl_weight == KlWeight::One || self.steps > self.kl_weight.steps() {
            return;
        }
        let (graph, samples, weight) = (model.graph(), self.samples, self.kl_weight.at(self.steps));
        let scaled = |x: E| E::from_f64(x.to_f64() * weight);
        for (factor, known) in graph.factors.iter().enumerate() {
            if known.site.is_some_and(|site| graph.sites[site].kind == SiteKind::Latent) {
                let own = factor * samples..(factor + 1) * samples;
                let weights = self.model_weights.factors[own.clone()].iter_mut();
                weights.zip(&self.base.factors[own]).for_each(|(w, base)| *w = scaled(*base));
            }
        }
        self.model_weights.log_det.iter_mut().zip(&self.base.log_det).for_each(|(w, base)| *w = scaled(*base));
        self.block_weights.iter_mut().zip(&self.block_scales).for_each(|(w, scale)| *w = scale * weight);
    }

    /// Draws, and computes the densities and what each block's draws are weighed with.
    fn draw(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64) {
        let samples = self.samples;
        if self.estimators.iter().any(|e| e.is_score_function()) {
            normals(key, samples, &mut self.noise);
        } else {
            antithetic_normals(key, samples, &mut self.noise);
        }
        guide.draw(&self.noise, samples, &mut self.u);
        self.work.u_mut().copy_from_slice(&self.u);
        model.log_density(&mut self.work, &self.model_weights, &mut self.log_density);
        guide.block_log_prob(&self.u, samples, &mut self.log_q);
        if let Some(blankets) = &mut self.blankets {
            blankets.costs(model, &self.u, &mut self.work, &self.model_weights, &mut self.costs);
        }
        for (s, whole) in self.whole.iter_mut().enumerate() {
            let log_q = self.log_q.iter().skip(s).step_by(samples).zip(&self.block_weights);
            *whole = self.log_density[s] - log_q.map(|(log_q, weight)| weight * log_q).sum::<f64>();
        }
        for (b, costs) in self.costs.chunks_exact_mut(samples).enumerate() {
            let Estimator::ScoreFunction { rao_blackwell, baseline } = self.estimators[b] else { continue };
            if self.blankets.is_none() || rao_blackwell == RaoBlackwell::Off {
                costs.copy_from_slice(&self.whole);
                continue;
            }
            let weight = self.block_weights[b];
            costs.iter_mut().zip(&self.log_q[b * samples..]).for_each(|(cost, log_q)| *cost -= weight * log_q);
            if rao_blackwell == RaoBlackwell::Measured {
                // By earlier steps alone: a choice by these samples would bias them.
                let known = self.sizes[b];
                let now = [size(costs, baseline), size(&self.whole, baseline)];
                if now.iter().all(|size| size.is_finite()) {
                    let blend = |[a, b]: [f64; 2]| [MEMORY * a + (1.0 - MEMORY) * now[0], MEMORY * b + (1.0 - MEMORY) * now[1]];
                    self.sizes[b] = Some(known.map_or(now, blend));
                }
                if known.is_some_and(|[blanket, whole]| whole < blanket) {
                    costs.copy_from_slice(&self.whole);
                }
            }
        }
    }

    /// The weight of `grad log q` of each block and sample, less the baselines of other samples.
    fn weigh(&mut self) {
        let samples = self.samples as f64;
        let blocks = self.weights.chunks_exact_mut(self.samples).zip(self.costs.chunks_exact(self.samples));
        for ((weights, costs), estimator) in blocks.zip(&self.estimators) {
            match estimator {
                Estimator::ScoreFunction { baseline: Baseline::LeaveOneOut, .. } => {
                    let mean = costs.iter().sum::<f64>() / samples;
                    weights.iter_mut().zip(costs).for_each(|(w, cost)| *w = (cost - mean) / (samples - 1.0));
                }
                Estimator::ScoreFunction { .. } => weights.iter_mut().zip(costs).for_each(|(w, cost)| *w = cost / samples),
                _ => weights.fill(0.0),
            }
        }
    }

    /// Adds the derivative along the path of the blocks that have it, and of points, over some of the samples.
    fn pull(&mut self, guide: &dyn Guide<E>, landing: bool, chosen: impl Fn(usize) -> bool, gradient: &mut [f64]) {
        let samples = self.samples;
        let lanes: Vec<f64> = (0..samples).map(|s| if chosen(s) { 1.0 / samples as f64 } else { 0.0 }).collect();
        let mut adjoint = self.work.gradient().to_vec();
        for row in adjoint.chunks_exact_mut(samples) {
            row.iter_mut().zip(&lanes).for_each(|(a, w)| *a = E::from_f64(a.to_f64() * w));
        }
        // Of log q, once for its derivative by the draws, once for that by the parameters.
        let (mut by_draws, mut by_parameters) = (vec![0.0; self.weights.len()], vec![0.0; self.weights.len()]);
        for (b, estimator) in self.estimators.iter().enumerate() {
            let sticks = match estimator {
                Estimator::ScoreFunction { .. } => {
                    // What its density depends on moves with its score as well.
                    let own = self.weights[b * samples..(b + 1) * samples].iter().enumerate();
                    let to = by_draws[b * samples..(b + 1) * samples].iter_mut();
                    to.zip(own).for_each(|(to, (s, w))| *to = if chosen(s) { *w } else { 0.0 });
                    continue;
                }
                Estimator::StickingTheLanding => true,
                Estimator::Reparameterization | Estimator::ImplicitReparameterization => false,
                Estimator::Auto => landing,
            };
            let weight = self.block_weights[b];
            let minus = |to: &mut [f64]| {
                to[b * samples..(b + 1) * samples].iter_mut().zip(&lanes).for_each(|(w, lane)| *w = -weight * lane);
            };
            minus(&mut by_draws);
            if !sticks {
                minus(&mut by_parameters);
            }
        }
        guide.pull_block_log_prob(&self.u, samples, &by_draws, Some(&mut adjoint), None);
        for (members, _) in self.blocks.iter().zip(&self.estimators).filter(|(_, estimator)| estimator.is_score_function()) {
            for &row in members.iter().filter(|row| !self.points.contains(row)) {
                adjoint[row * samples..(row + 1) * samples].fill(E::default());
            }
        }
        guide.pull_block_log_prob(&self.u, samples, &by_parameters, None, Some(&mut *gradient));
        guide.pull_sample(Path { noise: &self.noise, u: &self.u, samples }, &mut adjoint, gradient);
    }

    /// The squared difference of the derivatives along the path of two halves of the samples.
    fn variance(&mut self, guide: &dyn Guide<E>, sticks: bool, parameters: usize) -> f64 {
        let [first, second] = [0, 1].map(|half| {
            let mut gradient = vec![0.0; parameters];
            self.pull(guide, sticks, |s| s % 2 == half, &mut gradient);
            gradient
        });
        first.iter().zip(&second).map(|(a, b)| (a - b).powi(2)).sum()
    }
}

/// What a cost adds to the variance: its own, or without a baseline its mean square.
fn size(costs: &[f64], baseline: Baseline) -> f64 {
    let mean = if baseline == Baseline::None { 0.0 } else { costs.iter().sum::<f64>() / costs.len() as f64 };
    costs.iter().map(|cost| (cost - mean).powi(2)).sum::<f64>() / costs.len() as f64
}

impl<E: Real> GradientEstimator<E> for Mixed<E> {
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate {
        let samples = self.samples;
        self.temper(model);
        if self.optimal.as_ref().is_some_and(Optimal::knows_nothing) {
            self.draw(model, guide, step_key(key, u64::MAX));
            self.optimal.iter_mut().for_each(|optimal| optimal.learn(guide, &self.u, &self.costs, samples));
        }
        self.draw(model, guide, key);
        self.weigh();
        gradient.fill(0.0);
        guide.pull_block_log_prob(&self.u, samples, &self.weights, None, Some(&mut *gradient));
        if let Some(optimal) = &mut self.optimal {
            optimal.subtract(guide, &self.u, samples, gradient);
            optimal.learn(guide, &self.u, &self.costs, samples);
        }
        if self.landing.is_due() {
            let [sticking, whole] = [true, false].map(|sticks| self.variance(guide, sticks, gradient.len()));
            self.landing.judge(sticking, whole);
        }
        self.landing.step();
        if self.has_paths {
            self.pull(guide, self.landing.sticks(), |_| true, gradient);
        }
        self.steps += 1;
        Estimate { elbo: self.whole.iter().sum::<f64>() / samples as f64 }
    }

    fn archive(&mut self, archive: &mut Archive) {
        self.landing.archive(archive);
        if let Some(optimal) = &mut self.optimal {
            optimal.archive(archive);
        }
        for sizes in &mut self.sizes {
            archive.optional(sizes, || [0.0; 2], |archive, sizes| archive.numbers(sizes));
        }
        archive.count(&mut self.steps);
    }

    fn draws(&self) -> &[E] {
        &self.u
    }

    fn log_densities(&self) -> &[f64] {
        &self.log_density
    }
}
