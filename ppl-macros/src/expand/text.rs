//! The generated code as text for people.

use proc_macro2::{TokenStream, TokenTree};

/// The most brackets within brackets that are formatted: the formatter goes down some ten functions for each.
const FORMATTED: usize = 100;

/// Formatted text of items; what nests so deeply that nobody reads it is left as it is.
pub(super) fn pretty(items: &TokenStream) -> String {
    if nests_deeper(items, FORMATTED) {
        return items.to_string();
    }
    match syn::parse2::<syn::File>(items.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => items.to_string(),
    }
}

/// Whether there are more than so many brackets within brackets.
fn nests_deeper(items: &TokenStream, most: usize) -> bool {
    let mut open = vec![items.clone().into_iter()];
    while let Some(level) = open.last_mut() {
        match level.next() {
            Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
            Some(_) => {}
            None => drop(open.pop()),
        }
        if open.len() > most {
            return true;
        }
    }
    false
}
