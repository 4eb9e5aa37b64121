//! Every sentence of the parser, on the very token: `«»` marks where.

use proc_macro2::{Ident, Span};

use quote::format_ident;

use super::parse_all;
use crate::messages as m;

/// Checks that `source`, without its marks, has these errors on the marked tokens.
fn check(source: &str, sentences: &[&str]) {
    let (mut plain, mut marks, mut open) = (String::new(), Vec::new(), 0);
    for c in source.chars() {
        match c {
            '«' => open = plain.len(),
            '»' => marks.push(open..plain.len()),
            _ => plain.push(c),
        }
    }
    let (_, errors) = parse_all(&plain);
    let found: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(found, sentences, "{source}");
    // Parsing again moves the offsets: positions are compared within one line.
    assert!(!plain.contains('\n'), "one line a case: {source}");
    for (error, mark) in errors.iter().zip(&marks) {
        let (start, end) = (error.span().start().column, error.span().end().column);
        assert_eq!(&plain[start..end], &plain[mark.clone()], "{source}");
        assert_eq!(start, mark.start, "{source}");
    }
    assert_eq!(errors.len(), marks.len(), "{source}");
}

/// A statement with one error.
fn statement(source: &str, sentence: &str) {
    check(&format!("M(y: f64) {{ {source} }}"), &[sentence]);
}

/// An argument with one error.
fn argument(source: &str, sentence: &str) {
    check(&format!("M({source}) {{ }}"), &[sentence]);
    check(&format!("M(a: f64, {source}, b: f64) {{ }}"), &[sentence]);
}

#[test]
fn powers_and_other_operators() {
    statement("let a = x«^»2;", m::POWER);
    statement("a ~ Normal(0, x «^» 2);", m::POWER);
    statement("x«^»2 ~ Normal(0, 1);", m::POWER);
    statement("let a = x «*»* 2;", m::POWER_STARS);
    statement("let a = x «%» 2;", m::REMAINDER);
    statement("let a = x «as» f64;", m::CAST);
    statement("let a = c «?» x : y;", m::QUESTION);
    statement("let a = x «@» y;", m::MATRIX_PRODUCT);
    statement("let a = c «&» d;", m::AND);
    statement("let a = c «and» d;", m::AND);
    statement("let a = c «|» d;", m::OR);
    statement("let a = c «or» d;", m::OR);
    statement("let a = 1 < x «<» 2;", m::CHAINED_COMPARISON);
    statement("let a = «+»x;", m::PLUS);
    statement("let a = if x «=» 1 { 1 } else { 2 };", m::COMPARE);
    statement("factor(exp((x «y»)));", m::OPERATOR);
}

#[test]
fn numbers_with_types() {
    statement("let a = «1f64»;", &m::suffix("1", "f64"));
    statement("let a = «1usize» + 2;", &m::suffix("1", "usize"));
    statement("let a = «2x»;", "a product is written with `*`: `2 * x`");
    statement("let a = «1e999»;", m::TOO_LARGE);
    statement("let a = «\"text\"»;", m::LITERAL);
}

#[test]
fn what_stands_for_a_tilde() {
    for (source, name) in [
        ("mu «=» 3;", "mu"),
        ("mu[n] «=» 3;", "mu"),
        ("mu «:»= 3;", "mu"),
        ("mu «<»- a + b;", "mu"),
        ("mu «<»- Normal(0, 1);", "mu"),
        ("mu «=»= Normal(0, 1);", "mu"),
    ] {
        let sentence =
            format!("write `let {name} = ..;` for a quantity that is computed, or `{name} ~ ..;` for one that is random");
        statement(source, &sentence);
    }
    let add =
        "nothing in a model changes; write `factor(..)` to add a term to the log joint, or `let target = ..;` for a quantity";
    statement("target «+»= x;", add);
    statement("target «-»= x;", add);
    statement("target «*»= x;", add);
    statement("mu «Normal»(0, 1);", "`~` is missing after `mu`: `mu ~ Normal(0, 1);`");
    statement("mu«:» f64 ~ Normal(0, 1);", "types stand in the argument list only; leave out the type of `mu`");
    statement("«log»(x) ~ Normal(0, 1);", m::EXPRESSION_LEFT);
    statement("x «-» y ~ Normal(0, 1);", m::EXPRESSION_LEFT);
    statement("x[n] «*» 2 ~ Normal(0, 1);", m::EXPRESSION_LEFT);
    statement("«1» ~ Normal(0, 1);", m::EXPRESSION_LEFT);
    statement("«Normal»(0, 1);", m::STATEMENT);
    statement("«mu»;", m::STATEMENT);
    statement("«_» ~ Normal(0, 1);", m::UNDERSCORE);
    statement("«type» ~ Normal(0, 1);", "`type` is a word of Rust; choose another name, such as `type_`");
    statement("let a = «type» + 1;", "`type` is a word of Rust; choose another name, such as `type_`");
}

