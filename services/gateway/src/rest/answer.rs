//! What a service answered, as HTTP says it: status, `Location`, `ETag`, conditions, packing.

use http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION, VARY};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use selvedge_transcode::{Route, Transcoder};
use tonic::Code;

use super::methods;
use super::problem::Problem;
use crate::body::Body;
use crate::conditions::{self, Condition};
use crate::encoding;

/// Conditions of a request that reads; those of one that writes are for the service to check.
pub(crate) struct Wanted<'a> {
    none_match: Option<Condition<'a>>,
    matching: Option<Condition<'a>>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn read(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let condition = |name, place| {
            let malformed = |()| Problem::invalid(place, "takes `*` or etags, which are quoted: `\"5f3a\"`");
            Condition::read(headers, name).map_err(malformed)
        };
        Ok(Self {
            none_match: condition(&IF_NONE_MATCH, "If-None-Match")?,
            matching: condition(&IF_MATCH, "If-Match")?,
        })
    }

    /// Whether a caller who reads has what has this etag already; an error if it is not what he insists on.
    pub(crate) fn is_known(&self, etag: Option<&str>) -> Result<bool, Problem> {
        if self.matching.as_ref().is_some_and(|matching| !matching.allows(etag)) {
            return Err(changed());
        }
        Ok(self.none_match.as_ref().is_some_and(|none_match| none_match.has(etag)))
    }

    /// The etag that a request that writes insists on, for the service to compare.
    pub(super) fn for_service(&self, route: &Route) -> Result<Option<&str>, Problem> {
        if self.none_match.is_some() {
            return Err(Problem::invalid("If-None-Match", "is for requests that read"));
        }
        let tags = match &self.matching {
            None | Some(Condition::Any) => return Ok(None),
            Some(Condition::Tags(tags)) => tags,
        };
        if !route.takes_if_match {
            return Err(Problem::invalid("If-Match", "this method compares no etags"));
        }
        // A weak etag never fits where bytes matter, and none is empty: to a service that would be no condition.
        let texts = tags.iter().filter(|tag| !tag.weak).filter_map(|tag| tag.text.as_deref());
        let mut texts = texts.filter(|text| !text.is_empty());
        let text = texts.next().ok_or_else(changed)?;
        if texts.next().is_some() {
            return Err(Problem::invalid("If-Match", "takes one etag here"));
        }
        Ok(Some(text))
    }
}

fn changed() -> Problem {
    let detail = "the resource is not the one that If-Match names";
    Problem::new(StatusCode::PRECONDITION_FAILED, Code::FailedPrecondition, detail)
}

/// The response for the message that a service answered with.
pub(super) async fn answer(
    transcoder: &Transcoder,
    route: &Route,
    method: &Method,
    request: &HeaderMap,
    wanted: &Wanted<'_>,
    message: &[u8],
) -> Result<Response<Body>, Problem> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let etag = transcoder.etag_of(route, message).filter(|etag| !etag.is_empty());
    if let Some(header) = etag.as_deref().and_then(conditions::header) {
        headers.insert(ETAG, header);
    }
    if methods::reads(method) && wanted.is_known(etag.as_deref())? {
        // Caches are told the same as with the body, which might have been packed.
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let location = transcoder.location_of(route, message);
    if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
        headers.insert(LOCATION, location);
        *response.status_mut() = StatusCode::CREATED;
    } else if answers_nothing(transcoder, route) {
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    let mut json = vec![];
    transcoder.response(route, message, &mut json).map_err(|error| unreadable(&error))?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let json = encoding::pack(request, json, headers).await.map_err(|error| unreadable(&error))?;
    *response.body_mut() = Body::full(json);
    Ok(response)
}

fn answers_nothing(transcoder: &Transcoder, route: &Route) -> bool {
    route.response_body.is_none() && *transcoder.schema()[route.output].name == *"google.protobuf.Empty"
}

/// A service whose answer cannot be passed on is at fault, and its operator finds out how in the log.
fn unreadable(error: &dyn std::error::Error) -> Problem {
    let problem =
        Problem::new(StatusCode::BAD_GATEWAY, Code::Internal, "the service's answer cannot be read");
    problem.because(error.to_string())
}
