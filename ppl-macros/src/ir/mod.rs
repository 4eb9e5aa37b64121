//! The model as mathematics: names resolved to sites, dimensions and index expressions, order and spans kept.

pub(crate) mod display;
mod family;
pub(crate) mod index;
pub(crate) mod lower;
pub(crate) mod substitute;
pub(crate) mod visit;

use proc_macro2::{Ident, Span};

use crate::catalogue::{Entry, Operation, Support};

pub(crate) use family::{Family, Increasing, Wrapper};
pub(crate) use index::{Affine, Index, Term};

/// Indices into the tables of [`Model`].
pub(crate) type DimId = usize;
pub(crate) type ArgId = usize;
pub(crate) type SiteId = usize;
pub(crate) type VarId = usize;
pub(crate) type LocalId = usize;
pub(crate) type FactorId = usize;
pub(crate) type SumId = usize;
pub(crate) type DiscreteId = usize;
pub(crate) type ComponentId = usize;

#[derive(Debug)]
pub(crate) struct Model {
    pub attrs: Vec<syn::Attribute>,
    pub krate: syn::Path,
    pub vis: syn::Visibility,
    pub name: Ident,
    /// Whether it is the model of one row, in whose data lanes differ.
    pub row: bool,
    /// Whether that is one of a guide.
    pub row_guide: bool,
    /// Of a guide of an ordinary model, what it is a guide of.
    pub guide: Option<GuideOf>,
    /// Of such a model, the data that are the same for all rows.
    pub shared: Vec<Ident>,
    /// Whether the element is `f32`.
    pub single: bool,
    pub dims: Vec<Dim>,
    pub args: Vec<Arg>,
    pub sites: Vec<Site>,
    pub vars: Vec<Var>,
    pub locals: Vec<Local>,
    pub factors: Vec<Factor>,
    pub sums: Vec<Sum>,
    pub discretes: Vec<Discrete>,
    pub components: Vec<Component>,
    /// Where the values of quantities are known to lie.
    pub quantity_supports: std::collections::BTreeMap<SiteId, check_support::Inferred>,
    pub body: Vec<Stmt>,
}

/// What a guide is a guide of.
#[derive(Debug)]
pub(crate) struct GuideOf {
    /// The model.
    pub target: syn::Path,
    /// How many of the arguments are data of the model: the first ones.
    pub arguments: usize,
    /// The latents that are left to the automatic guide.
    pub auto: Vec<Ident>,
}

/// A named dimension.
#[derive(Debug)]
pub(crate) struct Dim {
    pub name: Ident,
    /// Of the values of a discrete latent, what tells how many there are.
    pub values: Option<Affine>,
}

/// An argument of the model.
#[derive(Debug)]
pub(crate) struct Arg {
    pub attrs: Vec<syn::Attribute>,
    pub name: Ident,
    pub kind: ArgKind,
    pub dims: Vec<DimId>,
    /// The site of an observed array.
    pub site: Option<SiteId>,
    /// Whether every element of an observed array has a statement; else it is needed for predictions too.
    pub covered: bool,
    /// Whether elements may be missing: then the site is a latent whose given elements are constants.
    pub missing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgKind {
    F64,
    F32,
    U64,
    I64,
    Bool,
    /// An index into a dimension.
    Index(DimId),
    /// The size of a dimension.
    Size(DimId),
}

/// A name left of `~`, a parameter, or a quantity.
#[derive(Debug)]
pub(crate) struct Site {
    pub name: Ident,
    pub kind: SiteKind,
    pub dims: Vec<DimId>,
    /// For a latent or a parameter: where its values lie.
    pub support: Support,
    /// The bounds of that support, for `Support::Interval`; none for a parameter whose statements have each their own.
    pub bounds: Option<Bounds>,
    /// Whether the last axis is one event.
    pub event_rank: usize,
    /// The distribution of the user's that tells the support of a latent.
    pub own_support: Option<syn::Path>,
    /// Of a discrete latent that is drawn: the values that it may have.
    pub values: Option<Values>,
    /// What each statement declares of it: a range per axis.
    pub pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SiteKind {
    Latent,
    Observed(ArgId),
    /// Maximised rather than integrated over.
    Parameter,
    Quantity,
}

/// A bounded support; an absent bound is infinite.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub lower: Option<Expr>,
    pub upper: Option<Expr>,
}

/// The values that a discrete latent may have: whole numbers, from zero or later on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Values {
    pub from: Affine,
    /// The one after the last; none where there is no last one that is made of numbers and sizes.
    pub to: Option<Affine>,
    /// The dimension that they are indices into.
    pub dim: Option<DimId>,
    /// In a guide, the index of their probabilities.
    pub axis: Option<VarId>,
}

