//! A bound on how deeply a model nests: the compiler walks expressions recursively, and a stack that overflows ends rustc without a word.
//!
//! Nothing is parsed yet: the depth of the tree is bounded from its tokens, by the precedence of what joins them. A sum of a thousand
//! terms nests a thousand times, a product within it only adds its own factors.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree, token_stream};

use crate::diagnostics::Diagnostics;
use crate::messages;

/// The deepest tree. In a debug build of this crate, with nothing optimized, it takes less than half of rustc's stack.
const DEEPEST: usize = 1280;

/// How many binary operators a bracket, a method or a sign counts for: it passes through more functions of the parser.
const BRACKET: usize = 5;

/// What joins operands, loosest first: commas, `||`, `&&`, comparisons, sums and products.
const CLASSES: usize = 6;

/// Empties the brackets of a model that nest too deeply, and reports them.
pub(super) fn shallow(tokens: TokenStream, diagnostics: &mut Diagnostics) -> TokenStream {
    let shallow = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let Some(span) = too_deep(group.stream()) else { return group.into() };
            diagnostics.push(span, messages::TOO_DEEP);
            let mut empty = Group::new(group.delimiter(), TokenStream::new());
            empty.set_span(group.span());
            empty.into()
        }
        other => other,
    };
    tokens.into_iter().map(shallow).collect()
}

/// The first token at which a tree is too deep.
fn too_deep(tokens: TokenStream) -> Option<Span> {
    // Not recursive, for it is told what is too deep for that.
    let mut open = vec![Level::new(tokens, Span::call_site(), false)];
    while let Some(level) = open.last_mut() {
        match level.next() {
            Next::Open(group) => {
                if (open.len() + 1) * BRACKET > DEEPEST {
                    return Some(group.span_open());
                }
                open.push(Level::new(group.stream(), group.span_open(), group.delimiter() == Delimiter::Brace));
            }
            Next::Token(span) if level.depth() > DEEPEST => return Some(span),
            Next::Token(_) => {}
            Next::End => {
                let inner = open.pop()?;
                let Some(outer) = open.last_mut() else { break };
                outer.factor += BRACKET + inner.depth();
                if outer.depth() > DEEPEST {
                    return Some(inner.span);
                }
                if outer.is_loop && inner.braces {
                    outer.end_statement();
                }
            }
        }
    }
    None
}

/// What a level meets.
enum Next {
    Open(Group),
    Token(Span),
    End,
}

/// The tokens between two brackets, and the depth of the trees that they make.
struct Level {
    tokens: std::iter::Peekable<token_stream::IntoIter>,
    /// The opening bracket.
    span: Span,
    /// Whether that is a brace.
    braces: bool,
    /// The deepest statement that is complete.
    statements: usize,
    /// How many operators of each class join the chain that is being read, and its deepest operand that is complete.
    chains: [(usize, usize); CLASSES],
    /// The depth of the operand that is being read.
    factor: usize,
    /// Whether the last token ends an operand, so that a `-` is no sign.
    operand: bool,
    /// Whether a brace ends the statement.
    is_loop: bool,
    /// Whether the last token was a dot.
    dot: bool,
}

impl Level {
    fn new(tokens: TokenStream, span: Span, braces: bool) -> Self {
        let tokens = tokens.into_iter().peekable();
        let chains = [(0, 0); CLASSES];
        Level { tokens, span, braces, statements: 0, chains, factor: 0, operand: false, is_loop: false, dot: false }
    }

    fn next(&mut self) -> Next {
        let Some(token) = self.tokens.next() else { return Next::End };
        let span = token.span();
        let was_dot = std::mem::take(&mut self.dot);
        match token {
            TokenTree::Group(group) => {
                self.operand = true;
                return Next::Open(group);
            }
            TokenTree::Literal(_) => self.operand = true,
            TokenTree::Ident(word) => {
                let word = word.to_string();
                self.operand = !matches!(word.as_str(), "if" | "else" | "in");
                match word.as_str() {
                    "for" | "let" => {
                        self.end_statement();
                        self.is_loop = word == "for";
                    }
                    "else" => self.factor += BRACKET,
                    _ => {}
                }
            }
            TokenTree::Punct(punct) => {
                let doubled = matches!(self.tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == punct.as_char());
                match punct.as_char() {
                    ';' => self.end_statement(),
                    ',' => self.join(0),
                    '|' if doubled => self.join(1),
                    '&' if doubled => self.join(2),
                    // Of `==`, `<=` and such the first character counts.
                    '<' | '>' | '=' | '!' if self.operand => self.join(3),
                    '+' | '-' if self.operand => self.join(4),
                    '*' | '/' => self.join(5),
                    '-' | '!' | '+' => self.factor += BRACKET,
                    '.' if was_dot => self.join(3),
                    '.' if doubled => self.dot = true,
                    '.' => self.factor += BRACKET,
                    _ => {}
                }
                self.operand = false;
            }
        }
        Next::Token(span)
    }

    /// An operator ends all chains that bind tighter.
    fn join(&mut self, class: usize) {
        let operand = self.tighter(class + 1);
        self.chains[class + 1..].fill((0, 0));
        self.factor = 0;
        let (count, deepest) = &mut self.chains[class];
        *count += 1;
        *deepest = operand.max(*deepest);
    }

    fn end_statement(&mut self) {
        self.statements = self.depth();
        self.chains.fill((0, 0));
        self.factor = 0;
        self.is_loop = false;
        self.operand = false;
    }

    /// The depth of the chain of a class that is being read.
    fn tighter(&self, class: usize) -> usize {
        self.chains[class..].iter().rev().fold(self.factor, |operand, (count, deepest)| count + operand.max(*deepest))
    }

    /// The deepest tree so far.
    fn depth(&self) -> usize {
        self.statements.max(self.tighter(0))
    }
}
