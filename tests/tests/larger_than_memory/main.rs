//! Rows that are not in memory: every source gives the same rows, every epoch has each once, fits agree with those in memory, and what is wrong is named.
#![forbid(unsafe_code)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of the tests are small and not negative")]

mod errors;
mod files;
mod fits;
mod sources;

type Outcome = Result<(), Box<dyn std::error::Error>>;
