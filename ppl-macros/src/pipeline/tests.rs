//! The stack: what nests as deeply as it may is compiled on half of what rustc has, what nests more is reported.

use proc_macro2::TokenStream;

use super::model;
use crate::messages;

/// Ways to nest, each `n` times.
const SHAPES: &[(&str, fn(usize) -> String)] = &[
    ("sum", |n| format!("factor(a{});", " + a".repeat(n))),
    ("difference of products", |n| format!("factor(a{});", " - a * y[0]".repeat(n))),
    ("sum of data", |n| format!("factor(y[0]{});", " + y[0]".repeat(n))),
    ("sum of calls", |n| format!("factor(a{});", " + exp(a)".repeat(n))),
    ("arguments", |n| format!("factor(log_sum_exp(a{}));", ", a".repeat(n))),
    ("conditions", |n| format!("factor(if b[0]{} {{ a }} else {{ 1 }});", " && b[0]".repeat(n))),
    ("parentheses", |n| format!("factor({}a{});", "(".repeat(n), ")".repeat(n))),
    ("calls", |n| format!("factor({}a{});", "exp(".repeat(n), ")".repeat(n))),
    ("calls of Rust", |n| format!("factor({}a{});", "hill(1 + ".repeat(n), ")".repeat(n))),
    ("sums to the right", |n| format!("factor({}a{});", "a + (".repeat(n), ")".repeat(n))),
    ("reductions", |n| {
        format!("factor({}a{});", (0..n).fold(String::new(), |all, i| format!("{all}sum(k{i} in N => ")), ")".repeat(n))
    }),
    ("densities", |n| format!("factor({}a{});", "Normal(0, 1).log_prob(".repeat(n), ")".repeat(n))),
    ("signs", |n| format!("factor({}a);", "-".repeat(n))),
    ("negations", |n| format!("factor(if {}b[0] {{ a }} else {{ 1 }});", "!".repeat(n))),
    ("methods", |n| format!("factor(a{});", ".exp()".repeat(n))),
    ("choices", |n| format!("factor({} 1 }});", "if b[0] { a } else ".repeat(n) + "{")),
    ("choices within", |n| format!("factor({}a{});", "if b[0] { ".repeat(n), " } else { 1 }".repeat(n))),
    ("gathers", |n| format!("factor(y[{}0{}]);", "g[".repeat(n), "]".repeat(n))),
    ("loops", |n| {
        format!("{} factor(a); {}", (0..n).fold(String::new(), |all, i| format!("{all}for k{i} in N {{ ")), "}".repeat(n))
    }),
];

fn tokens(shape: fn(usize) -> String, n: usize) -> TokenStream {
    format!("M(y: [f64; N], b: [bool; N], g: [in N; N]) {{ a ~ Normal(0, 1); {} }}", shape(n)).parse().expect("tokens")
}

#[test]
fn the_deepest_trees_fit_on_half_of_the_stack() {
    for &(name, shape) in SHAPES {
        let work = move || {
            let too_deep = |n: usize| model(tokens(shape, n)).to_string().contains(messages::TOO_DEEP);
            let (mut fits, mut not) = (1, 1000);
            assert!(too_deep(not) && !too_deep(fits), "{name}");
            while fits + 1 < not {
                let middle = fits.midpoint(not);
                *(if too_deep(middle) { &mut not } else { &mut fits }) = middle;
            }
            println!("{name}: {fits}");
        };
        std::thread::Builder::new().stack_size(4 << 20).spawn(work).expect("a thread").join().expect(name);
    }
}
