//! Index arrays: which level of a dimension each row belongs to, with the names of the levels if there are any.

use std::sync::Arc;

/// The data of a `[in C; N]` argument: an index into `C` per row.
///
/// # Examples
/// ```
/// use ppl_core::indices::Indices;
/// let county = Indices::from_labels(["AITKIN", "ANOKA", "AITKIN"]);
/// assert_eq!(county.values(), [0, 1, 0]);
/// assert_eq!(county.size(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indices {
    values: Vec<usize>,
    levels: Option<Arc<[String]>>,
    /// The least number of levels, where it is known apart from the rows.
    least: usize,
}

impl Indices {
    /// Indices of labels, whose levels are numbered in the order of their first appearance.
    pub fn from_labels<L: AsRef<str>>(labels: impl IntoIterator<Item = L>) -> Self {
        let mut known: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
        let mut levels = Vec::new();
        let values = labels
            .into_iter()
            .map(|label| {
                let label = label.as_ref();
                if let Some(&index) = known.get(label) {
                    return index;
                }
                levels.push(label.to_owned());
                known.insert(label.to_owned(), levels.len() - 1);
                levels.len() - 1
            })
            .collect();
        Indices::of_levels(values, levels.into())
    }

    /// Indices into levels whose names are known, all of which these rows need not meet.
    pub fn of_levels(values: Vec<usize>, levels: Arc<[String]>) -> Self {
        let least = levels.len();
        Indices { values, levels: Some(levels), least }
    }

    /// Indices into so many levels without names, all of which these rows need not meet.
    pub fn of_size(values: Vec<usize>, size: usize) -> Self {
        Indices { values, levels: None, least: size }
    }

    /// The index of each row.
    #[must_use]
    pub fn values(&self) -> &[usize] {
        &self.values
    }

    /// The names of the levels, if the indices were made from labels.
    #[must_use]
    pub fn levels(&self) -> Option<&[String]> {
        self.levels.as_deref()
    }

    /// The same, shared with all that keep them.
    pub(crate) fn shared_levels(&self) -> Option<&Arc<[String]>> {
        self.levels.as_ref()
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The number of levels: of the names, or one more than the largest index.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.levels {
            Some(levels) => levels.len(),
            None => self.values.iter().max().map_or(0, |max| max + 1).max(self.least),
        }
    }
}

impl From<Vec<usize>> for Indices {
    fn from(values: Vec<usize>) -> Self {
        Indices { values, levels: None, least: 0 }
    }
}

impl FromIterator<usize> for Indices {
    fn from_iter<I: IntoIterator<Item = usize>>(values: I) -> Self {
        Indices { values: values.into_iter().collect(), levels: None, least: 0 }
    }
}
