//! The text of a model as a person would write it: for the documents of generated functions and for messages.

use std::fmt::{Display, Formatter, Result};

use super::{Argument, ArgumentType, BinaryOp, CallArg, Element, ElementKind, Expr, ExprKind, Lhs, Model, Range, Stmt, Support};

impl Display for Model {
    /// Attributes and visibility are left out: they are no part of the mathematics.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}({}) {{", self.name, Commas(&self.arguments))?;
        for stmt in &self.body {
            write_statement(f, stmt, 1)?;
            writeln!(f)?;
        }
        write!(f, "}}")
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}: {}", self.name, self.ty)
    }
}

impl Display for ArgumentType {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            ArgumentType::Size => f.write_str("usize"),
            ArgumentType::Network { inputs, outputs } => write!(f, "net({inputs} => {outputs})"),
            ArgumentType::Array { element, dims } if dims.is_empty() => write!(f, "{element}"),
            ArgumentType::Array { element, dims } => write!(f, "[{element}; {}]", Commas(dims)),
        }
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            ElementKind::F64 => f.write_str("f64"),
            ElementKind::F32 => f.write_str("f32"),
            ElementKind::U64 => f.write_str("u64"),
            ElementKind::I64 => f.write_str("i64"),
            ElementKind::Bool => f.write_str("bool"),
            ElementKind::Index(dim) => write!(f, "in {dim}"),
            ElementKind::Option(inner) => write!(f, "Option<{inner}>"),
        }
    }
}

impl Display for Stmt {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write_statement(f, self, 0)
    }
}

fn write_statement(f: &mut Formatter<'_>, stmt: &Stmt, depth: usize) -> Result {
    let indent = "    ".repeat(depth);
    match stmt {
        Stmt::Sample { lhs, distribution, sampled } => {
            write!(f, "{indent}{lhs} ~ {distribution}{};", if sampled.is_some() { " sampled" } else { "" })
        }
        Stmt::Let { lhs, value } => write!(f, "{indent}let {lhs} = {value};"),
        Stmt::Split { names, call } => write!(f, "{indent}let ({}) = split({call});", Commas(names)),
        Stmt::Param { lhs, support, start } => write!(f, "{indent}param {lhs}: {support} = {start};"),
        Stmt::Auto { names, .. } => write!(f, "{indent}auto {};", Commas(names)),
        Stmt::Factor { value, .. } => write!(f, "{indent}factor({value});"),
        Stmt::For { var, range, body } => {
            writeln!(f, "{indent}for {var} in {range} {{")?;
            write_block(f, body, depth)
        }
        Stmt::Sum { var, range, distribution, body } => {
            writeln!(f, "{indent}sum {var} in {range} ~ {distribution} {{")?;
            write_block(f, body, depth)
        }
        Stmt::Chain { var, time, range, times, body } => {
            writeln!(f, "{indent}sum {var}[{time}] in {range} for {time} in {times} {{")?;
            write_block(f, body, depth)
        }
        Stmt::Ode { time, from, to, at, times, steps, body } => {
            write!(f, "{indent}ode {time} in {from}..{to} for {at} in {times}")?;
            if let Some(steps) = steps {
                write!(f, ", steps = {steps}")?;
            }
            writeln!(f, " {{")?;
            write_block(f, body, depth)
        }
        Stmt::Start { lhs, value } => write!(f, "{indent}start({lhs}) = {value};"),
        Stmt::Derivative { lhs, value } => write!(f, "{indent}d({lhs}) = {value};"),
    }
}

/// The statements of a block, and its end.
fn write_block(f: &mut Formatter<'_>, body: &[Stmt], depth: usize) -> Result {
    for stmt in body {
        write_statement(f, stmt, depth + 1)?;
        writeln!(f)?;
    }
    write!(f, "{}}}", "    ".repeat(depth))
}

impl Display for Lhs {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.name)?;
        if self.index.is_empty() { Ok(()) } else { write!(f, "[{}]", Commas(&self.index)) }
    }
}

impl Display for Support {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.word)?;
        if self.args.is_empty() { Ok(()) } else { write!(f, "({})", Commas(&self.args)) }
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Range::Dim(name) => write!(f, "{name}"),
            Range::Between { from, to } => write!(f, "{from}..{to}"),
        }
    }
}

/// Things with commas between them.
struct Commas<'a, T>(&'a [T]);

impl<T: Display> Display for Commas<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (i, item) in self.0.iter().enumerate() {
            if i > 0 {
                write!(f, ", ")?;
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

impl Display for CallArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.name {
            Some(name) => write!(f, "{name} = {}", self.value),
            None => write!(f, "{}", self.value),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            // `Debug` has exponents where they are shorter to read, `Display` has no `.0`.
            ExprKind::Number(x) if x.fract() == 0.0 && x.abs() < 1e16 => write!(f, "{x}"),
            ExprKind::Number(x) => write!(f, "{x:?}"),
            ExprKind::Bool(value) => write!(f, "{value}"),
            ExprKind::Name(name) => write!(f, "{name}"),
            ExprKind::Path(path) => {
                let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                let lead = if path.leading_colon.is_some() { "::" } else { "" };
                write!(f, "{lead}{}", words.join("::"))
            }
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            ExprKind::Neg(inner) => write!(f, "-{inner}"),
            ExprKind::Not(inner) => write!(f, "!{inner}"),
            ExprKind::Binary { op, left, right } => write!(f, "{left} {op} {right}"),
            ExprKind::If { condition, then, otherwise } => match otherwise.kind {
                ExprKind::If { .. } => write!(f, "if {condition} {{ {then} }} else {otherwise}"),
                _ => write!(f, "if {condition} {{ {then} }} else {{ {otherwise} }}"),
            },
            ExprKind::Call { callee, args } => write!(f, "{callee}({})", Commas(args)),
            ExprKind::Method { receiver, name, args } => write!(f, "{receiver}.{name}({})", Commas(args)),
            ExprKind::Index { array, index } => write!(f, "{array}[{}]", Commas(index)),
            // The word stands before the weights.
            ExprKind::Reduce { function, var, range, body } if function == "Mixture" => write!(f, "{var} in {range} => {body}"),
            ExprKind::Reduce { function, var, range, body } => write!(f, "{function}({var} in {range} => {body})"),
        }
    }
}

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
        })
    }
}
