//! Guides written by `guide!`: every latent has a distribution, whose parameters are functions of parameters of the guide, of data and of latents drawn before it.

mod automatic;
mod batches;
mod dirichlet;
mod discrete;
mod drawn;
mod error;
mod gaussian;
mod implicit;
mod kernels;
mod maps;
mod mixture;
mod pathwise;
mod sorted;

use std::fmt::{Debug, Formatter};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

pub use automatic::Start;
pub use drawn::{
    Drawn, Elements, Task, category, dirichlet, drawn_from, gaussian, jointly, native, ordered_category, sorted, whole_number,
};
pub(crate) use drawn::{dirichlet_of, gaussian_of};
pub use error::GuideError;
pub use mixture::{ComponentOf, CountOf, DrawnMixture, MixtureComponent};
pub use pathwise::{Base, Pathwise};

use super::{Guide, OwnGuide};
use crate::bijectors::Bijector;
use crate::distributions::Parameter;
use crate::kernel::{Real, dispatch};
use crate::model::{Layout, LogJoint, Model, Weights, Workspace};
use automatic::Automatic;
use discrete::of_element;
use kernels::{Constrain, PullConstrain};

/// A guide of the models of a type: what `guide!` implements, and any [`Guide`] over the element of the model.
pub trait GuideOf<M: Model> {
    /// The guide of a model, with the parameters that it starts from; `layout` is that of the model bound to its data.
    ///
    /// # Errors
    /// [`GuideError`]: its own data do not fit the model, or it starts where it is no distribution.
    fn bind_guide(&self, model: &M, layout: &Layout) -> Result<OwnGuide, GuideError>;
}

impl<M: Model, G: Guide<M::Element> + Clone + Sync + 'static> GuideOf<M> for G {
    fn bind_guide(&self, _model: &M, _layout: &Layout) -> Result<OwnGuide, GuideError> {
        Ok(OwnGuide::new::<M::Element, G>(&Guide::<M::Element>::name(self), self.clone()))
    }
}

/// `q(u) = product over latents of D_i(u_i; theta_i)` on the unconstrained space of a model, the families `D_i` and the parameters `theta_i` being what the
/// statements of a `guide!` say. `Normal`, `LogNormal` and `LogitNormal` are normal there: `u_i = m_i + s_i noise_i`. Of any other family a draw is the quantile at
/// the probability below the noise, and moves with the parameters as that does; vectors and matrices are made of such numbers, one after the other.
///
/// The parameters are the unconstrained numbers of those of the guide, then those of the Gaussian of what is left to `auto`, then the parameters of the model, which are
/// points. Maps and pullbacks go through the compiled parameters of the families, latent after latent; nothing is stored between calls.
///
/// # Source
/// Hoffman & Blei 2015, Structured stochastic variational inference; the order of pullbacks: Roeder, Wu & Duvenaud 2017.
pub struct DeclaredGuide<'d, E: Real> {
    name: &'static str,
    density: Arc<dyn LogJoint<E> + Send + 'd>,
    /// The latents that are left to a Gaussian, and what the others are drawn from, in the order of the guide.
    auto: &'static [&'static str],
    families: Arc<[DrawnFrom<E>]>,
    parameters: Vec<f64>,
    located: Vec<Located<E>>,
    automatic: Automatic,
    /// How many of the parameters are the guide's own.
    own: usize,
    /// The dimensions that are parameters of the model, and how many there are with the whole numbers after them.
    points: Range<usize>,
    dimensions: usize,
    /// The dimensions whose densities are weighed alike: all, or of a batch those that are not over the plate, and those that are; and each whole number by itself.
    blocks: Vec<Vec<usize>>,
    /// How many of the blocks, the first ones, have a path; and of which nothing depends that is drawn later.
    with_path: usize,
    last: Vec<bool>,
    /// Buffers that are not in use.
    pool: Mutex<Vec<Buffers<E>>>,
}

