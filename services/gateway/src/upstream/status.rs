//! How an upstream says that a call has ended.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use percent_encoding::percent_decode;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

/// As metadata has it: some write the padding, some do not.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The code, if there is one; a code that gRPC does not know is `UNKNOWN`.
pub(crate) fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()))
}

/// All of the status, and what came with it. What cannot be decoded does not hide the rest, as gRPC wants it; tonic's own
/// reading would panic.
pub(super) fn read(code: Code, head: HeaderMap, trailers: Option<&HeaderMap>) -> Status {
    let said = trailers.unwrap_or(&head);
    let message =
        said.get(Status::GRPC_MESSAGE).map(|text| percent_decode(text.as_bytes()).decode_utf8_lossy());
    let details = said.get(Status::GRPC_STATUS_DETAILS).and_then(|text| BASE64.decode(text).ok());
    let mut status =
        Status::with_details(code, message.unwrap_or_default(), details.unwrap_or_default().into());
    let mut metadata = head;
    for (name, value) in trailers.into_iter().flatten() {
        metadata.append(name, value.clone());
    }
    *status.metadata_mut() = MetadataMap::from_headers(metadata);
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn what_does_not_decode_does_not_hide_the_rest() {
        let trailers =
            headers(&[("grpc-status", "5"), ("grpc-message", "%zz%ff!"), ("grpc-status-details-bin", "!")]);
        assert_eq!(code(&trailers), Some(Code::NotFound));
        let status = read(Code::NotFound, headers(&[("quota", "1")]), Some(&trailers));
        assert_eq!((status.code(), status.message()), (Code::NotFound, "%zz\u{fffd}!"));
        assert!(status.details().is_empty());
        assert_eq!(status.metadata().get("quota").unwrap(), "1");
    }

    #[test]
    fn details_may_be_padded_or_not() {
        for text in ["AAE=", "AAE"] {
            let head = headers(&[("grpc-status", "5"), ("grpc-status-details-bin", text)]);
            assert_eq!(read(Code::NotFound, head, None).details(), b"\0\x01", "{text}");
        }
    }

    #[test]
    fn a_code_that_is_none_is_unknown() {
        for text in ["99", "x", "", "-1"] {
            assert_eq!(code(&headers(&[("grpc-status", text)])), Some(Code::Unknown), "{text}");
        }
        assert_eq!(code(&headers(&[])), None);
    }
}
