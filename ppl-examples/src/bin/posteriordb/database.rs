//! The files of posteriordb: zipped JSON of data and of reference draws.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A checkout.
pub(crate) struct Database {
    root: PathBuf,
}

/// Why a file could not be used.
pub(crate) use ppl_examples::Failure;

/// Reference draws by parameter, all chains together.
pub(crate) type Reference = BTreeMap<String, Vec<f64>>;

impl Database {
    /// Finds the folder `posterior_database`.
    pub(crate) fn open(dir: &Path) -> Result<Self, Failure> {
        for root in [dir.join("posterior_database"), dir.to_path_buf()] {
            if root.join("data").join("data").is_dir() {
                return Ok(Database { root });
            }
        }
        Err(format!("{} is not a checkout of posteriordb: it has no folder posterior_database/data/data", dir.display()).into())
    }

    /// The data of a posterior.
    pub(crate) fn data(&self, name: &str) -> Result<Data, Failure> {
        let path = self.root.join("data/data").join(format!("{name}.json.zip"));
        let value = unzip(&path)?;
        Ok(Data { value, path })
    }

    /// The reference draws of a posterior, if it has any: two parameterizations of one posterior have the same.
    pub(crate) fn reference(&self, posterior: &str) -> Result<Option<Reference>, Failure> {
        let path = self.root.join("posteriors").join(format!("{posterior}.json"));
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|e| named(&e))?;
        let known: Value = serde_json::from_str(&text).map_err(|e| named(&e))?;
        let Some(name) = known.get("reference_posterior_name").and_then(Value::as_str) else { return Ok(None) };
        let path = self.root.join("reference_posteriors/draws/draws").join(format!("{name}.json.zip"));
        let chains = unzip(&path)?;
        let wrong = || format!("{}: expected a list of chains, each with a list of numbers per parameter", path.display());
        let mut reference = Reference::new();
        for chain in chains.as_array().ok_or_else(wrong)? {
            for (name, draws) in chain.as_object().ok_or_else(wrong)? {
                let draws = draws.as_array().ok_or_else(wrong)?;
                let numbers: Option<Vec<f64>> = draws.iter().map(Value::as_f64).collect();
                reference.entry(name.clone()).or_default().extend(numbers.ok_or_else(wrong)?);
            }
        }
        Ok(Some(reference))
    }
}

fn unzip(path: &Path) -> Result<Value, Failure> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|e| named(&e))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| named(&e))?;
    let mut text = String::new();
    archive.by_index(0).map_err(|e| named(&e))?.read_to_string(&mut text).map_err(|e| named(&e))?;
    Ok(serde_json::from_str(&text).map_err(|e| named(&e))?)
}

/// The data of a posterior: fields by name.
pub(crate) struct Data {
    value: Value,
    path: PathBuf,
}

impl Data {
    fn field(&self, name: &str) -> Result<&Value, Failure> {
        self.value.get(name).ok_or_else(|| format!("{}: there is no field `{name}`", self.path.display()).into())
    }

    fn wrong(&self, name: &str, expected: &str) -> Failure {
        format!("{}: `{name}` is not {expected}", self.path.display()).into()
    }

    /// A whole number.
    pub(crate) fn count(&self, name: &str) -> Result<usize, Failure> {
        let count = self.field(name)?.as_u64().and_then(|x| usize::try_from(x).ok());
        count.ok_or_else(|| self.wrong(name, "a whole number"))
    }

    /// A vector of numbers.
    pub(crate) fn reals(&self, name: &str) -> Result<Vec<f64>, Failure> {
        let values = self.field(name)?.as_array().map(|values| values.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
        values.flatten().ok_or_else(|| self.wrong(name, "a list of numbers"))
    }

    /// A matrix, given as a list of rows.
    pub(crate) fn matrix(&self, name: &str) -> Result<ppl_core::prelude::Array2<f64>, Failure> {
        let wrong = || self.wrong(name, "a list of rows of numbers");
        let rows = self.field(name)?.as_array().ok_or_else(wrong)?;
        let mut values = Vec::new();
        for row in rows {
            let row: Option<Vec<f64>> = row.as_array().and_then(|row| row.iter().map(Value::as_f64).collect());
            values.extend(row.ok_or_else(wrong)?);
        }
        let columns = values.len() / rows.len().max(1);
        ndarray::Array2::from_shape_vec((rows.len(), columns), values).map_err(|_| wrong())
    }

    /// Indices that count from one, as indices that count from zero.
    pub(crate) fn indices(&self, name: &str) -> Result<Vec<usize>, Failure> {
        let values = self.field(name)?.as_array().map(|values| {
            values
                .iter()
                .map(|x| x.as_u64().and_then(|x| usize::try_from(x).ok()?.checked_sub(1)))
                .collect::<Option<Vec<usize>>>()
        });
        values.flatten().ok_or_else(|| self.wrong(name, "a list of indices from one on"))
    }
}
