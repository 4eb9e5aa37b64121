//! What each value of a variable that is summed out is responsible for: its probability given the data, row after row.

use ndarray::{ArrayD, Axis};

use super::drawn::{BATCH, Drawn, Stage};
use super::{Fit, FitError};
use crate::guides::FittedGuide;
use crate::kernel::Real;
use crate::model::{Choices, LogJoint, Model, Variable, Workspace};

/// How many numbers are computed at once.
const AT_ONCE: usize = 1 << 20;
/// The probability below which the last values of a count are left out.
const LEAST: f64 = 1e-12;

impl<M: Model> Fit<M> {
    /// The probabilities, given the data, of the values of what `sum name in ..` sums out: of each value the mean, over draws from the fit, of
    /// `p(k) p(statements | k) / sum_j p(j) p(statements | j)`; of a discrete latent, those that its guide gives its values.
    ///
    /// # Shapes
    /// One axis for each loop around the `sum`, outermost first, then its values: `[N, K]` of a mixture over rows. Of a sum within another one the values of that
    /// are an axis too, and the probabilities are those of both together. The values of a count without bounds end where none has a probability of `1e-12`.
    ///
    /// # Errors
    /// [`FitError::Data`] if the data do not fit the model, [`FitError::OtherSizes`] if they are not those of the fit, [`FitError::NotSummed`] where no `sum` is
    /// over this name.
    ///
    /// # Source
    /// Bishop 2006, equation 9.13.
    pub fn responsibilities(&self, model: &M, name: &str) -> Result<ArrayD<f64>, FitError> {
        let bound = self.bind(model)?;
        if let Some(probabilities) = self.probabilities(&*bound, name)? {
            return Ok(probabilities);
        }
        let sum = summed_out(&*bound, name)?;
        let draws = self.state.draws;
        // How often each draw counts.
        let (drawn, chosen) = self.chosen(&*bound, draws)?;
        let mut counts = vec![0.0; chosen.last().map_or(0, |last| last + 1)];
        chosen.into_iter().for_each(|draw| counts[draw] += 1.0);
        let shape = bound.choices(sum);
        let means = Means::new(&*bound, sum, Choices::Marginal).over(drawn, &counts);
        Ok(ArrayD::from_shape_vec(shape, means).unwrap_or_else(|_| unreachable!("a number for each value in each row")))
    }

    /// The most probable values, given the data and the posterior means of the latents, of what `sum name in ..` sums out: of a chain its most probable path,
    /// else of each row its most probable value.
    ///
    /// # Shapes
    /// As [`Fit::responsibilities`], without the axis of the values.
    ///
    /// # Errors
    /// As [`Fit::responsibilities`].
    ///
    /// # Source
    /// Viterbi 1967.
    pub fn most_probable(&self, model: &M, name: &str) -> Result<ArrayD<usize>, FitError> {
        let bound = self.bind(model)?;
        if let Some(probabilities) = self.probabilities(&*bound, name)? {
            return Ok(probabilities.map_axis(Axis(probabilities.ndim() - 1), |of_value| greatest(of_value.iter().copied())));
        }
        let sum = summed_out(&*bound, name)?;
        let layout = bound.layout();
        let mut means = vec![0.0; layout.rows()];
        let draws = self.state.draws;
        self.each_draw(&*bound, draws, |work, draw| {
            for row in layout.unknowns().flat_map(|unknown| unknown.rows.clone()) {
                means[row] += work.values[row * BATCH + draw].to_f64() / draws as f64;
            }
        })?;
        let mut work = bound.workspace(BATCH);
        for row in layout.unknowns().flat_map(|unknown| unknown.rows.clone()) {
            work.values[row * BATCH..(row + 1) * BATCH].fill(Real::from_f64(means[row]));
        }
        bound.complete(&mut work);
        let mut shape = bound.choices(sum);
        let values = shape.pop().unwrap_or(0);
        let of = Means::new(&*bound, sum, Choices::Path);
        let (rows, block) = (bound.factor_rows(of.factor), of.block());
        let mut all = Vec::with_capacity(shape.iter().product());
        for first in (0..rows).step_by(block) {
            let probabilities = of.probabilities(first..rows.min(first + block), &mut work);
            let rows = probabilities.chunks_exact((values * BATCH).max(1));
            all.extend(rows.map(|of_value| greatest(of_value.iter().step_by(BATCH).copied())));
        }
        Ok(ArrayD::from_shape_vec(shape, all).unwrap_or_else(|_| unreachable!("a value for each row")))
    }