/// What a latent of a guide is drawn from, and the latents that the parameters of that are made of.
pub type DrawnFrom<E> = (&'static dyn Drawn<E>, &'static [&'static str]);

/// A latent with a statement.
#[derive(Clone, Debug)]
struct Located<E: Real> {
    /// Which of [`Layout::centred`] of the guide.
    centred: usize,
    known: Known,
    family: &'static dyn Drawn<E>,
    /// How many numbers, vectors or matrices it is.
    events: usize,
    /// The rows of the parameters of the family.
    parameters: Vec<Range<usize>>,
    /// The latents that these are made of.
    reads: &'static [&'static str],
    /// The first of its rows of noise.
    noise: usize,
    /// Which of the blocks it belongs to; of whole numbers the first one, since each has its own.
    block: usize,
    /// Of whole numbers, the rows of the parameters of each.
    apart: Vec<Vec<Range<usize>>>,
}

impl<E: Real> Located<E> {
    /// Its elements, where the values of the guide's rows are these.
    fn elements<'a>(&'a self, samples: usize, values: &'a [E]) -> Elements<'a, E> {
        let (known, noise, events) = (&self.known, self.noise, self.events);
        Elements { count: known.u.len(), events, u: known.u.start, noise, parameters: &self.parameters, samples, values }
    }
}

/// Where a latent is.
#[derive(Clone, Debug)]
struct Known {
    /// Its rows in the workspace of the guide; none where the guide does not know its values.
    rows: Range<usize>,
    /// Its unconstrained dimensions.
    u: Range<usize>,
    /// From these to its rows.
    bijector: Bijector,
}

/// What an evaluation needs.
#[derive(Debug)]
struct Buffers<E> {
    work: Workspace<E>,
    weights: Weights<E>,
    log_det: Vec<f64>,
    /// The unconstrained numbers of one latent.
    one: Vec<E>,
}

impl<E: Real> DeclaredGuide<'static, E> {
    /// The guide of a bound density, of a model with this layout; `auto` are the latents that are left to a Gaussian, `families` what the others are drawn from, in
    /// the order of the guide.
    ///
    /// # Errors
    /// [`GuideError::Place`] and [`GuideError::Parameter`] name the element whose location, scale or other parameter is none where the guide starts.
    pub fn bind(
        name: &'static str,
        density: Box<dyn LogJoint<E> + Send>,
        model: &Layout,
        auto: &'static [&'static str],
        families: &[DrawnFrom<E>],
    ) -> Result<OwnGuide, GuideError> {
        E::declared_guide(name, density, model, auto, families)
    }

    /// The same, compiled for an element.
    pub(crate) fn of_element(
        name: &'static str,
        density: Box<dyn LogJoint<E> + Send>,
        model: &Layout,
        auto: &'static [&'static str],
        families: &[DrawnFrom<E>],
    ) -> Result<OwnGuide, GuideError> {
        let layout = density.layout();
        let start = layout.start();
        let of_guide: Vec<f64> = layout.parameters().flat_map(|own| start[own.unconstrained.clone()].to_vec()).collect();
        let own = of_guide.len();
        let guide = Self::assemble(name, density.into(), model, (auto, &families.into()), (own, of_guide))?;
        guide.check_start()?;
        Ok(OwnGuide::new::<E, Self>(name, guide))
    }
}

