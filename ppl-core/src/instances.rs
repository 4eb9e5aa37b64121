//! What is generic over the element alone, compiled here for both elements: in the crate of a model it would be compiled again with every model. A method of a
//! trait that two types implement is a function like any other, of which the linker takes the one that is there.
#![allow(private_interfaces, reason = "nobody else names the trait or calls its methods")]

use crate::amortized::{Amortized, AmortizedError, Bound, Engine, Header, Past, Sides, Store, Transform, learn};
use crate::fit::{Bbvi, FitError, State, fit_bound, fit_given};
use crate::guides::FittedGuide;
use crate::kernel::Real;
use crate::model::LogJoint;

/// The engines for an element.
#[doc(hidden)]
pub trait Instances: Sized {
    /// A fit that chooses its guide.
    fn fit(model: &dyn LogJoint<Self>, config: &mut Bbvi) -> Result<State, FitError>
    where
        Self: Real;

    /// A fit of a guide that is given.
    fn fit_given(model: &dyn LogJoint<Self>, guide: FittedGuide, config: &mut Bbvi) -> Result<State, FitError>
    where
        Self: Real;

    /// Finds the places of the names of a model of rows and of its guide.
    fn resolve<'a, 'm>(
        bound: Bound<'a, 'm, Self>,
        transforms: &[Transform],
    ) -> Result<(Engine<'a, Self>, Sides<'m, Self>), AmortizedError>
    where
        Self: Real;

    /// Learns a model of rows and its guide.
    fn learn(
        engine: &Engine<'_, Self>,
        rows: usize,
        store: &mut Store<'_, Self>,
        config: &mut Amortized,
        past: (Past<Self>, Header<'_>),
    ) -> Result<Past<Self>, AmortizedError>
    where
        Self: Real;
}

macro_rules! instances {
    ($($element:ty),*) => {
        $(
            impl Instances for $element {
                fn fit(model: &dyn LogJoint<Self>, config: &mut Bbvi) -> Result<State, FitError> {
                    fit_bound(model, config)
                }

                fn fit_given(model: &dyn LogJoint<Self>, guide: FittedGuide, config: &mut Bbvi) -> Result<State, FitError> {
                    fit_given(model, guide, config)
                }

                fn resolve<'a, 'm>(
                    bound: Bound<'a, 'm, Self>,
                    transforms: &[Transform],
                ) -> Result<(Engine<'a, Self>, Sides<'m, Self>), AmortizedError> {
                    bound.resolve(transforms)
                }

                fn learn(
                    engine: &Engine<'_, Self>,
                    rows: usize,
                    store: &mut Store<'_, Self>,
                    config: &mut Amortized,
                    past: (Past<Self>, Header<'_>),
                ) -> Result<Past<Self>, AmortizedError> {
                    learn(engine, rows, store, config, past)
                }
            }
        )*
    };
}

instances!(f32, f64);
