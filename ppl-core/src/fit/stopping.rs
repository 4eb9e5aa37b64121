//! When a fit is done: the averages of windows of iterates no longer move, also after the steps are halved.

use crate::archive::Archive;
use crate::diagnostics::spread_ratio;

/// Batches of a window, from whose spread the standard error of its average is known.
const BATCHES: usize = 10;
/// Steps of the first windows.
const FIRST_WINDOW: usize = 100;
/// The R-hat of the iterates of two windows, cut in halves, above which they are not of one distribution.
const R_HAT: f64 = 1.2;

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    GoOn,
    /// Stationary at this length of steps: take shorter ones.
    Halve,
    Converged,
}

/// Averages of iterates over windows, as in Welandawe, Andersen, Vehtari & Huggins 2024 (RAABBVI): at one length of steps
/// until two windows agree within their noise, and the R-hat of their iterates says that these are stationary (Dhaka et al. 2020); then at half of it; done
/// when two such averages agree within the tolerance.
#[derive(Debug)]
pub(crate) struct Windows {
    tolerance: f64,
    window: usize,
    taken: usize,
    batches: Vec<Vec<f64>>,
    /// The sums of squared distances from the first iterate of the window, of its two halves.
    squares: [Vec<f64>; 2],
    first: Vec<f64>,
    previous: Option<Window>,
    stationary: Option<Vec<f64>>,
    best: Vec<f64>,
}

/// What is kept of a window, of each parameter.
#[derive(Debug)]
struct Window {
    mean: Vec<f64>,
    /// Of the mean, from the batches; neighbours correlate, hence the generous factor of `agree`.
    variance: Vec<f64>,
    /// The means and variances of the iterates of its two halves.
    halves: [(Vec<f64>, Vec<f64>); 2],
}

impl Windows {
    pub(crate) fn new(parameters: usize, tolerance: f64) -> Self {
        Windows {
            tolerance,
            window: FIRST_WINDOW,
            taken: 0,
            batches: vec![vec![0.0; parameters]; BATCHES],
            squares: [vec![0.0; parameters], vec![0.0; parameters]],
            first: vec![0.0; parameters],
            previous: None,
            stationary: None,
            best: vec![0.0; parameters],
        }
    }

    /// Writes all that it has seen, or reads it.
    pub(crate) fn archive(&mut self, archive: &mut Archive) {
        let n = self.best.len();
        archive.count(&mut self.window);
        archive.count(&mut self.taken);
        self.batches.iter_mut().chain(&mut self.squares).for_each(|sums| archive.numbers(sums));
        archive.numbers(&mut self.first);
        archive.optional(&mut self.previous, || Window::new(n), |archive, window| window.archive(archive));
        archive.optional(&mut self.stationary, || vec![0.0; n], |archive, average| archive.numbers(average));
        archive.numbers(&mut self.best);
    }

    /// Begins again, as after a step that was undone.
    pub(crate) fn restart(&mut self) {
        self.previous = None;
        self.open();
    }

    /// Nothing of the next window yet.
    fn open(&mut self) {
        self.taken = 0;
        self.batches.iter_mut().chain(&mut self.squares).for_each(|sums| sums.fill(0.0));
    }

    /// The average to report: of the latest windows, or of what there is of the first.
    pub(crate) fn average(&self, current: &[f64]) -> Vec<f64> {
        if self.stationary.is_some() || self.previous.is_some() { self.best.clone() } else { current.to_vec() }
    }

    /// Adds an iterate; `units` writes the change of each parameter that matters as much as one standard deviation of the guide.
    pub(crate) fn add(&mut self, parameters: &[f64], units: impl FnOnce(&[f64], &mut [f64])) -> Verdict {
        if self.taken == 0 {
            self.first.copy_from_slice(parameters);
        }
        let batch = self.taken * BATCHES / self.window;
        let squares = &mut self.squares[2 * batch / BATCHES];
        // Distances from a point nearby: sums of squares far from zero would cancel.
        for (((sum, square), x), first) in self.batches[batch].iter_mut().zip(squares).zip(parameters).zip(&self.first) {
            let distance = x - first;
            *sum += distance;
            *square += distance * distance;
        }
        self.taken += 1;
        if self.taken < self.window {
            return Verdict::GoOn;
        }
        self.close(units)
    }

