//! Independent latents, each from a family on its own support: a rate is gamma, a probability beta, a simplex Dirichlet.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::declared::{Drawn, Elements, dirichlet, drawn_from, gaussian};
use super::{Guide, Path, natural_step};
use crate::bijectors::Bijector;
use crate::distributions::{self as catalogue, Parameter, Support};
use crate::kernel::{Lanes, Real, bessel_i0_i1};
use crate::model::Variable;
use crate::random::{normals, step_key};

/// Samples over which the units of the parameters are found.
const SAMPLES: usize = 64;

/// A family that elements of a latent are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NativeFamily {
    /// Normal on the unconstrained scale: `Normal`, `LogNormal`, `LogitNormal`, and what bounds and simplexes make of it.
    Normal,
    /// `StudentT(df, loc, scale)` of real numbers.
    StudentT,
    /// `Gamma(shape, rate)` of positive numbers.
    Gamma,
    /// `InverseGamma(shape, scale)` of positive numbers.
    InverseGamma,
    /// `Beta(alpha, beta)` of numbers between zero and one.
    Beta,
    /// `Dirichlet(concentration)` of simplexes.
    Dirichlet,
    /// `VonMises(loc, concentration)` of angles between `-pi` and `pi`.
    VonMises,
}

impl NativeFamily {
    /// All of them.
    pub const ALL: [NativeFamily; 7] = [
        NativeFamily::Normal,
        NativeFamily::StudentT,
        NativeFamily::Gamma,
        NativeFamily::InverseGamma,
        NativeFamily::Beta,
        NativeFamily::Dirichlet,
        NativeFamily::VonMises,
    ];

    /// Whether it is on the support of a latent.
    #[must_use]
    pub fn is_on(self, latent: &Variable) -> bool {
        match self {
            NativeFamily::Normal => true,
            NativeFamily::StudentT => latent.bijector == Bijector::Identity,
            NativeFamily::Gamma | NativeFamily::InverseGamma => latent.bijector == Bijector::Exp,
            NativeFamily::Beta => latent.bijector == Bijector::Sigmoid,
            NativeFamily::Dirichlet => matches!(latent.bijector, Bijector::Simplex { .. }),
            NativeFamily::VonMises => match &latent.bijector {
                Bijector::Interval(bounds) => {
                    let is = |bound: &Option<Vec<f64>>, end: f64| bound.as_ref().is_some_and(|own| own.iter().all(|x| *x == end));
                    is(&bounds.lower, -std::f64::consts::PI) && is(&bounds.upper, std::f64::consts::PI)
                }
                _ => false,
            },
        }
    }

    pub(crate) fn drawn<E: Real>(self) -> &'static dyn Drawn<E> {
        match self {
            NativeFamily::Normal => gaussian(),
            NativeFamily::StudentT => drawn_from::<E, catalogue::StudentT, 3>(),
            NativeFamily::Gamma => drawn_from::<E, catalogue::Gamma, 2>(),
            NativeFamily::InverseGamma => drawn_from::<E, catalogue::InverseGamma, 2>(),
            NativeFamily::Beta => drawn_from::<E, catalogue::Beta, 2>(),
            NativeFamily::Dirichlet => dirichlet(),
            NativeFamily::VonMises => drawn_from::<E, catalogue::VonMises, 2>(),
        }
    }

    /// Its parameters.
    #[must_use]
    pub fn parameters(self) -> &'static [Parameter] {
        self.drawn::<f64>().parameters()
    }

    /// How many times a parameter is to be multiplied by `1 / factor^2` where the scale is to be multiplied by a factor: of a scale minus a half.
    fn spread(self, parameter: usize) -> f64 {
        match (self, parameter) {
            (NativeFamily::Normal, 1) | (NativeFamily::StudentT, 2) => -0.5,
            (NativeFamily::Normal | NativeFamily::StudentT, _) | (NativeFamily::VonMises, 0) => 0.0,
            _ => 1.0,
        }
    }
}

