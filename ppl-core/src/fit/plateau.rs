//! When a fit is done whose parameters say nothing by themselves, such as the weights of networks: the ELBO no longer rises, however short the steps.

use super::stopping::Verdict;
use crate::archive::Archive;

/// Steps of the first window.
const FIRST_WINDOW: usize = 200;
/// Halvings of the steps, after the last of which the fit is done.
const HALVINGS: usize = 4;
/// Windows in a row without a rise, after which the steps are halved.
const PATIENCE: usize = 2;
/// How many standard errors make a rise.
const RISE: f64 = 2.0;

/// The mean ELBO of windows of steps: while it rises by more than its Monte Carlo error and the tolerance, the steps stay as they are; after two windows
/// without a rise they are halved, and the windows become longer; done after four halvings. The iterates of the last window are averaged.
///
/// # Source
/// Halving when a stochastic objective is stationary: Pesme, Dieuleveut & Flammarion 2020; the averages: Polyak & Juditsky 1992.
#[derive(Debug)]
pub(super) struct Plateau {
    tolerance: f64,
    window: usize,
    halvings: usize,
    /// Windows in a row without a rise.
    flat: usize,
    taken: usize,
    sum: f64,
    squares: f64,
    parameters: Vec<f64>,
    /// The best mean of a window, and its standard error.
    best: Option<(f64, f64)>,
    average: Option<Vec<f64>>,
}

impl Plateau {
    /// `tolerance`: the nats by which the mean ELBO of a window must rise.
    pub(super) fn new(parameters: usize, tolerance: f64) -> Self {
        Plateau {
            tolerance,
            window: FIRST_WINDOW,
            halvings: 0,
            flat: 0,
            taken: 0,
            sum: 0.0,
            squares: 0.0,
            parameters: vec![0.0; parameters],
            best: None,
            average: None,
        }
    }

    /// Writes all that it has seen, or reads it.
    pub(super) fn archive(&mut self, archive: &mut Archive) {
        let n = self.parameters.len();
        [&mut self.window, &mut self.halvings, &mut self.flat, &mut self.taken]
            .into_iter()
            .for_each(|count| archive.count(count));
        archive.number(&mut self.sum);
        archive.number(&mut self.squares);
        archive.numbers(&mut self.parameters);
        archive.optional(&mut self.best, Default::default, |archive, (mean, error)| {
            archive.number(mean);
            archive.number(error);
        });
        archive.optional(&mut self.average, || vec![0.0; n], |archive, average| archive.numbers(average));
    }

    /// The average iterate of the last window that is complete, if there is one.
    pub(super) fn average(&self) -> Option<&[f64]> {
        self.average.as_deref()
    }

    /// Begins the window again, as after a step that was undone.
    pub(super) fn restart(&mut self) {
        (self.taken, self.sum, self.squares) = (0, 0.0, 0.0);
        self.parameters.fill(0.0);
    }

    /// Adds the ELBO and the iterate of a step.
    pub(super) fn add(&mut self, elbo: f64, parameters: &[f64]) -> Verdict {
        self.taken += 1;
        self.sum += elbo;
        self.squares += elbo * elbo;
        self.parameters.iter_mut().zip(parameters).for_each(|(sum, x)| *sum += x);
        if self.taken < self.window {
            return Verdict::GoOn;
        }
        let n = self.taken as f64;
        let mean = self.sum / n;
        let error = ((self.squares / n - mean * mean).max(0.0) / n).sqrt();
        self.average = Some(self.parameters.iter().map(|sum| sum / n).collect());
        self.restart();
        let rose = self.best.is_none_or(|(best, of_best)| mean - best > self.tolerance.max(RISE * error.hypot(of_best)));
        if self.best.is_none_or(|(best, _)| mean > best) {
            self.best = Some((mean, error));
        }
        self.flat = if rose { 0 } else { self.flat + 1 };
        if self.flat < PATIENCE {
            return Verdict::GoOn;
        }
        self.flat = 0;
        self.halvings += 1;
        if self.halvings > HALVINGS {
            return Verdict::Converged;
        }
        self.window = self.window * 5 / 4;
        Verdict::Halve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts other than to go on, and how many steps they took.
    fn verdicts(elbo: impl Fn(usize) -> f64) -> (Vec<Verdict>, usize) {
        let (mut plateau, mut found) = (Plateau::new(1, 0.01), Vec::new());
        for step in 0..20_000 {
            let verdict = plateau.add(elbo(step), &[step as f64]);
            if verdict != Verdict::GoOn {
                found.push(verdict);
            }
            if verdict == Verdict::Converged {
                return (found, step);
            }
        }
        (found, 20_000)
    }

    #[test]
    fn a_rise_goes_on_and_a_plateau_ends_after_its_halvings() {
        let (found, steps) = verdicts(|step| (step as f64 * 1e-3).min(3.0) + 0.1 * (7.1 * step as f64).sin());
        assert_eq!(found.len(), HALVINGS + 1);
        assert!(steps > 3000 + PATIENCE * HALVINGS * FIRST_WINDOW && steps < 10_000, "{steps}");
        assert!(verdicts(|step| step as f64 * 1e-3).0.is_empty());
    }

    #[test]
    fn the_average_is_that_of_the_last_window() {
        let mut plateau = Plateau::new(1, 0.01);
        (0..FIRST_WINDOW).for_each(|step| assert_eq!(plateau.add(0.0, &[step as f64]), Verdict::GoOn));
        assert_eq!(plateau.average(), Some(&[99.5][..]));
    }
}
