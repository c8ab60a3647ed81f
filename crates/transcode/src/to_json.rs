//! Protobuf to JSON, straight from the one's bytes to the other's.

mod escape;
mod fault;
mod gather;
mod kind;
mod map;
mod names;
mod number;
mod plan;
mod sink;
mod time;
mod value;
mod well_known;
mod writer;

use crate::schema::{Cardinality, MessageId, Schema};
use crate::{Error, Options};
use fault::{Fault, Step};
use plan::Plans;
use writer::Writer;

/// Turns messages into JSON.
///
/// What a later part of a message overrides is not looked at, apart from where it ends.
#[derive(Debug)]
pub struct ToJson {
    plans: Plans,
    options: Options,
}

impl ToJson {
    /// Prepares all messages of a schema.
    pub fn new(schema: &Schema, options: &Options) -> Self {
        Self { plans: Plans::new(schema, options), options: options.clone() }
    }

    /// Appends the JSON of a message; nothing at all when that fails.
    pub fn message(&self, message: MessageId, wire: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.write(wire, out, |writer| writer.message(message.0 as usize, &[wire]))
    }

    /// Appends the JSON of one field of a message: a list or a map if it is one, and `null` if its absence can be told from
    /// its zero and it is absent.
    pub fn field(
        &self,
        message: MessageId,
        field: usize,
        wire: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let plan = &self.plans.messages[message.0 as usize];
        self.write(wire, out, |writer| {
            let mut found = writer.find(plan, &[wire])?;
            found.retain(|one| one.place == field);
            let field = &plan.fields[field];
            match (found.as_slice(), field.cardinality) {
                ([], Cardinality::Repeated) => writer.sink.head(b"[]", 2),
                ([], Cardinality::Map) => writer.sink.head(b"{}", 2),
                ([], Cardinality::Singular) if field.is_explicit => writer.sink.head(b"null", 4),
                (found, _) => writer.found(field, found),
            }
        })
    }

    fn write<'a>(
        &'a self,
        wire: &[u8],
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Writer<'a>) -> Step,
    ) -> Result<(), Error> {
        let before = out.len();
        let mut writer = Writer::new(&self.plans, &self.options, wire, std::mem::take(out));
        let written = write(&mut writer).and_then(|()| writer.sink.check());
        let end = if written.is_ok() { writer.sink.at() } else { before };
        *out = writer.sink.into_bytes(end);
        written.map_err(Fault::into_error)
    }
}

/// A text as JSON.
fn quote(text: &str) -> String {
    let pieces = escape::pieces(text.as_bytes());
    let inner = pieces.flat_map(|piece| [piece.plain, piece.escaped].concat());
    format!("\"{}\"", String::from_utf8_lossy(&inner.collect::<Vec<_>>()))
}