/// A latent array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Latent {
    family: NativeFamily,
    /// Its unconstrained dimensions, and so its rows of noise.
    u: Range<usize>,
    /// Where the numbers of each parameter of the family are among the parameters.
    parameters: Vec<Range<usize>>,
}

impl Latent {
    /// Replaces the gradient by a step in the natural parameters, which shapes, rates and concentrations are but for a constant: the inverse of their Fisher information times
    /// their gradient, a posterior of the same family being one whole step away.
    fn natural_step(&self, rate: f64, parameters: &[f64], gradient: &mut [f64]) {
        let count = self.parameters[0].len();
        let at = |k: usize, element: usize| self.parameters[k].start + element;
        match self.family {
            NativeFamily::Normal => {
                for element in 0..count {
                    let (loc, scale) = (at(0, element), at(1, element));
                    (gradient[loc], gradient[scale]) =
                        natural_step(parameters[scale], [rate, rate], gradient[loc], gradient[scale]);
                }
            }
            NativeFamily::Gamma | NativeFamily::InverseGamma => {
                for element in 0..count {
                    let places = [at(0, element), at(1, element)];
                    let [shape, other] = places.map(|place| parameters[place].exp());
                    let information = [shape.trigamma(), -other.recip(), shape / (other * other)];
                    two(rate, information, places, parameters, gradient);
                }
            }
            NativeFamily::Beta => {
                for element in 0..count {
                    let places = [at(0, element), at(1, element)];
                    let [alpha, beta] = places.map(|place| parameters[place].exp());
                    let both = (alpha + beta).trigamma();
                    two(rate, [alpha.trigamma() - both, -both, beta.trigamma() - both], places, parameters, gradient);
                }
            }
            NativeFamily::Dirichlet => {
                let (simplexes, all) = (count - self.u.len(), self.parameters[0].clone());
                let length = count.checked_div(simplexes).unwrap_or(count).max(1);
                for first in all.step_by(length) {
                    let own = first..first + length;
                    let concentration: Vec<f64> = parameters[own.clone()].iter().map(|x| x.exp()).collect();
                    // The information is diagonal less the same number everywhere (Sherman & Morrison 1950).
                    let both = concentration.iter().sum::<f64>().trigamma();
                    let weights: Vec<f64> = concentration.iter().map(|a| a.trigamma().recip()).collect();
                    let slopes: Vec<f64> = gradient[own.clone()].iter().zip(&concentration).map(|(g, a)| g / a).collect();
                    let total: f64 = slopes.iter().zip(&weights).map(|(slope, weight)| slope * weight).sum();
                    let shared = both * total / (1.0 - both * weights.iter().sum::<f64>());
                    for (k, place) in own.enumerate() {
                        gradient[place] = growth(rate * weights[k] * (slopes[k] + shared), concentration[k]);
                    }
                }
            }
            NativeFamily::VonMises => {
                for element in 0..count {
                    let (loc, concentration) = (at(0, element), at(1, element));
                    let kappa = parameters[concentration].exp();
                    // E[cos] = A, its slope 1 - A / kappa - A^2.
                    let length = bessel_i0_i1(kappa).ratio;
                    let slope = (1.0 - length / kappa - length * length).max(1e-9);
                    gradient[loc] *= rate / (kappa * length).max(1e-9);
                    gradient[concentration] = growth(rate * gradient[concentration] / (kappa * slope), kappa);
                }
            }
            // Its information has no closed form that is worth it.
            NativeFamily::StudentT => {}
        }
    }
}

/// The most by which a positive parameter grows or shrinks in a step.
const MOST: f64 = 10.0;

/// The change of the logarithm of a positive number.
fn growth(change: f64, of: f64) -> f64 {
    ((of + change) / of).clamp(MOST.recip(), MOST).ln()
}

