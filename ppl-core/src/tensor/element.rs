//! The element types of tensors, each with its own list of recordings on every thread.

use std::cell::RefCell;

use dfdx::shapes::Dtype;

use super::recorder::Recordings;
use crate::kernel::Real;

/// A number that models and tensors share: `f64`, or `f32`.
pub trait Element: Real + Recorded {}

impl<E: Real + Recorded> Element for E {}

/// An element type that operations can be recorded for.
pub trait Recorded: Dtype {
    /// Works on the recordings of this thread; nothing happens while the thread is being torn down.
    #[doc(hidden)]
    fn with_recordings<R>(work: impl FnOnce(&mut Recordings<Self>) -> R) -> Option<R>;
}

macro_rules! recorded {
    ($element:ty, $recordings:ident) => {
        thread_local! {
            static $recordings: RefCell<Recordings<$element>> = const { RefCell::new(Recordings::new()) };
        }

        impl Recorded for $element {
            fn with_recordings<R>(work: impl FnOnce(&mut Recordings<Self>) -> R) -> Option<R> {
                $recordings.try_with(|recordings| work(&mut recordings.borrow_mut())).ok()
            }
        }
    };
}

recorded!(f64, RECORDINGS_F64);
recorded!(f32, RECORDINGS_F32);
