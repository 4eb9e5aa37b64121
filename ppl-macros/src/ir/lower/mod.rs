//! From the surface tree to the model as mathematics: names are resolved, wrong ones are reported, and lowering goes on.

mod axes;
mod calls;
mod conditions;
mod discrete;
mod distributions;
mod expressions;
mod guide;
mod indices;
mod ode;
mod operations;
mod parameters;
mod pieces;
mod reads;
mod sampled;
mod shares;
mod statements;
mod sums;
mod vectors;
mod wrappers;

pub(crate) use discrete::is_discrete;
pub(crate) use guide::lower_guide;
pub(crate) use parameters::support_word;
pub(crate) use sums::{log_prior, prior_prob};
pub(crate) use vectors::{element, entry};

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span};

use super::{
    Affine, Arg, ArgId, ArgKind, ComponentId, Dim, DimId, DiscreteId, Index, LocalId, Model, Site, SiteId, SiteKind, SumId, VarId,
};
use crate::catalogue::Support;
use crate::diagnostics::Diagnostics;
use crate::syntax;

/// Lowers a model; what could not be lowered is reported and left out.
pub(crate) fn lower(model: syntax::Model, diagnostics: &mut Diagnostics) -> Model {
    let mut lowering = Lowering::new(&model, diagnostics);
    lowering.check_name(&model.name);
    lowering.arguments(model.arguments);
    lowering.model.body = lowering.statements(&model.body);
    lowering.model
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entity {
    Arg(ArgId),
    Dim(DimId),
    Site(SiteId),
    Var(VarId),
    Local(LocalId),
    Discrete(DiscreteId),
    /// The time of a differential equation, within it.
    Time(VarId),
    /// A component of its solution, within it.
    Component(ComponentId),
    /// The value of a chain, of which one step is read where it stands.
    State {
        time: VarId,
        value: VarId,
        /// How many steps before that of the loop.
        back: i64,
    },
}

struct Lowering<'a> {
    model: Model,
    diagnostics: &'a mut Diagnostics,
    /// Names in scope, innermost last.
    names: Vec<(Ident, Entity)>,
    /// Names that some statement declares, for errors about the order of statements.
    declared: BTreeMap<String, Span>,
    /// The loops that are open, outermost first; implicit ones included.
    loops: Vec<VarId>,
    /// The implicit loops over whole axes: arrays that leave out such an axis are read along it.
    ambient: Vec<VarId>,
    /// How the quantities that are being defined are indexed.
    definitions: BTreeMap<SiteId, Vec<Index>>,
    /// The values of discrete latents that the statement reads.
    over: Vec<VarId>,
    /// The differential equation that is open.
    open: Option<ode::Open>,
    /// The sums that are open, outermost first, and what each runs over.
    summed: Vec<(SumId, VarId)>,
    /// The elements that drawn indices pick, of what is being read.
    picks: Vec<reads::Choice>,
    /// Of a guide, the latents of its model that are discrete and drawn.
    drawn: Vec<Ident>,
    /// Names whose statements have errors of their own: to read one is no further error.
    failed: BTreeSet<String>,
}

impl<'a> Lowering<'a> {
    fn new(model: &syntax::Model, diagnostics: &'a mut Diagnostics) -> Self {
        let mut declared = BTreeMap::new();
        declare(&model.body, &mut declared);
        Lowering {
            model: Model {
                attrs: model.attrs.clone(),
                krate: model.krate.clone(),
                vis: model.vis.clone(),
                name: model.name.clone(),
                row: model.row,
                row_guide: model.row_guide,
                guide: None,
                shared: model.shared.clone(),
                single: false,
                dims: Vec::new(),
                args: Vec::new(),
                sites: Vec::new(),
                vars: Vec::new(),
                locals: Vec::new(),
                factors: Vec::new(),
                sums: Vec::new(),
                discretes: Vec::new(),
                components: Vec::new(),
                quantity_supports: BTreeMap::new(),
                body: Vec::new(),
            },
            diagnostics,
            names: Vec::new(),
            declared,
            loops: Vec::new(),
            ambient: Vec::new(),
            definitions: BTreeMap::new(),
            over: Vec::new(),
            open: None,
            summed: Vec::new(),
            picks: Vec::new(),
            drawn: Vec::new(),
            failed: BTreeSet::new(),
        }
    }

    fn check_name(&mut self, name: &Ident) {
        let word = name.to_string();
        if crate::catalogue::entries(&word).next().is_some() {
            self.error(name.span(), format!("`{word}` is a word of the language; give the model another name"));
        }
    }

    fn error(&mut self, span: Span, message: impl std::fmt::Display) {
        self.diagnostics.push(span, message);
    }

    fn arguments(&mut self, arguments: Vec<syntax::Argument>) {
        for argument in &arguments {
            if let syntax::ArgumentType::Size = argument.ty {
                self.dim(&argument.name);
            }
        }
        for argument in arguments {
            let mut missing = false;
            let (kind, dims) = match argument.ty {
                syntax::ArgumentType::Size => (ArgKind::Size(self.dim(&argument.name)), Vec::new()),
                // Models of networks are lowered as those of their rows, which have none.
                syntax::ArgumentType::Network { .. } => continue,
                syntax::ArgumentType::Array { element, dims } => {
                    missing = matches!(element.kind, syntax::ElementKind::Option(_));
                    let Some(kind) = self.argument_kind(&element) else { continue };
                    (kind, dims.iter().map(|dim| self.dim(dim)).collect())
                }
            };
            if !matches!(kind, ArgKind::Size(_)) && !self.free(&argument.name) {
                continue;
            }
            self.model.single |= kind == ArgKind::F32;
            // An array with missing values is a latent, some of whose elements are given.
            let site = missing.then(|| self.site_of(argument.name.clone(), SiteKind::Latent, dims.clone()));
            if !matches!(kind, ArgKind::Size(_)) {
                let entity = site.map_or(Entity::Arg(self.model.args.len()), Entity::Site);
                self.names.push((argument.name.clone(), entity));
            }
            let (attrs, name) = (argument.attrs, argument.name);
            self.model.args.push(Arg { attrs, name, kind, dims, site, covered: missing, missing });
        }
        // The precision of a guide is that of its model.
        if self.model.single && self.model.guide.is_none() {
            for arg in &self.model.args {
                if arg.kind == ArgKind::F64 {
                    self.diagnostics.push(
                        arg.name.span(),
                        format!("`{}` is `f64` in a model of `f32`; give all real arrays one precision", arg.name),
                    );
                }
            }
        }
    }

