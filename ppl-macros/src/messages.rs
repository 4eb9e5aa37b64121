//! The sentences of the parser: what is wrong, in the user's words, then the way out.

use std::fmt::Display;

use proc_macro2::Ident;

pub(crate) const EMPTY_MODEL: &str = "a model is missing; write `pub Name(data: [f64; N]) { mu ~ Normal(0, 1); .. }`";
pub(crate) const NO_NAME: &str = "a model begins with its name: `pub Name(data: [f64; N]) { .. }`";
pub(crate) const ONE_MODEL: &str = "a `model!` holds one model; open another `model!` for this";
pub(crate) const GENERICS: &str = "a model has no type parameters; the element type is that of its data";
pub(crate) const ATTRIBUTE: &str = "an attribute is written `#[name]` or `#[name(..)]`";
pub(crate) const STATEMENT_ATTRIBUTE: &str =
    "attributes and documentation belong to the model and its arguments; a note on a statement is written with `//`";
pub(crate) const PPL_ATTRIBUTE: &str = "this attribute takes the path of ppl-core: `#[ppl(crate = path)]`";
pub(crate) const TOO_DEEP: &str =
    "this nests too deeply to be compiled; give its parts names with `let`, or add up with `sum(k in K => ..)`";
pub(crate) const COMMA: &str = "arguments are separated by commas";
pub(crate) const DEFAULT: &str = "an argument has no default; give its value where the model is made";
pub(crate) const ARGUMENT: &str = "an argument is a name and a type: `y: [f64; N]`";
pub(crate) const REFERENCE_TYPE: &str = "a model owns its data; leave out the `&`";
pub(crate) const ARRAY_TYPE: &str = "an array names its dimensions after a semicolon: `[f64; N]`, `[f64; N, K]`";
pub(crate) const NESTED_ARRAY: &str = "an array of arrays is one array with several dimensions: `[f64; N, K]`";
pub(crate) const OPTION: &str = "an array with missing values is written `[Option<f64>; N]`";
pub(crate) const OPTION_ARRAY: &str = "the values are missing, not the array; write `[Option<f64>; N]`";
pub(crate) const DIMENSION: &str =
    "a dimension is a name, such as `N`; its size is found from the data, and several are separated by commas";
pub(crate) const TOO_MANY_AXES: &str = "an array has at most three axes; split it, or run two of them together";
pub(crate) const NET: &str = "a network is an argument `decoder: net(Z => D)`: how many numbers it takes and gives for a row, such as `D`, `2 * Z`, `Z + T * V` or `1`";
pub(crate) const NET_FACTOR: &str =
    "a factor of the size of a network is a whole number from 1 to 65536; larger sizes are dimensions, `D: usize`";
pub(crate) const IN_DIMENSION: &str = "`in` is followed by the dimension that is pointed into: `[in C; N]`";
pub(crate) const TYPE: &str =
    "a type is `f64`, `f32`, `u64`, `i64`, `bool`, `in C`, `usize`, or an array of them such as `[f64; N]`";
pub(crate) const LET_MUT: &str = "nothing in a model changes; leave out the `mut`";
pub(crate) const LET_TUPLE: &str =
    "`let` names one quantity; write one `let` for each, or `let (a, b) = split(network(..))` of what a network gives";
pub(crate) const LET_TYPE: &str = "every quantity is real here; leave out the type";
pub(crate) const UNDERSCORE: &str = "`_` is not a name here; write one out, such as `mu`";
pub(crate) const AUTO: &str = "`auto` is followed by names of latents, each as a whole and without indices: `auto mu, tau;`";
pub(crate) const AUTO_IN_MODEL: &str =
    "`auto` leaves latents to the automatic guide and stands in a `guide!`; in a model a latent has a distribution: `mu ~ ..;`";
pub(crate) const AUTO_IN_LOOP: &str = "`auto` names latents as wholes: write it outside of loops";
pub(crate) const LOOP: &str = "the loop of a model is `for n in N { .. }`";
pub(crate) const IF_STATEMENT: &str = "`if` is an expression here: `let x = if a[n] > 0 { b } else { c };`";
pub(crate) const STATEMENT_BLOCK: &str = "there are no blocks on their own; leave out the braces, or put a `for` before them";
pub(crate) const RUST: &str =
    "a model is made of `~`, `let`, `param`, `for`, `sum`, `ode` and `factor`; put Rust into a function of your own and call it";
