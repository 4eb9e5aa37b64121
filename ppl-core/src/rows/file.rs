//! A file that is read in places, by any number of threads at once.

use std::fs::File;
use std::path::Path;

use super::RowsError;

/// A file that is read in places, by any number of threads at once. It is not mapped into memory: a page of a map whose file was cut short meanwhile ends the process, a
/// read is an error; what was read lately is kept by the operating system either way.
#[derive(Debug)]
pub(super) struct SourceFile {
    file: File,
    pub(super) name: String,
    /// In bytes, when it was opened.
    pub(super) length: u64,
}

impl SourceFile {
    pub(super) fn open(path: &Path) -> Result<Self, RowsError> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| RowsError::Unreadable { source_name: name.clone(), reason: error.to_string() };
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        Ok(SourceFile { file, name, length })
    }

    /// Fills `out` with what is in the file from a place on.
    pub(super) fn read_at(&self, at: u64, out: &mut [u8]) -> std::io::Result<()> {
        if at.checked_add(out.len() as u64).is_none_or(|end| end > self.length) {
            let reason = format!("{} bytes at {at} are beyond the end of the file", out.len());
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason));
        }
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_exact_at(&self.file, out, at);
        #[cfg(windows)]
        return {
            let mut done = 0;
            while done < out.len() {
                match std::os::windows::fs::FileExt::seek_read(&self.file, &mut out[done..], at + done as u64)? {
                    0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                    some => done += some,
                }
            }
            Ok(())
        };
    }

    /// Refuses to go on where the file has another length than when it was opened.
    pub(super) fn unchanged(&self) -> Result<(), RowsError> {
        let found = self.file.metadata().map_err(|error| self.unreadable(&error))?.len();
        if found == self.length {
            return Ok(());
        }
        Err(RowsError::Changed { source_name: self.name.clone(), expected: self.length, found })
    }

    /// That the file is not one of its format.
    pub(super) fn unreadable(&self, reason: &dyn std::fmt::Display) -> RowsError {
        RowsError::Unreadable { source_name: self.name.clone(), reason: reason.to_string() }
    }
}
