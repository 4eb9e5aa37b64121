//! Weights of a network that are latent: independent normals as their guide, one draw of all a step.

use crate::kernel::Real;
use crate::random::normals;

/// The standard deviation that learning starts from, of that of the prior.
const FIRST: f64 = 0.02;

/// What a network with latent weights has beside what is learned: its locations, then the logarithms of its scales.
///
/// # Source
/// Blundell, Cornebise, Kavukcuoglu & Wierstra 2015, Weight uncertainty in neural networks, with the divergence in closed form.
#[derive(Clone, Debug)]
pub(super) struct LatentWeights<E> {
    /// The standard deviation of the prior.
    prior: f64,
    /// The draw that the network is used with.
    pub(super) weights: Vec<E>,
    noise: Vec<E>,
    /// The derivative by that draw.
    pub(super) gradient: Vec<E>,
}

impl<E: Real> LatentWeights<E> {
    /// Around these weights; gives what is learned as well.
    pub(super) fn around(weights: &[E], prior: f64) -> (Self, Vec<E>) {
        let zeros = vec![E::default(); weights.len()];
        let log_scale = E::from_f64((FIRST * prior).ln());
        let learned = weights.iter().copied().chain(weights.iter().map(|_| log_scale)).collect();
        (LatentWeights { prior, weights: weights.to_vec(), noise: zeros.clone(), gradient: zeros }, learned)
    }

    /// Draws the weights; without a key they are at their locations.
    pub(super) fn draw(&mut self, learned: &[E], key: Option<u64>) {
        let (locations, log_scales) = learned.split_at(self.weights.len());
        match key {
            // Noise comes in lanes of samples: here each weight is one.
            Some(key) => normals(key, 1, &mut self.noise),
            None => self.noise.fill(E::default()),
        }
        for (((weight, &location), log_scale), &noise) in self.weights.iter_mut().zip(locations).zip(log_scales).zip(&self.noise)
        {
            *weight = location + E::from_f64(log_scale.to_f64().exp()) * noise;
        }
    }

    /// From the derivative by the draw to that by what is learned, of the bound less `share` times the divergence; clears the former.
    pub(super) fn pull(&mut self, learned: &[E], share: f64, gradient: &mut [E]) {
        let precision = (self.prior * self.prior).recip();
        let (locations, log_scales) = learned.split_at(self.weights.len());
        let (of_locations, of_log_scales) = gradient.split_at_mut(self.weights.len());
        for (i, own) in self.gradient.iter_mut().enumerate() {
            let (g, scale) = (own.to_f64(), log_scales[i].to_f64().exp());
            of_locations[i] = E::from_f64(g - share * locations[i].to_f64() * precision);
            of_log_scales[i] = E::from_f64(g * scale * self.noise[i].to_f64() - share * (scale * scale * precision - 1.0));
            *own = E::default();
        }
    }

    /// The divergence of the guide of all weights from their prior, in nats.
    pub(super) fn divergence(&self, learned: &[E]) -> f64 {
        let precision = (self.prior * self.prior).recip();
        let (locations, log_scales) = learned.split_at(self.weights.len());
        let of = |(location, log_scale): (&E, &E)| {
            let (location, log_scale) = (location.to_f64(), log_scale.to_f64());
            let square = (2.0 * log_scale).exp() + location * location;
            0.5 * (square * precision - 1.0) - log_scale + self.prior.ln()
        };
        locations.iter().zip(log_scales).map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::LatentWeights;

    #[test]
    fn the_gradient_is_that_of_what_is_drawn_and_of_the_divergence() {
        let (mut latent, mut learned) = LatentWeights::around(&[0.3_f64, -1.2, 0.7], 1.5);
        learned[3..].copy_from_slice(&[-0.5, 0.2, -2.0]);
        // The bound is sum(sin(w)) less a share of the divergence.
        let share = 0.3;
        let value = |learned: &[f64], latent: &mut LatentWeights<f64>| {
            latent.draw(learned, Some(7));
            latent.weights.iter().map(|w| w.sin()).sum::<f64>() - share * latent.divergence(learned)
        };
        value(&learned, &mut latent);
        latent.gradient = latent.weights.iter().map(|w| w.cos()).collect();
        let mut gradient = vec![0.0; 6];
        latent.pull(&learned, share, &mut gradient);
        assert_eq!(latent.gradient, [0.0; 3]);
        for i in 0..6 {
            let mut moved = learned.clone();
            moved[i] += 1e-6;
            let above = value(&moved, &mut latent);
            moved[i] -= 2e-6;
            let difference = (above - value(&moved, &mut latent)) / 2e-6;
            assert!((gradient[i] - difference).abs() < 1e-8, "{i}: {} {difference}", gradient[i]);
        }
    }

    #[test]
    fn the_divergence_from_itself_is_none() {
        let (latent, _) = LatentWeights::around(&[0.0_f64; 4], 2.0);
        assert!(latent.divergence(&[0.0, 0.0, 0.0, 0.0, 2_f64.ln(), 2_f64.ln(), 2_f64.ln(), 2_f64.ln()]).abs() < 1e-12);
    }
}
