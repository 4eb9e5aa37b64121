//! Simplexes by stick breaking: `z_k` is a share `sigmoid(u_k - ln(K - 1 - k))` of what is left (Stan Reference Manual, simplex transform).

use super::element::{bounded_exp, bounded_sigmoid};
use super::map::{Adjoint, Map};
use crate::kernel::{Lanes, Sum};

/// Simplexes of `length` elements.
pub(super) struct Simplex {
    pub(super) length: usize,
}

/// The argument of the share, centred so that `u = 0` is the uniform simplex.
#[inline(always)]
fn centred<V: Lanes>(u: V, left: usize) -> V {
    u - V::constant((left as f64).ln())
}

impl Map for Simplex {
    #[inline(always)]
    fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let length = self.length;
        let mut total = V::Sum::zero();
        if length == 0 {
            return total;
        }
        let events = z.len() / (length * samples);
        for event in 0..events {
            let mut ln_rest = V::zero();
            for k in 0..length - 1 {
                let v = centred(V::load(&u[(event * (length - 1) + k) * samples + offset..]), length - 1 - k);
                let (above, below) = ((-v).softplus(), v.softplus());
                bounded_exp(ln_rest - above).store(&mut z[(event * length + k) * samples + offset..]);
                total += ln_rest - above - below;
                ln_rest = ln_rest - below;
            }
            bounded_exp(ln_rest).store(&mut z[(event * length + length - 1) * samples + offset..]);
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(&self, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let length = self.length;
        if length == 0 {
            return;
        }
        let (samples, offset) = (rows.samples, rows.offset);
        let events = rows.z.len() / (length * samples);
        for event in 0..events {
            let last = (event * length + length - 1) * samples + offset;
            // The adjoint of the logarithm of what is left.
            let mut d_rest = V::load(&rows.z_adjoint[last..]) * V::load(&rows.z[last..]);
            let mut k = length - 1;
            while k > 0 {
                k -= 1;
                let free = (event * (length - 1) + k) * samples + offset;
                let own = (event * length + k) * samples + offset;
                let share = bounded_sigmoid(centred(V::load(&rows.u[free..]), length - 1 - k));
                let rest = V::constant(1.0) - share;
                let d_ln = V::load(&rows.z_adjoint[own..]) * V::load(&rows.z[own..]);
                (d_ln * rest - d_rest * share + weight * (rest - share)).store(&mut u_adjoint[free..]);
                d_rest = d_rest + d_ln + weight;
            }
        }
    }

    fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> {
        let length = self.length;
        let mut u = Vec::new();
        if length == 0 {
            return Ok(u);
        }
        for (event, simplex) in z.chunks_exact(length).enumerate() {
            check(simplex).map_err(|k| event * length + k)?;
            // What is left after each element, summed from the end for its digits.
            let mut rest: Vec<f64> = simplex.to_vec();
            for k in (0..length - 1).rev() {
                rest[k] += rest[k + 1];
            }
            u.extend((0..length - 1).map(|k| (simplex[k] / rest[k + 1]).ln() + ((length - 1 - k) as f64).ln()));
        }
        Ok(u)
    }
}

/// Refuses what is not positive, by its index, and by the first what does not sum to one.
pub(super) fn check(simplex: &[f64]) -> Result<(), usize> {
    if let Some(k) = simplex.iter().position(|&x| x.is_nan() || x <= 0.0) {
        return Err(k);
    }
    let sum: f64 = simplex.iter().sum();
    if (sum - 1.0).abs() > 1e-6 { Err(0) } else { Ok(()) }
}
