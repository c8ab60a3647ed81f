//! The JSON form of messages. It is made from the descriptors, so that the protos stay the only definition of the API.

use std::sync::LazyLock;

use prost::Message;
use selvedge_proto::FILE_DESCRIPTOR_SET;
use selvedge_transcode::{Cardinality, Field, Kind, MessageId, Options, Schema, ToJson, ToWire, WellKnown};

static API: LazyLock<Api> = LazyLock::new(|| {
    let schema = Schema::decode(&[FILE_DESCRIPTOR_SET]).expect("descriptors made by a compiler fit together");
    let options = Options { omit_defaults: true, ..Options::default() };
    Api { to_json: ToJson::new(&schema, &options), to_wire: ToWire::new(&schema, &options), schema }
});

struct Api {
    schema: Schema,
    to_json: ToJson,
    to_wire: ToWire,
}

/// A type of messages.
#[derive(Clone, Copy)]
pub(crate) struct MessageType(MessageId);

impl MessageType {
    /// The type of `selvedge.contacts.v1` with this name, which there must be.
    pub(crate) fn of_contacts(name: &str) -> Self {
        let name = format!("selvedge.contacts.v1.{name}");
        Self(API.schema.message(&name).expect("the name is that of a message of the API"))
    }

    /// The names of its fields in JSON, in the order of their numbers.
    pub(crate) fn names(self) -> Vec<String> {
        API.schema[self.0].fields.iter().map(|field| field.json_name.to_string()).collect()
    }

    /// The field of this name, in JSON or in the proto.
    pub(crate) fn field(self, name: &str) -> Option<&'static Field> {
        API.schema[self.0].field_named(name)
    }

    /// The JSON form of a message, without what is zero or empty.
    pub(crate) fn json(self, message: &impl Message) -> Result<Vec<u8>, String> {
        let mut json = vec![];
        let written = API.to_json.message(self.0, &message.encode_to_vec(), &mut json);
        written.map(|()| json).map_err(|error| error.to_string())
    }

    /// The message that this text is the JSON form of.
    pub(crate) fn parse<M: Message + Default>(self, json: &str) -> Result<M, String> {
        let mut wire = vec![];
        API.to_wire.message(self.0, json.as_bytes(), &mut wire).map_err(|error| said(&error))?;
        decode(&wire)
    }

    /// The message with nothing but this field, and this text as the JSON form of that.
    pub(crate) fn parse_field<M: Message + Default>(self, field: &Field, json: &str) -> Result<M, String> {
        let fields = &API.schema[self.0].fields;
        let index = fields.iter().position(|other| other.number == field.number);
        let index = index.expect("the field is one of this message");
        let mut wire = vec![];
        API.to_wire.field(self.0, index, json.as_bytes(), &mut wire).map_err(|error| said(&error))?;
        decode(&wire)
    }
}

fn said(error: &selvedge_transcode::Error) -> String {
    // Nearly always there is but one line.
    error.to_string().replace("line 1, column ", "column ")
}

fn decode<M: Message + Default>(wire: &[u8]) -> Result<M, String> {
    // There is a limit to that, and nothing else that could be wrong with what was just made.
    M::decode(wire).map_err(|_| "nested too deeply".to_owned())
}

/// Whether the JSON form of a field is a string.
pub(crate) fn is_textual(field: &Field) -> bool {
    let textual = match field.kind {
        Kind::Message(message) => matches!(
            API.schema[message].well_known,
            Some(WellKnown::Timestamp | WellKnown::Duration | WellKnown::FieldMask)
        ),
        // The last five are numbers that a double cannot hold.
        kind => matches!(
            kind,
            Kind::String
                | Kind::Bytes
                | Kind::Enum(_)
                | Kind::Int64
                | Kind::Sint64
                | Kind::Sfixed64
                | Kind::Uint64
                | Kind::Fixed64
        ),
    };
    textual && field.cardinality == Cardinality::Singular
}
