//! Tables of discrete latents by coordinate ascent: each is what its values contribute to the log joint, on average over draws of all else.

use super::blame::blame;
use super::error::{ConfigError, FitError};
use crate::estimators::Blankets;
use crate::guides::{FittedGuide, Table};
use crate::kernel::Real;
use crate::model::{LogJoint, Weights, Workspace};
use crate::random::{antithetic_normals, shuffle, step_key, uniform};

/// Up to so many values are evaluated one by one; of more, as many of them.
const VALUES: usize = 64;
/// Nats below the best value from which on a value is left out.
const NEGLIGIBLE: f64 = 40.0;
/// How often the range of values is looked for more closely, and how often the end of what is possible.
const ROUNDS: usize = 10;
const HALVINGS: usize = 40;
/// The largest offset from the first value that is looked at, and the most values of a table, and of all tables.
const FARTHEST: f64 = 1e9;
const LONGEST: f64 = 1e5;
const ALL: f64 = 5e7;

/// Tables of all discrete latents that are drawn.
pub(super) struct Tables<'a, E: Real> {
    model: &'a dyn LogJoint<E>,
    blankets: Blankets<E>,
    /// Elements that are independent given all others.
    sets: Vec<Vec<usize>>,
    elements: Vec<Element>,
    /// The first of their dimensions.
    first: usize,
    /// Draws of everything, over which the means are taken: `[dimension][sample]`.
    u: Vec<E>,
    samples: usize,
    work: Workspace<E>,
    weights: Weights<E>,
    costs: Vec<f64>,
    key: u64,
}

/// A discrete latent.
struct Element {
    name: String,
    /// The values that the model allows.
    from: f64,
    to: f64,
    table: Option<Table>,
}

/// Some values of an element with what each contributes, in nats.
#[derive(Clone, Default)]
struct Nodes {
    values: Vec<f64>,
    log_probs: Vec<f64>,
    /// Whether nothing is to be looked for between them.
    is_final: bool,
}

impl<'a, E: Real> Tables<'a, E> {
    /// No tables yet: everything is where a fit starts.
    pub(super) fn new(model: &'a dyn LogJoint<E>, start: &[f64], samples: usize, seed: u64) -> Self {
        let layout = model.layout();
        let dimensions = layout.discrete();
        let blocks: Vec<Vec<usize>> = dimensions.clone().map(|dimension| vec![dimension]).collect();
        let blankets = Blankets::new(model, &blocks, &vec![true; blocks.len()]);
        let blankets = blankets.unwrap_or_else(|| unreachable!("a model as it is written has Markov blankets"));
        let elements: Vec<Element> = layout
            .drawn()
            .flat_map(|variable| {
                let values = variable.values.unwrap_or_else(|| unreachable!("drawn latents have values"));
                let to = values.to.map_or(f64::INFINITY, |to| to as f64);
                let name = |element| layout.element_name(variable, element);
                (0..variable.rows.len()).map(move |i| Element { name: name(i), from: values.from as f64, to, table: None })
            })
            .collect();
        let mut u: Vec<E> = start.iter().flat_map(|x| vec![E::from_f64(*x); samples]).collect();
        for (element, row) in elements.iter().zip(u[dimensions.start * samples..].chunks_exact_mut(samples)) {
            row.iter_mut().for_each(|x| *x = E::from_f64(x.to_f64().round().clamp(element.from, element.to - 1.0)));
        }
        Tables {
            sets: blankets.independent(),
            blankets,
            costs: vec![0.0; elements.len() * samples],
            elements,
            first: dimensions.start,
            u,
            work: model.workspace(samples),
            weights: model.unit_weights(samples),
            samples,
            model,
            key: step_key(seed, u64::MAX - 17),
        }
    }

    /// Draws all else from a guide, and the discrete latents from their tables, so many of each.
    pub(super) fn around(&mut self, guide: &FittedGuide, samples: usize) {
        let (guide, elements) = (guide.guide::<E>(), self.elements.len());
        if samples != self.samples {
            self.samples = samples;
            (self.work, self.weights) = (self.model.workspace(samples), self.model.unit_weights(samples));
            self.u = vec![E::default(); (self.first + elements) * samples];
            self.costs = vec![0.0; elements * samples];
            self.draw(&(0..elements).collect::<Vec<_>>());
        }
        let mut noise = vec![E::default(); guide.noise() * samples];
        antithetic_normals(self.key, samples, &mut noise);
        guide.sample(&noise, samples, &mut self.u[..self.first * samples]);
    }

