//! The form that evaluates: quantities are stored, log densities given where they are asked for.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::Writer;
use super::uses::nodes;
use crate::expand::tape::{Item, NodeId, ScopeId, ScopeKind};

impl Writer<'_, '_> {
    /// One scope, forward: quantities are stored, log densities given where they are asked for.
    pub(super) fn forward_scope(&mut self, scope: ScopeId) -> TokenStream {
        let tape = self.tape;
        let needed = self.needed_by_stores();
        let mut out = TokenStream::new();
        for item in &tape.scopes[scope].items {
            out.extend(match item {
                Item::Node(node) if needed.contains(node) || scope == 0 => self.define(*node),
                Item::Node(_) => TokenStream::new(),
                Item::Loop(inner) => {
                    let statements = self.forward_scope(*inner);
                    self.loop_over(*inner, &statements)
                }
                Item::Store { row, value, .. } => {
                    let value = self.value(*value);
                    quote!(frame.store(#row, #value);)
                }
                Item::Ode(solved) => self.solve_ode(solved),
                Item::Start { solver, place, value } => {
                    let value = self.value(*value);
                    quote!(#solver.start(#place, #value);)
                }
                Item::Derivative { solver, place, value } => {
                    let value = self.value(*value);
                    quote!(#solver.set(#place, #value);)
                }
                Item::Factor { factor, row, terms, mask } => {
                    let inner = self.define_for(scope, terms.iter().map(|(_, node)| *node).chain(*mask), &needed);
                    let sum = self.signed_sum(terms);
                    let sum = self.masked(*mask, &quote!((#sum)), sum.clone());
                    quote! {
                        if frame.wants(#factor, #row) { #inner frame.put(#row, #sum); }
                    }
                }
                Item::VectorFactor { factor, row, entry, value, parameters, mask } => {
                    let nodes = nodes(parameters).chain(nodes(std::slice::from_ref(value)));
                    let inner = self.define_for(scope, nodes.chain(*mask), &needed);
                    let density = self.masked(*mask, &quote!(density), quote!(density));
                    let log_prob = self.joint(entry, value, parameters);
                    quote! {
                        if frame.wants(#factor, #row) {
                            #inner
                            let density = #log_prob;
                            frame.put(#row, #density);
                        }
                    }
                }
                Item::Operation { operation, row, length, operands } => {
                    let (word, count) = (Ident::new(operation.rust, Span::mixed_site()), operands.len());
                    let operands = operands.iter().map(|operand| self.array_operand(operand));
                    quote!(frame.compute::<_ppl::linear_algebra::#word, #count>(#row, #length, [#(#operands),*]);)
                }
            });
        }
        out
    }

    /// A log density, or a weight, times what masks its factor.
    pub(super) fn masked(&self, mask: Option<NodeId>, factor: &TokenStream, unmasked: TokenStream) -> TokenStream {
        let Some(mask) = mask else { return unmasked };
        let mask = self.operand(mask);
        quote!(#mask * #factor)
    }

    /// The values of a scope that some of its nodes need and that nothing else has defined.
    pub(super) fn define_for(
        &mut self,
        scope: ScopeId,
        nodes: impl Iterator<Item = NodeId>,
        done: &BTreeSet<NodeId>,
    ) -> TokenStream {
        if scope == 0 {
            return TokenStream::new();
        }
        let mut wanted = BTreeSet::new();
        for node in nodes {
            self.reach(node, &mut wanted);
        }
        let mut out = TokenStream::new();
        // Outer values that only log densities need are defined here as well, in the order of the tape.
        for node in wanted {
            let own = self.tape.nodes[node].scope;
            let inner = matches!(self.tape.scopes[own].kind, ScopeKind::Reduce(_) | ScopeKind::Branch);
            if own != 0 && !inner && !done.contains(&node) {
                out.extend(self.define(node));
            }
        }
        out
    }
}
