//! Models and guides of independent rows with networks: cut down to one row, which is an ordinary model, and what feeds it.
//!
//! `for n in N { z[n, Z] ~ Normal(0, 1); x[n, D] ~ Bernoulli(logit = decoder(z[n])); }` becomes the model of a row,
//! `param decoder_of_z[D]: real = 0; z[Z] ~ Normal(0, 1); x[D] ~ Bernoulli(logit = decoder_of_z);`, in which lanes are rows, and the call
//! that fills `decoder_of_z`.

mod automatic;
mod calls;
mod discrete;
mod expand;
mod globals;
mod guide;
mod lift;

pub(crate) use automatic::{Table, automatic};
pub(crate) use discrete::Discrete;
pub(crate) use expand::{expand, no_guide};
pub(crate) use globals::Globals;
pub(crate) use guide::{guide_of, is_single, row_guide};
pub(crate) use lift::{Of, lift};

use proc_macro2::Ident;

use crate::diagnostics::Diagnostics;
use crate::syntax::{Argument, ArgumentType, Model, NetworkSize};
use crate::{check, ir};

/// What a model or a guide of rows is cut into.
#[derive(Debug)]
pub(crate) struct Rows {
    /// The model of one row.
    pub row: Model,
    /// The plate.
    pub plate: Ident,
    /// The dimensions of a row, each a size of the row's model.
    pub dims: Vec<Ident>,
    /// The arguments as written.
    pub arguments: Vec<Argument>,
    /// The calls of networks, in order.
    pub calls: Vec<Call>,
    /// The latents of a row with their axes.
    pub latents: Vec<(Ident, Vec<Ident>)>,
    /// Those of them that are discrete.
    pub discretes: Vec<Discrete>,
    /// The networks whose weights are latent: which, and the standard deviation of their prior.
    pub priors: Vec<(usize, f64)>,
    /// What stands outside the loop over the rows.
    pub globals: Globals,
    /// Of a guide, the latents that it leaves to the automatic one.
    pub auto: Vec<Ident>,
    /// The tables of those of them that are over the rows.
    pub tables: Vec<Table>,
}

/// A call of a network.
#[derive(Debug)]
pub(crate) struct Call {
    /// Which of the networks among the arguments.
    pub network: usize,
    pub operands: Vec<Operand>,
    pub results: Vec<Ident>,
}

/// What a network is applied to.
#[derive(Debug)]
pub(crate) struct Operand {
    pub name: Ident,
    /// Whether an index is given as so many numbers as it has values, of which one is one.
    pub one_hot: bool,
}

impl Rows {
    /// The model of the row; what is left has its head alone.
    pub(crate) fn take_row(&mut self) -> Model {
        let Model { krate, vis, name, shared, row_guide, .. } = &self.row;
        let head = Model {
            attrs: Vec::new(),
            krate: krate.clone(),
            row: true,
            row_guide: *row_guide,
            shared: shared.clone(),
            vis: vis.clone(),
            name: name.clone(),
            arguments: Vec::new(),
            body: Vec::new(),
        };
        let row = std::mem::replace(&mut self.row, head);
        Model { attrs: vec![syn::parse_quote!(#[doc(hidden)])], ..row }
    }

    /// What stands outside the loop over the rows, if it has a term of the density, else the row.
    #[cfg(test)]
    pub(crate) fn a_model(mut self) -> Model {
        self.globals.model.take().unwrap_or_else(|| {
            globals::declare(&mut self, None);
            Model { attrs: Vec::new(), ..self.take_row() }
        })
    }

    /// The row of the guide of a model that has no latents in its rows.
    pub(crate) fn nothing(&self) -> Model {
        Model {
            attrs: vec![syn::parse_quote!(#[doc(hidden)])],
            krate: self.row.krate.clone(),
            row: true,
            row_guide: true,
            shared: Vec::new(),
            vis: self.row.vis.clone(),
            name: quote::format_ident!("{}Nothing", self.row.name),
            arguments: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The networks among the arguments.
    pub(crate) fn networks(&self) -> impl Iterator<Item = (&Ident, &NetworkSize, &NetworkSize)> {
        networks(&self.arguments)
    }
}

/// Compiles what stands outside the loop over the rows, and the row.
pub(crate) fn lower(rows: &mut Rows, single: bool, diagnostics: &mut Diagnostics) -> (Option<ir::Model>, ir::Model) {
    let compile = |model: Model, diagnostics: &mut Diagnostics| {
        let mut model = ir::lower::lower(model, diagnostics);
        model.single = single;
        if diagnostics.is_empty() {
            check::check(&mut model, diagnostics);
        }
        model
    };
    let globals = rows.globals.model.take().map(|model| compile(model, diagnostics));
    globals::declare(rows, globals.as_ref().filter(|_| diagnostics.is_empty()));
    // What is wrong with the row because something is wrong with what it reads is not said twice.
    let mut of_row = Diagnostics::default();
    let row = compile(rows.take_row(), &mut of_row);
    if diagnostics.is_empty() {
        *diagnostics = of_row;
    }
    (globals, row)
}

/// The networks among some arguments.
fn networks(arguments: &[Argument]) -> impl Iterator<Item = (&Ident, &NetworkSize, &NetworkSize)> {
    arguments.iter().filter_map(|argument| match &argument.ty {
        ArgumentType::Network { inputs, outputs } => Some((&argument.name, inputs, outputs)),
        _ => None,
    })
}

/// Whether a model calls networks, and so is one of rows.
pub(crate) fn has_networks(model: &Model) -> bool {
    networks(&model.arguments).next().is_some()
}
