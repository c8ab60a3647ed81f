//! Whatever message there is: its JSON leads back to it.

#[path = "support/make.rs"]
#[expect(dead_code, reason = "each test needs another part")]
mod make;

use make::{EDITION, Make, PROTO2, PROTO3, SCHEMA};
use selvedge_transcode::{Cardinality, Field, Kind, MessageId, Options, ToJson, ToWire, WellKnown};

const CASES: u64 = 300;

#[test]
fn random_messages_survive_the_way_to_json_and_back() {
    let all = [
        Options::default(),
        Options { omit_defaults: true, proto_names: true, pretty: true, ..Options::default() },
        Options { enums_as_numbers: true, numbers_for_64_bit: true, ..Options::default() },
    ];
    for options in all {
        let (to_json, to_wire) = (ToJson::new(&SCHEMA, &options), ToWire::new(&SCHEMA, &options));
        for name in [PROTO2, PROTO3, EDITION] {
            let message = SCHEMA.message(name).expect(name);
            for seed in 1..=CASES {
                let wire = Dice(seed).message(message, 3);
                let json = |wire: &[u8]| {
                    let mut json = vec![];
                    let written = to_json.message(message, wire, &mut json);
                    written.unwrap_or_else(|error| panic!("{name} {seed}: {error}"));
                    String::from_utf8(json).expect("JSON is UTF-8")
                };
                let first = json(&wire);
                let mut back = vec![];
                let read = to_wire.message(message, first.as_bytes(), &mut back);
                read.unwrap_or_else(|error| panic!("{name} {seed}: {error}\n{first}"));
                assert_eq!(json(&back), first, "{name} {seed}");
                serde_json::from_str::<serde_json::Value>(&first).expect("it is JSON");
            }
        }
    }
}

/// Random numbers that are the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 7
    }

    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(limit)).expect("less than the limit")
    }

    /// One of so many places.
    fn place(&mut self, count: usize) -> usize {
        self.below(u32::try_from(count).expect("lists here are short")) as usize
    }

    /// A message with fields in any order, some of them more than once.
    fn message(&mut self, id: MessageId, depth: u32) -> Vec<u8> {
        let message = &SCHEMA[id];
        match message.well_known {
            Some(WellKnown::Timestamp | WellKnown::Duration) => {
                let seconds = u64::from(self.below(u32::MAX)) * 40;
                return make::int(1, seconds).int(2, [0, 1, 1000, 120_000_000][self.place(4)]).wire;
            }
            Some(WellKnown::FieldMask) => return make::bytes(1, "foo_bar").bytes(1, "baz.q1").wire,
            Some(WellKnown::Any) => {
                let value = make::int(1, u64::from(self.below(1 << 31))).wire;
                return make::bytes(1, format!("type.googleapis.com/{PROTO3}")).bytes(2, value).wire;
            }
            // An entry whose value is not set is an error.
            Some(WellKnown::Struct) => {
                let value = self.message(
                    SCHEMA.message("google.protobuf.Value").expect("a type"),
                    depth.saturating_sub(1),
                );
                return make::bytes(1, make::bytes(1, "key").bytes(2, value)).wire;
            }
            Some(WellKnown::Value) if depth == 0 => return make::int(4, 1).wire,
            _ => {}
        }
        let mut all = Make::default();
        let count = if message.fields.len() < 8 { self.below(3) + 1 } else { self.below(12) };
        for _ in 0..count {
            let at = self.place(message.fields.len().max(1));
            let Some(field) = message.fields.get(at) else { break };
            // A message set has its own format, which the other direction leaves out.
            let is_set = matches!(field.kind, Kind::Message(id) if SCHEMA[id].is_message_set);
            if !(is_set || depth == 0 && matches!(field.kind, Kind::Message(_))) {
                all = self.field(all, field, depth);
            }
        }
        match message.well_known {
            Some(WellKnown::Value) if all.wire.is_empty() => all.int(4, 1).wire,
            _ => all.wire,
        }
    }

    fn field(&mut self, all: Make, field: &Field, depth: u32) -> Make {
        let number = field.number;
        let odd = [0, 1, 2, 127, 128, u64::MAX, 1 << 31, 1 << 63, self.roll()];
        let value = odd[self.place(odd.len())];
        match field.kind {
            Kind::Double => all.fixed_64(number, (f64::from(self.below(u32::MAX)) / 1000.0).to_le_bytes()),
            Kind::Float => {
                all.fixed_32(number, (f32::from(self.place(1 << 16).to_le_bytes()[0]) / 8.0).to_le_bytes())
            }
            Kind::Fixed64 | Kind::Sfixed64 => all.fixed_64(number, value.to_le_bytes()),
            Kind::Fixed32 | Kind::Sfixed32 => all.fixed_32(number, self.below(u32::MAX).to_le_bytes()),
            Kind::Enum(id) => {
                let values = &SCHEMA[id].values;
                all.int(number, i64::from(values[self.place(values.len())].number).cast_unsigned())
            }
            Kind::String => all.bytes(
                number,
                ["", "a", "line\n\"quoted\" \\", "äöü😀 and so on, for long enough"][self.place(4)],
            ),
            Kind::Bytes => all.bytes(number, &value.to_le_bytes()[..self.place(8)]),
            Kind::Message(id) if field.is_delimited => {
                let content = Make { wire: self.message(id, depth - 1) };
                all.group(number, &content)
            }
            Kind::Message(id) => {
                let content = self.message(id, depth - 1);
                all.bytes(number, content)
            }
            _ if field.cardinality == Cardinality::Repeated && value.is_multiple_of(3) => {
                all.bytes(number, Make::default().varint(value).varint(1).wire)
            }
            _ => all.int(number, value),
        }
    }
}
