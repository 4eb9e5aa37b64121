//! The two forms of a body: `accumulate`, each row forward and reversed at once, and `forward`, quantities and log densities.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::names;
use super::scalar::{density, function_name};
use super::tape::{Item, NodeId, Op, Operand, ScopeId, ScopeKind, Tape, normalizer};
use crate::ir::{Operator, Reduce, SiteId};

/// Which form is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Accumulate,
    Forward,
}

/// How the adjoint of a value is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Collect {
    /// Nothing reads it, or it depends on no latent.
    Nothing,
    /// One reader at the same level: its derivative is the adjoint.
    Direct,
    /// Several readers at the same level.
    Several,
    /// Readers in inner loops: a sum over rows.
    OverRows,
}

/// A derivative on its way to an operand.
enum Delta {
    Name(TokenStream),
    Value(TokenStream),
    Product(TokenStream, TokenStream),
}

struct Use {
    scope: ScopeId,
    reader: Reader,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Node(NodeId),
    /// A term of the log joint with its sign.
    Term(bool),
    Other,
}

pub(crate) struct Writer<'t, 'm> {
    tape: &'t Tape<'m>,
    form: Form,
    /// Quantities whose adjoints come through memory.
    stored: &'t BTreeSet<SiteId>,
    uses: Vec<Vec<Use>>,
    collect: Vec<Collect>,
    /// The adjoint of a value with one reader.
    direct: Vec<Option<TokenStream>>,
}

impl<'t, 'm> Writer<'t, 'm> {
    pub(crate) fn new(tape: &'t Tape<'m>, form: Form, stored: &'t BTreeSet<SiteId>) -> Self {
        let mut writer = Writer {
            tape,
            form,
            stored,
            uses: tape.nodes.iter().map(|_| Vec::new()).collect(),
            collect: vec![Collect::Nothing; tape.nodes.len()],
            direct: vec![None; tape.nodes.len()],
        };
        writer.find_uses();
        for node in 0..tape.nodes.len() {
            writer.collect[node] = writer.how_collected(node);
        }
        writer
    }

