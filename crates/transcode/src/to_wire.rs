//! JSON to the protobuf wire format, without a message in between.
//!
//! Plans are made of the messages once; a [`Pass`] reads JSON along them and writes as it reads.

mod any;
mod base64;
mod duplicates;
mod escapes;
mod fault;
mod known;
mod list;
mod map;
mod mask;
mod names;
mod numbers;
mod object;
mod pass;
mod paths;
mod plan;
mod reader;
mod scalars;
mod scan;
mod single;
mod skip;
mod text;
mod times;

use crate::{Error, MessageId, Options, Schema};
use fault::{Fault, Parsed};
use names::Names;
use pass::Pass;
use plan::{EnumPlan, MessagePlan};

/// Turns JSON into messages on the wire.
#[derive(Debug)]
pub struct ToWire {
    messages: Box<[MessagePlan]>,
    enums: Box<[EnumPlan]>,
    /// The messages that an `Any` may hold, by their full names.
    types: Names,
    options: Options,
}

impl ToWire {
    /// Makes the plans of all messages.
    ///
    /// ```
    /// use selvedge_transcode::{Options, Schema, ToWire};
    ///
    /// let schema = Schema::decode(&[include_bytes!("../testdata/conformance.binpb")])?;
    /// let message = schema.message("protobuf_test_messages.proto3.ForeignMessage").expect("it is declared");
    /// let to_wire = ToWire::new(&schema, &Options::default());
    ///
    /// let mut wire = vec![];
    /// to_wire.message(message, br#"{"c": 5}"#, &mut wire).expect("a field of the message");
    /// assert_eq!(wire, [0x08, 5]);
    ///
    /// let error = to_wire.message(message, br#"{"d": 5}"#, &mut wire).expect_err("no field of the message");
    /// assert_eq!(error.place, "d");
    /// # Ok::<(), selvedge_transcode::SchemaError>(())
    /// ```
    pub fn new(schema: &Schema, options: &Options) -> Self {
        let (messages, enums) = plan::compile(schema);
        let types = messages.iter().zip(0..).map(|(message, id)| (&*message.name, id));
        Self { types: Names::new(types), messages, enums, options: options.clone() }
    }

    /// Appends the message that JSON stands for. That it lacks a field which must be there (proto2) is for the caller to find, as
    /// something else than the JSON may bring that. What was appended before an error is of no use.
    pub fn message(&self, message: MessageId, json: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.pass(json, out, |pass| pass.message(self.plan(message)))
    }

    /// Appends a field with the value that JSON stands for; nothing for `null` where that is no value, and nothing for
    /// zeros that are not written.
    pub fn field(
        &self,
        message: MessageId,
        field_index: usize,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.pass(json, out, |pass| {
            // The message around the field is a level too.
            pass.deeper()?;
            pass.field(&self.plan(message).fields[field_index]).map(drop)
        })
    }

    fn pass<'p>(
        &'p self,
        json: &'p [u8],
        out: &'p mut Vec<u8>,
        read: impl FnOnce(&mut Pass<'p>) -> Parsed,
    ) -> Result<(), Error> {
        let json = utf8(json)?;
        let mut pass = Pass::new(self, json, out);
        pass.reader.space();
        read(&mut pass).and_then(|()| pass.finish()).map_err(Fault::into_error)
    }

    fn plan(&self, message: MessageId) -> &MessagePlan {
        &self.messages[message.0 as usize]
    }
}

fn utf8(json: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(json).map_err(|error| {
        Fault::new(format!("the byte {} is not UTF-8", error.valid_up_to() + 1)).into_error()
    })
}
