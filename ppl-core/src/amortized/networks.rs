//! What an amortized fit learns: networks of the model and of the guide with parameters of the fit's own, and parameters that are the same for all rows.

use std::sync::Arc;

use super::AmortizedError;
use super::global_latents::GlobalGuide;
use super::latent_weights::LatentWeights;
use super::local_guide::{RowAdam, Table};
use super::plan::Plan;
use crate::kernel::Real;
use crate::model::Layout;
use crate::networks::{AdamConfig, AdamState, Network as _, NetworkError, Parameterized, Pass, Work};
use crate::random::step_key;

/// A network of the model or of the guide, or a table that the fit has for a guide.
#[derive(Clone, Debug)]
enum Whose<'m, E: Real> {
    Given(&'m Parameterized<E>),
    Table(Arc<Parameterized<E>>),
}

impl<E: Real> std::ops::Deref for Whose<'_, E> {
    type Target = Parameterized<E>;

    fn deref(&self) -> &Parameterized<E> {
        match self {
            Whose::Given(network) => network,
            Whose::Table(network) => network,
        }
    }
}

/// How the parameters of a network step.
#[derive(Clone, Debug)]
pub(super) enum Steps<E> {
    /// All together.
    Whole(AdamState<E>),
    /// Those of the rows of a batch.
    Rows(RowAdam<E>),
}

impl<E: Real> Steps<E> {
    fn sum_of_squares(&mut self, gradient: &[E]) -> f64 {
        match self {
            Steps::Whole(adam) => adam.sum_of_squares(gradient),
            Steps::Rows(adam) => adam.sum_of_squares(gradient),
        }
    }

    /// Whether the gradient was finite; else nothing is to be made of the parameters.
    fn step_scaled(&mut self, rate: f64, scale: f64, parameters: &mut [E], gradient: &mut [E]) -> Result<bool, NetworkError> {
        match self {
            Steps::Whole(adam) => adam.step_scaled(rate, scale, parameters, gradient),
            Steps::Rows(adam) => {
                let finite = adam.sum_of_squares(gradient).is_finite();
                adam.step_scaled(rate, scale, parameters, gradient);
                Ok(finite)
            }
        }
    }
}

/// A network that is learned.
#[derive(Clone, Debug)]
pub(super) struct Learned<'m, E: Real> {
    pub(super) name: &'static str,
    network: Whose<'m, E>,
    /// What is learned: the weights; of latent ones, their locations, then the logarithms of their scales.
    pub(super) parameters: Vec<E>,
    latent: Option<LatentWeights<E>>,
    pub(super) gradient: Vec<E>,
    pub(super) adam: Steps<E>,
    /// Whether it stays as it is.
    pub(super) held: bool,
}

impl<'m, E: Real> Learned<'m, E> {
    /// From the parameters that it has; latent ones with the standard deviation of their prior.
    pub(super) fn new(name: &'static str, network: &'m Parameterized<E>, prior: Option<f64>, held: bool) -> Self {
        let weights = network.parameters();
        let (latent, parameters) = match prior.map(|prior| LatentWeights::around(weights, prior)) {
            Some((latent, learned)) => (Some(latent), learned),
            None => (None, weights.to_vec()),
        };
        let count = parameters.len();
        Learned {
            name,
            network: Whose::Given(network),
            parameters,
            latent,
            gradient: vec![E::default(); count],
            adam: Steps::Whole(AdamState::new(count, AdamConfig::default())),
            held,
        }
    }

    /// A table of numbers for each row.
    fn table((name, network): &Table<E>, held: bool) -> Self {
        let parameters = network.parameters().to_vec();
        let numbers = network.outputs();
        Learned {
            name,
            network: Whose::Table(Arc::clone(network)),
            gradient: vec![E::default(); parameters.len()],
            adam: Steps::Rows(RowAdam::new(parameters.len() / numbers.max(1), numbers)),
            parameters,
            latent: None,
            held,
        }
    }

