//! Simplexes of a Dirichlet distribution: each share of what is left has a beta distribution, and is drawn by its quantile.

use super::drawn::{Drawn, Elements, Task};
use super::implicit::At;
use crate::distributions::{Beta, Parameter, Support};
use crate::kernel::{Kernel, Lanes, Real, dispatch};

/// `u_k = ln (K - 1 - k) + ln (v_k / (1 - v_k))`, the share `v_k` of what is left having the distribution `Beta(a_k, a_(k + 1) + .. + a_(K - 1))`, `a` the
/// concentration: the coordinates of the simplex by stick breaking, in which the shares of a Dirichlet variable are independent.
///
/// # Source
/// Connor & Mosimann 1969; the derivatives are implicit (Figurnov, Mohamed & Mnih 2018).
#[derive(Debug)]
pub(super) struct Dirichlet;

impl<E: Real> Drawn<E> for Dirichlet {
    fn name(&self) -> &'static str {
        "Dirichlet"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "concentration", support: Support::Positive }]
    }

    fn run(&self, elements: Elements<'_, E>, task: Task<'_, E>) {
        dispatch(Shares { elements, task });
    }
}

/// Every share of every simplex.
struct Shares<'a, E> {
    elements: Elements<'a, E>,
    task: Task<'a, E>,
}

impl<E: Real> Kernel<E> for Shares<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(mut self) {
        let Elements { count, u, noise, parameters, samples, values, .. } = self.elements;
        let concentration = parameters[0].clone();
        // A simplex has one unconstrained number less than it has elements.
        let simplexes = concentration.len() - count;
        let length = concentration.len().checked_div(simplexes).unwrap_or(0);
        let mut after = vec![V::zero(); length];
        for simplex in 0..simplexes {
            for offset in (0..samples).step_by(V::WIDTH) {
                let row = |k: usize| (concentration.start + simplex * length + k) * samples + offset;
                // What stands after each element.
                for k in (1..length).rev() {
                    after[k - 1] = after[k] + V::load(&values[row(k)..]);
                }
                let mut of_those_before = V::zero();
                for k in 0..length - 1 {
                    let place = |first: usize| (first + simplex * (length - 1) + k) * samples + offset;
                    let shift = V::constant(((length - 1 - k) as f64).ln());
                    let at = At { u: place(u), noise: place(noise), offset, shift };
                    let [own, rest] = self.task.run::<Beta, V, 2>(&at, [V::load(&values[row(k)..]), after[k]]);
                    self.task.set(row(k), of_those_before + own);
                    of_those_before = of_those_before + rest;
                }
                self.task.set(row(length - 1), of_those_before);
            }
        }
    }
}
