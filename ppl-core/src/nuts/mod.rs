//! The No-U-Turn sampler (crate `nuts-rs`) on the model's own log joint and gradient: instead of a fit, or to check one.

mod check;
mod sample;

use std::marker::PhantomData;
use std::time::Duration;

pub use check::NutsCheck;

use crate::collect::Columns;
use crate::fit::FitError;
use crate::model::{Layout, LogJoint, Model};
use crate::report::{ChainScalar, ChainSummary};
use sample::Chain;

/// How to sample; every field has a default that needs no tuning.
#[derive(Clone, Debug, PartialEq)]
pub struct Nuts {
    /// Chains, which run in parallel. Default 4; range 1 to 1000.
    pub chains: usize,
    /// Steps in which step size and metric adapt, left out of the draws. Default 1000; range 1 and up.
    pub warmup: usize,
    /// Draws a chain. Default 1000; range 4 and up.
    pub draws: usize,
    /// The most doublings of a trajectory. Default 10; range 1 to 20.
    pub max_depth: usize,
    /// The seed of all randomness: the same seed gives the same bits, on any number of threads. Default 0.
    pub seed: u64,
}

impl Default for Nuts {
    fn default() -> Self {
        Nuts { chains: 4, warmup: 1000, draws: 1000, max_depth: 10, seed: 0 }
    }
}

/// Draws from the posterior of a model, by chains that can be asked whether they agree.
///
/// # Errors
/// [`FitError`]: the data do not fit the model, the configuration is out of range, no starting point has a finite log density, or the
/// sampler could not go on.
///
/// # Source
/// Hoffman & Gelman 2014, The No-U-Turn sampler; the implementation: nuts-rs.
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
    let began = std::time::Instant::now();
    let bound = model.bind()?;
    let chains = sample::chains(&*bound, config)?;
    let columns = columns(&*bound, &chains);
    let scalars = scalars(bound.layout(), &columns, config.chains);
    let divergences = chains.iter().map(|chain| chain.divergences).sum();
    let layout = bound.layout().clone();
    Ok(Chains { layout, columns, scalars, divergences, elapsed: began.elapsed(), model: PhantomData })
}

/// Draws by chains: latents and quantities, all draws of the first chain, then of the next.
pub struct Chains<M> {
    layout: Layout,
    columns: Columns,
    scalars: Vec<ChainScalar>,
    divergences: usize,
    elapsed: Duration,
    model: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Chains<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chains").field("model", &self.layout.model).field("scalars", &self.scalars).finish_non_exhaustive()
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
        ChainSummary {
            model: self.layout.model.to_owned(),
            scalars: self.scalars.clone(),
            divergences: self.divergences,
            draws: self.columns.draws,
            seconds: self.elapsed.as_secs_f64(),
        }
    }

    /// One scalar by the name of its element.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Option<&ChainScalar> {
        self.scalars.iter().find(|scalar| scalar.scalar.name == name)
    }

    /// Trajectories after the warmup whose energy was not conserved: draws near them cannot be trusted.
    #[must_use]
    pub fn divergences(&self) -> usize {
        self.divergences
    }
}

/// Completes the draws of all chains with their quantities.
fn columns<E: crate::kernel::Real>(model: &dyn LogJoint<E>, chains: &[Chain]) -> Columns {
    const BATCH: usize = 64;
    let (n, rows) = (model.layout().unconstrained(), model.layout().rows());
    let points: Vec<&[f64]> = chains.iter().flat_map(|chain| chain.draws.chunks_exact(n.max(1))).collect();
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

fn scalars(layout: &Layout, columns: &Columns, chains: usize) -> Vec<ChainScalar> {
    let mut scalars = Vec::new();
    for variable in layout.variables.iter().filter(|variable| variable.rows.len() <= LONG) {
        for element in variable.elements() {
            let values: Vec<f64> = columns.row(variable.rows.start + element).collect();
            let each: Vec<Vec<f64>> = values.chunks(values.len() / chains).map(<[f64]>::to_vec).collect();
            scalars.push(ChainScalar::of(layout.element_name(variable, element), variable.name, values, &each));
        }
    }
    scalars
}