/// What one statement declares of a site.
#[derive(Debug)]
pub(crate) struct Piece {
    pub axes: Vec<(Affine, Affine)>,
    pub span: Span,
}

/// A bound index.
#[derive(Debug)]
pub(crate) struct Var {
    pub name: Ident,
    pub from: Affine,
    pub to: Affine,
    /// The dimension it runs over, wholly or in part.
    pub dim: Option<DimId>,
    /// Whether it stands for a whole axis that was written as a dimension.
    pub implicit: bool,
    /// Of the value of a chain or of a discrete latent: which.
    pub value_of: Option<ValueOf>,
    /// Whether it was written as a range, which may run over part of any axis: that is checked when the model is bound.
    pub range: bool,
}

/// What a bound name is the value of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ValueOf {
    /// A chain of this name: the loop over its steps, and how many steps before.
    State { chain: Ident, time: VarId, back: i64 },
    /// An element of a discrete latent.
    Discrete(DiscreteId, Vec<Index>),
    /// The time of a differential equation: a real number.
    Time,
}

/// A component of the solution of a differential equation.
#[derive(Debug)]
pub(crate) struct Component {
    /// Its values at the times: over the loops around the equation, the times, and its own axes.
    pub site: SiteId,
    /// The first component of the same equation: all of them follow it.
    pub first: ComponentId,
    /// Its own axes.
    pub dims: Vec<DimId>,
    /// What each `d(..)` is about.
    pub derivatives: Vec<Piece>,
}

/// A discrete latent: the guide gives each of its values a probability, which is a parameter.
#[derive(Debug)]
pub(crate) struct Discrete {
    pub name: Ident,
    /// The probabilities, whose last axis is over the values.
    pub site: SiteId,
    /// The values, from the first to the one after the last.
    pub from: Affine,
    pub to: Affine,
    pub dim: DimId,
}

/// A `let` without an index inside a loop.
#[derive(Debug)]
pub(crate) struct Local {
    pub name: Ident,
    pub support: check_support::Inferred,
    /// Whether it is made of data alone.
    pub data: bool,
    /// The values of discrete latents that it reads: it is computed where it is read.
    pub over: Vec<VarId>,
    pub value: Expr,
}

pub(crate) use crate::check::supports as check_support;

/// A term of the log joint.
#[derive(Debug)]
pub(crate) struct Factor {
    pub text: String,
    pub site: Option<SiteId>,
    /// The loops around it, outermost first.
    pub loops: Vec<VarId>,
}

/// A discrete variable that is summed out.
#[derive(Debug)]
pub(crate) struct Sum {
    pub name: Ident,
    /// The factor that its outermost `sum` is.
    pub factor: FactorId,
    /// The sum around it.
    pub within: Option<SumId>,
    /// The loops around it, those of sums among them, and itself; outermost first.
    pub loops: Vec<VarId>,
}

#[derive(Debug)]
pub(crate) struct Stmt {
    pub kind: StmtKind,
    /// The statement as written.
    pub text: String,
}