/// Steps of two positive parameters, whose Fisher information (the first, both, the second) is given.
fn two(rate: f64, [a, b, d]: [f64; 3], places: [usize; 2], parameters: &[f64], gradient: &mut [f64]) {
    let values = places.map(|place| parameters[place].exp());
    let [g, h] = [gradient[places[0]] / values[0], gradient[places[1]] / values[1]];
    let determinant = a * d - b * b;
    let steps = [(d * g - b * h) / determinant, (a * h - b * g) / determinant];
    for k in 0..2 {
        gradient[places[k]] = growth(rate * steps[k], values[k]);
    }
}

/// `q = product over elements of D(theta)`, the families `D` on the supports of the latents; on the unconstrained scale draws are quantiles of their noise.
///
/// The parameters are, latent after latent and parameter after parameter, a number for each element: itself where it is real, its logarithm where it is positive. Points follow.
///
/// # Source
/// The gradients along the path: Figurnov, Mohamed & Mnih 2018, Implicit reparameterization gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Native {
    latents: Vec<Latent>,
    parameters: Vec<f64>,
    /// Whether each parameter is the logarithm of one that is positive.
    is_log: Vec<bool>,
    /// The last dimensions that are points, with their units.
    point_units: Vec<f64>,
}

impl Native {
    /// Latents in the order of their dimensions, each with its family, its unconstrained dimensions and the parameters of the family, `[parameter][element]`; and points with
    /// their units.
    ///
    /// # Panics
    /// If the numbers are not as many as the family has parameters, or a positive one is not.
    #[must_use]
    pub fn new(latents: &[(NativeFamily, Range<usize>, Vec<Vec<f64>>)], points: &[f64], point_units: &[f64]) -> Self {
        let mut native =
            Native { latents: Vec::new(), parameters: Vec::new(), is_log: Vec::new(), point_units: point_units.to_vec() };
        for (family, u, values) in latents {
            assert!(values.len() == family.parameters().len(), "{family:?} has {} parameters", family.parameters().len());
            let mut ranges = Vec::new();
            for (known, own) in family.parameters().iter().zip(values) {
                let (first, is_log) = (native.parameters.len(), known.support == Support::Positive);
                assert!(!is_log || own.iter().all(|x| *x > 0.0), "`{}` of {family:?} is positive", known.name);
                native.parameters.extend(own.iter().map(|x| if is_log { x.ln() } else { *x }));
                native.is_log.resize(native.parameters.len(), is_log);
                ranges.push(first..native.parameters.len());
            }
            native.latents.push(Latent { family: *family, u: u.clone(), parameters: ranges });
        }
        native.parameters.extend_from_slice(points);
        native
    }

    /// The family of each latent.
    pub fn families(&self) -> impl Iterator<Item = NativeFamily> {
        self.latents.iter().map(|latent| latent.family)
    }

    fn spread(&self) -> usize {
        self.latents.last().map_or(0, |latent| latent.u.end)
    }

    /// The parameters of the families, the same for all samples: `[parameter][sample]`.
    fn values<E: Real>(&self, parameters: &[f64], samples: usize) -> Vec<E> {
        let value = |(x, is_log): (&f64, &bool)| E::from_f64(if *is_log { x.exp() } else { *x });
        parameters.iter().zip(&self.is_log).map(value).flat_map(|x| std::iter::repeat_n(x, samples)).collect()
    }

    fn each<E: Real>(&self, samples: usize, values: &[E], mut visit: impl FnMut(&'static dyn Drawn<E>, Elements<'_, E>)) {
        for latent in &self.latents {
            let elements = Elements::new((latent.u.len(), latent.u.len(), latent.u.start), &latent.parameters, samples, values);
            visit(latent.family.drawn(), elements);
        }
    }

    /// Adds the adjoints of the parameters of the families to the gradient of the logarithms that they are.
    fn pull<E: Real>(&self, samples: usize, values: &[E], adjoints: &[E], gradient: &mut [f64]) {
        let rows = values.chunks_exact(samples).zip(adjoints.chunks_exact(samples));
        for ((g, is_log), (value, adjoint)) in gradient.iter_mut().zip(&self.is_log).zip(rows) {
            let sum: f64 = adjoint.iter().map(|x| x.to_f64()).sum();
            *g += if *is_log { sum * value[0].to_f64() } else { sum };
        }
    }
}

