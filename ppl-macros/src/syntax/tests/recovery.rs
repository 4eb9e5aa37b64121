//! Errors are no end: what is right around them is kept, several are reported at once, and nothing panics.

use super::{parse_all, parse_ok};
use crate::messages;

fn sentences(source: &str) -> Vec<String> {
    parse_all(source).1.iter().map(ToString::to_string).collect()
}

fn statements(source: &str) -> Vec<String> {
    parse_all(source).0.unwrap().body.iter().map(ToString::to_string).collect()
}

#[test]
fn several_errors_are_reported_at_once() {
    let source = "M(y: Vec<f64>, x: [f64, N]) { a ~ Normal(0, b^2); for n in N { c = 3; y[n] ~ Normal(0, 1 % 2); } d ~ ; }";
    assert_eq!(
        sentences(source),
        [
            messages::unknown_type("Vec"),
            messages::ARRAY_TYPE.to_owned(),
            messages::POWER.to_owned(),
            "write `let c = ..;` for a quantity that is computed, or `c ~ ..;` for one that is random".to_owned(),
            messages::REMAINDER.to_owned(),
            "the distribution of `d` is missing: `d ~ Normal(0, 1);`".to_owned(),
        ]
    );
}

#[test]
fn a_missing_semicolon_costs_no_statement() {
    for source in [
        "M() { a ~ Normal(0, 1) b[n] ~ Normal(0, 2); }",
        "M() { a ~ Normal(0, 1) let b = 1; }",
        "M() { let a = 1 for n in N { x[n] ~ Normal(0, 1); } }",
        "M() { let a = 1 factor(a); }",
        "M() { let b = 2; a ~ Normal(0, 1) }",
        "M() { a ~ Normal(0, 1) param b: real = 0; }",
        "M() { param a: interval(0, 1) = 1 b[n] ~ Normal(0, 1); }",
        "M() { a ~ Normal(0, 1) auto b, c; }",
    ] {
        assert_eq!(sentences(source), [messages::missing_semicolon("a")], "{source}");
        assert_eq!(statements(source).len(), 2, "{source}");
    }
}

#[test]
fn a_missing_value_costs_no_statement() {
    for source in [
        "M() { mu ~ sigma ~ HalfNormal(1); }",
        "M() { mu ~ x[n] ~ Normal(0, 1); }",
        "M() { mu ~ for n in N { x[n] ~ Normal(0, 1); } }",
        "M() { mu ~ let a = 1; }",
        "M() { mu ~ param a: real = 1; }",
        "M() { mu ~ auto a; }",
        "M() { param a: real = b ~ Normal(0, 1); }",
        "M() { mu ~ ; factor(1); }",
        "M() { let a = 1; mu ~ }",
        "M() { let a = mu ~ Normal(0, 1); }",
        "M() { let a = for n in N { x[n] ~ Normal(0, 1); } }",
    ] {
        assert_eq!(sentences(source).len(), 1, "{source}: {:?}", sentences(source));
        assert_eq!(statements(source).len(), 1, "{source}");
    }
}

#[test]
fn a_broken_statement_is_skipped_and_its_neighbours_stay() {
    let source = "M() { a ~ Normal(0, 1); while a { b ~ c; } if let x = y { d } else { e } f ~ Normal(0, 1); }";
    assert_eq!(sentences(source), [messages::LOOP, messages::IF_STATEMENT]);
    assert_eq!(statements(source), ["a ~ Normal(0, 1);", "f ~ Normal(0, 1);"]);
}

#[test]
fn a_loop_with_a_wrong_head_still_reports_its_statements() {
    let source = "M() { for n of N { x[n] ~ Normal(0, 1^2); } y ~ Normal(0, 1); }";
    assert_eq!(sentences(source).len(), 2);
    assert_eq!(statements(source), ["y ~ Normal(0, 1);"]);
}

#[test]
fn a_broken_argument_is_skipped_and_its_neighbours_stay() {
    let (model, errors) = parse_all("M(a: f64, b: HashMap<String, f64>, c: [f64; N], d, e: f64) { }");
    let names: Vec<String> = model.unwrap().arguments.iter().map(|argument| argument.name.to_string()).collect();
    assert_eq!(names, ["a", "c", "e"]);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(sentences("M(u: f64; v: f64, type: f64, w: net(A B), 1: f64) { }").len(), 4);
}

#[test]
fn a_half_typed_model_has_its_name_and_arguments() {
    for source in ["M", "M(y: f64)", "M(y: f64) {", "M(y: f64) { mu ~", "M { mu ~ Normal(0, 1) }", "pub M<T>(y: f64) { }"] {
        // An editor closes the braces that the lexer needs.
        let source = format!("{source}{}", "}".repeat(source.matches('{').count() - source.matches('}').count()));
        let (model, errors) = parse_all(&source);
        assert_eq!(model.unwrap().name, "M");
        assert_eq!(errors.is_empty(), source == "M(y: f64) {}", "{source}: {errors:?}");
    }
}

#[test]
fn every_beginning_and_every_gap_of_a_model_is_reported_without_a_panic() {
    let source = "pub M ( y : [ f64 ; N , K ] , c : [ in C ; N ] , K : usize ) { mu ~ Normal ( 0 , scale = 10 ) ; \
        for t in 1 .. T { let h [ t ] = a * ( y [ t - 1 ] - mu ) . powi ( 2 ) ; x [ t ] ~ Normal ( h [ t ] , 1 ) ; } \
        param p [ k , K ] : interval ( 0 , upper = N ) = 0.5 ; auto mu , tau ; factor ( sum ( k in K => if a < b { 1 } else { - 2.5 } ) ) ; }";
    parse_ok(source);
    let words: Vec<&str> = source.split_whitespace().collect();
    let closed = |words: &[&str]| {
        let mut open = Vec::new();
        let mut text = String::new();
        for word in words {
            match *word {
                "(" => open.push(")"),
                "[" => open.push("]"),
                "{" => open.push("}"),
                ")" | "]" | "}" if open.pop() != Some(*word) => return None,
                _ => {}
            }
            text = format!("{text} {word}");
        }
        Some(open.iter().rev().fold(text, |text, close| format!("{text} {close}")))
    };
    let strange = [
        "~", "=", ":", "param", "auto", "in", "for", "let", "..", "=>", "if", "1", "x", "^", "&", "_", "'a", "#", "::", "$",
        "( )", "[ ]", "{ }", "'c'", "\"s\"",
    ];
    for at in 0..words.len() {
        let mut cases = vec![words[..at].to_vec(), [&words[..at], &words[at + 1..]].concat()];
        for word in strange {
            cases.push([&words[..at], &[word], &words[at..]].concat());
            cases.push([&words[..at], &[word], &words[at + 1..]].concat());
        }
        for case in cases.iter().filter_map(|case| closed(case)) {
            let (model, errors) = parse_all(&case);
            assert!(model.is_some() || !errors.is_empty(), "{case}");
            for error in errors {
                let sentence = error.to_string();
                let raw = sentence.starts_with("expected") || sentence.starts_with("unexpected");
                assert!(!raw, "a sentence of the library's, not ours: {sentence}\n{case}");
            }
        }
    }
}