pub(crate) const SEMICOLON: &str = "there is no statement before this `;`; leave it out";
pub(crate) const FACTOR_ONE: &str = "`factor(..)` takes one number; write one `factor(..)` for each";
pub(crate) const SUM: &str = "a discrete variable is summed out as `sum k in K ~ Categorical(w) { .. }`";
pub(crate) const SAMPLED_IN_ROWS: &str = "in a model with networks every discrete latent is drawn, and `Amortized::discrete` says how its gradient is estimated: leave out `sampled`";
pub(crate) const SAMPLED_IN_GUIDE: &str = "a guide draws all that it has statements for: leave out `sampled`";
pub(crate) const SAMPLED_INDEX: &str = "an index that is drawn picks numbers alone: read the elements one by one, `a[k[n], j]`";
pub(crate) const TRUNCATION: &str = "a truncated distribution is written `Truncated(Normal(0, 1), lower = 0)`";
pub(crate) const FOR_NAME: &str = "`for` binds a name: `for n in N { .. }`";
pub(crate) const INCLUSIVE_RANGE: &str = "a range leaves out its end: `0..3` is 0, 1, 2";
pub(crate) const RANGE: &str = "a loop runs over a dimension or a range: `n in N`, `t in 1..T`";
pub(crate) const LHS: &str = "a name is expected here, such as `mu` or `alpha[c]`";
pub(crate) const EXPRESSION_LEFT: &str = "left of `~` stands a name, not an expression; use a distribution of the name itself (such as `LogNormal` for the logarithm), or add a term with `factor(..)`";
pub(crate) const STATEMENT: &str =
    "this is not a statement; write `x ~ Normal(0, 1);`, `let x = ..;`, `for n in N { .. }` or `factor(..);`";
pub(crate) const POWER: &str = "`^` is not a power here; write `x.powi(2)`, or `x.powf(y)`";
pub(crate) const POWER_STARS: &str = "`**` is not a power here; write `x.powi(2)`, or `x.powf(y)`";
pub(crate) const REMAINDER: &str = "there is no remainder in the language; compute it in your data";
pub(crate) const CAST: &str = "every number is real here; leave out the `as`";
pub(crate) const QUESTION: &str = "there is no `?` in a model; a choice is written `if c { a } else { b }`";
pub(crate) const MATRIX_PRODUCT: &str = "there is no `@` here; a product of vectors is written `dot(a, b)`";
pub(crate) const AND: &str = "conditions that must both hold are joined with `&&`";
pub(crate) const OR: &str = "conditions of which one must hold are joined with `||`";
pub(crate) const COMPARE: &str = "`=` does not compare; write `==`";
pub(crate) const PLUS: &str = "there is no sign `+`; leave it out";
pub(crate) const CHAINED_COMPARISON: &str = "comparisons do not chain; write `a < b && b < c`";
pub(crate) const REFERENCE: &str = "there are no references in a model; leave out the `&` or `*`";
pub(crate) const METHOD: &str = "a function follows the dot: `x.powi(2)`";
pub(crate) const INDEX_NAME: &str = "only a name can be indexed; give the expression a name with `let`";
pub(crate) const CALL_NAME: &str = "only a function can be called; write `*` for a product";
pub(crate) const EXPRESSION: &str = "an expression is expected here, such as `1`, `mu` or `alpha[c]`";
pub(crate) const TUPLE: &str = "there are no tuples in a model; give each part a name with `let`";
pub(crate) const OPERATOR: &str = "this does not continue the expression; an operator or a comma is missing before it";
pub(crate) const ARRAY_LITERAL: &str = "there are no array literals in a model; give the numbers as an argument";
pub(crate) const BLOCK: &str = "there are no blocks in an expression; give its parts names with `let`";
pub(crate) const CLOSURE: &str = "there are no closures in a model; put Rust into a function of your own and call it";
pub(crate) const MATCH: &str = "there is no `match` in a model; write `if .. { a } else { b }`";
pub(crate) const LOOP_VALUE: &str = "a loop has no value; add up with `sum(n in N => ..)`";
pub(crate) const PATH: &str = "a path ends with a name; types are found from the arguments, without `::<..>`";
pub(crate) const TOO_LARGE: &str = "this number is larger than any `f64`; write the model on the scale of its logarithm";
pub(crate) const REDUCE: &str = "a name is bound by `sum(k in K => ..)` and `log_sum_exp(k in K => ..)` only";
pub(crate) const MIXTURE: &str = "a mixture is written `Mixture(w, k in K => Normal(mu[k], sigma[k]))`: weights, and the component of each; or `Mixture(w, Normal(0, 1), Cauchy(0, 2))`";
pub(crate) fn read_before(name: &Ident) -> String {
    format!("`{name}` is read before this element of it is computed; move its statement up, or read an earlier element")
}

