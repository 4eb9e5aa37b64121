//! Which dimensions can be taken a batch at a time: those whose elements are independent given all that is not over them.

use std::cell::Cell;

use crate::ir::{ArgId, ArgKind, Density, DimId, Expr, ExprKind, FactorId, Index, Model, Stmt, StmtKind, VarId, Vector, visit};

/// A dimension, why it cannot be taken in batches, what goes with it, and the factors that run over any of these.
#[derive(Debug)]
pub(crate) struct Plate {
    pub refused: Option<String>,
    pub following: Vec<Following>,
    pub factors: Vec<FactorId>,
}

/// A dimension that goes with another one: each of its elements belongs to the one that an index array names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Following {
    pub dim: DimId,
    pub parent: DimId,
    pub arg: ArgId,
}

/// One for each dimension.
pub(crate) fn plates(model: &Model) -> Vec<Plate> {
    (0..model.dims.len())
        .map(|dim| {
            let mut reader = Reader { model, dim, following: Vec::new(), next: Cell::new(None) };
            // What goes with it may take others along.
            let refused = loop {
                let refused = reader.refused();
                match reader.next.take() {
                    Some(next) => reader.following.push(next),
                    None => break refused,
                }
            };
            let over = |loops: &[VarId]| loops.iter().any(|&var| reader.is_over(var));
            let factors = (0..model.factors.len()).filter(|&factor| over(&model.factors[factor].loops)).collect();
            let following = if refused.is_none() { reader.following } else { Vec::new() };
            Plate { refused, following, factors }
        })
        .collect()
}

/// The dimension of whose loop an index is the variable.
fn loop_over(model: &Model, index: &Index) -> Option<DimId> {
    let Index::Affine(affine) = index else { return None };
    let var = &model.vars[affine.as_var()?];
    var.dim.filter(|_| !var.range)
}

/// Looks for what makes the elements of a dimension depend on each other.
struct Reader<'m> {
    model: &'m Model,
    dim: DimId,
    /// What is known to go with it, parents first.
    following: Vec<Following>,
    /// What was found to go with it as well.
    next: Cell<Option<Following>>,
}