impl<'d, E: Real> DeclaredGuide<'d, E> {
    /// The guide of these parameters, of which so many are its own; where they are but these, the others are where they start.
    fn assemble(
        name: &'static str,
        density: Arc<dyn LogJoint<E> + Send + 'd>,
        model: &Layout,
        (auto, families): (&'static [&'static str], &Arc<[DrawnFrom<E>]>),
        (own, mut parameters): (usize, Vec<f64>),
    ) -> Result<Self, GuideError> {
        let layout = density.layout();
        let rows = |name: &str| layout.latents().find(|own| own.name == name).map_or(0..0, |own| own.rows.clone());
        let known = |latent: &crate::model::Variable| Known {
            rows: rows(latent.name),
            u: latent.unconstrained.clone(),
            bijector: latent.bijector.clone(),
        };
        let left = model.latents().filter(|latent| auto.contains(&latent.name)).map(known).collect();
        let automatic = Automatic::new(left);
        let (spread, points) = (model.discrete().start - model.points(), model.points());
        // Whole numbers have the last rows of noise.
        let (mut noise, mut of_numbers) = (automatic.dimensions().len(), spread);
        let mut located = Vec::new();
        for ((centred, of), &(family, reads)) in layout.centred.iter().enumerate().zip(families.iter()) {
            let own = &layout.variables[of.variable];
            let Some(latent) = model.latents().find(|latent| latent.name == own.name) else { continue };
            if let Some(element) = latent.bijector.differs(&own.bijector, latent.rows.len()) {
                let latent = model.element_name(latent, element);
                return Err(GuideError::Values { guide: name, latent, family: family.name() });
            }
            let count = latent.unconstrained.len();
            let next = if family.is_discrete() { &mut of_numbers } else { &mut noise };
            let of_each = |i: usize| of.parameters.iter().map(|rows| of_element(rows, i, count)).collect();
            let apart = if family.is_discrete() { (0..count).map(of_each).collect() } else { Vec::new() };
            let (known, parameters, events) = (known(latent), of.parameters.clone(), of.events);
            located.push(Located { centred, known, family, events, reads, parameters, noise: *next, block: 0, apart });
            *next += count;
        }
        let (points, dimensions) = (spread..spread + points, model.unconstrained());
        let found = noise + of_numbers - spread;
        if noise != spread || of_numbers + points.len() != dimensions {
            return Err(GuideError::Dimensions { guide: name, found, expected: dimensions - points.len() });
        }
        if parameters.len() == own {
            parameters.extend(automatic.parameters());
            parameters.extend(model.parameters().flat_map(|point| point.initial.iter()));
        }
        let has_path = points.end > 0 || dimensions == 0;
        let mut blocks: Vec<Vec<usize>> = if has_path { vec![(0..points.end).collect()] } else { Vec::new() };
        let with_path = blocks.len();
        for located in located.iter_mut().filter(|located| located.family.is_discrete()) {
            located.block = blocks.len();
            blocks.extend(located.known.u.clone().map(|u| vec![u]));
        }
        let (families, pool, last) = (Arc::clone(families), Mutex::default(), vec![true; blocks.len()]);
        let mut guide = DeclaredGuide {
            name,
            density,
            auto,
            families,
            parameters,
            located,
            automatic,
            own,
            points,
            dimensions,
            blocks,
            with_path,
            last,
            pool,
        };
        guide.last = guide.find_last();
        Ok(guide)
    }

    /// Whether each block is one of which nothing depends that is drawn later.
    fn find_last(&self) -> Vec<bool> {
        let mut last = vec![true; self.blocks.len()];
        let layout = self.density.layout();
        let names = self.located.iter().map(|located| layout.variables[layout.centred[located.centred].variable].name);
        let names: Vec<&str> = names.collect();
        let is_read = |name: &str| self.located.iter().any(|other| other.reads.contains(&name));
        for (located, name) in self.located.iter().zip(&names).filter(|(located, _)| !located.apart.is_empty()) {
            last[located.block..][..located.apart.len()].fill(!is_read(name));
            // What has a path is drawn before a whole number that depends on it.
            let of_path = |read: &&str| !self.located.iter().zip(&names).any(|(own, name)| name == read && !own.apart.is_empty());
            if located.reads.iter().any(of_path) {
                last[..self.with_path].fill(false);
            }
        }
        last
    }

    /// That parameters of families are such where the guide starts.
    fn check_start(&self) -> Result<(), GuideError> {
        let (samples, noise) = self.noise_of_units();
        let mut u = vec![E::default(); self.dimensions * samples];
        let buffers = self.draw(&noise, samples, &mut u);
        let layout = self.density.layout();
        let mut found = Ok(());
        for located in &self.located {
            let variable = &layout.variables[layout.centred[located.centred].variable];
            let name = |part: usize, parts: usize| {
                // Of several elements that share a parameter, the first.
                layout.element_name(variable, part * variable.rows.len() / parts.max(1))
            };
            for (Parameter { name: what, support }, rows) in located.family.parameters().iter().zip(&located.parameters) {
                let values = rows.clone().enumerate().flat_map(|(i, row)| {
                    buffers.work.values[row * samples..(row + 1) * samples].iter().map(move |x| (i, x.to_f64()))
                });
                let is_bad = |x: f64| !support.contains(x);
                if let (Some((part, value)), true) = (values.clone().find(|(_, x)| is_bad(*x)), found.is_ok()) {
                    let latent = name(part, rows.len());
                    let (guide, family) = (self.name, located.family.name());
                    found = Err(if family == "Normal" {
                        GuideError::Place { guide, latent, what, value }
                    } else {
                        GuideError::Parameter { guide, latent, family, what, value, support: *support }
                    });
                }
            }
            let drawn = located.known.u.clone().enumerate().map(|(i, row)| (i, &u[row * samples..(row + 1) * samples]));
            let bad = drawn.flat_map(|(i, lanes)| lanes.iter().map(move |x| (i, x.to_f64()))).find(|(_, x)| !x.is_finite());
            if let (Some((i, value)), Ok(())) = (bad, &found) {
                let latent = name(i * located.events / located.known.u.len().max(1), located.events);
                found = Err(GuideError::Draw { guide: self.name, latent, family: located.family.name(), value });
            }
        }
        self.give_back(buffers);
        found
    }

    /// Buffers in which the parameters are where they are.
    fn buffers(&self, samples: usize) -> Buffers<E> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffers = pool.pop().filter(|buffers| buffers.work.samples == samples).unwrap_or_else(|| {
            let longest = self.known().map(|known| known.u.len()).max().unwrap_or(0);
            // Of a batch, what its elements stand for is no matter here.
            let mut weights = self.density.unit_weights(samples);
            weights.factors.fill(E::from_f64(1.0));
            weights.log_det.fill(E::from_f64(1.0));
            Buffers {
                work: self.density.workspace(samples),
                weights,
                log_det: vec![0.0; samples],
                one: vec![E::default(); longest * samples],
            }
        });
        drop(pool);
        let rows = self.density.layout().parameters().flat_map(|own| own.unconstrained.clone());
        for (row, &value) in rows.zip(&self.parameters) {
            buffers.work.values[row * samples..(row + 1) * samples].fill(E::from_f64(value));
        }
        self.density.constrain(&mut buffers.work, &mut buffers.log_det);
        buffers
    }

    fn give_back(&self, buffers: Buffers<E>) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(buffers);
    }

    /// Where the latents are, in the order in which they are drawn.
    fn known(&self) -> impl Iterator<Item = &Known> {
        self.automatic.latents().iter().chain(self.located.iter().map(|located| &located.known))
    }

    /// The parameters of the Gaussian of what is left to it.
    fn of_automatic(&self) -> Range<usize> {
        self.own..self.own + self.automatic.parameters().len()
    }

    /// The parameters that are points of the model.
    fn of_points(&self) -> Range<usize> {
        self.of_automatic().end..self.parameters.len()
    }

    /// Draws all latents; the buffers hold them with their locations and scales.
    fn draw(&self, noise: &[E], samples: usize, u: &mut [E]) -> Buffers<E> {
        let mut buffers = self.buffers(samples);
        self.automatic.sample(&self.parameters[self.of_automatic()], noise, samples, u);
        for known in self.automatic.latents() {
            constrain(known, u, &mut buffers.work);
        }
        for located in &self.located {
            self.density.locate(located.centred, &mut buffers.work);
            located.family.draw(located.elements(samples, &buffers.work.values), noise, u);
            constrain(&located.known, u, &mut buffers.work);
        }
        for (row, value) in self.points.clone().zip(&self.parameters[self.of_points()]) {
            u[row * samples..(row + 1) * samples].fill(E::from_f64(*value));
        }
        buffers
    }

    /// The buffers of draws that are known.
    fn located(&self, u: &[E], samples: usize) -> Buffers<E> {
        let mut buffers = self.buffers(samples);
        self.known().for_each(|known| constrain(known, u, &mut buffers.work));
        self.located.iter().for_each(|located| self.density.locate(located.centred, &mut buffers.work));
        buffers
    }
}