    /// The probabilities that the guide gives the values of a discrete latent; none if it has no such name.
    fn probabilities<E: Real>(&self, model: &dyn LogJoint<E>, name: &str) -> Result<Option<ArrayD<f64>>, FitError> {
        if let Some(variable) = model.layout().drawn().find(|variable| variable.name == name) {
            let first = variable.unconstrained.start - model.layout().discrete().start;
            return match of_tables(variable, first, self.guide()) {
                Some(tables) => Ok(Some(tables)),
                None => self.shares_of_draws(model, variable),
            };
        }
        if !model.graph().discretes.iter().any(|discrete| discrete.name == name) {
            return Ok(None);
        }
        let Some(variable) = model.layout().parameters().find(|variable| variable.name == name) else { return Ok(None) };
        let mut all = Vec::with_capacity(variable.rows.len());
        self.drawn(model, 1)?.each([0], Stage::Latents, |work, draw| {
            all.extend(variable.rows.clone().map(|row| work.values[row * BATCH + draw].to_f64()));
        });
        Ok(ArrayD::from_shape_vec(variable.shape.clone(), all).ok())
    }
}

impl<M: Model> Fit<M> {
    /// The shares of draws that have each value of a discrete latent, of which the guide has no tables.
    fn shares_of_draws<E: Real>(&self, model: &dyn LogJoint<E>, variable: &Variable) -> Result<Option<ArrayD<f64>>, FitError> {
        let Some(values) = variable.values else { return Ok(None) };
        let draws = self.state.draws;
        let columns = self.columns(model, draws, std::slice::from_ref(&variable.rows))?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a value is a whole number from the first on")]
        let place = |x: f64| (x - values.from as f64) as usize;
        let largest = columns.iter().map(|x| place(*x) + 1).max().unwrap_or(0);
        let count = values.to.map_or(largest, |to| to - values.from);
        let mut out = vec![0.0; variable.rows.len() * count];
        for draw in columns.chunks_exact(variable.rows.len().max(1)) {
            for (element, x) in draw.iter().enumerate() {
                out[element * count + place(*x)] += 1.0 / draws as f64;
            }
        }
        let shape: Vec<usize> = variable.shape.iter().copied().chain([count]).collect();
        Ok(ArrayD::from_shape_vec(shape, out).ok())
    }
}

/// The probabilities of the values of a discrete latent that is drawn, whose tables begin at one of them.
fn of_tables(variable: &Variable, first: usize, guide: &FittedGuide) -> Option<ArrayD<f64>> {
    let (FittedGuide::WithDiscrete(guide), Some(values)) = (guide, variable.values) else { return None };
    let tables = || guide.tables().skip(first).take(variable.rows.len());
    let all: Vec<(usize, Vec<f64>)> = tables()
        .map(|(table, theta)| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a value is a whole number from the first on"
            )]
            let skipped = (table.first() - values.from as f64) as usize;
            (skipped, table.probs(theta))
        })
        .collect();
    let end = |(skipped, probs): &(usize, Vec<f64>)| skipped + probs.iter().rposition(|p| *p >= LEAST).map_or(0, |last| last + 1);
    let count = values.to.map_or_else(|| all.iter().map(end).max().unwrap_or(0), |to| to - values.from);
    let mut out = vec![0.0; all.len() * count];
    for ((skipped, probs), row) in all.iter().zip(out.chunks_exact_mut(count.max(1))) {
        row[(*skipped).min(count)..].iter_mut().zip(probs).for_each(|(to, p)| *to = *p);
    }
    let shape: Vec<usize> = variable.shape.iter().copied().chain([count]).collect();
    ArrayD::from_shape_vec(shape, out).ok()
}

/// Where the greatest of some numbers is, of equal ones the last.
fn greatest(all: impl Iterator<Item = f64>) -> usize {
    all.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| at)
}