    /// One turn over all tables; after each set its elements are drawn anew.
    pub(super) fn improve(&mut self) -> Result<(), FitError> {
        let mut length = 0.0;
        for set in self.sets.clone() {
            let mut nodes: Vec<Nodes> = set.iter().map(|&element| self.elements[element].begin()).collect();
            for _ in 0..ROUNDS {
                self.evaluate(&set, &mut nodes);
                for (nodes, &element) in nodes.iter_mut().zip(&set) {
                    if !nodes.is_final && !self.elements[element].look_closer(nodes) {
                        return Err(self.impossible());
                    }
                }
                if nodes.iter().all(|nodes| nodes.is_final) {
                    break;
                }
            }
            self.find_ends(&set, &mut nodes);
            for (nodes, &at) in nodes.iter().zip(&set) {
                let values = nodes.values.last().unwrap_or(&0.0) - nodes.values.first().unwrap_or(&0.0) + 1.0;
                length += values;
                let element = &mut self.elements[at];
                if values > LONGEST || length > ALL {
                    return Err(ConfigError::SampledRange { name: element.name.clone(), values }.into());
                }
                element.table = Some(nodes.table());
            }
            self.draw(&set);
        }
        Ok(())
    }

    /// Draws of the discrete latents, one of all of them after the other.
    pub(super) fn draws(&self) -> Vec<f64> {
        let rows = || self.u[self.first * self.samples..].chunks_exact(self.samples);
        (0..self.samples).flat_map(|draw| rows().map(move |row| row[draw].to_f64())).collect()
    }

    /// The tables.
    pub(super) fn finish(self) -> Vec<Table> {
        self.elements.into_iter().filter_map(|element| element.table).collect()
    }

    /// What each element contributes, as all are now.
    fn contributions(&mut self) -> impl Fn(usize) -> f64 {
        self.work.u_mut().copy_from_slice(&self.u);
        let samples = self.samples;
        self.model.constrain(&mut self.work, &mut vec![0.0; samples]);
        self.blankets.costs(self.model, &self.u, &mut self.work, &self.weights, &mut self.costs);
        let means: Vec<f64> = self.costs.chunks_exact(samples).map(|own| own.iter().sum::<f64>() / samples as f64).collect();
        move |element| if means[element].is_nan() { f64::NEG_INFINITY } else { means[element] }
    }

    fn row(&mut self, element: usize) -> &mut [E] {
        let first = (self.first + element) * self.samples;
        &mut self.u[first..first + self.samples]
    }

    /// Evaluates all values of the nodes that are not final.
    fn evaluate(&mut self, set: &[usize], nodes: &mut [Nodes]) {
        let open = |nodes: &Nodes| if nodes.is_final { 0 } else { nodes.values.len() };
        nodes.iter_mut().filter(|nodes| !nodes.is_final).for_each(|nodes| nodes.log_probs.clear());
        for at in 0..nodes.iter().map(open).max().unwrap_or(0) {
            for (nodes, &element) in nodes.iter().zip(set) {
                if let Some(value) = nodes.values.get(at).filter(|_| !nodes.is_final) {
                    self.row(element).fill(E::from_f64(*value));
                }
            }
            let contribution = self.contributions();
            for (nodes, &element) in nodes.iter_mut().zip(set) {
                if at < open(nodes) {
                    nodes.log_probs.push(contribution(element));
                }
            }
        }
    }

    /// Where values are impossible beyond nodes that are: the first and the last value that is possible.
    fn find_ends(&mut self, set: &[usize], nodes: &mut [Nodes]) {
        for upper in [false, true] {
            for _ in 0..HALVINGS {
                let middles: Vec<Option<(usize, f64)>> = nodes.iter().map(|nodes| nodes.middle(upper)).collect();
                if middles.iter().all(Option::is_none) {
                    break;
                }
                for (middle, &element) in middles.iter().zip(set) {
                    if let Some((_, value)) = middle {
                        self.row(element).fill(E::from_f64(*value));
                    }
                }
                let contribution = self.contributions();
                for ((middle, &element), nodes) in middles.iter().zip(set).zip(nodes.iter_mut()) {
                    if let Some((at, value)) = *middle {
                        nodes.values.insert(at, value);
                        nodes.log_probs.insert(at, contribution(element));
                    }
                }
            }
        }
    }