#[test]
fn ends_of_statements() {
    statement("mu ~ Normal(0, 1«)»", &m::missing_semicolon("mu"));
    statement("mu ~ «Flat» let a = 1;", &m::missing_semicolon("mu"));
    statement("let a = b «c»;", &m::missing_semicolon("a"));
    statement("factor(a) «3»;", &m::missing_semicolon("factor"));
    statement("let a = 1; «;»", m::SEMICOLON);
    statement("mu «~» ;", "the distribution of `mu` is missing: `mu ~ Normal(0, 1);`");
    statement("mu «~»", "the distribution of `mu` is missing: `mu ~ Normal(0, 1);`");
    statement("let a «=» ;", "`let a` needs a value: `let a = ..;`");
    statement("mu ~ Normal(0, 1) «T»[0,];", m::TRUNCATION);
}

#[test]
fn lets() {
    statement("let «mut» a = 1;", m::LET_MUT);
    statement("let «(»a, b) = c;", m::LET_TUPLE);
    statement("let a«:» f64 = 1;", m::LET_TYPE);
    statement("let a «~» Normal(0, 1);", "`let` computes; for a random `a` leave it out: `a ~ ..;`");
    statement("let a«;»", "`let a` needs a value: `let a = ..;`");
    statement("let «1» = a;", m::LHS);
    statement("let «_» = a;", m::UNDERSCORE);
    statement("let «type» = a;", "`type` is a word of Rust; choose another name, such as `type_`");
    statement("«let»", m::LHS);
}

#[test]
fn parameters() {
    statement("param «1»: real = 0;", m::LHS);
    statement("param «type»: real = 0;", "`type` is a word of Rust; choose another name, such as `type_`");
    statement("param «_»: real = 0;", m::UNDERSCORE);
    let distribution = "a parameter is maximised and has no distribution; leave out `param` for a latent: `a ~ ..;`";
    statement("param a «~» Normal(0, 1);", distribution);
    statement("param a[k] «~» Normal(0, 1);", distribution);
    let support = "the support of `a` is missing: `param a: real = 0;`";
    statement("param a«;»", support);
    statement("param a «=» 1;", support);
    statement("param a: «=» 1;", support);
    statement("param a: «1»;", support);
    statement("param a: «[»real; K] = 1;", support);
    let start = "`param a` needs a value to start from: `param a: real = 0;`";
    statement("param a: real«;»", start);
    statement("param a: real «~» Normal(0, 1);", start);
    statement("param a: interval(0, 1) «=» ;", start);
    statement("param a: real = 1 «2»;", &m::missing_semicolon("a"));
    statement("param a: interval(0 «1») = 1;", m::OPERATOR);
}

#[test]
fn what_is_left_to_the_automatic_guide() {
    statement("auto «1»;", m::AUTO);
    statement("auto a,«;»", m::AUTO);
    statement("auto a, «1»;", m::AUTO);
    statement("auto a«[»k];", m::AUTO);
    statement("auto «type»;", "`type` is a word of Rust; choose another name, such as `type_`");
    statement("auto a, «_»;", m::UNDERSCORE);
    let distribution = m::auto_tilde(&Ident::new("a", Span::call_site()));
    statement("auto a «~» Normal(0, 1);", &distribution);
    statement("auto b, a «~» Normal(0, 1);", &distribution);
    statement("auto a «b»;", &m::missing_semicolon("auto"));
    check("M() { auto «a» b ~ Normal(0, 1); }", &[&m::missing_semicolon("auto")]);
}

