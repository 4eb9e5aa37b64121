//! Rows that are not in memory: every source gives the same rows, every epoch has each once, fits agree with those in memory, and what is wrong is named.
#![forbid(unsafe_code)]

mod errors;
mod files;
mod fits;
mod sources;

type Outcome = Result<(), Box<dyn std::error::Error>>;
