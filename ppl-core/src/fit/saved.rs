//! Fits as files: versioned JSON that refuses the file of another model.

use std::marker::PhantomData;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{FileReason, Fit, FitError, State};
use crate::model::Model;

/// The format that this version writes and reads.
const FORMAT: u32 = 8;

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    fit: &'a State,
}

/// Read first: what tells whether the rest can be.
#[derive(Deserialize)]
struct Header {
    format: u32,
}

#[derive(Deserialize)]
struct Read {
    fit: State,
}

impl<M: Model> Fit<M> {
    /// Writes the fit to a file.
    ///
    /// # Errors
    /// [`FitError::File`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FitError> {
        let failed = |reason| FitError::File { path: path.as_ref().display().to_string(), reason };
        let text = serde_json::to_string(&Written { format: FORMAT, fit: &self.state })
            .map_err(|e| failed(FileReason::Unwritable { why: e.to_string() }))?;
        std::fs::write(path.as_ref(), text).map_err(|e| failed(e.into()))
    }

    /// Reads a fit from a file.
    ///
    /// # Errors
    /// [`FitError::File`] if the file cannot be read, is no fit, or is one of another version or model.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FitError> {
        let failed = |reason| FitError::File { path: path.as_ref().display().to_string(), reason };
        let text = std::fs::read_to_string(path.as_ref()).map_err(|e| failed(e.into()))?;
        let header: Header = serde_json::from_str(&text).map_err(|e| failed(FileReason::Garbage(e)))?;
        if header.format != FORMAT {
            return Err(failed(FileReason::Version { found: header.format, expected: FORMAT }));
        }
        let read: Read = serde_json::from_str(&text).map_err(|e| failed(FileReason::Garbage(e)))?;
        if read.fit.model != M::GRAPH.name {
            return Err(failed(FileReason::OtherModel { found: read.fit.model, expected: M::GRAPH.name }));
        }
        Ok(Fit { state: read.fit, model: PhantomData })
    }
}