/// Computes a latent from its unconstrained numbers, where the guide knows it.
fn constrain<E: Real>(known: &Known, u: &[E], work: &mut Workspace<E>) {
    if !known.rows.is_empty() {
        dispatch(Constrain { known, samples: work.samples, u, values: &mut work.values });
    }
}

/// Adds the adjoint of a latent, pulled back, to that of its unconstrained numbers.
fn pull_constrain<E: Real>(known: &Known, u: &[E], u_adjoint: &mut [E], buffers: &mut Buffers<E>) {
    if !known.rows.is_empty() {
        let Buffers { work: Workspace { samples, values, adjoints, .. }, one, .. } = buffers;
        dispatch(PullConstrain { known, samples: *samples, u, values, adjoints, one, u_adjoint });
    }
}

impl<E: Real> Clone for DeclaredGuide<'_, E> {
    fn clone(&self) -> Self {
        DeclaredGuide {
            name: self.name,
            density: Arc::clone(&self.density),
            auto: self.auto,
            families: Arc::clone(&self.families),
            parameters: self.parameters.clone(),
            located: self.located.clone(),
            automatic: self.automatic.clone(),
            own: self.own,
            points: self.points.clone(),
            dimensions: self.dimensions,
            blocks: self.blocks.clone(),
            with_path: self.with_path,
            last: self.last.clone(),
            pool: Mutex::default(),
        }
    }
}

impl<E: Real> Debug for DeclaredGuide<'_, E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeclaredGuide").field("name", &self.name).field("parameters", &self.parameters).finish_non_exhaustive()
    }
}
