//! A Gaussian of low rank plus diagonal: correlations of many dimensions along a few directions.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Guide, Path};
use crate::kernel::Real;
use crate::optimizers::{cholesky, solve};

/// `ln(2 pi) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `q(v) = Normal(loc, D^2 + V V^T)`, `D` diagonal and `V` of a few columns. A draw is `loc + D e + V f`, of noise `e` of all dimensions, then `f` of the rank.
///
/// The parameters are `loc`, the logarithms of the diagonal of `D`, then `V` row by row. Above its diagonal `V` is zero and has no parameters: columns that
/// are turned into each other are the same Gaussian, and iterates would turn without end.
///
/// # Source
/// Ong, Nott & Smith 2018, Gaussian variational approximation with a factor covariance structure, section 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LowRank {
    /// The dimensions that are distributed.
    spread: usize,
    points: usize,
    rank: usize,
    parameters: Vec<f64>,
}

/// What densities need: the inverse of the covariance is `D^-2 - W C^-1 W^T` with `W = D^-2 V` and `C = I + V^T W`.
struct Inverse {
    /// `D^-2`
    diagonal: Vec<f64>,
    /// `W`, row by row.
    scaled: Vec<f64>,
    /// The lower factor of `C`.
    factor: Vec<f64>,
    log_det: f64,
}

impl LowRank {
    /// A guide around `loc` with these scales and so many columns (`V`, row by row without what is above its diagonal:
    /// [`column_entries`](Self::column_entries) numbers), and points as the last dimensions.
    ///
    /// # Panics
    /// If the sizes do not fit together.
    #[must_use]
    pub fn new(loc: &[f64], log_scale: &[f64], rank: usize, columns: &[f64], points: &[f64]) -> Self {
        let fits = loc.len() == log_scale.len() && rank <= loc.len() && columns.len() == Self::column_entries(loc.len(), rank);
        assert!(fits, "a scale and a row of columns for each location");
        let parameters = [loc, log_scale, columns, points].concat();
        LowRank { spread: loc.len(), points: points.len(), rank, parameters }
    }

    /// The entries of so many columns over so many dimensions, but for those above the diagonal.
    #[must_use]
    pub fn column_entries(dimensions: usize, rank: usize) -> usize {
        dimensions * rank - rank * rank.saturating_sub(1) / 2
    }

    /// Whether the guide has fewer parameters than a Gaussian of full rank, which contains it.
    #[must_use]
    pub fn is_smaller(dimensions: usize, rank: usize) -> bool {
        rank < dimensions && dimensions + Self::column_entries(dimensions, rank) < dimensions * (dimensions + 1) / 2
    }

    /// The number of columns.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    fn loc(&self) -> &[f64] {
        &self.parameters[..self.spread]
    }

    fn scales(&self) -> impl Iterator<Item = f64> {
        self.parameters[self.spread..2 * self.spread].iter().map(|log_scale| log_scale.exp())
    }

    /// Where the parameters of row `i` of `V` are.
    fn entries(&self, i: usize) -> Range<usize> {
        let at = |i: usize| 2 * self.spread + Self::column_entries(i, self.rank.min(i));
        at(i)..at(i + 1)
    }

    /// Row `i` of `V`, up to the diagonal.
    fn row(&self, i: usize) -> &[f64] {
        &self.parameters[self.entries(i)]
    }

    fn inverse(&self) -> Inverse {
        let (n, r) = (self.spread, self.rank);
        let diagonal: Vec<f64> = self.scales().map(|scale| (scale * scale).recip()).collect();
        let mut scaled = vec![0.0; n * r];
        for i in 0..n {
            scaled[i * r..].iter_mut().zip(self.row(i)).for_each(|(w, v)| *w = v * diagonal[i]);
        }
        let mut capacitance = vec![0.0; r * r];
        for i in 0..n {
            for (a, w) in scaled[i * r..(i + 1) * r].iter().enumerate() {
                for (b, v) in self.row(i).iter().enumerate() {
                    capacitance[a * r + b] += w * v;
                }
            }
        }
        (0..r).for_each(|a| capacitance[a * (r + 1)] += 1.0);
        // It is the identity plus squares: only what is not finite has no factor.
        let factor = cholesky(&capacitance, r).unwrap_or_else(|| vec![f64::NAN; r * r]);
        let log_det = self.parameters[n..2 * n].iter().sum::<f64>() + (0..r).map(|a| factor[a * (r + 1)].ln()).sum::<f64>();
        Inverse { diagonal, scaled, factor, log_det }
    }

    /// `V^T`-products of the inverse with the columns: `S^-1 V = W C^-1`, row by row.
    fn pulled_columns(&self, inverse: &Inverse) -> Vec<f64> {
        let r = self.rank;
        let mut rows = inverse.scaled.clone();
        rows.chunks_exact_mut(r.max(1)).for_each(|row| solve(&inverse.factor, row));
        rows
    }
}

impl Inverse {
    /// `S^-1 x`, in place.
    fn apply(&self, x: &mut [f64]) {
        let r = self.scaled.len() / x.len().max(1);
        let mut along = vec![0.0; r];
        for (row, x) in self.scaled.chunks_exact(r.max(1)).zip(&*x) {
            along.iter_mut().zip(row).for_each(|(a, w)| *a += w * x);
        }
        solve(&self.factor, &mut along);
        for ((i, x), d) in x.iter_mut().enumerate().zip(&self.diagonal) {
            *x = d * *x - self.scaled[i * r..(i + 1) * r].iter().zip(&along).map(|(w, a)| w * a).sum::<f64>();
        }
    }
}

