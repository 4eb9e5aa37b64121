//! Chains: tables of probabilities and log densities are filled in loops, the sum over all paths is taken of them at once.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{Delta, Form, Writer};
use crate::expand::names;
use crate::expand::tape::{Item, Nest, NodeId, Op, ScopeKind};
use crate::ir::VarId;

impl Writer<'_, '_> {
    /// The tables of a chain.
    fn chain_ident(&self, node: NodeId) -> Ident {
        format_ident!("{}_chain", self.tape.nodes[node].name, span = Span::mixed_site())
    }

    /// A bound name counted from the beginning of its range.
    pub(super) fn place(&self, var: VarId) -> TokenStream {
        let (name, from) = (names::var(self.tape.model, var), &self.tape.model.vars[var].from);
        if from.as_constant() == Some(0) {
            return quote!(#name);
        }
        let from = names::affine(self.tape.model, from);
        quote!((#name - (#from)))
    }

    /// The loops of a nest around some statements; of steps all but the first, for what leads to them.
    fn loops(
        &self,
        nest: &Nest,
        later: Option<VarId>,
        mut inner: impl FnMut(usize) -> (TokenStream, TokenStream),
    ) -> TokenStream {
        let mut out = TokenStream::new();
        for (depth, &scope) in nest.scopes.iter().enumerate().rev() {
            let ScopeKind::Reduce(var) = self.tape.scopes[scope].kind else { unreachable!("a nest is of sums") };
            let (index, range) = (names::var(self.tape.model, var), names::range(self.tape.model, var));
            let range = if later == Some(var) { quote!((#range).skip(1)) } else { range };
            let (before, after) = inner(depth);
            out = quote!(for #index in #range { #before #out #after });
        }
        out
    }

    /// Fills a table.
    fn fill(&mut self, nest: &Nest, later: Option<VarId>, set: impl Fn(TokenStream) -> TokenStream) -> TokenStream {
        let defined: Vec<TokenStream> = nest.scopes.iter().map(|&scope| self.defines(scope)).collect();
        let innermost = set(self.value(nest.value));
        let last = nest.scopes.len() - 1;
        self.loops(nest, later, |depth| {
            (defined[depth].clone(), if depth == last { innermost.clone() } else { TokenStream::new() })
        })
    }

    /// The statements that compute the logarithm of the sum over all paths.
    pub(super) fn define_chain(&mut self, node: NodeId) -> TokenStream {
        let Op::Chain { sum, choice, time, before, value, start, step, emission } = &self.tape.nodes[node].op else {
            return TokenStream::new();
        };
        let (sum, choice, time, value) = (*sum, choice.clone(), *time, *value);
        let (name, chain) = (self.ident(node), self.chain_ident(node));
        let [steps, values] = [time, value].map(|var| names::length(self.tape.model, var));
        let [at, from, to] = [time, *before, value].map(|var| self.place(var));
        let same = step.scopes.len() == 2;
        let step_at = if same { quote!(0) } else { at.clone() };
        let later = (!same).then_some(time);
        let (start, step, emission) = (start.clone(), step.clone(), emission.clone());
        let start = self.fill(&start, None, |p| quote!(#chain.set_start(#to, #p);));
        let step = self.fill(&step, later, |p| quote!(#chain.set_step(#step_at, #from, #to, #p);));
        let emission = self.fill(&emission, None, |log_prob| quote!(#chain.set_emission(#at, #to, #log_prob);));
        // What each value of each step contributes is told where it is asked for.
        let tell = (self.form == Form::Forward).then(|| {
            let [times, range] = [time, value].map(|var| names::range(self.tape.model, var));
            let [t, k] = [time, value].map(|var| names::var(self.tape.model, var));
            quote! {
                if frame.asks(#sum) {
                    let told = #chain.told(frame.asks_for_path());
                    for #t in #times { for #k in #range { frame.choose(#sum, #choice, told.of(#at, #to)); } }
                }
            }
        });
        quote! {
            let mut #chain = _ppl::Chain::<V>::new(#steps, #values, #same);
            #start
            #step
            #emission
            let #name = #chain.forward();
            #tell
        }
    }

    /// The adjoint of the sum over all paths, carried to what its tables were filled with.
    pub(super) fn pull_chain(&mut self, node: NodeId, adjoint: &TokenStream) -> TokenStream {
        let Op::Chain { time, before, value, start, step, emission, .. } = &self.tape.nodes[node].op else {
            return TokenStream::new();
        };
        let (time, chain) = (*time, self.chain_ident(node));
        let [at, from, to] = [time, *before, *value].map(|var| self.place(var));
        let same = step.scopes.len() == 2;
        let step_at = if same { quote!(0) } else { at.clone() };
        let later = (!same).then_some(time);
        let (start, step, emission) = (start.clone(), step.clone(), emission.clone());
        let emission = self.pull_nest(&emission, None, adjoint, &quote!(#chain.d_emission(#at, #to)));
        let step = self.pull_nest(&step, later, adjoint, &quote!(#chain.d_step(#step_at, #from, #to)));
        let start = self.pull_nest(&start, None, adjoint, &quote!(#chain.d_start(#to)));
        quote! {
            #chain.backward();
            #emission
            #step
            #start
        }
    }

    /// The nest once more, and its derivative.
    fn pull_nest(&mut self, nest: &Nest, later: Option<VarId>, adjoint: &TokenStream, derivative: &TokenStream) -> TokenStream {
        if !self.tape.nodes[nest.value].active {
            return TokenStream::new();
        }
        let tape = self.tape;
        let mut parts: Vec<(TokenStream, TokenStream)> = Vec::new();
        for &scope in &nest.scopes {
            let mut before = self.defines(scope);
            before.extend(self.declare_adjoints(scope));
            parts.push((before, TokenStream::new()));
        }
        for (depth, &scope) in nest.scopes.iter().enumerate().rev() {
            let mut after = TokenStream::new();
            if depth + 1 == nest.scopes.len() {
                after.extend(self.deliver(nest.value, Delta::Product(adjoint.clone(), derivative.clone()), scope));
            }
            for item in tape.scopes[scope].items.iter().rev() {
                if let Item::Node(node) = item {
                    after.extend(self.reverse(*node));
                }
            }
            parts[depth].1 = after;
        }
        self.loops(nest, later, |depth| parts[depth].clone())
    }
}
