//! Guides in the language of models: their two maps against finite differences and closed forms, and fits against what is known exactly.
#![forbid(unsafe_code)]

mod guides {
    pub(crate) mod catalogue;
    pub(crate) mod conjugate;
    pub(crate) mod discrete;
    pub(crate) mod exact;
    pub(crate) mod fits;
    pub(crate) mod laws;
    pub(crate) mod posteriors;
    pub(crate) mod refused;
    pub(crate) mod rows;
    pub(crate) mod vectors;
}
