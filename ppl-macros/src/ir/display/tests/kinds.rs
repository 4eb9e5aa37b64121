//! All kinds of nodes: a new one does not compile until it stands here, and then has to occur in a round trip.

use std::collections::BTreeSet;

use crate::catalogue::{CATALOGUE, Entry, OPERATIONS};
use crate::ir::visit;
use crate::ir::{
    Arg, ArgKind, Comparison, Condition, Density, Distribution, Expr, ExprKind, Family, Function, Increasing, Index, Model,
    OdeBlock, Operator, Reduce, SiteKind, StmtKind, SumBlock, Term, Var, Vector, Wrapper,
};

/// For each type a match without a rest, and the list of all patterns.
macro_rules! kinds {
    ($($function:ident($type:ty) { $($pattern:pat),* $(,)? })*) => {
        $(fn $function(node: &$type) -> &'static str {
            match node { $($pattern => stringify!($pattern)),* }
        })*
        const PATTERNS: &[&str] = &[$($(stringify!($pattern)),*),*];
    };
}

kinds! {
    argument_kind(ArgKind) { ArgKind::F64, ArgKind::F32, ArgKind::U64, ArgKind::I64, ArgKind::Bool, ArgKind::Index(_), ArgKind::Size(_) }
    argument(Arg) { Arg { missing: false, .. }, Arg { missing: true, .. } }
    site(SiteKind) { SiteKind::Latent, SiteKind::Observed(_), SiteKind::Quantity, SiteKind::Parameter }
    var(Var) { Var { implicit: true, .. }, Var { implicit: false, range: true, .. }, Var { implicit: false, range: false, .. } }
    statement(StmtKind) {
        StmtKind::Sample { .. }, StmtKind::Local { .. }, StmtKind::Quantity { .. }, StmtKind::Factor { .. }, StmtKind::For { .. },
        StmtKind::Param { .. }, StmtKind::Operation { .. }, StmtKind::Sum(_),
        StmtKind::Discrete(_), StmtKind::Expected { .. }, StmtKind::Ode(_), StmtKind::Start { .. }, StmtKind::Derivative { .. },
    }
    ode(OdeBlock) { OdeBlock { steps: None, .. }, OdeBlock { steps: Some(_), .. } }
    sum(SumBlock) { SumBlock { chain: None, .. }, SumBlock { chain: Some(_), .. } }
    density(Density) {
        Density::Univariate { .. }, Density::Multivariate { .. }, Density::Ordered { .. }, Density::Mixture { .. },
        Density::Listed { .. },
    }
    family(Family) { Family::Catalogue(_), Family::User(..), Family::Wrapped(..) }
    wrapper(Wrapper) { Wrapper::Truncated, Wrapper::Censored, Wrapper::ZeroInflated, Wrapper::Transformed(_) }
    increasing(Increasing) { Increasing::Exp, Increasing::Sigmoid, Increasing::Softplus }
    vector(Vector) { Vector::Site(..), Vector::Data(..), Vector::Repeat(_) }
    index(Index) { Index::Affine(_), Index::Gather(..) }
    term(Term) { Term::Var(_), Term::Size(_) }
    expression(ExprKind) {
        ExprKind::Number(_), ExprKind::Size(_), ExprKind::Var(_), ExprKind::Data(..), ExprKind::Site(..), ExprKind::Local(_), ExprKind::Component(..),
        ExprKind::Binary(..), ExprKind::Neg(_), ExprKind::Function(..), ExprKind::Powi(..), ExprKind::User(..), ExprKind::If(..),
        ExprKind::Indicator(_), ExprKind::Reduce { product: false, .. }, ExprKind::Reduce { product: true, .. },
        ExprKind::LogProb(..), ExprKind::Assert(..),
    }
    operator(Operator) { Operator::Add, Operator::Sub, Operator::Mul, Operator::Div }
    reduce(Reduce) { Reduce::Sum, Reduce::LogSumExp }
    condition(Condition) {
        Condition::Compare(..), Condition::And(..), Condition::Or(..), Condition::Not(_), Condition::Constant(_),
    }
    comparison(Comparison) {
        Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge, Comparison::Eq, Comparison::Ne,
    }
}

/// Every kind, every function and every parameterization of the catalogue.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    let functions = Function::ALL.iter().map(|(word, ..)| *word);
    let operations = OPERATIONS.iter().map(|operation| operation.rust);
    PATTERNS.iter().copied().chain(functions).chain(operations).chain(CATALOGUE.iter().map(|entry| entry.rust))
}

