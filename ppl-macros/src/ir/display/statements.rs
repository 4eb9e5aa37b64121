//! Statements: loops that the compiler put around whole axes are left out again.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::{at, distributions, expressions, indices};
use crate::ir::{Bounds, ExprKind, Model, SiteId, Stmt, StmtKind, lower};

/// Prints statements in order.
pub(super) struct Printer<'m> {
    model: &'m Model,
    /// How many statements of each site are printed: the next one is its piece of that number.
    printed: Vec<usize>,
}

impl<'m> Printer<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        Printer { model, printed: vec![0; model.sites.len()] }
    }

    pub(super) fn statements(&mut self, body: &[Stmt]) -> TokenStream {
        body.iter().map(|stmt| self.statement(stmt)).collect()
    }

    fn statement(&mut self, stmt: &Stmt) -> TokenStream {
        let model = self.model;
        match &stmt.kind {
            StmtKind::Sample { site, index, distribution, factor: _ } => {
                let span = self.span(*site);
                let left = indices::left(model, *site, index, distributions::event_rank(distribution), span);
                let right = distributions::distribution(model, distribution);
                let tilde = quote_spanned!(span=> ~);
                let end = quote_spanned!(distribution.span=> ;);
                let sampled = model.sites[*site].values.is_some().then(|| quote_spanned!(distribution.span=> sampled));
                quote!(#left #tilde #right #sampled #end)
            }
            StmtKind::Quantity { site, index, value } => {
                let span = self.span(*site);
                let left = indices::left(model, *site, index, 0, span);
                let value = expressions::expression(model, value);
                quote_spanned!(span=> let #left = #value;)
            }
            StmtKind::Operation { site, index, operation, operands } => {
                let span = self.span(*site);
                let left = indices::left(model, *site, index, operation.axes.len(), span);
                let word = Ident::new(operation.name, span);
                let operands = operands.iter().map(|operand| distributions::vector(model, operand, span));
                quote_spanned!(span=> let #left = #word(#(#operands),*);)
            }
            StmtKind::Local { local, value } => {
                let name = &model.locals[*local].name;
                let value = expressions::expression(model, value);
                quote_spanned!(name.span()=> let #name = #value;)
            }
            StmtKind::Param { site, index, bounds, start } => {
                let span = self.span(*site);
                let left = indices::left(model, *site, index, 0, span);
                let word = Ident::new(lower::support_word(model.sites[*site].support), span);
                let bounds = bounds.as_deref().map(|Bounds { lower, upper }| {
                    let ends = lower.iter().chain(upper).map(|end| expressions::expression(model, end));
                    quote_spanned!(span=> (#(#ends),*))
                });
                let start = match &start.kind {
                    // Of a matrix, what is written is its diagonal, or the name of all of it.
                    ExprKind::If(_, diagonal, _) if model.sites[*site].event_rank == 2 => {
                        expressions::expression(model, diagonal)
                    }
                    ExprKind::Data(arg, _) if model.sites[*site].event_rank == 2 => {
                        at(&model.args[*arg].name, start.span).into_token_stream()
                    }
                    _ => expressions::expression(model, start),
                };
                quote_spanned!(span=> param #left: #word #bounds = #start;)
            }
            StmtKind::Factor { value, factor: _ } => {
                let inner = expressions::expression(model, value);
                quote_spanned!(value.span=> factor(#inner);)
            }
            StmtKind::Expected { over: _, body } => self.statements(body),
            StmtKind::Discrete(block) => {
                let site = model.discretes[block.latent].site;
                let span = self.span(site);
                let left = indices::left(model, site, &block.index, 0, span);
                let prior = distributions::distribution(model, &block.prior);
                let (tilde, end) = (quote_spanned!(span=> ~), quote_spanned!(block.prior.span=> ;));
                quote!(#left #tilde #prior #end)
            }
            StmtKind::Sum(block) => {
                let name = &model.vars[block.var].name;
                let range = indices::range(model, block.var, name.span());
                let prior = distributions::distribution(model, &block.prior);
                let body = self.statements(&block.body);
                let Some(chain) = &block.chain else {
                    return quote_spanned!(name.span()=> sum #name in #range ~ #prior { #body });
                };
                let step = distributions::distribution(model, &chain.step);
                let time = &model.vars[chain.time].name;
                let times = indices::range(model, chain.time, name.span());
                let first = indices::affine(model, &model.vars[chain.time].from, name.span());
                quote_spanned! {name.span()=>
                    sum #name[#time] in #range for #time in #times { #name[#first] ~ #prior; #name[#time] ~ #step; #body }
                }
            }
            StmtKind::Ode(block) => {
                let span = model.vars[block.time].name.span();
                let (time, at) = (&model.vars[block.time].name, &model.vars[block.at].name);
                let (from, to) = (expressions::expression(model, &block.from), expressions::expression(model, &block.to));
                let times = indices::range(model, block.at, span);
                let steps = block.steps.map(|steps| {
                    let count = proc_macro2::Literal::u32_unsuffixed(steps);
                    quote_spanned!(span=> , steps = #count)
                });
                let body = self.statements(&block.body);
                quote_spanned!(span=> ode #time in #from..#to for #at in #times #steps { #body })
            }
            StmtKind::Start { component, index, value } => {
                let site = model.components[*component].site;
                let span = self.span(site);
                let left = indices::element(model, &model.sites[site].name, index, span);
                let value = expressions::expression(model, value);
                quote_spanned!(span=> start(#left) = #value;)
            }
            StmtKind::Derivative { component, index, value } => {
                let site = model.components[*component].site;
                let left = indices::element(model, &model.sites[site].name, index, value.span);
                let value_tokens = expressions::expression(model, value);
                quote_spanned!(value.span=> d(#left) = #value_tokens;)
            }
            StmtKind::For { var, body } if model.vars[*var].implicit => self.statements(body),
            StmtKind::For { var, body } => {
                let name = &model.vars[*var].name;
                let range = indices::range(model, *var, name.span());
                let body = self.statements(body);
                quote_spanned!(name.span()=> for #name in #range { #body })
            }
        }
    }

    /// Where the name of the next statement of a site was typed.
    fn span(&mut self, site: SiteId) -> Span {
        let piece = self.printed[site];
        self.printed[site] += 1;
        let site = &self.model.sites[site];
        site.pieces.get(piece).map_or_else(|| site.name.span(), |piece| piece.span)
    }
}
