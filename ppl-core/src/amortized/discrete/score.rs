//! The gradient by the parameters of the guide that does not go through the values of discrete latents: their scores, and their divergence.

use super::softmax::{Diverge, Pull};
use super::{Discrete, Engine};
use crate::amortized::buffers::{Buffers, Half};
use crate::amortized::calls::Samples;
use crate::amortized::engine::Steering;
use crate::amortized::objective::log_mean_exp;
use crate::amortized::tiles::Tile;
use crate::amortized::{Amortized, AmortizedObjective, DiscreteEstimator};
use crate::kernel::{Real, dispatch};

impl<E: Real> Buffers<E> {
    /// Writes what the score of the draw of each lane is worth, the derivative of the mean bound of the batch held: what its log ratio is above a baseline that does
    /// not depend on it, the mean of the other samples of the row, or, of one sample, that of the other rows.
    ///
    /// # Source
    /// Mnih & Rezende 2016, Variational inference for Monte Carlo objectives, for both bounds; Kool, van Hoof & Welling 2019, Buy 4 REINFORCE samples, get a
    /// baseline for free.
    fn signal(&mut self, objective: AmortizedObjective, steering: Steering<'_>) {
        let (batch, samples) = (self.batch as f64, self.of.count);
        let left = 1.0 - steering.kl_weight;
        let value = |tile: &Tile<E>, lane: usize| {
            // Where the divergence counts whole, an infinite one does not turn up twice.
            if left == 0.0 { tile.ratios[lane] } else { tile.ratios[lane] + left * tile.divergence[lane] }
        };
        let total: f64 =
            self.tiles.all.iter().map(|tile| (0..tile.shape.real()).map(|lane| value(tile, lane)).sum::<f64>()).sum();
        for tile in &mut self.tiles.all {
            let (rows, count) = (tile.shape.batch, samples as f64);
            let mut values: Vec<f64> = vec![0.0; samples];
            for row in 0..rows {
                for (sample, to) in values.iter_mut().enumerate() {
                    *to = value(tile, sample * rows + row);
                }
                let sum: f64 = values.iter().sum();
                let bound = tile.bounds[row];
                let chances = tile.chances.iter().skip(row).step_by(rows);
                let mean: f64 = chances.zip(&values).filter(|(chance, _)| **chance > 0.0).map(|(chance, x)| chance * x).sum();
                for sample in 0..samples {
                    let (lane, own) = (sample * rows + row, values[sample]);
                    let signal = match steering.discrete {
                        DiscreteEstimator::Concrete { .. } => 0.0,
                        DiscreteEstimator::Expectation => {
                            let chance = tile.chances[lane];
                            if chance > 0.0 { chance * (own - mean) / batch } else { 0.0 }
                        }
                        DiscreteEstimator::ScoreFunction if samples == 1 => {
                            (own - (total - own) / (batch - 1.0).max(1.0)) / batch
                        }
                        DiscreteEstimator::ScoreFunction => match objective {
                            AmortizedObjective::Elbo => (own - (sum - own) / (count - 1.0)) / count / batch,
                            AmortizedObjective::ImportanceWeighted => {
                                let others = (sum - own) / (count - 1.0);
                                let without = (0..samples).map(|at| if at == sample { others } else { values[at] });
                                (bound - log_mean_exp(without)) / batch
                            }
                        },
                    };
                    tile.signals[lane] = E::from_f64(signal);
                }
            }
        }
    }
}