impl<E: Real> Guide<E> for Native {
    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn dimensions(&self) -> usize {
        self.spread() + self.point_units.len()
    }

    fn noise(&self) -> usize {
        self.spread()
    }

    fn sample(&self, noise: &[E], samples: usize, u: &mut [E]) {
        let values = self.values(&self.parameters, samples);
        self.each(samples, &values, |family, elements| family.draw(elements, noise, u));
        let points = &self.parameters[self.is_log.len()..];
        for (row, point) in u[self.spread() * samples..].chunks_exact_mut(samples).zip(points) {
            row.fill(E::from_f64(*point));
        }
    }

    fn pull_sample(&self, path: Path<'_, E>, u_adjoint: &mut [E], gradient: &mut [f64]) {
        let (samples, values) = (path.samples, self.values(&self.parameters, path.samples));
        let mut adjoints = vec![E::default(); values.len()];
        self.each(samples, &values, |family, elements| {
            family.pull(elements, (path.u, path.noise), None, &mut adjoints, u_adjoint);
        });
        self.pull(samples, &values, &adjoints, gradient);
        let rows = u_adjoint[self.spread() * samples..].chunks_exact(samples);
        for (g, row) in gradient[self.is_log.len()..].iter_mut().zip(rows) {
            *g += row.iter().map(|x| x.to_f64()).sum::<f64>();
        }
    }

    fn log_prob(&self, u: &[E], samples: usize, log_prob: &mut [f64]) {
        let values = self.values(&self.parameters, samples);
        log_prob.fill(0.0);
        self.each(samples, &values, |family, elements| family.log_prob(elements, None, u, log_prob));
    }

    fn pull_log_prob(
        &self,
        u: &[E],
        samples: usize,
        weights: &[f64],
        mut u_adjoint: Option<&mut [E]>,
        gradient: Option<&mut [f64]>,
    ) {
        let values = self.values(&self.parameters, samples);
        let mut adjoints = vec![E::default(); values.len()];
        let lanes: Vec<E> = weights.iter().map(|weight| E::from_f64(*weight)).collect();
        self.each(samples, &values, |family, elements| {
            family.score(elements, (u, None), &lanes, &mut adjoints, u_adjoint.as_deref_mut());
        });
        if let Some(gradient) = gradient {
            self.pull(samples, &values, &adjoints, gradient);
        }
    }

    /// The inverse square root of the Fisher information of each parameter.
    fn units(&self, parameters: &[f64], units: &mut [f64]) {
        let values = self.values(parameters, SAMPLES);
        let mut noise = vec![E::default(); self.spread() * SAMPLES];
        normals(step_key(0, 0), SAMPLES, &mut noise);
        let (mut u, mut adjoints) = (vec![E::default(); noise.len()], vec![E::default(); values.len()]);
        let weights = vec![E::from_f64(1.0); SAMPLES];
        self.each(SAMPLES, &values, |family, elements| {
            family.draw(elements, &noise, &mut u);
            family.score(elements, (&u, Some(&noise)), &weights, &mut adjoints, None);
        });
        let rows = adjoints.chunks_exact(SAMPLES).zip(values.chunks_exact(SAMPLES));
        for ((unit, is_log), (row, value)) in units.iter_mut().zip(&self.is_log).zip(rows) {
            let slope = if *is_log { value[0].to_f64() } else { 1.0 };
            let information = row.iter().map(|x| (x.to_f64() * slope).powi(2)).sum::<f64>() / SAMPLES as f64;
            *unit = if information.is_finite() && information > 1e-12 { information.sqrt().recip() } else { 1.0 };
        }
        units[self.is_log.len()..].copy_from_slice(&self.point_units);
    }

