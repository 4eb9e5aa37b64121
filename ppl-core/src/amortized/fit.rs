//! An amortized fit, and what it is asked.

use std::borrow::BorrowMut;
use std::time::Duration;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::buffers::Buffers;
use super::calls::Samples;
use super::discrete::{self, Discrete};
use super::divergence::closed_form;
use super::engine::{Engine, Steering};
use super::global_latents::GlobalSide;
use super::learn::{Header, Past, Purpose, Sizes, asked, key};
use super::local_guide::{Table, table};
use super::networks::Store;
use super::plan::{Names, Plan, wiring};
use super::transform::Drawn;
use super::{
    Amortized, AmortizedError, Call, DrawnLatent, GlobalModel, ROW_NUMBER, RowGuide, RowInput, RowTable, Transform, data,
};
use crate::guides::{Drawn as Family, gaussian};
use crate::instances::Instances as _;
use crate::kernel::Real;
use crate::model::{LogJoint, Model as _};
use crate::networks::{Mode, Network as _, Parameterized};

/// What a fit tells of an epoch. Bounds and divergences are means over rows, in nats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The epoch, counted from zero.
    pub epoch: usize,
    /// Steps made so far.
    pub steps: usize,
    /// The bound of the rows learned from, as it was when each was seen.
    pub bound: f64,
    /// The divergence of the guide from the prior, part of the bound: in closed form, or its estimate `log q(z) - log p(z)`.
    pub divergence: f64,
    /// The bound of the rows held out, at the end of the epoch.
    pub held_out: Option<f64>,
    /// The rate at its last step.
    pub rate: f64,
    /// Time since the start.
    pub elapsed: Duration,
}

/// Why a fit ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Stopped {
    /// All epochs are over.
    Epochs,
    /// The bound of the held-out rows was not better for as many epochs as the configuration allows.
    Patience {
        /// The best epoch, whose weights the fit has.
        best: usize,
    },
    /// The time was over.
    Time,
    /// The observer asked for it.
    Observer,
    /// It did not: this is a checkpoint of a fit that goes on.
    Checkpoint,
}

/// The distribution of a latent given each row, on the unconstrained scale: where it is normal there, its location and scale, else its median and half the width of
/// its central 68 %.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded<E> {
    /// The latent.
    pub name: &'static str,
    /// `[row][element]`
    pub location: Array2<E>,
    /// `[row][element]`
    pub scale: Array2<E>,
}

/// What is learned, of a model and a guide.
#[derive(Debug)]
pub struct AmortizedFit<'m, M, G: RowGuide<M>> {
    pub(super) model: &'m M,
    pub(super) guide: &'m G,
    pub(super) store: Store<'m, G::Element>,
    pub(super) seed: u64,
    /// Those that are done whatever the fit is asked about rows.
    pub(super) transforms: Vec<Transform>,
    global_values: Vec<(&'static str, Vec<f64>)>,
    pub(super) past: Past<G::Element>,
}

/// The networks of a model and of its guide, by name.
pub(crate) struct Sides<'m, E: Real> {
    pub(super) rows: usize,
    model: Vec<(&'static str, &'m Parameterized<E>)>,
    /// Of the networks of the model, those with latent weights.
    priors: &'static [(usize, f64)],
    guide: Vec<(&'static str, &'m Parameterized<E>)>,
    /// The tables of the guide.
    tables: Vec<Table<E>>,
}

