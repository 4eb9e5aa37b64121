//! The No-U-Turn sampler (crate `nuts-rs`) on the model's own log joint and gradient: instead of a fit, or to check one.

mod check;
mod config;
mod density;
mod sample;

use std::marker::PhantomData;
use std::time::Duration;

pub use check::{Compared, NutsCheck};
pub use config::Nuts;
use rayon::prelude::*;

use crate::collect::Columns;
use crate::fit::{DRAWS, FitError, solved};
use crate::kernel::Real as _;
use crate::model::{Layout, LogJoint, Model, SiteKind, Variable};
use crate::report::{ChainScalar, ChainSummary};
use sample::Chain;

/// Draws from the posterior of a model, by chains that can be asked whether they agree.
///
/// Each chain simulates a particle of potential energy `-log p(u, y)` (in nats, on the unconstrained space, Jacobian included)
/// from random momenta, and draws from its trajectory, which ends where it turns back on itself. The draws correlate and come
/// near the posterior from the start, so that means have a standard error of `sd / sqrt(effective sample size)`.
/// In single precision the gradient is as exact as the model, and trajectories are shorter for it.
///
/// # Errors
/// [`FitError`]: the data do not fit the model, the configuration is out of range, no starting point has a finite log density, or the
/// sampler could not go on; [`FitError::SamplerParameter`] if the model has parameters, which are maximised and cannot be sampled.
///
/// # Source
/// Hoffman & Gelman 2014, The No-U-Turn sampler: adaptively setting path lengths in Hamiltonian Monte Carlo, with the multinomial
/// draw of Betancourt 2017; the implementation: nuts-rs, whose diagonal metric is adapted from draws and gradients.
///
/// # Examples
/// ```
/// use ppl_core::prelude::*;
///
/// model! {
///     /// A normal mean with a known scale.
///     pub Mean(y: [f64; N]) {
///         mu ~ Normal(0, 10);
///         y[N] ~ Normal(mu, 1);
///     }
/// }
///
/// let model = Mean { y: vec![1.0, 2.0, 3.0] };
/// let chains = sample_nuts(&model, &Nuts::default())?;
/// // The posterior is Normal(6 / 3.01, 1 / sqrt(3.01)).
/// let mu = chains.scalar("mu").expect("mu is a latent");
/// assert!((mu.scalar.mean - 1.9934).abs() < 0.1 && mu.r_hat < 1.02);
/// # Ok::<(), FitError>(())
/// ```
pub fn sample_nuts<M: Model>(model: &M, config: &Nuts) -> Result<Chains<M>, FitError> {
    let mut bound = model.bind()?;
    if let Some(parameter) = bound.layout().parameters().next() {
        return Err(FitError::SamplerParameter { name: parameter.name });
    }
    let run = |bound: &dyn LogJoint<M::Element>, _| sample_held::<M>(bound, config, &[]);
    let solved = solved(&mut *bound, Duration::MAX, run, |bound, chains| Ok(chains.log_joints(bound)))?;
    let mut chains = solved.outcome;
    chains.summary.notes = solved.notes;
    Ok(chains)
}

/// Draws from the posterior under the condition that the parameters have these unconstrained numbers.
fn sample_held<M: Model>(bound: &dyn LogJoint<M::Element>, config: &Nuts, held: &[f64]) -> Result<Chains<M>, FitError> {
    if let Some(latent) = bound.layout().drawn().next() {
        return Err(FitError::SamplerDiscrete { name: latent.name });
    }
    let began = std::time::Instant::now();
    let chains = sample::chains(bound, config, held)?;
    let layout = bound.layout();
    let columns = columns(bound, &chains, config.draws);
    let summary = ChainSummary {
        model: layout.model.to_owned(),
        scalars: scalars(layout, &columns, config.draws),
        hidden: long(layout).map(|v| (v.name.to_owned(), v.rows.len())).collect(),
        chains: config.chains,
        draws: columns.draws,
        divergences: chains.iter().map(|chain| chain.divergences).sum(),
        cut_short: chains.iter().map(|chain| chain.cut_short).sum(),
        step_sizes: chains.iter().map(|chain| chain.step_size).collect(),
        evaluations: chains.iter().map(|chain| chain.evaluations).sum(),
        seconds: began.elapsed().as_secs_f64(),
        notes: Vec::new(),
    };
    Ok(Chains { layout: layout.clone(), columns, summary, model: PhantomData })
}