    fn natural_step(&self, rate: f64, gradient: &mut [f64]) -> bool {
        if self.families().any(|family| family == NativeFamily::StudentT) {
            return false;
        }
        for latent in &self.latents {
            latent.natural_step(rate, &self.parameters, gradient);
        }
        let points = gradient[self.is_log.len()..].iter_mut().zip(&self.point_units);
        points.for_each(|(d, unit)| *d *= rate * unit * unit);
        true
    }

    fn narrow(&mut self, factor: f64) {
        for latent in &self.latents {
            for (k, range) in latent.parameters.iter().enumerate() {
                let change = -2.0 * factor.ln() * latent.family.spread(k);
                self.parameters[range.clone()].iter_mut().for_each(|x| *x += change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each family.
    fn all() -> Native {
        let latents = [
            (NativeFamily::Normal, 0..2, vec![vec![0.3, -1.0], vec![0.5, 2.0]]),
            (NativeFamily::StudentT, 2..3, vec![vec![5.0], vec![-0.5], vec![1.5]]),
            (NativeFamily::Gamma, 3..5, vec![vec![0.7, 4.0], vec![2.0, 3.0]]),
            (NativeFamily::InverseGamma, 5..6, vec![vec![3.0], vec![2.0]]),
            (NativeFamily::Beta, 6..7, vec![vec![2.0], vec![0.8]]),
            (NativeFamily::Dirichlet, 7..9, vec![vec![1.0, 2.5, 0.6]]),
            (NativeFamily::VonMises, 9..10, vec![vec![0.4], vec![2.0]]),
        ];
        Native::new(&latents, &[0.7], &[1.0])
    }

    /// The sum over samples of `weights . u - weights . log q(u)` along the path, and `weights . log q` of draws that stay.
    fn values(guide: &Native, noise: &[f64], fixed: &[f64], weights: &[f64]) -> [f64; 2] {
        let samples = 8;
        let mut u = vec![0.0; 11 * samples];
        guide.sample(noise, samples, &mut u);
        let path: f64 = u
            .chunks_exact(samples)
            .enumerate()
            .map(|(i, row)| (1.0 + i as f64).sin() * row.iter().zip(weights).map(|(u, w)| u * w).sum::<f64>())
            .sum();
        let mut log_prob = vec![0.0; samples];
        Guide::<f64>::log_prob(guide, fixed, samples, &mut log_prob);
        [path, log_prob.iter().zip(weights).map(|(l, w)| l * w).sum()]
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let (guide, samples) = (all(), 8);
        let mut noise = vec![0.0; 10 * samples];
        normals(3, samples, &mut noise);
        let weights: Vec<f64> = (0..samples).map(|s| 0.2 + 0.1 * s as f64).collect();
        let mut u = vec![0.0; 11 * samples];
        guide.sample(&noise, samples, &mut u);
        let n = Guide::<f64>::parameters(&guide).len();
        let mut found = [vec![0.0; n], vec![0.0; n]];
        let mut adjoint: Vec<f64> =
            (0..11).flat_map(|i| weights.iter().map(move |w| (1.0 + f64::from(i)).sin() * w).collect::<Vec<_>>()).collect();
        guide.pull_sample(Path { noise: &noise, u: &u, samples }, &mut adjoint, &mut found[0]);
        let mut u_adjoint = vec![0.0; u.len()];
        guide.pull_log_prob(&u, samples, &weights, Some(&mut u_adjoint), Some(&mut found[1]));
        for i in 0..n {
            let at = |h: f64| {
                let mut moved = guide.clone();
                Guide::<f64>::parameters_mut(&mut moved)[i] += h;
                values(&moved, &noise, &u, &weights)
            };
            let (above, below) = (at(1e-5), at(-1e-5));
            for which in 0..2 {
                let numeric = (above[which] - below[which]) / 2e-5;
                assert!(
                    (numeric - found[which][i]).abs() < 2e-5 * (1.0 + numeric.abs()),
                    "{which} {i}: {numeric} {}",
                    found[which][i]
                );
            }
        }
        for i in 0..u.len() {
            let at = |h: f64| {
                let mut moved = u.clone();
                moved[i] += h;
                values(&guide, &noise, &moved, &weights)[1]
            };
            let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((numeric - u_adjoint[i]).abs() < 2e-5 * (1.0 + numeric.abs()), "{i}: {numeric} {}", u_adjoint[i]);
        }
    }

    #[test]
    fn natural_steps_divide_by_the_fisher_information() {
        // By 200 000 draws: the mean square of the score, element by element.
        let (latents, samples): (Vec<_>, usize) = (
            vec![
                (NativeFamily::Normal, 0..1, vec![vec![0.3], vec![0.5]]),
                (NativeFamily::Gamma, 1..2, vec![vec![0.7], vec![2.0]]),
                (NativeFamily::InverseGamma, 2..3, vec![vec![3.0], vec![2.0]]),
                (NativeFamily::Beta, 3..4, vec![vec![2.0], vec![0.8]]),
                (NativeFamily::Dirichlet, 4..6, vec![vec![1.0, 2.5, 0.6]]),
                (NativeFamily::VonMises, 6..7, vec![vec![0.4], vec![2.0]]),
            ],
            200_000,
        );
        let guide = Native::new(&latents, &[], &[]);
        let n = Guide::<f64>::parameters(&guide).len();
        let mut noise = vec![0.0; 7 * samples];
        normals(9, samples, &mut noise);
        let mut u = vec![0.0; 7 * samples];
        guide.sample(&noise, samples, &mut u);
        let (values, weights) = (guide.values(&guide.parameters, samples), vec![1.0; samples]);
        let mut scores = vec![0.0; values.len()];
        guide.each(samples, &values, |family, elements| family.score(elements, (&u, Some(&noise)), &weights, &mut scores, None));
        let slope = |i: usize| if guide.is_log[i] { values[i * samples] } else { 1.0 };
        let row = |i: usize| scores[i * samples..(i + 1) * samples].iter().map(move |x| x * slope(i));
        let information = |i: usize, j: usize| row(i).zip(row(j)).map(|(a, b)| a * b).sum::<f64>() / samples as f64;
        // The gradient of a small step is the information times it; the natural step gives it back.
        let step: Vec<f64> = (0..n).map(|i| 1e-3 * (1.0 + i as f64).sin()).collect();
        let mut gradient: Vec<f64> = (0..n)
            .map(|i| (0..n).map(|j| if of(&guide, i) == of(&guide, j) { information(i, j) * step[j] } else { 0.0 }).sum())
            .collect();
        assert!(Guide::<f64>::natural_step(&guide, 1.0, &mut gradient));
        for (i, (found, expected)) in gradient.iter().zip(&step).enumerate() {
            assert!((found - expected).abs() < 4e-5, "{i}: {found} {expected}");
        }
    }

    /// The latent that a parameter belongs to.
    fn of(guide: &Native, parameter: usize) -> Option<usize> {
        guide.latents.iter().position(|latent| latent.parameters.iter().any(|own| own.contains(&parameter)))
    }

    #[test]
    fn what_is_narrowed_has_its_center_and_a_smaller_spread() {
        let samples = 4096;
        let mut noise = vec![0.0; 10 * samples];
        normals(5, samples, &mut noise);
        let moments = |guide: &Native| -> Vec<[f64; 2]> {
            let mut u = vec![0.0; 11 * samples];
            guide.sample(&noise, samples, &mut u);
            u.chunks_exact(samples)
                .map(|row| {
                    let mean = row.iter().sum::<f64>() / samples as f64;
                    [mean, (row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / samples as f64).sqrt()]
                })
                .collect()
        };
        let (wide, mut guide) = (all(), all());
        Guide::<f64>::narrow(&mut guide, 0.5);
        for (i, (before, after)) in moments(&wide).into_iter().zip(moments(&guide)).enumerate().take(10) {
            assert!(after[1] < 0.75 * before[1], "{i}: {before:?} {after:?}");
            assert!((after[0] - before[0]).abs() < 0.9 * before[1], "{i}: {before:?} {after:?}");
        }
    }
}
