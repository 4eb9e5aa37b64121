//! Expressions: arithmetic, functions, reads of data, latents and quantities, sums, and users' own functions.

use proc_macro2::{Ident, Span};

use super::{Entity, Lowering, nearest};
use crate::catalogue::Support;
use crate::ir::{
    Affine, ArgKind, Comparison, Condition, DimId, Expr, ExprKind, Function, Index, Operator, Reduce, SiteKind, Term, Vector,
    visit,
};
use crate::syntax::{self, BinaryOp};

/// Words that are functions or forms of the language besides [`Function::ALL`].
const FORMS: &[&str] = &["powi", "dot", "sum", "factor", "positive", "unit"];

/// Whether a name is a word of the language, and so cannot be declared.
pub(super) fn is_word(word: &str) -> bool {
    FORMS.contains(&word) || Function::ALL.iter().any(|(known, ..)| *known == word) || ["Truncated", "Ordered"].contains(&word)
}

impl Lowering<'_> {
    /// Lowers an expression that is one number.
    pub(super) fn scalar(&mut self, expr: &syntax::Expr) -> Option<Expr> {
        let span = expr.span;
        let kind = match &expr.kind {
            syntax::ExprKind::Number(x) => ExprKind::Number(*x),
            syntax::ExprKind::Bool(value) => ExprKind::Number(f64::from(u8::from(*value))),
            syntax::ExprKind::Paren(inner) => return self.scalar(inner),
            syntax::ExprKind::Neg(inner) => match self.scalar(inner)? {
                Expr { kind: ExprKind::Number(x), .. } => ExprKind::Number(-x),
                inner => ExprKind::Neg(Box::new(inner)),
            },
            syntax::ExprKind::Name(name) => return self.read(name, &[], span),
            syntax::ExprKind::Index { array, index } => return self.read(array, index, span),
            syntax::ExprKind::Path(_) => {
                self.error(span, "a path is called as a function here: `path::function(x)`");
                return None;
            }
            syntax::ExprKind::Binary { op, .. } if arithmetic(*op).is_some() => return self.chain(expr),
            syntax::ExprKind::Binary { .. } => ExprKind::Indicator(Box::new(self.condition(expr)?)),
            syntax::ExprKind::Not(_) => ExprKind::Indicator(Box::new(self.condition(expr)?)),
            syntax::ExprKind::If { condition, then, otherwise } => {
                let condition = self.condition(condition);
                let (then, otherwise) = (self.scalar(then), self.scalar(otherwise));
                ExprKind::If(Box::new(condition?), Box::new(then?), Box::new(otherwise?))
            }
            syntax::ExprKind::Call { callee, args } => return self.call(callee, args, span),
            syntax::ExprKind::Method { receiver, name, args } => return self.method(receiver, name, args, span),
            syntax::ExprKind::Reduce { function, var, range, body } => return self.reduce(function, var, range, body),
        };
        Some(Expr { kind, span })
    }

    /// Lowers `a + b + c` without going down once a term, so that long sums fit on the stack.
    fn chain(&mut self, expr: &syntax::Expr) -> Option<Expr> {
        let (mut first, mut rest) = (expr, Vec::new());
        while let syntax::ExprKind::Binary { op, left, right } = &first.kind
            && let Some(operator) = arithmetic(*op)
        {
            rest.push((operator, right, first.span));
            first = left;
        }
        let first = self.scalar(first);
        rest.into_iter().rev().fold(first, |left, (operator, right, span)| {
            let right = self.scalar(right);
            let kind = match (left?, right?) {
                (Expr { kind: ExprKind::Number(a), .. }, Expr { kind: ExprKind::Number(b), .. }) => {
                    ExprKind::Number(match operator {
                        Operator::Add => a + b,
                        Operator::Sub => a - b,
                        Operator::Mul => a * b,
                        Operator::Div => a / b,
                    })
                }
                (left, right) => ExprKind::Binary(operator, Box::new(left), Box::new(right)),
            };
            Some(Expr { kind, span })
        })
    }

    /// Reads a name, perhaps at an index.
    fn read(&mut self, name: &Ident, index: &[syntax::Expr], span: Span) -> Option<Expr> {
        let Some(entity) = self.lookup(name) else {
            self.unknown(name);
            return None;
        };
        let dims = match entity {
            Entity::Arg(arg) => self.model.args[arg].dims.clone(),
            Entity::Site(site) => self.model.sites[site].dims.clone(),
            Entity::Dim(_) | Entity::Var(_) | Entity::Local(_) => Vec::new(),
        };
        let mut lowered = self.indices(name, index, &dims)?;
        if lowered.len() + 1 == dims.len()
            && let Some(&var) = self.ambient.iter().rev().find(|&&var| self.model.vars[var].dim == dims.last().copied())
        {
            lowered.push(Index::Affine(Affine::term(Term::Var(var))));
        }
        if lowered.len() < dims.len() {
            let over: Vec<String> = dims[lowered.len()..].iter().map(|&d| format!("`{}`", self.model.dim_name(d))).collect();
            let message = format!(
                "`{name}` is an array over {} here, and a number is needed; index it, or use it in `dot(..)` or `sum(..)`",
                over.join(" and ")
            );
            self.error(span, message);
            return None;
        }
        let kind = match entity {
            Entity::Arg(arg) => ExprKind::Data(arg, lowered),
            Entity::Site(site) => {
                self.check_order(site, &lowered, name)?;
                ExprKind::Site(site, lowered)
            }
            Entity::Dim(dim) => ExprKind::Size(dim),
            Entity::Var(var) => ExprKind::Var(var),
            Entity::Local(local) => ExprKind::Local(local),
        };
        Some(Expr { kind, span })
    }

    /// Lowers the indices of an array, of which trailing ones may be left out.
    fn indices(&mut self, name: &Ident, index: &[syntax::Expr], dims: &[DimId]) -> Option<Vec<Index>> {
        if index.len() > dims.len() {
            let message = if dims.is_empty() {
                format!("`{name}` is a number and has no axes; write it without an index")
            } else {
                format!("`{name}` has {} axes, and {} indices were given", dims.len(), index.len())
            };
            self.error(name.span(), message);
            return None;
        }
        let lowered: Vec<Option<Index>> =
            index.iter().zip(dims).enumerate().map(|(axis, (i, &dim))| self.index(i, dim, name, axis)).collect();
        lowered.into_iter().collect()
    }

    /// Refuses reads of what is not there yet: an element by itself, or a quantity whose loop still runs.
    fn check_order(&mut self, site: usize, index: &[Index], name: &Ident) -> Option<()> {
        if self.model.sites[site].pieces.is_empty() {
            self.error(
                name.span(),
                format!("`{name}` may have missing values and is used before its distribution; move its `~` statement up"),
            );
            return None;
        }
        let Some(definition) = self.definitions.get(&site) else { return Some(()) };
        if self.model.sites[site].kind == SiteKind::Latent {
            if definition.as_slice() == index {
                self.error(name.span(), format!("`{name}` depends on itself; read another element, or another name"));
                return None;
            }
            return Some(());
        }
        let loops = &self.loops;
        let wrong = definition.iter().zip(index).any(|(defined, read)| {
            let mut open = false;
            defined.for_each_var(&mut |var| open |= loops.contains(&var));
            open && defined != read
        });
        if wrong {
            self.error(
                name.span(),
                format!("`{name}` is read at another element while its loop still runs; close the loop first (recursions of `let` are not available yet)"),
            );
            return None;
        }
        Some(())
    }

    /// Lowers an operand that is a vector: an array with its last axis left out.
    pub(super) fn vector(&mut self, expr: &syntax::Expr) -> Option<(Vector, DimId)> {
        let (name, index) = match &expr.kind {
            syntax::ExprKind::Paren(inner) => return self.vector(inner),
            syntax::ExprKind::Name(name) => (name, &[][..]),
            syntax::ExprKind::Index { array, index } => (array, index.as_slice()),
            _ => {
                self.error(expr.span, "a vector is needed here: an array with its last axis left out, such as `x[n]` or `beta`");
                return None;
            }
        };
        let Some(entity) = self.lookup(name) else {
            self.unknown(name);
            return None;
        };
        let dims = match entity {
            Entity::Arg(arg) => self.model.args[arg].dims.clone(),
            Entity::Site(site) => self.model.sites[site].dims.clone(),
            _ => Vec::new(),
        };
        let mut given = index;
        // `x[n, P]` says the same as `x[n]`.
        if let Some(syntax::Expr { kind: syntax::ExprKind::Name(last), .. }) = index.last()
            && matches!(self.lookup(last), Some(Entity::Dim(dim)) if dims.last() == Some(&dim))
        {
            given = &index[..index.len() - 1];
        }
        let lowered = self.indices(name, given, &dims)?;
        if lowered.len() + 1 != dims.len() {
            let message = if dims.is_empty() {
                format!("`{name}` is a number, and a vector is needed here")
            } else if lowered.len() == dims.len() {
                format!(
                    "`{name}` with {} indices is a number, and a vector is needed here; leave out the last index",
                    lowered.len()
                )
            } else {
                format!("`{name}` has {} axes; a vector leaves out one of them", dims.len())
            };
            self.error(name.span(), message);
            return None;
        }
        let dim = *dims.last()?;
        match entity {
            Entity::Arg(arg) => Some((Vector::Data(arg, lowered), dim)),
            Entity::Site(site) => {
                self.check_order(site, &lowered, name)?;
                Some((Vector::Site(site, lowered), dim))
            }
            _ => None,
        }
    }

    fn call(&mut self, callee: &syntax::Expr, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let name = match &callee.kind {
            syntax::ExprKind::Path(path) => return self.user_call(path.clone(), args, span),
            syntax::ExprKind::Name(name) => name,
            _ => {
                self.error(span, "only a function can be called");
                return None;
            }
        };
        let word = name.to_string();
        if crate::catalogue::entries(&word).next().is_some() || ["Truncated", "Ordered"].contains(&word.as_str()) {
            self.error(
                span,
                format!("`{word}` is a distribution, not a number; write `{word}(..).log_prob(x)` for its log density"),
            );
            return None;
        }
        if let Some((named, ())) = args.iter().find_map(|arg| arg.name.as_ref().map(|name| (name, ()))) {
            self.error(named.span(), "the arguments of a function have no names; give them by position");
            return None;
        }
        match word.as_str() {
            "dot" => {
                let [a, b] = args else { return self.arity(span, "dot", 2, args.len()) };
                self.dot(&a.value, &b.value, span)
            }
            "sum" => {
                let [vector] = args else { return self.arity(span, "sum", 1, args.len()) };
                self.reduce_vector(Reduce::Sum, &vector.value, span)
            }
            "log_sum_exp" if args.len() == 1 => self.reduce_vector(Reduce::LogSumExp, &args[0].value, span),
            "log_sum_exp" => {
                let values: Vec<Option<Expr>> = args.iter().map(|arg| self.scalar(&arg.value)).collect();
                let values: Option<Vec<Expr>> = values.into_iter().collect();
                let folded =
                    values?.into_iter().reduce(|a, b| Expr { kind: ExprKind::Function(Function::LogSumExp, vec![a, b]), span });
                if folded.is_none() {
                    self.error(span, "`log_sum_exp` needs something to sum: `log_sum_exp(a, b)`, or `log_sum_exp(k in K => ..)`");
                }
                folded
            }
            "positive" | "unit" => {
                let [value] = args else { return self.arity(span, &word, 1, args.len()) };
                let value = self.scalar(&value.value)?;
                let support = if word == "unit" { Support::Unit } else { Support::Positive };
                Some(Expr { kind: ExprKind::Assert(support, Box::new(value)), span })
            }
            "powi" => {
                let [base, exponent] = args else { return self.arity(span, "powi", 2, args.len()) };
                self.powi(&base.value, &exponent.value, span)
            }
            "factor" => {
                self.error(span, "`factor(..)` is a statement of its own, not a number");
                None
            }
            _ => match Function::ALL.iter().find(|(known, ..)| *known == word) {
                Some(&(_, arity, function)) => {
                    if args.len() != arity {
                        return self.arity(span, &word, arity, args.len());
                    }
                    let args: Vec<Option<Expr>> = args.iter().map(|arg| self.scalar(&arg.value)).collect();
                    Some(Expr { kind: ExprKind::Function(function, args.into_iter().collect::<Option<_>>()?), span })
                }
                None => self.unknown_call(name, args, span),
            },
        }
    }

    /// A call of a name that is not a word: Rust, unless it is plainly a word misspelt.
    fn unknown_call(&mut self, name: &Ident, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let word = name.to_string();
        if self.lookup(name).is_some() {
            self.error(span, format!("`{word}` is not a function; write `{word} * (..)` if a product is meant"));
            return None;
        }
        let other_name = match word.as_str() {
            "log" => Some("ln"),
            "pow" => Some("powf"),
            "inv_logit" | "expit" | "logistic" => Some("sigmoid"),
            "logsumexp" => Some("log_sum_exp"),
            "lgam" | "gammaln" | "ln_gamma" => Some("lgamma"),
            "Phi" | "pnorm" => Some("normal_cdf"),
            "fabs" => Some("abs"),
            "ln_1p" => Some("log1p"),
            "exp_m1" => Some("expm1"),
            _ => None,
        };
        if let Some(known) = other_name {
            self.error(span, format!("`{word}` is called `{known}` here"));
            return None;
        }
        self.user_call(syn::Path::from(name.clone()), args, span)
    }

    fn user_call(&mut self, path: syn::Path, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let args: Vec<Option<Expr>> = args.iter().map(|arg| self.scalar(&arg.value)).collect();
        Some(Expr { kind: ExprKind::User(path, args.into_iter().collect::<Option<_>>()?), span })
    }

    pub(super) fn arity<T>(&mut self, span: Span, word: &str, expected: usize, given: usize) -> Option<T> {
        let plural = if expected == 1 { "" } else { "s" };
        self.error(span, format!("`{word}` takes {expected} argument{plural}, and {given} were given"));
        None
    }

    fn method(&mut self, receiver: &syntax::Expr, name: &Ident, args: &[syntax::CallArg], span: Span) -> Option<Expr> {
        let word = name.to_string();
        if word == "log_prob" {
            let [value] = args else { return self.arity(span, "log_prob", 1, args.len()) };
            return self.log_prob(receiver, &value.value, span);
        }
        if word == "powi" {
            let [exponent] = args else { return self.arity(span, "powi", 1, args.len()) };
            return self.powi(receiver, &exponent.value, span);
        }
        let Some(&(_, arity, function)) = Function::ALL.iter().find(|(known, ..)| *known == word) else {
            let words = Function::ALL.iter().map(|(known, ..)| *known).chain(["powi", "log_prob"]);
            let hint = match (word.as_str(), nearest(&word, words)) {
                ("log", _) => "; the natural logarithm is `ln`".to_owned(),
                (_, Some(near)) => format!("; did you mean `{near}`?"),
                (_, None) => "; call a function of your own as `function(x)`".to_owned(),
            };
            self.error(span, format!("`{word}` is not a function of the language{hint}"));
            return None;
        };
        if args.len() + 1 != arity {
            return self.arity(span, &word, arity - 1, args.len());
        }
        let operands: Vec<Option<Expr>> =
            std::iter::once(receiver).chain(args.iter().map(|arg| &arg.value)).map(|e| self.scalar(e)).collect();
        Some(Expr { kind: ExprKind::Function(function, operands.into_iter().collect::<Option<_>>()?), span })
    }

    fn powi(&mut self, base: &syntax::Expr, exponent: &syntax::Expr, span: Span) -> Option<Expr> {
        let base = self.scalar(base);
        let exponent_value = self.scalar(exponent)?;
        match exponent_value.kind {
            #[allow(clippy::cast_possible_truncation, reason = "checked to be a small whole number")]
            ExprKind::Number(k) if k.fract() == 0.0 && k.abs() <= 1024.0 => {
                Some(Expr { kind: ExprKind::Powi(Box::new(base?), k as i32), span })
            }
            _ => {
                self.error(exponent.span, "the exponent of `powi` is a whole number, written out; use `powf` for any other");
                None
            }
        }
    }

    fn reduce(&mut self, function: &Ident, var: &Ident, range: &syntax::Range, body: &syntax::Expr) -> Option<Expr> {
        let kind = if function == "sum" { Reduce::Sum } else { Reduce::LogSumExp };
        let bounds = self.range(range);
        let free = self.free(var);
        let (from, to, dim) = bounds.clone().unwrap_or_default();
        let id = self.fresh_var(var.clone(), from, to, dim);
        if free {
            self.names.push((var.clone(), Entity::Var(id)));
        }
        self.loops.push(id);
        let body = self.scalar(body);
        self.loops.pop();
        if free {
            self.names.pop();
        }
        bounds?;
        Some(Expr { kind: ExprKind::Reduce { kind, var: id, body: Box::new(body?), product: false }, span: function.span() })
    }

    fn reduce_vector(&mut self, kind: Reduce, vector: &syntax::Expr, span: Span) -> Option<Expr> {
        let (vector, dim) = self.vector(vector)?;
        let var = self.axis_var(dim);
        let body = element(&vector, var, span);
        Some(Expr { kind: ExprKind::Reduce { kind, var, body: Box::new(body), product: false }, span })
    }

    fn dot(&mut self, a: &syntax::Expr, b: &syntax::Expr, span: Span) -> Option<Expr> {
        let (left, right) = (self.vector(a), self.vector(b));
        let ((left, left_dim), (right, right_dim)) = (left?, right?);
        if left_dim != right_dim {
            let message = format!(
                "`dot` multiplies vectors over one dimension, and these are over `{}` and `{}`",
                self.model.dim_name(left_dim),
                self.model.dim_name(right_dim)
            );
            self.error(span, message);
            return None;
        }
        let var = self.axis_var(left_dim);
        let (left, right) = (element(&left, var, span), element(&right, var, span));
        let body = Expr { kind: ExprKind::Binary(Operator::Mul, Box::new(left), Box::new(right)), span };
        Some(Expr { kind: ExprKind::Reduce { kind: Reduce::Sum, var, body: Box::new(body), product: true }, span })
    }

    /// A truth value made of data.
    fn condition(&mut self, expr: &syntax::Expr) -> Option<Condition> {
        match &expr.kind {
            syntax::ExprKind::Paren(inner) => self.condition(inner),
            syntax::ExprKind::Bool(value) => Some(Condition::Constant(*value)),
            syntax::ExprKind::Not(inner) => Some(Condition::Not(Box::new(self.condition(inner)?))),
            syntax::ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, .. } => self.joined(expr),
            syntax::ExprKind::Binary { op, left, right } if comparison(*op).is_some() => {
                let (a, b) = (self.scalar(left), self.scalar(right));
                let (a, b) = (a?, b?);
                for (side, typed) in [(&a, left), (&b, right)] {
                    if !self.is_data(side) {
                        self.error(typed.span, "a comparison here is of data; comparing a latent would make the density jump");
                        return None;
                    }
                }
                Some(Condition::Compare(comparison(*op)?, Box::new(a), Box::new(b)))
            }
            _ => {
                let value = self.scalar(expr)?;
                let boolean = matches!(&value.kind, ExprKind::Data(arg, _) if self.model.args[*arg].kind == ArgKind::Bool)
                    || matches!(value.kind, ExprKind::Indicator(_));
                if !boolean {
                    self.error(expr.span, "a condition is `bool` data or a comparison, such as `x[n] > 0`");
                    return None;
                }
                let zero = Expr { kind: ExprKind::Number(0.0), span: expr.span };
                Some(Condition::Compare(Comparison::Ne, Box::new(value), Box::new(zero)))
            }
        }
    }

    /// `a && b && c`, not going down once an operand either.
    fn joined(&mut self, expr: &syntax::Expr) -> Option<Condition> {
        let (mut first, mut rest) = (expr, Vec::new());
        while let syntax::ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } = &first.kind {
            rest.push((*op, right));
            first = left;
        }
        let first = self.condition(first);
        rest.into_iter().rev().fold(first, |left, (op, right)| {
            let right = self.condition(right);
            let (left, right) = (Box::new(left?), Box::new(right?));
            Some(if op == BinaryOp::And { Condition::And(left, right) } else { Condition::Or(left, right) })
        })
    }

    /// Whether an expression is made of data alone.
    pub(super) fn is_data(&self, expr: &Expr) -> bool {
        self.first_unknown(expr).is_none()
    }

    /// What in an expression is not data.
    pub(super) fn first_unknown(&self, expr: &Expr) -> Option<Span> {
        let mut found = None;
        visit::expressions(expr, &mut |e| {
            let unknown = match &e.kind {
                ExprKind::Site(..) => true,
                ExprKind::Local(local) => !self.model.locals[*local].data,
                _ => false,
            };
            found = found.or(unknown.then_some(e.span));
        });
        found
    }
}

/// One element of a vector.
pub(crate) fn element(vector: &Vector, var: usize, span: Span) -> Expr {
    let last = Index::Affine(Affine::term(Term::Var(var)));
    let with_last = |index: &Vec<Index>| index.iter().cloned().chain([last.clone()]).collect();
    let kind = match vector {
        Vector::Site(site, index) => ExprKind::Site(*site, with_last(index)),
        Vector::Data(arg, index) => ExprKind::Data(*arg, with_last(index)),
        Vector::Repeat(value) => return (**value).clone(),
    };
    Expr { kind, span }
}

fn arithmetic(op: BinaryOp) -> Option<Operator> {
    Some(match op {
        BinaryOp::Add => Operator::Add,
        BinaryOp::Sub => Operator::Sub,
        BinaryOp::Mul => Operator::Mul,
        BinaryOp::Div => Operator::Div,
        _ => return None,
    })
}

fn comparison(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Lt => Comparison::Lt,
        BinaryOp::Le => Comparison::Le,
        BinaryOp::Gt => Comparison::Gt,
        BinaryOp::Ge => Comparison::Ge,
        BinaryOp::Eq => Comparison::Eq,
        BinaryOp::Ne => Comparison::Ne,
        _ => return None,
    })
}
