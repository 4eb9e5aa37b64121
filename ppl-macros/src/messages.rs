//! The sentences of the parser: what is wrong, in the user's words, then the way out.

use proc_macro2::Ident;

pub(crate) const EMPTY_MODEL: &str = "a model is missing; write `pub Name(data: [f64; N]) { mu ~ Normal(0, 1); .. }`";
pub(crate) const NO_NAME: &str = "a model begins with its name: `pub Name(data: [f64; N]) { .. }`";
pub(crate) const ONE_MODEL: &str = "a `model!` holds one model; open another `model!` for this";
pub(crate) const PPL_ATTRIBUTE: &str = "this attribute takes the path of ppl-core: `#[ppl(crate = path)]`";
pub(crate) const COMMA: &str = "arguments are separated by commas";
pub(crate) const ARGUMENT: &str = "an argument is a name and a type: `y: [f64; N]`";
pub(crate) const REFERENCE_TYPE: &str = "a model owns its data; leave out the `&`";
pub(crate) const ARRAY_TYPE: &str = "an array names its dimensions after a semicolon: `[f64; N]`, `[f64; N, K]`";
pub(crate) const DIMENSION: &str = "a dimension is a name, such as `N`; its size is found from the data";
pub(crate) const TOO_MANY_AXES: &str = "an array has at most three axes";
pub(crate) const NET: &str = "neural networks in models are not available yet";
pub(crate) const IN_DIMENSION: &str = "`in` is followed by the dimension that is pointed into: `[in C; N]`";
pub(crate) const TYPE: &str = "a type is `f64`, `f32`, `u64`, `bool`, `in C`, `usize`, or an array of them such as `[f64; N]`";
pub(crate) const LET_MUT: &str = "nothing in a model changes; leave out the `mut`";
pub(crate) const LOOP: &str = "the loop of a model is `for n in N { .. }`";
pub(crate) const IF_STATEMENT: &str = "`if` is an expression here: `let x = if a[n] > 0 { b } else { c };`";
pub(crate) const RUST: &str =
    "a model is made of `~`, `let`, `for` and `factor`; put Rust into a function of your own and call it";
pub(crate) const SEMICOLON: &str = "there is no statement before this `;`; leave it out";
pub(crate) const FACTOR_ONE: &str = "`factor(..)` takes one number";
pub(crate) const PARAM: &str = "`param` is not available yet; give the name a prior with `~`, such as `x ~ Flat`";
pub(crate) const SUM_BLOCK: &str = "`sum .. ~` blocks are not available yet; write `factor(log_sum_exp(k in K => ..))`";
pub(crate) const SAMPLED: &str = "`sampled` is not available yet: discrete latents are summed out with `factor(log_sum_exp(..))`";
pub(crate) const FOR_NAME: &str = "`for` binds a name: `for n in N { .. }`";
pub(crate) const INCLUSIVE_RANGE: &str = "a range leaves out its end: `0..3` is 0, 1, 2";
pub(crate) const RANGE: &str = "a loop runs over a dimension or a range: `n in N`, `t in 1..T`";
pub(crate) const LHS: &str = "a name is expected here, such as `mu` or `alpha[c]`";
pub(crate) const EXPRESSION_LEFT: &str = "left of `~` stands a name, not an expression; use a distribution of the name itself (such as `LogNormal` for the logarithm), or add a term with `factor(..)`";
pub(crate) const POWER: &str = "`^` is not a power here; write `x.powi(2)`, or `x.powf(y)`";
pub(crate) const POWER_STARS: &str = "`**` is not a power here; write `x.powi(2)`, or `x.powf(y)`";
pub(crate) const REMAINDER: &str = "there is no remainder in the language; compute it in your data";
pub(crate) const CAST: &str = "every number is real here; leave out the `as`";
pub(crate) const QUESTION: &str = "nothing fails inside a model; leave out the `?`";
pub(crate) const CHAINED_COMPARISON: &str = "comparisons do not chain; write `a < b && b < c`";
pub(crate) const REFERENCE: &str = "there are no references in a model; leave out the `&` or `*`";
pub(crate) const METHOD: &str = "a function follows the dot: `x.powi(2)`";
pub(crate) const INDEX_NAME: &str = "only a name can be indexed; give the expression a name with `let`";
pub(crate) const CALL_NAME: &str = "only a function can be called; write `*` for a product";
pub(crate) const EXPRESSION: &str = "an expression is expected here";
pub(crate) const TUPLE: &str = "there are no tuples in a model";
pub(crate) const OPERATOR: &str = "an operator or a comma is expected here";
pub(crate) const ARRAY_LITERAL: &str = "there are no array literals in a model; give the numbers as an argument";
pub(crate) const BLOCK: &str = "there are no blocks in an expression; give its parts names with `let`";
pub(crate) const CLOSURE: &str = "there are no closures in a model; put Rust into a function of your own and call it";
pub(crate) const MATCH: &str = "there is no `match` in a model; write `if .. { a } else { b }`";
pub(crate) const LITERAL: &str = "only numbers, `true` and `false` can be written out in a model";
pub(crate) const IF_LET: &str = "the condition of `if` is `bool` data or a comparison";
pub(crate) const IF_ELSE: &str = "`if` has a value and needs an `else { .. }`";
pub(crate) const IF_BLOCK: &str = "a branch of `if` is one expression in braces: `{ a }`";
pub(crate) const SLICE: &str = "a slice is not an index; use a dimension for a whole axis, or a loop over the range";
pub(crate) const EMPTY_INDEX: &str = "an index is missing; leave out the brackets for the whole array";
pub(crate) const DOUBLE_INDEX: &str = "indices stand in one pair of brackets: `x[n, k]`";
pub(crate) const POSITION_AFTER_NAME: &str = "arguments by position come before arguments by name";