impl<E: Real> Guide<E> for LowRank {
    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.spread + self.points
    }

    fn noise(&self) -> usize {
        self.spread + self.rank
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        let (own, along) = noise.split_at(self.spread * samples);
        for (i, (row, scale)) in u.chunks_exact_mut(samples).zip(self.scales()).enumerate() {
            for (x, e) in row.iter_mut().zip(&own[i * samples..]) {
                *x = E::from_f64(scale * e.to_f64() + self.loc()[i]);
            }
            for (f, v) in along.chunks_exact(samples).zip(self.row(i)) {
                row.iter_mut().zip(f).for_each(|(x, f)| *x = E::from_f64(v * f.to_f64() + x.to_f64()));
            }
        }
        let points = &self.parameters[self.parameters.len() - self.points..];
        for (row, point) in u.chunks_exact_mut(samples).skip(self.spread).zip(points) {
            row.fill(E::from_f64(*point));
        }
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        let (n, samples) = (self.spread, path.samples);
        let (own, along) = path.noise.split_at(n * samples);
        let product = |a: &[E], b: &[E]| a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum::<f64>();
        for (i, (adjoint, scale)) in u_adjoint.chunks_exact(samples).zip(self.scales()).enumerate() {
            gradient[i] += adjoint.iter().map(|x| x.to_f64()).sum::<f64>();
            gradient[n + i] += scale * product(adjoint, &own[i * samples..]);
            let columns = &mut gradient[self.entries(i)];
            for (d, f) in columns.iter_mut().zip(along.chunks_exact(samples)) {
                *d += product(adjoint, f);
            }
        }
        let points = gradient.len() - self.points;
        for (d, row) in gradient[points..].iter_mut().zip(u_adjoint.chunks_exact(samples).skip(self.spread)) {
            *d += row.iter().map(|x| x.to_f64()).sum::<f64>();
        }
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let (n, inverse) = (self.spread, self.inverse());
        for (s, log_prob) in log_prob.iter_mut().enumerate() {
            let x: Vec<f64> = (0..n).map(|i| u[i * samples + s].to_f64() - self.loc()[i]).collect();
            let mut pulled = x.clone();
            inverse.apply(&mut pulled);
            let square: f64 = x.iter().zip(&pulled).map(|(a, b)| a * b).sum();
            *log_prob = -0.5 * square - inverse.log_det - HALF_LN_TWO_PI * n as f64;
        }
    }

    fn pull_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        mut u_adjoint: Option<&mut [E]>,
        mut gradient: Option<&mut [f64]>,
    ) {
        let (n, r, inverse) = (self.spread, self.rank, self.inverse());
        let scales: Vec<f64> = self.scales().collect();
        for (s, weight) in weights.iter().enumerate() {
            // S^-1 (u - loc)
            let mut pulled: Vec<f64> = (0..n).map(|i| u[i * samples + s].to_f64() - self.loc()[i]).collect();
            inverse.apply(&mut pulled);
            if let Some(adjoint) = u_adjoint.as_deref_mut() {
                for (i, pulled) in pulled.iter().enumerate() {
                    let at = &mut adjoint[i * samples + s];
                    *at = E::from_f64(at.to_f64() - weight * pulled);
                }
            }
            let Some(gradient) = gradient.as_deref_mut() else { continue };
            let mut along = vec![0.0; r];
            for (i, pulled) in pulled.iter().enumerate() {
                along.iter_mut().zip(self.row(i)).for_each(|(along, v)| *along += v * pulled);
            }
            for (i, pulled) in pulled.iter().enumerate() {
                gradient[i] += weight * pulled;
                gradient[n + i] += weight * (pulled * scales[i]).powi(2);
                let columns = &mut gradient[self.entries(i)];
                columns.iter_mut().zip(&along).for_each(|(d, along)| *d += weight * pulled * along);
            }
        }
        if let Some(gradient) = gradient {
            // The derivative of the logarithm of the determinant, once for all samples.
            let total: f64 = weights.iter().sum();
            let mut of_log_det = vec![0.0; self.parameters.len()];
            Guide::<E>::entropy(self, Some(&mut of_log_det));
            gradient.iter_mut().zip(&of_log_det).for_each(|(g, d)| *g -= total * d);
        }
    }

    fn entropy(&self, gradient: Option<&mut [f64]>) -> Option<f64> {
        let (n, r, inverse) = (self.spread, self.rank, self.inverse());
        if let Some(gradient) = gradient {
            let pulled = self.pulled_columns(&inverse);
            for i in 0..n {
                let (own, row) = (&pulled[i * r..(i + 1) * r], self.row(i));
                // The diagonal of D S^-1 D.
                gradient[n + i] += 1.0 - own.iter().zip(row).map(|(p, v)| p * v).sum::<f64>();
                gradient[self.entries(i)].iter_mut().zip(own).for_each(|(g, p)| *g += p);
            }
        }
        Some(inverse.log_det + n as f64 * (HALF_LN_TWO_PI + 0.5))
    }

    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        let n = self.spread;
        units.fill(1.0);
        for i in 0..n {
            let row = &parameters[self.entries(i)];
            let sd = ((2.0 * parameters[n + i]).exp() + row.iter().map(|v| v * v).sum::<f64>()).sqrt();
            units[i] = sd;
            units[self.entries(i)].fill(sd);
        }
    }

    fn narrow(&mut self, factor: f64) {
        let n = self.spread;
        self.parameters[n..2 * n].iter_mut().for_each(|log_scale| *log_scale += factor.ln());
        self.parameters[2 * n..2 * n + Self::column_entries(n, self.rank)].iter_mut().for_each(|v| *v *= factor);
    }

    fn mean(&self) -> Option<&[f64]> {
        (self.points == 0).then(|| self.loc())
    }
}
