//! What a model of independent rows is to an amortized fit: one row, whose lanes are rows.

use std::borrow::Cow;

use crate::distributions::Support;
use crate::guides::Drawn;
use crate::kernel::Real;
use crate::model::{DataError, LogJoint, Model};
use crate::networks::{Network as _, Parameterized};

/// A model of one plate whose elements are independent given networks and parameters: what `model!` implements where a model calls networks.
pub trait RowModel {
    /// The element of the data and of the networks.
    type Element: Real;
    /// The model of one row: its latents; its inputs (what of the row is data); and, as real parameters, what networks give.
    type Row: Model<Element = Self::Element>;

    /// Checks the data and the sizes of the networks.
    ///
    /// # Errors
    /// [`DataError`] names the field, the row, the value and what was expected.
    fn bind_rows(&self) -> Result<BoundRows<'_, Self::Row>, DataError>;

    /// What stands outside the loop over the rows, if it has latents or a term of the density: its latents that rows read are parameters of the row of the same
    /// name and shape, into which the engine puts their values in their own space; parameters of both are one.
    fn bind_globals(&self, _row: &Self::Row) -> Option<Box<dyn GlobalModel<Self::Element>>> {
        None
    }
}

/// A model that may be bound without its type being known.
pub trait GlobalModel<E: Real> {
    /// As [`Model::bind`].
    ///
    /// # Errors
    /// As [`Model::bind`].
    fn bind_global(&self) -> Result<Box<dyn LogJoint<E> + '_>, DataError>;
}

impl<M: Model> GlobalModel<M::Element> for M {
    fn bind_global(&self) -> Result<Box<dyn LogJoint<M::Element> + '_>, DataError> {
        self.bind()
    }
}

/// A guide of the latents of a row, given the row: what `guide!` implements. It says what a row of its model is, which a [`RowModel`] knows of itself.
///
/// The latents of its row are those of the model by name and size, each of a family whose parameters [`LogJoint::locate`](crate::model::LogJoint::locate) computes; its discrete latents are those of the model; its inputs are some of the model's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no guide of this model",
    note = "take `Automatic`, which needs no declaration, or declare a guide with `guide!`; `()` is for models without latents"
)]
pub trait RowGuide<M> {
    /// The element of the data and of the networks.
    type Element: Real;
    /// The model of one row of the model.
    type ModelRow: Model<Element = Self::Element>;
    /// The model of one row of the guide.
    type Row: Model<Element = Self::Element>;

    /// Checks the data of the model and the sizes of its networks.
    ///
    /// # Errors
    /// [`DataError`] names the field, the row, the value and what was expected.
    fn bind_model<'m>(&self, model: &'m M) -> Result<BoundRows<'m, Self::ModelRow>, DataError>;

    /// Checks the sizes of the networks against those of the model.
    ///
    /// # Errors
    /// [`DataError`] names the network and what was expected.
    fn bind_guide(&self, model: &BoundRows<'_, Self::ModelRow>) -> Result<BoundRows<'_, Self::Row>, DataError>;

    /// As [`RowModel::bind_globals`].
    fn bind_globals(&self, _model: &M, _row: &Self::ModelRow) -> Option<Box<dyn GlobalModel<Self::Element>>> {
        None
    }

    /// What each of [`Layout::centred`](crate::model::Layout::centred) of its row is drawn from; without an answer all are normal on the unconstrained scale.
    fn families(&self) -> Vec<&'static dyn Drawn<Self::Element>> {
        Vec::new()
    }

    /// The tables that give each row numbers of its own. Calls of the
    /// guide reach them as the networks after [`BoundRows::networks`], with [`ROW_NUMBER`] as their operand.
    fn tables(&self, _model: &BoundRows<'_, Self::ModelRow>) -> Vec<RowTable> {
        Vec::new()
    }
}

/// A table of a guide, which gives each row numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowTable {
    /// Its name: that of the latent.
    pub name: &'static str,
    /// The numbers of a row that begin at zero.
    pub locations: usize,
    /// Those after them, which begin as logarithms of a small scale.
    pub log_scales: usize,
}

/// What the engine calls the number of a row, for calls of tables.
pub const ROW_NUMBER: &str = "__row";

/// A model of rows with its data and networks.
#[derive(Debug)]
pub struct BoundRows<'m, R: Model> {
    /// The model of one row.
    pub row: R,
    /// The number of rows of data; of a guide, zero.
    pub rows: usize,
    /// The data; of a guide, those inputs of the model that it reads, without data.
    pub inputs: Vec<RowInput<'m, R::Element>>,
    /// The networks, by name.
    pub networks: Vec<(&'static str, &'m Parameterized<R::Element>)>,
    /// The calls of networks, each after those that it depends on.
    pub calls: &'static [Call],
    /// The discrete latents.
    pub discretes: Vec<DrawnLatent>,
    /// The networks whose weights are latent, and the standard deviation of their normal prior; the weights of all others are maximised.
    pub priors: &'static [(usize, f64)],
}

/// An array whose first axis is the plate, or one that all rows share, for networks to read.
#[derive(Clone, Debug)]
pub struct RowInput<'m, E: Clone> {
    /// Its name: of one of [`Layout::inputs`](crate::model::Layout::inputs) of the row.
    pub name: &'static str,
    /// The numbers of a row.
    pub columns: usize,
    /// `[row][column]`; `[column]` if it is shared.
    pub data: Cow<'m, [E]>,
    /// Where its values lie, and the statement that says so; none of data that are only read.
    pub observed: Option<(Support, &'static str)>,
    /// Of indices and of categories, how many there are, and the name of the dimension.
    pub categories: Option<(usize, &'static str)>,
    /// Whether the numbers are the same for all rows: `data` are those of one row then.
    pub shared: bool,
}

/// A call of a network: `let (loc, log_scale) = split(encoder(x[n]))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which of [`BoundRows::networks`].
    pub network: usize,
    /// What it is applied to, one after the other.
    pub operands: &'static [CallOperand],
    /// The parameters of the row that hold what it gives, one after the other.
    pub results: &'static [&'static str],
}

/// What a network is applied to: an input, a latent or a result of an earlier call, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOperand {
    /// Its name.
    pub name: &'static str,
    /// Whether an index is given as so many numbers as it has values, of which one is one.
    pub one_hot: bool,
}

impl CallOperand {
    /// An array as it is.
    #[must_use]
    pub const fn whole(name: &'static str) -> Self {
        CallOperand { name, one_hot: false }
    }
}

/// A discrete latent of rows, which the engine draws: one of [`Layout::inputs`](crate::model::Layout::inputs) of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnLatent {
    /// Its name.
    pub name: &'static str,
    /// Of an index, how many values it has.
    pub categories: Option<usize>,
    /// Of a guide, the parameter of the row that is the logits of its distribution, if that is all that it depends on.
    pub logits: Option<&'static str>,
    /// Whether statements read its value, beside that which says its distribution.
    pub is_read: bool,
}

/// That a network takes and gives as many numbers as the model says; each size as written, and its value.
///
/// # Errors
/// [`DataError::NetworkSize`].
pub fn check_network<E: Real>(
    model: &'static str,
    network: &'static str,
    given: &Parameterized<E>,
    inputs: (&'static str, usize),
    outputs: (&'static str, usize),
) -> Result<(), DataError> {
    for (does, found, (size, expected)) in [("takes", given.inputs(), inputs), ("gives", given.outputs(), outputs)] {
        if found != expected {
            return Err(DataError::NetworkSize { model, network, does, found, size, expected });
        }
    }
    Ok(())
}
