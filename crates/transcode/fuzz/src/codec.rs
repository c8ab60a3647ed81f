//! Both directions, for a message of each syntax.

use std::sync::LazyLock;

use selvedge_transcode::{Error, MessageId, Options, Schema, ToJson, ToWire};
use serde::de::IgnoredAny;

use super::descriptors::CONFORMANCE;

/// Both directions of the conformance protos.
pub struct Codec {
    to_json: ToJson,
    to_wire: ToWire,
    /// A message of proto3, of proto2 and of an edition, all of them with fields of every kind.
    pub messages: [MessageId; 3],
}

/// Compiled once.
pub static CODEC: LazyLock<Codec> = LazyLock::new(|| {
    let schema = Schema::decode(&[CONFORMANCE]).expect("the descriptors fit together");
    let message = |name: &str| schema.message(name).expect("it is declared");
    let options = Options::default();
    Codec {
        to_json: ToJson::new(&schema, &options),
        to_wire: ToWire::new(&schema, &options),
        messages: [
            message("protobuf_test_messages.proto3.TestAllTypesProto3"),
            message("protobuf_test_messages.proto2.TestAllTypesProto2"),
            message("protobuf_test_messages.editions.TestAllTypesEdition2023"),
        ],
    }
});

impl Codec {
    /// The JSON of a message, which must be JSON for others too.
    pub fn json(&self, message: MessageId, wire: &[u8]) -> Result<Vec<u8>, Error> {
        let mut json = vec![];
        self.to_json.message(message, wire, &mut json)?;
        let value = serde_json::from_slice::<serde_json::Value>(&json);
        assert!(value.is_ok_and(|value| value.is_object()), "not JSON: {}", String::from_utf8_lossy(&json));
        Ok(json)
    }

    /// The wire form of what JSON says, which must be JSON for others too.
    pub fn wire(&self, message: MessageId, json: &[u8]) -> Result<Vec<u8>, Error> {
        let mut wire = vec![];
        self.to_wire.message(message, json, &mut wire)?;
        let others = serde_json::from_slice::<IgnoredAny>(json);
        assert!(others.is_ok(), "read, but not JSON: {}", String::from_utf8_lossy(json));
        Ok(wire)
    }

    /// Goes from JSON that was written here to the wire and back, which must give the same.
    pub fn assert_round_trip(&self, message: MessageId, json: &[u8]) {
        let text = String::from_utf8_lossy(json);
        let wire = match self.wire(message, json) {
            Ok(wire) => wire,
            Err(error) if error.too_large => return,
            Err(error) => panic!("what was written cannot be read: {error}: {text}"),
        };
        match self.json(message, &wire) {
            Ok(again) => assert_eq!(String::from_utf8_lossy(&again), text),
            Err(error) => assert!(error.too_large, "what was read cannot be written: {error}: {text}"),
        }
    }
}
