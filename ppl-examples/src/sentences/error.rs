//! What can be wrong with a text.

/// Why a text cannot be learned from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not text.
    #[error("{path}, line {line}: the text is not UTF-8; convert it, for example with `iconv -t UTF-8`")]
    NotText {
        /// The file.
        path: String,
        /// The line, counted from one.
        line: usize,
    },
    /// There are not enough sentences.
    #[error("there are {found} lines with words, and at least {least} are needed: half to learn from, the others to ask about")]
    TooFew {
        /// How many lines have words.
        found: usize,
        /// How many are needed.
        least: usize,
    },
    /// Hardly any sentence is short enough.
    #[error(
        "of {lines} lines {short} have at most {longest} words, and at least {least} are needed: set `--longest`, which half of the lines have from {median} on"
    )]
    TooLong {
        /// How many lines have words.
        lines: usize,
        /// How many are short enough.
        short: usize,
        /// The most words of a sentence.
        longest: usize,
        /// How many are needed.
        least: usize,
        /// The length of the line in the middle.
        median: usize,
    },
    /// A vocabulary of hardly any words.
    #[error(
        "a vocabulary of {words} words is too small; give at least {least}: the end of a sentence, the unknown word and one more"
    )]
    Vocabulary {
        /// How many words were asked for.
        words: usize,
        /// How many are needed.
        least: usize,
    },
}
