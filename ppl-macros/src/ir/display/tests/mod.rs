//! Round trips: the canonical text of every model of the workspace is read back to the same model and the same kernels.

mod kinds;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use crate::catalogue::{CATALOGUE, Shape};
use crate::diagnostics::Diagnostics;
use crate::ir::{Function, Model, Stmt, StmtKind, display, lower};
use crate::{check, expand, rows, syntax};

/// A model through all stages before its expansion; of a model with networks, what stands outside the loop over its rows, or else its row.
fn compile(tokens: TokenStream) -> Model {
    let text = tokens.to_string();
    let mut diagnostics = Diagnostics::default();
    let mut model = syntax::parse(tokens, &mut diagnostics).expect("a model");
    if rows::has_networks(&model) {
        model = rows::lift(model, None, &mut diagnostics).expect("a plate").a_model();
    }
    let mut model = lower::lower(model, &mut diagnostics);
    check::check(&mut model, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{text}: {:?}", diagnostics.finish());
    model
}

/// The whole model as text, without the places where its parts were typed.
fn without_spans(model: &Model) -> String {
    let text = format!("{model:#?}");
    let mut stripped = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find("bytes(") {
        stripped.push_str(&rest[..start]);
        let end = rest[start..].find(')').expect("a span ends");
        rest = &rest[start + end + 1..];
    }
    stripped += rest;
    // A token that was never typed has no span to be printed.
    stripped.lines().filter(|line| line.trim() != "span: ,").collect::<Vec<_>>().join("\n")
}

/// Gives a model the texts of the statements of another: they are what was typed, not what it means.
fn take_texts(model: &mut Model, other: &Model) {
    fn statements(body: &mut [Stmt], other: &[Stmt]) {
        assert_eq!(body.len(), other.len());
        for (stmt, other) in body.iter_mut().zip(other) {
            stmt.text.clone_from(&other.text);
            match (&mut stmt.kind, &other.kind) {
                (StmtKind::For { body, .. }, StmtKind::For { body: other, .. }) => statements(body, other),
                (StmtKind::Expected { body, .. }, StmtKind::Expected { body: other, .. }) => statements(body, other),
                (StmtKind::Sum(block), StmtKind::Sum(other)) => statements(&mut block.body, &other.body),
                (StmtKind::Ode(block), StmtKind::Ode(other)) => statements(&mut block.body, &other.body),
                _ => {}
            }
        }
    }
    statements(&mut model.body, &other.body);
    assert_eq!(model.factors.len(), other.factors.len());
    for (factor, other) in model.factors.iter_mut().zip(&other.factors) {
        factor.text.clone_from(&other.text);
    }
}

/// Models are long: what fails is the first line in which they differ.
fn same_lines(left: &str, right: &str, text: &str) {
    for (at, (left_line, right_line)) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(left_line, right_line, "line {at} of {text}");
    }
    assert_eq!(left.lines().count(), right.lines().count(), "{text}");
}

/// Checks the round trip of a model, through tokens and through text; gives the canonical text.
fn round_trip(source: TokenStream) -> String {
    let mut model = compile(source);
    // What rows share is written where their plate is.
    model.shared.clear();
    let printed = display::tokens(&model);
    let text = printed.to_string();
    for tokens in [printed, text.parse().expect("a text is tokens")] {
        let back = compile(tokens);
        assert_eq!(display::tokens(&back).to_string(), text);
        take_texts(&mut model, &back);
        same_lines(&without_spans(&back), &without_spans(&model), &text);
        assert_eq!(expand::expand(&back).to_string(), expand::expand(&model).to_string(), "{text}");
    }
    text
}

/// The canonical text of a source.
fn canonical(source: &str) -> String {
    round_trip(source.parse().expect("tokens"))
}

/// A model that ends with some statements.
fn in_model(source: &str) -> String {
    format!("M({ARGUMENTS}) {{ {BEFORE} {source} }}")
}

/// The canonical text of statements.
fn statement(source: &str) -> String {
    let (text, before) = (canonical(&in_model(source)), canonical(&in_model("")));
    let own = text.strip_prefix(before.trim_end_matches('}')).expect("the statements before are the same");
    own.trim_end_matches('}').to_owned()
}

