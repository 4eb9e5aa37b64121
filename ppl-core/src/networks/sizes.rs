//! That the sizes of a layer are such that it can be made.

use super::NetworkError;

/// The most numbers of a matrix of a layer, all its sizes multiplied: more than fit in the memory of any machine this is for.
const MOST: usize = usize::MAX >> if usize::BITS == 64 { 28 } else { 4 };

/// That no size is zero, and that they are not too large together.
pub(super) fn check_sizes(layer: &'static str, sizes: &[(&'static str, usize)]) -> Result<(), NetworkError> {
    let mut all = 1_usize;
    for &(size, value) in sizes {
        if value == 0 {
            return Err(NetworkError::ZeroSize { layer, size });
        }
        all = all.saturating_mul(value);
        if all > MOST {
            return Err(NetworkError::LargeSize { layer, size, value });
        }
    }
    Ok(())
}
