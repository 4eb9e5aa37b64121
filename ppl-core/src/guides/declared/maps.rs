//! The two maps of a guide written by `guide!`, and their pullbacks: through the families, latent after latent.

use super::{Buffers, DeclaredGuide, Start, pull_constrain};
use crate::guides::{Guide, OfBatch, Path};
use crate::kernel::Real;
use crate::model::{Graph, Layout, Workspace};
use crate::random::{normals, step_key};

/// The samples over which the units of the parameters are found.
const SAMPLES: usize = 64;

/// So many numbers that few samples are enough.
const MANY: usize = 50_000;

/// In how many steps scales are narrowed: the slope changes on the way.
const NARROWINGS: u32 = 8;

impl<E: Real> DeclaredGuide<'_, E> {
    /// Adds the derivative of `weights . log q`, the weights being by block and sample, by draws to their adjoint and, where they are wanted, that by parameters to their gradient.
    fn score(
        &self,
        (u, noise, samples): (&[E], Option<&[E]>, usize),
        weights: &[f64],
        buffers: &mut Buffers<E>,
        mut u_adjoint: Option<&mut [E]>,
        gradient: Option<&mut [f64]>,
    ) {
        let lanes: Vec<E> = weights.iter().map(|&weight| E::from_f64(weight)).collect();
        let Workspace { values, adjoints, .. } = &mut buffers.work;
        adjoints.fill(E::default());
        let is_of_draws = u_adjoint.is_some();
        for located in &self.located {
            let u_adjoint = u_adjoint.as_deref_mut();
            let (elements, first) = (located.elements(samples, values), &lanes[located.block * samples..]);
            if located.apart.is_empty() {
                located.family.score(elements, (u, noise), &first[..samples], adjoints, u_adjoint);
            }
            // Where draws alone are asked for, what is made of no others tells nothing.
            if gradient.is_none() && is_of_draws && located.reads.is_empty() {
                continue;
            }
            for ((i, parameters), lanes) in located.apart.iter().enumerate().zip(first.chunks_exact(samples)) {
                if lanes.iter().any(|weight| *weight != E::default()) {
                    located.family.score(elements.one(i, parameters), (u, noise), lanes, adjoints, None);
                }
            }
        }
        self.located.iter().for_each(|located| self.density.pull_locate(located.centred, &mut buffers.work, &buffers.weights));
        if let Some(u_adjoint) = u_adjoint.as_deref_mut() {
            self.known().for_each(|known| pull_constrain(known, u, u_adjoint, buffers));
        }
        let (own, automatic) = match gradient {
            Some(gradient) => {
                let (own, rest) = gradient.split_at_mut(self.own);
                (Some(own), Some(&mut rest[..self.of_automatic().len()]))
            }
            None => (None, None),
        };
        let (gaussian, of_first) = (&self.parameters[self.of_automatic()], &weights[..samples]);
        self.automatic.pull_log_prob(gaussian, (u, samples), of_first, u_adjoint, automatic);
        if let Some(own) = own {
            self.pull_parameters(buffers, own);
        }
    }

    /// Adds the pullback of the adjoint of the samples along their path; with `weights`, less that of the weighted log density along it.
    fn pull(
        &self,
        path: Path<'_, E>,
        weights: Option<&[E]>,
        buffers: &mut Buffers<E>,
        u_adjoint: &mut [E],
        gradient: &mut [f64],
    ) {
        let samples = path.samples;
        buffers.work.adjoints.fill(E::default());
        for located in self.located.iter().rev() {
            pull_constrain(&located.known, path.u, u_adjoint, buffers);
            let Workspace { values, adjoints, .. } = &mut buffers.work;
            let (elements, drawn) = (located.elements(samples, values), (path.u, path.noise));
            located.family.pull(elements, drawn, weights, adjoints, u_adjoint);
            self.density.pull_locate(located.centred, &mut buffers.work, &buffers.weights);
        }
        for known in self.automatic.latents() {
            pull_constrain(known, path.u, u_adjoint, buffers);
        }
        let (own, rest) = gradient.split_at_mut(self.own);
        let (automatic, points) = rest.split_at_mut(self.of_automatic().len());
        self.automatic.pull(&self.parameters[self.of_automatic()], path, weights, u_adjoint, automatic);
        for (row, gradient) in self.points.clone().zip(points) {
            *gradient += u_adjoint[row * samples..(row + 1) * samples].iter().map(|x| x.to_f64()).sum::<f64>();
        }
        self.pull_parameters(buffers, own);
    }

    /// Adds the adjoints of the guide's own parameters to their gradient.
    fn pull_parameters(&self, buffers: &mut Buffers<E>, gradient: &mut [f64]) {
        self.each_parameter(buffers, |index, lanes| gradient[index] += lanes.iter().map(|x| x.to_f64()).sum::<f64>());
    }

    /// Gives the adjoints of each of the guide's own parameters, a lane for each sample.
    fn each_parameter(&self, buffers: &mut Buffers<E>, mut give: impl FnMut(usize, &[E])) {
        self.density.pull_constrain(&mut buffers.work, &buffers.weights);
        let samples = buffers.work.samples;
        let rows = self.density.layout().parameters().flat_map(|own| own.unconstrained.clone());
        rows.enumerate().for_each(|(index, row)| give(index, &buffers.work.adjoints[row * samples..(row + 1) * samples]));
    }

    /// A step along the slope of the mean logarithm of the scales of what is drawn by statements, by which that changes.
    fn step_narrower(&mut self, change: f64) {
        let spread = self.located.iter().filter(|located| located.apart.is_empty());
        let elements: usize = spread.map(|located| located.known.u.len()).sum();
        if elements == 0 {
            return;
        }
        let mut units = vec![1.0; self.parameters.len()];
        self.units(&self.parameters, &mut units);
        let (samples, noise) = self.noise_of_units();
        let mut u = vec![E::default(); self.dimensions * samples];
        let mut buffers = self.draw(&noise, samples, &mut u);
        // Minus the weighted log density along the path is the logarithm of scales, but for what does not depend on parameters.
        let weights = vec![E::from_f64(1.0 / (samples * elements) as f64); samples];
        let mut slope = vec![0.0; self.parameters.len()];
        let mut adjoint = vec![E::default(); u.len()];
        let path = Path { noise: &noise, u: &u, samples };
        self.pull(path, Some(&weights), &mut buffers, &mut adjoint, &mut slope);
        self.give_back(buffers);
        let steepness: f64 = slope.iter().zip(&units).take(self.own).map(|(slope, unit)| (slope * unit).powi(2)).sum();
        if steepness.is_finite() && steepness > 1e-12 {
            let far = change / steepness;
            let all = self.parameters.iter_mut().zip(slope.iter().zip(&units)).take(self.own);
            all.for_each(|(x, (slope, unit))| *x += far * slope * unit * unit);
        }
    }

    /// Noise that is always the same.
    pub(super) fn noise_of_units(&self) -> (usize, Vec<E>) {
        // Of very many numbers each sample tells as much as many do of few.
        let samples = if self.points.start > MANY { E::LANE_MULTIPLE } else { SAMPLES };
        let mut noise = vec![E::default(); Guide::<E>::noise(self) * samples];
        normals(step_key(0, 0), samples, &mut noise);
        (samples, noise)
    }
}

