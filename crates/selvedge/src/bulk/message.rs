//! The JSON form of messages. It is made by reflection, so that the protos stay the only definition of the API.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use selvedge_proto::FILE_DESCRIPTOR_SET;
use serde_json::{Map, Value};

static API: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors made by a compiler decode")
});

/// Messages whose JSON form is a string.
const TEXTUAL: [&str; 3] =
    ["google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"];

/// A type of messages.
pub(crate) struct MessageType(MessageDescriptor);

impl MessageType {
    /// The type of `selvedge.contacts.v1` with this name, which there must be.
    pub(crate) fn of_contacts(name: &str) -> Self {
        let name = format!("selvedge.contacts.v1.{name}");
        Self(API.get_message_by_name(&name).expect("the name is that of a message of the API"))
    }

    /// The names of its fields in JSON, in the order of the proto.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.fields().map(|field| field.json_name().to_owned()).collect()
    }

    /// The field of this name, in JSON or in the proto.
    pub(crate) fn field(&self, name: &str) -> Option<FieldDescriptor> {
        self.0.get_field_by_json_name(name).or_else(|| self.0.get_field_by_name(name))
    }

    /// An empty message.
    pub(crate) fn empty(&self) -> DynamicMessage {
        DynamicMessage::new(self.0.clone())
    }

    /// A message that can be written as JSON.
    pub(crate) fn reflect(&self, message: &impl Message) -> DynamicMessage {
        let mut dynamic = self.empty();
        dynamic.transcode_from(message).expect("it is a message of this type");
        dynamic
    }

    /// The message that this text is the JSON form of.
    pub(crate) fn parse(&self, json: &str) -> Result<DynamicMessage, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        DynamicMessage::deserialize(self.0.clone(), &mut deserializer)
            .and_then(|message| deserializer.end().map(|()| message))
            // Nearly always there is but one line.
            .map_err(|error| error.to_string().replace(" at line 1 column ", " at column "))
    }

    /// The message that this object is the JSON form of.
    pub(crate) fn parse_object(&self, object: Map<String, Value>) -> Result<DynamicMessage, String> {
        DynamicMessage::deserialize(self.0.clone(), Value::Object(object)).map_err(|error| error.to_string())
    }
}

/// What was parsed, as a message of a generated type, which must be its own.
pub(crate) fn typed<M: Message + Default>(parsed: &DynamicMessage) -> Result<M, String> {
    // There is a limit to that, and nothing else that could be wrong with it.
    parsed.transcode_to().map_err(|_| "nested too deeply".to_owned())
}

/// Whether the JSON form of a field is a string.
pub(crate) fn is_textual(field: &FieldDescriptor) -> bool {
    let textual = match field.kind() {
        Kind::Message(message) => TEXTUAL.contains(&message.full_name()),
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
    textual && !field.is_list() && !field.is_map()
}
