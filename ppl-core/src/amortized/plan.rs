//! The order in which a model or a guide of a row is computed, and where everything is: resolved once, from names to rows.

use std::ops::Range;

use super::discrete::Discrete;
use super::{AmortizedError, Call};
use crate::bijectors::Bijector;
use crate::model::{Graph, Layout, SiteKind, Variable};

/// What a network is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// An input of the row, by its number.
    Input(usize),
    /// Rows of the workspace that hold a latent.
    Latent(Range<usize>),
    /// Rows of the workspace that hold what a network gave.
    Result(Range<usize>),
    /// Rows of the workspace that hold a discrete latent: indices, as numbers.
    Drawn(Range<usize>),
    /// Rows that hold what networks are given of a discrete latent.
    Hot(Range<usize>),
    /// An input by its number, of indices, each as so many numbers as it has values.
    OneHot(usize, usize),
}

/// One operand of a call.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) source: Source,
    /// The first of its columns.
    pub(super) first: usize,
    pub(super) columns: usize,
}

/// One result of a call.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) rows: Range<usize>,
    /// The first of its columns.
    pub(super) first: usize,
}

/// A call with all names resolved.
#[derive(Clone, Debug)]
pub(super) struct Wired {
    /// Which of the networks of its side.
    pub(super) network: usize,
    pub(super) operands: Vec<Operand>,
    pub(super) results: Vec<Outcome>,
    /// The columns of the input of the network.
    pub(super) inputs: usize,
    /// The columns of its output.
    pub(super) outputs: usize,
    /// Whether it depends on inputs alone, so that one pass serves all samples of a row.
    pub(super) of_row: bool,
    /// Whether it depends on discrete latents and on what is the same for all rows alone, so that where these have all their values one pass serves all rows.
    pub(super) of_sample: bool,
}

impl Wired {
    /// Whether an operand has an adjoint.
    pub(super) fn passes_on(&self) -> bool {
        let fixed = |source: &Source| matches!(source, Source::Input(_) | Source::Drawn(_) | Source::OneHot(..));
        self.operands.iter().any(|operand| !fixed(&operand.source))
    }
}

/// What is computed next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A call, by its number.
    Call(usize),
    /// A latent is drawn, by its number in [`Plan::located`].
    Locate(usize),
    /// A discrete latent is drawn, by its number.
    Draw(usize),
}

/// A parameter that is the same for all rows.
#[derive(Clone, Debug)]
pub(super) struct Global {
    /// Which of [`Layout::variables`].
    pub(super) variable: usize,
    pub(super) name: &'static str,
    pub(super) unconstrained: Range<usize>,
    /// Whether its adjoints come through a bijector.
    pub(super) mapped: bool,
}

/// A latent of the guide.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) name: &'static str,
    /// Which of [`Layout::centred`] of the guide.
    pub(super) centred: usize,
    /// Its unconstrained rows in the workspace of the guide.
    pub(super) rows: Range<usize>,
    /// The rows of what the bijector makes of these.
    pub(super) constrained: Range<usize>,
    pub(super) bijector: Bijector,
    /// How many numbers, vectors or matrices it is.
    pub(super) events: usize,
    /// The rows of the parameters of its family: of a location and a scale, where it is normal on the unconstrained scale.
    pub(super) parameters: Vec<Range<usize>>,
    pub(super) is_normal: bool,
    /// Its unconstrained rows in the workspace of the model.
    pub(super) model: Range<usize>,
    /// The first of its rows of noise.
    pub(super) noise: usize,
}

impl Located {
    /// The rows of the location, of a normal one.
    pub(super) fn location(&self) -> Range<usize> {
        self.parameters.first().cloned().unwrap_or_default()
    }

    /// The rows of the scale, of a normal one.
    pub(super) fn scale(&self) -> Range<usize> {
        self.parameters.get(1).cloned().unwrap_or_default()
    }
}

