//! The two forms of a body: `accumulate`, each row forward and reversed at once, and `forward`, quantities and log densities.

mod accumulate;
mod chain;
mod forward;
mod ode;
mod reverse;
mod uses;
mod values;

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::names;
use super::tape::{NodeId, Op, ScopeId, ScopeKind, Tape};
use crate::ir::{Reduce, SiteId};

pub(crate) use ode::{advance, each, resume};

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
    /// How many arrays of derivatives have names.
    derivatives: usize,
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
            derivatives: 0,
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
                let terms = (0..self.tape.nodes.len()).filter_map(|node| self.terms(node));
                quote! {
                    let mut log_prob = _ppl::zero_sum::<V>();
                    #(let mut #sums = _ppl::zero_sum::<V>();)*
                    #(let mut #gathered = _ppl::Gathered::<V>::new();)*
                    #(#weights)*
                    #(#terms)*
                    #statements
                    #(#flushed.flush(frame);)*
                    #(log_prob.join(#joined);)*
                    log_prob
                }
            }
            Form::Forward => self.forward_scope(0),
        }
    }

    /// The buffer of the terms of a `log_sum_exp`, which its derivative needs again.
    fn terms(&self, node: NodeId) -> Option<TokenStream> {
        let Op::Reduce { kind: Reduce::LogSumExp, var, .. } = self.tape.nodes[node].op else { return None };
        let (name, length) = (self.terms_ident(node), names::length(self.tape.model, var));
        self.keeps_terms(node).then(|| quote!(let mut #name = vec![V::zero(); #length];))
    }

    /// Whether the terms of a `log_sum_exp` are kept.
    fn keeps_terms(&self, node: NodeId) -> bool {
        self.form == Form::Accumulate && self.collect[node] != Collect::Nothing
    }

    fn terms_ident(&self, node: NodeId) -> Ident {
        format_ident!("{}_terms", self.tape.nodes[node].name, span = Span::mixed_site())
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
        // Of a recursion, the derivative of a row is complete when all later ones are done.
        if self.form == Form::Accumulate && self.tape.recursive.contains(&var) {
            return quote!(for #index in (#range).rev() { #statements });
        }
        quote!(for #index in #range { #statements })
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
}

/// The weights of a factor's rows.
fn weights_ident(factor: usize) -> Ident {
    format_ident!("weights_{}", factor, span = Span::mixed_site())
}

/// The field of a precomputed column.
pub(crate) fn column_field(column: usize) -> Ident {
    format_ident!("__column_{}", column, span = Span::mixed_site())
}
