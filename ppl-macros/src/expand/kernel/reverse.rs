//! The derivative: the adjoint of a value is carried to its operands.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};

use super::{Collect, Delta, Writer};
use crate::expand::names;
use crate::expand::scalar::function_name;
use crate::expand::tape::{Item, NodeId, Op, ScopeId, normalizer};
use crate::ir::{Operator, Reduce};

impl Writer<'_, '_> {
    /// Adds a derivative to the adjoint of a value.
    pub(super) fn deliver(&mut self, node: NodeId, delta: Delta, _scope: ScopeId) -> TokenStream {
        let name = self.adjoint_ident(node);
        match self.collect[node] {
            Collect::Nothing => TokenStream::new(),
            Collect::Direct => match delta {
                Delta::Name(value) => {
                    self.direct[node] = Some(value);
                    TokenStream::new()
                }
                Delta::Value(value) => {
                    self.direct[node] = Some(quote!(#name));
                    quote!(let #name = #value;)
                }
                Delta::Product(a, b) => {
                    self.direct[node] = Some(quote!(#name));
                    quote!(let #name = #a * #b;)
                }
            },
            Collect::Several => match delta {
                Delta::Name(value) | Delta::Value(value) => quote!(#name = #name + #value;),
                Delta::Product(a, b) => quote!(#name = #a.mul_add(#b, #name);),
            },
            Collect::OverRows => match delta {
                Delta::Name(value) | Delta::Value(value) => quote!(#name += #value;),
                Delta::Product(a, b) => quote!(#name.add_product(#a, #b);),
            },
        }
    }

    /// Carries the adjoint of a value to its operands.
    pub(super) fn reverse(&mut self, node: NodeId) -> TokenStream {
        let scope = self.tape.nodes[node].scope;
        let name = self.adjoint_ident(node);
        let mut out = TokenStream::new();
        if let Op::Table { var, body } = &self.tape.nodes[node].op {
            if self.collect[node] == Collect::Nothing {
                return out;
            }
            let (index, range, place) =
                (names::var(self.tape.model, *var), names::range(self.tape.model, *var), self.place(*var));
            let inner = self.reverse_block(*body, Delta::Value(quote!(#name[#place].value())));
            return quote!(for #index in #range { #inner });
        }
        let adjoint = match self.collect[node] {
            Collect::Nothing => return out,
            Collect::Direct => match self.direct[node].take() {
                Some(adjoint) => adjoint,
                None => return out,
            },
            Collect::Several => quote!(#name),
            Collect::OverRows => {
                let value = quote!(#name.value());
                match self.deferred(node) {
                    None => value,
                    Some(sign) => {
                        let term = self.operand(node);
                        if sign {
                            out.extend(quote!(log_prob.add_product(#value, #term);));
                            value
                        } else {
                            out.extend(quote!(log_prob -= #value * #term;));
                            quote!((-#value))
                        }
                    }
                }
            }
        };
        if self.tape.nodes[node].active {
            out.extend(self.pullback(node, &adjoint, scope));
        }
        out
    }

    #[allow(clippy::too_many_lines, reason = "one arm an operation")]
    pub(super) fn pullback(&mut self, node: NodeId, adjoint: &TokenStream, scope: ScopeId) -> TokenStream {
        let tape = self.tape;
        let active = |node: NodeId| tape.nodes[node].active;
        let ident = self.ident(node);
        let mut out = TokenStream::new();
        match &tape.nodes[node].op {
            Op::Constant(_) | Op::Data(_) | Op::Input(_) | Op::Count(_) | Op::Column(..) | Op::Compare(..) => {}
            Op::Load { row, .. } => out.extend(if self.gathers(node) {
                let gathered = self.gathered_ident(node);
                quote!(#gathered.add(frame, #row, #adjoint);)
            } else {
                quote!(frame.add(#row, #adjoint);)
            }),
            Op::Component { solver, place } => out.extend(quote!(#solver.pull(#place, #adjoint);)),
            Op::Product { place, row, column } => {
                out.extend(quote!(frame.add_product(#place, #row, #column, #adjoint);));
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (*a, *b);
                match op {
                    Operator::Add => {
                        out.extend(self.deliver(a, Delta::Name(adjoint.clone()), scope));
                        out.extend(self.deliver(b, Delta::Name(adjoint.clone()), scope));
                    }
                    Operator::Sub => {
                        out.extend(self.deliver(a, Delta::Name(adjoint.clone()), scope));
                        if active(b) {
                            out.extend(self.deliver(b, Delta::Value(quote!(-#adjoint)), scope));
                        }
                    }
                    Operator::Mul => {
                        let (left, right) = (self.operand(a), self.operand(b));
                        if active(a) {
                            out.extend(self.deliver(a, Delta::Product(adjoint.clone(), right), scope));
                        }
                        if active(b) {
                            out.extend(self.deliver(b, Delta::Product(adjoint.clone(), left), scope));
                        }
                    }
                    Operator::Div => {
                        let divisor = self.operand(b);
                        if active(b) {
                            let quotient = format_ident!("{}_over", ident, span = Span::mixed_site());
                            out.extend(quote!(let #quotient = #adjoint / #divisor;));
                            if active(a) {
                                out.extend(self.deliver(a, Delta::Name(quote!(#quotient)), scope));
                            }
                            out.extend(self.deliver(b, Delta::Product(quote!((-#quotient)), quote!(#ident)), scope));
                        } else {
                            out.extend(self.deliver(a, Delta::Value(quote!(#adjoint / #divisor)), scope));
                        }
                    }
                }
            }
            Op::Neg(a) => out.extend(self.deliver(*a, Delta::Value(quote!(-#adjoint)), scope)),
            Op::Powi(a, k) => {
                let x = self.operand(*a);
                let derivative = match k {
                    0 => return out,
                    1 => quote!(V::constant(1.0)),
                    2 => quote!((#x + #x)),
                    _ => {
                        let (factor, below) = (names::number(f64::from(*k)), k - 1);
                        quote!((V::constant(#factor) * #x.powi(#below)))
                    }
                };
                out.extend(self.deliver(*a, Delta::Product(adjoint.clone(), derivative), scope));
            }
            Op::Call(function, args) => {
                let name = function_name(*function);
                let values = args.iter().map(|&a| self.value(a));
                let derivative = quote!(_ppl::derivatives::#name(#(#values,)* #ident));
                if let [a] = args.as_slice() {
                    out.extend(self.deliver(*a, Delta::Product(adjoint.clone(), derivative), scope));
                } else {
                    let partials = self.partials_ident(node);
                    out.extend(quote!(let #partials = #derivative;));
                    for (i, &a) in args.iter().enumerate() {
                        if active(a) {
                            out.extend(self.deliver(a, Delta::Product(adjoint.clone(), quote!(#partials[#i])), scope));
                        }
                    }
                }
            }
            Op::User(_, args) => {
                for (i, &a) in args.iter().filter(|&&a| active(a)).enumerate() {
                    out.extend(self.deliver(a, Delta::Product(adjoint.clone(), quote!(#ident.partials[#i])), scope));
                }
            }
            Op::Density(_, args) => {
                for (i, &a) in args.iter().enumerate() {
                    if active(a) {
                        let partial = if i == 0 {
                            quote!(#ident.d_value)
                        } else {
                            let i = i - 1;
                            quote!(#ident.d_params[#i])
                        };
                        out.extend(self.deliver(a, Delta::Product(adjoint.clone(), partial), scope));
                    }
                }
            }
            Op::Base(_, a) => {
                let partials = self.partials_ident(node);
                out.extend(self.deliver(*a, Delta::Product(adjoint.clone(), quote!(#partials)), scope));
            }
            Op::Normalizer(family, args) => {
                let partials = self.partials_ident(node);
                for i in normalizer(family, args.len()).unwrap_or_default() {
                    if active(args[i]) {
                        out.extend(self.deliver(args[i], Delta::Product(adjoint.clone(), quote!(#partials[#i])), scope));
                    }
                }
            }
            Op::If { condition, then, otherwise } => {
                let then = self.reverse_block(*then, Delta::Name(adjoint.clone()));
                let otherwise = self.reverse_block(*otherwise, Delta::Name(adjoint.clone()));
                out.extend(quote!(if #condition { #then } else { #otherwise }));
            }
            Op::Entry { table, var } => {
                let (d_table, place) = (self.adjoint_ident(*table), self.place(*var));
                out.extend(quote!(#d_table[#place] += #adjoint;));
            }
            // Done by its entries.
            Op::Table { .. } => {}
            Op::Chain { .. } => out.extend(self.pull_chain(node, adjoint)),
            Op::Joint { entry, value, parameters } => {
                out.extend(self.pull_joint(entry, (value, parameters), adjoint, ident.to_string().as_str(), scope));
            }
            Op::Reduce { kind, var, body, .. } => {
                let (index, range) = (names::var(tape.model, *var), names::range(tape.model, *var));
                let delta = match kind {
                    Reduce::Sum => Delta::Name(adjoint.clone()),
                    Reduce::LogSumExp => {
                        let (terms, place) = (self.terms_ident(node), self.place(*var));
                        Delta::Product(adjoint.clone(), quote!((#terms[#place] - #ident).exp()))
                    }
                };
                let inner = self.reverse_block(*body, delta);
                out.extend(quote!(for #index in #range { #inner }));
            }
        }
        out
    }

    /// A block again, and its derivative.
    pub(super) fn reverse_block(&mut self, (scope, value): (ScopeId, NodeId), delta: Delta) -> TokenStream {
        let tape = self.tape;
        let mut out = self.defines(scope);
        out.extend(self.declare_adjoints(scope));
        out.extend(self.deliver(value, delta, scope));
        for item in tape.scopes[scope].items.iter().rev() {
            if let Item::Node(node) = item {
                out.extend(self.reverse(*node));
            }
        }
        out
    }
}
