//! Draws from a guide that is made wider: of light tails, weights correct the posterior's heavier ones.
//!
//! A guide at the top of its bound is rather too narrow than too wide, and importance weights `p / q` are then unbounded. Those of draws that are spread
//! further are not, or less so; where the guide was right after all, they cost some of the draws.
//!
//! # Source
//! Owen & Zhou 2000, Safe and effective importance sampling: proposals of heavier tails than the target.

use super::drawn::BATCH;

/// What weighted draws would be worth, of as many, if the guide were the posterior.
const WORTH: f64 = 2.0 / 3.0;

/// How many times as far to spread draws whose noise has so many dimensions.
///
/// Of normal draws that are spread `s` times, weighted to the normal, `(sqrt(2 s^2 - 1) / s^2)^d` is what they are worth.
pub(super) fn widening(dimensions: usize) -> f64 {
    let squared = WORTH.powf(-2.0 / dimensions.max(1) as f64);
    (squared + (squared * (squared - 1.0)).sqrt()).sqrt()
}

/// How many draws that are spread further are worth so many of the posterior, if the guide is that.
pub(super) fn as_many(draws: usize) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "half as many more")]
    let more = (draws as f64 / WORTH).ceil() as usize;
    more.next_multiple_of(BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_posterior_itself_two_thirds_are_left() {
        for dimensions in [1, 2, 8, 300] {
            let s = widening(dimensions);
            let worth = ((2.0 * s * s - 1.0).sqrt() / (s * s)).powi(i32::try_from(dimensions).unwrap_or(0));
            assert!((worth - WORTH).abs() < 1e-12, "{dimensions} dimensions: {worth}");
        }
    }
}