pub(crate) fn no_arguments(name: &Ident) -> String {
    format!("the arguments of `{name}` are missing; write `{name}()` if there are none")
}

pub(crate) fn no_body(name: &Ident) -> String {
    format!("the statements of `{name}` are missing; write them in braces")
}

pub(crate) fn argument_type(name: &Ident) -> String {
    format!("the type of `{name}` is missing: `{name}: [f64; N]`")
}

pub(crate) fn unknown_type(word: &str) -> String {
    let way_out = match word {
        "Vec" | "Array1" | "Array2" | "Array" => "; an array is written `[f64; N]`",
        "i32" | "i64" | "u32" | "u8" | "i8" | "u16" | "i16" | "isize" | "i128" | "u128" => "; counts are `u64`, indices `in C`",
        "String" | "str" => "; turn labels into indices: `[in C; N]`",
        _ => "; it is `f64`, `f32`, `u64`, `bool`, `in C` or `usize`",
    };
    format!("`{word}` is not a type of the language{way_out}")
}

pub(crate) fn let_tilde(name: &Ident) -> String {
    format!("`let` computes; for a random `{name}` leave it out: `{name} ~ ..;`")
}

pub(crate) fn let_equals(name: &Ident) -> String {
    format!("`let {name}` needs a value: `let {name} = ..;`")
}

pub(crate) fn for_in(var: &Ident) -> String {
    format!("`in` is missing: `for {var} in N {{ .. }}`")
}

pub(crate) fn for_body(var: &Ident) -> String {
    format!("the statements of the loop over `{var}` are missing; write them in braces")
}

pub(crate) fn equals(name: &str) -> String {
    format!("write `let {name} = ..;` for a quantity that is computed, or `{name} ~ ..;` for one that is random")
}

pub(crate) fn tilde(name: &str) -> String {
    format!("a distribution is given with `~`: `{name} ~ Normal(0, 1);`")
}

pub(crate) fn statement(name: &str) -> String {
    format!("this is not a statement; write `{name} ~ Normal(0, 1);`, `let {name} = ..;`, `for n in N {{ .. }}` or `factor(..);`")
}

pub(crate) fn missing_semicolon(name: &Ident) -> String {
    format!("the statement of `{name}` ends with `;`")
}

pub(crate) fn field(name: &Ident) -> String {
    format!("there are no fields in a model; a function is called with parentheses: `.{name}()`")
}

pub(crate) fn suffix(digits: &str, suffix: &str) -> String {
    format!("every number is real here; leave out `{suffix}`: `{digits}`")
}

pub(crate) fn macro_call(name: &Ident) -> String {
    format!("there are no macros in a model; put `{name}!` into a function of your own and call it")
}

pub(crate) fn reduce_arrow(function: &Ident, var: &Ident) -> String {
    format!("`=>` is missing: `{function}({var} in K => ..)`")
}
