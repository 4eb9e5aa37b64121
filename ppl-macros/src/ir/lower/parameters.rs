//! Parameters: `param lhs: support = start;`, maximised rather than integrated over.

use proc_macro2::{Ident, Span};

use super::axes::{Axis, close_axes};
use super::{Entity, Lowering, nearest};
use crate::catalogue::Support;
use crate::ir::{Bounds, Comparison, Condition, Expr, ExprKind, Index, SiteId, SiteKind, Stmt, StmtKind};
use crate::messages;
use crate::syntax::{self, CallArg};

/// The words for supports; those of vectors take the last axis as one event, those of matrices the last two.
const SUPPORTS: &[(&str, Support)] = &[
    ("real", Support::Real),
    ("positive", Support::Positive),
    ("unit", Support::Unit),
    ("interval", Support::Interval),
    ("simplex", Support::Simplex),
    ("ordered", Support::Ordered),
    ("positive_ordered", Support::PositiveOrdered),
    ("correlation_cholesky", Support::CorrelationCholesky),
    ("covariance_cholesky", Support::CovarianceCholesky),
    ("correlation", Support::Correlation),
    ("covariance", Support::PositiveDefinite),
];

/// How many of the last axes are one event.
fn event_rank(set: Support) -> usize {
    match set {
        Support::Simplex | Support::Ordered | Support::PositiveOrdered => 1,
        Support::CorrelationCholesky | Support::CovarianceCholesky | Support::Correlation | Support::PositiveDefinite => 2,
        _ => 0,
    }
}

/// The word for the support of a parameter.
pub(crate) fn support_word(support: Support) -> &'static str {
    SUPPORTS.iter().find(|(_, known)| *known == support).map_or("real", |(word, _)| word)
}

