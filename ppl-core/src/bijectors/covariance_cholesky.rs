//! Cholesky factors of covariance matrices: the diagonal `e^u`, what is below it as it is
//! (Stan Reference Manual, "Cholesky factors of covariance matrices").

use super::element::bounded_exp;
use super::factor::{Factor, Of, below_diagonal};
use super::map::Adjoint;
use crate::kernel::{Lanes, Sum};

/// Factors of `size` rows, `u` along the rows of the lower triangle.
#[derive(Clone, Copy)]
pub(super) struct CovarianceCholesky {
    pub(super) size: usize,
}

impl CovarianceCholesky {
    /// The power of a diagonal element in the Jacobian determinant: one of the exponential, and `size - i` of the product.
    fn power(self, of: Of, i: usize) -> f64 {
        match of {
            Of::Factor => 1.0,
            Of::Product => (self.size - i + 1) as f64,
        }
    }
}

impl Factor for CovarianceCholesky {
    const UNIT_ROWS: bool = false;

    fn size(self) -> usize {
        self.size
    }

    fn free(self) -> usize {
        below_diagonal(self.size).saturating_add(self.size)
    }

    #[inline(always)]
    fn forward<V: Lanes>(self, of: Of, u: &[V::Element], factor: &mut [V::Element], samples: usize, offset: usize) -> V::Sum {
        let mut total = V::Sum::zero();
        let mut next = offset;
        for i in 0..self.size {
            let row = i * self.size;
            for j in 0..i {
                V::load(&u[next..]).store(&mut factor[(row + j) * samples + offset..]);
                next += samples;
            }
            let own = V::load(&u[next..]);
            next += samples;
            total.add_product(V::constant(self.power(of, i)), own);
            bounded_exp(own).store(&mut factor[(row + i) * samples + offset..]);
            for j in i + 1..self.size {
                V::zero().store(&mut factor[(row + j) * samples + offset..]);
            }
        }
        if of == Of::Product {
            // A diagonal element of the product grows by twice the diagonal element of the factor.
            total += V::constant(self.size as f64 * std::f64::consts::LN_2);
        }
        total
    }

    #[inline(always)]
    fn pull<V: Lanes>(self, of: Of, rows: Adjoint<'_, V::Element>, weight: V, u_adjoint: &mut [V::Element]) {
        let mut next = rows.offset;
        for i in 0..self.size {
            for j in 0..=i {
                let at = (i * self.size + j) * rows.samples + rows.offset;
                let own = V::load(&rows.z_adjoint[at..]);
                let pulled =
                    if j == i { own.mul_add(V::load(&rows.z[at..]), weight * V::constant(self.power(of, i))) } else { own };
                pulled.store(&mut u_adjoint[next..]);
                next += rows.samples;
            }
        }
    }

    fn inverse(self, factor: &[f64], u: &mut Vec<f64>) -> Result<(), usize> {
        for i in 0..self.size {
            let row = &factor[i * self.size..];
            u.extend_from_slice(&row[..i]);
            u.push(row[i].ln());
        }
        Ok(())
    }
}
