//! Operations on arrays: `let y[N] = matvec(a, x);`, with dimensions that agree.

use proc_macro2::{Ident, Span};

use super::axes::{Axis, close_axes};
use super::{Entity, Lowering};
use crate::catalogue::{self, Axes, Operation};
use crate::ir::{DimId, Expr, ExprKind, SiteKind, Stmt, StmtKind, Vector};
use crate::syntax::{self, CallArg};

/// What is known of the sizes of the axes of a distribution or an operation.
pub(super) struct Sizes {
    word: &'static str,
    known: Vec<(&'static str, DimId, String)>,
}

impl Sizes {
    pub(super) fn new(word: &'static str) -> Self {
        Sizes { word, known: Vec::new() }
    }

    /// The dimension that an axis is over.
    pub(super) fn dim(&self, axis: &str) -> Option<DimId> {
        self.known.iter().find(|(known, ..)| *known == axis).map(|(_, dim, _)| *dim)
    }
}

/// The operation that an expression calls.
pub(super) fn called(expr: &syntax::Expr) -> Option<(&Ident, &[CallArg])> {
    match &expr.kind {
        syntax::ExprKind::Paren(inner) => called(inner),
        syntax::ExprKind::Call { callee, args } => match &callee.kind {
            syntax::ExprKind::Name(word) if catalogue::operations(&word.to_string()).next().is_some() => Some((word, args)),
            _ => None,
        },
        _ => None,
    }
}

impl Lowering<'_> {
    /// Notes the sizes of axes; where one is known, it has to be the same.
    pub(super) fn same_sizes(&mut self, sizes: &mut Sizes, axes: Axes, dims: &[DimId], what: &str, span: Span) -> Option<()> {
        for (axis, &dim) in axes.iter().zip(dims) {
            match sizes.known.iter().find(|(known, ..)| known == axis) {
                Some((_, known, other)) if *known != dim => {
                    let (found, expected) = (self.model.dim_name(dim), self.model.dim_name(*known));
                    let message = format!(
                        "in `{}` an axis of {what} is over `{found}`, and has to be over `{expected}` as that of {other}",
                        sizes.word
                    );
                    self.error(span, message);
                    return None;
                }
                Some(_) => {}
                None => sizes.known.push((axis, dim, what.to_owned())),
            }
        }
        Some(())
    }

    /// `let y[.., N] = word(operands);`
    pub(super) fn operation(
        &mut self,
        lhs: &syntax::Lhs,
        axes: &[Axis],
        (word, args): (&Ident, &[CallArg]),
        text: &str,
    ) -> Option<Stmt> {
        let operation = self.choose_operation(word, args)?;
        let event = self.event(axes, operation.axes.len(), &lhs.name)?;
        if self.lookup(&lhs.name).is_some() {
            self.error(
                lhs.name.span(),
                format!("`{}` is declared twice; names in a model are unique, choose another one", lhs.name),
            );
            return None;
        }
        let plain = axes.len() - operation.axes.len();
        let opened = self.open_axes(&axes[..plain]);
        let mut sizes = Sizes::new(operation.name);
        let lowered = self
            .same_sizes(&mut sizes, operation.axes, &event, "the result", lhs.name.span())
            .and_then(|()| self.operands(operation, args, &mut sizes, word.span()));
        let once = self.once_an_iteration(&opened.index, &lhs.name);
        let site = self.new_site(&lhs.name, SiteKind::Quantity);
        if let Some(site) = site {
            self.declare_piece(site, axes, 0, lhs);
        }
        self.abandon_axes(&opened.vars);
        self.close_definitions();
        once.then_some(())?;
        let kind = StmtKind::Operation { site: site?, index: opened.index, operation, operands: lowered? };
        Some(close_axes(opened.vars, Stmt { kind, text: text.to_owned() }, text))
    }

    /// The operation of a name that takes operands of these axes.
    fn choose_operation(&mut self, word: &Ident, args: &[CallArg]) -> Option<&'static Operation> {
        let name = word.to_string();
        let all: Vec<&'static Operation> = catalogue::operations(&name).collect();
        let fits = |operation: &&&'static Operation| {
            let most = operation.operands.len();
            let least = (0..most).filter(|&i| !operation.is_optional(i)).count();
            (least..=most).contains(&args.len())
        };
        if let Some(named) = args.iter().find_map(|arg| arg.name.as_ref().filter(|name| *name != "jitter")) {
            self.error(named.span(), "the operands of an operation have no names; give them by position");
            return None;
        }
        let Some(&first) = all.iter().find(fits) else {
            let given = if args.len() == 1 { "1 was given".to_owned() } else { format!("{} were given", args.len()) };
            self.error(word.span(), format!("`{name}` is written `{}`; {given}", signature(all[0])));
            return None;
        };
        // The first operand tells a vector from a matrix.
        let dims = args.first().and_then(|arg| self.rank(&arg.value));
        Some(all.iter().copied().find(|operation| dims == Some(operation.operands[0].1.len())).unwrap_or(first))
    }

    /// How many axes of an array are left out.
    fn rank(&self, expr: &syntax::Expr) -> Option<usize> {
        let (name, indexed) = match &expr.kind {
            syntax::ExprKind::Paren(inner) => return self.rank(inner),
            syntax::ExprKind::Name(name) => (name, 0),
            syntax::ExprKind::Index { array, index } => (array, index.len()),
            _ => return None,
        };
        let dims = match self.lookup(name)? {
            Entity::Arg(arg) => self.model.args[arg].dims.len(),
            Entity::Site(site) => self.model.sites[site].dims.len(),
            _ => return None,
        };
        dims.checked_sub(indexed)
    }

    fn operands(
        &mut self,
        operation: &'static Operation,
        args: &[CallArg],
        sizes: &mut Sizes,
        span: Span,
    ) -> Option<Vec<Vector>> {
        let mut operands = Vec::new();
        for (position, (name, axes)) in operation.operands.iter().enumerate() {
            let Some(arg) = args.get(position) else {
                operands.push(Vector::Repeat(Box::new(Expr { kind: ExprKind::Number(0.0), span })));
                continue;
            };
            if axes.is_empty() {
                operands.push(Vector::Repeat(Box::new(self.scalar(&arg.value)?)));
                continue;
            }
            let (operand, dims) = self.array(&arg.value, axes.len())?;
            self.same_sizes(sizes, axes, &dims, &format!("`{name}`"), arg.value.span)?;
            operands.push(operand);
        }
        Some(operands)
    }
}

/// How an operation is written.
fn signature(operation: &Operation) -> String {
    let names: Vec<&str> = operation.operands.iter().map(|(name, _)| *name).collect();
    format!("{}({})", operation.name, names.join(", "))
}
