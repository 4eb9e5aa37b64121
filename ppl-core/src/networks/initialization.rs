//! The weights that learning starts from, from a key and a counter: the same seed gives the same bits.

use super::Activation;
use crate::kernel::Real;
use crate::random::{normal_quantile, uniform};

/// Weights that keep the variance of features from layer to layer: normal of variance `2 / inputs` where the activation cuts half of them off
/// (He, Zhang, Ren & Sun 2015), else uniform of variance `2 / (inputs + outputs)` (Glorot & Bengio 2010).
pub(super) fn weights<E: Real>(activation: Activation, key: u64, inputs: usize, outputs: usize, weights: &mut [E]) {
    match activation {
        Activation::Relu | Activation::LeakyRelu | Activation::Gelu | Activation::Silu | Activation::Elu => {
            normal((2.0 / inputs.max(1) as f64).sqrt(), key, weights);
        }
        Activation::Identity | Activation::Tanh | Activation::Sigmoid | Activation::Softplus => {
            uniform_within((6.0 / (inputs + outputs).max(1) as f64).sqrt(), key, weights);
        }
    }
}

/// Uniform between `-bound` and `bound`.
pub(super) fn uniform_within<E: Real>(bound: f64, key: u64, weights: &mut [E]) {
    for (index, w) in weights.iter_mut().enumerate() {
        *w = E::from_f64(bound * (2.0 * uniform(key, index as u64) - 1.0));
    }
}

/// Normal with this scale, computed in double precision: in single, a uniform number near one would round to it.
pub(super) fn normal<E: Real>(scale: f64, key: u64, weights: &mut [E]) {
    for (index, w) in weights.iter_mut().enumerate() {
        *w = E::from_f64(scale * normal_quantile(uniform(key, index as u64)));
    }
}
