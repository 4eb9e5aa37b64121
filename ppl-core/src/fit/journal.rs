//! Checkpoints: how far each loop of stochastic steps has come, so that a fit that was killed goes on to the same bits.
//!
//! All else of a fit is quick, and found again by the same computation from the same seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::{Bbvi, ByName, Checked};
use super::engine::Engine;
use super::{FileReason, FitError};
use crate::archive::Archive;
use crate::checkpoint::{Checkpoint, replace};
use crate::guides::FittedGuide;
use crate::kernel::Real;
use crate::model::LogJoint;
use crate::random::step_key;

/// The version of the format.
const FORMAT: u32 = 1;
/// How far apart log densities at the start may be that are of the same data, relatively: processors differ in the last bits.
const SAME: f64 = 1e-6;

/// The first line of the file: what it is, the version of the format and the digest of all that follows. A line of JSON is next ([`Header`]), and then the words, eight
/// bytes each, the least significant first.
fn title(digest: u64) -> String {
    format!("ppl checkpoint {FORMAT} {digest:016x}\n")
}

/// What is no word.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    model: String,
    configuration: String,
    /// The bits of the log densities around the start: what tells data apart.
    at_start: Vec<u64>,
    /// The key of each loop, and how many words it has.
    loops: Vec<(u64, usize)>,
}

/// How far the loops of a fit have come.
#[derive(Debug)]
pub(crate) struct Journal {
    checkpoint: Checkpoint,
    model: &'static str,
    configuration: String,
    at_start: Vec<u64>,
    loops: Mutex<BTreeMap<u64, Vec<u64>>>,
}

impl Journal {
    /// The journal of a fit, as it was left if the file is there; a file of another fit is refused, and not touched.
    pub(super) fn open<E: Real>(
        checkpoint: &Checkpoint,
        model: &dyn LogJoint<E>,
        (config, by_name): (&Checked, &ByName),
        start: &[f64],
    ) -> Result<Self, FitError> {
        let journal = Journal {
            checkpoint: checkpoint.clone(),
            model: model.layout().model,
            configuration: told::<E>(config, by_name),
            at_start: around(model, start),
            loops: Mutex::default(),
        };
        if checkpoint.path.exists() {
            let loops = std::fs::read(&checkpoint.path).map_err(FileReason::from).and_then(|bytes| journal.read(&bytes));
            *journal.lock() = loops.map_err(|reason| journal.failed(reason))?;
        } else {
            // That it can be written is found out now, and not after hours.
            journal.write()?;
        }
        Ok(journal)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Vec<u64>>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, reason: FileReason) -> FitError {
        FitError::File { path: self.checkpoint.path.display().to_string(), reason }
    }

