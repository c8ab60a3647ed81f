//! Messages of the conformance protos, byte by byte, and their JSON.

use std::sync::LazyLock;

use selvedge_transcode::{Error, MessageId, Options, Schema, ToJson};

pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let set: &[u8] = include_bytes!("../../testdata/conformance.binpb");
    Schema::decode(&[set]).expect("protoc's own protos fit together")
});

pub(crate) const PROTO2: &str = "protobuf_test_messages.proto2.TestAllTypesProto2";
pub(crate) const PROTO3: &str = "protobuf_test_messages.proto3.TestAllTypesProto3";
pub(crate) const EDITION: &str = "protobuf_test_messages.editions.TestAllTypesEdition2023";

/// A message in the making.
#[derive(Clone, Default)]
pub(crate) struct Make {
    pub(crate) wire: Vec<u8>,
}

/// A message with one field that is a varint.
pub(crate) fn int(number: u32, value: u64) -> Make {
    Make::default().int(number, value)
}

/// A message with one field that is text, bytes or a message.
pub(crate) fn bytes(number: u32, value: impl AsRef<[u8]>) -> Make {
    Make::default().bytes(number, value)
}

impl Make {
    pub(crate) fn int(self, number: u32, value: u64) -> Self {
        self.varint(u64::from(number) << 3).varint(value)
    }

    pub(crate) fn bytes(self, number: u32, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.varint(u64::from(number) << 3 | 2).varint(value.len() as u64).raw(value)
    }

    pub(crate) fn fixed_64(self, number: u32, value: [u8; 8]) -> Self {
        self.varint(u64::from(number) << 3 | 1).raw(&value)
    }

    pub(crate) fn fixed_32(self, number: u32, value: [u8; 4]) -> Self {
        self.varint(u64::from(number) << 3 | 5).raw(&value)
    }

    pub(crate) fn group(self, number: u32, content: &Self) -> Self {
        let whole = self.varint(u64::from(number) << 3 | 3).raw(&content.wire);
        whole.varint(u64::from(number) << 3 | 4)
    }

    pub(crate) fn then(self, other: &Self) -> Self {
        self.raw(&other.wire)
    }

    pub(crate) fn varint(mut self, value: u64) -> Self {
        prost::encoding::encode_varint(value, &mut self.wire);
        self
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.wire.extend_from_slice(bytes);
        self
    }
}

impl AsRef<[u8]> for Make {
    fn as_ref(&self) -> &[u8] {
        &self.wire
    }
}

/// A writer of messages of one type.
pub(crate) struct Writer {
    to_json: ToJson,
    message: MessageId,
}

impl Writer {
    /// With no defaults, so that what is seen is what was there.
    pub(crate) fn brief(message: &str) -> Self {
        Self::new(message, &Options { omit_defaults: true, ..Options::default() })
    }

    pub(crate) fn new(message: &str, options: &Options) -> Self {
        let message = SCHEMA.message(message).expect(message);
        Self { to_json: ToJson::new(&SCHEMA, options), message }
    }

    pub(crate) fn write(&self, wire: impl AsRef<[u8]>) -> Result<String, Error> {
        // Whatever was there before stays.
        let mut out = b"before".to_vec();
        let written = self.to_json.message(self.message, wire.as_ref(), &mut out);
        let json = out.strip_prefix(b"before").expect("it was there before");
        let json = String::from_utf8(json.to_vec()).expect("JSON is UTF-8");
        assert!(written.is_ok() || json.is_empty(), "nothing is left of what failed: {json}");
        written.map(|()| json)
    }

    pub(crate) fn field(&self, name: &str, wire: impl AsRef<[u8]>) -> Result<String, Error> {
        let fields = &SCHEMA[self.message].fields;
        let field = fields.iter().position(|field| &*field.json_name == name).expect(name);
        let mut out = vec![];
        self.to_json.field(self.message, field, wire.as_ref(), &mut out)?;
        Ok(String::from_utf8(out).expect("JSON is UTF-8"))
    }

    /// Each message becomes the JSON beside it.
    #[track_caller]
    pub(crate) fn writes(&self, cases: &[(Make, &str)]) {
        for (at, (wire, expected)) in cases.iter().enumerate() {
            assert_eq!(self.write(wire).as_deref(), Ok(*expected), "case {at}");
        }
    }

    /// Each message is refused, with an error that begins as is said beside it.
    #[track_caller]
    pub(crate) fn refuses(&self, cases: &[(Make, &str)]) {
        for (at, (wire, expected)) in cases.iter().enumerate() {
            match self.write(wire) {
                Ok(json) => panic!("case {at} becomes {json}"),
                Err(error) => assert!(error.to_string().starts_with(expected), "case {at}: {error}"),
            }
        }
    }
}
