//! Binding a model to its data: sizes found and compared, indices and supports checked, rows laid out.

mod arrays;
mod checks;
mod layout;
mod sets;
mod sizes;

pub use arrays::{given, given_again, numbers, row_major, shape};
pub use checks::{check_finite, check_index, check_not_empty, check_observed, check_support, check_time};
pub use layout::{LayoutBuilder, start_from};
pub use sets::{check_array, check_observed_array};
pub use sizes::Sizes;