#[derive(Debug)]
pub(crate) enum StmtKind {
    /// `site[index] ~ distribution`
    Sample { site: SiteId, index: Vec<Index>, distribution: Distribution, factor: FactorId },
    /// `let name = value` inside a loop
    Local { local: LocalId, value: Expr },
    /// `let site[index] = value`
    Quantity { site: SiteId, index: Vec<Index>, value: Expr },
    /// `let site[index, N] = operation(operands)`: the trailing axes of the site are computed together
    Operation { site: SiteId, index: Vec<Index>, operation: &'static Operation, operands: Vec<Vector> },
    /// `param site[index]: support = start`, with the bounds of an interval
    Param { site: SiteId, index: Vec<Index>, bounds: Option<Box<Bounds>>, start: Expr },
    /// `factor(value)`
    Factor { factor: FactorId, value: Expr },
    /// `for var in range { body }`
    For { var: VarId, body: Vec<Stmt> },
    /// `sum var in range ~ prior { body }`, or a chain
    Sum(Box<SumBlock>),
    /// `latent[index] ~ prior`, of a discrete latent
    Discrete(Box<DiscreteBlock>),
    /// `ode time in from..to for at in times { body }`
    Ode(Box<OdeBlock>),
    /// `start(component[index]) = value`
    Start { component: ComponentId, index: Vec<Index>, value: Expr },
    /// `d(component[index]) = value`
    Derivative { component: ComponentId, index: Vec<Index>, value: Expr },
    /// A statement that reads values of discrete latents: its expectation over these
    Expected { over: Vec<VarId>, body: Vec<Stmt> },
}

/// A statement about elements of a discrete latent.
#[derive(Debug)]
pub(crate) struct DiscreteBlock {
    pub latent: DiscreteId,
    pub index: Vec<Index>,
    /// Its value.
    pub var: VarId,
    pub prior: Distribution,
    /// The probability where a fit starts.
    pub start: Expr,
    /// The index of the probability of the value.
    pub place: Vec<Index>,
    pub factor: FactorId,
}

/// A discrete variable that is summed out, and what depends on it: parts of its factor.
#[derive(Debug)]
pub(crate) struct SumBlock {
    pub sum: SumId,
    pub var: VarId,
    /// Of a chain, that of its first step.
    pub prior: Distribution,
    pub chain: Option<Chain>,
    pub body: Vec<Stmt>,
    pub factor: FactorId,
}

/// `sum var[time] in range for time in times { var[0] ~ prior; var[time] ~ step; body }`
#[derive(Debug)]
pub(crate) struct Chain {
    pub time: VarId,
    /// The value at the step before.
    pub before: VarId,
    pub step: Distribution,
}

impl SumBlock {
    /// Its distributions, each with the loops of its own.
    pub(crate) fn priors(&self) -> impl Iterator<Item = (&Distribution, Vec<VarId>)> {
        let step = self.chain.iter().map(|chain| (&chain.step, vec![chain.time, chain.before]));
        std::iter::once((&self.prior, Vec::new())).chain(step)
    }

    /// The loops around its body.
    pub(crate) fn loops(&self) -> impl Iterator<Item = VarId> {
        self.chain.iter().map(|chain| chain.time).chain([self.var])
    }
}

/// A differential equation, solved at times of data.
#[derive(Debug)]
pub(crate) struct OdeBlock {
    /// The time, a real number.
    pub time: VarId,
    /// The loop over the times.
    pub at: VarId,
    /// Where the time begins, and the time of the loop.
    pub from: Expr,
    pub to: Expr,
    /// How many steps are taken between two times, if that is not found out.
    pub steps: Option<u32>,
    pub components: std::ops::Range<ComponentId>,
    /// The loops around it: the first indices of the solution.
    pub index: Vec<Index>,
    /// The statements that start it, and the equations after these.
    pub body: Vec<Stmt>,
    /// How many statements start it.
    pub starts: usize,
}

impl OdeBlock {
    pub(crate) fn starts(&self) -> &[Stmt] {
        &self.body[..self.starts]
    }

