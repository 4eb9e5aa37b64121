//! A model written by hand, for tests: three correlated normal variables, in one vector without constraints.

use std::marker::PhantomData;
use std::ops::Range;

use crate::bijectors::Bijector;
use crate::distributions::Support;
use crate::kernel::Real;
use crate::model::{
    Factor, Graph, Layout, LogJoint, Owner, Read, Site, SiteKind, Variable, Visitor, Weights, Workspace, aligned,
};

/// `log p(u) = ½ ln det P - 3/2 ln 2π - ½ (u - m)ᵀ P (u - m)`.
#[derive(Debug)]
pub(crate) struct CorrelatedGaussian<E> {
    layout: Layout,
    element: PhantomData<fn() -> E>,
}

static GRAPH: Graph = Graph {
    name: "CorrelatedGaussian",
    dims: &["P"],
    plates: &[crate::model::Plate { refused: Some("no statement runs over it"), factors: &[], following: &[] }],
    sites: &[Site { name: "u", kind: SiteKind::Latent, support: Support::Real, event_rank: 1 }],
    factors: &[Factor { text: "density of u", site: Some(0), reads: &[Read { site: 0, owner: Owner::Every }] }],
    sums: &[],
    discretes: &[],
    equations: &[],
};

impl<E: Real> CorrelatedGaussian<E> {
    pub(crate) const MEAN: [f64; 3] = [1.0, -2.0, 0.5];
    pub(crate) const PRECISION: [[f64; 3]; 3] = [[2.0, 0.5, -0.25], [0.5, 1.5, 0.125], [-0.25, 0.125, 1.0]];
    /// 2 (1.5 - 1/64) - ½ (½ + 1/32) - ¼ (1/16 + 3/8)
    pub(crate) const DETERMINANT: f64 = 2.593_75;

    pub(crate) fn new() -> Self {
        let u = Variable {
            name: "u",
            kind: SiteKind::Latent,
            dims: vec![],
            shape: vec![3],
            rows: 0..3,
            unconstrained: 0..3,
            bijector: Bijector::Identity,
            initial: Vec::new(),
            missing: None,
            values: None,
        };
        let layout = Layout { model: GRAPH.name, variables: vec![u], ..Layout::default() };
        Self { layout, element: PhantomData }
    }

    /// The log density of one point and its gradient.
    pub(crate) fn at(u: [f64; 3]) -> (f64, [f64; 3]) {
        let mut log_density = 0.5 * Self::DETERMINANT.ln() - 1.5 * std::f64::consts::TAU.ln();
        let mut gradient = [0.0; 3];
        for i in 0..3 {
            for j in 0..3 {
                gradient[i] -= Self::PRECISION[i][j] * (u[j] - Self::MEAN[j]);
            }
            log_density += 0.5 * gradient[i] * (u[i] - Self::MEAN[i]);
        }
        (log_density, gradient)
    }
}

impl<E: Real> LogJoint<E> for CorrelatedGaussian<E> {
    fn graph(&self) -> &'static Graph {
        &GRAPH
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn workspace(&self, samples: usize) -> Workspace<E> {
        assert!(samples.is_multiple_of(E::LANE_MULTIPLE), "{samples} samples do not fill the lanes");
        let rows = aligned(E::default(), 3 * samples);
        Workspace { samples, unconstrained: 3, values: rows.clone(), adjoints: rows, kept: vec![], partitions: vec![] }
    }

    fn unit_weights(&self, samples: usize) -> Weights<E> {
        Weights {
            factors: vec![E::from_f64(1.0); samples],
            log_det: vec![E::from_f64(1.0); 3 * samples],
            samples,
            rows: Vec::new(),
        }
    }

    fn log_density(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        let samples = work.samples;
        assert_eq!((work.values.len(), log_density.len()), (3 * samples, samples));
        for sample in 0..samples {
            let point = [0, 1, 2].map(|row| work.values[row * samples + sample].to_f64());
            let (value, derivatives) = Self::at(point);
            let weight = weights.factors[sample].to_f64();
            log_density[sample] = weight * value;
            for row in 0..3 {
                work.adjoints[row * samples + sample] = E::from_f64(weight * derivatives[row]);
            }
        }
    }

    fn constrain(&self, _work: &mut Workspace<E>, _log_det: &mut [f64]) {}

    fn unconstrain(&self, z: &[f64]) -> Result<Vec<f64>, (usize, usize)> {
        Ok(z.to_vec())
    }

    fn accumulate(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_joint: &mut [f64]) {
        self.log_density(work, weights, log_joint);
    }

    fn locate(&self, _centred: usize, _work: &mut Workspace<E>) {}

    fn pull_locate(&self, _centred: usize, _work: &mut Workspace<E>, _weights: &Weights<E>) {}

    fn pull_constrain(&self, _work: &mut Workspace<E>, _weights: &Weights<E>) {}

    fn complete(&self, _work: &mut Workspace<E>) {}

    fn factor_rows(&self, _factor: usize) -> usize {
        1
    }

    fn log_prob_rows(&self, _factor: usize, _rows: Range<usize>, work: &mut Workspace<E>, out: &mut [E]) {
        for (sample, out) in out.iter_mut().enumerate() {
            let point = [0, 1, 2].map(|row| work.values[row * work.samples + sample].to_f64());
            *out = E::from_f64(Self::at(point).0);
        }
    }

    fn walk(&self, _values: &mut [f64], _observed: &mut [f64], _visitor: &mut dyn Visitor) {}

    fn observed(&self) -> Vec<f64> {
        vec![]
    }

    fn batch(&self, _batch: &crate::model::Batch<'_>) -> Result<Box<dyn LogJoint<E> + Send + '_>, crate::model::DataError> {
        Ok(Box::new(CorrelatedGaussian::new()))
    }

    fn reads(&self, visitor: &mut dyn Visitor) {
        visitor.reads(0, 0, &[0, 1, 2]);
    }
}
