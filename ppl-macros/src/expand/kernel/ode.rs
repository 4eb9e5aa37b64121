//! Differential equations: forward from time to time, and back again with the derivative of each step.

use proc_macro2::TokenStream;
use quote::quote;

use super::Writer;
use crate::expand::names;
use crate::expand::scalar::{self, Source};
use crate::expand::tape::{Item, Solved};
use crate::ir::{Model, OdeBlock};

/// The statement that sets the steps from one time to the next; their points are kept for the derivative.
pub(crate) fn advance(model: &Model, block: &OdeBlock, solver: &TokenStream, kept: bool) -> TokenStream {
    let [from, to] = [&block.from, &block.to].map(|time| scalar::expr(model, time, Source::Fields));
    let at = names::var(model, block.at);
    let steps = block.steps.map_or_else(|| quote!(None), |steps| quote!(Some(#steps)));
    quote! {
        let before = if #at == 0 { #from } else { let #at = #at - 1; #to };
        #solver.advance(before, #to, self.__refinement.steps(#steps), #kept);
    }
}

/// A statement for each element of a component: its place, and its row.
pub(crate) fn each(
    [first, row, len]: &[TokenStream; 3],
    statement: impl Fn(TokenStream, TokenStream) -> TokenStream,
) -> TokenStream {
    if len.to_string() == "1" {
        return statement(first.clone(), row.clone());
    }
    let inner = statement(quote!(#first + element), quote!(#row + element));
    quote!(for element in 0..#len { #inner })
}

/// The statement that takes up the state at the time before.
pub(crate) fn resume(model: &Model, block: &OdeBlock, solver: &TokenStream, resumed: &TokenStream) -> TokenStream {
    let at = names::var(model, block.at);
    quote!(if #at == 0 { #solver.begin(); } else { let #at = #at - 1; #resumed })
}

impl Writer<'_, '_> {
    /// The evaluations of the equations between two times.
    fn evaluate(&mut self, solved: &Solved, kept: bool) -> TokenStream {
        let Solved { solver, time, advance, .. } = solved;
        let (advance, equations) = (&advance[usize::from(kept)], self.forward_scope(solved.equations));
        quote! {
            #advance
            while #solver.evaluates() {
                let #time = #solver.time();
                #equations
            }
        }
    }

    /// The solution at all times.
    pub(super) fn solve_ode(&mut self, solved: &Solved) -> TokenStream {
        let Solved { solver, size, at, resume, components, .. } = solved;
        let (at, range) = (names::var(self.tape.model, *at), names::range(self.tape.model, *at));
        let (starts, interval) = (self.forward_scope(solved.starts), self.forward_scope(solved.interval));
        let evaluate = self.evaluate(solved, false);
        let stored = components.iter().map(|own| each(own, |place, row| quote!(frame.store(#row, #solver.value(#place));)));
        quote! {{
            let mut #solver = _ppl::Ode::<V>::new(#size);
            #starts
            for #at in #range {
                #interval
                #resume
                #evaluate
                #(#stored)*
            }
        }}
    }

    /// The adjoints of the values at all times, carried to what the solution is made of.
    pub(super) fn pull_ode(&mut self, solved: &Solved) -> TokenStream {
        let tape = self.tape;
        let Solved { solver, size, at, time, resume, components, .. } = solved;
        let (at, range) = (names::var(tape.model, *at), names::range(tape.model, *at));
        let starts = self.forward_scope(solved.starts);
        let mut interval = self.defines(solved.interval);
        interval.extend(self.declare_adjoints(solved.interval));
        let evaluate = self.evaluate(solved, true);
        let added =
            components.iter().map(|own| each(own, |place, row| quote!(#solver.add_adjoint(#place, frame.adjoint(#row));)));
        let equations = self.accumulate_scope(solved.equations);
        let mut after = TokenStream::new();
        for item in tape.scopes[solved.interval].items.iter().rev() {
            if let Item::Node(node) = item {
                after.extend(self.reverse(*node));
            }
        }
        let pull_starts = self.accumulate_scope(solved.starts);
        quote! {{
            let mut #solver = _ppl::Ode::<V>::new(#size);
            #starts
            for #at in (#range).rev() {
                #interval
                #resume
                #evaluate
                #(#added)*
                while #solver.pulls() {
                    let #time = #solver.time();
                    #equations
                }
                #after
            }
            #pull_starts
        }}
    }
}
