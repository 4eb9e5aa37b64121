//! What the example programs share.

pub mod images;
pub mod pace;
pub mod pictures;
pub mod sentences;

use std::error::Error;
use std::process::ExitCode;

/// What a program that may fail returns.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Ends a program: an error is said in its own words on standard error.
pub fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
