//! Compile-time errors: each sentence on the token that is wrong, several at once.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

#[test]
fn errors_sit_on_the_users_tokens() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.compile_fail("tests/ui/parse/*.rs");
}

/// The compiler's sentences are the longer strings of its sources; the longest part between two `{}` must stand in some case.
#[test]
fn every_sentence_of_the_compiler_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut cases = String::new();
    each_file(&root.join("tests/ui"), "stderr", &mut |_, text| cases.push_str(&spaced(text)));
    // Why a plate cannot be taken in batches is said when it is asked for.
    each_file(&root.join("tests"), "rs", &mut |path, text| {
        if path.ends_with("minibatch/refused.rs") {
            cases.push_str(&spaced(text));
        }
    });
    let mut sentences = Vec::new();
    let sources = root.join("../ppl-macros/src");
    each_file(&sources, "rs", &mut |path, text| {
        let path = path.strip_prefix(&sources).expect("a source file");
        let said = ["syntax", "ir", "check", "messages.rs", "assertions.rs"];
        if said.iter().any(|part| path.iter().any(|own| own == *part)) && !path.iter().any(|own| own == "tests") {
            strings(text.parse().expect("a source file"), &mut sentences);
        }
    });
    assert!(sentences.len() > 150, "only {} sentences were found", sentences.len());
    let without: Vec<&String> = sentences.iter().filter(|sentence| !cases.contains(&spaced(&longest_part(sentence)))).collect();
    assert!(without.is_empty(), "no case shows: {without:#?}");
}

fn each_file(folder: &Path, extension: &str, visit: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            each_file(&entry, extension, visit);
        } else if entry.extension().is_some_and(|own| own == extension) {
            visit(&entry, &std::fs::read_to_string(&entry).expect("a text"));
        }
    }
}

/// Strings with several words, without those of attributes.
fn strings(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == '!'));
                tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Group(group) => strings(group.stream(), found),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                    && text.value().len() >= 22
                    && text.value().contains(' ')
                {
                    found.push(text.value());
                }
            }
            _ => {}
        }
    }
}

/// The longest part between two holes.
fn longest_part(sentence: &str) -> String {
    let mut parts = vec![String::new()];
    let mut characters = sentence.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '{' | '}' if characters.next_if_eq(&character).is_some() => parts.last_mut().expect("a part").push(character),
            '{' => {
                while characters.next().is_some_and(|inner| inner != '}') {}
                parts.push(String::new());
            }
            _ => parts.last_mut().expect("a part").push(character),
        }
    }
    parts.into_iter().max_by_key(String::len).expect("a part")
}