pub(crate) fn read_in_its_loop(name: &Ident) -> String {
    format!(
        "`{name}` is read, while its loop still runs, at an element that may not be computed yet; read an earlier one, such as `{name}[t - 1]` in the loop over `t`, or close the loop first"
    )
}

pub(crate) fn component_with_bounds(word: &str) -> String {
    format!("the components of a mixture lie in one set, and those of `{word}` have bounds of their own")
}

pub(crate) const NAMED_ARGUMENT: &str = "an argument by name is written with `=`: `Normal(loc = 0, scale = 1)`";
pub(crate) const MISSING_INDEX: &str =
    "an index is missing before the comma; a whole axis is kept by the name of its dimension: `x[N, k]`";
pub(crate) const LITERAL: &str = "only numbers, `true` and `false` can be written out in a model";
pub(crate) const IF_LET: &str = "the condition of `if` is `bool` data or a comparison; leave out the `let`";
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
        "i32" | "i8" | "i16" | "isize" | "i128" => "; whole numbers are `i64`, counts `u64`, indices `in C`",
        "u32" | "u8" | "u16" | "u128" => "; counts are `u64`, indices `in C`",
        "usize" => "; a size is an argument of its own, counts are `u64`, indices `in C`",
        "real" | "float" | "double" | "number" | "f16" => "; real numbers are `f64`",
        "int" | "integer" => "; whole numbers are `i64`, counts `u64`, indices `in C`",
        "uint" => "; counts are `u64`, indices `in C`",
        "String" | "str" => "; turn labels into indices: `[in C; N]`",
        _ => "; it is `f64`, `f32`, `u64`, `i64`, `bool`, `in C` or `usize`",
    };
    format!("`{word}` is not a type of the language{way_out}")
}

pub(crate) fn let_tilde(name: &Ident) -> String {
    format!("`let` computes; for a random `{name}` leave it out: `{name} ~ ..;`")
}

pub(crate) fn let_equals(name: &Ident) -> String {
    format!("`let {name}` needs a value: `let {name} = ..;`")
}

pub(crate) fn param_tilde(name: &Ident) -> String {
    format!("a parameter is maximised and has no distribution; leave out `param` for a latent: `{name} ~ ..;`")
}

pub(crate) fn param_support(name: &Ident) -> String {
    format!("the support of `{name}` is missing: `param {name}: real = 0;`")
}

pub(crate) fn auto_tilde(name: &Ident) -> String {
    format!("`auto` leaves `{name}` to the automatic guide; for a distribution of your own leave it out: `{name} ~ ..;`")
}

pub(crate) fn param_square(name: &Ident, rows: &str, columns: &str) -> String {
    format!("`{name}` is a square matrix: its last two axes are one dimension, not `{rows}` and `{columns}`")
}

pub(crate) fn param_start(name: &Ident) -> String {
    format!("`param {name}` needs a value to start from: `param {name}: real = 0;`")
}

pub(crate) fn for_in(var: &Ident) -> String {
    format!("`in` is missing: `for {var} in N {{ .. }}`")
}

pub(crate) fn for_body(var: &Ident) -> String {
    format!("the statements of the loop over `{var}` are missing; write them in braces")
}

pub(crate) fn sum_in(var: &Ident) -> String {
    format!(
        "the values of `{var}` that are added up are missing: `sum {var} in K ~ Categorical(w) {{ .. }}`, or `sum {var} in 0..10 ~ Poisson(3) {{ .. }}`"
    )
}

pub(crate) fn sum_prior(var: &Ident) -> String {
    format!(
        "the distribution of `{var}` is missing: `sum {var} in K ~ Categorical(w) {{ .. }}`; a plain sum of numbers is `sum({var} in K => ..)`"
    )
}

pub(crate) fn sum_body(var: &Ident) -> String {
    format!("the statements that depend on `{var}` are missing; write them in braces")
}

pub(crate) fn chain_index(var: &Ident) -> String {
    format!("a chain has one index, that of its steps: `sum {var}[t] in K for t in T {{ .. }}`")
}

