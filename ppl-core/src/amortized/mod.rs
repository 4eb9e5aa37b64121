//! Amortized inference: models of independent rows with neural networks, and guides that read the row.

mod row_model;

pub use row_model::{BoundRows, Call, RowGuide, RowInput, RowModel, check_network};
