//! Bijectors of numbers: one point, with its lengths checked.

use super::{Bijector, BijectorError};
use crate::kernel::Sum;

impl Bijector {
    /// `z` of `u`, and `ln |dz / du|`: of one event, or of several one after the other, of which the logarithms are summed.
    ///
    /// # Errors
    /// [`BijectorError::Length`]: not the numbers of whole events. [`BijectorError::Interval`], [`BijectorError::Bounds`]: bounds that
    /// hold nothing.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::bijectors::Bijector;
    ///
    /// let (z, log_det) = Bijector::Exp.forward_and_log_det(&[0.0, 2.0])?;
    /// assert_eq!((z[0], log_det), (1.0, 2.0));
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    pub fn forward_and_log_det(&self, u: &[f64]) -> Result<(Vec<f64>, f64), BijectorError> {
        let mut z = vec![0.0; self.constrained_len(u.len())?];
        let log_det = self.forward::<f64>(u, &mut z, 1, 0);
        Ok((z, Sum::<f64>::value(log_det)))
    }

    /// `u` of `z`, and `ln |du / dz|`: that of [`Bijector::forward_and_log_det`] with the other sign.
    ///
    /// # Errors
    /// [`BijectorError::OutsideSupport`]: the first element that no `u` gives. Others as of [`Bijector::forward_and_log_det`].
    ///
    /// # Examples
    /// ```
    /// use ppl_core::bijectors::{Bijector, BijectorError};
    ///
    /// let (u, log_det) = Bijector::Exp.inverse_and_log_det(&[1.0_f64.exp()])?;
    /// assert!((u[0] - 1.0).abs() < 1e-15 && (log_det + 1.0).abs() < 1e-15);
    /// assert!(matches!(Bijector::Exp.inverse_and_log_det(&[1.0, -1.0]), Err(BijectorError::OutsideSupport { element: 1, .. })));
    /// # Ok::<(), BijectorError>(())
    /// ```
    pub fn inverse_and_log_det(&self, z: &[f64]) -> Result<(Vec<f64>, f64), BijectorError> {
        self.check_bounds()?;
        let (_, length) = self.whole();
        self.check_length(length, z.len())?;
        let u = self.inverse(z).map_err(|element| BijectorError::OutsideSupport {
            bijector: self.name(),
            element,
            value: z[element],
            expected: self.range(),
        })?;
        let log_det = self.forward::<f64>(&u, &mut vec![0.0; z.len()], 1, 0);
        Ok((u, -Sum::<f64>::value(log_det)))
    }

    /// `(dz / du)^T z_adjoint + weight d ln |dz / du| / du` at `u`: the gradient of `z_adjoint . z + weight ln |dz / du|`.
    ///
    /// # Errors
    /// As of [`Bijector::forward_and_log_det`]; [`BijectorError::Length`] also of `z_adjoint`, which is as long as `z`.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::bijectors::Bijector;
    ///
    /// // d/du (3 e^u + 0.5 u) at zero.
    /// assert_eq!(Bijector::Exp.pullback(&[0.0], &[3.0], 0.5)?, [3.5]);
    /// # Ok::<(), ppl_core::bijectors::BijectorError>(())
    /// ```
    pub fn pullback(&self, u: &[f64], z_adjoint: &[f64], weight: f64) -> Result<Vec<f64>, BijectorError> {
        let (z, _) = self.forward_and_log_det(u)?;
        if z_adjoint.len() != z.len() {
            return Err(BijectorError::Length { bijector: self.name(), expected: z.len(), got: z_adjoint.len() });
        }
        let mut u_adjoint = vec![0.0; u.len()];
        self.pull::<f64>((u, &z), z_adjoint, weight, &mut u_adjoint, 1, 0);
        Ok(u_adjoint)
    }

    /// How many elements come of some unconstrained numbers.
    fn constrained_len(&self, unconstrained: usize) -> Result<usize, BijectorError> {
        self.check_bounds()?;
        let (free, length) = self.whole();
        self.check_length(free, unconstrained)?;
        // Events without unconstrained numbers cannot be counted: there is one.
        Ok(unconstrained.checked_div(free).unwrap_or(1) * length)
    }

    fn check_length(&self, expected: usize, got: usize) -> Result<(), BijectorError> {
        let fits = if expected == 0 || !self.repeats() { got == expected } else { got.is_multiple_of(expected) };
        if fits { Ok(()) } else { Err(BijectorError::Length { bijector: self.name(), expected, got }) }
    }

    /// The numbers that must be there together: those of an event, or all that have bounds of their own.
    pub(super) fn whole(&self) -> (usize, usize) {
        match self {
            Bijector::Interval(bounds) => (bounds.len(), bounds.len()),
            other => other.event_lens(),
        }
    }

    /// Whether there may be several events: not where every element has bounds of its own.
    pub(super) fn repeats(&self) -> bool {
        match self {
            Bijector::Interval(bounds) => bounds.len() == 1,
            Bijector::Chain(chain) => chain.links().iter().all(Bijector::repeats),
            _ => true,
        }
    }

    /// Refuses intervals without numbers in them.
    pub(super) fn check_bounds(&self) -> Result<(), BijectorError> {
        if let Bijector::Interval(bounds) = self { bounds.check() } else { Ok(()) }
    }
}
