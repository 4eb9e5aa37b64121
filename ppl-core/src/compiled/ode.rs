//! Differential equations: steps of the Runge-Kutta method, and their derivative, which is exact for the steps that were taken.

use crate::kernel::Lanes;

/// Evaluations of the equations in a step.
const STAGES: usize = 4;
/// Where in a step they are evaluated, the weights of the derivatives there, and those of the derivatives before them.
const NODES: [f64; STAGES] = [0.0, 0.5, 0.5, 1.0];
const WEIGHTS: [f64; STAGES] = [1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
const COEFFICIENTS: [[f64; STAGES]; STAGES] =
    [[0.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];

/// The solution of a differential equation from time to time, in lanes: the equations are evaluated by the caller.
///
/// From one time to the next, [`Ode::advance`] sets the steps, and as long as [`Ode::evaluates`] the caller gives the derivatives at
/// [`Ode::time`] of what [`Ode::component`] is. Back again, as long as [`Ode::pulls`], it carries [`Ode::derivative_adjoint`] to [`Ode::pull`].
///
/// # Source
/// Kutta 1901; Hairer, Norsett & Wanner 1993, section II.1, table 1.2. The derivative is that of the steps (discretize, then optimize).
#[derive(Debug)]
pub struct Ode<V> {
    len: usize,
    /// Where the solution starts; the state where a step begins, after the last one the state at its end.
    start: Vec<V>,
    state: Vec<V>,
    /// What the equations are evaluated at, and the derivatives of a step: `[stage][component]`.
    point: Vec<V>,
    derivatives: Vec<V>,
    /// The points of all steps, kept for the derivative: `[step][stage][component]`.
    kept: Vec<V>,
    keeps: bool,
    from: f64,
    length: f64,
    steps: usize,
    step: usize,
    stage: usize,
    /// Whether an evaluation is under way.
    under_way: bool,
    /// The adjoints of the state, of the point, and of the derivatives of a step.
    state_adjoint: Vec<V>,
    point_adjoint: Vec<V>,
    derivative_adjoints: Vec<V>,
}

impl<V: Lanes> Ode<V> {
    /// Of so many numbers, all zero.
    #[inline(always)]
    #[must_use]
    pub fn new(len: usize) -> Self {
        let zeros = |count: usize| vec![V::zero(); count];
        Ode {
            len,
            start: zeros(len),
            state: zeros(len),
            point: zeros(len),
            derivatives: zeros(STAGES * len),
            kept: Vec::new(),
            keeps: false,
            from: 0.0,
            length: 0.0,
            steps: 0,
            step: 0,
            stage: 0,
            under_way: false,
            state_adjoint: zeros(len),
            point_adjoint: zeros(len),
            derivative_adjoints: zeros(STAGES * len),
        }
    }

    /// Where a component starts.
    #[inline(always)]
    pub fn start(&mut self, place: usize, value: V) {
        self.start[place] = value;
    }

    /// Goes to where the solution starts.
    #[inline(always)]
    pub fn begin(&mut self) {
        self.state.copy_from_slice(&self.start);
    }

    /// Goes to where a component is at some time.
    #[inline(always)]
    pub fn resume(&mut self, place: usize, value: V) {
        self.state[place] = value;
    }

    /// Sets the steps to the next time, of which there are none if it is the same; with `keeps` they can be pulled back.
    #[inline(always)]
    pub fn advance(&mut self, from: f64, to: f64, steps: usize, keeps: bool) {
        self.steps = if to > from { steps } else { 0 };
        (self.from, self.length) = (from, (to - from) / steps as f64);
        (self.step, self.stage, self.under_way, self.keeps) = (0, 0, false, keeps);
        self.kept.clear();
    }

    /// Goes to the next point at which the equations are evaluated; false when the next time is reached.
    #[inline(always)]
    pub fn evaluates(&mut self) -> bool {
        if self.under_way {
            self.stage += 1;
            if self.stage == STAGES {
                for place in 0..self.len {
                    let mut state = self.state[place];
                    for stage in 0..STAGES {
                        let weight = V::constant(self.length * WEIGHTS[stage]);
                        state = weight.mul_add(self.derivatives[stage * self.len + place], state);
                    }
                    self.state[place] = state;
                }
                (self.step, self.stage) = (self.step + 1, 0);
            }
        }
        self.under_way = self.step < self.steps;
        if !self.under_way {
            return false;
        }
        for place in 0..self.len {
            let mut point = self.state[place];
            for before in 0..self.stage {
                let coefficient = COEFFICIENTS[self.stage][before];
                if coefficient != 0.0 {
                    point = V::constant(self.length * coefficient).mul_add(self.derivatives[before * self.len + place], point);
                }
            }
            self.point[place] = point;
            if self.keeps {
                self.kept.push(point);
            }
        }
        true
    }

    /// The time at the point.
    #[inline(always)]
    #[must_use]
    pub fn time(&self) -> f64 {
        self.from + (self.step as f64 + NODES[self.stage]) * self.length
    }

    /// A component at the point.
    #[inline(always)]
    #[must_use]
    pub fn component(&self, place: usize) -> V {
        self.point[place]
    }

    /// The derivative of a component at the point.
    #[inline(always)]
    pub fn set(&mut self, place: usize, derivative: V) {
        self.derivatives[self.stage * self.len + place] = derivative;
    }

    /// A component where the steps have ended.
    #[inline(always)]
    #[must_use]
    pub fn value(&self, place: usize) -> V {
        self.state[place]
    }

    /// Adds to the adjoint of a component at the time where the steps end.
    #[inline(always)]
    pub fn add_adjoint(&mut self, place: usize, adjoint: V) {
        self.state_adjoint[place] = self.state_adjoint[place] + adjoint;
    }

    /// Goes to the point before at which the equations are pulled back; false when the time before is reached.
    #[inline(always)]
    pub fn pulls(&mut self) -> bool {
        if self.under_way {
            // The point is made of the state and of the derivatives before.
            for place in 0..self.len {
                let adjoint = self.point_adjoint[place];
                for before in 0..self.stage {
                    let coefficient = COEFFICIENTS[self.stage][before];
                    if coefficient != 0.0 {
                        let of = &mut self.derivative_adjoints[before * self.len + place];
                        *of = V::constant(self.length * coefficient).mul_add(adjoint, *of);
                    }
                }
                self.state_adjoint[place] = self.state_adjoint[place] + adjoint;
            }
        }
        if self.under_way && self.stage > 0 {
            self.stage -= 1;
        } else {
            self.under_way = self.step > 0;
            if !self.under_way {
                return false;
            }
            (self.step, self.stage) = (self.step - 1, STAGES - 1);
            for place in 0..self.len {
                for stage in 0..STAGES {
                    let weight = V::constant(self.length * WEIGHTS[stage]);
                    self.derivative_adjoints[stage * self.len + place] = weight * self.state_adjoint[place];
                }
            }
        }
        let first = (self.step * STAGES + self.stage) * self.len;
        for place in 0..self.len {
            self.point[place] = self.kept[first + place];
            self.point_adjoint[place] = V::zero();
        }
        true
    }

    /// The adjoint of the derivative of a component at the point.
    #[inline(always)]
    #[must_use]
    pub fn derivative_adjoint(&self, place: usize) -> V {
        self.derivative_adjoints[self.stage * self.len + place]
    }

    /// Adds to the adjoint of a component at the point.
    #[inline(always)]
    pub fn pull(&mut self, place: usize, adjoint: V) {
        self.point_adjoint[place] = self.point_adjoint[place] + adjoint;
    }

    /// The adjoint of where a component starts, when the first time was pulled back.
    #[inline(always)]
    #[must_use]
    pub fn start_adjoint(&self, place: usize) -> V {
        self.state_adjoint[place]
    }
}
