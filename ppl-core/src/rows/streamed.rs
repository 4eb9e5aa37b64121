//! A model of rows that are not in memory, as fits see it: batches come from the source, and what needs all rows goes over them in a pass.

use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;

use super::shuffle::Taken;
use super::{Chunk, Columns, Plan, Rows, RowsError, Shuffle};
use crate::archive::Archive;
use crate::kernel::Real;
use crate::model::{Batch, Batches, DataError, Layout, LogJoint, SiteKind, Weights, Workspace, forward};

/// What the thread that reads ahead may be ahead, in bytes and in batches.
const AHEAD: usize = 16 << 20;
const MOST_AHEAD: usize = 64;
/// Draws that go through a pass over all rows together.
const AT_ONCE: usize = 4096;

/// Makes the model of a chunk, binds it, and shows it.
pub(crate) type Bind<'a, E> = dyn Fn(&Chunk<'_>, &mut dyn FnMut(&dyn LogJoint<E>)) -> Result<(), RowsError> + Sync + 'a;

/// A model of rows that are not in memory.
pub(crate) struct Streamed<'s, 'e, E: Real> {
    pub(super) source: &'e dyn Rows,
    pub(super) plan: &'e Plan,
    pub(super) bind: &'e Bind<'e, E>,
    /// The model of some rows that stand for all: of everything that is not over the rows, it is the model itself.
    start: &'e dyn LogJoint<E>,
    layout: Layout,
    pub(super) plate: usize,
    scope: &'s Scope<'s, 'e>,
    /// Why there is no more to read: the log joint has no way to say so.
    failure: Mutex<Option<RowsError>>,
}

/// Refuses what needs all rows at once, and what is over the rows and would have to be kept for each.
pub(crate) fn checked<E: Real>(model: &dyn LogJoint<E>, plate: usize) -> Result<(), RowsError> {
    let layout = model.layout();
    if let Some(equation) = model.graph().equations.first() {
        return Err(RowsError::Equation { model: layout.model, equation: equation.text, plate: layout.dims[plate].name });
    }
    if let Some(known) = model.graph().plates[plate].following.first() {
        let (dim, plate) = (layout.dims[known.dim].name, layout.dims[plate].name);
        return Err(RowsError::Following { model: layout.model, dim, plate, through: known.through });
    }
    match layout.guided().find(|variable| variable.dims.contains(&plate)) {
        Some(local) => Err(RowsError::Local { model: layout.model, latent: local.name, plate: layout.dims[plate].name }),
        None => Ok(()),
    }
}

impl<'s, 'e, E: Real> Streamed<'s, 'e, E> {
    /// The model of all rows of a source, of which `start` is that of some.
    pub(crate) fn new(
        (source, plan, bind): (&'e dyn Rows, &'e Plan, &'e Bind<'e, E>),
        start: &'e dyn LogJoint<E>,
        plate: usize,
        scope: &'s Scope<'s, 'e>,
    ) -> Self {
        let mut layout = start.layout().clone();
        layout.dims[plate].size = source.len();
        // Quantities of the rows are computed of chunks, for those who ask.
        layout.variables.retain(|variable| !variable.dims.contains(&plate));
        Streamed { source, plan, bind, start, layout, plate, scope, failure: Mutex::new(None) }
    }

    /// The quantities of the rows, and how many elements they have.
    pub(crate) fn of_rows(&self) -> Vec<(String, usize)> {
        let all = self.start.layout().variables.iter().filter(|v| v.dims.contains(&self.plate) && v.kind != SiteKind::Parameter);
        let size = |dim: &usize| self.layout.dims[*dim].size;
        all.map(|variable| (variable.name.to_owned(), variable.dims.iter().map(size).product())).collect()
    }

    /// Why rows could not be read, if they could not.
    pub(crate) fn failure(&self) -> Option<RowsError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn fail(&self, error: RowsError) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Shows the model of some rows.
    pub(super) fn visit(&self, taken: &Taken, visit: &mut dyn FnMut(&dyn LogJoint<E>)) -> Result<(), RowsError> {
        let mut differs = Ok(());
        of_rows((self.source, self.plan, self.bind), taken, &mut |model| {
            differs = self.same(model.layout(), taken.rows.len());
            if differs.is_ok() {
                visit(model);
            }
        })?;
        differs
    }

    /// Refuses the model of a chunk whose sizes are not those of the others.
    fn same(&self, layout: &Layout, rows: usize) -> Result<(), RowsError> {
        let (source_name, model) = (|| self.source.name(), layout.model);
        for (dim, (own, known)) in layout.dims.iter().zip(&self.layout.dims).enumerate() {
            let (found, expected) = (own.size, known.size);
            if dim == self.plate && found != rows {
                return Err(RowsError::Size { source_name: source_name(), model, plate: own.name, rows, found });
            }
            if dim != self.plate && found != expected {
                return Err(RowsError::Differs { source_name: source_name(), model, dim: own.name, expected, found });
            }
        }
        Ok(())
    }
}

