//! What is generic over the element alone, compiled here for both elements: in the crate of a model it would be compiled again with every model. A method of a
//! trait that two types implement is a function like any other, of which the linker takes the one that is there.
#![allow(private_interfaces, reason = "nobody else names the trait or calls its methods")]

use crate::amortized::{Amortized, AmortizedError, Bound, Engine, Header, Past, Sides, Store, Transform, learn};
use crate::bijectors::{Bijector, Group, WIDEST, forward_outlined, pull_outlined};
use crate::fit::{Bbvi, FitError, State, fit_bound, fit_chunks, fit_given};
use crate::guides::{
    DeclaredGuide, Drawn, DrawnFrom, FittedGuide, GuideError, NativeFamily, OwnGuide, dirichlet_of, gaussian_of,
};
use crate::kernel::Real;
use crate::model::{Layout, LogJoint};
use crate::rows::{Bind, Rows};

/// The trait, and both implementations, of functions that are listed once.
macro_rules! instances {
    ($($(#[$doc:meta])* fn $name:ident $(<$($life:lifetime),*>)? ($($arg:ident: $type:ty),* $(,)?) -> $output:ty = $engine:expr;)*) => {
        /// The engines for an element.
        #[doc(hidden)]
        pub trait Instances: Sized {
            $($(#[$doc])* fn $name $(<$($life),*>)? ($($arg: $type),*) -> $output where Self: Real;)*
        }

        impl Instances for f32 {
            $(fn $name $(<$($life),*>)? ($($arg: $type),*) -> $output { $engine($($arg),*) })*
        }

        impl Instances for f64 {
            $(fn $name $(<$($life),*>)? ($($arg: $type),*) -> $output { $engine($($arg),*) })*
        }
    };
}

instances! {
    /// A fit that chooses its guide.
    fn fit(model: &mut dyn LogJoint<Self>, config: &mut Bbvi) -> Result<State, FitError> = fit_bound;

    /// A fit of a model whose rows are not in memory.
    fn fit_chunks<'a>(rows: &'a dyn Rows, bind: &'a Bind<'a, Self>, config: &mut Bbvi) -> Result<State, FitError> = fit_chunks;

    /// A fit of a guide that is given.
    fn fit_given(model: &mut dyn LogJoint<Self>, guide: &FittedGuide, config: &mut Bbvi) -> Result<State, FitError> = fit_given;

    /// A guide that was written by `guide!`.
    fn declared_guide(
        name: &'static str,
        density: Box<dyn LogJoint<Self> + Send>,
        model: &Layout,
        auto: &'static [&'static str],
        families: &[DrawnFrom<Self>],
    ) -> Result<OwnGuide, GuideError> = DeclaredGuide::of_element;

    /// What is normal on the unconstrained scale.
    fn gaussian() -> &'static dyn Drawn<Self> = gaussian_of;

    /// A simplex of a Dirichlet distribution.
    fn dirichlet() -> &'static dyn Drawn<Self> = dirichlet_of;

    /// A family that the automatic guide knows.
    fn native(family: NativeFamily) -> &'static dyn Drawn<Self> = NativeFamily::drawn;

    /// Finds the places of the names of a model of rows and of its guide.
    fn resolve<'a, 'm>(
        bound: Bound<'a, 'm, Self>,
        transforms: &[Transform],
    ) -> Result<(Engine<'a, Self>, Sides<'m, Self>), AmortizedError> = Bound::resolve;

    /// Learns a model of rows and its guide.
    fn learn(
        engine: &Engine<'_, Self>,
        rows: usize,
        store: &mut Store<'_, Self>,
        config: &mut Amortized,
        past: (Past<Self>, Header<'_>),
    ) -> Result<Past<Self>, AmortizedError> = learn;

    /// A map that kernels do not inline: `z`, and `ln |dz / du|` of each lane as an element and what is left of it.
    fn forward_bijector(bijector: &Bijector, u: &[Self], z: &mut [Self], group: Group) -> [[Self; WIDEST]; 2] = forward_outlined;

    /// The pullback of such a map.
    fn pull_bijector(
        bijector: &Bijector,
        rows: (&[Self], &[Self]),
        z_adjoint: &[Self],
        weight: &[Self; WIDEST],
        u_adjoint: &mut [Self],
        group: Group,
    ) -> () = pull_outlined;
}