    /// Draws elements from their tables: of each one draw in every part of equal probability, in an order of its own (`McKay`, Beckman & Conover 1979), so that the mean of what
    /// reads one element is all but exact.
    fn draw(&mut self, set: &[usize]) {
        let (key, samples) = (self.key, self.samples);
        let mut order: Vec<usize> = Vec::new();
        for &element in set {
            let Some(table) = self.elements[element].table.clone() else { continue };
            let mut cumulative = table.probs(&vec![0.0; table.parameters()]);
            for at in 1..cumulative.len() {
                cumulative[at] += cumulative[at - 1];
            }
            order.clear();
            order.extend(0..samples);
            shuffle(step_key(key, element as u64), &mut order);
            for (sample, (value, part)) in self.row(element).iter_mut().zip(&order).enumerate() {
                let within = uniform(key, (element * samples + sample) as u64);
                *value = E::from_f64(table.quantile(&cumulative, (*part as f64 + within) / samples as f64));
            }
        }
    }

    fn impossible(&self) -> FitError {
        FitError::Start { tries: 1, culprit: blame(self.model, &self.u, &vec![f64::NAN; self.samples]) }
    }
}

impl Element {
    /// The values to begin with: all of them, those around the table, or a grid that grows.
    fn begin(&self) -> Nodes {
        let nodes = |values: Vec<f64>| Nodes { values, ..Nodes::default() };
        if self.to - self.from <= VALUES as f64 {
            return nodes(every(self.from, self.to - 1.0));
        }
        match &self.table {
            Some(table) => {
                let (length, first) = (table.len() as f64, table.first());
                let margin = (length / 2.0).floor() + 2.0;
                nodes(some(self.within(first - margin), self.within(first + length - 1.0 + margin)))
            }
            None => nodes(self.growing()),
        }
    }

    fn within(&self, value: f64) -> f64 {
        value.max(self.from).min(self.to - 1.0)
    }

    /// 0, 1, 2, 3, 4, 6, 8, 12, 16, .. after the first value, and the last one.
    fn growing(&self) -> Vec<f64> {
        let farthest = (self.to - 1.0 - self.from).min(FARTHEST);
        let powers = (1..).map(|k| f64::from(k).exp2()).flat_map(|power| [power, 1.5 * power]);
        let offsets = [0.0, 1.0].into_iter().chain(powers.take_while(|offset| *offset < farthest)).chain([farthest]);
        offsets.map(|offset| self.from + offset).collect()
    }

    /// Narrows values that were evaluated to those that matter; false if none is possible.
    fn look_closer(&self, nodes: &mut Nodes) -> bool {
        let Nodes { values, log_probs, is_final } = nodes;
        let best = log_probs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !best.is_finite() {
            return false;
        }
        let matters = |x: &f64| *x >= best - NEGLIGIBLE;
        let (Some(low), Some(high)) = (log_probs.iter().position(matters), log_probs.iter().rposition(matters)) else {
            return false;
        };
        let (least, most) = (values[0], values[values.len() - 1]);
        let is_every = most - least + 1.0 == values.len() as f64;
        // The table has moved beyond what was looked at.
        let has_left =
            (low == 0 && least > self.from) || (high + 1 == values.len() && most < self.to - 1.0 && most < self.from + FARTHEST);
        if has_left {
            *values = self.growing();
            return true;
        }
        let (from, to) = (values[low.saturating_sub(1)], values[(high + 1).min(values.len() - 1)]);
        if is_every || (to - from >= 0.7 * (most - least) && values.len() >= VALUES) {
            let kept = low.saturating_sub(1)..(high + 2).min(values.len());
            *values = values[kept.clone()].to_vec();
            *log_probs = log_probs[kept].to_vec();
            *is_final = true;
        } else {
            *values = some(from, to);
        }
        true
    }
}

impl Nodes {
    /// A value between one that is impossible and one that is not, before the first or after the last that is, and where it stands.
    fn middle(&self, upper: bool) -> Option<(usize, f64)> {
        let is_possible = |x: &f64| x.is_finite();
        let at = if upper {
            let last = self.log_probs.iter().rposition(is_possible)?;
            (last + 1 < self.values.len()).then_some(last + 1)?
        } else {
            self.log_probs.iter().position(is_possible).filter(|first| *first > 0)?
        };
        let (a, b) = (self.values[at - 1], self.values[at]);
        (b - a > 1.0).then(|| (at, f64::midpoint(a, b).floor()))
    }

