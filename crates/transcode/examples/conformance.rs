//! What the official conformance suite of protobuf talks to: `.ci/conformance` runs the suite against it.
//!
//! A request is a length of four bytes and a message, on the standard input; so is an answer, on the standard output.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};

use prost::{Message, Oneof};
use selvedge_transcode::{MessageId, Options, Schema, ToJson, ToWire};

/// `conformance.ConformanceRequest`, as far as it is needed.
#[derive(Message)]
struct Request {
    #[prost(oneof = "Payload", tags = "1, 2")]
    payload: Option<Payload>,
    #[prost(int32, tag = "3")]
    output: i32,
    #[prost(string, tag = "4")]
    message_type: String,
    #[prost(int32, tag = "5")]
    category: i32,
}

#[derive(Oneof)]
enum Payload {
    #[prost(bytes, tag = "1")]
    Wire(Vec<u8>),
    // As bytes, because what is not UTF-8 is for the testee to refuse.
    #[prost(bytes, tag = "2")]
    Json(Vec<u8>),
}

/// `conformance.ConformanceResponse`, as far as it is needed.
#[derive(Message)]
struct Response {
    #[prost(oneof = "Answer", tags = "1, 6, 3, 4, 5")]
    answer: Option<Answer>,
}

#[derive(Oneof)]
enum Answer {
    #[prost(string, tag = "1")]
    ParseError(String),
    #[prost(string, tag = "6")]
    SerializeError(String),
    #[prost(bytes, tag = "3")]
    Wire(Vec<u8>),
    #[prost(bytes, tag = "4")]
    Json(Vec<u8>),
    #[prost(string, tag = "5")]
    Skipped(String),
}

// The numbers of the formats and of a category.
const WIRE: i32 = 1;
const JSON: i32 = 2;
const IGNORE_UNKNOWN: i32 = 3;

struct Testee {
    schema: Schema,
    to_json: ToJson,
    to_wire: ToWire,
    /// What is used where a case wants unknown fields and names to be ignored.
    lenient: ToWire,
}

fn main() -> Result<(), Box<dyn Error>> {
    let schema = Schema::decode(&[include_bytes!("../testdata/conformance.binpb")])?;
    let strict = Options::default();
    // Fields with the value zero and no presence would be told from absent ones by some cases.
    let compact = Options { omit_defaults: true, ..Options::default() };
    let lenient =
        Options { ignore_unknown_fields: true, ignore_unknown_enum_names: true, ..Options::default() };
    let testee = Testee {
        to_json: ToJson::new(&schema, &compact),
        to_wire: ToWire::new(&schema, &strict),
        lenient: ToWire::new(&schema, &lenient),
        schema,
    };
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    while let Some(request) = read(&mut input)? {
        let response = Response { answer: Some(testee.answer(request)) }.encode_to_vec();
        output.write_all(&u32::try_from(response.len())?.to_le_bytes())?;
        output.write_all(&response)?;
        output.flush()?;
    }
    Ok(())
}

fn read(input: &mut impl Read) -> Result<Option<Request>, Box<dyn Error>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut request = vec![0; u32::from_le_bytes(length).try_into()?];
    input.read_exact(&mut request)?;
    Ok(Some(Request::decode(request.as_slice())?))
}

impl Testee {
    fn answer(&self, request: Request) -> Answer {
        let skipped = |what: &str| Answer::Skipped(what.to_owned());
        let Some(message) = self.schema.message(&request.message_type) else {
            return skipped("the type is not known");
        };
        match (request.payload, request.output) {
            (Some(Payload::Wire(_)), WIRE) => skipped("no JSON is asked for"),
            (Some(Payload::Wire(wire)), JSON) => self.json(message, &wire),
            (Some(Payload::Json(json)), output @ (WIRE | JSON)) => {
                let to_wire = if request.category == IGNORE_UNKNOWN { &self.lenient } else { &self.to_wire };
                let mut wire = vec![];
                match to_wire.message(message, &json, &mut wire) {
                    Err(error) => Answer::ParseError(error.to_string()),
                    Ok(()) if output == WIRE => Answer::Wire(wire),
                    Ok(()) => self.json(message, &wire),
                }
            }
            _ => skipped("only JSON and the wire format are done"),
        }
    }

    fn json(&self, message: MessageId, wire: &[u8]) -> Answer {
        let mut json = vec![];
        match self.to_json.message(message, wire, &mut json) {
            Ok(()) => Answer::Json(json),
            Err(error) => Answer::SerializeError(error.to_string()),
        }
    }
}
