//! Gaussian random walks: the sum of the noise, times the scale.

use super::Pathwise;
use crate::distributions::GaussianRandomWalk;
use crate::kernel::Lanes;

impl Pathwise<1> for GaussianRandomWalk {
    #[inline(always)]
    fn draw<V: Lanes>(noise: &[V], [scale]: [&[V]; 1], u: &mut [V]) {
        let mut sum = V::zero();
        for t in 0..u.len() {
            sum = scale[0].mul_add(noise[t], sum);
            u[t] = sum;
        }
    }

    #[inline(always)]
    fn pull<V: Lanes>(_noise: &[V], u: &[V], [scale]: [&[V]; 1], d_u: &[V], [d_scale]: [&mut [V]; 1], _d_base: &mut [V]) {
        let mut sum = V::zero();
        for t in 0..u.len() {
            sum = d_u[t].mul_add(u[t], sum);
        }
        d_scale[0] = d_scale[0] + sum / scale[0];
    }
}
