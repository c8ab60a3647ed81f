//! What a browser shows: the landing page, the API page with all that it is made of, and the OpenAPI document.
//!
//! Nothing on these pages comes from anywhere else, and their policy says so to the browser.

mod assets;
mod landing;
mod serve;

use std::io::Write as _;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use assets::Assets;
use landing::{Health, Landing, ServiceEntry};
pub(crate) use serve::Pages;

/// Something to show, with what HTTP says of it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) body: Bytes,
    content_type: &'static str,
    /// Whether the body is gzip; the caller unpacks it for those who do not take that.
    pub(crate) is_gzip: bool,
    /// Whether its path changes when it does.
    is_immutable: bool,
    etag: HeaderValue,
    policy: HeaderValue,
}

const HTML: &str = "text/html; charset=utf-8";

impl Page {
    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self::new(body, "application/json")
    }

    /// As RFC 9512 names it.
    pub(crate) fn yaml(body: impl Into<Bytes>) -> Self {
        Self::new(body, "application/yaml; charset=utf-8")
    }

    fn new(body: impl Into<Bytes>, content_type: &'static str) -> Self {
        let body = body.into();
        let mut checksum = flate2::Crc::new();
        checksum.update(&body);
        let etag = format!("\"{:08x}-{:x}\"", checksum.sum(), body.len());
        let etag = HeaderValue::try_from(etag).expect("hexadecimal digits are fit for a header");
        let policy = HeaderValue::from_static("default-src 'none'");
        Self { body, content_type, is_gzip: false, is_immutable: false, etag, policy }
    }

    /// The same, packed once for all who take it so.
    fn packed(self) -> Self {
        let mut packer = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
        match packer.write_all(&self.body).and_then(|()| packer.finish()) {
            Ok(packed) => Self { body: packed.into(), is_gzip: true, ..self },
            // It is only larger like this.
            Err(_) => self,
        }
    }

    /// The headers of the response; those of a 304 too.
    pub(crate) fn headers(&self) -> HeaderMap {
        let cached = if self.is_immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static(self.content_type)),
            (CACHE_CONTROL, HeaderValue::from_static(cached)),
            (ETAG, self.etag.clone()),
            (CONTENT_SECURITY_POLICY, self.policy.clone()),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ]);
        if self.is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        headers
    }

    /// What tells it from other versions, without quotes.
    fn etag(&self) -> &str {
        self.etag.to_str().unwrap_or_default().trim_matches('"')
    }
}

/// Text between tags and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