pub(crate) fn chain_for(var: &Ident, time: &Ident) -> String {
    format!("a chain says what its steps run over: `sum {var}[{time}] in K for {time} in T {{ .. }}`")
}

pub(crate) fn chain_start(var: &Ident, first: &str) -> String {
    format!("where the chain begins is missing: `{var}[{first}] ~ Categorical(start);`")
}

pub(crate) fn chain_step(var: &Ident, time: &Ident) -> String {
    format!("how the chain goes on is missing: `{var}[{time}] ~ Categorical(transition[{var}[{time} - 1]]);`")
}

pub(crate) fn chain_twice(var: &Ident, first: &str, time: &Ident) -> String {
    format!("a chain has two distributions, of `{var}[{first}]` where it begins and of `{var}[{time}]` for every later step")
}

pub(crate) fn chain_skips(var: &Ident, time: &Ident) -> String {
    format!(
        "`{var}` is a chain: a step depends on the one before, `{var}[{time} - 1]`, and on no other; a state that holds two steps is one of `K * K` values"
    )
}

pub(crate) fn chain_before(var: &Ident, time: &Ident) -> String {
    format!(
        "`{var}[{time} - 1]` stands in the distribution of `{var}[{time}]` alone; what is observed at a step depends on `{var}[{time}]`"
    )
}

pub(crate) fn chain_now(var: &Ident, time: &Ident) -> String {
    format!("`{var}[{time}]` is what is drawn here; its distribution depends on `{var}[{time} - 1]`")
}

pub(crate) fn chain_whole(var: &Ident, time: &Ident) -> String {
    format!("`{var}` is a chain, of which each step is read by itself: `{var}[{time}]`")
}

pub(crate) const ODE: &str = "a differential equation is written `ode s in 0..times[t] for t in T { start(x) = ..; d(x) = ..; }`";
pub(crate) const ODE_BODY: &str = "the equations follow in braces: `{ start(x) = ..; d(x) = ..; }`, after `, steps = 20` if there are so many between two times";
pub(crate) const ODE_STEPS: &str =
    "how many steps are taken between two times is a whole number from 1 to 100000: `, steps = 20`";
pub(crate) const ODE_TIMES: &str =
    "times are made of data and numbers: a time that depends on latents would move the steps of the solution";
pub(crate) const ODE_DIMENSION: &str =
    "the solution is over a whole dimension of times, such as `for t in T`; where it starts is the first of `from..times[t]`";
pub(crate) const ODE_OBSERVED: &str =
    "times are not made of observed data, which predictions do not have; make them an argument that is never left of `~`";
pub(crate) const ODE_STATEMENT: &str =
    "the braces of `ode` hold `start(x) = ..;`, `d(x) = ..;`, `let` and `for`; all else stands outside of them";
pub(crate) const ODE_IN_ROWS: &str = "differential equations are not available in the loop over the rows of a model with networks; write them in a model without networks";
pub(crate) const GUIDE_ODE: &str = "a guide draws latents, and solves no differential equations; write `ode` in the model";

pub(crate) fn ode_range(time: &Ident, name: &Ident) -> String {
    format!("the time runs from a number to the times of data: `ode {time} in 0..{name}[t] for t in T {{ .. }}`")
}

pub(crate) fn ode_for(time: &Ident) -> String {
    format!("at which times the solution is wanted is missing: `ode {time} in 0..times[t] for t in T {{ .. }}`")
}

pub(crate) fn ode_time_index(name: &Ident) -> String {
    format!("`{name}` is a time, which is a real number and no index")
}

pub(crate) fn equation_of(word: &Ident) -> String {
    format!("`{word}(..)` takes the name of a component: `{word}(x) = ..;`, `{word}(x[g]) = ..;`")
}

pub(crate) fn equation_value(word: &Ident, name: &Ident) -> String {
    let what = if word == "d" { "the derivative" } else { "the start" };
    format!("{what} of `{name}` is missing: `{word}({name}) = ..;`")
}

pub(crate) fn equation_outside(word: &str, name: &Ident) -> String {
    format!("`{word}({name})` stands in a differential equation: `ode s in 0..times[t] for t in T {{ {word}({name}) = ..; }}`")
}

pub(crate) fn no_derivative(name: &Ident) -> String {
    format!("the derivative of `{name}` is missing, or of some of its elements: `d({name}) = ..;`")
}

pub(crate) fn no_start(name: &Ident) -> String {
    format!("where `{name}` starts is missing, or where some of its elements do: `start({name}) = ..;`")
}

