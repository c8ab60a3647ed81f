//! Rows, put together as `copy` wants those of our tables.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::Result;
use super::tables::{Column, Table};
use super::values::NULL;

/// A chunk is sent when it has so many rows, or so many bytes of them.
const CHUNK_ROWS: usize = 20_000;
const CHUNK_BYTES: usize = 4 << 20;

/// Rows of one table, with the same columns.
pub(super) struct Chunk {
    pub(super) table: &'static Table,
    pub(super) columns: Vec<&'static str>,
    pub(super) data: Vec<u8>,
    /// The line of the file in which each row is.
    pub(super) lines: Vec<u64>,
}

/// Which of the columns that a file has are which of ours.
pub(super) struct Layout {
    pub(super) table: &'static Table,
    width: usize,
    taken: Vec<(usize, &'static Column)>,
}

impl Layout {
    /// The columns that the file names. Those that we do not know are not taken.
    pub(super) fn named(table: &'static Table, names: &[String], line: u64) -> Result<Self> {
        let mut taken = vec![];
        for column in table.columns {
            match names.iter().position(|name| name == column.name) {
                Some(place) => taken.push((place, column)),
                None if column.is_required => {
                    return Err(at(line, table, format!("there is no column {}", column.name)));
                }
                None => {}
            }
        }
        let has = |name: &str| names.iter().any(|own| own == name);
        if table.name == "rental" && !has("rental_date") && !has("rental_period") {
            return Err(at(line, table, "there is no column rental_date, nor rental_period"));
        }
        Ok(Self { table, width: names.len(), taken })
    }

    /// The columns of a file that does not name them, by their number.
    pub(super) fn usual(table: &'static Table, width: usize, line: u64) -> Result<Self> {
        let orders =
            || table.orders.iter().map(|order| order.split(' ').map(str::to_owned).collect::<Vec<_>>());
        if let Some(names) = orders().find(|names| names.len() == width) {
            return Self::named(table, &names, line);
        }
        let known: Vec<String> = orders().map(|names| names.len().to_string()).collect();
        let said = format!("{width} columns without names, where {} are known", known.join(" or "));
        Err(at(line, table, said))
    }

    /// A column that is taken, and has no value that can be read.
    pub(super) fn unreadable(&self, values: &[Option<Vec<u8>>]) -> Option<&'static str> {
        let mut taken = self.taken.iter();
        taken.find(|(place, _)| matches!(values.get(*place), Some(None))).map(|(_, column)| column.name)
    }
}

/// Something is wrong in a line.
pub(super) fn at(line: u64, table: &Table, what: impl std::fmt::Display) -> super::StartError {
    format!("line {line}, table {}: {what}", table.name).into()
}

/// Gathers rows, and sends them on in chunks.
pub(super) struct Rows {
    chunks: BTreeMap<&'static str, Chunk>,
    sender: mpsc::Sender<Chunk>,
}

impl Rows {
    pub(super) fn new(sender: mpsc::Sender<Chunk>) -> Self {
        Self { chunks: BTreeMap::new(), sender }
    }

    /// Adds a row, with its fields as `copy` writes them. Answers with whether anybody takes more.
    pub(super) fn push(&mut self, layout: &Layout, line: u64, fields: &[impl AsRef<[u8]>]) -> Result<bool> {
        if fields.len() != layout.width {
            let said = format!("{} values, where {} belong", fields.len(), layout.width);
            return Err(at(line, layout.table, said));
        }
        let mut goes_on = self.make_room(layout);
        let chunk = self.chunks.entry(layout.table.name).or_insert_with(|| Chunk::new(layout));
        chunk.data.extend(line.to_string().as_bytes());
        for (place, column) in &layout.taken {
            let field = fields[*place].as_ref();
            chunk.data.push(b'\t');
            chunk.data.extend(match field {
                field if field == NULL => column.null.as_bytes(),
                // Some are padded to the width of their column.
                field if column.target == "name" => field.trim_ascii_end(),
                field => field,
            });
        }
        chunk.data.push(b'\n');
        chunk.lines.push(line);
        if chunk.lines.len() >= CHUNK_ROWS || chunk.data.len() >= CHUNK_BYTES {
            goes_on &= self.send(layout.table.name);
        }
        Ok(goes_on)
    }

    /// Rows with other columns cannot be together.
    fn make_room(&mut self, layout: &Layout) -> bool {
        let name = layout.table.name;
        let fits = self.chunks.get(name).is_none_or(|chunk| {
            chunk.columns.iter().copied().eq(layout.taken.iter().map(|(_, column)| column.target))
        });
        fits || self.send(name)
    }

    /// Sends what is left.
    pub(super) fn end(mut self) {
        while let Some(name) = self.chunks.keys().next().copied() {
            if !self.send(name) {
                return;
            }
        }
    }

    fn send(&mut self, table: &'static str) -> bool {
        let Some(chunk) = self.chunks.remove(table) else { return true };
        self.sender.blocking_send(chunk).is_ok()
    }
}

impl Chunk {
    fn new(layout: &Layout) -> Self {
        let columns = layout.taken.iter().map(|(_, column)| column.target).collect();
        Self { table: layout.table, columns, data: vec![], lines: vec![] }
    }
}
