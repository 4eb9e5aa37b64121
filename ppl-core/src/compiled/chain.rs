//! Chains of discrete variables: the sum over all paths by the forward algorithm, its derivative by the backward one, and the most probable path.

use crate::kernel::Lanes;

/// The tables of a chain, in lanes: probabilities of its values, log densities of what is observed at its steps.
///
/// # Source
/// Rabiner 1989, equations 18 to 37, each step scaled (section V.A).
#[derive(Debug)]
pub struct Chain<V> {
    steps: usize,
    values: usize,
    /// Whether one table of probabilities holds for all steps.
    same: bool,
    /// `[value]`
    start: Vec<V>,
    /// `[step][before][value]`, or `[before][value]`.
    step: Vec<V>,
    /// Log densities: `[step][value]`.
    emission: Vec<V>,
    /// The densities relative to the greatest of the step, the probabilities of the values given what was observed so far, and by what these were scaled.
    relative: Vec<V>,
    filtered: Vec<V>,
    scale: Vec<V>,
    /// Derivatives with respect to the tables.
    d_start: Vec<V>,
    d_step: Vec<V>,
    d_emission: Vec<V>,
}

impl<V: Lanes> Chain<V> {
    /// Tables of zeros.
    #[inline(always)]
    #[must_use]
    pub fn new(steps: usize, values: usize, same: bool) -> Self {
        let zeros = |n: usize| vec![V::zero(); n];
        let tables = if same { 1 } else { steps };
        Chain {
            steps,
            values,
            same,
            start: zeros(values),
            step: zeros(tables * values * values),
            emission: zeros(steps * values),
            relative: zeros(steps * values),
            filtered: zeros(steps * values),
            scale: zeros(steps),
            d_start: Vec::new(),
            d_step: Vec::new(),
            d_emission: Vec::new(),
        }
    }

    /// The probability of a first value.
    #[inline(always)]
    pub fn set_start(&mut self, value: usize, probability: V) {
        self.start[value] = probability;
    }

    /// The probability of a value after another one, at a step or, of step zero, at all of them.
    #[inline(always)]
    pub fn set_step(&mut self, step: usize, before: usize, value: usize, probability: V) {
        self.step[(step * self.values + before) * self.values + value] = probability;
    }

    /// The log density of what is observed at a step.
    #[inline(always)]
    pub fn set_emission(&mut self, step: usize, value: usize, log_prob: V) {
        self.emission[step * self.values + value] = log_prob;
    }

    /// The first place in the table that leads to a step.
    #[inline(always)]
    fn table(&self, step: usize) -> usize {
        if self.same { 0 } else { step * self.values * self.values }
    }

    /// The logarithm of the sum over all paths.
    #[inline(always)]
    #[must_use]
    pub fn forward(&mut self) -> V {
        let (k, zero, none) = (self.values, V::zero(), V::constant(f64::NEG_INFINITY));
        let mut total = zero;
        for t in 0..self.steps {
            let mut greatest = none;
            for j in 0..k {
                let mut predicted = zero;
                if t == 0 {
                    predicted = self.start[j];
                } else {
                    for i in 0..k {
                        predicted = self.filtered[(t - 1) * k + i].mul_add(self.step[self.table(t) + i * k + j], predicted);
                    }
                }
                self.filtered[t * k + j] = predicted;
                // What cannot be reached does not count.
                let reached = V::select(zero.lt(predicted), self.emission[t * k + j], none);
                greatest = greatest.max(reached);
            }
            let nothing = greatest.eq(none);
            let shift = V::select(nothing, zero, greatest);
            let mut scale = zero;
            for j in 0..k {
                let at = t * k + j;
                let relative = (self.emission[at] - shift).exp();
                // Beyond all that can be reached a density would overflow.
                let relative = V::select(self.filtered[at].le(zero), zero, relative);
                self.relative[at] = relative;
                self.filtered[at] = self.filtered[at] * relative;
                scale = scale + self.filtered[at];
            }
            let inverse = V::constant(1.0) / scale;
            for j in 0..k {
                self.filtered[t * k + j] = self.filtered[t * k + j] * inverse;
            }
            self.scale[t] = scale;
            total = total + scale.ln() + shift;
        }
        total
    }

