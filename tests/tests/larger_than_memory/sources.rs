//! Every source gives the rows that were written.

use ppl_core::prelude::*;
use ppl_core::rows::{Kind, Levels, is_missing};

use crate::Outcome;
use crate::files::{Flights, every_source};

/// The columns that are read, in an order that is none of the file's.
const COLUMNS: [&str; 9] = ["delay", "hour", "late", "carrier", "operator", "seller", "passengers", "month", "distance"];

fn places(rows: &dyn Rows) -> Vec<usize> {
    let place = |name: &&str| rows.columns().iter().position(|column| column.name == *name).expect("the column is there");
    COLUMNS.iter().map(place).collect()
}

#[test]
fn every_source_gives_the_same_rows() -> Outcome {
    let (flights, folder) = (Flights::new(7003), tempfile::tempdir()?);
    let memory = flights.in_memory();
    let expected = {
        let mut out = vec![0.0; 7003 * COLUMNS.len()];
        memory.read(0..7003, &places(&memory), &mut out)?;
        out
    };
    for (name, rows) in every_source(&flights, folder.path())? {
        assert_eq!(rows.len(), 7003, "{name}");
        let columns = places(&*rows);
        // What labels are read as is known after their levels.
        for at in [3, 4, 5] {
            let Levels::Named(levels) = rows.levels(columns[at])? else { panic!("{name}: labels have names") };
            assert_eq!(&levels[..], ["American", "Überland", "United", "Delta"], "{name}");
        }
        assert_eq!(rows.levels(columns[7])?, Levels::Count(12), "{name}");
        let width = COLUMNS.len();
        let mut check = |range: std::ops::Range<usize>| -> Outcome {
            let mut out = vec![0.0; range.len() * width];
            rows.read(range.clone(), &columns, &mut out)?;
            let same = |(a, b): (&f64, &f64)| a == b || (is_missing(*a) && is_missing(*b));
            let wrong = out.iter().zip(&expected[range.start * width..]).position(|pair| !same(pair));
            assert!(wrong.is_none(), "{name}, {range:?}: {:?}", wrong.map(|at| (range.start + at / width, COLUMNS[at % width])));
            Ok(())
        };
        for range in [0..7003, 0..1, 7002..7003, 1499..1501, 2999..6003, 13..21, 5000..5000] {
            check(range)?;
        }
        let blocks = rows.blocks(&columns);
        assert!(blocks.windows(2).all(|pair| pair[0].end == pair[1].start), "{name}: {blocks:?}");
        assert_eq!((blocks[0].start, blocks[blocks.len() - 1].end), (0, 7003), "{name}");
        // What cannot be read in places is read a record batch at a time, and compressed files as well.
        let numbers = rows.blocks(&columns[..3]);
        assert!(numbers.len() > 2 && (!name.starts_with("plain.arrow") || numbers.len() == 8), "{name}: {numbers:?}");
        blocks.into_iter().try_for_each(&mut check)?;
        let kind = |name: &str| rows.columns().iter().find(|column| column.name == name).map(|column| column.kind.clone());
        assert_eq!(kind("hour"), Some(Kind::Real));
        assert_eq!(kind("late"), Some(Kind::Bool));
        assert_eq!(kind("operator"), Some(Kind::Label));
    }
    Ok(())
}