#[test]
fn loops() {
    statement("for «1» in N { }", m::FOR_NAME);
    statement("for «in» N { }", m::FOR_NAME);
    statement("«for»", m::FOR_NAME);
    statement("for n «of» N { }", "`in` is missing: `for n in N { .. }`");
    statement("for n in 1«.».=3 { }", m::INCLUSIVE_RANGE);
    statement("for n in N «+» 1 { }", m::RANGE);
    statement("for n in «{» }", m::RANGE);
    statement("for n in N«;»", "the statements of the loop over `n` are missing; write them in braces");
    statement("«while» a { }", m::LOOP);
    statement("«loop» { }", m::LOOP);
    statement("let a = «for» n in N { 1 };", m::LOOP_VALUE);
}

#[test]
fn rust_in_a_model() {
    statement("«if» a { b ~ Normal(0, 1); } else { c ~ Normal(0, 1); }", m::IF_STATEMENT);
    for item in [
        "«return» a;",
        "«fn» f() { }",
        "«use» a::b;",
        "«struct» A;",
        "«const» A: f64 = 1;",
        "«match» a { }",
        "«impl» A for B { }",
    ] {
        statement(item, m::RUST);
    }
    statement("«{» a ~ Normal(0, 1); }", m::STATEMENT_BLOCK);
    statement("«#»[allow(unused)] a ~ Normal(0, 1);", m::STATEMENT_ATTRIBUTE);
    statement("let a = «|»x| x;", m::CLOSURE);
    statement("let a = f(«move» |x| x);", m::CLOSURE);
    statement("let a = «{» 1 };", m::BLOCK);
    statement("let a = (1«,» 2);", m::TUPLE);
    statement("let a = «[»1, 2];", m::ARRAY_LITERAL);
    statement("let a = «&»b;", m::REFERENCE);
    statement("let a = «*»b;", m::REFERENCE);
    statement("let a = «match» b { };", m::MATCH);
    statement("«println»!(a);", "there are no macros in a model; put `println!` into a function of your own and call it");
    statement("let a = f::«<»f64>(b);", m::PATH);
    statement("let a = b.«len»;", "there are no fields in a model; a function is called with parentheses: `.len()`");
    statement("let a = b.«1»;", m::METHOD);
    statement("let a = f(x)«[»1];", m::INDEX_NAME);
    statement("let a = f(x)«(»1);", m::CALL_NAME);
}

#[test]
fn choices() {
    statement("let a = «if» b { 1 };", m::IF_ELSE);
    statement("let a = if b «then» { 1 } else { 2 };", m::IF_BLOCK);
    statement("let a = if b { «let» c = 1; c } else { 2 };", m::IF_BLOCK);
    statement("let a = if b { 1«;» } else { 2 };", m::IF_BLOCK);
    statement("let a = if «let» b = c { 1 } else { 2 };", m::IF_LET);
}

#[test]
fn indices_and_arguments_of_calls() {
    statement("let a = x[1«:»3];", m::SLICE);
    statement("let a = x[«.».];", m::SLICE);
    statement("let a = x[1«.».];", m::SLICE);
    statement("let a = x[«,» k];", m::MISSING_INDEX);
    statement("let a = x«[»];", m::EMPTY_INDEX);
    statement("let a = x[n]«[»k];", m::DOUBLE_INDEX);
    statement("x[n]«[»k] ~ Normal(0, 1);", m::DOUBLE_INDEX);
    statement("let a = x[n «k»];", m::OPERATOR);
    statement("mu ~ Normal(scale = 1, «0»);", m::POSITION_AFTER_NAME);
    statement("mu ~ Normal(loc«:» 0);", m::NAMED_ARGUMENT);
    statement("mu ~ Normal(0 «1»);", m::OPERATOR);
    statement("mu ~ Normal(0, -«)»;", m::EXPRESSION);
}

#[test]
fn reductions() {
    statement("let a = sum(k in K«,» x[k]);", "`=>` is missing: `sum(k in K => ..)`");
    statement("let a = sum(x[k] «for» k in K);", m::REDUCE);
    statement("let a = mean(k «in» K => x[k]);", m::REDUCE);
    statement("let a = sum(k in K => x[k]«,» 1);", m::OPERATOR);
    statement("let a = sum(k in 0«.».=3 => k);", m::INCLUSIVE_RANGE);
}

#[test]
fn factors() {
    statement("factor(a«,» b);", m::FACTOR_ONE);
    statement("factor(a «b»);", m::OPERATOR);
}

