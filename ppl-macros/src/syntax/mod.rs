//! The surface tree: a model exactly as written, every node keeping the span of what the user typed.

mod argument;
mod auto;
mod call;
mod depth;
mod display;
mod expression;
mod model;
mod network;
mod ode;
mod operand;
mod param;
mod recovery;
mod statement;
#[cfg(test)]
mod tests;
pub(crate) mod visit;

use proc_macro2::{Ident, Span};

pub(crate) use model::{arguments_and_body, attributes, parse};
pub(crate) use network::{NetworkSize, SizeTerm};

/// `attrs vis Name(arguments) { statements }`
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// Doc comments and attributes for the struct; `#[ppl(crate = path)]` is taken out.
    pub attrs: Vec<syn::Attribute>,
    /// The path of ppl-core: `::ppl_core` unless `#[ppl(crate = path)]` says otherwise.
    pub krate: syn::Path,
    /// Whether it is the model of one row, whose data the lanes differ in: `#[ppl(row)]`.
    pub row: bool,
    /// Whether that is one of a guide.
    pub row_guide: bool,
    /// Of the model of one row, the data that are the same for all rows.
    pub shared: Vec<Ident>,
    pub vis: syn::Visibility,
    pub name: Ident,
    pub arguments: Vec<Argument>,
    pub body: Vec<Stmt>,
}

/// `name: type`
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub attrs: Vec<syn::Attribute>,
    pub name: Ident,
    pub ty: ArgumentType,
}

#[derive(Clone, Debug)]
pub(crate) enum ArgumentType {
    /// `usize`: a dimension.
    Size,
    /// A number (no dimensions) or an array of them: `[f64; N, K]`.
    Array { element: Element, dims: Vec<Ident> },
    /// `net(D => 2 * Z)`
    Network { inputs: NetworkSize, outputs: NetworkSize },
}

#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub kind: ElementKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ElementKind {
    F64,
    F32,
    U64,
    I64,
    Bool,
    /// `in C`
    Index(Ident),
    /// `Option<f64>`
    Option(Box<Element>),
}

#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    /// `lhs ~ distribution;`, perhaps with the word `sampled` at its end.
    Sample { lhs: Lhs, distribution: Expr, sampled: Option<Ident> },
    /// `let lhs = value;`
    Let { lhs: Lhs, value: Expr },
    /// `let (name, name) = split(call);`
    Split { names: Vec<Ident>, call: Expr },
    /// `param lhs: support = start;`
    Param { lhs: Lhs, support: Support, start: Expr },
    /// `auto name, name;`, of a guide: these latents are left to the automatic guide.
    Auto { word: Ident, names: Vec<Ident> },
    /// `factor(value);`
    Factor { value: Expr },
    /// `for var in range { body }`
    For { var: Ident, range: Range, body: Vec<Stmt> },
    /// `sum var in range ~ distribution { body }`
    Sum { var: Ident, range: Range, distribution: Expr, body: Vec<Stmt> },
    /// `sum var[time] in range for time in times { body }`
    Chain { var: Ident, time: Ident, range: Range, times: Range, body: Vec<Stmt> },
    /// `ode time in from..to for at in times, steps = steps { body }`
    Ode { time: Ident, from: Expr, to: Expr, at: Ident, times: Range, steps: Option<u32>, body: Vec<Stmt> },
    /// `start(lhs) = value;`, of an `ode`: where a component begins.
    Start { lhs: Lhs, value: Expr },
    /// `d(lhs) = value;`, of an `ode`: the derivative of a component.
    Derivative { lhs: Lhs, value: Expr },
}

/// `name` or `name[index, ..]`
#[derive(Clone, Debug)]
pub(crate) struct Lhs {
    pub name: Ident,
    pub index: Vec<Expr>,
}

/// `positive`, `interval(0, 1)`
#[derive(Clone, Debug)]
pub(crate) struct Support {
    pub word: Ident,
    pub args: Vec<CallArg>,
}

/// What a bound name runs over.
#[derive(Clone, Debug)]
pub(crate) enum Range {
    /// A whole dimension.
    Dim(Ident),
    /// `from..to`
    Between { from: Expr, to: Expr },
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    /// The token to underline when this expression is wrong.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    /// `1`, `0.5`, `1e-3`: always a real number.
    Number(f64),
    /// `true`, `false`
    Bool(bool),
    /// A bare name.
    Name(Ident),
    /// A path with `::`: Rust.
    Path(syn::Path),
    /// In parentheses.
    Paren(Box<Expr>),
    /// `-x`
    Neg(Box<Expr>),
    /// `!x`
    Not(Box<Expr>),
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `callee(args)`; the callee is a `Name` or a `Path`.
    Call {
        callee: Box<Expr>,
        args: Vec<CallArg>,
    },
    /// `receiver.name(args)`
    Method {
        receiver: Box<Expr>,
        name: Ident,
        args: Vec<CallArg>,
    },
    /// `array[index, ..]`
    Index {
        array: Ident,
        index: Vec<Expr>,
    },
    /// `sum(var in range => body)`, `log_sum_exp(var in range => body)`, and the components in `Mixture(weights, var in range => body)`
    Reduce {
        function: Ident,
        var: Ident,
        range: Box<Range>,
        body: Box<Expr>,
    },
}

/// `value` or `name = value`
#[derive(Clone, Debug)]
pub(crate) struct CallArg {
    pub name: Option<Ident>,
    pub value: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    And,
    Or,
}