/// The sum over this name.
fn summed_out<E: Real>(model: &dyn LogJoint<E>, name: &str) -> Result<usize, FitError> {
    let (sums, discretes) = (model.graph().sums, model.graph().discretes);
    sums.iter().position(|sum| sum.name == name).ok_or_else(|| {
        let names = sums.iter().map(|sum| sum.name).chain(discretes.iter().map(|discrete| discrete.name));
        let names = names.chain(model.layout().drawn().map(|variable| variable.name));
        let names = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let known = if names.is_empty() { "it has none".to_owned() } else { format!("there are {names}") };
        FitError::NotSummed { name: name.to_owned(), known }
    })
}

/// A sum, and those around it, outermost first: each with the number of its values, and of all its terms in a row of the factor.
struct Means<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    factor: usize,
    nest: Vec<(usize, usize, usize)>,
    of: Choices,
}

impl<'a, E: Real> Means<'a, E> {
    fn new(model: &'a dyn LogJoint<E>, sum: usize, of: Choices) -> Self {
        let (sums, factor) = (model.graph().sums, model.graph().sums[sum].factor);
        let rows = model.factor_rows(factor).max(1);
        let around = std::iter::successors(Some(sum), |&sum| sums[sum].within);
        let mut nest: Vec<_> = around
            .map(|sum| {
                let shape = model.choices(sum);
                (sum, shape.last().copied().unwrap_or(0), shape.iter().product::<usize>() / rows)
            })
            .collect();
        nest.reverse();
        Means { model, factor, nest, of }
    }

    /// How many terms of the innermost sum there are in a row of the factor.
    fn each(&self) -> usize {
        self.nest.last().map_or(0, |(.., each)| *each)
    }

    /// How many rows are taken at once.
    fn block(&self) -> usize {
        (AT_ONCE / (self.each() * BATCH).max(1)).max(1)
    }

    /// The mean probabilities over draws, each as often as it counts: `[row][terms of the innermost sum]`.
    fn over(&self, mut drawn: Drawn<'_, E>, counts: &[f64]) -> Vec<f64> {
        let (rows, each, block) = (self.model.factor_rows(self.factor), self.each(), self.block());
        let (mut means, total) = (vec![0.0; rows * each], counts.iter().sum::<f64>());
        if means.is_empty() {
            return means;
        }
        for counts in counts.chunks(BATCH) {
            drawn.next_batch(Stage::Quantities);
            if counts.iter().all(|count| *count == 0.0) {
                continue;
            }
            for first in (0..rows).step_by(block) {
                let own = first..rows.min(first + block);
                let probabilities = self.probabilities(own.clone(), &mut drawn.work);
                for (mean, lanes) in means[own.start * each..own.end * each].iter_mut().zip(probabilities.chunks_exact(BATCH)) {
                    *mean += lanes.iter().zip(counts).map(|(p, count)| p * count).sum::<f64>() / total;
                }
            }
        }
        means
    }

    /// The probabilities of the present draws, of some rows: `[row][terms of the innermost sum][draw]`.
    fn probabilities(&self, rows: std::ops::Range<usize>, work: &mut Workspace<E>) -> Vec<f64> {
        let mut outer = vec![1.0; rows.len() * BATCH];
        for &(sum, values, each) in &self.nest {
            let mut terms = vec![E::default(); rows.len() * each * BATCH];
            self.model.log_choices((sum, self.of), rows.clone(), work, &mut terms);
            // Each value of the sums around it has some groups of the values of this one.
            let groups = terms.len() / (values * BATCH).max(1);
            let within = groups / (outer.len() / BATCH).max(1);
            let mut probabilities = vec![0.0; terms.len()];
            for (group, (terms, out)) in
                terms.chunks_exact(values * BATCH).zip(probabilities.chunks_exact_mut(values * BATCH)).enumerate()
            {
                let around = &outer[group / within.max(1) * BATCH..][..BATCH];
                for draw in 0..BATCH {
                    let of_draw = || terms.iter().skip(draw).step_by(BATCH).map(|term| term.to_f64());
                    let most = of_draw().fold(f64::NEG_INFINITY, f64::max);
                    let all: f64 = of_draw().map(|term| (term - most).exp()).sum();
                    for (k, term) in of_draw().enumerate() {
                        out[k * BATCH + draw] = around[draw] * (term - most).exp() / all;
                    }
                }
            }
            outer = probabilities;
        }
        outer
    }
}
