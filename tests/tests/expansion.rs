//! The generated code that users read: a snapshot, and that it is what is compiled.
#![forbid(unsafe_code)]

use ppl_core::prelude::*;
use ppl_tests::models::EightSchools;

#[test]
fn the_expansion_parses_and_is_formatted() {
    let file = syn::parse_file(EightSchools::EXPANSION).expect("the expansion is Rust");
    assert_eq!(prettyplease::unparse(&file), EightSchools::EXPANSION);
    assert!(!EightSchools::EXPANSION.contains("unsafe"));
}

#[test]
fn a_person_who_knows_the_model_recognises_it() {
    let text = EightSchools::EXPANSION;
    let start = text.find("/// for j in J {").expect("the plate carries its statements");
    let end = text[start..].find("fn plate_j_forward").expect("the second form follows the first");
    insta::assert_snapshot!(&text[start..start + end]);
}

model! {
    /// Eight schools, the population a point.
    pub EmpiricalBayes(y: [f64; J], sigma: [f64; J]) {
        param mu: real = sum(y) / J;
        param tau: positive = 5;
        for j in J {
            param shift[j]: interval(-1, sigma[j]) = 0;
            theta[j] ~ Normal(mu + shift[j], tau);
            y[j] ~ Normal(theta[j], sigma[j]);
        }
    }
}

#[test]
fn parameters_are_laid_out_after_the_latents_and_started_where_the_model_says() {
    let text = EmpiricalBayes::EXPANSION;
    let start = text.find("    /// Gives latents, parameters").expect("the layout");
    let end = text.find("    /// Checks that shifted indices").expect("the checks follow");
    insta::assert_snapshot!(&text[start..end]);
    assert!(text.contains("let start = bound.start_of_tau();"));
}
