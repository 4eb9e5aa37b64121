//! Simplexes by stick breaking: `z_k` is a share `sigmoid(u_k - ln(K - 1 - k))` of what is left (Stan Reference Manual, simplex transform).

use super::element::{Adjoint, bounded_exp, bounded_sigmoid};
use crate::kernel::{Lanes, Sum};

/// The argument of the share, centred so that `u = 0` is the uniform simplex.
#[inline(always)]
fn centred<V: Lanes>(u: V, left: usize) -> V {
    u - V::constant((left as f64).ln())
}

#[inline(always)]
pub(super) fn forward<V: Lanes>(length: usize, u: &[V::Element], z: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
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
pub(super) fn pull<V: Lanes>(length: usize, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
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

pub(super) fn inverse(length: usize, z: &[f64]) -> Result<Vec<f64>, usize> {
    let mut u = Vec::new();
    if length == 0 {
        return Ok(u);
    }
    for (event, simplex) in z.chunks_exact(length).enumerate() {
        let sum: f64 = simplex.iter().sum();
        if let Some(k) = simplex.iter().position(|&x| x.is_nan() || x <= 0.0) {
            return Err(event * length + k);
        }
        if (sum - 1.0).abs() > 1e-6 {
            return Err(event * length);
        }
        // What is left after each element, summed from the end for its digits.
        let mut rest: Vec<f64> = simplex.to_vec();
        for k in (0..length - 1).rev() {
            rest[k] += rest[k + 1];
        }
        u.extend((0..length - 1).map(|k| (simplex[k] / rest[k + 1]).ln() + ((length - 1 - k) as f64).ln()));
    }
    Ok(u)
}
