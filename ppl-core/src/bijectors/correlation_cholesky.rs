//! Cholesky factors of correlation matrices by canonical partial correlations `tanh u`: each element is a share of what is left of its
//! row's length (Stan Reference Manual, "Cholesky factors of correlation matrices"; Lewandowski, Kurowicka & Joe 2009).

use super::element::{bounded_exp, sigmoid_log_det};
use super::factor::{Factor, Of, below_diagonal};
use super::map::Adjoint;
use crate::kernel::{Lanes, Sum};

/// Factors of `size` rows, `u` along the rows below the diagonal.
#[derive(Clone, Copy)]
pub(super) struct CorrelationCholesky {
    pub(super) size: usize,
}

/// `ln(1 - tanh^2 u) = -2 ln cosh u`: the logistic function is a hyperbolic tangent of half the argument.
#[inline(always)]
fn ln_rest_of<V: Lanes>(u: V) -> V {
    sigmoid_log_det(u + u) + V::constant(2.0 * std::f64::consts::LN_2)
}

impl CorrelationCholesky {
    /// The power of `1 - tanh^2 u` of an element in the Jacobian determinant: one of the tangent itself, and a half for each length
    /// that holds it: those of the elements after it in the row, and in the product, where a diagonal element multiplies all that is
    /// below it, of the rows after it.
    fn power(self, of: Of, i: usize, j: usize) -> f64 {
        let row = (i - 1 - j) as f64;
        match of {
            Of::Factor => 1.0 + 0.5 * row,
            Of::Product => 1.0 + 0.5 * (row + (self.size - 1 - i) as f64),
        }
    }
}

impl Factor for CorrelationCholesky {
    const UNIT_ROWS: bool = true;

    fn size(self) -> usize {
        self.size
    }

    fn free(self) -> usize {
        below_diagonal(self.size)
    }

    #[inline(always)]
    fn forward<V: Lanes>(self, of: Of, u: &[V::Element], factor: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let mut total = V::Sum::zero();
        let mut next = offset;
        for i in 0..self.size {
            // The logarithm of what is left of the length.
            let mut ln_left = V::zero();
            let row = i * self.size;
            for j in 0..i {
                let own = V::load(&u[next..]);
                next += samples;
                (own.tanh() * ln_left.exp()).store(&mut factor[(row + j) * samples + offset..]);
                let rest = ln_rest_of(own);
                total.add_product(V::constant(self.power(of, i, j)), rest);
                ln_left = V::constant(0.5).mul_add(rest, ln_left);
            }
            bounded_exp(ln_left).store(&mut factor[(row + i) * samples + offset..]);
            for j in i + 1..self.size {
                V::zero().store(&mut factor[(row + j) * samples + offset..]);
            }
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(self, of: Of, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let (samples, offset) = (rows.samples, rows.offset);
        for i in 0..self.size {
            let first = below_diagonal(i);
            let mut ln_left = V::zero();
            for j in 0..i {
                ln_left = V::constant(0.5).mul_add(ln_rest_of(V::load(&rows.u[(first + j) * samples + offset..])), ln_left);
            }
            // The adjoint of the logarithm of what is left.
            let diagonal = (i * self.size + i) * samples + offset;
            let mut d_left = V::load(&rows.z_adjoint[diagonal..]) * V::load(&rows.z[diagonal..]);
            let mut j = i;
            while j > 0 {
                j -= 1;
                let (free, at) = ((first + j) * samples + offset, (i * self.size + j) * samples + offset);
                let own = V::load(&rows.u[free..]);
                let adjoint = V::load(&rows.z_adjoint[at..]);
                let rest = ln_rest_of(own);
                ln_left = V::constant(-0.5).mul_add(rest, ln_left);
                let d_rest = V::constant(0.5).mul_add(d_left, weight * V::constant(self.power(of, i, j)));
                let slope = (ln_left + rest).exp();
                adjoint.mul_add(slope, V::constant(-2.0) * own.tanh() * d_rest).store(&mut u_adjoint[free..]);
                d_left = adjoint.mul_add(V::load(&rows.z[at..]), d_left);
            }
        }
    }

    fn inverse(self, factor: &[f64], u: &mut Vec<f64>) -> Result<(), usize> {
        for i in 0..self.size {
            let row = &factor[i * self.size..];
            let first = u.len();
            u.resize(first + i, 0.0);
            // Lengths from the end, for their digits: atanh(x / hypot(x, left)) = asinh(x / left).
            let mut left = row[i];
            for j in (0..i).rev() {
                u[first + j] = (row[j] / left).asinh();
                if !u[first + j].is_finite() {
                    return Err(i * self.size + j);
                }
                left = left.hypot(row[j]);
            }
            if (left - 1.0).abs() > 1e-6 {
                return Err(i * self.size + i);
            }
        }
        Ok(())
    }
}
