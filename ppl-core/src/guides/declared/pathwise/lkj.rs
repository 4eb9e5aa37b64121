//! Correlations of Lewandowski, Kurowicka and Joe: their partial correlations are independent.

use super::base::Base;
use super::{Pathwise, triangle_rows};
use crate::distributions::{LkjCholesky, LkjCorrelation};
use crate::kernel::Lanes;

/// What the shape of the symmetric beta distribution of `(1 + w) / 2` has more than the concentration, `w` being a partial correlation: of those with variable `j` of `n`, given
/// the variables before it, `(n - 2 - j) / 2`. They stand along the rows below the diagonal.
fn offset(number: usize, of: usize) -> f64 {
    let before = triangle_rows(number);
    let j = number - before * (before + 1) / 2;
    // Of `n` variables there are `n - 1` rows.
    0.5 * (triangle_rows(of) as f64 - 1.0 - j as f64)
}

macro_rules! lkj {
    ($($name:ident),*) => {
        $(
            /// The unconstrained numbers are half the log odds of `(1 + w) / 2`.
            ///
            /// # Source
            /// Lewandowski, Kurowicka & Joe 2009.
            impl Pathwise<1> for $name {
                const BASE: Option<Base> = Some(Base::SymmetricBeta);

                fn offset(number: usize, of: usize) -> Option<f64> {
                    Some(offset(number, of))
                }

                #[inline(always)]
                fn draw<V: Lanes>(base: &[V], _params: [&[V]; 1], u: &mut [V]) {
                    for i in 0..u.len() {
                        u[i] = V::constant(0.5) * base[i];
                    }
                }

                #[inline(always)]
                fn base<V: Lanes>(u: &[V], _params: [&[V]; 1], noise: &mut [V]) {
                    for i in 0..u.len() {
                        noise[i] = u[i] + u[i];
                    }
                }

                #[inline(always)]
                fn pull<V: Lanes>(_: &[V], _: &[V], _: [&[V]; 1], d_u: &[V], _: [&mut [V]; 1], d_base: &mut [V]) {
                    for i in 0..d_u.len() {
                        d_base[i] = V::constant(0.5) * d_u[i];
                    }
                }
            }
        )*
    };
}

lkj!(LkjCholesky, LkjCorrelation);

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn partial_correlations_stand_along_the_rows() {
        // Of four variables, row by row: j is 0; 0, 1; 0, 1, 2.
        let found: Vec<f64> = (0..6).map(|number| offset(number, 6)).collect();
        assert_eq!(found, [1.0, 1.0, 0.5, 1.0, 0.5, 0.0]);
    }
}
