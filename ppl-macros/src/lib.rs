//! The compiler behind `ppl_core::model!`.
#![allow(dead_code)]

mod catalogue;
mod diagnostics;
mod syntax;