    pub(crate) fn equations(&self) -> &[Stmt] {
        &self.body[self.starts..]
    }
}

#[derive(Debug)]
pub(crate) struct Distribution {
    pub density: Density,
    /// `.mask(condition)`: the density counts where this is one, and not where it is zero.
    pub mask: Option<Expr>,
    /// The word that the user typed.
    pub span: Span,
}

#[derive(Debug)]
pub(crate) enum Density {
    /// A distribution of one number.
    Univariate { family: Family, params: Vec<Expr> },
    /// A distribution of vectors or matrices, or of a number with vectors as parameters.
    /// Of `Categorical` logits in a `sum`, `axis` is the index of their normalizer; in a guide, `places` are the indices of the elements of each parameter.
    Multivariate { entry: &'static Entry, parameters: Vec<Vector>, axis: Option<VarId>, places: Vec<Places> },
    /// A component of which is chosen by weights, summed out: `log p(x) = ln sum of w_k p_k(x)`.
    Mixture { weights: Vector, var: VarId, family: Family, params: Vec<Expr> },
    /// The same, of components of any families, which are listed; in a guide, `place` is the index of the weights.
    Listed { weights: Vector, components: Vec<(Family, Vec<Expr>)>, place: Option<(VarId, DimId)> },
    /// Independent draws, sorted: the value is the whole last axis.
    Ordered { family: Family, params: Vec<Expr>, axis: VarId },
}

/// The indices of the elements of a number, a vector or a matrix, each with its dimension.
pub(crate) type Places = Vec<(VarId, DimId)>;

/// A vector operand.
#[derive(Clone, Debug)]
pub(crate) enum Vector {
    /// The last axis of a latent or a quantity.
    Site(SiteId, Vec<Index>),
    /// The last axis of data.
    Data(ArgId, Vec<Index>),