pub(crate) fn derivative_twice(name: &Ident) -> String {
    format!("some elements of `{name}` have two derivatives; give each one `d({name}) = ..;`")
}

pub(crate) fn start_twice(name: &Ident) -> String {
    format!("some elements of `{name}` start twice; give each one `start({name}) = ..;`")
}

pub(crate) const CHAIN_IN_ROWS: &str =
    "a chain is not available in the loop over the rows of a model with networks; write it in a model without networks";

pub(crate) fn discrete_unbounded(name: &Ident) -> String {
    format!(
        "`{name}` is a discrete latent, and its values have no bounds that are numbers and sizes; give them one, `Truncated(Poisson(3), upper = 20)`, or draw it: `{name} ~ Poisson(3) sampled;`"
    )
}

pub(crate) const MIXTURE_VALUES: &str =
    "the components of a mixture that is drawn have the same values, and the ends of these differ";

pub(crate) fn guide_discrete(name: &Ident) -> String {
    format!(
        "`{name}` of the model is discrete: draw it from `Bernoulli`, `Categorical`, `Poisson` or another distribution of whole numbers, as it is"
    )
}

pub(crate) fn guide_values(name: &Ident, example: &str) -> String {
    format!(
        "`{name}` of the model has no such values: draw it from `{example}` or another distribution of the values that it has"
    )
}

pub(crate) fn guide_without_discrete(name: &Ident, element: &str, example: &str) -> String {
    format!("the guide says nothing of `{name}`: write `{element} ~ {example};`")
}

pub(crate) fn auto_sampled(name: &Ident, example: &str) -> String {
    format!(
        "`{name}` is discrete, and the automatic guide of what is left has no tables: give it a statement, `{name} ~ {example};`"
    )
}

pub(crate) fn sampled_continuous(name: &Ident) -> String {
    format!("`sampled` is for discrete latents, `Bernoulli`, `Categorical`, `Poisson` and such: `{name}` is drawn without it")
}

pub(crate) fn sampled_given(name: &Ident) -> String {
    format!("`{name}` is data, and not drawn: leave out `sampled`")
}

pub(crate) fn sampled_parts(name: &Ident) -> String {
    format!("some statements of `{name}` are `sampled` and others are not; write it at the end of all of them, or of none")
}

pub(crate) fn sampled_count(name: &Ident, dim: &str) -> String {
    format!("`{name}` is a number and no index: draw it from `Categorical(w)`, with `w` over `{dim}`")
}

pub(crate) fn sampled_negative(name: &Ident) -> String {
    format!("`{name}` may be negative here: what is `sampled` are counts and indices, from zero on")
}

pub(crate) fn discrete_values(name: &Ident) -> String {
    format!("the statements of `{name}` give it different values; all its elements share them")
}

pub(crate) fn discrete_whole(name: &Ident) -> String {
    format!("`{name}` is a discrete latent, of which one element is read at a time: give it its index")
}

pub(crate) fn discrete_quantity(name: &Ident) -> String {
    format!(
        "`{name}` would have a value for each value of a discrete latent; write a `let` without an index in the loop, and use it in the statements that need it"
    )
}

pub(crate) const DISCRETE_IN_SUM: &str =
    "a discrete latent is not read within a `sum`: sum it out as well, with a `sum` around this one";
pub(crate) const DISCRETE_HERE: &str = "a discrete latent has no place in a `sum`; sum it out with a `sum` of its own";
pub(crate) const GUIDE_DISCRETE: &str =
    "each value of a discrete latent has a probability of its own in every guide; leave its statement out";

pub(crate) fn sum_distribution(var: &Ident, word: &str) -> String {
    format!(
        "`{var}` is summed out, and the values of `{word}` are no counts: write `Categorical`, `Bernoulli`, `Binomial` or another distribution of these"
    )
}

pub(crate) fn sum_weights(var: &Ident, dim: &str) -> String {
    format!("the probabilities are over `{dim}`: write `sum {var} in {dim} ~ ..`")
}

pub(crate) fn sum_twice(var: &Ident) -> String {
    format!(
        "another `sum` is over a `{var}`; the probabilities of its values are reported by that name, so give this one another"
    )
}

pub(crate) fn sum_left(name: &Ident, var: &Ident) -> String {
    format!("`{var}` is summed out, so that `{name}` cannot be one thing for each `{var}`; leave the index out")
}