impl<'m, E: Real> Sides<'m, E> {
    /// All that is learned, as model and guide start from it.
    pub(super) fn store(&self, engine: &Engine<'_, E>, held: &[String]) -> Result<Store<'m, E>, AmortizedError> {
        let of_model = (&engine.model_plan, engine.model.layout(), &self.model[..]);
        let of_guide = (&engine.guide_plan, engine.guide.layout(), &self.guide[..]);
        let outside = engine.globals.as_ref().map(|side| side.density.layout());
        Store::new(of_model, self.priors, of_guide, (&self.tables, outside), held)
    }
}

/// A model of rows and a guide of it, bound, whatever types they are of.
pub(crate) struct Bound<'a, 'm, E: Real> {
    rows: usize,
    inputs: &'a [RowInput<'m, E>],
    model: &'a dyn LogJoint<E>,
    guide: &'a dyn LogJoint<E>,
    /// What stands outside the loop over the rows.
    outside: Option<&'a dyn LogJoint<E>>,
    model_calls: &'static [Call],
    guide_calls: &'static [Call],
    model_discretes: Vec<DrawnLatent>,
    guide_discretes: Vec<DrawnLatent>,
    model_networks: Vec<(&'static str, &'m Parameterized<E>)>,
    guide_networks: Vec<(&'static str, &'m Parameterized<E>)>,
    priors: &'static [(usize, f64)],
    tables: Vec<RowTable>,
    families: Vec<&'static dyn Family<E>>,
}

impl<'a, 'm, E: Real> Bound<'a, 'm, E> {
    /// Finds the places of all names. Compiled once for an element, not for every model.
    pub(crate) fn resolve(mut self, transforms: &[Transform]) -> Result<(Engine<'a, E>, Sides<'m, E>), AmortizedError> {
        let tables = self.tables.iter().map(|&of_row| table(of_row, self.rows.max(1)));
        let tables = tables.collect::<Result<Vec<Table<E>>, AmortizedError>>()?;
        data::check(self.model.layout().model, self.rows, self.inputs, transforms)?;
        let (model, guide) = (self.model.layout(), self.guide.layout());
        let discretes = Discrete::resolve((&self.model_discretes, model), (&self.guide_discretes, guide, self.guide.graph()))?;
        let input = |input: &RowInput<'m, E>| (input.name, input.columns, input.categories.map(|(size, _)| size), input.shared);
        let mut inputs: Vec<(&'static str, usize, Option<usize>, bool)> = self.inputs.iter().map(input).collect();
        inputs.push((ROW_NUMBER, 1, None, false));
        let outside: Vec<&'static str> = self.outside.iter().flat_map(|side| side.layout().latents()).map(|v| v.name).collect();
        let sizes = |(name, network): (&'static str, &Parameterized<E>)| (name, network.inputs(), network.outputs());
        let of_tables = tables.iter().map(|(name, table)| (*name, &**table));
        let model_networks: Vec<_> = self.model_networks.iter().copied().map(sizes).collect();
        let guide_networks: Vec<_> = self.guide_networks.iter().copied().chain(of_tables).map(sizes).collect();
        let (inputs, discretes_known) = (&inputs[..], &discretes[..]);
        let names = Names {
            layout: model,
            inputs,
            outside: &outside,
            calls: self.model_calls,
            discretes: discretes_known,
            networks: &model_networks,
        };
        let model_plan = Plan::of_model(names)?;
        let names = Names { layout: guide, outside: &[], calls: self.guide_calls, networks: &guide_networks, ..names };
        let guide_plan = Plan::of_guide(names, self.guide.graph(), model)?;
        if let Some(located) = guide_plan.located.iter().find(|own| !own.is_normal && self.families.get(own.centred).is_none()) {
            return wiring(
                guide.model,
                format!("`{}` is not normal on the unconstrained scale; say what it is drawn from in `families`", located.name),
            );
        }
        self.families.resize(guide.centred.len(), gaussian());
        let globals = self.outside.map(|outside| GlobalSide::new(outside, model, &model_plan)).transpose()?;
        let engine =
            Engine::new((self.model, model_plan), (self.guide, guide_plan), self.inputs, globals, (self.families, discretes));
        let (rows, priors) = (self.rows, self.priors);
        Ok((engine, Sides { rows, model: self.model_networks, priors, guide: self.guide_networks, tables }))
    }
}

/// Binds a model and its guide, and does something with them.
pub(super) fn with_engine<'m, M, G: RowGuide<M>, T>(
    model: &'m M,
    guide: &'m G,
    transforms: &[Transform],
    act: impl FnOnce(&Engine<'_, G::Element>, Sides<'m, G::Element>) -> Result<T, AmortizedError>,
) -> Result<T, AmortizedError> {
    let given = guide.bind_model(model)?;
    let own = guide.bind_guide(&given)?;
    let outside = guide.bind_globals(model, &given.row);
    let outside = outside.as_deref().map(GlobalModel::bind_global).transpose()?;
    let (row, own_row) = (given.row.bind()?, own.row.bind()?);
    let bound = Bound {
        rows: given.rows,
        inputs: &given.inputs,
        model: &*row,
        guide: &*own_row,
        outside: outside.as_deref(),
        model_calls: given.calls,
        guide_calls: own.calls,
        model_discretes: given.discretes.clone(),
        guide_discretes: own.discretes.clone(),
        model_networks: given.networks.clone(),
        guide_networks: own.networks.clone(),
        priors: given.priors,
        tables: guide.tables(&given),
        families: guide.families(),
    };
    let (engine, sides) = G::Element::resolve(bound, transforms)?;
    act(&engine, sides)
}

/// Learns the networks and parameters of a model of rows and of its guide.
///
/// The networks of `model` and `guide` say where learning starts and stay as they are; the fit has its own parameters.
///
/// # Errors
/// [`AmortizedError::Data`] and others that name the place if model, guide, data and networks do not fit together or the configuration is out of range;
/// [`AmortizedError::NonFinite`] and [`AmortizedError::Gradient`] if learning went where numbers end.
pub fn fit_amortized<'m, M, G: RowGuide<M>, C: BorrowMut<Amortized>>(
    model: &'m M,
    guide: &'m G,
    mut config: C,
) -> Result<AmortizedFit<'m, M, G>, AmortizedError> {
    let config = config.borrow_mut();
    let transforms = config.transforms.clone();
    with_engine(model, guide, &transforms, |engine, sides| {
        config.check(sides.rows)?;
        let mut store = sides.store(engine, &config.held)?;
        check_tables(&store, config)?;
        let header = Header::new::<M, G>(config.seed, &transforms);
        let past = G::Element::learn(engine, sides.rows, &mut store, config, (Past::default(), header))?;
        Ok(AmortizedFit::new(model, guide, engine, store, (config.seed, &transforms), past))
    })
}

