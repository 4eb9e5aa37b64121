//! Sentences as rows of numbers: read from lines of text, or made by a grammar, with a vocabulary of their most frequent words.

mod error;
mod grammar;

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::Array2;

pub use error::Error;
pub use grammar::sentences;

/// The word behind the last one, and before the first.
pub const END: usize = 0;
/// The word for all that are not in the vocabulary.
pub const UNKNOWN: usize = 1;
/// The fewest sentences that can be learned from.
pub const LEAST: usize = 20;

/// The lines of a file that have words.
///
/// # Errors
/// [`Error::File`], [`Error::NotText`].
pub fn lines(path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
    let path = path.as_ref();
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| Error::File { path: name(), source })?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Error::NotText { path: name(), line }
    })?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// The words of a line: in small letters, marks apart from the letters before them.
fn words(line: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(line.len());
    for letter in line.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() || letter == '\'' || letter == '-' || letter.is_whitespace() {
            spaced.push(letter);
        } else {
            spaced.extend([' ', letter, ' ']);
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Sentences by the numbers of their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// The words by number; [`END`] and [`UNKNOWN`] are the first two.
    pub vocabulary: Vec<String>,
    /// `[sentence][position]`: the words, and [`END`] from the end on. There is one position more than the longest sentence has words.
    pub words: Array2<usize>,
    /// How many positions of each sentence count: its words, and its end.
    pub lengths: Vec<u64>,
}

impl Corpus {
    /// The sentences of at most `longest` words among some lines, with so many words: the most frequent ones, of equally frequent ones the first in the alphabet.
    ///
    /// # Errors
    /// [`Error::TooFew`], [`Error::TooLong`], [`Error::Vocabulary`].
    pub fn new(lines: &[String], vocabulary: usize, longest: usize) -> Result<Self, Error> {
        if vocabulary < 3 {
            return Err(Error::Vocabulary { words: vocabulary, least: 3 });
        }
        let all: Vec<Vec<String>> = lines.iter().map(|line| words(line)).filter(|words| !words.is_empty()).collect();
        if all.len() < LEAST {
            return Err(Error::TooFew { found: all.len(), least: LEAST });
        }
        let short: Vec<&Vec<String>> = all.iter().filter(|words| words.len() <= longest).collect();
        if short.len() < LEAST {
            let mut lengths: Vec<usize> = all.iter().map(Vec::len).collect();
            lengths.sort_unstable();
            let median = lengths[lengths.len() / 2];
            return Err(Error::TooLong { lines: all.len(), short: short.len(), longest, least: LEAST, median });
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for word in short.iter().copied().flatten() {
            *counts.entry(word).or_default() += 1;
        }
        let mut frequent: Vec<(&str, usize)> = counts.into_iter().collect();
        frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let known = ["<end>", "<unknown>"].into_iter().chain(frequent.into_iter().map(|(word, _)| word)).take(vocabulary);
        let vocabulary: Vec<String> = known.map(str::to_owned).collect();
        let numbers: BTreeMap<&str, usize> = vocabulary.iter().enumerate().skip(2).map(|(i, word)| (word.as_str(), i)).collect();
        let positions = 1 + short.iter().map(|words| words.len()).max().unwrap_or(0);
        let mut table = Array2::from_elem((short.len(), positions), END);
        for (mut row, words) in table.outer_iter_mut().zip(&short) {
            row.iter_mut().zip(*words).for_each(|(to, word)| *to = numbers.get(word.as_str()).copied().unwrap_or(UNKNOWN));
        }
        let lengths = short.iter().map(|words| words.len() as u64 + 1).collect();
        Ok(Corpus { vocabulary, words: table, lengths })
    }

    /// The number of sentences.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there are none, which cannot be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Sentences by their numbers.
    #[must_use]
    pub fn rows(&self, rows: &[usize]) -> Self {
        Corpus {
            vocabulary: self.vocabulary.clone(),
            words: self.words.select(ndarray::Axis(0), rows),
            lengths: rows.iter().map(|&row| self.lengths[row]).collect(),
        }
    }

    /// The word before each: [`END`] before the first.
    #[must_use]
    pub fn previous(&self) -> Array2<usize> {
        Array2::from_shape_fn(
            self.words.dim(),
            |(row, position)| if position == 0 { END } else { self.words[[row, position - 1]] },
        )
    }

    /// How many words there are to predict, the ends of sentences among them.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lengths.iter().sum()
    }

    /// Numbers up to the first end as text.
    #[must_use]
    pub fn text(&self, words: impl IntoIterator<Item = usize>) -> String {
        let known = words.into_iter().take_while(|word| *word != END);
        known.map(|word| self.vocabulary.get(word).map_or("?", String::as_str)).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::{Corpus, END, UNKNOWN, lines, sentences};

    fn corpus() -> Corpus {
        let mut lines: Vec<String> = (0..20).map(|_| "The cat sat.".to_owned()).collect();
        lines.push("The dog's hat, and the cat.".to_owned());
        Corpus::new(&lines, 7, 8).unwrap()
    }

    #[test]
    fn words_are_numbered_by_how_often_they_come() {
        let corpus = corpus();
        assert_eq!(corpus.vocabulary, ["<end>", "<unknown>", "the", ".", "cat", "sat", ","]);
        assert_eq!(corpus.words.row(0).to_vec(), [2, 4, 5, 3, END, END, END, END, END]);
        assert_eq!(corpus.words.row(20).to_vec(), [2, UNKNOWN, UNKNOWN, 6, UNKNOWN, 2, 4, 3, END]);
        assert_eq!((corpus.lengths[0], corpus.lengths[20], corpus.count()), (5, 9, 109));
        assert_eq!(corpus.previous().row(20).to_vec(), [END, 2, UNKNOWN, UNKNOWN, 6, UNKNOWN, 2, 4, 3]);
        assert_eq!(corpus.text(corpus.words.row(20).to_vec()), "the <unknown> <unknown> , <unknown> the cat .");
        assert_eq!(corpus.rows(&[20]).lengths, [9]);
    }

    #[test]
    fn texts_that_cannot_be_learned_from_are_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        assert!(lines(&path).unwrap_err().to_string().starts_with(&path.display().to_string()));
        std::fs::write(&path, b"good\n\xff\n").unwrap();
        assert!(lines(&path).unwrap_err().to_string().contains("line 2: the text is not UTF-8"));
        std::fs::write(&path, " \n\n").unwrap();
        let error = Corpus::new(&lines(&path).unwrap(), 100, 10).unwrap_err().to_string();
        assert!(error.starts_with("there are 0 lines with words"), "{error}");
        let all = sentences(100, 0);
        let error = Corpus::new(&all, 100, 2).unwrap_err().to_string();
        assert!(error.starts_with("of 100 lines 0 have at most 2 words"), "{error}");
        assert!(Corpus::new(&all, 2, 10).unwrap_err().to_string().contains("at least 3"));
    }
}