/// Draws by chains: latents and quantities, all draws of the first chain, then of the next.
pub struct Chains<M> {
    layout: Layout,
    columns: Columns,
    summary: ChainSummary,
    model: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Chains<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chains").field("model", &self.layout.model).field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl<M: Model> Chains<M> {
    /// The draws, named and shaped, the first axis being the draw: those of the first chain, then of the next.
    #[must_use]
    pub fn draws(&self) -> M::Draws {
        M::collect_draws(&self.layout, self.columns.draws, &self.columns.values)
    }

    /// The table with R-hat and effective sample sizes, and whether to believe it.
    #[must_use]
    pub fn summary(&self) -> ChainSummary {
        self.summary.clone()
    }

    /// One scalar by the name of its element.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Option<&ChainScalar> {
        self.summary.scalars.iter().find(|scalar| scalar.scalar.name == name)
    }

    /// The log joint densities at some draws.
    fn log_joints(&self, model: &dyn LogJoint<M::Element>) -> Vec<f64> {
        let (count, rows) = (DRAWS.min(self.columns.draws), self.columns.rows);
        let (mut work, weights) = (model.workspace(DRAWS), model.unit_weights(DRAWS));
        let mut log_joints = vec![0.0; DRAWS];
        for sample in 0..DRAWS {
            // Of all chains, evenly.
            let draw = (sample % count.max(1)) * self.columns.draws / count.max(1);
            for row in 0..rows {
                work.values[row * DRAWS + sample] = M::Element::from_f64(self.columns.values[draw * rows + row]);
            }
        }
        model.accumulate(&mut work, &weights, &mut log_joints);
        log_joints
    }

    /// Trajectories after the warmup whose energy was not conserved: draws near them cannot be trusted.
    #[must_use]
    pub fn divergences(&self) -> usize {
        self.summary.divergences
    }

    /// How long sampling took, the table included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.summary.seconds)
    }
}

/// Completes the draws of all chains with their quantities.
fn columns<E: crate::kernel::Real>(model: &dyn LogJoint<E>, chains: &[Chain], draws: usize) -> Columns {
    const BATCH: usize = 64;
    let (n, rows) = (model.layout().unconstrained(), model.layout().rows());
    // A model without latents has draws too: of its quantities.
    let points: Vec<&[f64]> =
        chains.iter().flat_map(|chain| (0..draws).map(|draw| &chain.draws[draw * n..(draw + 1) * n])).collect();
    let mut work = model.workspace(BATCH);
    let mut values = Vec::with_capacity(points.len() * rows);
    for batch in points.chunks(BATCH) {
        for (sample, point) in (0..BATCH).zip(batch.iter().cycle()) {
            for (i, x) in point.iter().enumerate() {
                work.u_mut()[i * BATCH + sample] = E::from_f64(*x);
            }
        }
        model.constrain(&mut work, &mut [0.0; BATCH]);
        model.complete(&mut work);
        for sample in 0..batch.len() {
            values.extend((0..rows).map(|row| work.values[row * BATCH + sample].to_f64()));
        }
    }
    Columns { draws: points.len(), rows, values }
}

/// The longest array whose elements are tabled.
const LONG: usize = 4000;

/// What has draws: parameters are the same in all of them.
fn random(layout: &Layout) -> impl Iterator<Item = &Variable> {
    layout.variables.iter().filter(|variable| variable.kind != SiteKind::Parameter)
}

fn long(layout: &Layout) -> impl Iterator<Item = &Variable> {
    random(layout).filter(|variable| variable.rows.len() > LONG)
}

fn scalars(layout: &Layout, columns: &Columns, draws: usize) -> Vec<ChainScalar> {
    let shown = random(layout).filter(|variable| variable.rows.len() <= LONG);
    let elements: Vec<(&Variable, usize)> = shown.flat_map(|v| v.elements().into_iter().map(move |i| (v, i))).collect();
    let scalar = |&(variable, element): &(&Variable, usize)| {
        let values: Vec<f64> = columns.row(variable.rows.start + element).collect();
        ChainScalar::of(layout.element_name(variable, element), variable.name, &values, draws)
    };
    elements.par_iter().map(scalar).collect()
}