/// That no rows are held out of a guide that knows only the rows that it learns from.
pub(super) fn check_tables<E: Real>(store: &Store<'_, E>, config: &Amortized) -> Result<(), AmortizedError> {
    if store.table().is_some() && config.held_out > 0 {
        return Err(AmortizedError::Together {
            one: "held_out",
            other: "latents of rows that are left to the automatic guide, which knows only the rows that it learns from",
            instead: "0, or a guide that is a function of the row",
        });
    }
    Ok(())
}

/// An estimate of the bound, and its gradient by all that is learned.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundGradient<E> {
    /// The bound, the mean over the rows, in nats.
    pub bound: f64,
    /// The divergence of the guide from the prior that is part of it, in nats.
    pub divergence: f64,
    /// By the parameters of the networks of the model and then of the guide.
    pub networks: Vec<(&'static str, Vec<E>)>,
    /// By the unconstrained numbers of the parameters that are the same for all rows, those of the model first.
    pub globals: Vec<E>,
    /// By the parameters of the guide of the latents outside the loop over the rows: locations, then logarithms of scales, or the triangle of a factor of the
    /// covariance row by row, whose diagonal are logarithms.
    pub global_latents: Vec<E>,
}

/// The bound of all rows of a model and its gradient where the networks and parameters are, as a step of a fit takes them; `config` says of which bound, and how the
/// gradient is estimated, `seed` is that of the noise. For those who compare estimators.
///
/// # Errors
/// As [`fit_amortized`].
pub fn bound_gradient<M, G: RowGuide<M>>(
    model: &M,
    guide: &G,
    config: &Amortized,
    seed: u64,
) -> Result<BoundGradient<G::Element>, AmortizedError> {
    bound_gradient_near(model, guide, config, seed, &[])
}

