//! Simple English sentences from a small grammar, so that programs about text have some anywhere.

use std::collections::BTreeSet;

use ppl_core::random::{step_key, uniform};

const PEOPLE: &[&str] = &[
    "man", "woman", "boy", "girl", "teacher", "doctor", "farmer", "baker", "sailor", "painter", "king", "queen", "neighbor",
    "student", "nurse", "soldier", "singer", "gardener",
];
const OF_PEOPLE: &[&str] = &["old", "young", "tall", "tired", "happy", "quiet", "friendly", "poor", "rich", "clever"];
const ANIMALS: &[&str] = &["dog", "cat", "horse", "cow", "fox", "rabbit", "bear", "mouse", "duck", "goat"];
const OF_ANIMALS: &[&str] = &["small", "hungry", "brown", "black", "white", "gray", "sleepy", "wild"];
const FOOD: &[&str] = &["soup", "bread", "cake", "pie", "rice", "fish", "cheese", "meat"];
const OF_FOOD: &[&str] = &["warm", "fresh", "sweet", "cold", "good"];
const PREPARES: &[&str] = &["cooked", "ate", "bought", "sold", "brought"];
const THINGS: &[&str] = &["boat", "house", "letter", "book", "picture", "song", "chair", "coat", "bell", "lamp"];
const OF_THINGS: &[&str] = &["red", "blue", "green", "beautiful", "broken", "new", "heavy", "simple"];
const MAKES: &[&str] = &["made", "found", "lost", "liked", "wanted", "showed"];
const MEETS: &[&str] = &["saw", "heard", "followed", "met", "helped", "loved"];
const MOVES: &[&str] = &["ran", "walked", "slept", "waited", "rested", "played"];
const INSIDE: &[&str] = &["kitchen", "garden", "school", "market", "church", "village", "city", "barn"];
const OUTSIDE: &[&str] = &["river", "lake", "forest", "bridge", "mountain", "road", "sea", "field"];
const NEAR: &[&str] = &["near", "behind", "beside", "by"];
const TIMES: &[&str] = &["morning", "evening", "afternoon", "summer", "winter", "spring"];
const WEATHER: &[&str] = &["wind", "rain", "snow", "sun", "sky", "air"];
const OF_WEATHER: &[&str] = &["cold", "warm", "strong", "heavy", "bright", "dark"];

/// Choices by a key and a counter.
struct Choices {
    key: u64,
    made: u64,
}

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        self.made += 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a uniform number below one times a length")]
        let choice = (uniform(self.key, self.made) * count as f64) as usize;
        choice.min(count - 1)
    }

    fn of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// "the old", "a" or "an old".
    fn noun(&mut self, nouns: &[&'static str], adjectives: &[&'static str]) -> String {
        let noun = self.of(nouns);
        let words = if self.below(2) == 0 { noun.to_owned() } else { format!("{} {noun}", self.of(adjectives)) };
        match (self.below(3), words.starts_with(['a', 'e', 'i', 'o'])) {
            (0, false) => format!("a {words}"),
            (0, true) => format!("an {words}"),
            _ => format!("the {words}"),
        }
    }

    fn person(&mut self) -> String {
        self.noun(PEOPLE, OF_PEOPLE)
    }

    fn animal(&mut self) -> String {
        self.noun(ANIMALS, OF_ANIMALS)
    }

    fn place(&mut self) -> String {
        if self.below(2) == 0 {
            format!("in the {}", self.of(INSIDE))
        } else {
            format!("{} the {}", self.of(NEAR), self.of(OUTSIDE))
        }
    }

    /// A place, a time or nothing, at the end of a sentence.
    fn circumstance(&mut self) -> String {
        match self.below(4) {
            0 => String::new(),
            1 => format!(" in the {}", self.of(TIMES)),
            _ => format!(" {}", self.place()),
        }
    }

    fn sentence(&mut self) -> String {
        match self.below(8) {
            0 | 1 => format!("{} {} {}{}", self.person(), self.of(PREPARES), self.noun(FOOD, OF_FOOD), self.circumstance()),
            2 => format!("{} {} {}{}", self.person(), self.of(MAKES), self.noun(THINGS, OF_THINGS), self.circumstance()),
            3 => format!("{} {} {}{}", self.person(), self.of(MEETS), self.animal(), self.circumstance()),
            4 => format!("{} {} {}", self.animal(), self.of(MOVES), self.place()),
            5 => format!("{} {} {}{}", self.person(), self.of(MEETS), self.person(), self.circumstance()),
            6 => format!("the {} was {} in the {}", self.of(WEATHER), self.of(OF_WEATHER), self.of(TIMES)),
            _ => format!("where did {} find {} ?", self.person(), self.noun(THINGS, OF_THINGS)),
        }
    }
}

/// So many sentences, no two alike, of about 120 words; the same seed gives the same.
///
/// There are some hundred thousand; where fewer new ones are found than asked for, these are all.
#[must_use]
pub fn sentences(count: usize, seed: u64) -> Vec<String> {
    let (mut known, mut all) = (BTreeSet::new(), Vec::with_capacity(count));
    for attempt in 0..20 * count as u64 {
        if all.len() == count {
            break;
        }
        let sentence = Choices { key: step_key(seed, attempt), made: 0 }.sentence();
        if known.insert(sentence.clone()) {
            all.push(sentence);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[test]
    fn sentences_differ_and_are_the_same_again() {
        let all = sentences(3000, 1);
        assert_eq!(all.len(), 3000);
        assert_eq!(all, sentences(3000, 1));
        assert!(all.iter().all(|sentence| (3..=13).contains(&sentence.split(' ').count())), "{all:?}");
        assert!(
            all.iter().any(|sentence| sentence.starts_with("an old ")) && !all.iter().any(|sentence| sentence.contains("a old"))
        );
    }
}