impl Lowering<'_> {
    pub(super) fn param(
        &mut self,
        lhs: &syntax::Lhs,
        support: &syntax::Support,
        start: &syntax::Expr,
        text: &str,
    ) -> Option<Stmt> {
        if !self.summed.is_empty() {
            self.error(lhs.name.span(), messages::SUM_PARAM);
            return None;
        }
        let axes = self.axes(&lhs.index)?;
        let site = match self.lookup(&lhs.name) {
            Some(Entity::Site(site)) if self.model.sites[site].kind == SiteKind::Parameter => site,
            _ => self.new_site(&lhs.name, SiteKind::Parameter)?,
        };
        let set = self.support(support);
        let rank = set.map_or(0, event_rank);
        let is_whole = |axis: &Axis| matches!(axis, Axis::Whole(_));
        if axes.len() < rank || (rank == 2 && !axes.iter().rev().take(2).all(is_whole)) {
            let (name, word) = (&lhs.name, &support.word);
            let (set, what, example) = if rank == 1 { ("vectors", "axis", "K") } else { ("matrices", "two axes", "K, K") };
            self.error(
                name.span(),
                format!("`{word}` is a set of {set}; name the {what} of `{name}`: `param {name}[{example}]: {word} = ..;`"),
            );
            return None;
        }
        if let (2, [.., Axis::Whole(rows), Axis::Whole(columns)]) = (rank, &axes[..])
            && rows != columns
        {
            let (rows, columns) = (self.model.dim_name(*rows), self.model.dim_name(*columns));
            self.error(lhs.name.span(), messages::param_square(&lhs.name, &rows, &columns));
            return None;
        }
        let opened = self.open_axes(&axes);
        self.declare_piece(site, &axes, rank, lhs);
        let once = self.once_an_iteration(&opened.index, &lhs.name);
        let bounds = if set == Some(Support::Interval) { self.interval(support).map(Some) } else { Some(None) };
        let start = if rank == 2 { self.matrix_start(start, &opened.index) } else { self.scalar(start) };
        let start = start.and_then(|start| self.of_data(start));
        self.abandon_axes(&opened.vars);
        self.not_over_discretes(&lhs.name)?;
        let (bounds, start) = (bounds?, start?);
        once.then_some(())?;
        self.take_support(site, set?, bounds.as_ref(), support.word.span())?;
        let bounds = bounds.map(Box::new);
        let stmt = Stmt { kind: StmtKind::Param { site, index: opened.index, bounds, start }, text: text.to_owned() };
        Some(close_axes(opened.vars, stmt, text))
    }

    /// Where a matrix starts: at data of its axes, or at a number on its diagonal.
    fn matrix_start(&mut self, start: &syntax::Expr, index: &[Index]) -> Option<Expr> {
        let span = start.span;
        let of = |kind: ExprKind| Box::new(Expr { kind, span });
        if let syntax::ExprKind::Name(name) = &start.kind
            && let Some(Entity::Arg(arg)) = self.lookup(name)
            && self.model.args[arg].dims.len() == index.len()
        {
            return Some(*of(ExprKind::Data(arg, index.to_vec())));
        }
        let diagonal = self.scalar(start)?;
        let [.., Index::Affine(row), Index::Affine(column)] = index else { return None };
        let (row, column) = (ExprKind::Var(row.as_var()?), ExprKind::Var(column.as_var()?));
        let condition = Condition::Compare(Comparison::Eq, of(row), of(column));
        Some(*of(ExprKind::If(Box::new(condition), Box::new(diagonal), of(ExprKind::Number(0.0)))))
    }

    /// The set that a word means.
    fn support(&mut self, support: &syntax::Support) -> Option<Support> {
        let word = support.word.to_string();
        let words = || SUPPORTS.iter().map(|(known, _)| *known);
        let Some(&(_, set)) = SUPPORTS.iter().find(|(known, _)| *known == word) else {
            let near = nearest(&word, words()).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let all: Vec<String> = words().map(|word| format!("`{word}`")).collect();
            self.error(
                support.word.span(),
                format!("`{word}` is not a support of the language{near} (there are {})", all.join(", ")),
            );
            return None;
        };
        match support.args.first() {
            Some(arg) if set != Support::Interval => {
                let at = arg.name.as_ref().map_or(arg.value.span, Ident::span);
                self.error(at, format!("`{word}` has no bounds; leave out the brackets, or write `interval(..)`"));
                None
            }
            _ => Some(set),
        }
    }

    /// `interval(lower, upper)`: the bounds.
    fn interval(&mut self, support: &syntax::Support) -> Option<Bounds> {
        let bound = |word: &str, position: usize| {
            let named = support.args.iter().find(|arg| arg.name.as_ref().is_some_and(|name| name == word));
            named.or_else(|| support.args.get(position).filter(|arg| arg.name.is_none()))
        };
        let (Some(CallArg { value: lower, .. }), Some(CallArg { value: upper, .. }), 2) =
            (bound("lower", 0), bound("upper", 1), support.args.len())
        else {
            self.error(support.word.span(), "an interval is written with both of its bounds: `interval(0, 10)`");
            return None;
        };
        let (lower, upper) = (self.scalar(lower), self.scalar(upper));
        let bounds = Bounds { lower: Some(lower?), upper: Some(upper?) };
        self.bounds_of_data(&bounds).then_some(bounds)
    }

    /// Refuses a start that is not known before the fit.
    fn of_data(&mut self, start: Expr) -> Option<Expr> {
        if let Some(span) = self.first_unknown(&start) {
            self.error(span, "a parameter starts from data, sizes and numbers; this is known only after the fit");
            return None;
        }
        Some(start)
    }

    /// Notes the support; all elements share one.
    fn take_support(&mut self, site: SiteId, set: Support, bounds: Option<&Bounds>, span: Span) -> Option<()> {
        let known = &mut self.model.sites[site];
        let first = known.pieces.len() == 1;
        if !first && known.support != set {
            self.different_supports(site, span);
            return None;
        }
        known.support = set;
        // Each statement has bounds of its own.
        known.bounds = bounds.filter(|_| first).cloned();
        Some(())
    }
}