/// As [`bound_gradient`], with the first of the parameters that [`BoundGradient::global_latents`] is by moved by these numbers: for those who check derivatives.
///
/// # Errors
/// As [`fit_amortized`].
pub fn bound_gradient_near<M, G: RowGuide<M>>(
    model: &M,
    guide: &G,
    config: &Amortized,
    seed: u64,
    by: &[f64],
) -> Result<BoundGradient<G::Element>, AmortizedError> {
    with_engine(model, guide, &[], |engine, sides| {
        config.check(sides.rows)?;
        discrete::check(engine, config)?;
        let mut store = sides.store(engine, &[])?;
        let closed = closed_form(engine, config)?;
        let mut buffers = engine.buffers(sides.rows, engine.samples(config));
        let rows: Vec<usize> = (0..sides.rows).collect();
        engine.fill(&rows, Drawn::AS_THEY_ARE, &mut buffers)?;
        if let Some(latents) = &mut store.latents {
            latents.parameters.iter_mut().zip(by).for_each(|(to, by)| *to = G::Element::from_f64(to.to_f64() + by));
            latents.settle();
        }
        let share = 1.0 / sides.rows as f64;
        let (estimator, kl_weight) = (config.estimator, config.kl_weight.at(0));
        let steering = Steering { estimator, discrete: config.discrete, kl_weight, closed: closed.as_ref(), share };
        store.draw(Some(key(seed, Purpose::Weights, 0)));
        let of_weights = store.divergence() / sides.rows as f64;
        engine.evaluate(&store, key(seed, Purpose::Noise, 0), steering, Mode::Evaluate, &mut buffers)?;
        let bound = buffers.weigh(config.objective) - of_weights;
        let divergence = buffers.mean_divergence() + of_weights;
        engine.signal(config.objective, steering, &mut buffers);
        engine.pull(&mut store, steering, &mut buffers)?;
        store.pull_latent(steering.kl_weight / sides.rows as f64);
        let (of_globals, of_divergence) = buffers.of_globals();
        let (bound, divergence) = (bound + share * of_globals, divergence + share * of_divergence);
        let networks = store.networks.into_iter().map(|network| (network.name, network.gradient)).collect();
        let global_latents = store.latents.map_or_else(Vec::new, |latents| latents.gradient);
        Ok(BoundGradient { bound, divergence, networks, globals: store.global_gradient, global_latents })
    })
}

/// The parameters that are the same for all rows, in their own space, those of the model first.
fn global_values<E: Real>(engine: &Engine<'_, E>, store: &Store<'_, E>) -> Vec<(&'static str, Vec<f64>)> {
    let (model, guide) = store.globals.split_at(store.of_model_globals);
    let mut all = Vec::new();
    for (density, plan, numbers) in [(engine.model, &engine.model_plan, model), (engine.guide, &engine.guide_plan, guide)] {
        let lanes = E::LANE_MULTIPLE;
        let mut work = density.workspace(lanes);
        let rows = plan.globals.iter().flat_map(|global| global.unconstrained.clone());
        for (row, &number) in rows.zip(numbers) {
            work.values[row * lanes..(row + 1) * lanes].fill(number);
        }
        density.constrain(&mut work, &mut vec![0.0; lanes]);
        for global in &plan.globals {
            let rows = density.layout().variables[global.variable].rows.clone();
            all.push((global.name, rows.map(|row| work.values[row * lanes].to_f64()).collect()));
        }
    }
    all
}

/// Rows of data that are encoded together.
pub(super) const BLOCK: usize = 128;