impl Reader<'_> {
    /// Whether a dimension is the one that is taken in batches, or goes with it.
    fn is_cut(&self, dim: DimId) -> bool {
        dim == self.dim || self.following.iter().any(|known| known.dim == dim)
    }

    fn is_over(&self, var: VarId) -> bool {
        self.model.vars[var].dim.is_some_and(|dim| self.is_cut(dim))
    }

    fn refused(&self) -> Option<String> {
        let (model, dim) = (self.model, self.dim);
        for factor in &model.factors {
            if factor.loops.iter().filter(|&&var| self.is_over(var)).count() > 1 {
                return Some(format!("`{}` stands in two loops over it", text(&factor.text)));
            }
        }
        if !model.factors.iter().any(|factor| factor.loops.iter().any(|&var| model.vars[var].dim == Some(dim))) {
            return Some("no statement runs over it".to_owned());
        }
        for var in &model.vars {
            let all = var.dim.is_some_and(|own| var.from.as_constant() == Some(0) && var.to.as_size() == Some(own));
            if var.dim.is_some_and(|own| self.is_cut(own)) && !all {
                return Some(format!("`{}` runs over part of it", var.name));
            }
            if !all && var.from.sizes().chain(var.to.sizes()).any(|size| self.is_cut(size)) {
                return Some(format!("the range of `{}` depends on its size", var.name));
            }
        }
        if let Some(arg) = model.args.iter().find(|arg| arg.missing && arg.dims.iter().any(|&own| self.is_cut(own))) {
            return Some(format!("`{}` has missing values", arg.name));
        }
        if let Some(site) = model.sites.iter().find(|site| {
            site.event_rank > 0 && site.dims[site.dims.len() - site.event_rank..].iter().any(|&own| self.is_cut(own))
        }) {
            return Some(format!("the elements of `{}` along it are one event", site.name));
        }
        let mut found = None;
        visit::statements(&model.body, &mut |stmt| {
            if found.is_none() {
                found = self.statement(stmt);
            }
        });
        found
    }

    fn statement(&self, stmt: &Stmt) -> Option<String> {
        let statement = &text(&stmt.text);
        let site = |site: usize, index: &[Index]| {
            let known = &self.model.sites[site];
            self.index(&known.name.to_string(), &known.dims, index, statement)
        };
        match &stmt.kind {
            StmtKind::For { .. } => None,
            StmtKind::Discrete(block) => {
                let vector = block.prior.density.vectors().iter().find_map(|vector| self.operand(vector, statement));
                let parameters = || visit::of_distribution(&block.prior).find_map(|param| self.expression(param, statement));
                self.discrete(block.var, statement).or(vector).or_else(parameters)
            }
            StmtKind::Expected { over, .. } => over.iter().find_map(|&var| self.discrete(var, statement)),
            StmtKind::Sum(block) => {
                if block.chain.as_ref().is_some_and(|chain| self.is_over(chain.time)) {
                    return Some(format!("`{statement}` is a chain along it"));
                }
                if self.is_over(block.var) {
                    return Some(format!("`{statement}` sums over all of it"));
                }
                block.priors().find_map(|(prior, _)| {
                    let vector = prior.density.vectors().iter().find_map(|vector| self.operand(vector, statement));
                    vector.or_else(|| visit::of_distribution(prior).find_map(|param| self.expression(param, statement)))
                })
            }
            StmtKind::Local { value, .. } | StmtKind::Factor { value, .. } => self.expression(value, statement),
            StmtKind::Ode(block) => {
                if self.is_over(block.at) {
                    return Some(format!("`{statement}` is solved along it"));
                }
                let own = |id: usize| {
                    let known = &self.model.sites[self.model.components[id].site];
                    let name = known.name.to_string();
                    let dims = &known.dims[..block.index.len()];
                    self.index(&name, dims, &block.index, statement)
                        .or_else(|| self.whole(&known.dims[block.index.len()..], &name, statement))
                };
                let times = [&block.from, &block.to].into_iter().find_map(|time| self.expression(time, statement));
                times.or_else(|| block.components.clone().find_map(own))
            }
            StmtKind::Start { value, .. } | StmtKind::Derivative { value, .. } => self.expression(value, statement),
            // Where a parameter starts is no part of the density.
            StmtKind::Param { site: written, index, bounds, start: _ } => {
                let known = &self.model.sites[*written];
                let event = known.event_rank;
                let ends = bounds.iter().flat_map(|bounds| bounds.lower.iter().chain(&bounds.upper));
                self.index(&known.name.to_string(), &known.dims[..known.dims.len() - event], index, statement)
                    .or_else(|| ends.into_iter().find_map(|end| self.expression(end, statement)))
            }
            StmtKind::Quantity { site: written, index, value } => {
                site(*written, index).or_else(|| self.expression(value, statement))
            }
            StmtKind::Operation { site: written, index, operands, operation } => {
                let known = &self.model.sites[*written];
                let dims = &known.dims[..known.dims.len().saturating_sub(operation.axes.len())];
                self.index(&known.name.to_string(), dims, index, statement)
                    .or_else(|| self.whole(&known.dims[dims.len()..], &known.name.to_string(), statement))
                    .or_else(|| operands.iter().find_map(|operand| self.operand(operand, statement)))
                    .or_else(|| visit::repeated(operands).find_map(|number| self.expression(number, statement)))
            }
            StmtKind::Sample { site: written, index, distribution, .. } => {
                let event = match distribution.density {
                    Density::Ordered { .. } => 1,
                    _ => self.model.sites[*written].event_rank,
                };
                let vector = distribution.density.vectors().iter().find_map(|vector| self.operand(vector, statement));
                let parameters = || visit::of_distribution(distribution).find_map(|param| self.expression(param, statement));
                let known = &self.model.sites[*written];
                let dims = &known.dims[..known.dims.len() - event.min(known.dims.len())];
                self.index(&known.name.to_string(), dims, index, statement).or(vector).or_else(parameters)
            }
        }
    }

    /// Why reading an element of a discrete latent keeps the plate from being cut.
    fn discrete(&self, var: VarId, statement: &str) -> Option<String> {
        if self.is_over(var) {
            return Some(format!("`{statement}` sums over all of it"));
        }
        let (site, index) = self.model.probability(var)?;
        let known = &self.model.sites[site];
        self.index(&known.name.to_string(), &known.dims[..known.dims.len() - 1], index, statement)
    }

    /// Why an operand keeps the plate from being cut.
    fn operand(&self, operand: &Vector, statement: &str) -> Option<String> {
        let (name, dims, index) = match operand {
            Vector::Site(read, index) => (&self.model.sites[*read].name, &self.model.sites[*read].dims, index),
            Vector::Data(read, index) => (&self.model.args[*read].name, &self.model.args[*read].dims, index),
            Vector::Repeat(_) => return None,
        };
        self.index(&name.to_string(), dims, index, statement)
    }

    /// Why an array that is computed together keeps the plate from being cut.
    fn whole(&self, dims: &[DimId], name: &str, statement: &str) -> Option<String> {
        dims.iter().any(|&dim| self.is_cut(dim)).then(|| format!("`{statement}` computes all of `{name}` together"))
    }

    fn expression(&self, expr: &Expr, statement: &str) -> Option<String> {
        let model = self.model;
        let mut found = None;
        visit::expressions(expr, &mut |e| {
            let own = match &e.kind {
                ExprKind::Size(size) if self.is_cut(*size) => Some(format!("`{statement}` uses its size as a number")),
                ExprKind::Var(var) if self.is_over(*var) => {
                    Some(format!("`{statement}` uses `{}` as a number", model.vars[*var].name))
                }
                ExprKind::Reduce { var, .. } if self.is_over(*var) => Some(format!("`{statement}` sums over all of it")),
                ExprKind::Data(arg, _) if matches!(model.args[*arg].kind, ArgKind::Index(of) if self.is_cut(of)) => {
                    Some(format!("`{statement}` uses `{}` as a number", model.args[*arg].name))
                }
                ExprKind::Data(arg, index) => {
                    let known = &model.args[*arg];
                    self.index(&known.name.to_string(), &known.dims, index, statement)
                }
                ExprKind::Site(site, index) => {
                    let known = &model.sites[*site];
                    self.index(&known.name.to_string(), &known.dims, index, statement)
                }
                _ => None,
            };
            if found.is_none() {
                found = own;
            }
        });
        found
    }

    /// Whether an array is read along the dimension at the element of the loop alone.
    fn index(&self, name: &str, dims: &[DimId], index: &[Index], statement: &str) -> Option<String> {
        let model = self.model;
        for (axis, &of) in dims.iter().enumerate() {
            let cut = self.is_cut(of);
            let found = match index.get(axis) {
                None if cut => Some(format!("`{statement}` reads all of `{name}`")),
                None => None,
                Some(Index::Gather(arg, inner)) if cut => {
                    let in_loop = inner.first().and_then(|index| loop_over(model, index));
                    let known = |dim: DimId| self.following.contains(&Following { dim, parent: of, arg: *arg });
                    match (in_loop, &model.args[*arg].dims[..]) {
                        (Some(dim), _) if known(dim) => None,
                        (Some(dim), [only]) if dim == *only && !self.is_cut(dim) => {
                            self.next.set(Some(Following { dim, parent: of, arg: *arg }));
                            None
                        }
                        _ => {
                            let before = self.following.iter().find(|known| Some(known.dim) == in_loop && known.parent == of);
                            let also =
                                before.map_or_else(String::new, |known| format!("`{}` and through ", model.args[known.arg].name));
                            Some(format!("`{statement}` reads `{name}` through {also}`{}`", model.args[*arg].name))
                        }
                    }
                }
                Some(Index::Gather(arg, inner)) => {
                    let known = &model.args[*arg];
                    self.index(&known.name.to_string(), &known.dims, inner, statement)
                }
                Some(Index::Affine(affine)) => {
                    let own = loop_over(model, &Index::Affine(affine.clone())) == Some(of);
                    if cut && !own {
                        Some(format!("`{statement}` reads another element of `{name}`"))
                    } else if !cut && affine.sizes().any(|size| self.is_cut(size)) {
                        Some(format!("`{statement}` reads `{name}` at its size"))
                    } else {
                        None
                    }
                }
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// A statement as it stands in a sentence; of a block, its head.
fn text(statement: &str) -> String {
    match statement.split_once('{') {
        Some((head, _)) => format!("{head}{{ .. }}"),
        None => statement.trim_end_matches(';').to_owned(),
    }
}
