//! Batches of a plate: their expectation is the whole, what cannot be taken apart is refused, and fits agree with those over all rows.

mod declared;
mod expectation;
mod fits;
mod indivisible;
mod locals;
mod refused;

type Outcome = Result<(), Box<dyn std::error::Error>>;
