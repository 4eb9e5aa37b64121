//! A guide in the units of a Gaussian: what is learned is what the Gaussian leaves to be said.

use serde::{Deserialize, Serialize};

use super::{Guide, Path};
use crate::kernel::{Kernel, Lanes, Real, dispatch};
use crate::optimizers::Gaussian;

/// `u = center + P^-T v`, where `P P^T` is the precision of a Gaussian (`P` lower triangular, or diagonal in many dimensions): it is standard normal in `v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whitening {
    center: Vec<f64>,
    factor: Factor,
    /// The last dimensions that are points: they have no part in the Jacobian determinant.
    points: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Factor {
    /// The lower triangle, row by row, with the zeros above it.
    Dense(Vec<f64>),
    Diagonal(Vec<f64>),
}

impl Whitening {
    /// The units of a Gaussian.
    #[must_use]
    pub fn new(gaussian: Gaussian) -> Self {
        Self::with_points(gaussian, 0)
    }

    /// As [`Whitening::new`], the last dimensions being points.
    #[must_use]
    pub fn with_points(gaussian: Gaussian, points: usize) -> Self {
        Whitening { center: gaussian.mean, factor: Factor::Dense(gaussian.precision), points }
    }

    /// The units of independent Gaussians of these standard deviations, the last dimensions being points.
    #[must_use]
    pub fn diagonal(center: Vec<f64>, scale: &[f64], points: usize) -> Self {
        Whitening { center, factor: Factor::Diagonal(scale.iter().map(|scale| 1.0 / scale).collect()), points }
    }

    /// The number of dimensions.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.center.len()
    }

    /// `ln |du / dv|`, of the dimensions that are no points.
    #[must_use]
    pub fn log_det(&self) -> f64 {
        let n = self.center.len();
        match &self.factor {
            Factor::Dense(p) => -(0..n - self.points).map(|i| p[i * n + i].ln()).sum::<f64>(),
            Factor::Diagonal(p) => -p[..n - self.points].iter().map(|p| p.ln()).sum::<f64>(),
        }
    }

    /// From `v` to `u`, in place: `[dimension][sample]`.
    pub fn unwhiten<E: Real>(&self, rows: &mut [E], samples: usize) {
        dispatch(Turn { whitening: self, rows, samples, direction: Direction::Unwhiten });
    }

    /// From `u` to `v`, in place: `[dimension][sample]`.
    pub fn whiten<E: Real>(&self, rows: &mut [E], samples: usize) {
        dispatch(Turn { whitening: self, rows, samples, direction: Direction::Whiten });
    }

    /// The pullback of [`Whitening::unwhiten`], in place: from the adjoint of `u` to that of `v`.
    pub fn pull_unwhiten<E: Real>(&self, adjoint: &mut [E], samples: usize) {
        dispatch(Turn { whitening: self, rows: adjoint, samples, direction: Direction::PullUnwhiten });
    }

    /// The pullback of [`Whitening::whiten`], in place: from the adjoint of `v` to that of `u`.
    pub fn pull_whiten<E: Real>(&self, adjoint: &mut [E], samples: usize) {
        dispatch(Turn { whitening: self, rows: adjoint, samples, direction: Direction::PullWhiten });
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Unwhiten,
    Whiten,
    PullUnwhiten,
    PullWhiten,
}

struct Turn<'a, E> {
    whitening: &'a Whitening,
    rows: &'a mut [E],
    samples: usize,
    direction: Direction,
}