    /// The statements of the whole body.
    pub(crate) fn body(&mut self) -> TokenStream {
        match self.form {
            Form::Accumulate => {
                let statements = self.accumulate_scope(0);
                let factors = self.tape.factors();
                let weights = factors.iter().map(|&factor| {
                    let name = weights_ident(factor);
                    quote!(let #name = frame.weights(#factor);)
                });
                let own = factors.iter().filter(|_| self.sum_per_factor()).map(|&factor| self.sum_ident(factor));
                let (sums, joined) = (own.clone(), own);
                let gathered =
                    (0..self.tape.nodes.len()).filter(|&node| self.gathers(node)).map(|node| self.gathered_ident(node));
                let (gathered, flushed) = (gathered.clone(), gathered);
                quote! {
                    let mut log_prob = _ppl::zero_sum::<V>();
                    #(let mut #sums = _ppl::zero_sum::<V>();)*
                    #(let mut #gathered = _ppl::Gathered::<V>::new();)*
                    #(#weights)*
                    #statements
                    #(#flushed.flush(frame);)*
                    #(log_prob.join(#joined);)*
                    log_prob
                }
            }
            Form::Forward => self.forward_scope(0),
        }
    }

    fn find_uses(&mut self) {
        for (id, node) in self.tape.nodes.iter().enumerate() {
            let mut add = |arg: NodeId, scope: ScopeId| self.uses[arg].push(Use { scope, reader: Reader::Node(id) });
            match &node.op {
                Op::Constant(_) | Op::Data(_) | Op::Count(_) | Op::Column(..) | Op::Load { .. } | Op::Product { .. } => {}
                Op::Binary(_, a, b) => {
                    add(*a, node.scope);
                    add(*b, node.scope);
                }
                Op::Neg(a) | Op::Powi(a, _) | Op::Base(_, a) => add(*a, node.scope),
                Op::Call(_, args) | Op::User(_, args) | Op::Density(_, args) => args.iter().for_each(|&a| add(a, node.scope)),
                Op::Normalizer(family, args) => {
                    for i in normalizer(family, args.len()).unwrap_or_default() {
                        add(args[i], node.scope);
                    }
                }
                Op::If { then, otherwise, .. } => {
                    add(then.1, then.0);
                    add(otherwise.1, otherwise.0);
                }
                Op::Reduce { body, .. } => add(body.1, body.0),
            }
        }
        for (scope, known) in self.tape.scopes.iter().enumerate() {
            for item in &known.items {
                match item {
                    Item::Factor { terms, .. } => {
                        for &(sign, node) in terms {
                            self.uses[node].push(Use { scope, reader: Reader::Term(sign) });
                        }
                    }
                    Item::Store { value, site, .. } => {
                        if self.form == Form::Forward || self.stored.contains(site) {
                            self.uses[*value].push(Use { scope, reader: Reader::Other });
                        }
                    }
                    Item::VectorFactor { value, parameter, .. } => {
                        for operand in [value, parameter] {
                            if let Operand::Repeated(node, _) = operand {
                                self.uses[*node].push(Use { scope, reader: Reader::Other });
                            }
                        }
                    }
                    Item::Node(_) | Item::Loop(_) => {}
                }
            }
        }
    }

    /// Whether a value is added to the log joint once for all rows, times the sum of their weights.
    fn deferred(&self, node: NodeId) -> Option<bool> {
        if !matches!(self.tape.nodes[node].op, Op::Normalizer(..) | Op::Column(..) | Op::Count(_)) {
            return None;
        }
        let scope = self.tape.nodes[node].scope;
        let mut signs = self.uses[node].iter().map(|u| match u.reader {
            Reader::Term(sign) if u.scope != scope => Some(sign),
            _ => None,
        });
        let first = signs.next()??;
        signs.all(|sign| sign == Some(first)).then_some(first)
    }

    fn how_collected(&self, node: NodeId) -> Collect {
        if self.deferred(node).is_some() {
            return Collect::OverRows;
        }
        let known = &self.tape.nodes[node];
        if !known.active {
            return Collect::Nothing;
        }
        let readers: Vec<&Use> = self.uses[node]
            .iter()
            .filter(|u| match u.reader {
                Reader::Node(reader) => self.tape.nodes[reader].active,
                Reader::Term(_) | Reader::Other => true,
            })
            .collect();
        if readers.iter().any(|u| u.scope != known.scope) {
            return Collect::OverRows;
        }
        match readers.len() {
            0 => Collect::Nothing,
            1 => Collect::Direct,
            _ => Collect::Several,
        }
    }

    /// Whether the derivative of some reader, or of the value itself, needs the value again.
    fn needed_in_reverse(&self, node: NodeId) -> bool {
        self.uses[node].iter().any(|u| {
            let Reader::Node(reader) = u.reader else { return false };
            match &self.tape.nodes[reader].op {
                Op::Binary(Operator::Mul, a, b) => {
                    let other = if *a == node { *b } else { *a };
                    self.tape.nodes[other].active || a == b
                }
                Op::Binary(Operator::Div, ..) | Op::Powi(..) | Op::Call(..) | Op::User(..) | Op::Base(..) => true,
                Op::Reduce { kind, .. } => *kind == Reduce::LogSumExp,
                _ => false,
            }
        })
    }

    /// Whether a value is written where it is read rather than given a name.
    fn inline(&self, node: NodeId) -> bool {
        let known = &self.tape.nodes[node];
        let once = self.uses[node].len() == 1 && self.uses[node][0].scope == known.scope;
        match known.op {
            Op::Constant(_) => true,
            Op::Data(_) | Op::Count(_) | Op::Column(..) => once,
            Op::Binary(Operator::Div, ..) => once && !known.named && !known.active,
            Op::Binary(..) | Op::Neg(_) => once && !known.named && !self.needed_in_reverse(node),
            _ => false,
        }
    }

    fn ident(&self, node: NodeId) -> Ident {
        names::local(&self.tape.nodes[node].name)
    }

    fn adjoint_ident(&self, node: NodeId) -> Ident {
        format_ident!("d_{}", self.tape.nodes[node].name, span = Span::mixed_site())
    }

    /// The value of a node where it is read.
    fn value(&self, node: NodeId) -> TokenStream {
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
    fn operand(&self, node: NodeId) -> TokenStream {
        let value = self.value(node);
        if self.inline(node) && matches!(self.tape.nodes[node].op, Op::Binary(..) | Op::Neg(_)) {
            quote!((#value))
        } else {
            value
        }
    }

    fn factors_of_inline_product(&self, node: NodeId) -> Option<(NodeId, NodeId)> {
        match self.tape.nodes[node].op {
            Op::Binary(Operator::Mul, a, b) if self.inline(node) => Some((a, b)),
            _ => None,
        }
    }

    /// The expression that computes a node.
    fn definition(&self, node: NodeId) -> TokenStream {
        match &self.tape.nodes[node].op {
            Op::Constant(x) => {
                let x = names::number(*x);
                quote!(V::constant(#x))
            }
            Op::Data(element) => quote!(V::splat(#element)),
            Op::Count(number) => quote!(V::constant(#number)),
            Op::Column(column, row) => {
                let column = column_field(*column);
                quote!(V::splat(self.#column[#row]))
            }
            Op::Load { row, .. } => quote!(frame.load(#row)),
            Op::Product { place, row, column } => quote!(frame.product(#place, #row, #column)),
            Op::Binary(op, a, b) => self.binary(*op, *a, *b),
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
            Op::If { .. } | Op::Reduce { .. } => TokenStream::new(),
        }
    }

    fn binary(&self, op: Operator, a: NodeId, b: NodeId) -> TokenStream {
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
    fn define(&mut self, node: NodeId) -> TokenStream {
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
            Op::Reduce { kind, var, body } => {
                let (kind, var, body) = (*kind, *var, *body);
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
                        quote! {
                            let mut #name = _ppl::LogSumExp::<V>::new();
                            for #index in #range { #inner #name.push(#value); }
                            let #name = #name.value();
                        }
                    }
                }
            }
            _ => {
                let definition = self.definition(node);
                quote!(let #name = #definition;)
            }
        }
    }

    fn partials_ident(&self, node: NodeId) -> Ident {
        format_ident!("{}_partials", self.tape.nodes[node].name, span = Span::mixed_site())
    }

    /// The named values of a scope.
    fn defines(&mut self, scope: ScopeId) -> TokenStream {
        let tape = self.tape;
        let mut out = TokenStream::new();
        for item in &tape.scopes[scope].items {
            if let Item::Node(node) = item {
                out.extend(self.define(*node));
            }
        }
        out
    }

    fn block_value(&mut self, (scope, node): (ScopeId, NodeId)) -> TokenStream {
        let inner = self.defines(scope);
        let value = self.value(node);
        quote!(#inner #value)
    }

    /// One scope, forward and reverse.
    fn accumulate_scope(&mut self, scope: ScopeId) -> TokenStream {
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
                    if self.stored.contains(site) {
                        let delta = Delta::Value(quote!(frame.adjoint(#row)));
                        self.deliver(*value, delta, scope)
                    } else {
                        TokenStream::new()
                    }
                }
                Item::Factor { factor, row, terms } => self.factor(*factor, row, terms, scope),
                Item::VectorFactor { factor, row, entry, value, parameter } => {
                    self.vector_factor(*factor, row, entry, value, parameter, scope)
                }
            });
        }
        out
    }

    fn declare_adjoints(&self, scope: ScopeId) -> TokenStream {
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

    fn loop_over(&self, scope: ScopeId, statements: &TokenStream) -> TokenStream {
        let ScopeKind::Loop(var) = self.tape.scopes[scope].kind else { return TokenStream::new() };
        let index = names::var(self.tape.model, var);
        let plate = self.tape.plate() == Some(var);
        let range = if plate {
            let from = &self.tape.model.vars[var].from;
            if from.as_constant() == Some(0) {
                quote!(rows)
            } else {
                let from = names::affine(self.tape.model, from);
                quote!(rows.start + (#from)..rows.end + (#from))
            }
        } else {
            names::range(self.tape.model, var)
        };
        quote!(for #index in #range { #statements })
    }

    fn factor(&mut self, factor: usize, row: &TokenStream, terms: &[(bool, NodeId)], scope: ScopeId) -> TokenStream {
        let weight = format_ident!("weight_{}", factor, span = Span::mixed_site());
        let weights = weights_ident(factor);
        let mut out = quote!(let #weight = #weights.of(#row););
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

    /// Whether the adjoint of a value is kept while row after row gathers the same element.
    fn gathers(&self, node: NodeId) -> bool {
        let known = &self.tape.nodes[node];
        matches!(known.op, Op::Load { gathered: true, .. })
            && matches!(self.tape.scopes[known.scope].kind, ScopeKind::Loop(_))
            && self.collect[node] != Collect::Nothing
    }

    fn gathered_ident(&self, node: NodeId) -> Ident {
        format_ident!("gathered_{}", self.tape.nodes[node].name, span = Span::mixed_site())
    }

    /// Terms of a factor, added up.
    fn signed_sum(&self, terms: &[(bool, NodeId)]) -> TokenStream {
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

    /// Whether each factor has a sum of its own: the additions to one sum would wait for each other, row after row.
    fn sum_per_factor(&self) -> bool {
        self.tape.plate().is_some() && self.tape.factors().len() > 1
    }

    /// The sum to which a factor is added.
    fn sum_ident(&self, factor: usize) -> Ident {
        if self.sum_per_factor() {
            format_ident!("log_prob_{}", factor, span = Span::mixed_site())
        } else {
            Ident::new("log_prob", Span::call_site())
        }
    }

    fn vector_operand(&self, operand: &Operand) -> TokenStream {
        match operand {
            Operand::Rows(first, len) => quote!(&frame.rows(#first, #len)),
            Operand::Data(array, first, len) => quote!(&_ppl::Numbers(&#array[#first..][..#len])),
            Operand::Repeated(node, len) => {
                let value = self.value(*node);
                quote!(&_ppl::Repeated(#value, #len))
            }
        }
    }

    fn vector_factor(
        &mut self,
        factor: usize,
        row: &TokenStream,
        entry: &crate::catalogue::Entry,
        value: &Operand,
        parameter: &Operand,
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
        let mut out = quote! {
            let weight = #weights.of(#row);
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

    /// Adds a derivative to the adjoint of a value.
    fn deliver(&mut self, node: NodeId, delta: Delta, _scope: ScopeId) -> TokenStream {
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
    fn reverse(&mut self, node: NodeId) -> TokenStream {
        let scope = self.tape.nodes[node].scope;
        let name = self.adjoint_ident(node);
        let mut out = TokenStream::new();
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
    fn pullback(&mut self, node: NodeId, adjoint: &TokenStream, scope: ScopeId) -> TokenStream {
        let tape = self.tape;
        let active = |node: NodeId| tape.nodes[node].active;
        let ident = self.ident(node);
        let mut out = TokenStream::new();
        match &tape.nodes[node].op {
            Op::Constant(_) | Op::Data(_) | Op::Count(_) | Op::Column(..) => {}
            Op::Load { row, .. } => out.extend(if self.gathers(node) {
                let gathered = self.gathered_ident(node);
                quote!(#gathered.add(frame, #row, #adjoint);)
            } else {
                quote!(frame.add(#row, #adjoint);)
            }),
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
            Op::Reduce { kind, var, body } => {
                let (index, range) = (names::var(tape.model, *var), names::range(tape.model, *var));
                let delta = match kind {
                    Reduce::Sum => Delta::Name(adjoint.clone()),
                    Reduce::LogSumExp => {
                        let value = self.value(body.1);
                        Delta::Product(adjoint.clone(), quote!((#value - #ident).exp()))
                    }
                };
                let inner = self.reverse_block(*body, delta);
                out.extend(quote!(for #index in #range { #inner }));
            }
        }
        out
    }

    /// A block again, and its derivative.
    fn reverse_block(&mut self, (scope, value): (ScopeId, NodeId), delta: Delta) -> TokenStream {
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

    /// One scope, forward: quantities are stored, log densities given where they are asked for.
    fn forward_scope(&mut self, scope: ScopeId) -> TokenStream {
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
                Item::Factor { factor, row, terms } => {
                    let inner = self.define_for(scope, terms.iter().map(|(_, node)| *node), &needed);
                    let sum = self.signed_sum(terms);
                    quote! {
                        if frame.wants(#factor, #row) { #inner frame.put(#row, #sum); }
                    }
                }
                Item::VectorFactor { factor, row, entry, value, parameter } => {
                    let family = Ident::new(entry.rust, Span::mixed_site());
                    let nodes = [value, parameter].into_iter().filter_map(|operand| match operand {
                        Operand::Repeated(node, _) => Some(*node),
                        _ => None,
                    });
                    let inner = self.define_for(scope, nodes, &needed);
                    let (value, parameter) = (self.vector_operand(value), self.vector_operand(parameter));
                    quote! {
                        if frame.wants(#factor, #row) {
                            #inner
                            let density = #family::log_prob::<V>(#value, #parameter);
                            frame.put(#row, density);
                        }
                    }
                }
            });
        }
        out
    }

    /// The values of a scope that some of its nodes need and that nothing else has defined.
    fn define_for(&mut self, scope: ScopeId, nodes: impl Iterator<Item = NodeId>, done: &BTreeSet<NodeId>) -> TokenStream {
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

    fn needed_by_stores(&self) -> BTreeSet<NodeId> {
        let mut needed = BTreeSet::new();
        for scope in &self.tape.scopes {
            for item in &scope.items {
                if let Item::Store { value, .. } = item {
                    self.reach(*value, &mut needed);
                }
            }
        }
        needed
    }

    /// A node and all that it is computed from.
    fn reach(&self, node: NodeId, reached: &mut BTreeSet<NodeId>) {
        if !reached.insert(node) {
            return;
        }
        match &self.tape.nodes[node].op {
            Op::Constant(_) | Op::Data(_) | Op::Count(_) | Op::Column(..) | Op::Load { .. } | Op::Product { .. } => {}
            Op::Binary(_, a, b) => [*a, *b].into_iter().for_each(|a| self.reach(a, reached)),
            Op::Neg(a) | Op::Powi(a, _) | Op::Base(_, a) => self.reach(*a, reached),
            Op::Call(_, args) | Op::User(_, args) | Op::Density(_, args) => args.iter().for_each(|&a| self.reach(a, reached)),
            Op::Normalizer(family, args) => {
                for i in normalizer(family, args.len()).unwrap_or_default() {
                    self.reach(args[i], reached);
                }
            }
            Op::If { then, otherwise, .. } => [then.1, otherwise.1].into_iter().for_each(|a| self.reach(a, reached)),
            Op::Reduce { body, .. } => {
                self.reach(body.1, reached);
                for item in &self.tape.scopes[body.0].items {
                    if let Item::Node(inner) = item {
                        self.reach(*inner, reached);
                    }
                }
            }
        }
    }
}

/// The weights of a factor's rows.
fn weights_ident(factor: usize) -> Ident {
    format_ident!("weights_{}", factor, span = Span::mixed_site())
}

/// The field of a precomputed column.
pub(crate) fn column_field(column: usize) -> Ident {
    format_ident!("__column_{}", column, span = Span::mixed_site())
}
