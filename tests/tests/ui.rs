//! Compile-time errors: each sentence on the token that is wrong, several at once.

#[test]
fn errors_sit_on_the_users_tokens() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.compile_fail("tests/ui/parse/*.rs");
}
