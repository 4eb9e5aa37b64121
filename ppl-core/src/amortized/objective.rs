//! The bound of each row from the log ratios of its samples, and the weights of lanes in its gradient.

use super::AmortizedObjective;
use super::transpose::LaneShape;
use crate::kernel::Real;

/// The logarithm of the mean of exponentials; of infinite numbers, what their limit is.
pub(super) fn log_mean_exp(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let count = values.len() as f64;
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return values.fold(most, |most, x| if x.is_nan() { x } else { most });
    }
    most + (values.map(|x| (x - most).exp()).sum::<f64>() / count).ln()
}

/// Writes the bound of each row of a tile, in nats, and how much each lane counts in the gradient of their mean over so many rows of the batch.
///
/// # Shapes
/// `ratios: [lane]`, with the probabilities of the samples of each row, where these are all there are; `bounds: [row]`; `weights: [lane]`: the derivative of the mean of the bounds by each ratio, zero where a lane only fills up;
/// `shares: [lane]`: of each sample of a row among them, which sum to one; for the ELBO one for each.
pub(super) fn weigh<E: Real>(
    objective: AmortizedObjective,
    (shape, rows): (LaneShape, usize),
    (ratios, chances): (&[f64], &[f64]),
    bounds: &mut [f64],
    weights: &mut [E],
    shares: &mut [E],
) {
    let LaneShape { batch, samples, .. } = shape;
    let each = 1.0 / rows as f64;
    weights.fill(E::default());
    shares.fill(E::default());
    for (row, bound) in bounds.iter_mut().enumerate().take(batch) {
        let lanes = (0..samples).map(|sample| sample * batch + row);
        match objective {
            AmortizedObjective::Elbo if !chances.is_empty() => {
                *bound = 0.0;
                for lane in lanes {
                    // What is never drawn counts for nothing, whatever it is.
                    let chance = chances[lane];
                    *bound += if chance > 0.0 { chance * ratios[lane] } else { 0.0 };
                    weights[lane] = E::from_f64(each * chance);
                    shares[lane] = E::from_f64(1.0);
                }
            }
            AmortizedObjective::Elbo => {
                *bound = lanes.clone().map(|lane| ratios[lane]).sum::<f64>() / samples as f64;
                for lane in lanes {
                    weights[lane] = E::from_f64(each / samples as f64);
                    shares[lane] = E::from_f64(1.0);
                }
            }
            AmortizedObjective::ImportanceWeighted => {
                *bound = log_mean_exp(lanes.clone().map(|lane| ratios[lane]));
                for lane in lanes {
                    let share = (ratios[lane] - *bound).exp() / samples as f64;
                    weights[lane] = E::from_f64(each * share);
                    shares[lane] = E::from_f64(share);
                }
            }
        }
    }
}
