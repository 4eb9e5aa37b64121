//! Fits in files that Python reads (the format of crate `safetensors`), from which learning goes on as if it had not stopped.

use std::borrow::BorrowMut;
use std::ops::Range;
use std::path::Path;

use safetensors::tensor::{SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::fit::{AmortizedFit, check_tables, with_engine};
use super::global_latents::GlobalGuide;
use super::learn::{Header, Past};
use super::networks::{Steps, Store};
use super::{Amortized, AmortizedError, Epoch, RowGuide, Stopped, Transform};
use crate::checkpoint::replace;
use crate::instances::Instances as _;
use crate::kernel::Real;

/// The version of the format.
const FORMAT: u32 = 2;
/// The key of what is no tensor.
const KEY: &str = "ppl_amortized";

/// What is no tensor.
#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    format: u32,
    model: String,
    guide: String,
    seed: u64,
    transforms: Vec<Transform>,
    /// The inputs that functions of the user's change, which a file does not keep.
    functions: Vec<String>,
    history: Vec<Epoch>,
    stopped: Stopped,
    held_out: Vec<usize>,
    /// The steps of Adam: of each network, of the parameters, and of the latents that are the same for all rows, if there are any.
    steps: Vec<u64>,
}

fn refused<T>(path: &Path, reason: &impl ToString) -> Result<T, AmortizedError> {
    Err(AmortizedError::File { path: path.display().to_string(), reason: reason.to_string() })
}

/// Tensors by name: the shape and the elements.
type Tensors<E> = Vec<(String, Vec<usize>, Vec<E>)>;

/// The prefix of the names of a network.
fn prefix<E: Real>(store: &Store<'_, E>, index: usize) -> String {
    let side = if index < store.of_model { "model" } else { "guide" };
    format!("{side}.{}", store.networks[index].name)
}

/// All tensors of a store.
fn tensors<E: Real>(store: &Store<'_, E>, latest: &[E]) -> Tensors<E> {
    let mut all = Vec::new();
    for (index, network) in store.networks.iter().enumerate() {
        let prefix = prefix(store, index);
        for tensor in network.tensors() {
            all.push((format!("{prefix}.{}", tensor.name), tensor.shape, network.parameters[tensor.range].to_vec()));
        }
        let (first, second) = match &network.adam {
            Steps::Whole(adam) => adam.moments(),
            Steps::Rows(adam) => {
                let counts: Vec<E> = adam.steps.iter().map(|&steps| E::from_f64(f64::from(steps))).collect();
                all.push((format!("adam.{prefix}.steps"), vec![counts.len()], counts));
                (&adam.first[..], &adam.second[..])
            }
        };
        all.push((format!("adam.{prefix}.first"), vec![first.len()], first.to_vec()));
        all.push((format!("adam.{prefix}.second"), vec![second.len()], second.to_vec()));
    }
    let (first, second) = store.global_adam.moments();
    for (name, values) in
        [("globals", &store.globals[..]), ("adam.globals.first", first), ("adam.globals.second", second), ("latest", latest)]
    {
        all.push((name.to_owned(), vec![values.len()], values.to_vec()));
    }
    if let Some(latents) = &store.latents {
        for (name, range) in pieces(latents) {
            all.push((name, vec![range.len()], latents.parameters[range].to_vec()));
        }
        let (first, second) = latents.adam.moments();
        all.push(("adam.latents.first".to_owned(), vec![first.len()], first.to_vec()));
        all.push(("adam.latents.second".to_owned(), vec![second.len()], second.to_vec()));
    }
    all
}

/// The parameters of the guide of the latents that are the same for all rows, by name.
fn pieces<E: Real>(latents: &GlobalGuide<E>) -> Vec<(String, Range<usize>)> {
    let count = latents.dimensions();
    let named = |what: &'static str, first: usize| {
        latents.names.iter().map(move |(name, range)| (format!("latents.{name}.{what}"), first + range.start..first + range.end))
    };
    let locations = named("location", 0);
    if latents.is_mean_field() {
        locations.chain(named("log_scale", count)).collect()
    } else {
        locations.chain([("latents.triangle".to_owned(), count..latents.parameters.len())]).collect()
    }
}

/// A count of steps.
fn whole(x: f64) -> Option<u32> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number of that size")]
    (x >= 0.0 && x <= f64::from(u32::MAX) && x.fract() == 0.0).then_some(x as u32)
}