impl<E: Real> Kernel<E> for Turn<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<Element = E>>(self) {
        let (rows, samples, center) = (self.rows, self.samples, &self.whitening.center);
        let n = center.len();
        let add = |rows: &mut [E], sign: f64, offset: usize| {
            for (i, center) in center.iter().enumerate() {
                let at = &mut rows[i * samples + offset..];
                (V::load(at) + V::constant(sign * center)).store(at);
            }
        };
        for offset in (0..samples).step_by(V::WIDTH) {
            if let Direction::Whiten = self.direction {
                add(rows, -1.0, offset);
            }
            match (&self.whitening.factor, self.direction) {
                (Factor::Diagonal(p), Direction::Unwhiten | Direction::PullUnwhiten) => {
                    for (i, p) in p.iter().enumerate() {
                        let at = &mut rows[i * samples + offset..];
                        (V::load(at) * V::constant(1.0 / p)).store(at);
                    }
                }
                (Factor::Diagonal(p), Direction::Whiten | Direction::PullWhiten) => {
                    for (i, p) in p.iter().enumerate() {
                        let at = &mut rows[i * samples + offset..];
                        (V::load(at) * V::constant(*p)).store(at);
                    }
                }
                // P^-T v, from the last row on.
                (Factor::Dense(p), Direction::Unwhiten) => {
                    for i in (0..n).rev() {
                        let row = &p[i * n..][..=i];
                        let x = V::load(&rows[i * samples + offset..]) * V::constant(1.0 / row[i]);
                        for (k, p) in row[..i].iter().enumerate() {
                            let above = &mut rows[k * samples + offset..];
                            (-x).mul_add(V::constant(*p), V::load(above)).store(above);
                        }
                        x.store(&mut rows[i * samples + offset..]);
                    }
                }
                // P^-1 adjoint, from the first row on.
                (Factor::Dense(p), Direction::PullUnwhiten) => {
                    for i in 0..n {
                        let row = &p[i * n..][..=i];
                        let mut a = V::load(&rows[i * samples + offset..]);
                        for (k, p) in row[..i].iter().enumerate() {
                            a = (-V::load(&rows[k * samples + offset..])).mul_add(V::constant(*p), a);
                        }
                        (a * V::constant(1.0 / row[i])).store(&mut rows[i * samples + offset..]);
                    }
                }
                // P^T u: each row needs those below it, which are still as they were.
                (Factor::Dense(p), Direction::Whiten) => {
                    for i in 0..n {
                        let mut sum = V::zero();
                        for k in i..n {
                            sum = V::load(&rows[k * samples + offset..]).mul_add(V::constant(p[k * n + i]), sum);
                        }
                        sum.store(&mut rows[i * samples + offset..]);
                    }
                }
                // P adjoint: each row needs those above it, so the last goes first.
                (Factor::Dense(p), Direction::PullWhiten) => {
                    for k in (0..n).rev() {
                        let mut sum = V::zero();
                        for (i, p) in p[k * n..][..=k].iter().enumerate() {
                            sum = V::load(&rows[i * samples + offset..]).mul_add(V::constant(*p), sum);
                        }
                        sum.store(&mut rows[k * samples + offset..]);
                    }
                }
            }
            if let Direction::Unwhiten = self.direction {
                add(rows, 1.0, offset);
            }
        }
    }
}

/// A guide over whitened numbers, seen from the unconstrained space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whitened<G> {
    whitening: Whitening,
    inner: G,
}

impl<G> Whitened<G> {
    /// The guide `inner` over `v`, in these units.
    #[must_use]
    pub fn new(whitening: Whitening, inner: G) -> Self {
        Whitened { whitening, inner }
    }

    /// The guide over the whitened numbers.
    #[must_use]
    pub fn inner(&self) -> &G {
        &self.inner
    }

    /// The units.
    #[must_use]
    pub fn whitening(&self) -> &Whitening {
        &self.whitening
    }

    fn whitened<E: Real>(&self, u: &[E], samples: usize) -> Vec<E> {
        let mut v = u.to_vec();
        self.whitening.whiten(&mut v, samples);
        v
    }

    fn shift(&self, log_prob: &mut [f64]) {
        let log_det = self.whitening.log_det();
        log_prob.iter_mut().for_each(|log_prob| *log_prob -= log_det);
    }
}

impl<E: Real, G: Guide<E>> Guide<E> for Whitened<G> {
    fn parameters(&self) -> &[f64] {
        self.inner.parameters()
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        self.inner.parameters_mut()
    }

    fn dimensions(&self) -> usize {
        self.inner.dimensions()
    }

    fn noise(&self) -> usize {
        self.inner.noise()
    }

    fn spreading(&self) -> usize {
        self.inner.spreading()
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        self.inner.sample(noise, samples, u);
        self.whitening.unwhiten(u, samples);
    }

    fn draw(&self, noise: &[E], samples: usize, u: &mut [E]) {
        self.inner.draw(noise, samples, u);
        self.whitening.unwhiten(u, samples);
    }

    fn groups(&self) -> usize {
        self.inner.groups()
    }

    fn strata(&self, samples: usize, weights: &mut [f64]) -> bool {
        self.inner.strata(samples, weights)
    }

