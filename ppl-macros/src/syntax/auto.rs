//! `auto mu, tau;`: the statement of a guide that leaves latents to the automatic guide.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::Stmt;
use super::recovery::{error_here, here_or_before, name};
use super::statement::end;
use crate::diagnostics::Diagnostics;
use crate::messages;

/// The statement: names of latents, each as a whole.
pub(super) fn auto(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Stmt> {
    let word = input.parse::<Ident>()?;
    let mut names = Vec::new();
    loop {
        let latent = name(input, messages::AUTO)?;
        if input.peek(Token![~]) || input.peek(syn::token::Bracket) {
            let message = if input.peek(Token![~]) { messages::auto_tilde(&latent) } else { messages::AUTO.to_owned() };
            return Err(error_here(input, message));
        }
        names.push(latent);
        if !input.peek(Token![,]) {
            break;
        }
        input.parse::<Token![,]>()?;
        if !input.peek(Ident::peek_any) && !input.peek(Token![_]) && !input.peek(syn::Lit) {
            return Err(syn::Error::new(here_or_before(input), messages::AUTO));
        }
    }
    end(input, "auto", diagnostics)?;
    Ok(Stmt::Auto { word, names })
}
