//! Guides of ordinary models: the data are the model's, and what is left to the automatic guide is there from the start.

use proc_macro2::Ident;

use super::{Entity, Lowering};
use crate::catalogue::Support;
use crate::diagnostics::Diagnostics;
use crate::ir::{Affine, Bounds, Expr, ExprKind, GuideOf, Model, Piece, Site, SiteKind, Term};
use crate::syntax::{self, ArgumentType, ElementKind};

/// Lowers a guide over the data of a model, whose arguments are `data`; `auto` are the latents that it leaves to the automatic guide.
pub(crate) fn lower_guide(
    guide: syntax::Model,
    (target, model, data): (syn::Path, &Model, Vec<syntax::Argument>),
    auto: &[Ident],
    diagnostics: &mut Diagnostics,
) -> Model {
    let mut lowering = Lowering::new(&guide, diagnostics);
    lowering.check_name(&guide.name);
    lowering.arguments(data.into_iter().map(whole).collect());
    let arguments = lowering.model.args.len();
    lowering.model.guide = Some(GuideOf { target, arguments, auto: auto.to_vec() });
    lowering.arguments(guide.arguments);
    lowering.drawn = model.sites.iter().filter(|site| site.values.is_some()).map(|site| site.name.clone()).collect();
    for name in auto {
        lowering.auto(name, model);
    }
    lowering.model.body = lowering.statements(&guide.body);
    lowering.model
}

/// An array with missing values as one without: its sizes are known from it, its values are not read.
fn whole(mut argument: syntax::Argument) -> syntax::Argument {
    if let ArgumentType::Array { element, .. } = &mut argument.ty
        && let ElementKind::Option(inner) = &element.kind
    {
        *element = (**inner).clone();
    }
    argument
}

impl Lowering<'_> {
    /// A latent as the model has it, which no statement of the guide is about.
    fn auto(&mut self, name: &Ident, model: &Model) {
        let Some(of_model) = model.sites.iter().find(|site| site.kind == SiteKind::Latent && site.name == *name) else { return };
        // What is given in part is an array of data, and not read.
        if matches!(self.lookup(name), Some(Entity::Arg(_))) || !self.free(name) {
            return;
        }
        let dims: Vec<usize> = of_model.dims.iter().map(|&dim| self.dim(&model.dims[dim].name)).collect();
        // Of a distribution of the user's, and of bounds that are not numbers, nothing is known here.
        let is_number = |bound: &Option<Expr>| bound.as_ref().is_none_or(|bound| matches!(bound.kind, ExprKind::Number(_)));
        let are_numbers = |bounds: &&Bounds| is_number(&bounds.lower) && is_number(&bounds.upper);
        let (support, bounds) = match of_model.own_support {
            Some(_) => (Support::Interval, None),
            None => (of_model.support, of_model.bounds.as_ref().filter(are_numbers).cloned()),
        };
        let axes = dims.iter().map(|&dim| (Affine::constant(0), Affine::term(Term::Size(dim)))).collect();
        self.model.sites.push(Site {
            name: name.clone(),
            kind: SiteKind::Latent,
            dims,
            support,
            bounds,
            event_rank: of_model.event_rank,
            own_support: None,
            values: None,
            pieces: vec![Piece { axes, span: name.span() }],
        });
        self.names.push((name.clone(), Entity::Site(self.model.sites.len() - 1)));
    }
}
