//! Files of the tests, as other programs write them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int16Type;
use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow_array::{StringViewArray, TimestampSecondArray, UInt64Array};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use ppl_core::prelude::*;
use ppl_core::random::uniform;
use ppl_core::rows::InMemory;

/// The carriers, in the order of their numbers.
const CARRIERS: [&str; 4] = ["Delta", "American", "Überland", "United"];

/// The columns of flights.
pub(crate) struct Flights {
    pub(crate) late: Vec<bool>,
    pub(crate) distance: Vec<f64>,
    pub(crate) hour: Vec<f64>,
    pub(crate) carrier: Vec<&'static str>,
    pub(crate) passengers: Vec<u64>,
    pub(crate) delay: Vec<Option<f64>>,
}

impl Flights {
    /// So many flights, sorted by carrier, as files often are.
    pub(crate) fn new(rows: usize) -> Self {
        let number = |key: u64, row: usize| uniform(key, row as u64);
        let carrier: Vec<&str> = (0..rows).map(|row| CARRIERS[(4 * row / rows + 1) % 4]).collect();
        let distance: Vec<f64> = (0..rows).map(|row| 2.0 * number(1, row) - 1.0).collect();
        let hour: Vec<f64> = (0..rows).map(|row| f64::from((2.0 * number(2, row) - 1.0) as f32)).collect();
        let of_carrier = |name: &str| CARRIERS.iter().position(|known| *known == name).map_or(0.0, |c| c as f64 - 1.5);
        let logit = |row: usize| 0.7 * distance[row] - 0.4 * hour[row] + 0.5 * of_carrier(carrier[row]);
        let late = (0..rows).map(|row| number(3, row) < 1.0 / (1.0 + (-logit(row)).exp())).collect();
        Flights {
            late,
            passengers: (0..rows).map(|row| (200.0 * number(4, row)) as u64).collect(),
            delay: (0..rows).map(|row| (row % 5 != 3).then(|| number(5, row))).collect(),
            distance,
            hour,
            carrier,
        }
    }

    /// In memory.
    pub(crate) fn in_memory(&self) -> InMemory {
        let missing = |delay: &Option<f64>| delay.unwrap_or(ppl_core::rows::MISSING);
        InMemory::new()
            .bools("late", &self.late)
            .reals("distance", self.distance.clone())
            .reals("hour", self.hour.clone())
            .indices("carrier", &Indices::from_labels(&self.carrier))
            .indices("operator", &Indices::from_labels(&self.carrier))
            .indices("seller", &Indices::from_labels(&self.carrier))
            .counts("passengers", &self.passengers)
            .counts("month", &self.months())
            .reals("delay", self.delay.iter().map(missing).collect())
    }

    fn months(&self) -> Vec<u64> {
        (0..self.late.len() as u64).map(|row| row % 12).collect()
    }

    /// The rows of a range.
    fn batch(&self, rows: std::ops::Range<usize>) -> Result<RecordBatch, ArrowError> {
        let carrier = &self.carrier[rows.clone()];
        let dictionary: DictionaryArray<Int16Type> = carrier.iter().copied().collect();
        let months = self.months()[rows.clone()].iter().map(|&month| i32::try_from(month).unwrap_or(-1)).collect::<Vec<_>>();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("late", Arc::new(BooleanArray::from(self.late[rows.clone()].to_vec()))),
            ("when", Arc::new(TimestampSecondArray::from(vec![0; rows.len()]))),
            ("distance", Arc::new(Float64Array::from(self.distance[rows.clone()].to_vec()))),
            ("hour", Arc::new(Float32Array::from_iter_values(self.hour[rows.clone()].iter().map(|&x| x as f32)))),
            ("seller", Arc::new(StringViewArray::from_iter_values(carrier))),
            ("carrier", Arc::new(StringArray::from_iter_values(carrier))),
            ("operator", Arc::new(dictionary)),
            ("passengers", Arc::new(UInt64Array::from(self.passengers[rows.clone()].to_vec()))),
            ("month", Arc::new(Int32Array::from(months))),
            ("delay", Arc::new(Float64Array::from(self.delay[rows].to_vec()))),
        ];
        RecordBatch::try_from_iter(columns)
    }

    /// A Parquet file with row groups of so many rows.
    pub(crate) fn write_parquet(&self, path: &Path, group: usize, compression: Compression) -> crate::Outcome {
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_row_count(Some(group))
            .set_write_batch_size(256)
            .set_data_page_row_count_limit(1500)
            .build();
        let all = self.batch(0..self.late.len())?;
        let mut writer = ArrowWriter::try_new(File::create(path)?, all.schema(), Some(properties))?;
        writer.write(&all)?;
        writer.close()?;
        Ok(())
    }

    /// An Arrow file with record batches of so many rows.
    pub(crate) fn write_arrow(&self, path: &Path, batch: usize, compression: Option<CompressionType>) -> crate::Outcome {
        // A dictionary is one for the whole file.
        let all = self.batch(0..self.late.len())?;
        let options = IpcWriteOptions::default().try_with_compression(compression)?;
        let mut writer = FileWriter::try_new_with_options(File::create(path)?, &all.schema(), options)?;
        for first in (0..self.late.len()).step_by(batch) {
            writer.write(&all.slice(first, batch.min(self.late.len() - first)))?;
        }
        writer.finish()?;
        Ok(())
    }
}

/// Every kind of file, each with a name.
pub(crate) fn every_source(flights: &Flights, folder: &Path) -> Result<Vec<(String, Box<dyn Rows>)>, Box<dyn std::error::Error>> {
    let mut sources: Vec<(String, Box<dyn Rows>)> = vec![("memory".to_owned(), Box::new(flights.in_memory()))];
    let path = |name: &str| -> PathBuf { folder.join(name) };
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for (name, group, compression) in [
        ("plain.parquet", 100_000, Compression::UNCOMPRESSED),
        ("snappy.parquet", 3000, Compression::SNAPPY),
        ("zstd.parquet", 1777, zstd),
        ("lz4.parquet", 2500, Compression::LZ4_RAW),
    ] {
        flights.write_parquet(&path(name), group, compression)?;
        sources.push((name.to_owned(), Box::new(ParquetRows::open(path(name))?)));
    }
    for (name, batch, compression) in [
        ("plain.arrow", 2500, None),
        ("one.feather", 1_000_000, None),
        ("lz4.feather", 3001, Some(CompressionType::LZ4_FRAME)),
        ("zstd.arrow", 999, Some(CompressionType::ZSTD)),
    ] {
        flights.write_arrow(&path(name), batch, compression)?;
        sources.push((name.to_owned(), Box::new(ArrowRows::open(path(name))?)));
    }
    Ok(sources)
}
