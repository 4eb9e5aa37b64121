//! Where the columns of a record batch of an Arrow file lie.

use arrow_ipc::{Block, Message, root_as_message};
use arrow_schema::{DataType, Schema};

use super::RowsError;
use super::file::SourceFile;

/// A record batch, as its header says.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) block: Block,
    pub(super) rows: usize,
    /// Each column of the schema.
    pub(super) columns: Vec<Lies>,
}

/// Where a column lies.
#[derive(Debug)]
pub(super) struct Lies {
    /// Whether values may be missing.
    pub(super) nulls: bool,
    /// Where each of its buffers begins in the file, and how many bytes it has; none where it cannot be read in places.
    pub(super) places: Option<Vec<(u64, usize)>>,
}

/// A message, after its length.
pub(super) fn message(buffer: &[u8]) -> Result<Message<'_>, String> {
    let begin = if buffer.starts_with(&[0xff; 4]) { 8 } else { 4 };
    let bytes = buffer.get(begin..).ok_or_else(|| "a message has no length".to_owned())?;
    root_as_message(bytes).map_err(|error| error.to_string())
}

impl Batch {
    /// Reads the header of a record batch, and refuses one that says more than there is in the file.
    pub(super) fn new(file: &SourceFile, block: &Block, schema: &Schema) -> Result<Self, RowsError> {
        let wrong = |reason: &str| file.unreadable(&format!("a record batch {reason}"));
        let size = |length: i64| u64::try_from(length).map_err(|_| wrong("has a negative length"));
        let (at, head, body) = (size(block.offset())?, size(block.metaDataLength().into())?, size(block.bodyLength())?);
        let end = at.checked_add(head).and_then(|end| end.checked_add(body));
        if end.is_none_or(|end| end > file.length) {
            return Err(wrong("is beyond the end of the file"));
        }
        let mut bytes = vec![0; usize::try_from(head).map_err(|_| wrong("has a header that is too long"))?];
        file.read_at(at, &mut bytes).map_err(|error| file.unreadable(&error))?;
        let message = message(&bytes).map_err(|reason| wrong(&format!("has a header that is none: {reason}")))?;
        let batch = message.header_as_record_batch().ok_or_else(|| wrong("is none"))?;
        let rows = usize::try_from(batch.length()).map_err(|_| wrong("has a negative number of rows"))?;
        let mut buffers = Vec::new();
        for buffer in batch.buffers().into_iter().flatten() {
            let (first, length) = (size(buffer.offset())?, size(buffer.length())?);
            if first.checked_add(length).is_none_or(|end| end > body) {
                return Err(wrong("has a column beyond its end"));
            }
            buffers.push((at + head + first, usize::try_from(length).map_err(|_| wrong("has a column that is too long"))?));
        }
        let nulls: Vec<bool> = batch.nodes().into_iter().flatten().map(|node| node.null_count() != 0).collect();
        let compressed = batch.compression().is_some();
        let mut variadic = batch.variadicBufferCounts().into_iter().flatten();
        let (mut node, mut buffer, mut columns) = (0, 0, Vec::new());
        for field in schema.fields() {
            let counted = counts(field.data_type(), &mut variadic);
            let places = counted.and_then(|(_, own)| buffers.get(buffer..buffer + own)).map(<[_]>::to_vec);
            let places = places.filter(|_| !compressed && is_flat(field.data_type()) && node < nulls.len());
            columns.push(Lies { nulls: nulls.get(node).copied().unwrap_or(true), places });
            // After a column whose extent is not known, nothing is.
            let (nodes, own) = counted.unwrap_or((nulls.len(), buffers.len() + 1));
            (node, buffer) = (node + nodes, buffer + own);
        }
        Ok(Batch { block: *block, rows, columns })
    }
}

impl Lies {
    /// Where part of a buffer lies in the file.
    pub(super) fn buffer(&self, buffer: usize, from: usize, length: usize) -> Result<u64, String> {
        let place = self.places.as_ref().and_then(|places| places.get(buffer));
        let (begin, all) = place.ok_or_else(|| "it has fewer parts than its type needs".to_owned())?;
        if from.checked_add(length).is_none_or(|end| end > *all) {
            return Err(format!("it has {all} bytes where {} are needed", from.saturating_add(length)));
        }
        Ok(begin + from as u64)
    }
}

/// Whether elements of a column lie side by side, or one after the other with their offsets.
fn is_flat(data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Dictionary(..) => true,
        other => other.is_numeric() && other.primitive_width().is_some(),
    }
}

/// How many nodes and buffers a column has.
fn counts(data_type: &DataType, variadic: &mut dyn Iterator<Item = i64>) -> Option<(usize, usize)> {
    let mut with = |own: usize, children: &[&DataType]| {
        let mut total = (1, own);
        for child in children {
            let (nodes, buffers) = counts(child, variadic)?;
            total = (total.0 + nodes, total.1 + buffers);
        }
        Some(total)
    };
    match data_type {
        DataType::Null => Some((1, 0)),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => Some((1, 3)),
        DataType::Utf8View | DataType::BinaryView => Some((1, 2 + usize::try_from(variadic.next()?).ok()?)),
        DataType::List(item) | DataType::LargeList(item) | DataType::Map(item, _) => with(2, &[item.data_type()]),
        DataType::FixedSizeList(item, _) => with(1, &[item.data_type()]),
        DataType::Struct(fields) => with(1, &fields.iter().map(|field| field.data_type()).collect::<Vec<_>>()),
        DataType::Union(..) | DataType::RunEndEncoded(..) | DataType::ListView(_) | DataType::LargeListView(_) => None,
        // The keys alone: what they stand for is apart.
        DataType::Dictionary(..) => Some((1, 2)),
        _ => Some((1, 2)),
    }
}
