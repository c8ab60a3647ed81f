//! Which pages of other origins may call, as their browsers ask.

use std::time::Duration;

use http::HeaderName;
use http::header::{ALLOW, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::config::Web;

/// What scripts may read besides what every response shows them.
const EXPOSED: [HeaderName; 9] = [
    ALLOW,
    ETAG,
    LOCATION,
    RETRY_AFTER,
    WWW_AUTHENTICATE,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
];

/// The layer for the configured origins, if there are any. What a page asks to send, it may send: whether the method and
/// the headers make sense is decided when they come.
pub(crate) fn layer(web: &Web) -> Option<CorsLayer> {
    if web.cors_origins.is_empty() {
        return None;
    }
    let exposed = EXPOSED.into_iter().chain(web.cors_expose.iter().cloned()).collect::<Vec<_>>();
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(web.cors_origins.iter().cloned()))
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(web.cors_credentials)
        .max_age(Duration::from_secs(web.cors_max_age))
        .expose_headers(exposed);
    Some(layer)
}