    /// The loops of a file, if they are those of this fit.
    fn read(&self, bytes: &[u8]) -> Result<BTreeMap<u64, Vec<u64>>, FileReason> {
        let damaged = |why: &str| FileReason::Damaged { why: why.to_owned() };
        let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("lines are missing"));
        let (first, rest) = bytes.split_at(line(bytes)? + 1);
        let told = std::str::from_utf8(first).ok().and_then(|line| line.strip_prefix("ppl checkpoint "));
        let format = told.and_then(|told| told.split(' ').next()?.parse().ok());
        match format.ok_or_else(|| damaged("it does not begin as one"))? {
            FORMAT => {}
            found => return Err(FileReason::Version { found, expected: FORMAT }),
        }
        if first != title(digest_of(rest)).as_bytes() {
            return Err(damaged("it is cut short or was changed"));
        }
        let (header, words) = rest.split_at(line(rest)? + 1);
        let header: Header = serde_json::from_slice(header).map_err(|error| damaged(&error.to_string()))?;
        if header.model != self.model {
            return Err(FileReason::OtherModel { found: header.model, expected: self.model });
        }
        if let Some((found, expected)) = differing(&header.configuration, &self.configuration) {
            return Err(FileReason::OtherFit { found, expected });
        }
        let density = |bits: &[u64]| bits.first().map_or(f64::NAN, |bits| f64::from_bits(*bits));
        let alike = |(a, b): (&u64, &u64)| {
            let (x, y) = (f64::from_bits(*a), f64::from_bits(*b));
            a == b || (x - y).abs() <= SAME * (1.0 + x.abs())
        };
        if header.at_start.len() != self.at_start.len() || !header.at_start.iter().zip(&self.at_start).all(alike) {
            let of = |bits: &[u64]| format!("other data, of log density {} at the start", density(bits));
            return Err(FileReason::OtherFit { found: of(&header.at_start), expected: format!("{}", density(&self.at_start)) });
        }
        let words: Vec<u64> = words.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        if header.loops.iter().map(|(_, length)| *length).try_fold(0_usize, usize::checked_add) != Some(words.len()) {
            return Err(damaged("it has other numbers than it says"));
        }
        let mut rest = &words[..];
        let mut own = |length: usize| {
            let (own, after) = rest.split_at(length);
            rest = after;
            own.to_vec()
        };
        Ok(header.loops.iter().map(|&(key, length)| (key, own(length))).collect())
    }

    /// Writes the file.
    fn write(&self) -> Result<(), FitError> {
        let loops = self.lock();
        let header = Header {
            model: self.model.to_owned(),
            configuration: self.configuration.clone(),
            at_start: self.at_start.clone(),
            loops: loops.iter().map(|(key, words)| (*key, words.len())).collect(),
        };
        let mut rest = serde_json::to_vec(&header).map_err(|error| self.failed(FileReason::Garbage(error)))?;
        rest.push(b'\n');
        loops.values().flatten().for_each(|word| rest.extend_from_slice(&word.to_le_bytes()));
        let bytes = [title(digest_of(&rest)).as_bytes(), &rest].concat();
        replace(&self.checkpoint.path, &bytes).map_err(|error| self.failed(error.into()))
    }
}

/// What a fit goes by, but for what may be another when it goes on: how long it may take.
fn told<E: Real>(config: &Checked, by_name: &ByName) -> String {
    let same = Checked { max_steps: 0, max_time: Duration::ZERO, search_time: Duration::ZERO, draws: 0, ..*config };
    let ByName { blocks, natives, estimators, minibatch, .. } = by_name;
    let told = format!("{same:?}, minibatch: {minibatch:?}, element: {}", std::any::type_name::<E>());
    // Of very many dimensions their digest.
    let of_dimensions =
        digest(format!("{blocks:?} {natives:?} {estimators:?}").bytes().map(u64::from).collect::<Vec<_>>().iter());
    format!("{told}, blocks and estimators: {of_dimensions:x}")
}

/// The first parts of two configurations that differ.
fn differing(found: &str, expected: &str) -> Option<(String, String)> {
    let (mut found, mut expected) = (found.split(", "), expected.split(", "));
    loop {
        match (found.next(), expected.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => return Some((a.unwrap_or("less").to_owned(), b.unwrap_or("more").to_owned())),
        }
    }
}

/// The bits of the log densities at some points around the start.
fn around<E: Real>(model: &dyn LogJoint<E>, start: &[f64]) -> Vec<u64> {
    let lanes = E::LANE_MULTIPLE;
    let (mut work, weights, mut log_density) = (model.workspace(lanes), model.unit_weights(lanes), vec![0.0; lanes]);
    for (i, x) in start.iter().enumerate() {
        let at = |lane: usize| E::from_f64(x + 0.1 * (lane as f64) * (1.0 + i as f64).sin());
        (0..lanes).for_each(|lane| work.u_mut()[i * lanes + lane] = at(lane));
    }
    model.log_density(&mut work, &weights, &mut log_density);
    log_density.iter().map(|x| x.to_bits()).collect()
}

/// A number that other words hardly have.
fn digest<'w>(words: impl IntoIterator<Item = &'w u64>) -> u64 {
    words.into_iter().fold(0, |digest, word| step_key(digest, *word))
}

/// The digest of bytes, eight at a time, and of how many there are.
fn digest_of(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain(rest.iter().map(|byte| u64::from(*byte)));
    step_key(words.fold(0, step_key), bytes.len() as u64)
}