    /// One number for every element.
    Repeat(Box<Expr>),
}

impl Vector {
    /// The dimension of an array of which it is the last axis.
    pub(crate) fn last_dim(&self, model: &Model) -> Option<DimId> {
        match self {
            Vector::Site(site, _) => model.sites[*site].dims.last().copied(),
            Vector::Data(arg, _) => model.args[*arg].dims.last().copied(),
            Vector::Repeat(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Number(f64),
    Size(DimId),
    Var(VarId),
    Data(ArgId, Vec<Index>),
    /// A latent or a quantity.
    Site(SiteId, Vec<Index>),
    Local(LocalId),
    /// A component of the solution of a differential equation, within it.
    Component(ComponentId, Vec<Index>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Neg(Box<Expr>),
    Function(Function, Vec<Expr>),
    /// `x.powi(k)`
    Powi(Box<Expr>, i32),
    User(syn::Path, Vec<Expr>),
    /// A choice on data.
    If(Box<Condition>, Box<Expr>, Box<Expr>),
    /// 1 where the condition on data holds, else 0.
    Indicator(Box<Condition>),
    Reduce {
        kind: Reduce,
        var: VarId,
        body: Box<Expr>,
        product: bool,
    },
    /// `Normal(a, b).log_prob(x)`
    LogProb(Family, Vec<Expr>, Box<Expr>),
    /// `positive(x)`, `unit(x)`: the user's word that a value lies there.
    Assert(Support, Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduce {
    Sum,
    LogSumExp,
}

/// A truth value made of data.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Compare(Comparison, Box<Expr>, Box<Expr>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Constant(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

macro_rules! functions {
    ($($variant:ident $word:literal $arity:literal),* $(,)?) => {
        /// The functions of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Function { $($variant),* }

        impl Function {
            /// The word, and how many numbers it takes.
            pub(crate) const ALL: &'static [(&'static str, usize, Function)] = &[$(($word, $arity, Function::$variant)),*];

            pub(crate) fn word(self) -> &'static str {
                match self { $(Function::$variant => $word),* }
            }
        }
    };
}

functions! {
    Exp "exp" 1, Ln "ln" 1, Ln1p "log1p" 1, Expm1 "expm1" 1, Sqrt "sqrt" 1, Abs "abs" 1, Sin "sin" 1, Cos "cos" 1,
    Tanh "tanh" 1, Sigmoid "sigmoid" 1, Logit "logit" 1, Softplus "softplus" 1, Erf "erf" 1, NormalCdf "normal_cdf" 1,
    Lgamma "lgamma" 1, Powf "powf" 2, Min "min" 2, Max "max" 2, LogSumExp "log_sum_exp" 2,
}

impl Density {
    /// The operands that are vectors.
    pub(crate) fn vectors(&self) -> &[Vector] {
        match self {
            Density::Multivariate { parameters, .. } => parameters,
            Density::Mixture { weights, .. } | Density::Listed { weights, .. } => std::slice::from_ref(weights),
            Density::Univariate { .. } | Density::Ordered { .. } => &[],
        }
    }

    /// The densities of one number that it is made of.
    pub(crate) fn families(&self) -> impl Iterator<Item = (&Family, &[Expr])> {
        let (one, listed) = match self {
            Density::Univariate { family, params }
            | Density::Ordered { family, params, .. }
            | Density::Mixture { family, params, .. } => (Some((family, &params[..])), &[][..]),
            Density::Listed { components, .. } => (None, &components[..]),
            Density::Multivariate { .. } => (None, &[][..]),
        };
        one.into_iter().chain(listed.iter().map(|(family, params)| (family, &params[..])))
    }
}

impl Model {
    /// What a bound name is the value of, as a person reads it: the name, and its index.
    pub(crate) fn value_of(&self, var: VarId) -> Option<(&Ident, Vec<Index>)> {
        match self.vars[var].value_of.as_ref()? {
            ValueOf::State { chain, time, back } => {
                let step = Affine::term(Term::Var(*time)).plus(&Affine::constant(*back), -1);
                Some((chain, vec![Index::Affine(step)]))
            }
            ValueOf::Discrete(latent, index) => Some((&self.discretes[*latent].name, index.clone())),
            ValueOf::Time => None,
        }
    }

    /// The probability of the value of a discrete latent that a bound name is: the site, and the index of the first value.
    pub(crate) fn probability(&self, var: VarId) -> Option<(SiteId, &[Index])> {
        match &self.vars[var].value_of {
            Some(ValueOf::Discrete(latent, index)) => Some((self.discretes[*latent].site, index)),
            _ => None,
        }
    }

    /// That probability as an expression.
    pub(crate) fn probability_of(&self, var: VarId, span: Span) -> Option<Expr> {
        let (site, index) = self.probability(var)?;
        let place = Affine::term(Term::Var(var)).plus(&self.vars[var].from, -1);
        let index = index.iter().cloned().chain([Index::Affine(place)]).collect();
        Some(Expr { kind: ExprKind::Site(site, index), span })
    }

    /// Whether it solves differential equations.
    pub(crate) fn solves(&self) -> bool {
        !self.components.is_empty()
    }

    /// Whether a bound name is the time of a differential equation.
    pub(crate) fn is_time(&self, var: VarId) -> bool {
        self.vars[var].value_of == Some(ValueOf::Time)
    }

    /// Whether a bound name is the value of what is summed out, or of a discrete latent.
    pub(crate) fn is_value(&self, var: VarId) -> bool {
        self.vars[var].value_of.is_some() || self.sums.iter().any(|sum| sum.loops.last() == Some(&var))
    }

    /// Whether its statements say what latents are drawn from: of a guide, or of the row of one.
    pub(crate) fn is_guide(&self) -> bool {
        self.guide.is_some() || self.row_guide
    }

    /// The inputs of the model of a row: in each lane other numbers.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Arg> {
        self.args.iter().filter(|arg| self.is_input(arg))
    }

    /// Whether an argument is an input of the model of a row.
    pub(crate) fn is_input(&self, arg: &Arg) -> bool {
        self.row && !matches!(arg.kind, ArgKind::Size(_)) && !self.shared.contains(&arg.name)
    }

    /// The name of a dimension; a question mark where no statement tells it.
    pub(crate) fn dim_name(&self, dim: DimId) -> String {
        self.dims.get(dim).map_or_else(|| "?".to_owned(), |dim| dim.name.to_string())
    }
}