pub(crate) fn sum_bounds(name: &Ident) -> String {
    format!(
        "`{name}` is a latent with bounds of its own, and these cannot depend on what is summed out; give it its distribution outside of `sum`"
    )
}

pub(crate) const SUM_MASK: &str = "what is summed out has no mask; mask the statements in the braces";
pub(crate) const SUM_QUANTITY: &str =
    "in a `sum` a quantity is one for each of its values; give it a name without an index: `let m = ..;`";
pub(crate) const SUM_PARAM: &str = "a parameter is the same for all values that are summed out; write `param` outside of `sum`";
pub(crate) const GUIDE_SUM: &str = "a guide draws latents, and nothing is summed out in it; write `sum` in the model";

pub(crate) fn equals(name: &Ident) -> String {
    format!("write `let {name} = ..;` for a quantity that is computed, or `{name} ~ ..;` for one that is random")
}

pub(crate) fn assign(name: &Ident) -> String {
    format!("nothing in a model changes; write `factor(..)` to add a term to the log joint, or `let {name} = ..;` for a quantity")
}

pub(crate) fn tilde(name: &Ident) -> String {
    format!("`~` is missing after `{name}`: `{name} ~ Normal(0, 1);`")
}

pub(crate) fn no_distribution(name: &Ident) -> String {
    format!("the distribution of `{name}` is missing: `{name} ~ Normal(0, 1);`")
}

pub(crate) fn statement_type(name: &Ident) -> String {
    format!("types stand in the argument list only; leave out the type of `{name}`")
}

pub(crate) fn keyword(word: &Ident) -> String {
    format!("`{word}` is a word of Rust; choose another name, such as `{word}_`")
}

pub(crate) fn body_follows(name: &Ident) -> String {
    format!("the statements follow the arguments: `{name}(..) {{ .. }}`")
}

pub(crate) fn missing_semicolon(statement: &str) -> String {
    format!("the statement of `{statement}` ends with `;`")
}

pub(crate) fn field(name: &Ident) -> String {
    format!("there are no fields in a model; a function is called with parentheses: `.{name}()`")
}

pub(crate) fn suffix(digits: &str, suffix: &str) -> String {
    match suffix {
        "f64" | "f32" | "usize" | "isize" | "u64" | "u32" | "u16" | "u8" | "u128" | "i64" | "i32" | "i16" | "i8" | "i128" => {
            format!("every number is real here; leave out `{suffix}`: `{digits}`")
        }
        _ => format!("a product is written with `*`: `{digits} * {suffix}`"),
    }
}

pub(crate) fn macro_call(name: &Ident) -> String {
    format!("there are no macros in a model; put `{name}!` into a function of your own and call it")
}

pub(crate) fn reduce_arrow(function: &Ident, var: &Ident) -> String {
    format!("`=>` is missing: `{function}({var} in K => ..)`")
}

pub(crate) const NO_PLATE: &str =
    "a model with networks has one loop over its rows, `for n in N { .. }`, in which they are called";
pub(crate) const ROW_ELEMENT: &str =
    "data beside networks are `f32`, `f64`, `u64`, `i64`, `bool` or `in K`, and none is missing; leave those rows out";
pub(crate) const OUTSIDE_PLATE: &str =
    "beside the loop over its rows a guide has `auto mu, tau;` alone, for latents that are left to the automatic guide";
pub(crate) const SECOND_PLATE: &str =
    "a model with networks has one loop over its rows: move these statements into the one in which networks are called";
pub(crate) const CALL_OUTSIDE: &str = "a network is applied to each row: call it in the loop over the rows";
pub(crate) const PARAM_IN_PLATE: &str = "a parameter is one for all rows: write it before the loop over them";
pub(crate) const OTHER_ROWS: &str = "the rows of a model with networks are independent: none reads all the others";
pub(crate) const PLATE_NUMBER: &str = "the index of a row is no number here: rows are independent of their order";
pub(crate) const ROW_CHOICE: &str = "this condition may hold in one row or draw and not in another, which are computed together: write `c * a + (1 - c) * b` with the condition as `c`";
pub(crate) const CALL_IN_LOOP: &str = "a network is applied to a whole row: call it before this loop, with `let`";
pub(crate) const SPLIT: &str = "`split` takes a call of a network of the arguments: `let (a, b) = split(network(x[n]))`";

pub(crate) fn not_over_plate(name: &Ident, plate: &Ident) -> String {
    format!("data over the rows of a model with networks have these as their first axis: `{name}: [..; {plate}, ..]`")
}

