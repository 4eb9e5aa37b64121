//! Values: the expressions that compute them, the names that they have, and the statements that give them these.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{Form, Writer, column_field};
use crate::catalogue::{Entry, Shape};
use crate::expand::names;
use crate::expand::scalar::{density, function_name};
use crate::expand::tape::{Item, NodeId, Op, Operand, ScopeId, normalizer};
use crate::ir::{Comparison, Operator, Reduce};

impl Writer<'_, '_> {
    pub(super) fn ident(&self, node: NodeId) -> Ident {
        names::local(&self.tape.nodes[node].name)
    }

    pub(super) fn adjoint_ident(&self, node: NodeId) -> Ident {
        format_ident!("d_{}", self.tape.nodes[node].name, span = Span::mixed_site())
    }

    pub(super) fn partials_ident(&self, node: NodeId) -> Ident {
        format_ident!("{}_partials", self.tape.nodes[node].name, span = Span::mixed_site())
    }

    /// The value of a node where it is read.
    pub(super) fn value(&self, node: NodeId) -> TokenStream {
        if self.inline(node) {
            return self.definition(node);
        }
        let name = self.ident(node);
        match &self.tape.nodes[node].op {
            Op::Density(..) => quote!(#name.log_prob),
            Op::User(..) if self.form == Form::Accumulate && self.tape.nodes[node].active => quote!(#name.value),
            _ => quote!(#name),
        }
    }

    /// The value as an operand that binds tightly.
    pub(super) fn operand(&self, node: NodeId) -> TokenStream {
        let value = self.value(node);
        if self.inline(node) && matches!(self.tape.nodes[node].op, Op::Binary(..) | Op::Neg(_)) {
            quote!((#value))
        } else {
            value
        }
    }

    pub(super) fn factors_of_inline_product(&self, node: NodeId) -> Option<(NodeId, NodeId)> {
        match self.tape.nodes[node].op {
            Op::Binary(Operator::Mul, a, b) if self.inline(node) => Some((a, b)),
            _ => None,
        }
    }

    /// The expression that computes a node.
    pub(super) fn definition(&self, node: NodeId) -> TokenStream {
        match &self.tape.nodes[node].op {
            Op::Constant(x) => {
                let x = names::number(*x);
                quote!(V::constant(#x))
            }
            Op::Data(element) => quote!(V::splat(#element)),
            Op::Input(row) => quote!(frame.load(#row)),
            Op::Count(number) => quote!(V::constant(#number)),
            Op::Column(column, row) => {
                let column = column_field(*column);
                quote!(V::splat(self.#column[#row]))
            }
            Op::Load { row, .. } => quote!(frame.load(#row)),
            Op::Component { solver, place } => quote!(#solver.component(#place)),
            Op::Product { place, row, column } => quote!(frame.product(#place, #row, #column)),
            Op::Binary(op, a, b) => self.binary(*op, *a, *b),
            Op::Compare(comparison, a, b) => {
                let (a, b) = (self.operand(*a), self.operand(*b));
                let (test, [if_true, if_false]) = match comparison {
                    Comparison::Lt => (quote!(#a.lt(#b)), [1.0, 0.0]),
                    Comparison::Le => (quote!(#a.le(#b)), [1.0, 0.0]),
                    Comparison::Gt => (quote!(#a.le(#b)), [0.0, 1.0]),
                    Comparison::Ge => (quote!(#a.lt(#b)), [0.0, 1.0]),
                    Comparison::Eq => (quote!(#a.eq(#b)), [1.0, 0.0]),
                    Comparison::Ne => (quote!(#a.eq(#b)), [0.0, 1.0]),
                };
                let [if_true, if_false] = [if_true, if_false].map(names::number);
                quote!(V::select(#test, V::constant(#if_true), V::constant(#if_false)))
            }
            Op::Neg(a) => {
                let a = self.operand(*a);
                quote!(-#a)
            }
            Op::Powi(a, k) => {
                let a = self.operand(*a);
                quote!(#a.powi(#k))
            }
            Op::Call(function, args) => {
                let (name, args) = (function_name(*function), args.iter().map(|&a| self.value(a)));
                quote!(_ppl::functions::#name(#(#args),*))
            }
            Op::User(path, args) => {
                if self.form == Form::Forward || !self.tape.nodes[node].active {
                    let args = args.iter().map(|&a| self.value(a));
                    return quote!(#path(#(#args),*));
                }
                let count = args.iter().filter(|&&a| self.tape.nodes[a].active).count();
                let mut next = 0_usize;
                let args: Vec<TokenStream> = args
                    .iter()
                    .map(|&a| {
                        let value = self.value(a);
                        if self.tape.nodes[a].active {
                            let i = next;
                            next += 1;
                            quote!(_ppl::Dual::<V, #count>::variable(#value, #i))
                        } else {
                            quote!(_ppl::Dual::<V, #count>::constant_of(#value))
                        }
                    })
                    .collect();
                quote!(#path(#(#args),*))
            }
            Op::Density(family, args) => {
                let (family, mut values) = (density(family), args.iter().map(|&a| self.value(a)));
                let value = values.next();
                quote!(#family::kernel(#value, [#(#values),*]))
            }
            Op::Base(family, a) => {
                let (family, a) = (density(family), self.value(*a));
                quote!(#family::base(#a))
            }
            Op::Normalizer(family, args) => {
                let reads = normalizer(family, args.len()).unwrap_or_default();
                // A parameter that the normalizer does not read may vary faster than it is computed.
                let values =
                    args.iter().enumerate().map(|(i, &a)| if reads.contains(&i) { self.value(a) } else { quote!(V::zero()) });
                let family = density(family);
                quote!(#family::normalizer([#(#values),*]))
            }
            Op::Joint { entry, value, parameters } => self.joint(entry, value, parameters),
            Op::Entry { table, var } => {
                let (table, place) = (self.ident(*table), self.place(*var));
                quote!(#table[#place])
            }
            Op::If { .. } | Op::Reduce { .. } | Op::Chain { .. } | Op::Table { .. } => TokenStream::new(),
        }
    }

    pub(super) fn binary(&self, op: Operator, a: NodeId, b: NodeId) -> TokenStream {
        if op == Operator::Add {
            for (product, other) in [(b, a), (a, b)] {
                if let Some((x, y)) = self.factors_of_inline_product(product) {
                    let (x, y, other) = (self.operand(x), self.value(y), self.value(other));
                    return quote!(#x.mul_add(#y, #other));
                }
            }
        }
        if op == Operator::Sub
            && let Some((x, y)) = self.factors_of_inline_product(b)
        {
            let (x, y, a) = (self.operand(x), self.value(y), self.value(a));
            return quote!((-#x).mul_add(#y, #a));
        }
        match op {
            Operator::Add => {
                let (a, b) = (self.value(a), self.operand(b));
                quote!(#a + #b)
            }
            Operator::Sub => {
                let (a, b) = (self.value(a), self.operand(b));
                quote!(#a - #b)
            }
            Operator::Mul => {
                let (a, b) = (self.operand(a), self.operand(b));
                quote!(#a * #b)
            }
            Operator::Div => {
                let (a, b) = (self.operand(a), self.operand(b));
                quote!(#a / #b)
            }
        }
    }

    /// The statement that gives a node its name.
    pub(super) fn define(&mut self, node: NodeId) -> TokenStream {
        if self.inline(node) || self.uses[node].is_empty() {
            return TokenStream::new();
        }
        let name = self.ident(node);
        match &self.tape.nodes[node].op {
            Op::Normalizer(..) | Op::Base(..) => {
                let definition = self.definition(node);
                let partials = self.partials_ident(node);
                if self.form == Form::Forward || !self.tape.nodes[node].active {
                    quote!(let (#name, _) = #definition;)
                } else {
                    quote!(let (#name, #partials) = #definition;)
                }
            }
            Op::If { condition, then, otherwise } => {
                let (condition, then, otherwise) = (condition.clone(), *then, *otherwise);
                let (then, otherwise) = (self.block_value(then), self.block_value(otherwise));
                quote!(let #name = if #condition { #then } else { #otherwise };)
            }
            Op::Reduce { kind, var, body, choice } => {
                let (kind, var, body, choice) = (*kind, *var, *body, choice.clone());
                let (index, range) = (names::var(self.tape.model, var), names::range(self.tape.model, var));
                let inner = self.defines(body.0);
                match kind {
                    Reduce::Sum => {
                        let sum = if let Some((x, y)) = self.factors_of_inline_product(body.1) {
                            let (x, y) = (self.operand(x), self.value(y));
                            quote!(#x.mul_add(#y, #name))
                        } else {
                            let value = self.operand(body.1);
                            quote!(#name + #value)
                        };
                        quote! {
                            let mut #name = V::zero();
                            for #index in #range { #inner #name = #sum; }
                        }
                    }
                    Reduce::LogSumExp => {
                        let value = self.value(body.1);
                        // What each value of a `sum` contributes is told where it is asked for.
                        let tell = choice
                            .filter(|_| self.form == Form::Forward)
                            .map(|(sum, row)| quote!(frame.choose(#sum, #row, #value);));
                        let (kept, value) = if self.keeps_terms(node) {
                            let (terms, place) = (self.terms_ident(node), self.place(var));
                            (Some(quote!(#terms[#place] = #value;)), quote!(#terms[#place]))
                        } else {
                            (None, value)
                        };
                        quote! {
                            let mut #name = _ppl::LogSumExp::<V>::new();
                            for #index in #range { #inner #kept #name.push(#value); #tell }
                            let #name = #name.value();
                        }
                    }
                }
            }
            Op::Chain { .. } => self.define_chain(node),
            Op::Table { var, body } => {
                let (var, body) = (*var, *body);
                let (index, range) = (names::var(self.tape.model, var), names::range(self.tape.model, var));
                let length = names::length(self.tape.model, var);
                let (inner, value) = (self.defines(body.0), self.value(body.1));
                quote! {
                    let mut #name = Vec::with_capacity(#length);
                    for #index in #range { #inner #name.push(#value); }
                }
            }
            _ => {
                let definition = self.definition(node);
                quote!(let #name = #definition;)
            }
        }
    }

    /// A log density of arrays.
    pub(super) fn joint(&self, entry: &Entry, value: &Operand, parameters: &[Operand]) -> TokenStream {
        let family = Ident::new(entry.rust, Span::mixed_site());
        if entry.shape == Shape::Multiparameter {
            let (value, count) = (self.array_operand(value), parameters.len());
            let parameters = parameters.iter().map(|operand| self.array_operand(operand));
            return quote!(frame.log_prob::<#family, #count>(#value, [#(#parameters),*]));
        }
        let value = self.vector_operand(value);
        let parameters = parameters.iter().map(|operand| self.vector_operand(operand));
        quote!(#family::log_prob::<V>(#value, #(#parameters),*))
    }

    /// The named values of a scope.
    pub(super) fn defines(&mut self, scope: ScopeId) -> TokenStream {
        let tape = self.tape;
        let mut out = TokenStream::new();
        for item in &tape.scopes[scope].items {
            if let Item::Node(node) = item {
                out.extend(self.define(*node));
            }
        }
        out
    }

    pub(super) fn block_value(&mut self, (scope, node): (ScopeId, NodeId)) -> TokenStream {
        let inner = self.defines(scope);
        let value = self.value(node);
        quote!(#inner #value)
    }

    /// Terms of a factor, added up.
    pub(super) fn signed_sum(&self, terms: &[(bool, NodeId)]) -> TokenStream {
        let mut sum = TokenStream::new();
        for &(sign, node) in terms {
            let value = if terms.len() == 1 && sign { self.value(node) } else { self.operand(node) };
            sum.extend(match (sum.is_empty(), sign) {
                (true, true) => value,
                (false, true) => quote!(+ #value),
                (_, false) => quote!(- #value),
            });
        }
        if sum.is_empty() { quote!(V::zero()) } else { sum }
    }

    /// An operand of a density of several parameters, or of an operation.
    pub(super) fn array_operand(&self, operand: &Operand) -> TokenStream {
        match operand {
            Operand::Rows(first, len) => quote!(_ppl::Array::Rows(#first, #len)),
            Operand::Data(array, first, len) => quote!(_ppl::Array::Numbers(&#array[#first..][..#len])),
            Operand::Repeated(node, _) => {
                let value = self.value(*node);
                quote!(_ppl::Array::Number(#value))
            }
        }
    }

    pub(super) fn vector_operand(&self, operand: &Operand) -> TokenStream {
        match operand {
            Operand::Rows(first, len) => quote!(&frame.rows(#first, #len)),
            Operand::Data(array, first, len) => quote!(&_ppl::Numbers(&#array[#first..][..#len])),
            Operand::Repeated(node, len) => {
                let value = self.value(*node);
                quote!(&_ppl::Repeated(#value, #len))
            }
        }
    }
}
