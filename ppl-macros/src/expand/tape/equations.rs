//! Differential equations on the tape: what starts them, what is the same between two times, and the equations, each in a scope of its own.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{Column, Item, NodeId, Op, ScopeKind, Solved, Tape, vars_of};
use crate::expand::{kernel, names};
use crate::ir::{ComponentId, Expr, Index, OdeBlock, VarId};

impl<'m> Tape<'m> {
    pub(super) fn ode(&mut self, block: &'m OdeBlock, columns: &mut Vec<Column>) {
        let model = self.model;
        let around = self.solving.replace(block.time);
        let starts = self.open(ScopeKind::Block);
        block.starts().iter().for_each(|stmt| self.statement(stmt, columns));
        self.close(starts);
        let interval = self.open(ScopeKind::Loop(block.at));
        // The time differs between evaluations, as what a sum runs over does between its terms: nothing that reads it is computed beforehand.
        let equations = self.open(ScopeKind::Reduce(block.time));
        block.equations().iter().for_each(|stmt| self.statement(stmt, columns));
        self.close(equations);
        self.close(interval);
        self.solving = around;
        // Each time goes on from the one before, and so does the derivative.
        self.reads.extend(block.components.clone().map(|id| model.components[id].site));
        let solver = names::solver(model, block.time);
        let name = quote!(#solver);
        let components: Vec<[TokenStream; 3]> = block
            .components
            .clone()
            .map(|id| {
                let (row, len) = names::component_rows(model, block, id);
                [names::component_first(model, id), row, len]
            })
            .collect();
        let resumed =
            components.iter().map(|own| kernel::each(own, |place, row| quote!(#solver.resume(#place, frame.load(#row));)));
        self.push(Item::Ode(Box::new(Solved {
            size: names::equation_size(model, block.components.clone()),
            time: names::var(model, block.time),
            at: block.at,
            advance: [false, true].map(|kept| kernel::advance(model, block, &name, kept)),
            resume: kernel::resume(model, block, &name, &quote!(#(#resumed)*)),
            solver,
            components,
            starts,
            interval,
            equations,
        })));
    }

    /// What stands left of `=`, and the value.
    pub(super) fn equation(
        &mut self,
        component: ComponentId,
        index: &[Index],
        value: &Expr,
        columns: &mut Vec<Column>,
    ) -> (Ident, TokenStream, NodeId) {
        let node = self.expr(value, columns);
        (names::solver(self.model, self.time()), names::component_place(self.model, component, index), node)
    }

    /// A component within the equations.
    pub(super) fn solution(&mut self, component: ComponentId, index: &[Index]) -> NodeId {
        let time = self.time();
        let place = names::component_place(self.model, component, index);
        let vars: Vec<VarId> = vars_of(index).into_iter().chain([time]).collect();
        let scope = self.scope_of_vars(&vars);
        let known = &self.model.sites[self.model.components[component].site];
        let name = names::element_name(self.model, &known.name, index);
        self.node(Op::Component { solver: names::solver(self.model, time), place }, scope, &name)
    }

    fn time(&self) -> VarId {
        self.solving.unwrap_or_else(|| unreachable!("a component is read within its equation"))
    }
}