/// Shows the model of some rows; of data that are none of it, the row is found.
pub(crate) fn of_rows<E: Real>(
    (source, plan, bind): (&dyn Rows, &Plan, &Bind<'_, E>),
    taken: &Taken,
    visit: &mut dyn FnMut(&dyn LogJoint<E>),
) -> Result<(), RowsError> {
    let width = plan.columns.len();
    let chunk = |rows: Range<usize>| Chunk {
        source,
        columns: Columns::Planned(plan),
        rows: &taken.rows[rows.clone()],
        values: &taken.values[rows.start * width..rows.end * width],
    };
    match bind(&chunk(0..taken.rows.len()), visit) {
        Err(RowsError::Data { source_name, rows, error }) => {
            for at in 0..taken.rows.len() {
                if let Err(RowsError::Data { source_name, error, .. }) = bind(&chunk(at..at + 1), &mut |_| ()) {
                    return Err(RowsError::Row { source_name, row: taken.rows[at], error });
                }
            }
            Err(RowsError::Data { source_name, rows, error })
        }
        other => other,
    }
}

/// Batches that a thread reads ahead.
struct Ahead<'m, 's, 'e, E: Real> {
    model: &'m Streamed<'s, 'e, E>,
    taken: Receiver<Result<Taken, RowsError>>,
    /// How many were taken.
    count: u64,
}

impl<E: Real> std::fmt::Debug for Ahead<'_, '_, '_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ahead({})", self.model.source.name())
    }
}

impl<E: Real> Batches<E> for Ahead<'_, '_, '_, E> {
    fn next(&mut self, _model: &dyn LogJoint<E>, visit: &mut dyn FnMut(&dyn LogJoint<E>, &Batch<'_>)) -> Result<(), DataError> {
        // After a failure nothing is sent any more, and nothing is visited.
        let Ok(taken) = self.taken.recv() else { return Ok(()) };
        self.count += 1;
        let visited = taken.and_then(|taken| {
            let (plate, size) = (self.model.plate, self.model.source.len());
            let all: Vec<usize> = (0..taken.rows.len()).collect();
            let mut bad = Ok(());
            self.model.visit(&taken, &mut |chunk| match chunk.batch(&Batch { plate, size, rows: &all, following: &[] }) {
                Ok(batch) => visit(&*batch, &Batch { plate, size, rows: &taken.rows, following: &[] }),
                Err(error) => {
                    let source_name = self.model.source.name();
                    bad = Err(RowsError::Data { source_name, rows: taken.rows.len(), error: Box::new(error) });
                }
            })?;
            bad
        });
        if let Err(error) = visited {
            self.model.fail(error);
        }
        Ok(())
    }

    /// Rows are read again up to where they were.
    fn archive(&mut self, archive: &mut Archive) {
        let mut count = self.count;
        archive.word(&mut count);
        while self.count < count && self.taken.recv().is_ok_and(|taken| taken.is_ok()) {
            self.count += 1;
        }
    }
}

impl<E: Real> LogJoint<E> for Streamed<'_, '_, E> {
    forward! {
        |view| view.start;
        graph, workspace, unit_weights, constrain, unconstrain, complete, log_prob_rows, walk, reads, locate, pull_constrain
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn accumulate(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_joint: &mut [f64]) {
        if let Err(error) = self.total(work, weights, log_joint) {
            self.fail(error);
            log_joint.fill(f64::NAN);
        }
    }

    fn batch(&self, _batch: &Batch<'_>) -> Result<Box<dyn LogJoint<E> + Send + '_>, DataError> {
        Err(DataError::NotInMemory { model: self.layout.model, dim: self.layout.dims[self.plate].name })
    }

    fn part(&self, _batch: &Batch<'_>) -> Result<Box<dyn LogJoint<E> + Send + '_>, DataError> {
        let all: Vec<usize> = (0..self.start.layout().dims[self.plate].size).collect();
        self.start.batch(&Batch { plate: self.plate, size: self.source.len(), rows: &all, following: &[] })
    }

    fn batches(&self, _plate: usize, rows: usize, seed: u64) -> Box<dyn Batches<E> + '_> {
        let bytes = 8 * rows * self.plan.columns.len().max(1);
        let (sender, taken) = sync_channel((AHEAD / bytes).clamp(2, MOST_AHEAD));
        let (source, plan) = (self.source, self.plan);
        self.scope.spawn(move || {
            let mut shuffle = Shuffle::new(source, &plan.columns, rows, seed);
            loop {
                let next = shuffle.next_batch();
                let failed = next.is_err();
                // Nobody listens any more when the estimator is gone.
                if sender.send(next).is_err() || failed {
                    return;
                }
            }
        });
        Box::new(Ahead { model: self, taken, count: 0 })
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    fn log_density(&self, work: &mut Workspace<E>, weights: &Weights<E>, log_density: &mut [f64]) {
        let kept = work.u().to_vec();
        let mut log_det = vec![0.0; work.samples];
        self.constrain(work, &mut log_det);
        self.accumulate(work, weights, log_density);
        log_density.iter_mut().zip(&log_det).for_each(|(total, log_det)| *total += log_det);
        self.pull_constrain(work, weights);
        work.u_mut().copy_from_slice(&kept);
    }
}
