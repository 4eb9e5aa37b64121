//! A fixed input that the tests share with the programs they are compared with.

use ndarray::Array2;

/// Draws of a location and the logarithm of a scale, at the points of two Kronecker sequences.
pub(super) fn draws() -> Vec<(f64, f64)> {
    let logit = |u: f64| (u / (1.0 - u)).ln();
    (1..=400)
        .map(|s| {
            let s = f64::from(s);
            let location = 0.12 * logit((0.5 + 0.618_033_988_749_894_9 * s) % 1.0);
            (location, 0.05 * logit((0.5 + 0.754_877_666_246_692_7 * s) % 1.0))
        })
        .collect()
}

/// The log likelihood of eight rows, the last of them far out, under normals whose location is shifted.
pub(super) fn log_likelihood(shift: f64) -> Array2<f64> {
    let y = [-1.2, -0.4, 0.1, 0.3, 0.6, 1.1, 1.9, 3.5];
    let draws = draws();
    Array2::from_shape_fn((400, 8), |(s, i)| {
        let (location, log_scale) = draws[s];
        let z = (y[i] - location - shift) / log_scale.exp();
        -0.5 * z * z - log_scale - 0.918_938_533_204_672_8
    })
}

/// Log ratios of a posterior to a guide.
pub(super) fn log_ratios() -> Vec<f64> {
    draws().into_iter().map(|(location, log_scale)| 1.5 * location - 0.5 * location * location + 0.4 * log_scale).collect()
}