impl Bbvi {
    /// Opens the checkpoint of a fit, if there is to be one.
    pub(super) fn journal<E: Real>(&self, model: &dyn LogJoint<E>) -> Result<Option<Arc<Journal>>, FitError> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(None) };
        let (checked, by_name) = (self.check::<E>()?, self.by_name(model)?);
        Ok(Some(Arc::new(Journal::open(checkpoint, model, (&checked, &by_name), &self.start(model)?)?)))
    }
}

/// One loop in the journal, if there is one.
pub(super) struct Entry<'j> {
    journal: Option<&'j Journal>,
    key: u64,
    saved: Instant,
}

impl<E: Real> Engine<'_, E> {
    /// The entry of a loop that starts from this guide, with steps of this length.
    pub(super) fn entry(&self, guide: &FittedGuide, rate: f64) -> Entry<'_> {
        let journal = self.by_name.journal.as_deref();
        let key = journal.map_or(0, |_| {
            let bits = |xs: &[f64]| xs.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let name: Vec<u64> = guide.name().bytes().map(u64::from).collect();
            let start = [name, bits(guide.guide::<E>().parameters()), bits(&self.curvature.center), bits(&[rate])];
            digest(start.iter().flatten())
        });
        Entry { journal, key, saved: Instant::now() }
    }
}

impl Entry<'_> {
    /// Reads what the loop goes on from, if it was begun before.
    pub(super) fn go_on(&self, state: &mut dyn FnMut(&mut Archive)) -> Result<(), FitError> {
        let Some(journal) = self.journal else { return Ok(()) };
        let Some(words) = journal.lock().get(&self.key).cloned() else { return Ok(()) };
        let mut archive = Archive::reading(words);
        state(&mut archive);
        if archive.is_complete() {
            return Ok(());
        }
        Err(journal.failed(FileReason::Damaged { why: "its numbers are not those of this fit".to_owned() }))
    }

    /// Saves how far the loop is, where that is due.
    pub(super) fn save(&mut self, state: &mut dyn FnMut(&mut Archive)) -> Result<(), FitError> {
        match self.journal {
            Some(journal) if self.saved.elapsed() >= journal.checkpoint.every => self.save_last(state),
            _ => Ok(()),
        }
    }

    /// Saves how far the loop is.
    pub(super) fn save_last(&mut self, state: &mut dyn FnMut(&mut Archive)) -> Result<(), FitError> {
        let Some(journal) = self.journal else { return Ok(()) };
        let mut archive = Archive::writing();
        state(&mut archive);
        journal.lock().insert(self.key, archive.into_words());
        self.saved = Instant::now();
        journal.write()
    }
}

/// How far a loop is.
#[derive(Debug)]
pub(super) struct Progress {
    /// Steps that were taken.
    pub(super) steps: usize,
    /// Bad ones in a row, and in all.
    pub(super) bad: usize,
    pub(super) undone: usize,
    pub(super) rate: f64,
    pub(super) converged: bool,
    /// The time of the steps before it went on.
    pub(super) earlier: Duration,
    began: Instant,
}

impl Progress {
    pub(super) fn new(rate: f64) -> Self {
        Progress { steps: 0, bad: 0, undone: 0, rate, converged: false, earlier: Duration::ZERO, began: Instant::now() }
    }

    /// The time of all steps.
    pub(super) fn elapsed(&self) -> Duration {
        self.earlier + self.began.elapsed()
    }

    pub(super) fn archive(&mut self, archive: &mut Archive) {
        [&mut self.steps, &mut self.bad, &mut self.undone].into_iter().for_each(|count| archive.count(count));
        archive.number(&mut self.rate);
        archive.flag(&mut self.converged);
        let mut seconds = self.elapsed().as_secs_f64();
        archive.number(&mut seconds);
        if matches!(archive, Archive::Reading { .. }) {
            self.earlier = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            self.began = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::differing;

    #[test]
    fn the_first_part_that_differs_is_told() {
        assert_eq!(differing("a: 1, b: 2", "a: 1, b: 2"), None);
        assert_eq!(differing("a: 1, b: 2, c: 3", "a: 1, b: 4, c: 3"), Some(("b: 2".to_owned(), "b: 4".to_owned())));
        assert_eq!(differing("a: 1", "a: 1, b: 4"), Some(("less".to_owned(), "b: 4".to_owned())));
    }
}