/// Reads a tensor of this shape.
fn read<E: Real>(path: &Path, file: &SafeTensors<'_>, name: &str, shape: Option<&[usize]>) -> Result<Vec<E>, AmortizedError> {
    let Ok(view) = file.tensor(name) else {
        return refused(path, &format!("there is no tensor `{name}`; the fit is of another model or guide"));
    };
    if view.dtype() != E::DTYPE {
        return refused(path, &format!("`{name}` has elements of type {:?}, but the model has {:?}", view.dtype(), E::DTYPE));
    }
    if let Some(shape) = shape.filter(|shape| *shape != view.shape()) {
        return refused(path, &format!("`{name}` has shape {:?}, but the model has {shape:?}", view.shape()));
    }
    Ok(view.data().chunks_exact(size_of::<E>()).map(E::get).collect())
}

/// Puts all tensors of a file into a store; gives the weights at the end where these are the best ones instead.
fn fill<E: Real>(path: &Path, file: &SafeTensors<'_>, steps: &[u64], store: &mut Store<'_, E>) -> Result<Vec<E>, AmortizedError> {
    let others = 1 + usize::from(store.latents.is_some());
    if steps.len() != store.networks.len() + others {
        let found = steps.len().saturating_sub(others);
        return refused(path, &format!("it has {found} networks, but model and guide have {}", store.networks.len()));
    }
    for index in 0..store.networks.len() {
        let prefix = prefix(store, index);
        let network = &mut store.networks[index];
        for tensor in network.tensors() {
            let values = read(path, file, &format!("{prefix}.{}", tensor.name), Some(&tensor.shape))?;
            network.parameters[tensor.range].copy_from_slice(&values);
        }
        let first = read(path, file, &format!("adam.{prefix}.first"), None)?;
        let second = read(path, file, &format!("adam.{prefix}.second"), None)?;
        match &mut network.adam {
            Steps::Whole(adam) => adam.resume(steps[index], &first, &second).or_else(|error| refused(path, &error))?,
            Steps::Rows(adam) => {
                let counts: Vec<E> = read(path, file, &format!("adam.{prefix}.steps"), Some(&[adam.steps.len()]))?;
                let whole: Vec<u32> = counts.iter().map_while(|x| whole(x.to_f64())).collect();
                adam.resume(&whole, &first, &second).or_else(|error| refused(path, &error))?;
            }
        }
    }
    let globals = read(path, file, "globals", Some(&[store.globals.len()]))?;
    store.globals.copy_from_slice(&globals);
    let (first, second) = (read(path, file, "adam.globals.first", None)?, read(path, file, "adam.globals.second", None)?);
    let of_globals = store.networks.len();
    store.global_adam.resume(steps[of_globals], &first, &second).or_else(|error| refused(path, &error))?;
    if let Some(latents) = &mut store.latents {
        for (name, range) in pieces(latents) {
            let values = read(path, file, &name, Some(&[range.len()]))?;
            latents.parameters[range].copy_from_slice(&values);
        }
        let (first, second) = (read(path, file, "adam.latents.first", None)?, read(path, file, "adam.latents.second", None)?);
        latents.adam.resume(steps[of_globals + 1], &first, &second).or_else(|error| refused(path, &error))?;
    }
    store.settle();
    let latest: Vec<E> = read(path, file, "latest", None)?;
    let of_latents = store.latents.as_ref().map_or(0, |latents| latents.parameters.len());
    let all = store.networks.iter().map(|network| network.parameters.len()).sum::<usize>() + store.globals.len() + of_latents;
    if latest.is_empty() || latest.len() == all {
        Ok(latest)
    } else {
        refused(path, &"`latest` has another length than all weights")
    }
}

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// Writes all that is learned, and all that learning needs to go on, bit by bit. Parameters stand under `model.` or `guide.`, the network and their own
    /// name.
    ///
    /// # Errors
    /// [`AmortizedError::File`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), AmortizedError> {
        let header = Header::new::<M, G>(self.seed, &self.transforms);
        header.write(path.as_ref(), &self.store, &self.past)
    }
}

