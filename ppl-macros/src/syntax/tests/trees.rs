//! What is parsed: precedence, types, texts that parse back to themselves.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::{expression, parse_all, parse_ok};
use crate::diagnostics::Diagnostics;
use crate::syntax::{ArgumentType, ElementKind, Expr, ExprKind, Stmt, parse};

const RADON: &str = "
    /// Radon in homes.
    #[derive(Clone)]
    pub Radon(log_radon: [f64; N], floor: [f64; N], county: [in C; N], uranium: [f64; C]) {
        mu      ~ Normal(0, 10);
        tau     ~ HalfNormal(1);
        for c in C { alpha[c] ~ Normal(mu + 0.5 * uranium[c], tau); }
        for n in N {
            let at_home = alpha[county[n]] + beta * floor[n];
            log_radon[n] ~ Normal(at_home, sigma);
        }
    }";

const EVERYTHING: &str = "
    Everything(a: f32, b: u64, c: bool, k: in C, K: usize, y: [Option<f64>; T], x: [f64; N, P, Q], z: [in C; N],) {
        beta[P] ~ Normal(0, 1);
        w[K] ~ Dirichlet(1);
        for n in N { u[n, Z] ~ Normal(0, 1); }
        x[0] ~ Normal(0, 1e-3);
        for t in 1..T { x[t] ~ Normal(phi * x[t - 1 - k], 1_000.5); }
        for t in max(1, K)..T - 1 { let h[t] = w[region[site[t]]]; }
        g ~ Gamma(shape = 2, rate = 0.1);
        f ~ Bernoulli(logit = dot(x[n], beta));
        s ~ Flat;
        t ~ Truncated(Normal(0, 1), lower = 0);
        d ~ crate::mine::Skewed(0, 1);
        factor(Normal(a, b).log_prob(x) + log_sum_exp(k in K => log(w[k]) - sum(j in 0..3 => j * 1e300)));
        param m: positive = 1 + mean;
        auto w,tau;
        for c in C { param v[c, K]: interval(-1, upper = high[c]) = 0; }
        let q = if a > 0 && !c || b != 1 { -x.powi(2) } else if c { 1 } else { (a - b) * 2 };
    }";

/// A tree with all its parentheses.
fn tree(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Binary { op, left, right } => format!("({} {op} {})", tree(left), tree(right)),
        ExprKind::Neg(inner) => format!("(-{})", tree(inner)),
        ExprKind::Not(inner) => format!("(!{})", tree(inner)),
        ExprKind::Paren(inner) => tree(inner),
        ExprKind::Method { receiver, name, .. } => format!("{}.{name}()", tree(receiver)),
        _ => expr.to_string(),
    }
}

#[test]
fn operators_bind_as_in_mathematics() {
    for (source, expected) in [
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b / c * d", "(((a / b) / c) * d)"),
        ("-a * b", "((-a) * b)"),
        ("a - -b", "(a - (-b))"),
        ("-x.powi(2)", "(-x.powi())"),
        ("!a && b || c", "(((!a) && b) || c)"),
        ("a || b && c || d", "((a || (b && c)) || d)"),
        ("a + 1 < b * 2 && c >= d", "(((a + 1) < (b * 2)) && (c >= d))"),
        ("a <-1", "(a < (-1))"),
        ("2 * (a + b)", "(2 * (a + b))"),
        ("1 - (2 - 3)", "(1 - (2 - 3))"),
        ("a.exp().ln() * b", "(a.exp().ln() * b)"),
        ("if a { b } else { c } + d", "(if a { b } else { c } + d)"),
    ] {
        assert_eq!(tree(&expression(source)), expected, "{source}");
    }
}