    /// Whether it is a table of numbers for each row.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.network, Whose::Table(_))
    }

    /// Names, shapes and places of the tensors in the parameters.
    #[cfg(feature = "files")]
    pub(super) fn tensors(&self) -> Vec<crate::networks::ParameterTensor> {
        let mut all = self.network.tensors();
        if let Some(latent) = &self.latent {
            let scales: Vec<_> = all.iter().map(|tensor| tensor.clone().within("log_scale", latent.weights.len())).collect();
            all.extend(scales);
        }
        all
    }

    /// The weights that the network is used with.
    fn weights(&self) -> &[E] {
        self.latent.as_ref().map_or(&self.parameters, |latent| &latent.weights)
    }

    fn named(&self, source: NetworkError) -> AmortizedError {
        AmortizedError::Network { name: self.name.to_owned(), source }
    }

    pub(super) fn forward(&self, x: &[E], rows: usize, work: &mut Work<E>, y: &mut [E]) -> Result<(), AmortizedError> {
        self.network.forward_with(self.weights(), x, rows, work, y).map_err(|source| self.named(source))
    }

    /// Adds to the gradient, or, where it is not wanted, to `unwanted`.
    pub(super) fn pull(
        &mut self,
        pass: Pass<'_, E>,
        work: &mut Work<E>,
        x_adjoint: Option<&mut [E]>,
        unwanted: Option<&mut Vec<E>>,
    ) -> Result<(), AmortizedError> {
        let (weights, own) = match &mut self.latent {
            Some(latent) => (&latent.weights, &mut latent.gradient),
            None => (&self.parameters, &mut self.gradient),
        };
        let gradient = match unwanted {
            Some(unwanted) => {
                unwanted.resize(weights.len(), E::default());
                unwanted
            }
            None => own,
        };
        let pulled = self.network.pull_with(weights, pass, work, x_adjoint, gradient);
        pulled.map_err(|source| AmortizedError::Network { name: self.name.to_owned(), source })
    }
}

/// All that is learned.
#[derive(Clone, Debug)]
pub(crate) struct Store<'m, E: Real> {
    /// The networks of the model, then those of the guide.
    pub(super) networks: Vec<Learned<'m, E>>,
    /// How many of the networks are those of the model.
    pub(super) of_model: usize,
    /// The unconstrained numbers of the parameters of the model, then of the guide.
    pub(super) globals: Vec<E>,
    pub(super) global_gradient: Vec<E>,
    pub(super) global_adam: AdamState<E>,
    /// How many of these are those of the model.
    pub(super) of_model_globals: usize,
    /// Which of these stay as they are.
    pub(super) held_globals: Vec<bool>,
    /// The guide of the latents outside the loop over the rows.
    pub(super) latents: Option<GlobalGuide<E>>,
}

