//! Guides of users, kept beside those of the catalogue without knowing their type.

use std::any::Any;
use std::fmt::{Debug, Formatter};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::{Guide, MeanField};
use crate::kernel::Real;

/// A guide of a user's type: anything that implements [`Guide`] over the element of the model.
///
/// It cannot be saved, since its type is not known where it would be read.
pub struct OwnGuide {
    name: String,
    guide: Box<dyn Erased>,
    /// What stands in its place for another element: it has no dimensions, so that no model fits it.
    none: MeanField,
}

impl OwnGuide {
    /// Keeps a guide, with a name for reports.
    #[must_use]
    pub fn new<E: Real, G: Guide<E> + Clone + Sync + 'static>(name: &str, guide: G) -> Self {
        let guide: Box<dyn Cloned<E>> = Box::new(guide);
        OwnGuide { name: name.to_owned(), guide: Box::new(Holder(guide)), none: MeanField::new(&[], &[]) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The guide over an element.
    #[must_use]
    pub fn guide<E: Real>(&self) -> &dyn Guide<E> {
        match self.guide.as_any().downcast_ref::<Holder<E>>() {
            Some(holder) => &*holder.0,
            None => &self.none,
        }
    }

    /// The guide, to be changed.
    pub fn guide_mut<E: Real>(&mut self) -> &mut dyn Guide<E> {
        match self.guide.as_any_mut().downcast_mut::<Holder<E>>() {
            Some(holder) => &mut *holder.0,
            None => &mut self.none,
        }
    }

    /// The number of unconstrained dimensions.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.guide::<f64>().dimensions().max(self.guide::<f32>().dimensions())
    }

    fn parameters(&self) -> &[f64] {
        let double = self.guide::<f64>().parameters();
        if double.is_empty() { self.guide::<f32>().parameters() } else { double }
    }
}

/// A guide of any type that can be cloned.
trait Cloned<E: Real>: Guide<E> + Sync {
    fn cloned(&self) -> Box<dyn Cloned<E>>;
}

impl<E: Real, G: Guide<E> + Clone + Sync + 'static> Cloned<E> for G {
    fn cloned(&self) -> Box<dyn Cloned<E>> {
        Box::new(self.clone())
    }
}

struct Holder<E: Real>(Box<dyn Cloned<E>>);

/// A guide over any element.
trait Erased: Send + Sync {
    fn cloned(&self) -> Box<dyn Erased>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<E: Real> Erased for Holder<E> {
    fn cloned(&self) -> Box<dyn Erased> {
        Box::new(Holder(self.0.cloned()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

impl Clone for OwnGuide {
    fn clone(&self) -> Self {
        OwnGuide { name: self.name.clone(), guide: self.guide.cloned(), none: self.none.clone() }
    }
}

impl PartialEq for OwnGuide {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.parameters() == other.parameters()
    }
}

impl Debug for OwnGuide {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnGuide").field("name", &self.name).field("parameters", &self.parameters()).finish_non_exhaustive()
    }
}

impl Serialize for OwnGuide {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom(format!(
            "the guide `{}` is of a type of yours and cannot be saved; save its parameters instead",
            self.name
        )))
    }
}

impl<'de> Deserialize<'de> for OwnGuide {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("a guide of a user's own type cannot be read"))
    }
}
