//! A bound on how deeply a model nests: the compiler walks expressions recursively, and a stack that overflows ends rustc without a word.
//!
//! Nothing is parsed yet: the depth of a tree is bounded from its tokens. Each operator of a statement may nest once (a sum of
//! a hundred terms is a hundred nodes deep), and the deepest bracket may stand in the innermost place.

use proc_macro2::{Group, Span, TokenStream, TokenTree, token_stream};

use crate::diagnostics::Diagnostics;
use crate::messages;

/// The deepest tree. In a debug build of this crate, with nothing optimized, it takes less than half of rustc's stack.
const DEEPEST: usize = 640;

/// How many binary operators a bracket, a method, a sign or an `else` counts for: it passes through more functions of the parser.
const BRACKET: usize = 5;

/// Empties the brackets of a model that nest too deeply, and reports them.
pub(super) fn shallow(tokens: TokenStream, diagnostics: &mut Diagnostics) -> TokenStream {
    let shallow = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let Some(span) = too_deep(&group) else { return group.into() };
            diagnostics.push(span, messages::TOO_DEEP);
            let mut empty = Group::new(group.delimiter(), TokenStream::new());
            empty.set_span(group.span());
            empty.into()
        }
        other => other,
    };
    tokens.into_iter().map(shallow).collect()
}

/// The token at which a tree is too deep. Not recursive, for it is told what is too deep for that.
fn too_deep(group: &Group) -> Option<Span> {
    let mut open = vec![Level::new(group)];
    while let Some(level) = open.last_mut() {
        let Some(token) = level.tokens.next() else {
            let inner = open.pop()?.depth();
            if let Some(outer) = open.last_mut() {
                outer.inner = outer.inner.max(inner);
            }
            continue;
        };
        level.count(&token);
        if level.depth() > DEEPEST {
            return Some(token.span());
        }
        if let TokenTree::Group(group) = &token {
            if (open.len() + 1) * BRACKET > DEEPEST {
                return Some(group.span_open());
            }
            open.push(Level::new(group));
        }
    }
    None
}

/// The tokens between two brackets.
struct Level {
    tokens: token_stream::IntoIter,
    /// What the operators of the statement that is being read count.
    statement: usize,
    /// The same of the statement with the most.
    statements: usize,
    /// The depth of the deepest bracket within.
    inner: usize,
    /// Whether the last token ends an operand, so that a `-` is no sign.
    operand: bool,
}

impl Level {
    fn new(group: &Group) -> Self {
        Level { tokens: group.stream().into_iter(), statement: 0, statements: 0, inner: 0, operand: false }
    }

    fn count(&mut self, token: &TokenTree) {
        match token {
            TokenTree::Punct(punct) => {
                match punct.as_char() {
                    ';' => self.statement = 0,
                    '.' => self.statement += BRACKET,
                    // The second character of `==` counts as a sign too.
                    _ => self.statement += if self.operand { 1 } else { BRACKET },
                }
                self.operand = false;
            }
            TokenTree::Ident(word) if word == "for" || word == "let" => self.statement = 0,
            TokenTree::Ident(word) if word == "else" => self.statement += BRACKET,
            TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Group(_) => self.operand = true,
        }
        self.statements = self.statements.max(self.statement);
    }

    fn depth(&self) -> usize {
        BRACKET + self.statements + self.inner
    }
}
