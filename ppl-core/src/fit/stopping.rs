//! When a fit is done: the averages of windows of iterates no longer move, also after the steps are halved.

/// Batches of a window, from whose spread the standard error of its average is known.
const BATCHES: usize = 10;
/// Steps of the first windows.
const FIRST_WINDOW: usize = 100;

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    GoOn,
    /// Stationary at this length of steps: take shorter ones.
    Halve,
    Converged,
}

/// Averages of iterates over windows, as in Welandawe, Andersen, Vehtari & Huggins 2024 (RAABBVI): at one length of steps
/// until two windows agree within their noise; then at half of it; done when two such averages agree within the tolerance.
#[derive(Debug)]
pub(crate) struct Windows {
    tolerance: f64,
    window: usize,
    taken: usize,
    batches: Vec<Vec<f64>>,
    previous: Option<(Vec<f64>, Vec<f64>)>,
    stationary: Option<Vec<f64>>,
    best: Vec<f64>,
}

impl Windows {
    pub(crate) fn new(parameters: usize, tolerance: f64) -> Self {
        Windows {
            tolerance,
            window: FIRST_WINDOW,
            taken: 0,
            batches: vec![vec![0.0; parameters]; BATCHES],
            previous: None,
            stationary: None,
            best: vec![0.0; parameters],
        }
    }

    /// Begins again, as after a step that was undone.
    pub(crate) fn restart(&mut self) {
        self.taken = 0;
        self.previous = None;
        self.batches.iter_mut().for_each(|batch| batch.fill(0.0));
    }

    /// The average to report: of the latest windows, or of what there is of the first.
    pub(crate) fn average(&self, current: &[f64]) -> Vec<f64> {
        if self.stationary.is_some() || self.previous.is_some() { self.best.clone() } else { current.to_vec() }
    }

    /// Adds an iterate; `units` writes the change of each parameter that matters as much as one standard deviation of the guide.
    pub(crate) fn add(&mut self, parameters: &[f64], units: impl FnOnce(&[f64], &mut [f64])) -> Verdict {
        let batch = self.taken * BATCHES / self.window;
        self.batches[batch].iter_mut().zip(parameters).for_each(|(sum, x)| *sum += x);
        self.taken += 1;
        if self.taken < self.window {
            return Verdict::GoOn;
        }
        self.close(units)
    }

    fn close(&mut self, units: impl FnOnce(&[f64], &mut [f64])) -> Verdict {
        let size = self.window as f64 / BATCHES as f64;
        let n = self.best.len();
        let mut mean = vec![0.0; n];
        let mut variance = vec![0.0; n];
        for i in 0..n {
            let own = self.batches.iter().map(|batch| batch[i] / size);
            mean[i] = own.clone().sum::<f64>() / BATCHES as f64;
            // Of the average, from the batches; neighbours correlate, hence the generous factor of `agree`.
            variance[i] = own.map(|x| (x - mean[i]).powi(2)).sum::<f64>() / (BATCHES * (BATCHES - 1)) as f64;
        }
        self.batches.iter_mut().for_each(|batch| batch.fill(0.0));
        self.taken = 0;
        let Some((before, before_variance)) = self.previous.replace((mean.clone(), variance.clone())) else {
            self.best = mean;
            return Verdict::GoOn;
        };
        let both: Vec<f64> = mean.iter().zip(&before).map(|(a, b)| 0.5 * (a + b)).collect();
        let noise: Vec<f64> = variance.iter().zip(&before_variance).map(|(a, b)| (a + b).sqrt()).collect();
        let mut unit = vec![1.0; n];
        units(&mean, &mut unit);
        let agree = distances(&mean, &before, &unit)
            .zip(noise.iter().zip(&unit))
            .all(|(distance, (noise, unit))| distance <= self.tolerance.max(4.0 * noise / unit));
        self.best.clone_from(&both);
        if !agree {
            // Neighbouring iterates correlate: longer batches tell noise from drift.
            self.grow();
            return Verdict::GoOn;
        }
        // Noise that drowns the tolerance asks for longer windows, not for an end.
        let drowned = noise.iter().zip(&unit).any(|(noise, unit)| noise / unit > self.tolerance);
        let settled = self.stationary.replace(both.clone());
        self.previous = None;
        if drowned {
            self.grow();
        }
        match settled {
            Some(settled) if !drowned && distances(&both, &settled, &unit).all(|distance| distance <= self.tolerance) => {
                Verdict::Converged
            }
            _ => Verdict::Halve,
        }
    }

    /// Longer windows, of whole batches.
    fn grow(&mut self) {
        self.window = (self.window * 5 / 4).next_multiple_of(BATCHES).min(20_000);
    }
}

/// The distances of two sets of parameters, in their units.
fn distances<'a>(a: &'a [f64], b: &'a [f64], units: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    a.iter().zip(b).zip(units).map(|((x, y), unit)| (x - y).abs() / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_not_convergence() {
        let mut windows = Windows::new(2, 0.01);
        for step in 0..2000 {
            assert_ne!(windows.add(&[f64::from(step) * 0.001, 0.0], |_, _| ()), Verdict::Converged);
        }
    }

    #[test]
    fn parameters_that_stand_still_converge_after_one_halving() {
        let mut windows = Windows::new(2, 0.01);
        let verdicts: Vec<Verdict> =
            (0..400).map(|_| windows.add(&[0.5, -1.0], |_, _| ())).filter(|v| *v != Verdict::GoOn).collect();
        assert_eq!(verdicts, [Verdict::Halve, Verdict::Converged]);
        assert_eq!(windows.average(&[9.0, 9.0]), [0.5, -1.0]);
    }
}