impl<E: Real> Engine<'_, E> {
    /// The samples of a row in a step.
    pub(in crate::amortized) fn samples(&self, config: &Amortized) -> Samples {
        match (config.discrete, self.combinations(self.discretes.len())) {
            (DiscreteEstimator::Expectation, Some(count)) if !self.discretes.is_empty() => Samples { count, are_all: true },
            _ => Samples::of(config.samples),
        }
    }

    /// As [`Buffers::signal`], where there is something to score.
    pub(in crate::amortized) fn signal(&self, objective: AmortizedObjective, steering: Steering<'_>, buffers: &mut Buffers<E>) {
        if !self.discretes.is_empty() {
            buffers.signal(objective, steering);
        }
    }

    /// Writes the direct derivative of `log q` by the unconstrained numbers of the guide, in the weights of the bound, that of discrete latents in those of
    /// their signals besides.
    pub(in crate::amortized) fn score(&self, closed: bool, tile: &mut Tile<E>) {
        let Tile { shape, guide, direct, of_divergence, signals, .. } = tile;
        let lanes = shape.lanes;
        let Half { work, weights, log, .. } = guide;
        let kept = |x: E| if closed { E::default() } else { x };
        for (factor, row) in weights.factors.chunks_exact_mut(lanes).enumerate() {
            let scored = self.discretes.iter().any(|discrete| discrete.factors.contains(&factor));
            for ((to, &of_divergence), &signal) in row.iter_mut().zip(&*of_divergence).zip(&*signals) {
                *to = if scored { kept(of_divergence) + signal } else { kept(of_divergence) };
            }
        }
        for row in weights.log_det.chunks_exact_mut(lanes) {
            row.iter_mut().zip(&*of_divergence).for_each(|(to, &x)| *to = kept(x));
        }
        self.guide.log_density(work, weights, log);
        let one = E::from_f64(1.0);
        weights.factors.fill(one);
        weights.log_det.fill(one);
        direct.copy_from_slice(work.gradient());
    }

    /// Adds the divergence of a discrete latent from its prior, that of a factor of the model, to that of each lane of a tile.
    pub(in crate::amortized) fn diverge(&self, index: usize, prior: usize, first: usize, tile: &mut Tile<E>) {
        let discrete = &self.discretes[index];
        let lanes = tile.shape.lanes;
        let Some(shape) = discrete.shape(lanes) else { return };
        let Tile { model, logs, factor, probabilities, divergence, by_element, .. } = tile;
        let own = discrete.probabilities.start * lanes..discrete.probabilities.end * lanes;
        let logs = &mut logs[own.clone()];
        let rows = discrete.model.start * lanes..discrete.model.end * lanes;
        let drawn = model.work.values[rows.clone()].to_vec();
        let factor = &mut factor[..shape.elements * lanes];
        for value in 0..shape.values {
            model.work.values[rows.clone()].fill(E::from_f64(value as f64));
            self.model.log_prob_rows(prior, 0..shape.elements, &mut model.work, factor);
            for (element, from) in factor.chunks_exact(lanes).enumerate() {
                logs[shape.at(element, value)..][..lanes].copy_from_slice(from);
            }
        }
        model.work.values[rows].copy_from_slice(&drawn);
        let by_element = &mut by_element[first + discrete.first..][..shape.elements];
        let real = tile.shape.real();
        dispatch(Diverge { shape, probabilities: &probabilities[own], logs, divergence, real, by_element });
    }

    /// Adds to the adjoints of the logits of a discrete latent those of its divergence and of its relaxed draw.
    pub(in crate::amortized) fn pull_discrete(
        &self,
        discrete: &Discrete,
        steering: Steering<'_>,
        above: &[bool],
        tile: &mut Tile<E>,
    ) {
        let lanes = tile.shape.lanes;
        let Some((shape, rows)) = discrete.shape(lanes).zip(discrete.logits.clone()) else { return };
        let own = discrete.probabilities.start * lanes..discrete.probabilities.end * lanes;
        let Tile { guide, probabilities, relaxed, logs, hot_adjoints, of_divergence, .. } = tile;
        let to = &mut guide.work.adjoints[rows.start * lanes..rows.end * lanes];
        if steering.closed.is_some() {
            let above = Some(&above[self.noise_rows() + discrete.first..][..shape.elements]);
            let (softmax, adjoints, weights) = (&probabilities[own.clone()], &logs[own.clone()], Some(&of_divergence[..]));
            dispatch(Pull { shape, softmax, adjoints, by_logit: false, weights, scale: 1.0, above, to });
        }
        if let DiscreteEstimator::Concrete { temperature } = steering.discrete {
            let adjoints = &hot_adjoints[discrete.hot.start * lanes..discrete.hot.end * lanes];
            let (softmax, scale) = (&relaxed[own], 1.0 / temperature);
            dispatch(Pull { shape, softmax, adjoints, by_logit: true, weights: None, scale, above: None, to });
        }
    }
}
