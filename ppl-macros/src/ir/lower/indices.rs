//! Index expressions: affine in bound names, sizes and whole numbers, or through an index array, over the right dimension.

use proc_macro2::{Ident, Span};

use super::{Entity, Lowering};
use crate::ir::{Affine, ArgKind, DimId, Index, Term, VarId};
use crate::syntax::{self, BinaryOp, ExprKind};

impl Lowering<'_> {
    /// Lowers a range to its bounds and the dimension that it runs over.
    pub(super) fn range(&mut self, range: &syntax::Range) -> Option<(Affine, Affine, Option<DimId>)> {
        match range {
            syntax::Range::Dim(name) => match self.lookup(name) {
                Some(Entity::Dim(dim)) => Some((Affine::constant(0), Affine::term(Term::Size(dim)), Some(dim))),
                Some(_) => {
                    self.error(name.span(), format!("`{name}` is not a dimension; loop over a dimension or a range `0..3`"));
                    None
                }
                None => {
                    let dims: Vec<String> = self.model.dims.iter().map(|dim| format!("`{}`", dim.name)).collect();
                    let known =
                        if dims.is_empty() { "none is declared".to_owned() } else { format!("there are {}", dims.join(", ")) };
                    self.error(name.span(), format!("`{name}` is not a dimension of the model ({known})"));
                    None
                }
            },
            syntax::Range::Between { from, to } => {
                let bounds = (self.affine(from), self.affine(to));
                let (from_affine, to_affine) = (bounds.0?, bounds.1?);
                for (expr, bound) in [(from, &from_affine), (to, &to_affine)] {
                    if bound.vars().next().is_some() {
                        self.error(
                            expr.span,
                            "the bounds of a range are made of sizes and whole numbers, not of other bound names",
                        );
                        return None;
                    }
                }
                let dim = to_affine.sizes().next().or_else(|| from_affine.sizes().next());
                Some((from_affine, to_affine, dim))
            }
        }
    }

    /// An index into an axis of `dim`; the span of an error is the index.
    pub(super) fn index(&mut self, expr: &syntax::Expr, dim: DimId, array: &Ident, axis: usize) -> Option<Index> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.index(inner, dim, array, axis),
            ExprKind::Index { array: latent, index } if matches!(self.lookup(latent), Some(Entity::Discrete(_))) => {
                let Some(Entity::Discrete(id)) = self.lookup(latent) else { return None };
                let value = self.discrete_value(id, latent, index, expr.span)?;
                self.along(Affine::term(Term::Var(value)), expr.span, dim, array, axis)
            }
            ExprKind::Name(latent) if matches!(self.lookup(latent), Some(Entity::Discrete(_))) => {
                let Some(Entity::Discrete(id)) = self.lookup(latent) else { return None };
                let value = self.discrete_value(id, latent, &[], expr.span)?;
                self.along(Affine::term(Term::Var(value)), expr.span, dim, array, axis)
            }
            ExprKind::Index { array: chain, index } if matches!(self.lookup(chain), Some(Entity::State { .. })) => {
                let Some(Entity::State { time, value, back }) = self.lookup(chain) else { return None };
                let value = self.state(chain, index, (time, value, back), expr.span)?;
                self.along(Affine::term(Term::Var(value)), expr.span, dim, array, axis)
            }
            ExprKind::Index { array: drawn, index } if self.drawn_latent(drawn).is_some() => {
                self.drawn_index((drawn, index), expr.span, dim, array, axis)
            }
            ExprKind::Name(drawn) if self.drawn_latent(drawn).is_some() => {
                self.drawn_index((drawn, &[]), expr.span, dim, array, axis)
            }
            ExprKind::Index { array: gather, index } => self.gather(gather, index, dim, array, axis, expr.span),
            ExprKind::Name(name) => match self.lookup(name) {
                Some(Entity::Arg(arg)) if self.model.args[arg].dims.is_empty() => {
                    self.gather(name, &[], dim, array, axis, expr.span)
                }
                _ => self.affine_index(expr, dim, array, axis),
            },
            _ => self.affine_index(expr, dim, array, axis),
        }
    }

    fn affine_index(&mut self, expr: &syntax::Expr, dim: DimId, array: &Ident, axis: usize) -> Option<Index> {
        let affine = self.affine(expr)?;
        self.along(affine, expr.span, dim, array, axis)
    }

    /// An index, where what it runs over is the dimension of the axis.
    pub(super) fn along(&mut self, affine: Affine, span: Span, dim: DimId, array: &Ident, axis: usize) -> Option<Index> {
        let dims: Vec<(VarId, Option<DimId>)> = affine.vars().map(|var| (var, self.model.vars[var].dim)).collect();
        let ranges = affine.vars().all(|var| self.model.vars[var].range);
        let fits =
            ranges || dims.is_empty() || dims.iter().any(|(_, d)| *d == Some(dim)) || dims.iter().all(|(_, d)| d.is_none());
        if !fits {
            let var = &self.model.vars[dims[0].0];
            let (over, wanted) = (self.model.dim_name(var.dim?), self.model.dim_name(dim));
            let message = format!(
                "`{}` runs over `{over}`, but axis {} of `{array}` is over `{wanted}`; index it with a name bound over `{wanted}`, or through an array of `in {wanted}`",
                var.name,
                axis + 1,
            );
            self.error(span, message);
            return None;
        }
        Some(Index::Affine(affine))
    }

    fn gather(
        &mut self,
        gather: &Ident,
        index: &[syntax::Expr],
        dim: DimId,
        array: &Ident,
        axis: usize,
        span: Span,
    ) -> Option<Index> {
        let Some(entity) = self.lookup(gather) else {
            self.unknown(gather);
            return None;
        };
        let Entity::Arg(arg) = entity else {
            self.error(span, format!("`{gather}` is not data, so it cannot be an index; an index is made of bound names, sizes, whole numbers and arrays of `in ..`"));
            return None;
        };
        let wanted = self.model.dim_name(dim);
        match self.model.args[arg].kind {
            ArgKind::Index(points) if points == dim => {}
            ArgKind::Index(points) => {
                let points = self.model.dim_name(points);
                self.error(
                    span,
                    format!("`{gather}` points into `{points}`, but axis {} of `{array}` is over `{wanted}`", axis + 1),
                );
                return None;
            }
            _ => {
                self.error(
                    span,
                    format!("`{gather}` is not an index; declare it as `[in {wanted}; ..]` to index `{array}` with it"),
                );
                return None;
            }
        }
        let dims = self.model.args[arg].dims.clone();
        if dims.len() != index.len() {
            self.error(span, format!("`{gather}` has {} axes, and {} indices were given", dims.len(), index.len()));
            return None;
        }
        let lowered: Vec<_> = index.iter().zip(&dims).enumerate().map(|(a, (i, &d))| self.index(i, d, gather, a)).collect();
        Some(Index::Gather(arg, lowered.into_iter().collect::<Option<_>>()?))
    }

    /// An affine expression in bound names, sizes and whole numbers.
    pub(super) fn affine(&mut self, expr: &syntax::Expr) -> Option<Affine> {
        match &expr.kind {
            ExprKind::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 =>
            {
                #[allow(clippy::cast_possible_truncation, reason = "a whole number below 1e15 is exact")]
                Some(Affine::constant(*x as i64))
            }
            ExprKind::Number(_) => {
                self.error(expr.span, "an index is a whole number");
                None
            }
            ExprKind::Paren(inner) => self.affine(inner),
            ExprKind::Neg(inner) => Some(Affine::default().plus(&self.affine(inner)?, -1)),
            ExprKind::Name(name) => match self.lookup(name) {
                Some(Entity::Var(var)) => Some(Affine::term(Term::Var(var))),
                Some(Entity::Dim(dim)) => Some(Affine::term(Term::Size(dim))),
                Some(Entity::Time(_)) => {
                    self.error(name.span(), crate::messages::ode_time_index(name));
                    None
                }
                Some(Entity::State { time, .. }) => {
                    let message = crate::messages::chain_whole(name, &self.model.vars[time].name.clone());
                    self.error(name.span(), message);
                    None
                }
                Some(_) => {
                    self.error(name.span(), format!("`{name}` cannot be an index; an index is made of bound names, sizes, whole numbers and arrays of `in ..`"));
                    None
                }
                None => {
                    self.unknown_index(name);
                    None
                }
            },
            ExprKind::Binary { op, left, right } => match op {
                BinaryOp::Add | BinaryOp::Sub => {
                    let (left, right) = (self.affine(left), self.affine(right));
                    Some(left?.plus(&right?, if *op == BinaryOp::Add { 1 } else { -1 }))
                }
                BinaryOp::Mul => {
                    let (left_affine, right_affine) = (self.affine(left), self.affine(right));
                    let (a, b) = (left_affine?, right_affine?);
                    match (a.as_constant(), b.as_constant()) {
                        (Some(factor), _) => Some(Affine::default().plus(&b, factor)),
                        (_, Some(factor)) => Some(Affine::default().plus(&a, factor)),
                        _ => {
                            self.not_affine(expr.span);
                            None
                        }
                    }
                }
                _ => {
                    self.not_affine(expr.span);
                    None
                }
            },
            _ => {
                self.not_affine(expr.span);
                None
            }
        }
    }

    fn not_affine(&mut self, span: Span) {
        self.error(
            span,
            "an index is a sum of bound names, sizes and whole numbers, such as `t - 1 - k`, or read from an array of `in ..`",
        );
    }

    fn unknown_index(&mut self, name: &Ident) {
        if self.declared.contains_key(&name.to_string()) {
            self.unknown(name);
        } else {
            self.error(
                name.span(),
                format!("`{name}` is not a bound name; bind it with `for {name} in ..`, or use a dimension for the whole axis"),
            );
        }
    }
}