/// How a model or a guide of a row is computed.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) calls: Vec<Wired>,
    pub(super) actions: Vec<Action>,
    pub(super) globals: Vec<Global>,
    /// The inputs, by their number in the data, and the rows that they fill.
    pub(super) inputs: Vec<(usize, Range<usize>)>,
    /// Of a guide, its latents in the order in which they are drawn.
    pub(super) located: Vec<Located>,
    /// The rows of latents and parameters: those that have adjoints.
    pub(super) unknown_rows: usize,
}

/// The inputs by name, with their numbers of columns and, of indices, of values, and whether they are the same for all rows.
pub(super) type InputNames = [(&'static str, usize, Option<usize>, bool)];

/// What the names of a row are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    pub(super) layout: &'a Layout,
    pub(super) inputs: &'a InputNames,
    /// The latents outside the loop over the rows, which are parameters of the row.
    pub(super) outside: &'a [&'static str],
    pub(super) calls: &'a [Call],
    /// The discrete latents.
    pub(super) discretes: &'a [Discrete],
    /// The networks with the numbers that they take and give.
    pub(super) networks: &'a [(&'static str, usize, usize)],
}

pub(super) fn wiring<T>(model: &'static str, reason: String) -> Result<T, AmortizedError> {
    Err(AmortizedError::Wiring { model, reason })
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

impl Plan {
    /// Of a model.
    pub(super) fn of_model(names: Names<'_>) -> Result<Self, AmortizedError> {
        let layout = names.layout;
        let mut plan = Self::wired(names)?;
        plan.actions = (0..plan.calls.len()).map(Action::Call).collect();
        if let Some(latent) = layout.latents().find(|latent| latent.missing.is_some()) {
            return wiring(
                layout.model,
                format!("`{}` has missing values, which a guide of rows has no part for; leave those rows out", latent.name),
            );
        }
        Ok(plan)
    }

    /// Of a guide of that model.
    pub(super) fn of_guide(names: Names<'_>, graph: &'static Graph, model: &Layout) -> Result<Self, AmortizedError> {
        let mut plan = Self::wired(names)?;
        plan.locate(names.layout, model)?;
        plan.order(names, graph)?;
        Ok(plan)
    }

    /// Finds the calls, the parameters and the inputs.
    fn wired(names: Names<'_>) -> Result<Self, AmortizedError> {
        let Names { layout, inputs, outside, .. } = names;
        let mut results: Vec<&'static str> = Vec::new();
        let mut of_row: Vec<bool> = Vec::new();
        let mut calls = Vec::with_capacity(names.calls.len());
        for call in names.calls {
            let wired = wire(names, call, &results, &of_row)?;
            of_row.extend(call.results.iter().map(|_| wired.of_row));
            results.extend(call.results);
            calls.push(wired);
        }
        let is_input = |variable: &Variable| inputs.iter().any(|(name, ..)| *name == variable.name);
        let is_drawn = |variable: &Variable| names.discretes.iter().any(|discrete| discrete.name == variable.name);
        let globals = layout
            .variables
            .iter()
            .enumerate()
            .filter(|(_, v)| {
                v.kind == SiteKind::Parameter && !results.contains(&v.name) && !is_input(v) && !outside.contains(&v.name)
            })
            .map(|(index, v)| Global {
                variable: index,
                name: v.name,
                unconstrained: v.unconstrained.clone(),
                mapped: v.bijector != Bijector::Identity,
            })
            .collect();
        let mut filled = Vec::new();
        for (index, &(name, columns, ..)) in inputs.iter().enumerate() {
            let parameter = || layout.parameters().find(|v| v.name == name);
            let Some(variable) = layout.inputs.iter().find(|v| v.name == name).or_else(parameter) else { continue };
            if variable.rows.len() != columns {
                let reason = format!(
                    "input `{name}` has {columns} numbers a row, but {} are expected; give it that many",
                    variable.rows.len()
                );
                return wiring(layout.model, reason);
            }
            filled.push((index, variable.rows.clone()));
        }
        if let Some(variable) = layout.inputs.iter().find(|v| !is_input(v) && !is_drawn(v)) {
            let known = listed(inputs.iter().map(|(name, ..)| *name));
            return wiring(layout.model, format!("there is no input `{}`; there is {known}", variable.name));
        }
        let unknown_rows = layout.unknowns().flat_map(|v| [v.rows.end, v.unconstrained.end]).max().unwrap_or(0);
        Ok(Plan { calls, actions: Vec::new(), globals, inputs: filled, located: Vec::new(), unknown_rows })
    }

    /// Finds the latents of a guide in the model.
    fn locate(&mut self, layout: &Layout, model: &Layout) -> Result<(), AmortizedError> {
        let mut noise = 0;
        for (index, centred) in layout.centred.iter().enumerate() {
            let own = &layout.variables[centred.variable];
            let Some(latent) = model.latents().find(|v| v.name == own.name) else {
                let known = listed(model.latents().map(|v| v.name));
                let reason = format!("`{}` is no latent of `{}`, whose latents are {known}", own.name, model.model);
                return wiring(layout.model, reason);
            };
            let size = own.unconstrained.len();
            let elsewhere =
                own.bijector != Bijector::Identity && own.bijector.differs(&latent.bijector, own.rows.len()).is_some();
            if size != latent.unconstrained.len() || elsewhere || own.missing.is_some() {
                let reason = format!(
                    "`{}` has {size} unconstrained numbers in the guide and {} in `{}`, or other values; draw it from a distribution of the same values",
                    own.name,
                    latent.unconstrained.len(),
                    model.model
                );
                return wiring(layout.model, reason);
            }
            self.located.push(Located {
                name: own.name,
                centred: index,
                rows: own.unconstrained.clone(),
                constrained: own.rows.clone(),
                bijector: own.bijector.clone(),
                events: centred.events,
                parameters: centred.parameters.clone(),
                is_normal: ["Normal", "LogNormal", "LogitNormal"].contains(&centred.family),
                model: latent.unconstrained.clone(),
                noise,
            });
            noise += size;
        }
        for latent in layout.latents() {
            if !self.located.iter().any(|located| located.name == latent.name) {
                let reason = format!(
                    "`{}` has no parameters that are known before it is drawn; give it a family of the catalogue",
                    latent.name
                );
                return wiring(layout.model, reason);
            }
        }
        match model.latents().find(|latent| !self.located.iter().any(|located| located.name == latent.name)) {
            Some(latent) => wiring(
                layout.model,
                format!("`{}` of `{}` has no distribution in the guide; give it one", latent.name, model.model),
            ),
            None => Ok(()),
        }
    }

    /// Calls as soon as what they read is known, latents in their order.
    fn order(&mut self, names: Names<'_>, graph: &'static Graph) -> Result<(), AmortizedError> {
        let Names { layout, calls, discretes, .. } = names;
        let place =
            |name: &str| graph.factors.iter().position(|factor| factor.site.is_some_and(|site| graph.sites[site].name == name));
        let latents = self.located.iter().enumerate().map(|(index, located)| (located.name, Action::Locate(index)));
        let mut draws: Vec<(&str, Action)> =
            latents.chain(discretes.iter().enumerate().map(|(index, discrete)| (discrete.name, Action::Draw(index)))).collect();
        draws.sort_by_key(|(name, _)| place(name));
        let mut left: Vec<usize> = (0..self.calls.len()).collect();
        let mut drawn: Vec<&str> = Vec::new();
        let mut given: Vec<&str> = Vec::new();
        for next in 0..=draws.len() {
            left.retain(|&index| {
                let known =
                    calls[index].operands.iter().zip(&self.calls[index].operands).all(|(own, operand)| match operand.source {
                        Source::Input(_) | Source::OneHot(..) => true,
                        Source::Latent(_) | Source::Drawn(_) | Source::Hot(_) => drawn.contains(&own.name),
                        Source::Result(_) => given.contains(&own.name),
                    });
                if known {
                    self.actions.push(Action::Call(index));
                    given.extend(calls[index].results);
                }
                !known
            });
            if let Some(&(name, action)) = draws.get(next) {
                self.actions.push(action);
                drawn.push(name);
            }
        }
        match left.first() {
            Some(&index) => {
                let reason = format!("call {index} of a network reads what is not known before it; reorder the calls");
                wiring(layout.model, reason)
            }
            None => Ok(()),
        }
    }
}

/// Resolves the names of a call; `results` are those of the calls before it, and whether they depend on inputs alone.
fn wire(names: Names<'_>, call: &Call, results: &[&'static str], of_row: &[bool]) -> Result<Wired, AmortizedError> {
    let Names { layout, inputs, outside, networks, .. } = names;
    let Some(&(name, takes, gives)) = networks.get(call.network) else {
        let reason = format!("a call is of network {}, but there are {}", call.network, networks.len());
        return wiring(layout.model, reason);
    };
    let mut wired = Wired {
        network: call.network,
        operands: Vec::new(),
        results: Vec::new(),
        inputs: 0,
        outputs: 0,
        of_row: true,
        of_sample: true,
    };
    for own in call.operands {
        let operand = own.name;
        let (source, columns) = if let Some(index) = inputs.iter().position(|(input, ..)| *input == operand) {
            let (_, columns, categories, _) = inputs[index];
            match categories.filter(|_| own.one_hot) {
                Some(categories) => (Source::OneHot(index, categories), columns * categories),
                None => (Source::Input(index), columns),
            }
        } else if let Some(discrete) = names.discretes.iter().find(|discrete| discrete.name == operand) {
            wired.of_row = false;
            // What is no index is given as it is.
            match layout.inputs.iter().find(|v| v.name == operand && discrete.categories.is_some() && !own.one_hot) {
                Some(number) => (Source::Drawn(number.rows.clone()), number.rows.len()),
                None => (Source::Hot(discrete.hot.clone()), discrete.hot.len()),
            }
        } else if let Some(before) = results.iter().rposition(|result| *result == operand) {
            wired.of_row &= of_row[before];
            let Some(variable) = layout.parameters().find(|v| v.name == operand) else {
                return wiring(layout.model, format!("`{operand}`, which `{name}` reads, is no parameter of the row"));
            };
            (Source::Result(variable.rows.clone()), variable.rows.len())
        } else if let Some(global) = layout.parameters().find(|v| v.name == operand && outside.contains(&v.name)) {
            // One for all samples of a row.
            (Source::Result(global.rows.clone()), global.rows.len())
        } else if let Some(latent) = layout.latents().find(|latent| latent.name == operand) {
            wired.of_row = false;
            (Source::Latent(latent.rows.clone()), latent.rows.len())
        } else {
            let reason = format!("`{name}` reads `{operand}`, which is no input, no latent, and no result of an earlier call");
            return wiring(layout.model, reason);
        };
        let shared = inputs.iter().any(|(input, _, _, shared)| *input == operand && *shared);
        wired.of_sample &= shared || matches!(source, Source::Drawn(_) | Source::Hot(_));
        wired.operands.push(Operand { source, first: wired.inputs, columns });
        wired.inputs += columns;
    }
    for &result in call.results {
        let real = |v: &&Variable| v.name == result && v.bijector == Bijector::Identity;
        let Some(variable) = layout.parameters().find(real) else {
            return wiring(layout.model, format!("`{name}` gives `{result}`, which is no real parameter of the row"));
        };
        if results.contains(&result) {
            return wiring(layout.model, format!("`{result}` is given by two calls; give the results names of their own"));
        }
        wired.results.push(Outcome { rows: variable.rows.clone(), first: wired.outputs });
        wired.outputs += variable.rows.len();
    }
    for (what, got, expected) in [("takes", takes, wired.inputs), ("gives", gives, wired.outputs)] {
        if got != expected {
            let reason = format!("network `{name}` {what} {got} numbers, but the row has {expected}; make the two sizes equal");
            return wiring(layout.model, reason);
        }
    }
    Ok(wired)
}
