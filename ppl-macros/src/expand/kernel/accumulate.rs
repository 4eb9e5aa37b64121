//! The form that accumulates: factors are weighted and summed, and their derivatives go where the values came from.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{Collect, Delta, Writer, weights_ident};
use crate::expand::tape::{Item, NodeId, Op, Operand, ScopeId, ScopeKind};

impl Writer<'_, '_> {
    /// One scope, forward and reverse.
    pub(super) fn accumulate_scope(&mut self, scope: ScopeId) -> TokenStream {
        let tape = self.tape;
        let mut out = self.defines(scope);
        out.extend(self.declare_adjoints(scope));
        for item in tape.scopes[scope].items.iter().rev() {
            out.extend(match item {
                Item::Node(node) => self.reverse(*node),
                Item::Loop(inner) => {
                    let statements = self.accumulate_scope(*inner);
                    self.loop_over(*inner, &statements)
                }
                Item::Store { site, row, value } => {
                    if site.is_none_or(|site| self.stored.contains(&site)) {
                        let delta = Delta::Value(quote!(frame.adjoint(#row)));
                        self.deliver(*value, delta, scope)
                    } else {
                        TokenStream::new()
                    }
                }
                Item::Factor { factor, row, terms, mask } => self.factor(*factor, row, terms, *mask, scope),
                Item::VectorFactor { factor, row, entry, value, parameter, mask } => {
                    self.vector_factor(*factor, row, entry, [value, parameter], *mask, scope)
                }
            });
        }
        out
    }

    pub(super) fn declare_adjoints(&self, scope: ScopeId) -> TokenStream {
        let mut out = TokenStream::new();
        for item in &self.tape.scopes[scope].items {
            let Item::Node(node) = item else { continue };
            let name = self.adjoint_ident(*node);
            match self.collect[*node] {
                Collect::OverRows => out.extend(quote!(let mut #name = _ppl::zero_sum::<V>();)),
                Collect::Several => out.extend(quote!(let mut #name = V::zero();)),
                Collect::Nothing | Collect::Direct => {}
            }
        }
        out
    }

    pub(super) fn factor(
        &mut self,
        factor: usize,
        row: &TokenStream,
        terms: &[(bool, NodeId)],
        mask: Option<NodeId>,
        scope: ScopeId,
    ) -> TokenStream {
        let weight = format_ident!("weight_{}", factor, span = Span::mixed_site());
        let weights = weights_ident(factor);
        let of_row = quote!(#weights.of(#row));
        let masked = self.masked(mask, &of_row, of_row.clone());
        let mut out = quote!(let #weight = #masked;);
        let now: Vec<(bool, NodeId)> = terms.iter().copied().filter(|&(_, node)| self.deferred(node).is_none()).collect();
        if !now.is_empty() {
            let (log_prob, value) = (self.sum_ident(factor), self.signed_sum(&now));
            out.extend(quote!(#log_prob.add_product(#weight, #value);));
        }
        for &(sign, node) in terms {
            if self.deferred(node).is_some() {
                let name = self.adjoint_ident(node);
                out.extend(quote!(#name += #weight;));
                continue;
            }
            let delta = if sign { Delta::Name(quote!(#weight)) } else { Delta::Value(quote!(-#weight)) };
            out.extend(self.deliver(node, delta, scope));
        }
        out
    }

    pub(super) fn vector_factor(
        &mut self,
        factor: usize,
        row: &TokenStream,
        entry: &crate::catalogue::Entry,
        [value, parameter]: [&Operand; 2],
        mask: Option<NodeId>,
        scope: ScopeId,
    ) -> TokenStream {
        let family = Ident::new(entry.rust, Span::mixed_site());
        let first = |operand: &Operand| match operand {
            Operand::Rows(first, _) => quote!(Some(#first)),
            Operand::Data(..) | Operand::Repeated(..) => quote!(None),
        };
        let (value_row, parameter_row) = (first(value), first(parameter));
        let weights = weights_ident(factor);
        let (value_operand, parameter_operand) = (self.vector_operand(value), self.vector_operand(parameter));
        let log_prob = self.sum_ident(factor);
        let of_row = quote!(#weights.of(#row));
        let of_row = self.masked(mask, &of_row, of_row.clone());
        let mut out = quote! {
            let weight = #of_row;
            let (value, parameter) = (#value_operand, #parameter_operand);
            let mut adjoints = frame.row_adjoints(#value_row, #parameter_row);
            let density = #family::accumulate(value, parameter, weight, &mut adjoints);
            #log_prob.add_product(weight, density);
        };
        for (operand, total) in [(value, "value_total"), (parameter, "parameter_total")] {
            if let Operand::Repeated(node, _) = operand
                && self.tape.nodes[*node].active
            {
                let field = Ident::new(total, Span::mixed_site());
                let total = format_ident!("{}_{}", total, factor, span = Span::mixed_site());
                out.extend(quote!(let #total = adjoints.#field;));
                out.extend(self.deliver(*node, Delta::Name(quote!(#total)), scope));
            }
        }
        out
    }

    /// Whether the adjoint of a value is kept while row after row gathers the same element.
    pub(super) fn gathers(&self, node: NodeId) -> bool {
        let known = &self.tape.nodes[node];
        matches!(known.op, Op::Load { gathered: true, .. })
            && matches!(self.tape.scopes[known.scope].kind, ScopeKind::Loop(_))
            && self.collect[node] != Collect::Nothing
    }

    pub(super) fn gathered_ident(&self, node: NodeId) -> Ident {
        format_ident!("gathered_{}", self.tape.nodes[node].name, span = Span::mixed_site())
    }
}
