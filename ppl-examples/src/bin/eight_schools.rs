//! Eight schools.
fn main() {}