pub(crate) fn plate_first(name: &Ident, var: &Ident) -> String {
    format!("`{name}` is one thing for each row: its first index is `{var}`, and rows read no others")
}

pub(crate) fn outside_reads(name: &Ident, plate: &Ident) -> String {
    format!(
        "`{name}` is over the rows `{plate}`, which statements outside the loop over them do not see; move this into the loop"
    )
}

pub(crate) fn plate_size(plate: &Ident) -> String {
    format!(
        "how many rows there are is not known to a model that learns from batches of them: give `{plate}` as a number of its own"
    )
}

pub(crate) fn declared_outside(name: &Ident) -> String {
    format!("`{name}` is declared outside the loop over the rows, one for all of them; give what each row has another name")
}

pub(crate) fn guide_reads(name: &Ident) -> String {
    format!("`{name}` is outside the loop over the rows of the model, and the guide of a row is a function of the row alone")
}

pub(crate) fn guide_reads_auto(name: &Ident) -> String {
    format!(
        "`{name}` is left to the automatic guide, which draws it apart from all others; give it a distribution to read it here"
    )
}

pub(crate) fn guide_global(name: &Ident) -> String {
    format!("`{name}` is one for all rows: leave it to the automatic guide, outside the loop, with `auto {name};`")
}

pub(crate) fn auto_twice(name: &Ident) -> String {
    format!("`{name}` is left to the automatic guide twice; name it once")
}

pub(crate) fn auto_given(name: &Ident) -> String {
    format!("`{name}` has a distribution in this guide; leave out either that or `auto {name}`")
}

pub(crate) fn uncovered_global(latent: &Ident) -> String {
    format!("the guide says nothing of the model's latent `{latent}`, which is one for all rows: write `auto {latent};`")
}

pub(crate) fn guide_plate(plate: &Ident) -> String {
    format!("the rows of the model are over `{plate}`: write `for n in {plate} {{ .. }}`")
}

pub(crate) fn operand(network: &Ident, var: &Ident) -> String {
    format!("`{network}` takes data, latents and what networks give, whole: `{network}(x[{var}])`")
}

pub(crate) fn network_takes(network: &Ident, inputs: &impl Display, given: &impl Display) -> String {
    format!("`{network}` takes `{inputs}` numbers, but is given `{given}`")
}

pub(crate) fn network_gives(network: &Ident, outputs: &impl Display, pieces: usize, names: usize) -> String {
    if names == 1 {
        return format!(
            "`{network}` gives `{outputs}` numbers: name its {pieces} parts with `let (a, b) = split({network}(..))`"
        );
    }
    if pieces == 1 {
        return format!(
            "`{network}` gives `{outputs}` numbers as one part: name it with `let a = {network}(..)`, without `split`"
        );
    }
    format!("`{network}` gives `{outputs}` numbers, {pieces} parts, but there are {names} names")
}

pub(crate) const GUIDE: &str =
    "a guide is written `guide! { pub Name for Model(encoder: net(D => 2 * Z)) { for n in N { .. } } }`";
pub(crate) const GUIDE_OF_ROWS: &str = "a guide with networks is for models with networks or of one loop `for n in N { .. }` over independent rows; \
     without networks a guide is for any model";
pub(crate) const GUIDE_FACTOR: &str = "a guide is a distribution: it has statements `~` alone";
pub(crate) const GUIDE_ITSELF: &str =
    "a latent of a guide is drawn as a whole and does not read itself: take a parameter over its axis, or another latent";
pub(crate) const GUIDE_OTHER_ROW: &str =
    "this quantity is computed in another loop, where the guide cannot take it from: write here what it is made of";
pub(crate) const GUIDE_PARTS: &str =
    "a latent of a guide has one statement, for all of its elements: take parameters over its axes";

/// What a latent that lies in a set of this name is drawn from: as in the example, or from others.
pub(crate) fn guide_families(name: &Ident, set: Option<&str>, example: &str, words: &[&str]) -> String {
    let set = set.map(|set| format!("is {set} in the model, and so ")).unwrap_or_default();
    // What is made of another distribution is shown as a whole.
    let own = example.split('(').next().unwrap_or(example);
    let shown = if example.matches('(').count() > 1 { example } else { own };
    let words: Vec<String> = words.iter().filter(|word| **word != own).map(|word| format!("`{word}`")).collect();
    let others = match &words[..] {
        [] => String::new(),
        [one] => format!("or {one} "),
        several => format!("or one of {} ", several.join(", ")),
    };
    format!("`{name}` {set}is drawn from `{shown}` {others}in a guide, or left to the automatic guide, `auto {name};`")
}