    /// Computes the derivatives of the logarithm of the sum, after [`Chain::forward`].
    #[inline(always)]
    pub fn backward(&mut self) {
        let (k, zero) = (self.values, V::zero());
        self.d_start = vec![zero; k];
        self.d_step = vec![zero; self.step.len()];
        self.d_emission = vec![zero; self.emission.len()];
        let mut later = vec![V::constant(1.0); k];
        for t in (0..self.steps).rev() {
            let inverse = V::constant(1.0) / self.scale[t];
            for j in 0..k {
                let at = t * k + j;
                self.d_emission[at] = self.filtered[at] * later[j];
                // With respect to what was predicted of a value.
                later[j] = self.relative[at] * later[j] * inverse;
            }
            if t == 0 {
                self.d_start.copy_from_slice(&later);
                break;
            }
            let mut earlier = vec![zero; k];
            for i in 0..k {
                let (before, first) = (self.filtered[(t - 1) * k + i], self.table(t) + i * k);
                let mut sum = zero;
                for j in 0..k {
                    self.d_step[first + j] = before.mul_add(later[j], self.d_step[first + j]);
                    sum = self.step[first + j].mul_add(later[j], sum);
                }
                earlier[i] = sum;
            }
            later = earlier;
        }
    }

    /// The derivative with respect to the probability of a first value.
    #[inline(always)]
    #[must_use]
    pub fn d_start(&self, value: usize) -> V {
        self.d_start[value]
    }

    /// The derivative with respect to the probability of a value after another one.
    #[inline(always)]
    #[must_use]
    pub fn d_step(&self, step: usize, before: usize, value: usize) -> V {
        self.d_step[(step * self.values + before) * self.values + value]
    }

    /// The derivative with respect to the log density at a step: the probability of the value given all that is observed.
    #[inline(always)]
    #[must_use]
    pub fn d_emission(&self, step: usize, value: usize) -> V {
        self.d_emission[step * self.values + value]
    }

    /// The logarithms of the probabilities of all values given all that is observed, or of one for those on the most probable path; after [`Chain::forward`].
    #[inline(always)]
    #[must_use]
    pub fn told(&mut self, path: bool) -> Told<V> {
        if path {
            return Told { log_probs: self.most_probable(), values: self.values };
        }
        self.backward();
        let mut log_probs = Vec::with_capacity(self.d_emission.len());
        for at in 0..self.d_emission.len() {
            log_probs.push(self.d_emission[at].ln());
        }
        Told { log_probs, values: self.values }
    }

    /// The most probable path (Viterbi 1967): zero for the values on it, minus infinity for all others.
    #[inline(always)]
    fn most_probable(&self) -> Vec<V> {
        let (k, none) = (self.values, V::constant(f64::NEG_INFINITY));
        let mut from = vec![V::zero(); self.steps * k];
        let mut best: Vec<V> = Vec::with_capacity(k);
        for j in 0..k {
            best.push(self.start[j].ln() + self.emission.get(j).copied().unwrap_or(none));
        }
        for t in 1..self.steps {
            let mut next = Vec::with_capacity(k);
            for j in 0..k {
                let (mut greatest, mut which) = (none, V::zero());
                for i in 0..k {
                    let own = best[i] + self.step[self.table(t) + i * k + j].ln();
                    let better = greatest.lt(own);
                    greatest = V::select(better, own, greatest);
                    which = V::select(better, V::constant(i as f64), which);
                }
                from[t * k + j] = which;
                next.push(greatest + self.emission[t * k + j]);
            }
            best = next;
        }
        let (mut greatest, mut value) = (none, V::zero());
        for j in 0..k {
            let better = greatest.lt(best[j]);
            greatest = V::select(better, best[j], greatest);
            value = V::select(better, V::constant(j as f64), value);
        }
        let mut path = vec![none; self.steps * k];
        for t in (0..self.steps).rev() {
            let mut before = V::zero();
            for j in 0..k {
                let on = value.eq(V::constant(j as f64));
                path[t * k + j] = V::select(on, V::zero(), none);
                before = V::select(on, from[t * k + j], before);
            }
            value = before;
        }
        path
    }
}

/// What is told of the values of a chain.
#[derive(Debug)]
pub struct Told<V> {
    log_probs: Vec<V>,
    values: usize,
}

impl<V: Lanes> Told<V> {
    /// Of a value at a step.
    #[inline(always)]
    #[must_use]
    pub fn of(&self, step: usize, value: usize) -> V {
        self.log_probs[step * self.values + value]
    }
}