#[test]
fn numbers_are_real_and_written_as_people_write_them() {
    for (source, value, text) in [
        ("1", 1.0, "1"),
        ("0.5", 0.5, "0.5"),
        ("1_000", 1000.0, "1000"),
        ("10.", 10.0, "10"),
        ("1e-3", 1e-3, "0.001"),
        ("2.5E-9", 2.5e-9, "2.5e-9"),
        ("1e300", 1e300, "1e300"),
        ("0xff", 255.0, "255"),
    ] {
        let number = expression(source);
        assert!(matches!(number.kind, ExprKind::Number(x) if x == value), "{source}: {number:?}");
        assert_eq!(number.to_string(), text);
    }
}

#[test]
fn a_text_parses_back_to_itself() {
    for source in [RADON, EVERYTHING, "Empty() { }"] {
        let text = parse_ok(source).to_string();
        assert_eq!(parse_ok(&text).to_string(), text);
    }
}

#[test]
fn a_model_is_written_as_a_person_would() {
    insta::assert_snapshot!(parse_ok(RADON), @r"
    Radon(log_radon: [f64; N], floor: [f64; N], county: [in C; N], uranium: [f64; C]) {
        mu ~ Normal(0, 10);
        tau ~ HalfNormal(1);
        for c in C {
            alpha[c] ~ Normal(mu + 0.5 * uranium[c], tau);
        }
        for n in N {
            let at_home = alpha[county[n]] + beta * floor[n];
            log_radon[n] ~ Normal(at_home, sigma);
        }
    }
    ");
    insta::assert_snapshot!(parse_ok(EVERYTHING), @r"
    Everything(a: f32, b: u64, c: bool, k: in C, K: usize, y: [Option<f64>; T], x: [f64; N, P, Q], z: [in C; N]) {
        beta[P] ~ Normal(0, 1);
        w[K] ~ Dirichlet(1);
        for n in N {
            u[n, Z] ~ Normal(0, 1);
        }
        x[0] ~ Normal(0, 0.001);
        for t in 1..T {
            x[t] ~ Normal(phi * x[t - 1 - k], 1000.5);
        }
        for t in max(1, K)..T - 1 {
            let h[t] = w[region[site[t]]];
        }
        g ~ Gamma(shape = 2, rate = 0.1);
        f ~ Bernoulli(logit = dot(x[n], beta));
        s ~ Flat;
        t ~ Truncated(Normal(0, 1), lower = 0);
        d ~ crate::mine::Skewed(0, 1);
        factor(Normal(a, b).log_prob(x) + log_sum_exp(k in K => log(w[k]) - sum(j in 0..3 => j * 1e300)));
        param m: positive = 1 + mean;
        auto w, tau;
        for c in C {
            param v[c, K]: interval(-1, upper = high[c]) = 0;
        }
        let q = if a > 0 && !c || b != 1 { -x.powi(2) } else if c { 1 } else { (a - b) * 2 };
    }
    ");
}

#[test]
fn networks_have_sizes_and_what_they_give_is_split() {
    let text = "Vae(x: [f32; N, D], decoder: net(Z + 2 * C + 1 => D), Z: usize) {\n    for n in N {\n        let (a, b) = split(decoder(z[n]));\n    }\n}";
    assert_eq!(parse_ok(text).to_string(), text);
}

#[test]
fn types_have_elements_and_dimensions() {
    let types: Vec<String> = parse_ok(EVERYTHING)
        .arguments
        .iter()
        .map(|argument| match &argument.ty {
            ArgumentType::Size => "size".to_owned(),
            ArgumentType::Network { inputs, outputs } => format!("{inputs} => {outputs}"),
            ArgumentType::Array { element, dims } => {
                let kind = match &element.kind {
                    ElementKind::F64 => "f64",
                    ElementKind::F32 => "f32",
                    ElementKind::U64 => "u64",
                    ElementKind::I64 => "i64",
                    ElementKind::Bool => "bool",
                    ElementKind::Index(_) => "in",
                    ElementKind::Option(_) => "option",
                };
                format!("{kind}{}", dims.len())
            }
        })
        .collect();
    assert_eq!(types, ["f320", "u640", "bool0", "in0", "size", "option1", "f643", "in1"]);
}

#[test]
fn attributes_pass_through_and_the_path_of_the_core_is_taken_out() {
    let model = parse_ok("/// Doc.\n #[ppl(crate = crate::renamed::core)] #[derive(Clone)] pub(crate) M(/// Data.\n y: f64) { }");
    let path: Vec<String> = model.krate.segments.iter().map(|segment| segment.ident.to_string()).collect();
    assert_eq!(path, ["crate", "renamed", "core"]);
    assert_eq!(model.attrs.len(), 2);
    assert_eq!(model.arguments[0].attrs.len(), 1);
    assert!(matches!(model.vis, syn::Visibility::Restricted(_)));

    let default = parse_ok("M() { }").krate;
    assert!(default.leading_colon.is_some() && default.segments[0].ident == "ppl_core");
}

#[test]
fn the_span_of_a_node_is_the_token_to_underline() {
    for (source, token) in [
        ("a + b", "+"),
        ("a && b", "&"),
        ("exp(a)", "exp"),
        ("crate::f(a)", "f"),
        ("x[n, k]", "x"),
        ("a.powi(2)", "powi"),
        ("1.5", "1.5"),
        ("(a * b)", "*"),
        ("if a { b } else { c }", "if"),
        ("-a", "-"),
        ("sum(k in K => a)", "sum"),
    ] {
        assert_eq!(expression(source).span.source_text().unwrap(), token, "{source}");
    }
}

#[test]
fn a_fragment_of_a_macro_around_the_model_binds_like_parentheses() {
    let fragment = |source: &str| TokenTree::from(Group::new(Delimiter::None, source.parse().unwrap()));
    let model = |before: &str, inside: &str, after: &str| {
        let mut body: TokenStream = before.parse().unwrap();
        body.extend([fragment(inside)]);
        body.extend(after.parse::<TokenStream>().unwrap());
        let mut tokens: TokenStream = "M(y: [f64; N])".parse().unwrap();
        tokens.extend([TokenTree::from(Group::new(Delimiter::Brace, body))]);
        let mut diagnostics = Diagnostics::default();
        let model = parse(tokens, &mut diagnostics).unwrap();
        assert!(diagnostics.is_empty(), "{before} {inside} {after}: {:?}", diagnostics.finish());
        model.body.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(model("let x =", "a + b", "* 2;"), ["let x = (a + b) * 2;"]);
    assert_eq!(model("let x = -", "a - b", ";"), ["let x = -(a - b);"]);
    assert_eq!(model("let x =", "exp(a)", ".powi(2);"), ["let x = exp(a).powi(2);"]);
    assert_eq!(model("let x = 2 *", "10", "+ 1;"), ["let x = 2 * 10 + 1;"]);
    assert_eq!(model("mu ~", "Normal(0, 1)", ";"), ["mu ~ Normal(0, 1);"]);
}

#[test]
fn a_fragment_can_be_the_name_of_a_statement() {
    let mut tokens: TokenStream = "M()".parse().unwrap();
    let mut body = TokenStream::from(TokenTree::from(Group::new(Delimiter::None, "mu".parse().unwrap())));
    body.extend("~ Normal(0, 1);".parse::<TokenStream>().unwrap());
    tokens.extend([TokenTree::from(Group::new(Delimiter::Brace, body))]);
    let mut diagnostics = Diagnostics::default();
    let model = parse(tokens, &mut diagnostics).unwrap();
    assert!(diagnostics.is_empty());
    assert!(matches!(&model.body[0], Stmt::Sample { lhs, .. } if lhs.name == "mu"));
}

#[test]
fn words_that_come_later_are_names_until_then() {
    let (model, errors) =
        parse_all("M() { param ~ Normal(0, 1); auto ~ Normal(0, 1); sum[K] ~ Normal(0, 1); factor ~ Normal(0, 1); }");
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(model.unwrap().body.len(), 4);
}
