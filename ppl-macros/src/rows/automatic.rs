//! Latents of rows that are left to the automatic guide: each row has a location and a scale of its own, which a table of the engine gives.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::globals::size;
use super::{Call, Operand, Rows};
use crate::catalogue::Support;
use crate::ir::{self, SiteKind};
use crate::syntax::{self, CallArg, Expr, ExprKind, Lhs, Model, Range, Stmt};

/// What the table of a latent is asked by: the number of the row, which the engine gives. No name of a user's is written so.
const ROW: &str = "__row";

/// A latent of rows that is left to the automatic guide.
#[derive(Debug)]
pub(crate) struct Table {
    pub latent: Ident,
    /// The axes of its unconstrained numbers, each with what is taken off its size.
    axes: Vec<(Ident, usize)>,
}

impl Table {
    /// The size of an axis in the row of the guide.
    fn axis(dim: &Ident, less: usize) -> Ident {
        if less == 0 { dim.clone() } else { format_ident!("__{}_less_{}", dim, less, span = dim.span()) }
    }
}

/// Writes the distributions of the latents in `rows.auto`: `param loc_of_z[Z]: real = 0; .. z[Z] ~ Normal(loc_of_z, exp(log_scale_of_z));`, on the
/// unconstrained scale of the latents of the model's row.
pub(super) fn leave(rows: &mut Rows, model: &ir::Model) {
    let networks = rows.networks().count();
    for latent in rows.auto.clone() {
        let is_it = |site: &&ir::Site| site.name == latent && site.kind == SiteKind::Latent;
        let Some(site) = model.sites.iter().find(is_it) else { continue };
        let span = latent.span();
        let dims: Vec<Ident> = site.dims.iter().filter_map(|&dim| model.dims.get(dim)).map(|dim| dim.name.clone()).collect();
        let last = dims.len().saturating_sub(1);
        let less = |at: usize| usize::from(site.support == Support::Simplex && at == last);
        let axes: Vec<(Ident, usize)> = dims.into_iter().enumerate().map(|(at, dim)| (dim, less(at))).collect();
        for (dim, less) in axes.iter().filter(|(_, less)| *less > 0) {
            let argument = size(&Table::axis(dim, *less));
            if !rows.row.arguments.iter().any(|known| known.name == argument.name) {
                rows.row.arguments.push(argument);
            }
        }
        let name = |name: Ident| Expr { kind: ExprKind::Name(name), span };
        let whole: Vec<Expr> = axes.iter().map(|(dim, less)| name(Table::axis(dim, *less))).collect();
        let call = |word: &str, args: Vec<Expr>| {
            let callee = Box::new(name(Ident::new(word, span)));
            let args = args.into_iter().map(|value| CallArg { name: None, value }).collect();
            Expr { kind: ExprKind::Call { callee, args }, span }
        };
        let [loc, log_scale] = ["loc", "log_scale"].map(|what| Ident::new(&format!("{what}_of_{latent}"), span));
        for result in [&loc, &log_scale] {
            rows.row.body.push(Stmt::Param {
                lhs: Lhs { name: result.clone(), index: whole.clone() },
                support: syntax::Support { word: Ident::new("real", span), args: Vec::new() },
                start: Expr { kind: ExprKind::Number(0.0), span },
            });
        }
        // An array that is read may leave out its last axis alone: the others are loops.
        let bound: Vec<Ident> = (0..last).map(|at| format_ident!("__at_{}_of_{}", at, latent, span = span)).collect();
        let at = || bound.iter().cloned().map(name).collect::<Vec<Expr>>();
        let read = |array: &Ident| match last {
            0 => name(array.clone()),
            _ => Expr { kind: ExprKind::Index { array: array.clone(), index: at() }, span },
        };
        let distribution = call("Normal", vec![read(&loc), call("exp", vec![read(&log_scale)])]);
        let index = at().into_iter().chain(whole.last().cloned()).collect();
        let statement = Stmt::Sample { lhs: Lhs { name: latent.clone(), index }, distribution };
        let loops = bound.iter().zip(&axes[..last]).rev();
        rows.row.body.push(loops.fold(statement, |stmt, (var, (dim, _))| Stmt::For {
            var: var.clone(),
            range: Range::Dim(dim.clone()),
            body: vec![stmt],
        }));
        let network = networks + rows.tables.len();
        rows.calls.push(Call {
            network,
            operands: vec![Operand { name: Ident::new(ROW, span), one_hot: false }],
            results: vec![loc, log_scale],
        });
        rows.tables.push(Table { latent, axes });
    }
}

/// The rows of the guide that leaves all latents of a model to the automatic one.
pub(crate) fn automatic(rows: &Rows, compiled: &ir::Model) -> Rows {
    let row = Model {
        attrs: Vec::new(),
        krate: rows.row.krate.clone(),
        row: true,
        shared: Vec::new(),
        vis: rows.row.vis.clone(),
        name: format_ident!("{}Automatic", rows.row.name),
        arguments: rows.dims.iter().map(size).collect(),
        body: Vec::new(),
    };
    let mut guide = Rows {
        row,
        plate: rows.plate.clone(),
        dims: rows.dims.clone(),
        arguments: Vec::new(),
        calls: Vec::new(),
        latents: Vec::new(),
        discretes: Vec::new(),
        priors: Vec::new(),
        globals: super::Globals::default(),
        auto: rows.latents.iter().map(|(latent, _)| latent.clone()).collect(),
        tables: Vec::new(),
    };
    leave(&mut guide, compiled);
    guide
}

/// The fields of the row of a guide that are sizes of unconstrained numbers.
pub(super) fn sizes(rows: &Rows) -> Vec<TokenStream> {
    let mut found: Vec<(Ident, TokenStream)> = Vec::new();
    for (dim, less) in rows.tables.iter().flat_map(|table| &table.axes).filter(|(_, less)| *less > 0) {
        let own = Table::axis(dim, *less);
        if !found.iter().any(|(known, _)| *known == own) {
            found.push((own.clone(), quote!(#own: model.row.#dim.saturating_sub(#less))));
        }
    }
    found.into_iter().map(|(_, field)| field).collect()
}

/// `RowGuide::tables`: each with its numbers for a row, a location and the logarithm of a scale for each unconstrained number.
pub(super) fn tables(rows: &Rows, row: &TokenStream) -> TokenStream {
    if rows.tables.is_empty() {
        return TokenStream::new();
    }
    let each = rows.tables.iter().map(|table| {
        let word = table.latent.to_string();
        let sizes = table.axes.iter().map(|(dim, less)| match *less {
            0 => quote!(model.row.#dim),
            less => quote!(model.row.#dim.saturating_sub(#less)),
        });
        quote!((#word, 2 #(* #sizes)*))
    });
    quote! {
        fn tables(&self, model: &_ppl::BoundRows<'_, #row>) -> Vec<(&'static str, usize)> {
            vec![#(#each),*]
        }
    }
}