#[test]
fn sums() {
    let (k, t) = (format_ident!("k"), format_ident!("t"));
    statement("sum «3» in K ~ Categorical(w) { y ~ Normal(0, 1); }", m::SUM);
    statement("sum k «~» Categorical(w) { y ~ Normal(0, 1); }", &m::sum_in(&k));
    statement("sum k in «~» Categorical(w) { y ~ Normal(0, 1); }", &m::sum_in(&k));
    statement("sum k in K «{» y ~ Normal(0, 1); }", &m::sum_prior(&k));
    statement("sum k in K «~» { y ~ Normal(0, 1); }", &m::sum_prior(&k));
    statement("sum k in K ~ Categorical(w)«;»", &m::sum_body(&k));
    statement("sum k[«0»] in K for t in T { k[0] ~ Categorical(w); }", &m::chain_index(&k));
    statement("sum k[t] in K «{» y ~ Normal(0, 1); }", &m::chain_for(&k, &t));
    statement("sum k[t] in K for «s» in T { y ~ Normal(0, 1); }", &m::chain_for(&k, &t));
    statement("sum k[t] in K for t in T«;»", &m::sum_body(&k));
}

#[test]
fn words_that_are_not_available_yet() {
    argument("decoder: net(Z «D»)", m::NET);
    argument("decoder: «net»", m::NET);
}

#[test]
fn types() {
    argument("x: «Vec»<f64>", &m::unknown_type("Vec"));
    argument("x: «HashMap»<String, f64>", &m::unknown_type("HashMap"));
    argument("x: «i32»", &m::unknown_type("i32"));
    argument("x: [«usize»; N]", &m::unknown_type("usize"));
    argument("x: «real»", &m::unknown_type("real"));
    argument("x: «String»", &m::unknown_type("String"));
    argument("x: «&»[f64]", m::REFERENCE_TYPE);
    argument("x: [«&»str; N]", m::REFERENCE_TYPE);
    argument("x: f64«[»N]", m::ARRAY_TYPE);
    argument("x: [f64«,» N]", m::ARRAY_TYPE);
    argument("x: [«f64»]", m::ARRAY_TYPE);
    argument("x: [f64«;»]", m::ARRAY_TYPE);
    argument("x: [«[»f64; N]; K]", m::NESTED_ARRAY);
    argument("x: [f64; «10»]", m::DIMENSION);
    argument("x: [f64; N «K»]", m::DIMENSION);
    argument("x: [f64; A, B, C, «D»]", m::TOO_MANY_AXES);
    argument("x: [«in»; N]", m::IN_DIMENSION);
    argument("x: «Option»", m::OPTION);
    argument("x: Option<«Option»<f64>>", m::OPTION);
    argument("x: Option<«[»f64; N]>", m::OPTION_ARRAY);
    argument("x: «(»f64, f64)", m::TYPE);
}

#[test]
fn arguments() {
    argument("«x»", "the type of `x` is missing: `x: [f64; N]`");
    argument("«x»:", "the type of `x` is missing: `x: [f64; N]`");
    argument("«1»: f64", m::ARGUMENT);
    argument("«type»: f64", "`type` is a word of Rust; choose another name, such as `type_`");
    argument("«_»: f64", m::UNDERSCORE);
    argument("«mut» x: f64", m::LET_MUT);
    argument("x: f64 «=» 3", m::DEFAULT);
    check("M(x: f64«;» y: f64) { }", &[m::COMMA]);
}

#[test]
fn heads_of_models() {
    check("«M»", &["the arguments of `M` are missing; write `M()` if there are none"]);
    check("«M» { }", &["the arguments of `M` are missing; write `M()` if there are none"]);
    check("«M»(y: f64)", &["the statements of `M` are missing; write them in braces"]);
    check("M(y: f64) «-»> f64 { }", &["the statements follow the arguments: `M(..) { .. }`"]);
    check("M«<»T>(y: f64) { }", &[m::GENERICS]);
    check("pub «struct» M(y: f64) { }", &[m::NO_NAME]);
    check("pub «(»y: f64) { }", &[m::NO_NAME]);
    check("M() { } «N»() { }", &[m::ONE_MODEL]);
    check("«#»![allow(unused)] M() { }", &[m::ATTRIBUTE]);
    check("#[«ppl»] M() { }", &[m::PPL_ATTRIBUTE]);
    check("#[«ppl»(core = a)] M() { }", &[m::PPL_ATTRIBUTE]);
}

#[test]
fn an_empty_model_has_no_token_to_sit_on() {
    let (model, errors) = parse_all("");
    assert!(model.is_none());
    assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [m::EMPTY_MODEL]);
}