    fn argument_kind(&mut self, element: &syntax::Element) -> Option<ArgKind> {
        match &element.kind {
            syntax::ElementKind::F64 => Some(ArgKind::F64),
            syntax::ElementKind::F32 => Some(ArgKind::F32),
            syntax::ElementKind::U64 => Some(ArgKind::U64),
            syntax::ElementKind::I64 => Some(ArgKind::I64),
            syntax::ElementKind::Bool => Some(ArgKind::Bool),
            syntax::ElementKind::Index(dim) => Some(ArgKind::Index(self.dim(dim))),
            syntax::ElementKind::Option(inner) => {
                let kind = self.argument_kind(inner)?;
                if !matches!(kind, ArgKind::F64 | ArgKind::F32) {
                    self.error(
                        inner.span,
                        "a missing whole number would be a discrete latent, which has no gradient; leave these rows out, or sum over what they may be: `sum k in 0..10 ~ .. { .. }`",
                    );
                    return None;
                }
                Some(kind)
            }
        }
    }

    /// Adds a site.
    fn site_of(&mut self, name: Ident, kind: SiteKind, dims: Vec<DimId>) -> SiteId {
        self.model.sites.push(Site {
            name,
            kind,
            dims,
            support: Support::Real,
            bounds: None,
            event_rank: 0,
            own_support: None,
            values: None,
            pieces: Vec::new(),
        });
        self.model.sites.len() - 1
    }

    /// The array with missing values that a site is.
    fn partly_given(&self, site: SiteId) -> Option<ArgId> {
        self.model.args.iter().position(|arg| arg.missing && arg.site == Some(site))
    }

    /// The dimension of a name, made known if it is new.
    fn dim(&mut self, name: &Ident) -> DimId {
        if let Some(dim) = self.model.dims.iter().position(|dim| dim.name == *name) {
            return dim;
        }
        let dim = self.model.dims.len();
        if self.free(name) {
            self.names.push((name.clone(), Entity::Dim(dim)));
        }
        self.model.dims.push(Dim { name: name.clone(), values: None });
        dim
    }

    fn lookup(&self, name: &Ident) -> Option<Entity> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, entity)| *entity)
    }

    /// Whether a name may be declared; if not, says so.
    fn free(&mut self, name: &Ident) -> bool {
        let word = name.to_string();
        if crate::catalogue::entries(&word).next().is_some() || calls::is_word(&word) {
            self.error(name.span(), format!("`{word}` is a word of the language; choose another name"));
            return false;
        }
        if self.lookup(name).is_some() {
            self.error(name.span(), format!("`{word}` is declared twice; names in a model are unique, choose another one"));
            return false;
        }
        true
    }

    /// The error of a name that means nothing here.
    fn unknown(&mut self, name: &Ident) {
        let word = name.to_string();
        if self.failed.contains(&word) {
            return;
        }
        if self.declared.contains_key(&word) {
            self.error(name.span(), format!("`{word}` is used before it is declared; move its statement up"));
            return;
        }
        let known: Vec<String> = self.names.iter().map(|(known, _)| known.to_string()).collect();
        let hint = match nearest(&word, known.iter().map(String::as_str)) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => "; declare it as an argument, or give it a prior with `~`".to_owned(),
        };
        self.error(name.span(), format!("`{word}` is not known here{hint}"));
    }

    /// A fresh index variable.
    fn fresh_var(&mut self, name: Ident, from: Affine, to: Affine, dim: Option<DimId>) -> VarId {
        self.model.vars.push(super::Var { name, from, to, dim, implicit: false, value_of: None, range: false });
        self.model.vars.len() - 1
    }
}

/// The names that statements declare.
fn declare(body: &[syntax::Stmt], declared: &mut BTreeMap<String, Span>) {
    for stmt in body {
        match stmt {
            syntax::Stmt::Sample { lhs, .. } | syntax::Stmt::Let { lhs, .. } | syntax::Stmt::Param { lhs, .. } => {
                declared.entry(lhs.name.to_string()).or_insert(lhs.name.span());
            }
            syntax::Stmt::Start { lhs, .. } => {
                declared.entry(lhs.name.to_string()).or_insert(lhs.name.span());
            }
            syntax::Stmt::For { body, .. } | syntax::Stmt::Sum { body, .. } | syntax::Stmt::Ode { body, .. } => {
                declare(body, declared);
            }
            syntax::Stmt::Chain { body, var, .. } => {
                declare(body, declared);
                // What is summed out is known within its block alone.
                declared.remove(&var.to_string());
            }
            syntax::Stmt::Factor { .. }
            | syntax::Stmt::Derivative { .. }
            | syntax::Stmt::Split { .. }
            | syntax::Stmt::Auto { .. } => {}
        }
    }
}

/// The known word that differs least from an unknown one, if it is close.
pub(crate) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    known
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= word.len().max(candidate.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance of two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
