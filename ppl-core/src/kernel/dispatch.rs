//! thin
use super::{Lanes, Real};
/// kernel
pub trait Kernel<E: Real> { /// out
 type Output; /// run
 fn run<V: Lanes<Element = E>>(self) -> Self::Output; }
/// dispatch
pub fn dispatch<E: Real + Lanes<Element = E>, K: Kernel<E>>(kernel: K) -> K::Output { kernel.run::<E>() }
