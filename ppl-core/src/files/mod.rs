//! Data from files (feature `files`).

mod table;

pub use table::{Table, TableError};
