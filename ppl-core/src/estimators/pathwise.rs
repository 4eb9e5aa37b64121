//! The derivative along the path of the samples, of any objective: whole, or with what is zero on average left out.

use super::landing::Landing;
use super::{Estimate, GradientEstimator};
use crate::archive::Archive;
use crate::guides::{Guide, Path};
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace, aligned};
use crate::objective::Objective;
use crate::random::antithetic_normals;

/// `sum of w (du / dtheta)^T (grad log p(u) - grad log q(u))` with the weights of an [`Objective`]: sticking the landing, whose noise goes to zero as `q`
/// comes near the posterior; the doubly reparameterized gradient, where the objective is a bound of several samples.
///
/// Leaving out the derivative of `log q` by its own parameters may also raise the noise, where `q` is far from the posterior. Both are measured
/// on the same noise every 100 steps, by the difference that two halves of the samples make, and the quieter one is used.
///
/// # Source
/// Roeder, Wu & Duvenaud 2017, Sticking the landing, equation 7; Tucker, Lawson, Gu & Maddison 2019; that the noise may rise: Geffner & Domke 2021.
#[derive(Debug)]
pub struct Pathwise<E> {
    objective: Objective,
    samples: usize,
    landing: Landing,
    noise: Vec<E>,
    /// Whether every step has the same noise.
    fixed: bool,
    scratch: Vec<E>,
    log_density: Vec<f64>,
    /// Log density less log q.
    ratios: Vec<f64>,
    slopes: Vec<f64>,
    strata: Vec<f64>,
    lanes: Vec<E>,
    work: Workspace<E>,
    weights: Weights<E>,
}

impl<E: Real> Pathwise<E> {
    /// Buffers for a model and a guide; which derivative is taken is measured.
    #[must_use]
    pub fn new(model: &dyn LogJoint<E>, guide: &dyn Guide<E>, samples: usize, objective: Objective) -> Self {
        let zero = E::default();
        Pathwise {
            objective,
            samples,
            landing: Landing::MEASURED,
            noise: vec![zero; guide.noise() * samples],
            fixed: false,
            scratch: Vec::new(),
            log_density: vec![0.0; samples],
            ratios: vec![0.0; samples],
            slopes: vec![0.0; samples],
            strata: vec![1.0; samples],
            lanes: vec![zero; samples],
            work: model.workspace(samples),
            weights: model.unit_weights(samples),
        }
    }

    /// Leaves out the derivative of `log q` by its parameters, always or never.
    #[must_use]
    pub fn sticking(mut self, sticks: bool) -> Self {
        self.landing = Landing::Always(sticks);
        self
    }

    /// Takes this noise (`[noise][sample]`) at every step: the estimate is then a function of the parameters alone, and its gradient, with the derivative of
    /// `log q` by its parameters, exact.
    ///
    /// # Source
    /// Giordano, Ingram & Broderick 2024, Black box variational inference with a deterministic objective.
    #[must_use]
    pub fn over(mut self, noise: Vec<E>) -> Self {
        (self.noise, self.fixed) = (noise, true);
        self.sticking(false)
    }

    /// Whether the derivative of `log q` by its parameters is left out now.
    #[must_use]
    pub fn sticks(&self) -> bool {
        self.landing.sticks()
    }

    /// Adds the derivative along the path, of the samples that `chosen` says.
    fn pull(
        &mut self,
        guide: &dyn Guide<E>,
        sticks: bool,
        adjoint: &mut [E],
        chosen: impl Fn(usize) -> bool,
        gradient: &mut [f64],
    ) {
        let mut slopes = std::mem::take(&mut self.slopes);
        self.objective.value(&self.ratios, &mut slopes);
        if sticks {
            self.objective.path_weights(&mut slopes);
        }
        for (s, (lane, (slope, stratum))) in self.lanes.iter_mut().zip(slopes.iter().zip(&self.strata)).enumerate() {
            *lane = E::from_f64(if chosen(s) { slope * stratum } else { 0.0 });
        }
        self.slopes = slopes;
        for row in adjoint.chunks_exact_mut(self.samples) {
            row.iter_mut().zip(&self.lanes).for_each(|(a, w)| *a = *a * *w);
        }
        let path = Path { noise: &self.noise, u: self.work.u(), samples: self.samples };
        if sticks {
            guide.stick(path, &self.lanes, adjoint, gradient, &mut self.scratch);
        } else {
            guide.pull_path(path, &self.lanes, adjoint, gradient, &mut self.scratch);
        }
    }

    /// The squared difference of the gradients of two halves of the samples, none of which holds half of an antithetic pair.
    fn variance(&mut self, guide: &dyn Guide<E>, sticks: bool, parameters: usize) -> f64 {
        let half = self.samples / 2;
        let [first, second] = [true, false].map(|first| {
            let mut gradient = vec![0.0; parameters];
            let mut adjoint = self.work.gradient().to_vec();
            self.pull(guide, sticks, &mut adjoint, |s| (s % half).is_multiple_of(2) == first, &mut gradient);
            gradient
        });
        first.iter().zip(&second).map(|(a, b)| (a - b).powi(2)).sum()
    }
}

impl<E: Real> GradientEstimator<E> for Pathwise<E> {
    fn estimate(&mut self, model: &dyn LogJoint<E>, guide: &dyn Guide<E>, key: u64, gradient: &mut [f64]) -> Estimate {
        let samples = self.samples;
        if !self.fixed {
            antithetic_normals(key, samples, &mut self.noise);
        }
        guide.sample(&self.noise, samples, self.work.u_mut());
        model.log_density(&mut self.work, &self.weights, &mut self.log_density);
        guide.log_prob_of(Path { noise: &self.noise, u: self.work.u(), samples }, &mut self.ratios);
        self.ratios.iter_mut().zip(&self.log_density).for_each(|(ratio, log_density)| *ratio = log_density - *ratio);
        let stratified = guide.strata(samples, &mut self.strata);
        if self.landing.is_due() && samples >= 4 {
            let [sticking, whole] = [true, false].map(|sticks| self.variance(guide, sticks, gradient.len()));
            self.landing.judge(sticking, whole);
        }
        self.landing.step();
        gradient.fill(0.0);
        let mut adjoint = std::mem::replace(&mut self.work.adjoints, aligned(E::default(), 0));
        let lanes = self.work.unconstrained * samples;
        self.pull(guide, self.sticks(), &mut adjoint[..lanes], |_| true, gradient);
        self.work.adjoints = adjoint;
        let elbo = if stratified {
            let share = 1.0 / samples as f64;
            let value = self.ratios.iter().zip(&self.strata).map(|(r, w)| r * w).sum::<f64>() * share;
            let adjoint: Vec<f64> = self.ratios.iter().map(|r| (r - value) * share).collect();
            guide.pull_strata(&adjoint, gradient);
            value
        } else {
            self.objective.value(&self.ratios, &mut self.slopes)
        };
        Estimate { elbo }
    }

    fn archive(&mut self, archive: &mut Archive) {
        self.landing.archive(archive);
    }

    fn draws(&self) -> &[E] {
        self.work.u()
    }

    fn log_densities(&self) -> &[f64] {
        &self.log_density
    }
}
