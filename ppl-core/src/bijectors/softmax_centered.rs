//! Simplexes as a softmax of which the last argument is zero: `z = softmax(u_0, .., u_(K-2), 0)` (TFP `SoftmaxCentered`).

use super::element::bounded_exp;
use super::map::{Adjoint, Map};
use super::simplex;
use crate::kernel::{Lanes, Sum};

/// Simplexes of `length` elements.
pub(super) struct SoftmaxCentered {
    pub(super) length: usize,
}

impl Map for SoftmaxCentered {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let mut total = V::Sum::zero();
        let length = self.length;
        if length == 0 {
            return total;
        }
        for event in 0..z.len() / (length * samples) {
            let (free, own) = (event * (length - 1), event * length);
            let mut largest = V::zero();
            for k in 0..length - 1 {
                largest = largest.max(V::load(&u[(free + k) * samples + offset..]));
            }
            let mut sum = (-largest).exp();
            for k in 0..length - 1 {
                sum = sum + (V::load(&u[(free + k) * samples + offset..]) - largest).exp();
            }
            let normalizer = largest + sum.ln();
            for k in 0..length {
                let logit = if k + 1 < length { V::load(&u[(free + k) * samples + offset..]) } else { V::zero() };
                let ln = logit - normalizer;
                bounded_exp(ln).store(&mut z[(own + k) * samples + offset..]);
                total += ln;
            }
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let (length, samples, offset) = (self.length, rows.samples, rows.offset);
        if length == 0 {
            return;
        }
        for event in 0..rows.z.len() / (length * samples) {
            let own = event * length;
            // What all logarithms lose when the normalizer grows.
            let mut common = V::constant(length as f64) * weight;
            for k in 0..length {
                let at = (own + k) * samples + offset;
                common = V::load(&rows.z_adjoint[at..]).mul_add(V::load(&rows.z[at..]), common);
            }
            for k in 0..length - 1 {
                let at = (own + k) * samples + offset;
                let d = (V::load(&rows.z_adjoint[at..]) - common).mul_add(V::load(&rows.z[at..]), weight);
                d.store(&mut u_adjoint[(event * (length - 1) + k) * samples + offset..]);
            }
        }
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        let length = self.length;
        let mut u = Vec::new();
        if length == 0 {
            return Ok(u);
        }
        for (event, own) in z.chunks_exact(length).enumerate() {
            simplex::check(own).map_err(|k| event * length + k)?;
            u.extend(own[..length - 1].iter().map(|x| x.ln() - own[length - 1].ln()));
        }
        Ok(u)
    }
}