/// A text without its spaces: those of printed tokens are not those that people write.
fn tight(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The bodies of all `model!` in a text of Rust.
fn models(tokens: TokenStream, found: &mut Vec<TokenStream>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let called = i >= 2
            && matches!(&tokens[i - 1], TokenTree::Punct(bang) if bang.as_char() == '!')
            && matches!(&tokens[i - 2], TokenTree::Ident(word) if *word == "model");
        // In a `macro_rules!` stands the form of a model, not a model.
        let form = group.stream().into_iter().any(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == '$'));
        if called && !form {
            found.push(group.stream());
        } else {
            models(group.stream(), found);
        }
    }
}

/// Rust files of a folder and, if asked, of those below.
fn sources(folder: &Path, below: bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() && below {
            sources(&path, below, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_model_of_the_workspace_is_read_back_from_its_canonical_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    // Below the tests are models with errors.
    sources(&root.join("tests/tests"), false, &mut files);
    sources(&root.join("ppl-examples/src"), true, &mut files);
    sources(&root.join("ppl-core/benches"), true, &mut files);
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a text");
        models(text.parse().expect("Rust"), &mut found);
    }
    assert!(found.len() >= 30, "only {} models were found", found.len());
    for model in found {
        round_trip(model);
    }
}

#[test]
fn models_that_differ_are_told_apart() {
    let model = |source: &str| without_spans(&compile(source.parse().expect("tokens")));
    let base = model("M(y: [f64; N]) { a ~ Normal(0, 1); for n in N { y[n] ~ Normal(a, 1); } }");
    for other in [
        "M(y: [f64; N]) { a ~ Normal(0, 2); for n in N { y[n] ~ Normal(a, 1); } }",
        "M(y: [f64; N]) { a ~ Cauchy(0, 1); for n in N { y[n] ~ Normal(a, 1); } }",
        "M(y: [f64; N]) { a ~ Normal(0, 1); for n in N { y[n] ~ Normal(-a, 1); } }",
        "M(y: [f64; N]) { a ~ Normal(0, 1); for n in 0..N { y[n] ~ Normal(a, 1); } }",
        "M(y: [f64; N]) { a ~ Normal(0, 1); y[N] ~ Normal(a, 1); }",
        "M(y: [f32; N]) { a ~ Normal(0, 1); for n in N { y[n] ~ Normal(a, 1); } }",
        "pub M(y: [f64; N]) { a ~ Normal(0, 1); for n in N { y[n] ~ Normal(a, 1); } }",
    ] {
        assert_ne!(model(other), base, "{other}");
    }
    let spaced = "M ( y :   [f64; N]) { a   ~ Normal(0, 1); for n in N { y[n] ~ Normal(a, 1); } }";
    assert_ne!(format!("{:?}", compile(spaced.parse().expect("tokens"))), base, "spans are in the whole text");
    let (mut spaced, typed) = (compile(spaced.parse().expect("tokens")), base);
    let same = compile("M(y: [f64; N]) { a ~ Normal(0, 1); for n in N { y[n] ~ Normal(a, 1); } }".parse().expect("tokens"));
    take_texts(&mut spaced, &same);
    assert_eq!(without_spans(&spaced), typed, "spans alone make no difference");
}

/// What the statements below stand in.
const ARGUMENTS: &str = "y: [f64; N], x: [f64; N, P], g: [in C; N], h: [in R; C], k: in C, t: [bool; N], e: [u64; N], T: usize";
const BEFORE: &str = "a ~ Normal(0, 1); s ~ HalfNormal(1); beta[P] ~ Normal(0, 1); w[C, P] ~ Normal(0, 1); r[R] ~ Normal(0, 1); p[C] ~ Gamma(1, 1);";

/// Statements, and how they are printed.
const STATEMENTS: &[(&str, &str)] = &[
    // Arguments by name, other parameterizations, numbers and parentheses.
    ("q ~ Normal(scale = s, loc = ((a)));", "q ~ Normal(a, s);"),
    ("factor(Bernoulli(logit = a).log_prob(1));", "factor(Bernoulli(logit = a).log_prob(1));"),
    ("factor(Binomial(logit = a, trials = e[0]).log_prob(e[1]));", "factor(Binomial(e[0], logit = a).log_prob(e[1]));"),
    ("q ~ Flat;", "q ~ Flat();"),
    ("factor(1 / 3 + a * (2 - 3) * 1e300 - 0.5e-9);", "factor(0.3333333333333333 + a * -1 * 1e300 - 5e-10);"),
    ("factor((a - (s - a)) - ((a * s) / (a / s)));", "factor(a - (s - a) - a * s / (a / s));"),
    ("factor((-a).powi(2) - a.powi(-2) + (-2).powi(3) * --a);", "factor((-a).powi(2) - a.powi(-2) + (-2).powi(3) * --a);"),
    ("factor(a.exp().powf(s) + exp(-0 * a));", "factor(powf(exp(a), s) + exp(-0 * a));"),
    ("factor(log_sum_exp(a, log_sum_exp(a, s), s));", "factor(log_sum_exp(a, log_sum_exp(a, s), s));"),
    ("factor(log_sum_exp(log_sum_exp(a, s), s));", "factor(log_sum_exp(a, s, s));"),
    // Whole axes.
    ("q[C] ~ Normal(p, 1);", "q[C] ~ Normal(p, 1);"),
    ("q[C, R] ~ Normal(r, s);", "q[C, R] ~ Normal(r, s);"),
    ("let q[C] = p * dot(beta, beta);", "let q[C] = p * dot(beta, beta);"),
    ("y[N] ~ Normal(x[0, 1], s);", "y[N] ~ Normal(x[0, 1], s);"),
    (
        "for c in C { q[c, P] ~ Dirichlet(p[c]); } factor(q[0, (T)]);",
        "for c in C { q[c, P] ~ Dirichlet(p[c]); } factor(q[0, (T)]);",
    ),
    ("q[C] ~ Dirichlet(p);", "q[C] ~ Dirichlet(p);"),
    ("q[C, P] ~ Dirichlet((p));", "q[C, P] ~ Dirichlet((p));"),
    ("q[P] ~ Ordered(Exponential(rate = s));", "q[P] ~ Ordered(Exponential(s));"),
    ("for n in N { q[n, P] ~ Normal(w[g[n], P - 1], 1); }", "for n in N { q[n, P] ~ Normal(w[g[n], P - 1], 1); }"),
    // Products, sums, ranges and gathers.
    ("factor(dot(x[0, P], w[k]) + sum(beta) + log_sum_exp(w[2]));", "factor(dot(x[0], w[k]) + sum(beta) + log_sum_exp(w[2]));"),
    ("factor(sum(i in P => beta[i] * beta[P - 1 - i]));", "factor(sum(i in P => beta[i] * beta[P - i - 1]));"),
    (
        "factor(log_sum_exp(i in 0..P => beta[i]) + sum(i in 1..3 => i * r[2 * i - 1]));",
        "factor(log_sum_exp(i in P => beta[i]) + sum(i in 1..3 => i * r[2 * i - 1]));",
    ),
    ("for n in N { factor(r[h[g[n]]] * w[k, 0]); }", "for n in N { factor(r[h[g[n]]] * w[k, 0]); }"),
    (
        "q[0] ~ Normal(0, 1); for i in 1..T { q[i] ~ Normal(q[(-1 + i)], T); }",
        "q[0] ~ Normal(0, 1); for i in 1..T { q[i] ~ Normal(q[i - 1], T); }",
    ),
    (
        "for i in 0..T - 1 { q[i] ~ Normal(0, 1); } q[T - 1] ~ Normal(0, 1);",
        "for i in 0..T - 1 { q[i] ~ Normal(0, 1); } q[T - 1] ~ Normal(0, 1);",
    ),
    // Parameters.
    ("param u: real = sum(y) / N;", "param u: real = sum(y) / N;"),
    ("param v: interval(lower = -1, upper = 2) = 0;", "param v: interval(-1, 2) = 0;"),
    ("for c in C { param u[c, P]: simplex = 1 / P; }", "for c in C { param u[c, P]: simplex = 1 / P; }"),
    // Names for expressions.
    (
        "for n in N { let u = a * y[n]; let v = (u); factor(u - v); }",
        "for n in N { let u = a * y[n]; let v = u; factor(u - v); }",
    ),
    // Sums and chains.
    (
        "for n in N { sum z in C ~ Categorical(logits = p) { let m = p[z]; y[n] ~ Normal(m, s); e[n] ~ Poisson(p[z]); } }",
        "for n in N { sum z in C ~ Categorical(logits = p) { let m = p[z]; y[n] ~ Normal(m, s); e[n] ~ Poisson(p[z]); } }",
    ),
    (
        "sum z in 0..3 ~ Binomial(trials = 2, prob = 0.5) { sum u in C ~ Categorical(logits = p) { for n in N { y[n] ~ Normal(z + p[u], s); } } }",
        "sum z in 0..3 ~ Binomial(2, 0.5) { sum u in C ~ Categorical(logits = p) { for n in N { y[n] ~ Normal(z + p[u], s); } } }",
    ),
    (
        "sum z[i] in 0..2 for i in 1..N { z[i] ~ Bernoulli(logit = a * z[i - 1] + i); y[i] ~ Normal(r[z[i]], 1 + z[i]); z[1] ~ Bernoulli(0.5); }",
        "sum z[i] in 0..2 for i in 1..N { z[1] ~ Bernoulli(0.5); z[i] ~ Bernoulli(logit = a * z[i - 1] + i); y[i] ~ Normal(r[z[i]], 1 + z[i]); }",
    ),
    // Discrete latents: a `let` may read one.
    (
        "for n in N { z[n] ~ Categorical(logits = p); let m = p[z[n]]; y[n] ~ Normal(m + z[n], s); factor(m); }",
        "for n in N { z[n] ~ Categorical(logits = p); let m = p[z[n]]; y[n] ~ Normal(m + z[n], s); factor(m); }",
    ),
    (
        "z[C] ~ Bernoulli(0.5); u ~ Truncated(Poisson(2), upper = 3); for n in N { y[n] ~ Normal(z[g[n]] * u, 1); }",
        "z[C] ~ Bernoulli(0.5); u ~ Truncated(Poisson(2), upper = 3); for n in N { y[n] ~ Normal(z[g[n]] * u, 1); }",
    ),
    (
        "q[C, C] ~ Normal(0, 1); z[0] ~ Categorical(logits = p); for i in 1..T { z[i] ~ Categorical(logits = q[z[i - 1]]); }",
        "q[C, C] ~ Normal(0, 1); z[0] ~ Categorical(logits = p); for i in 1..T { z[i] ~ Categorical(logits = q[z[i - 1]]); }",
    ),
    // Differential equations: what starts them comes first.
    (
        "ode v in 0..y[i] for i in N { let u = a * q; d(q) = if v < 2 { -u * v } else { 0 }; start(q) = s; } factor(q[0]);",
        "ode v in 0..y[i] for i in N { start(q) = s; let u = a * q; d(q) = if v < 2 { -u * v } else { 0 }; } factor(q[0]);",
    ),
    (
        "for c in C { ode v in -1..i + 1 for i in N, steps = 3 { for j in P { start(q[j]) = beta[j]; d(q[j]) = (sum(q) + dot(q, beta)) * q[P - 1] + r[h[c]]; } start(o[P]) = beta; d(o[P]) = o * x[i]; } factor(q[c, 0, 1]); }",
        "for c in C { ode v in -1..i + 1 for i in N, steps = 3 { for j in P { start(q[j]) = beta[j]; } start(o[P]) = beta; for j in P { d(q[j]) = (sum(q) + dot(q, beta)) * q[P - 1] + r[h[c]]; } d(o[P]) = o * x[i]; } factor(q[c, 0, 1]); }",
    ),
    // Choices on data.
    ("for n in N { factor(y[n] <= 1 || 2 != y[n]); }", "for n in N { factor(y[n] <= 1 || 2 != y[n]); }"),
    (
        "for n in N { factor(if t[n] && !(y[n] > 0 || true) { a } else if t[n] == 0 { 1 } else { s } * a); }",
        "for n in N { factor(if t[n] != 0 && !(y[n] > 0 || true) { a } else if t[n] == 0 { 1 } else { s } * a); }",
    ),
    (
        "for n in N { factor((y[n] >= 0.2) * a + !t[n] - (if t[n] { a } else { s }).powi(2)); }",
        "for n in N { factor((y[n] >= 0.2) * a + !(t[n] != 0) - (if t[n] != 0 { a } else { s }).powi(2)); }",
    ),
    ("for n in N { factor(((y[n] < 1) == t[n]) * a + t[n]); }", "for n in N { factor(((y[n] < 1) == t[n]) * a + t[n]); }"),
    // Bounds, assertions, Rust.
    ("q ~ Truncated(Cauchy(scale = 1, loc = 0), upper = 2, lower = -1);", "q ~ Truncated(Cauchy(0, 1), lower = -1, upper = 2);"),
    ("q ~ Truncated(Normal(a, 1), upper = 2);", "q ~ Truncated(Normal(a, 1), upper = 2);"),
    (
        "factor(Truncated(Normal(a, 1), lower = -1 / 0).log_prob(a));",
        "factor(Truncated(Normal(a, 1), lower = -1 / 0, upper = 1 / 0).log_prob(a));",
    ),
    (
        "for n in N { e[n] ~ ZeroInflated(NegativeBinomial(s, 2), gate = unit(a)); }",
        "for n in N { e[n] ~ ZeroInflated(NegativeBinomial(s, 2), gate = unit(a)); }",
    ),
    (
        "for n in N { y[n] ~ Censored(Normal(a, s), upper = 2, lower = -1); }",
        "for n in N { y[n] ~ Censored(Normal(a, s), lower = -1, upper = 2); }",
    ),
    ("q ~ Transformed(StudentT(4, a, s), softplus);", "q ~ Transformed(StudentT(4, a, s), softplus);"),
    (
        "q ~ Transformed(Normal(0, 1), exp); v ~ Transformed(Normal(0, 1), sigmoid);",
        "q ~ Transformed(Normal(0, 1), exp); v ~ Transformed(Normal(0, 1), sigmoid);",
    ),
    (
        "q[P] ~ Dirichlet(1); for n in N { y[n] ~ Mixture(q, j in P => Normal(beta[j], s)); }",
        "q[P] ~ Dirichlet(1); for n in N { y[n] ~ Mixture(q, j in P => Normal(beta[j], s)); }",
    ),
    (
        "q[P] ~ Dirichlet(1); for n in N { y[n] ~ Mixture(q, Normal(a, s), Cauchy(0, 2)); }",
        "q[P] ~ Dirichlet(1); for n in N { y[n] ~ Mixture(q, Normal(a, s), Cauchy(0, 2)); }",
    ),
    ("q ~ Normal(0, positive(a - 1) * unit(s));", "q ~ Normal(0, positive(a - 1) * unit(s));"),
    (
        "q ~ crate::mine::Skewed(0, ::other::hill(a, s)); v ~ Logistic(q, hill(s));",
        "q ~ crate::mine::Skewed(0, ::other::hill(a, s)); v ~ Logistic(q, hill(s));",
    ),
    ("q ~ crate::Skewed(a, scale = (s), loc = 1);", "q ~ crate::Skewed(a, scale = s, loc = 1);"),
    // Matrices.
    (
        "let cov[N, N] = squared_exponential(y, s, 1); y[N] ~ MultivariateNormal(loc = a, covariance = cov);",
        "let cov[N, N] = squared_exponential(y, s, 1, 0); y[N] ~ MultivariateNormal(a, cov);",
    ),
    (
        "let cov[N, N] = squared_exponential(x, s, 1, a); let l[N, N] = cholesky(cov); y[N] ~ MultivariateNormal(y, scale_tril = l[N, N]);",
        "let cov[N, N] = squared_exponential(x, s, 1, a); let l[N, N] = cholesky(cov); y[N] ~ MultivariateNormal(y, scale_tril = l);",
    ),
    (
        "let u[N, N] = matern12(y, s, 1); let v[N, N] = matern32(y, s, 1, 1); let q[N, N] = matern52(y, s, 1, jitter = a);",
        "let u[N, N] = matern12(y, s, 1, 0); let v[N, N] = matern32(y, s, 1, 1); let q[N, N] = matern52(y, s, 1, a);",
    ),
    (
        "let u[N, N] = matern12(x, s, 1); let v[N, N] = matern32(x, s, 1, 1); let q[N, N] = matern52(x, s, 1, a);",
        "let u[N, N] = matern12(x, s, 1, 0); let v[N, N] = matern32(x, s, 1, 1); let q[N, N] = matern52(x, s, 1, a);",
    ),
    (
        "o[C, C] ~ LkjCholesky(2); let u[C, P] = matmul(o, w); let v[C] = matvec(w, beta); let q[C, C] = factor_product(o);",
        "o[C, C] ~ LkjCholesky(2); let u[C, P] = matmul(o, w); let v[C] = matvec(w, beta); let q[C, C] = factor_product(o);",
    ),
    (
        "o[C, C] ~ LkjCholesky(2); for n in N { d[n, C, C] ~ WishartCholesky(5, o); let u[n, C] = solve_lower(o, p); let v[n, C] = solve_lower_transposed(d[n], p); }",
        "o[C, C] ~ LkjCholesky(2); for n in N { d[n, C, C] ~ WishartCholesky(5, o); let u[n, C] = solve_lower(o, p); let v[n, C] = solve_lower_transposed(d[n], p); }",
    ),
    (
        "o[C, C] ~ LkjCorrelation(2); d[C, C] ~ InverseWishartCholesky(5, o); q[C, C] ~ Wishart(s + 5, o); v[C, C] ~ InverseWishart(scale = q, df = 9);",
        "o[C, C] ~ LkjCorrelation(2); d[C, C] ~ InverseWishartCholesky(5, o); q[C, C] ~ Wishart(s + 5, o); v[C, C] ~ InverseWishart(9, q);",
    ),
    (
        "o[C, C] ~ LkjCorrelation(2); q[C] ~ MultivariateNormal(p, precision = o); v[C] ~ MultivariateStudentT(4, 0, o); u[C] ~ MultivariateNormal(0, factor = w, diagonal = 1);",
        "o[C, C] ~ LkjCorrelation(2); q[C] ~ MultivariateNormal(p, precision = o); v[C] ~ MultivariateStudentT(4, 0, o); u[C] ~ MultivariateNormal(0, w, 1);",
    ),
    (
        "q[C] ~ GaussianRandomWalk(s); o[P] ~ Ordered(Normal(0, 1)); for n in N { e[n] ~ OrderedLogistic(a, o); }",
        "q[C] ~ GaussianRandomWalk(s); o[P] ~ Ordered(Normal(0, 1)); for n in N { e[n] ~ OrderedLogistic(a, o); }",
    ),
    (
        "o[P] ~ Ordered(Normal(0, 1)); for n in N { e[n] ~ OrderedProbit(cutpoints = o, predictor = a); }",
        "o[P] ~ Ordered(Normal(0, 1)); for n in N { e[n] ~ OrderedProbit(a, o); }",
    ),
    ("v[N] ~ Dirichlet(1); e[N] ~ Multinomial(9, v);", "v[N] ~ Dirichlet(1); e[N] ~ Multinomial(9, v);"),
    ("e[N] ~ DirichletMultinomial(9, s);", "e[N] ~ DirichletMultinomial(9, s);"),
    ("q[P] ~ Concrete(0.5, logits = beta);", "q[P] ~ Concrete(0.5, beta);"),
    ("q[P] ~ Ordered(crate::Skewed(loc = a));", "q[P] ~ Ordered(crate::Skewed(loc = a));"),
];

#[test]
fn statements_are_written_in_one_way() {
    for (source, expected) in STATEMENTS {
        assert_eq!(tight(&statement(source)), tight(expected), "{source}");
    }
}

/// A density of each parameterization of the catalogue, its parameters by name.
fn densities() -> impl Iterator<Item = String> {
    CATALOGUE.iter().filter(|entry| entry.shape != Shape::Multiparameter).map(|entry| {
        let call = |value: &str| {
            let params: Vec<String> = entry.parameters.iter().map(|(name, _)| format!("{name} = {value}")).collect();
            format!("{}({})", entry.name, params.join(", "))
        };
        match (entry.shape, entry.event_rank) {
            (Shape::Univariate, _) => format!("factor({}.log_prob(y[0]));", call("y[1]")),
            (Shape::Multivariate, 0) => format!("for n in N {{ g[n] ~ {}; }}", call("x[n]")),
            (Shape::Multivariate | Shape::Multiparameter, _) => format!("q[C] ~ {};", call("p")),
        }
    })
}

/// A call of each function.
fn calls() -> impl Iterator<Item = String> {
    Function::ALL.iter().map(|(word, arity, _)| format!("factor({word}({}));", vec!["a"; *arity].join(", ")))
}

#[test]
fn every_kind_of_node_is_read_back() {
    let mut found = BTreeSet::new();
    let statements = STATEMENTS.iter().map(|(source, _)| (*source).to_owned()).chain(densities()).chain(calls());
    for source in statements.map(|source| in_model(&source)).chain([HEAD.to_owned()]) {
        round_trip(source.parse().expect("tokens"));
        kinds::of(&compile(source.parse().expect("tokens")), &mut found);
    }
    let missing: Vec<&str> = kinds::all().filter(|kind| !found.contains(kind)).collect();
    assert!(missing.is_empty(), "in no round trip: {missing:#?}");
}

/// A head with one of everything.
const HEAD: &str = "/// Doc.
    #[derive(Clone)] #[ppl(crate = crate::renamed::core)]
    pub(crate) M(/// Data.
        y: [f32; N, P, Q], K: usize, g: [in C; N], k: in K, b: bool, u: [u64; N], d: [i64; N], m: [Option<f32>; N],)
    { a ~ Normal(0, 1); m[N] ~ Normal(a, 1); }";

#[test]
fn heads_keep_attributes_visibility_types_and_the_path_of_the_core() {
    let text = canonical(HEAD);
    let expected: TokenStream =
        "#[ppl(crate = crate::renamed::core)] #[doc = \" Doc.\"] #[derive(Clone)] pub(crate) M(#[doc = \" Data.\"]
        y: [f32; N, P, Q], K: usize, g: [in C; N], k: in K, b: bool, u: [u64; N], d: [i64; N], m: [Option<f32>; N]) { a ~ Normal(0, 1); m[N] ~ Normal(a, 1); }"
            .parse()
            .expect("tokens");
    assert_eq!(tight(&text), tight(&expected.to_string()));
    assert_eq!(canonical("Empty() { }"), "Empty () { }");
}

#[test]
fn tokens_have_the_spans_of_what_was_typed() {
    fn texts(tokens: TokenStream, found: &mut Vec<(String, String)>) {
        for token in tokens {
            let source = token.span().source_text().unwrap_or_default();
            if let TokenTree::Group(group) = token {
                texts(group.stream(), found);
            } else {
                found.push((token.to_string(), source));
            }
        }
    }
    let source =
        "M(y: [f64; N]) { mu ~ Normal(scale = 2, loc = 0); for n in N { let twice = mu + y[n] * 3; y[n] ~ Cauchy(twice, 1); } }";
    let mut found = Vec::new();
    texts(display::tokens(&compile(source.parse().expect("tokens"))), &mut found);
    let at = |token: &str, source: &str| assert!(found.contains(&(token.to_owned(), source.to_owned())), "{token}: {found:?}");
    for word in ["M", "y", "mu", "Normal", "2", "0", "n", "twice", "+", "*", "3", "Cauchy"] {
        at(word, word);
    }
    // What has no span of its own has that of the node it belongs to.
    at("~", "mu");
    at("f64", "y");
    at(";", "Cauchy");
}
