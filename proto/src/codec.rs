//! The codec of our servers: what reaches a handler is decodable and valid.

use std::marker::PhantomData;

use prost::{DecodeError, Message};
use tonic::codec::{DecodeBuf, Decoder};
use tonic::{Code, Status};
use tonic_prost::ProstEncoder;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::validate::{Validate, Violations, check};

/// The `domain` of every `google.rpc.ErrorInfo` that Selvedge makes.
pub const ERROR_DOMAIN: &str = "selvedge";

/// The `reason` of the answer to a message that cannot be decoded.
pub const MALFORMED_MESSAGE: &str = "MALFORMED_MESSAGE";

/// The `reason` of the answer to a message that breaks rules of its proto.
pub const INVALID_REQUEST: &str = "INVALID_REQUEST";

/// Encodes answers like tonic's own codec; decodes requests and checks them against the rules of their proto.
#[derive(Debug, Clone, Copy)]
pub struct Codec<E, D>(PhantomData<(E, D)>);

impl<E, D> Default for Codec<E, D> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E, D> tonic::codec::Codec for Codec<E, D>
where
    E: Message + Send + 'static,
    D: Message + Default + Validate + Send + 'static,
{
    type Encode = E;
    type Decode = D;
    type Encoder = ProstEncoder<E>;
    type Decoder = CheckingDecoder<D>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        CheckingDecoder(PhantomData)
    }
}

/// Decodes a message and checks it; both kinds of failure are the caller's, thus `INVALID_ARGUMENT`.
#[derive(Debug, Clone, Copy)]
pub struct CheckingDecoder<D>(PhantomData<D>);

impl<D: Message + Default + Validate> Decoder for CheckingDecoder<D> {
    type Item = D;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<D>, Status> {
        let message = D::decode(buffer).map_err(|error| malformed(&error))?;
        check(&message)?;
        Ok(Some(message))
    }
}

/// A decode error names fields and wire types, never what the caller sent.
fn malformed(error: &DecodeError) -> Status {
    refusal(MALFORMED_MESSAGE, format!("the message cannot be decoded: {error}"), Vec::new())
}

impl From<Violations> for Status {
    fn from(violations: Violations) -> Self {
        let message = format!("the request is invalid: {violations}");
        let fields =
            violations.into_vec().into_iter().map(|it| FieldViolation::new(it.field, it.description));
        refusal(INVALID_REQUEST, message, fields.collect())
    }
}

fn refusal(reason: &str, message: String, fields: Vec<FieldViolation>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, []);
    if !fields.is_empty() {
        details.set_bad_request(fields);
    }
    Status::with_error_details(Code::InvalidArgument, message, details)
}
