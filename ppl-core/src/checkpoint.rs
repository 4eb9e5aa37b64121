//! Where and how often a fit is saved while it learns.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where and how often a fit is saved while it learns.
///
/// # Examples
/// ```
/// use ppl_core::checkpoint::Checkpoint;
/// let checkpoint = Checkpoint::minutes(5, "flights.checkpoint");
/// assert_eq!(checkpoint.every.as_secs(), 300);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The file, which is replaced as a whole: whenever the program ends, one of them is there. That of an amortized fit is of a finished epoch.
    pub path: PathBuf,
    /// It is saved when so much time is over since the last one.
    pub every: Duration,
}

impl Checkpoint {
    /// So many minutes apart.
    pub fn minutes(minutes: u64, path: impl Into<PathBuf>) -> Self {
        Checkpoint { path: path.into(), every: Duration::from_secs(minutes.saturating_mul(60)) }
    }
}

/// Where a file is written before it takes its place.
fn part(path: &Path) -> std::io::Result<PathBuf> {
    let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
        return Err(std::io::Error::new(std::io::ErrorKind::IsADirectory, "this is a folder; give the name of a file in it"));
    };
    let mut name = name.to_owned();
    name.push(".part");
    Ok(path.with_file_name(name))
}

/// That a file can be written there: it is said before hours of learning, not after them.
#[cfg(feature = "files")]
pub(crate) fn check_writable(path: &Path) -> std::io::Result<()> {
    let part = part(path)?;
    std::fs::write(&part, []).and_then(|()| std::fs::remove_file(&part))
}

/// Writes a file that is there as a whole or not at all, whenever the program ends: beside it first, and then in its place.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = part(path)?;
    let written = std::fs::File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&part, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })
}
