//! Latents of rows that are left to the automatic guide: each row has a location and a scale of its own, which a table of the engine gives.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::globals::size;
use super::{Call, Discrete, Operand, Rows};
use crate::catalogue::Support;
use crate::ir::{self, SiteKind};
use crate::syntax::{self, CallArg, Expr, ExprKind, Lhs, Model, Range, Stmt};

/// What the table of a latent is asked by: the number of the row, which the engine gives. No name of a user's is written so.
const ROW: &str = "__row";

/// A latent of rows that is left to the automatic guide.
#[derive(Debug)]
pub(crate) struct Table {
    pub latent: Ident,
    /// The axes of its unconstrained numbers, each with what is taken off its size; of a discrete one, those of its logits.
    axes: Vec<(Ident, usize)>,
    /// Whether there is a scale for each of these numbers.
    scales: bool,
}

impl Table {
    /// The size of an axis in the row of the guide.
    fn axis(dim: &Ident, less: usize) -> Ident {
        if less == 0 { dim.clone() } else { format_ident!("__{}_less_{}", dim, less, span = dim.span()) }
    }
}

/// Writes the distributions of the latents in `rows.auto`: `param loc_of_z[Z]: real = 0; .. z[Z] ~ Normal(loc_of_z, exp(log_scale_of_z));`, on the
/// unconstrained scale of the latents of the model's row, and `k ~ Categorical(logits = logits_of_k);` of those that are discrete there.
pub(super) fn leave(rows: &mut Rows, model: &ir::Model, discretes: &[Discrete]) {
    for latent in rows.auto.clone() {
        if let Some(discrete) = discretes.iter().find(|discrete| discrete.name == latent) {
            let axes: Vec<(Ident, usize)> = discrete.of_logits().into_iter().map(|dim| (dim, 0)).collect();
            let table = Table { latent, axes, scales: false };
            let [logits] = table.declare(rows, ["logits"]);
            let categorical = discrete.categories().is_some();
            let left = table.axes.len() - usize::from(categorical);
            let (word, argument) = if categorical { ("Categorical", "logits") } else { ("Bernoulli", "logit") };
            table.write(rows, left, !categorical, &|read| call(word, vec![(Some(argument), read(&logits))], table.latent.span()));
            rows.discretes.push(discrete.guided_by(&logits));
            rows.row.arguments.insert(0, discrete.argument());
            rows.tables.push(table);
            continue;
        }
        let is_it = |site: &&ir::Site| site.name == latent && site.kind == SiteKind::Latent;
        let Some(site) = model.sites.iter().find(is_it) else { continue };
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
        let table = Table { latent, axes, scales: true };
        let [loc, log_scale] = table.declare(rows, ["loc", "log_scale"]);
        let span = table.latent.span();
        table.write(rows, table.axes.len(), true, &|read| {
            let scale = call("exp", vec![(None, read(&log_scale))], span);
            call("Normal", vec![(None, read(&loc)), (None, scale)], span)
        });
        rows.tables.push(table);
    }
}

fn name(name: Ident) -> Expr {
    let span = name.span();
    Expr { kind: ExprKind::Name(name), span }
}

fn call(word: &str, args: Vec<(Option<&str>, Expr)>, span: Span) -> Expr {
    let callee = Box::new(name(Ident::new(word, span)));
    let arg = |(word, value): (Option<&str>, Expr)| CallArg { name: word.map(|word| Ident::new(word, span)), value };
    Expr { kind: ExprKind::Call { callee, args: args.into_iter().map(arg).collect() }, span }
}

impl Table {
    /// Declares what the table gives as parameters of the row: `logits_of_k`.
    fn declare<const COUNT: usize>(&self, rows: &mut Rows, what: [&str; COUNT]) -> [Ident; COUNT] {
        let (latent, span) = (&self.latent, self.latent.span());
        let results = what.map(|what| Ident::new(&format!("{what}_of_{latent}"), span));
        for result in &results {
            rows.row.body.push(Stmt::Param {
                lhs: Lhs { name: result.clone(), index: self.whole() },
                support: syntax::Support { word: Ident::new("real", span), args: Vec::new() },
                start: Expr { kind: ExprKind::Number(0.0), span },
            });
        }
        let operands = vec![Operand { name: Ident::new(ROW, span), one_hot: false }];
        let network = rows.networks().count() + rows.tables.len();
        rows.calls.push(Call { network, operands, results: results.to_vec() });
        results
    }

    /// All axes.
    fn whole(&self) -> Vec<Expr> {
        self.axes.iter().map(|(dim, less)| name(Self::axis(dim, *less))).collect()
    }

    /// Writes the statement of the latent, over so many axes of the table, of which the last is written whole or is a loop as the others.
    fn write(&self, rows: &mut Rows, axes: usize, last_whole: bool, distribution: &dyn Fn(&dyn Fn(&Ident) -> Expr) -> Expr) {
        let (latent, span) = (&self.latent, self.latent.span());
        // An array that is read may leave out its last axis alone: the others are loops.
        let loops = axes - usize::from(last_whole && axes > 0);
        let bound: Vec<Ident> = (0..loops).map(|at| format_ident!("__at_{}_of_{}", at, latent, span = span)).collect();
        let at = || bound.iter().cloned().map(name).collect::<Vec<Expr>>();
        let read = |array: &Ident| match loops {
            0 => name(array.clone()),
            _ => Expr { kind: ExprKind::Index { array: array.clone(), index: at() }, span },
        };
        let index = at().into_iter().chain(self.whole().into_iter().take(axes).skip(loops)).collect();
        let statement =
            Stmt::Sample { lhs: Lhs { name: latent.clone(), index }, distribution: distribution(&read), sampled: None };
        let all = bound.iter().zip(&self.axes[..loops]).rev();
        rows.row.body.push(all.fold(statement, |stmt, (var, (dim, _))| Stmt::For {
            var: var.clone(),
            range: Range::Dim(dim.clone()),
            body: vec![stmt],
        }));
    }
}

/// The rows of the guide that leaves all latents of a model to the automatic one.
pub(crate) fn automatic(rows: &Rows, compiled: &ir::Model) -> Rows {
    let row = Model {
        attrs: Vec::new(),
        krate: rows.row.krate.clone(),
        row: true,
        row_guide: true,
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
    leave(&mut guide, compiled, &rows.discretes);
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
        let locations = quote!(1 #(* #sizes)*);
        let log_scales = if table.scales { locations.clone() } else { quote!(0) };
        quote!(_ppl::RowTable { name: #word, locations: #locations, log_scales: #log_scales })
    });
    quote! {
        fn tables(&self, model: &_ppl::BoundRows<'_, #row>) -> Vec<_ppl::RowTable> {
            vec![#(#each),*]
        }
    }
}