    /// The table of all values from the first to the last; between nodes the contribution is on a line.
    fn table(&self) -> Table {
        let (first, last) = (self.values[0], self.values[self.values.len() - 1]);
        let mut at = 0;
        let all = every(first, last).into_iter().map(|value| {
            while at + 2 < self.values.len() && self.values[at + 1] < value {
                at += 1;
            }
            let next = (at + 1).min(self.values.len() - 1);
            let ([a, b], [p, q]) = ([self.values[at], self.values[next]], [self.log_probs[at], self.log_probs[next]]);
            match value {
                _ if value == a => p,
                _ if value == b => q,
                _ if p.is_finite() && q.is_finite() => p + (q - p) * (value - a) / (b - a),
                _ => f64::NEG_INFINITY,
            }
        });
        Table::new(first, &all.collect::<Vec<_>>())
    }
}

/// All whole numbers from one to another.
fn every(from: f64, to: f64) -> Vec<f64> {
    let mut all = Vec::new();
    let mut next = from;
    while next <= to {
        all.push(next);
        next += 1.0;
    }
    all
}

/// All of them, or as many as are evaluated, evenly spaced.
fn some(from: f64, to: f64) -> Vec<f64> {
    if to - from < VALUES as f64 {
        return every(from, to);
    }
    let step = (to - from) / (VALUES - 1) as f64;
    let mut values: Vec<f64> = (0..VALUES).map(|k| (from + k as f64 * step).round()).collect();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table that is found of an element with these contributions.
    fn found(element: &Element, log_prob: impl Fn(f64) -> f64) -> Table {
        let mut nodes = element.begin();
        for _ in 0..ROUNDS {
            nodes.log_probs = nodes.values.iter().map(|value| log_prob(*value)).collect();
            assert!(element.look_closer(&mut nodes));
            if nodes.is_final {
                break;
            }
        }
        for upper in [false, true] {
            while let Some((at, value)) = nodes.middle(upper) {
                nodes.values.insert(at, value);
                nodes.log_probs.insert(at, log_prob(value));
            }
        }
        nodes.table()
    }

    fn unbounded() -> Element {
        Element { name: "k".to_owned(), from: 0.0, to: f64::INFINITY, table: None }
    }

    fn moments(table: &Table) -> [f64; 2] {
        let probs = table.probs(&vec![0.0; table.parameters()]);
        let of = |power: i32| probs.iter().enumerate().map(|(at, p)| p * (table.first() + at as f64).powi(power)).sum::<f64>();
        [of(1), (of(2) - of(1).powi(2)).sqrt()]
    }

    #[test]
    fn tables_cover_what_is_probable() {
        for (mean, sd) in [(3.0, 1.0), (40.0, 6.0), (1000.0, 30.0), (50_000.0, 3.0), (2e6, 1400.0)] {
            let table = found(&unbounded(), |v| -0.5 * ((v - mean) / sd).powi(2));
            let [found_mean, found_sd] = moments(&table);
            let exact = mean > 6.0 * sd;
            assert!(
                !exact || ((found_mean - mean).abs() < 0.02 * sd && (found_sd / sd - 1.0).abs() < 0.02),
                "{mean} {sd}: {found_mean} {found_sd}"
            );
            assert!((table.len() as f64) < 40.0 * sd + 70.0, "{mean} {sd}: {}", table.len());
        }
    }

    #[test]
    fn what_is_impossible_ends_where_it_does() {
        // From 1000 on, with a tail that is long: the first values have most of the probability.
        let table = found(&unbounded(), |v| if v < 1000.0 { f64::NEG_INFINITY } else { -(v - 1000.0) / 500.0 });
        let probs = table.probs(&[0.0; 2]);
        let at = table.place(1000.0).expect("a value");
        assert!(probs[at - 1] == 0.0 && probs[at] > 0.0015, "{} {}", probs[at - 1], probs[at]);
        let [mean, sd] = moments(&table);
        assert!((mean - 1499.5).abs() < 5.0 && (sd - 500.0).abs() < 5.0, "{mean} {sd}");
    }

    #[test]
    fn a_table_is_followed_where_it_moves() {
        let mut element = unbounded();
        element.table = Some(found(&element, |v| -0.5 * (v - 100.0).powi(2)));
        let table = found(&element, |v| -0.5 * (v - 5000.0).powi(2));
        assert!((moments(&table)[0] - 5000.0).abs() < 1e-3);
    }
}