    fn close(&mut self, units: impl FnOnce(&[f64], &mut [f64])) -> Verdict {
        let now = self.summary();
        self.open();
        let mut unit = vec![1.0; self.best.len()];
        units(&now.mean, &mut unit);
        let Some(before) = self.previous.take() else {
            self.best.clone_from(&now.mean);
            self.previous = Some(now);
            return Verdict::GoOn;
        };
        let both: Vec<f64> = now.mean.iter().zip(&before.mean).map(|(a, b)| f64::midpoint(*a, *b)).collect();
        let noise: Vec<f64> = now.variance.iter().zip(&before.variance).map(|(a, b)| (a + b).sqrt()).collect();
        let half = (self.window / 2) as f64;
        let agree = distances(&now.mean, &before.mean, &unit).enumerate().all(|(i, distance)| {
            // What moves by less than the tolerance may drift.
            distance <= self.tolerance || (distance <= 4.0 * noise[i] / unit[i] && now.r_hat(&before, i, half) <= R_HAT)
        });
        self.best.clone_from(&both);
        if !agree {
            // Neighbouring iterates correlate: longer batches tell noise from drift.
            self.previous = Some(now);
            self.grow();
            return Verdict::GoOn;
        }
        // Noise that drowns the tolerance asks for longer windows, not for an end.
        let drowned = noise.iter().zip(&unit).any(|(noise, unit)| noise / unit > self.tolerance);
        let settled = self.stationary.replace(both.clone());
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

    /// The means and variances of the window that is full.
    fn summary(&self) -> Window {
        let (n, size, half) = (self.best.len(), self.window as f64 / BATCHES as f64, self.window as f64 / 2.0);
        let mut window = Window { mean: self.first.clone(), variance: vec![0.0; n], halves: Default::default() };
        for i in 0..n {
            let own = self.batches.iter().map(|batch| batch[i] / size);
            let mean = own.clone().sum::<f64>() / BATCHES as f64;
            window.mean[i] += mean;
            window.variance[i] = own.map(|x| (x - mean).powi(2)).sum::<f64>() / (BATCHES * (BATCHES - 1)) as f64;
        }
        for (h, (batches, squares)) in self.batches.chunks(BATCHES / 2).zip(&self.squares).enumerate() {
            let means: Vec<f64> = (0..n).map(|i| batches.iter().map(|batch| batch[i]).sum::<f64>() / half).collect();
            let variances = means.iter().zip(squares).map(|(mean, square)| (square - half * mean * mean) / (half - 1.0));
            let variances = variances.map(|variance| variance.max(0.0)).collect();
            window.halves[h] = (means.iter().zip(&self.first).map(|(mean, first)| mean + first).collect(), variances);
        }
        window
    }

    /// Longer windows, of whole batches.
    fn grow(&mut self) {
        self.window = (self.window * 5 / 4).next_multiple_of(BATCHES).min(20_000);
    }
}

impl Window {
    fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Window { mean: zeros(), variance: zeros(), halves: [(zeros(), zeros()), (zeros(), zeros())] }
    }

    fn archive(&mut self, archive: &mut Archive) {
        let halves = self.halves.iter_mut().flat_map(|(means, variances)| [means, variances]);
        [&mut self.mean, &mut self.variance].into_iter().chain(halves).for_each(|all| archive.numbers(all));
    }

    /// The R-hat of the iterates of parameter `i` in two windows, whose halves are of so many.
    fn r_hat(&self, other: &Window, i: usize, half: f64) -> f64 {
        let halves = self.halves.iter().chain(&other.halves);
        let (means, variances): (Vec<f64>, Vec<f64>) = halves.map(|(means, variances)| (means[i], variances[i])).unzip();
        spread_ratio(half, &means, &variances)
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

    /// A random walk has no average; two windows of one nevertheless agree often within the errors that their batches show.
    #[test]
    fn iterates_that_wander_are_not_stationary() {
        let halved = |seed: &u64| {
            let (mut windows, mut x) = (Windows::new(1, 1e-4), 0.0);
            let mut step = |step| {
                x += crate::random::uniform(*seed, step) - 0.5;
                windows.add(&[x], |_, _| ())
            };
            (0..200_u64).any(|i| step(i) == Verdict::Halve)
        };
        let wrong = (0..1000_u64).filter(halved).count();
        assert!(wrong < 100, "{wrong} of 1000");
    }

    #[test]
    fn noise_around_a_point_is_stationary() {
        let mut windows = Windows::new(1, 1e-4);
        let verdicts: Vec<Verdict> =
            (0..400_u64).map(|step| windows.add(&[1e6 + crate::random::uniform(3, step)], |_, _| ())).collect();
        assert!(verdicts.contains(&Verdict::Halve));
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
