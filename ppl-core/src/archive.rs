//! The state of what goes on step by step, as numbers: one function of each part both writes and reads it, bit by bit.

/// Numbers that are written, or read in the same order.
#[derive(Clone, Debug)]
pub enum Archive {
    /// What was written so far.
    Writing(Vec<u64>),
    /// What is read, how much of it was, and whether it was as much as was asked for.
    Reading {
        /// The numbers.
        words: Vec<u64>,
        /// How many were read.
        at: usize,
        /// Whether there were too few.
        short: bool,
    },
}

impl Archive {
    /// Nothing written yet.
    #[must_use]
    pub fn writing() -> Self {
        Archive::Writing(Vec::new())
    }

    /// To read what was written.
    #[must_use]
    pub fn reading(words: Vec<u64>) -> Self {
        Archive::Reading { words, at: 0, short: false }
    }

    /// What was written.
    #[must_use]
    pub fn into_words(self) -> Vec<u64> {
        match self {
            Archive::Writing(words) | Archive::Reading { words, .. } => words,
        }
    }

    /// Whether all was read that there was, and no more was asked for.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            Archive::Writing(_) => true,
            Archive::Reading { words, at, short } => !short && *at == words.len(),
        }
    }

    /// Writes a number of 64 bits, or replaces it by the one that is read.
    pub fn word(&mut self, x: &mut u64) {
        match self {
            Archive::Writing(words) => words.push(*x),
            Archive::Reading { words, at, short } => match words.get(*at) {
                Some(word) => (*x, *at) = (*word, *at + 1),
                None => *short = true,
            },
        }
    }

    /// As [`Archive::word`], of a count.
    pub fn count(&mut self, x: &mut usize) {
        let mut word = *x as u64;
        self.word(&mut word);
        *x = usize::try_from(word).unwrap_or(usize::MAX);
    }

    /// As [`Archive::word`], of what is or is not.
    pub fn flag(&mut self, x: &mut bool) {
        let mut word = u64::from(*x);
        self.word(&mut word);
        *x = word != 0;
    }

    /// As [`Archive::word`], of a real number.
    pub fn number(&mut self, x: &mut f64) {
        let mut word = x.to_bits();
        self.word(&mut word);
        *x = f64::from_bits(word);
    }

    /// As [`Archive::number`], of each.
    pub fn numbers(&mut self, xs: &mut [f64]) {
        xs.iter_mut().for_each(|x| self.number(x));
    }

    /// What may be there; where it is read and was not, it is made first.
    pub fn optional<T>(&mut self, x: &mut Option<T>, make: impl FnOnce() -> T, inner: impl FnOnce(&mut Self, &mut T)) {
        let mut is_there = x.is_some();
        self.flag(&mut is_there);
        if !is_there {
            *x = None;
            return;
        }
        inner(self, x.get_or_insert_with(make));
    }

    /// A part that is read by another archive, later.
    pub fn part(&mut self, words: &mut Vec<u64>) {
        let mut length = words.len();
        self.count(&mut length);
        if let Archive::Reading { words: all, at, short } = self {
            let left = all.len() - *at;
            *short |= length > left;
            length = length.min(left);
        }
        words.resize(length, 0);
        words.iter_mut().for_each(|word| self.word(word));
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn what_is_written_is_read() {
        type All = (f64, usize, Option<Vec<f64>>, Option<f64>, Vec<u64>);
        let all = |archive: &mut Archive, (x, count, there, not, words): &mut All| {
            archive.number(x);
            archive.count(count);
            archive.optional(there, || vec![0.0; 2], |archive, xs| archive.numbers(xs));
            archive.optional(not, || 0.0, Archive::number);
            archive.part(words);
        };
        let mut written: All = (-0.0, 7, Some(vec![f64::NAN, 1e-310]), None, vec![1, u64::MAX]);
        let mut archive = Archive::writing();
        all(&mut archive, &mut written);
        let words = archive.into_words();
        let mut read: All = (1.0, 0, None, Some(3.0), Vec::new());
        let mut archive = Archive::reading(words.clone());
        all(&mut archive, &mut read);
        assert!(archive.is_complete());
        assert_eq!(format!("{written:?}"), format!("{read:?}"));
        for length in 0..words.len() {
            let mut archive = Archive::reading(words[..length].to_vec());
            all(&mut archive, &mut read);
            assert!(!archive.is_complete(), "{length}");
        }
    }
}