/// A model or a guide, with its networks.
type Half<'p, 'm, E> = (&'p Plan, &'p Layout, &'p [(&'static str, &'m Parameterized<E>)]);

/// The numbers of the globals of a plan to start from, and their names, a name for each number.
fn starts<E: Real>(plan: &Plan, layout: &Layout) -> Vec<(E, &'static str)> {
    let of = |variable: usize| &layout.variables[variable];
    plan.globals
        .iter()
        .flat_map(|global| {
            (0..global.unconstrained.len())
                .map(|i| (E::from_f64(of(global.variable).initial.get(i).copied().unwrap_or(0.0)), global.name))
        })
        .collect()
}

impl<'m, E: Real> Store<'m, E> {
    /// From what model and guide start from; networks and parameters of the names in `held` stay as they are.
    pub(super) fn new(
        model: Half<'_, 'm, E>,
        priors: &[(usize, f64)],
        guide: Half<'_, 'm, E>,
        (tables, outside): (&[Table<E>], Option<&Layout>),
        held: &[String],
    ) -> Result<Self, AmortizedError> {
        let is_held = |name: &str| held.iter().any(|held| held == name);
        let networks: Vec<Learned<'m, E>> = model
            .2
            .iter()
            .chain(guide.2)
            .enumerate()
            .map(|(at, &(name, network))| {
                let prior = priors.iter().find(|(network, _)| *network == at).map(|(_, prior)| *prior);
                Learned::new(name, network, prior, is_held(name))
            })
            .chain(tables.iter().map(|table| Learned::table(table, is_held(table.0))))
            .collect();
        let mut globals = starts::<E>(model.0, model.1);
        let of_model_globals = globals.len();
        globals.extend(starts::<E>(guide.0, guide.1));
        let known = || networks.iter().map(|network| network.name).chain(globals.iter().map(|(_, name)| *name));
        if let Some(name) = held.iter().find(|name| !known().any(|known| known == name.as_str())) {
            let mut names: Vec<String> = known().map(|name| format!("`{name}`")).collect();
            names.dedup();
            let known = names.join(", ");
            return Err(AmortizedError::UnknownName { what: "network or parameter", name: name.clone(), known });
        }
        Ok(Store {
            of_model: model.2.len(),
            of_model_globals,
            held_globals: globals.iter().map(|(_, name)| is_held(name)).collect(),
            global_gradient: vec![E::default(); globals.len()],
            global_adam: AdamState::new(globals.len(), AdamConfig::default()),
            globals: globals.into_iter().map(|(start, _)| start).collect(),
            latents: outside.map(GlobalGuide::new),
            networks,
        })
    }

    /// Draws all latent weights; without a key they are at their locations.
    pub(super) fn draw(&mut self, key: Option<u64>) {
        for (at, network) in self.networks.iter_mut().enumerate() {
            if let Some(latent) = &mut network.latent {
                latent.draw(&network.parameters, key.map(|key| step_key(key, at as u64)));
            }
        }
    }

    /// Says which rows of data the gradient of tables is of.
    pub(super) fn see(&mut self, rows: &[usize]) {
        for network in &mut self.networks {
            if let Steps::Rows(adam) = &mut network.adam {
                adam.see(rows);
            }
        }
    }

    /// Keeps the latents outside the loop over the rows at their locations.
    pub(super) fn hold_latents(&mut self) {
        if let Some(latents) = &mut self.latents {
            latents.still = true;
        }
    }

    /// The table of a guide that knows only the rows that were learned from.
    pub(super) fn table(&self) -> Option<&'static str> {
        self.networks.iter().find(|network| network.is_table()).map(|table| table.name)
    }

    /// From the derivatives by latent weights to those by what is learned of them; `share` is that of the divergence of all weights.
    pub(super) fn pull_latent(&mut self, share: f64) {
        for network in &mut self.networks {
            if let Some(latent) = &mut network.latent {
                latent.pull(&network.parameters, share, &mut network.gradient);
            }
        }
    }

    /// The divergence of latent weights from their prior, in nats.
    pub(super) fn divergence(&self) -> f64 {
        let own = |network: &Learned<'_, E>| network.latent.as_ref().map(|latent| latent.divergence(&network.parameters));
        self.networks.iter().filter_map(own).sum()
    }

    /// Makes a step up the gradient, which is cleared; scaled down where its norm is too large.
    pub(super) fn step(&mut self, step: usize, rate: f64, largest_norm: Option<f64>) -> Result<(), AmortizedError> {
        let zero = E::default();
        for network in self.networks.iter_mut().filter(|network| network.held) {
            match &network.adam {
                Steps::Whole(_) => network.gradient.fill(zero),
                Steps::Rows(adam) => adam.clear(&mut network.gradient),
            }
        }
        for (gradient, _) in self.global_gradient.iter_mut().zip(&self.held_globals).filter(|(_, held)| **held) {
            *gradient = zero;
        }
        let scale = match largest_norm {
            None => 1.0,
            Some(largest) => (largest / self.norm(step)?).min(1.0),
        };
        let unbounded = |of: String| Err(AmortizedError::Gradient { step, of });
        for network in self.networks.iter_mut().filter(|network| !network.held) {
            let stepped = network.adam.step_scaled(rate, scale, &mut network.parameters, &mut network.gradient);
            if !stepped.map_err(|source| AmortizedError::Network { name: network.name.to_owned(), source })? {
                return unbounded(format!("network `{}`", network.name));
            }
        }
        if let Some(latents) = &mut self.latents {
            let stepped = latents.adam.step_scaled(rate, scale, &mut latents.parameters, &mut latents.gradient);
            if !stepped.map_err(|source| AmortizedError::Network { name: "latents".to_owned(), source })? {
                return unbounded(latents.listed());
            }
            latents.settle();
        }
        // Adam leaves a number alone whose gradient is and was zero.
        let stepped = self.global_adam.step_scaled(rate, scale, &mut self.globals, &mut self.global_gradient);
        if !stepped.map_err(|source| AmortizedError::Network { name: "parameters".to_owned(), source })? {
            return unbounded("the parameters".to_owned());
        }
        Ok(())
    }

    /// The norm of the whole gradient.
    fn norm(&mut self, step: usize) -> Result<f64, AmortizedError> {
        let unbounded = |of: String| Err(AmortizedError::Gradient { step, of });
        let mut square = self.global_adam.sum_of_squares(&self.global_gradient);
        if !square.is_finite() {
            return unbounded("the parameters".to_owned());
        }
        for network in &mut self.networks {
            let own = network.adam.sum_of_squares(&network.gradient);
            if !own.is_finite() {
                return unbounded(format!("network `{}`", network.name));
            }
            square += own;
        }
        if let Some(latents) = &mut self.latents {
            let own = latents.adam.sum_of_squares(&latents.gradient);
            if !own.is_finite() {
                return unbounded(latents.listed());
            }
            square += own;
        }
        Ok(square.sqrt())
    }

    /// Copies all that is learned to one vector.
    pub(super) fn keep(&self, to: &mut Vec<E>) {
        to.clear();
        self.networks.iter().for_each(|network| to.extend_from_slice(&network.parameters));
        to.extend_from_slice(&self.globals);
        to.extend(self.latents.iter().flat_map(|latents| &latents.parameters));
    }

    /// Puts back what was kept.
    pub(super) fn put_back(&mut self, from: &[E]) {
        let mut rest = from;
        let latents = self.latents.iter_mut().map(|latents| &mut latents.parameters);
        let all = self.networks.iter_mut().map(|network| &mut network.parameters).chain([&mut self.globals]).chain(latents);
        for own in all {
            let (first, after) = rest.split_at(own.len());
            own.copy_from_slice(first);
            rest = after;
        }
        self.settle();
    }

    /// Makes what is computed from the parameters that of the present ones.
    pub(super) fn settle(&mut self) {
        self.latents.iter_mut().for_each(GlobalGuide::settle);
        self.draw(None);
    }
}