/// Goes over all rows of a model in blocks: inputs, or draws of them, are in their places, samples are to be drawn.
pub(super) fn for_blocks<E: Real>(
    engine: &Engine<'_, E>,
    rows: usize,
    drawn: Drawn<'_>,
    (block, samples): (usize, usize),
    mut act: impl FnMut(&[usize], &mut Buffers<E>) -> Result<(), AmortizedError>,
) -> Result<(), AmortizedError> {
    let all: Vec<usize> = (0..rows).collect();
    let mut sizes = Sizes::new(Samples::of(samples));
    for rows in all.chunks(block) {
        let buffers = sizes.of(engine, rows.len());
        engine.fill(rows, drawn, buffers)?;
        act(rows, buffers)?;
    }
    Ok(())
}

impl<'m, M, G: RowGuide<M>> AmortizedFit<'m, M, G> {
    /// Of what was learned.
    pub(super) fn new(
        model: &'m M,
        guide: &'m G,
        engine: &Engine<'_, G::Element>,
        store: Store<'m, G::Element>,
        config: (u64, &[Transform]),
        past: Past<G::Element>,
    ) -> Self {
        let (seed, transforms) = config;
        let transforms = transforms.iter().filter(|transform| transform.is_always()).cloned().collect();
        AmortizedFit { model, guide, global_values: global_values(engine, &store), store, seed, transforms, past }
    }
}

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// What was told of each epoch.
    #[must_use]
    pub fn history(&self) -> &[Epoch] {
        &self.past.history
    }

    /// Why the fit ended.
    #[must_use]
    pub fn stopped(&self) -> &Stopped {
        &self.past.stopped
    }

    /// The rows of data that were held out.
    #[must_use]
    pub fn held_out(&self) -> &[usize] {
        &self.past.held_out
    }

    /// The learned parameters of a network of the model or of the guide, as [`Parameterized::new`] takes them; of latent weights,
    /// their locations and then the logarithms of their scales. None if there is no such network.
    #[must_use]
    pub fn parameters_of(&self, network: &str) -> Option<&[G::Element]> {
        self.store.networks.iter().find(|learned| learned.name == network).map(|learned| &learned.parameters[..])
    }

    /// The learned parameters that are the same for all rows, by name, those of the model first.
    #[must_use]
    pub fn globals(&self) -> &[(&'static str, Vec<f64>)] {
        &self.global_values
    }

    /// Rows as they are drawn where the fit is asked about them.
    pub(super) fn drawn(&self) -> Drawn<'_> {
        asked(self.seed, &self.transforms)
    }

    /// The location and scale of every latent given each row of `model`, which need not be the one that was learned from. Where a latent depends on another
    /// latent in the guide, that one is at its location.
    ///
    /// # Errors
    /// As [`fit_amortized`], of the data.
    pub fn encode(&self, model: &M) -> Result<Vec<Encoded<G::Element>>, AmortizedError> {
        with_engine(model, self.guide, &self.transforms, |engine, sides| {
            self.check_rows(model, engine, sides.rows)?;
            let empty = |columns: usize| Array2::from_elem((sides.rows, columns), G::Element::default());
            let of = |located: &super::plan::Located| Encoded {
                name: located.name,
                location: empty(located.rows.len()),
                scale: empty(located.rows.len()),
            };
            let mut all: Vec<Encoded<G::Element>> = engine.guide_plan.located.iter().map(of).collect();
            for_blocks(engine, sides.rows, self.drawn(), (BLOCK, 1), |rows, buffers| {
                engine.draw_latents(&self.store, None, buffers)?;
                for tile in &mut buffers.tiles.all {
                    let (rows, lanes) = (&rows[tile.first..tile.first + tile.shape.batch], tile.shape.lanes);
                    for (encoded, located) in all.iter_mut().zip(&engine.guide_plan.located) {
                        let [location, scale] = located.location_and_scale(engine.families[located.centred], tile);
                        for (to, from) in [(&mut encoded.location, location), (&mut encoded.scale, scale)] {
                            for (lane, &row) in rows.iter().enumerate() {
                                for element in 0..located.rows.len() {
                                    to[[row, element]] = from[element * lanes + lane];
                                }
                            }
                        }
                    }
                }
                Ok(())
            })?;
            Ok(all)
        })
    }
}