    fn pull_strata(&self, adjoint: &[f64], gradient: &mut [f64]) {
        self.inner.pull_strata(adjoint, gradient);
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        let v = self.whitened(path.u, path.samples);
        self.whitening.pull_unwhiten(u_adjoint, path.samples);
        self.inner.pull_sample(Path { u: &v, ..path }, u_adjoint, gradient);
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        self.inner.log_prob(&self.whitened(u, samples), samples, log_prob);
        self.shift(log_prob);
    }

    fn log_prob_of(&self, path: Path<'_, E>, log_prob: &mut [f64]) {
        let v = self.whitened(path.u, path.samples);
        self.inner.log_prob_of(Path { u: &v, ..path }, log_prob);
        self.shift(log_prob);
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        let v = self.whitened(u, samples);
        let Some(u_adjoint) = u_adjoint else {
            return self.inner.pull_log_prob(&v, samples, weights, None, gradient);
        };
        let mut v_adjoint = vec![E::default(); v.len()];
        self.inner.pull_log_prob(&v, samples, weights, Some(&mut v_adjoint), gradient);
        self.whitening.pull_whiten(&mut v_adjoint, samples);
        u_adjoint.iter_mut().zip(&v_adjoint).for_each(|(to, from)| *to = *to + *from);
    }

    fn blocks(&self) -> Vec<Vec<usize>> {
        match self.whitening.factor {
            Factor::Diagonal(_) => self.inner.blocks(),
            // Turning the space makes every dimension depend on every other.
            Factor::Dense(_) => vec![(0..self.inner.dimensions()).collect()],
        }
    }

    fn has_path(&self, block: usize) -> bool {
        match self.whitening.factor {
            Factor::Diagonal(_) => self.inner.has_path(block),
            Factor::Dense(_) => (0..self.inner.blocks().len()).all(|inner| self.inner.has_path(inner)),
        }
    }

    fn block_log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        match &self.whitening.factor {
            Factor::Dense(_) => self.log_prob(u, samples, log_prob),
            Factor::Diagonal(p) => {
                self.inner.block_log_prob(&self.whitened(u, samples), samples, log_prob);
                for (members, block) in self.inner.blocks().iter().zip(log_prob.chunks_exact_mut(samples)) {
                    let spread = members.iter().filter(|&&i| i < p.len() - self.whitening.points);
                    let log_det: f64 = spread.map(|&i| p[i].ln()).sum();
                    block.iter_mut().for_each(|log_prob| *log_prob += log_det);
                }
            }
        }
    }

    fn pull_block_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        u_adjoint: Option<&mut [E]>,
        gradient: Option<&mut [f64]>,
    ) {
        if let Factor::Dense(_) = self.whitening.factor {
            return self.pull_log_prob(u, samples, weights, u_adjoint, gradient);
        }
        let v = self.whitened(u, samples);
        let mut v_adjoint = u_adjoint.as_ref().map(|u| vec![E::default(); u.len()]);
        self.inner.pull_block_log_prob(&v, samples, weights, v_adjoint.as_deref_mut(), gradient);
        if let (Some(mut v_adjoint), Some(u_adjoint)) = (v_adjoint, u_adjoint) {
            self.whitening.pull_whiten(&mut v_adjoint, samples);
            u_adjoint.iter_mut().zip(&v_adjoint).for_each(|(to, from)| *to = *to + *from);
        }
    }

    fn stick(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], scratch: &mut Vec<E>) {
        let v = self.whitened(path.u, path.samples);
        self.whitening.pull_unwhiten(u_adjoint, path.samples);
        self.inner.stick(Path { u: &v, ..path }, weights, u_adjoint, gradient, scratch);
    }

    fn pull_path(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], scratch: &mut Vec<E>) {
        let v = self.whitened(path.u, path.samples);
        self.whitening.pull_unwhiten(u_adjoint, path.samples);
        self.inner.pull_path(Path { u: &v, ..path }, weights, u_adjoint, gradient, scratch);
    }

    fn entropy(&self, gradient: Option<&mut [f64]>) -> Option<f64> {
        Some(self.inner.entropy(gradient)? + self.whitening.log_det())
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        self.inner.units(parameters, units);
    }

    fn narrow(&mut self, factor: f64) {
        self.inner.narrow(factor);
    }
}