/// Adds the kinds of a model.
pub(super) fn of(model: &Model, found: &mut BTreeSet<&'static str>) {
    found.extend(model.args.iter().flat_map(|arg| [argument(arg), argument_kind(&arg.kind)]));
    found.extend(model.sites.iter().map(|known| site(&known.kind)));
    found.extend(model.vars.iter().map(var));
    visit::statements(&model.body, &mut |stmt| {
        found.insert(statement(&stmt.kind));
        match &stmt.kind {
            StmtKind::Sample { index, distribution, .. } => {
                indices(index, found);
                of_distribution(distribution, found);
            }
            StmtKind::Quantity { index, value, .. } => {
                indices(index, found);
                expressions(value, found);
            }
            StmtKind::Operation { index, operands, operation, .. } => {
                indices(index, found);
                found.extend(operands.iter().map(vector).chain([operation.rust]));
                visit::repeated(operands).for_each(|number| expressions(number, found));
            }
            StmtKind::Local { value, .. } | StmtKind::Factor { value, .. } => expressions(value, found),
            StmtKind::Param { index, bounds, start, .. } => {
                indices(index, found);
                let ends = bounds.iter().flat_map(|bounds| bounds.lower.iter().chain(&bounds.upper));
                ends.chain([start]).for_each(|expr| expressions(expr, found));
            }
            StmtKind::Sum(block) => {
                found.insert(sum(block));
                block.priors().for_each(|(prior, _)| of_distribution(prior, found));
            }
            StmtKind::Discrete(block) => of_distribution(&block.prior, found),
            StmtKind::Ode(block) => {
                found.insert(ode(block));
                indices(&block.index, found);
                [&block.from, &block.to].into_iter().for_each(|time| expressions(time, found));
            }
            StmtKind::Start { index, value, .. } | StmtKind::Derivative { index, value, .. } => {
                indices(index, found);
                expressions(value, found);
            }
            StmtKind::Expected { .. } | StmtKind::For { .. } => {}
        }
    });
}

fn of_distribution(distribution: &Distribution, found: &mut BTreeSet<&'static str>) {
    found.insert(density(&distribution.density));
    for (family, _) in distribution.density.families() {
        of_family(family, found);
    }
    found.extend(distribution.density.vectors().iter().map(vector));
    if let Density::Multivariate { entry: Entry { rust, .. }, .. } = &distribution.density {
        found.insert(*rust);
    }
    visit::of_distribution(distribution).for_each(|param| expressions(param, found));
}

fn of_family(known: &Family, found: &mut BTreeSet<&'static str>) {
    found.insert(family(known));
    match known {
        Family::Catalogue(entry) => found.extend([entry.rust]),
        Family::User(..) => {}
        Family::Wrapped(known, inner) => {
            found.insert(wrapper(known));
            if let Wrapper::Transformed(map) = known {
                found.insert(increasing(map));
            }
            of_family(inner, found);
        }
    }
}

fn indices(known: &[Index], found: &mut BTreeSet<&'static str>) {
    for known in known {
        found.insert(index(known));
        match known {
            Index::Affine(affine) => found.extend(affine.terms.keys().map(term)),
            Index::Gather(_, inner) => indices(inner, found),
        }
    }
}

fn expressions(expr: &Expr, found: &mut BTreeSet<&'static str>) {
    visit::expressions(expr, &mut |expr| {
        found.insert(expression(&expr.kind));
        match &expr.kind {
            ExprKind::Data(_, index) | ExprKind::Site(_, index) | ExprKind::Component(_, index) => indices(index, found),
            ExprKind::Binary(known, ..) => found.extend([operator(known)]),
            ExprKind::Function(known, _) => found.extend([known.word()]),
            ExprKind::If(test, ..) | ExprKind::Indicator(test) => conditions(test, found),
            ExprKind::Reduce { kind, .. } => found.extend([reduce(kind)]),
            ExprKind::LogProb(family, ..) => of_family(family, found),
            // The rest is expressions, which are visited, and tables.
            _ => {}
        }
    });
}

/// A condition without its expressions.
fn conditions(test: &Condition, found: &mut BTreeSet<&'static str>) {
    found.insert(condition(test));
    match test {
        Condition::Compare(known, ..) => found.extend([comparison(known)]),
        Condition::And(left, right) | Condition::Or(left, right) => {
            conditions(left, found);
            conditions(right, found);
        }
        Condition::Not(inner) => conditions(inner, found),
        Condition::Constant(_) => {}
    }
}