pub(crate) const LATENT_BOUNDS: &str = "a bound is made of data and numbers here: a latent between bounds that depend on others is `Uniform(lower, upper)`, in a model without networks";
pub(crate) const GUIDE_BOUNDS: &str =
    "the bounds of a latent are those that it has in the model, made of numbers and data; what a guide learns lies between them";

pub(crate) fn guide_without(latent: &Ident, example: &str, family: &str) -> String {
    format!("the guide says nothing of `{latent}`: write `{example} ~ {family};`, or leave it to `auto {latent};`")
}

pub(crate) fn guide_missing(name: &Ident) -> String {
    format!(
        "some values of `{name}` are missing, so that a guide does not read it: leave those to the automatic guide, `auto {name};`"
    )
}

pub(crate) fn guide_param_of_latent(name: &Ident) -> String {
    format!("`{name}` is a latent of the model: give it a distribution, `{name} ~ ..;`, and the parameter a name of its own")
}

pub(crate) fn guide_param_of_model(name: &Ident) -> String {
    format!("`{name}` is a parameter of the model already; give that of the guide a name of its own")
}

pub(crate) fn guide_precision(name: &Ident, element: &str) -> String {
    format!("the model is of `{element}`, and so are the real numbers of its guide: declare `{name}` as `{element}`")
}

pub(crate) fn no_latent<'a>(name: &Ident, latents: impl Iterator<Item = &'a Ident>) -> String {
    let known: Vec<String> = latents.map(|latent| format!("`{latent}`")).collect();
    format!("the model has no latent `{name}`; its latents are {}", known.join(", "))
}

pub(crate) fn latent_axes(name: &Ident, expected: &str, given: &str) -> String {
    format!("`{name}` is over [{expected}] in the model, but over [{given}] here")
}

pub(crate) fn uncovered(latent: &Ident) -> String {
    format!(
        "the guide says nothing of the model's latent `{latent}`: write `{latent}[n, ..] ~ Normal(loc, scale)`, or `auto {latent};`"
    )
}

pub(crate) fn guide_dim(dim: &Ident) -> String {
    format!("the model has no dimension `{dim}`, so that its size is not known here")
}

pub(crate) const DISCRETE_OUTSIDE: &str = "in a model with networks a discrete latent stands in the loop over the rows; sum this one out with `sum`, or write the model without networks";

pub(crate) const ONE_HOT: &str =
    "`one_hot(k[n])` takes an index array, whole: a network is given as many numbers as it has values, of which one is one";

pub(crate) fn one_hot_of(name: &Ident) -> String {
    format!("`{name}` is no index: `one_hot` is for data `[in K; ..]` and for `Categorical` latents")
}

pub(crate) fn discrete_categories(name: &Ident) -> String {
    format!(
        "what `{name}` is an index into is not known here: give `Categorical` an array of the model or of a network over it, `Categorical(logits = a[n])`"
    )
}

pub(crate) fn discrete_parts(name: &Ident) -> String {
    format!("another statement draws a part of `{name}` from other values; give all parts the same")
}

pub(crate) fn discrete_family(name: &Ident, model: &str, guide: &str) -> String {
    format!("`{name}` is drawn from `{model}` in the model, whose values are not those of this `{guide}`")
}

pub(crate) fn not_discrete(name: &Ident, family: &str) -> String {
    format!("`{name}` is no discrete latent in the model: `{family}` draws no values of it")
}

pub(crate) fn is_discrete(name: &Ident, family: &str) -> String {
    format!("`{name}` is drawn from `{family}` in the model, and takes a discrete distribution in a guide, such as `{family}`")
}

pub(crate) fn auto_discrete(name: &Ident) -> String {
    format!(
        "`{name}` is a count, for which the automatic guide has no part: write `{name}[n, ..] ~ Poisson(log_rate = a[n])`, or what it is drawn from"
    )
}

pub(crate) fn guide_data(name: &Ident) -> String {
    format!("`{name}` is data of the model: a guide is of its latents")
}

pub(crate) fn weights(network: &Ident) -> String {
    format!("the weights of `{network}` are latent by one statement `{network} ~ Normal(0, scale)` with a positive number")
}
