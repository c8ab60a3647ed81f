//! JSON read as a message of the conformance protos, and the message in hexadecimal.

use std::sync::LazyLock;

use selvedge_transcode::{Error, MessageId, Options, Schema, ToWire};

pub(crate) const PROTO3: &str = "protobuf_test_messages.proto3.TestAllTypesProto3";

/// The conformance protos.
pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let set: &[u8] = include_bytes!("../../testdata/conformance.binpb");
    Schema::decode(&[set]).expect("protoc's own protos fit together")
});

/// A reader of messages of one type.
pub(crate) struct Reader {
    pub(crate) to_wire: ToWire,
    pub(crate) message: MessageId,
}

impl Reader {
    pub(crate) fn new(message: &str, options: &Options) -> Self {
        let message = SCHEMA.message(message).expect(message);
        Self { to_wire: ToWire::new(&SCHEMA, options), message }
    }

    pub(crate) fn read(&self, json: impl AsRef<[u8]>) -> Result<String, Error> {
        // Whatever was there before stays.
        let mut out = vec![0xff];
        self.to_wire.message(self.message, json.as_ref(), &mut out)?;
        assert_eq!(out[0], 0xff);
        Ok(hex(&out[1..]))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
