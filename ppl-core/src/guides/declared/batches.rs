//! The guide of a batch: of some elements of a plate and of all that is not over it.

use std::sync::Arc;

use super::{DeclaredGuide, Guide};
use crate::guides::OfBatch;
use crate::kernel::Real;
use crate::model::{Batch, Following, Follows, Graph, Layout, LogJoint, Variable};

impl<E: Real> DeclaredGuide<'_, E> {
    /// The guide of a batch, and where each of its parameters stands among all; none where its density has no such part.
    pub(super) fn of_batch(&self, of: &OfBatch<'_>) -> Option<(Box<dyn Guide<E> + '_>, Vec<usize>)> {
        let layout = self.density.layout();
        let following = of_guide(of.batch.following, of.whole, layout);
        let batch = Batch { plate: place(of.batch.plate, of.whole, layout), following: &following, ..*of.batch };
        let first = layout.parameters().map(|own| own.unconstrained.start).min().unwrap_or(0);
        let (mut parameters, is_own) = (Vec::new(), first..first + self.own);
        batch.each_dimension(layout, |dimension, _| {
            if is_own.contains(&dimension) {
                parameters.push(dimension - first);
            }
        });
        let own = parameters.len();
        parameters.extend(self.of_automatic());
        let of_points = self.of_points().start;
        let points = of.dimensions.iter().filter(|dimension| self.points.contains(dimension));
        parameters.extend(points.map(|dimension| of_points + dimension - self.points.start));
        let density: Arc<dyn LogJoint<E> + Send + '_> = self.density.batch(&batch).ok()?.into();
        let values = parameters.iter().map(|&at| self.parameters[at]).collect();
        let mut part = DeclaredGuide::assemble(self.name, density, of.part, (self.auto, &self.families), (own, values)).ok()?;
        part.automatic.go_on(&self.automatic);
        part.weigh_apart(of.owners);
        Some((Box::new(part), parameters))
    }

    /// Divides what has a path into what is over the plate, and stands for other elements too, and what is not.
    fn weigh_apart(&mut self, owners: &[Option<usize>]) {
        let is_over = |u: usize| owners.get(u).is_some_and(Option::is_some);
        let (over, others): (Vec<usize>, Vec<usize>) = (0..self.points.end).partition(|&u| is_over(u));
        let of_paths: Vec<Vec<usize>> = [others, over].into_iter().filter(|block| !block.is_empty()).collect();
        let (before, now) = (self.with_path, of_paths.len());
        for located in &mut self.located {
            located.block = if !located.apart.is_empty() {
                located.block - before + now
            } else if is_over(located.known.u.start) {
                now - 1
            } else {
                0
            };
        }
        let is_last = self.last.first().copied().unwrap_or(true);
        self.last.splice(..before, vec![is_last; now]);
        self.blocks.splice(..before, of_paths);
        self.with_path = now;
    }

    /// Why there is no such part of any batch of a plate of the model.
    pub(super) fn refused(&self, plate: usize, graph: &Graph, model: &Layout) -> Option<String> {
        let (own, layout) = (self.density.graph(), self.density.layout());
        let follows = &graph.plates[plate];
        let is_taken = |dim: &usize| *dim == plate || follows.takes(*dim);
        let over = |latent: &&Variable| latent.dims.iter().any(is_taken);
        if let Some(latent) = model.latents().filter(over).find(|latent| self.auto.contains(&latent.name)) {
            let (name, dim) = (latent.name, model.dims[plate].name);
            return Some(format!(
                "`{name}` is left to the automatic guide, whose parameters belong to all elements; give it a statement, such as `{name}[..] ~ Normal(m[..], s[..]);` \
                 with parameters over `{dim}` or made of data"
            ));
        }
        let known = |own: &Follows| {
            let names = |graph: &Graph, of: &Follows| [graph.dims[of.dim], graph.dims[of.parent], of.through];
            follows.following.iter().any(|of| names(graph, of) == names(self.density.graph(), own))
        };
        for dim in (0..model.dims.len()).filter(is_taken) {
            let Some(at) = own.dims.iter().position(|name| *name == graph.dims[dim]) else { continue };
            let is_used = layout.variables.iter().any(|variable| variable.dims.contains(&at));
            if let Some(reason) = own.plates[at].refused.filter(|_| is_used) {
                return Some(reason.to_owned());
            }
            if let Some(other) = own.plates[at].following.iter().find(|of| !known(of)) {
                return Some(format!(
                    "its statements over `{}` read what is over `{}` through `{}`, those of the model do not",
                    own.dims[other.dim], own.dims[other.parent], other.through
                ));
            }
        }
        None
    }
}

/// The dimension of a guide of the same name as one of the model; none of its own where it has none.
fn place(dim: usize, model: &Layout, guide: &Layout) -> usize {
    guide.dims.iter().position(|own| own.name == model.dims[dim].name).unwrap_or(usize::MAX)
}

/// What goes with a batch, in terms of the dimensions of a guide.
fn of_guide(following: &[Following], model: &Layout, guide: &Layout) -> Vec<Following> {
    let own = |known: &Following| Following {
        dim: place(known.dim, model, guide),
        parent: place(known.parent, model, guide),
        ..known.clone()
    };
    following.iter().map(own).collect()
}