impl<E: Real> Guide<E> for DeclaredGuide<'_, E> {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn named_parameters(&self) -> Vec<(String, f64)> {
        let buffers = self.buffers(E::LANE_MULTIPLE);
        let layout = self.density.layout();
        let value = |row: usize| buffers.work.values[row * E::LANE_MULTIPLE].to_f64();
        let named = layout
            .parameters()
            .flat_map(|own| own.rows.clone().enumerate().map(move |(i, row)| (layout.element_name(own, i), row)))
            .map(|(name, row)| (name, value(row)))
            .collect();
        self.give_back(buffers);
        named
    }

    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn noise(&self) -> usize {
        self.dimensions - self.points.len()
    }

    fn spreading(&self) -> usize {
        self.points.start
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        let buffers = self.draw(noise, samples, u);
        self.give_back(buffers);
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        let mut buffers = self.located(path.u, path.samples);
        self.pull(path, None, &mut buffers, u_adjoint, gradient);
        self.give_back(buffers);
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let buffers = self.located(u, samples);
        self.automatic.log_prob(&self.parameters[self.of_automatic()], u, samples, log_prob);
        for located in &self.located {
            located.family.log_prob(located.elements(samples, &buffers.work.values), None, u, log_prob);
        }
        self.give_back(buffers);
    }

    fn log_prob_of(&self, path: Path<'_, E>, log_prob: &mut [f64]) {
        let (samples, noise) = (path.samples, Some(path.noise));
        let buffers = self.located(path.u, samples);
        self.automatic.log_prob_of(&self.parameters[self.of_automatic()], path, log_prob);
        for located in &self.located {
            located.family.log_prob(located.elements(samples, &buffers.work.values), noise, path.u, log_prob);
        }
        self.give_back(buffers);
    }

    fn pull_log_prob(&self, u: &[E], samples: usize, weights: &[f64], u_adjoint: Option<&mut [E]>, gradient: Option<&mut [f64]>) {
        self.pull_block_log_prob(u, samples, &weights.repeat(self.blocks.len()), u_adjoint, gradient);
    }

    fn blocks(&self) -> Vec<Vec<usize>> {
        self.blocks.clone()
    }

    fn has_path(&self, block: usize) -> bool {
        block < self.with_path
    }

    fn is_last(&self, block: usize) -> bool {
        self.last[block]
    }

    fn block_log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let buffers = self.located(u, samples);
        let (first, others) = log_prob.split_at_mut(samples);
        self.automatic.log_prob(&self.parameters[self.of_automatic()], u, samples, first);
        others.fill(0.0);
        for located in &self.located {
            let (elements, own) = (located.elements(samples, &buffers.work.values), &mut log_prob[located.block * samples..]);
            if located.apart.is_empty() {
                located.family.log_prob(elements, None, u, &mut own[..samples]);
            }
            for ((i, parameters), own) in located.apart.iter().enumerate().zip(own.chunks_exact_mut(samples)) {
                located.family.log_prob(elements.one(i, parameters), None, u, own);
            }
        }
        self.give_back(buffers);
    }

    fn pull_block_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        u_adjoint: Option<&mut [E]>,
        gradient: Option<&mut [f64]>,
    ) {
        let mut buffers = self.located(u, samples);
        self.score((u, None, samples), weights, &mut buffers, u_adjoint, gradient);
        self.give_back(buffers);
    }

    fn refuses_batches(&self, plate: usize, graph: &Graph, layout: &Layout) -> Option<String> {
        self.refused(plate, graph, layout)
    }

    fn part(&self, of: &OfBatch<'_>) -> Option<(Box<dyn Guide<E> + '_>, Vec<usize>)> {
        self.of_batch(of)
    }

    fn stick(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _: &mut Vec<E>) {
        let minus: Vec<f64> = weights.iter().map(|w| -w.to_f64()).collect::<Vec<_>>().repeat(self.blocks.len());
        let mut buffers = self.located(path.u, path.samples);
        self.score((path.u, Some(path.noise), path.samples), &minus, &mut buffers, Some(&mut *u_adjoint), None);
        self.pull(path, None, &mut buffers, u_adjoint, gradient);
        self.give_back(buffers);
    }

    fn pull_path(&self, path: Path<'_, E>, weights: &[E], u_adjoint: &mut [E], gradient: &mut [f64], _: &mut Vec<E>) {
        // Of a location and a scale, log q of the noise is what it is: along the path only the scales change.
        let mut buffers = self.located(path.u, path.samples);
        self.pull(path, Some(weights), &mut buffers, u_adjoint, gradient);
        self.give_back(buffers);
    }

    /// The inverse square root of the Fisher information of each parameter.
    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        let mut guide = self.clone();
        guide.parameters.copy_from_slice(parameters);
        let (samples, noise) = guide.noise_of_units();
        let mut u = vec![E::default(); guide.dimensions * samples];
        let mut buffers = guide.draw(&noise, samples, &mut u);
        guide.score((&u, Some(&noise), samples), &vec![1.0; samples * guide.blocks.len()], &mut buffers, None, None);
        units.fill(1.0);
        guide.each_parameter(&mut buffers, |index, lanes| {
            let information = lanes.iter().map(|x| x.to_f64().powi(2)).sum::<f64>() / lanes.len() as f64;
            if information.is_finite() && information > 1e-12 {
                units[index] = information.sqrt().recip();
            }
        });
        let automatic = guide.of_automatic();
        guide.automatic.units(&parameters[automatic.clone()], &mut units[automatic]);
    }

    /// Goes the shortest way, in units of the parameters, to where the mean logarithm of the scales (of `du / d noise`) is less by as much.
    fn narrow(&mut self, factor: f64) {
        let automatic = self.of_automatic();
        self.automatic.narrow(&mut self.parameters[automatic], factor);
        for _ in 0..NARROWINGS {
            self.step_narrower(factor.ln() / f64::from(NARROWINGS));
        }
    }

    fn open(&self) -> &[usize] {
        self.automatic.dimensions()
    }

    fn begin(&mut self, start: &Start) {
        self.automatic.begin(start);
        let automatic = self.of_automatic();
        self.parameters[automatic].copy_from_slice(self.automatic.parameters());
    }
}