impl Header<'_> {
    /// Writes a fit. The file is there as a whole or not at all, whenever the program ends.
    pub(super) fn write<E: Real>(&self, path: &Path, store: &Store<'_, E>, past: &Past<E>) -> Result<(), AmortizedError> {
        let of_networks = store.networks.iter().map(|network| match &network.adam {
            Steps::Whole(adam) => adam.steps(),
            Steps::Rows(_) => 0,
        });
        let of_latents = store.latents.iter().map(|latents| latents.adam.steps());
        let steps = of_networks.chain([store.global_adam.steps()]).chain(of_latents);
        // What is done only while learning is told again by whoever goes on.
        let asked = || self.transforms.iter().filter(|transform| transform.is_always());
        let notes = Notes {
            format: FORMAT,
            model: self.model.to_owned(),
            guide: self.guide.to_owned(),
            seed: self.seed,
            transforms: asked().filter(|transform| !transform.is_function()).cloned().collect(),
            functions: asked().filter(|transform| transform.is_function()).map(|t| t.input().to_owned()).collect(),
            history: past.history.clone(),
            stopped: past.stopped.clone(),
            held_out: past.held_out.clone(),
            steps: steps.collect(),
        };
        let notes = serde_json::to_string(&notes).or_else(|error| refused(path, &error))?;
        let all: Vec<(String, Vec<usize>, Vec<u8>)> = tensors(store, &past.latest)
            .into_iter()
            .map(|(name, shape, values)| {
                let mut bytes = Vec::with_capacity(size_of_val(&values[..]));
                values.into_iter().for_each(|x| x.put(&mut bytes));
                (name, shape, bytes)
            })
            .collect();
        let mut views = Vec::with_capacity(all.len());
        for (name, shape, bytes) in &all {
            let view = TensorView::new(E::DTYPE, shape.clone(), bytes).or_else(|error| refused(path, &error))?;
            views.push((name.as_str(), view));
        }
        let file =
            serialize(views, Some([(KEY.to_owned(), notes)].into_iter().collect())).or_else(|error| refused(path, &error))?;
        replace(path, &file).or_else(|error| refused(path, &error))
    }
}

/// That a file can be written there.
pub(super) fn check_writable(path: &Path) -> Result<(), AmortizedError> {
    crate::checkpoint::check_writable(path).or_else(|error| refused(path, &error))
}

/// The bytes of a file and what they say of the fit.
fn open(path: &Path) -> Result<(Vec<u8>, Notes), AmortizedError> {
    let bytes = std::fs::read(path).or_else(|error| refused(path, &error))?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).or_else(|error| refused(path, &error))?;
    let Some(notes) = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY)) else {
        return refused(path, &"this is not a saved amortized fit; parameters of one network are read by `networks::load`");
    };
    let notes: Notes = serde_json::from_str(notes).or_else(|error| refused(path, &error))?;
    if notes.format != FORMAT {
        return refused(
            path,
            &format!("the file has format {}, and this version reads format {FORMAT}; fit again", notes.format),
        );
    }
    Ok((bytes, notes))
}

/// Reads a fit of this model and guide.
///
/// # Errors
/// [`AmortizedError::File`] if it is of other networks; others as [`fit_amortized`](super::fit_amortized), of the data.
pub fn load_amortized<'m, M, G: RowGuide<M>>(
    model: &'m M,
    guide: &'m G,
    path: impl AsRef<Path>,
) -> Result<AmortizedFit<'m, M, G>, AmortizedError> {
    let path = path.as_ref();
    let (bytes, notes) = open(path)?;
    let file = SafeTensors::deserialize(&bytes).or_else(|error| refused(path, &error))?;
    if let Some(input) = notes.functions.first() {
        let reason = format!(
            "a function of yours changes `{input}` whenever the fit is asked about rows, and no file keeps it: give it again in the configuration of \
             `resume_amortized`, with no more `epochs` than the {} that are done",
            notes.history.len()
        );
        return refused(path, &reason);
    }
    with_engine(model, guide, &notes.transforms, |engine, sides| {
        let mut store = sides.store(engine, &[])?;
        let latest = fill(path, &file, &notes.steps, &mut store)?;
        let past = Past { history: notes.history, stopped: notes.stopped, held_out: notes.held_out, latest };
        Ok(AmortizedFit::new(model, guide, engine, store, (notes.seed, &notes.transforms), past))
    })
}

/// Goes on with a fit that was saved, up to the epochs of `config` in all: with the same data and the rest of the configuration, to the same bits as a fit that was
/// not interrupted.
///
/// # Errors
/// As [`load_amortized`] and [`fit_amortized`](super::fit_amortized).
pub fn resume_amortized<'m, M, G: RowGuide<M>, C: BorrowMut<Amortized>>(
    model: &'m M,
    guide: &'m G,
    path: impl AsRef<Path>,
    mut config: C,
) -> Result<AmortizedFit<'m, M, G>, AmortizedError> {
    let (path, config) = (path.as_ref(), config.borrow_mut());
    let (bytes, notes) = open(path)?;
    let file = SafeTensors::deserialize(&bytes).or_else(|error| refused(path, &error))?;
    let transforms = config.transforms.clone();
    with_engine(model, guide, &transforms, |engine, sides| {
        config.check(sides.rows)?;
        let mut store = sides.store(engine, &config.held)?;
        check_tables(&store, config)?;
        let latest = fill(path, &file, &notes.steps, &mut store)?;
        let past = Past { history: notes.history, stopped: notes.stopped, held_out: notes.held_out, latest };
        let header = Header::new::<M, G>(config.seed, &transforms);
        let past = G::Element::learn(engine, sides.rows, &mut store, config, (past, header))?;
        Ok(AmortizedFit::new(model, guide, engine, store, (config.seed, &transforms), past))
    })
}
