//! The form that accumulates: factors are weighted and summed, and their derivatives go where the values came from.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{Collect, Delta, Writer, weights_ident};
use crate::catalogue::{Entry, Shape};
use crate::expand::names;
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
                Item::Ode(solved) => self.pull_ode(solved),
                Item::Start { solver, place, value } => {
                    self.deliver(*value, Delta::Value(quote!(#solver.start_adjoint(#place))), scope)
                }
                Item::Derivative { solver, place, value } => {
                    self.deliver(*value, Delta::Value(quote!(#solver.derivative_adjoint(#place))), scope)
                }
                Item::Factor { factor, row, terms, mask } => self.factor(*factor, row, terms, *mask, scope),
                Item::VectorFactor { factor, row, entry, value, parameters, mask } => {
                    self.array_factor(*factor, row, entry, (value, parameters), *mask, scope)
                }
                Item::Operation { operation, row, length, operands } => {
                    let (word, count) = (Ident::new(operation.rust, Span::mixed_site()), operands.len());
                    let arrays = operands.iter().map(|operand| self.array_operand(operand));
                    let pull = quote!(frame.pull::<_ppl::linear_algebra::#word, #count>(#row, #length, [#(#arrays),*]));
                    self.deliver_numbers(&pull, operands, operation.name, scope)
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
            if let (Op::Table { var, .. }, true) = (&self.tape.nodes[*node].op, self.collect[*node] != Collect::Nothing) {
                let length = names::length(self.tape.model, *var);
                out.extend(quote!(let mut #name = _ppl::zero_sums::<V>(#length);));
                continue;
            }
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

    /// A density of arrays.
    fn array_factor(
        &mut self,
        factor: usize,
        row: &TokenStream,
        entry: &Entry,
        operands: (&Operand, &[Operand]),
        mask: Option<NodeId>,
        scope: ScopeId,
    ) -> TokenStream {
        let (weights, log_prob) = (weights_ident(factor), self.sum_ident(factor));
        let of_row = quote!(#weights.of(#row));
        let of_row = self.masked(mask, &of_row, of_row.clone());
        let mut out = quote!(let weight = #of_row;);
        out.extend(self.joint_partials(entry, operands, &quote!(weight)));
        out.extend(quote!(#log_prob.add_product(weight, density);));
        out.extend(self.deliver_joint(entry, operands, &factor.to_string(), scope));
        out
    }

    /// The adjoint of a log density of arrays, carried to its operands.
    pub(super) fn pull_joint(
        &mut self,
        entry: &Entry,
        operands: (&Operand, &[Operand]),
        adjoint: &TokenStream,
        word: &str,
        scope: ScopeId,
    ) -> TokenStream {
        let mut out = quote!(let weight = #adjoint;);
        out.extend(self.joint_partials(entry, operands, &quote!(weight)));
        out.extend(self.deliver_joint(entry, operands, word, scope));
        out
    }

    /// The log density of arrays as `density`; its derivatives, times the weight, go to the rows of its operands.
    fn joint_partials(&self, entry: &Entry, (value, parameters): (&Operand, &[Operand]), weight: &TokenStream) -> TokenStream {
        let family = Ident::new(entry.rust, Span::mixed_site());
        if entry.shape == Shape::Multiparameter {
            let (value, count) = (self.array_operand(value), parameters.len());
            let arrays = parameters.iter().map(|operand| self.array_operand(operand));
            return quote! {
                let (density, d_value, d_parameters) = frame.density::<#family, #count>(#weight, #value, [#(#arrays),*]);
            };
        }
        let first = |operand: &Operand| match operand {
            Operand::Rows(first, _) => quote!(Some(#first)),
            Operand::Data(..) | Operand::Repeated(..) => quote!(None),
        };
        let (value_row, parameter_row) = (first(value), first(&parameters[0]));
        let (value, parameter) = (self.vector_operand(value), self.vector_operand(&parameters[0]));
        quote! {
            let (value, parameter) = (#value, #parameter);
            let mut adjoints = frame.row_adjoints(#value_row, #parameter_row);
            let density = #family::accumulate(value, parameter, #weight, &mut adjoints);
        }
    }

    /// The derivatives of those operands that are numbers.
    fn deliver_joint(
        &mut self,
        entry: &Entry,
        (value, parameters): (&Operand, &[Operand]),
        word: &str,
        scope: ScopeId,
    ) -> TokenStream {
        let mut out = TokenStream::new();
        let active = |operand: &Operand| match operand {
            Operand::Repeated(node, _) if self.tape.nodes[*node].active => Some(*node),
            _ => None,
        };
        if entry.shape == Shape::Multiparameter {
            if let Some(node) = active(value) {
                let total = format_ident!("d_value_{}", word, span = Span::mixed_site());
                out.extend(quote!(let #total = d_value;));
                out.extend(self.deliver(node, Delta::Name(quote!(#total)), scope));
            }
            out.extend(self.deliver_numbers(&quote!(d_parameters), parameters, &format!("parameters_{word}"), scope));
            return out;
        }
        let numbers = [(active(value), "value_total"), (active(&parameters[0]), "parameter_total")];
        for (node, total) in numbers.into_iter().filter_map(|(node, total)| Some((node?, total))) {
            let field = Ident::new(total, Span::mixed_site());
            let total = format_ident!("{}_{}", total, word, span = Span::mixed_site());
            out.extend(quote!(let #total = adjoints.#field;));
            out.extend(self.deliver(node, Delta::Name(quote!(#total)), scope));
        }
        out
    }

    /// The derivatives of operands that are numbers, from an array with one for each operand.
    fn deliver_numbers(&mut self, derivatives: &TokenStream, operands: &[Operand], word: &str, scope: ScopeId) -> TokenStream {
        let active: Vec<(usize, NodeId)> = operands
            .iter()
            .enumerate()
            .filter_map(|(i, operand)| match operand {
                Operand::Repeated(node, _) if self.tape.nodes[*node].active => Some((i, *node)),
                _ => None,
            })
            .collect();
        if active.is_empty() {
            return quote!(let _ = #derivatives;);
        }
        self.derivatives += 1;
        let all = format_ident!("d_{}_{}", word, self.derivatives, span = Span::mixed_site());
        let mut out = quote!(let #all = #derivatives;);
        for (i, node) in active {
            out.extend(self.deliver(node, Delta::Name(quote!(#all[#i])), scope));
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
