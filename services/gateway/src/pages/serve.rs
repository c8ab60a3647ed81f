//! Which page is where, and how it gets to the browser.

use std::io::Read as _;

use futures::future::join_all;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HOST};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use selvedge_transcode::openapi::{self, Info};
use selvedge_transcode::{Schema, Transcoder};
use serde_json::{Map, Value};
use tonic_health::pb::health_check_response::ServingStatus;

use super::{Assets, Health, Landing, Page, ServiceEntry};
use crate::body::Body;
use crate::config::{self, Config};
use crate::grpc;
use crate::worker::Worker;

/// All pages; what can be made once, is.
pub(crate) struct Pages {
    landing: Landing,
    assets: Assets,
    json: Page,
    yaml: Page,
}

impl Pages {
    pub(crate) fn new(config: &Config, transcoder: &Transcoder) -> Self {
        let info = Info {
            title: config.web.api_title.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: String::new(),
            servers: vec![],
            errors: match config.web.error_format {
                config::ErrorFormat::Problem => openapi::ErrorFormat::Problem,
                config::ErrorFormat::Status => openapi::ErrorFormat::Status,
            },
        };
        let (schema, routes) = (transcoder.schema(), transcoder.routes());
        let document = openapi::document(schema, routes, transcoder.options(), &info);
        Self {
            landing: Landing::new(&info.title, &info.version, schema, routes, &document),
            assets: Assets::new(&info.title),
            json: Page::json(document.to_string()).packed(),
            yaml: Page::yaml(openapi::to_yaml(&document)).packed(),
        }
    }

    /// The name of the page at a path, if there is one.
    pub(crate) fn name(path: &str) -> Option<&'static str> {
        match path {
            "/" => Some("/"),
            "/status" => Some("/status"),
            "/openapi.json" => Some("/openapi.json"),
            "/openapi.yaml" => Some("/openapi.yaml"),
            path if path == "/docs" || path.starts_with("/docs/") => Some("/docs"),
            _ => None,
        }
    }

    /// The page at a path, for who reads it; there may be none below `/docs`.
    pub(crate) async fn respond(&self, worker: &Worker, head: &Parts) -> Option<Response<Body>> {
        let path = head.uri.path();
        let made;
        let page = match path {
            "/" => {
                made = self.landing(worker, head);
                &made
            }
            "/status" => {
                made = Page::json(status(worker).await.to_string());
                &made
            }
            "/openapi.json" => &self.json,
            "/openapi.yaml" => &self.yaml,
            path => self.assets.find(path)?,
        };
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = page.headers();
        if page.is_known(&head.headers) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else if page.is_gzip && !takes_gzip(&head.headers) {
            response.headers_mut().remove(CONTENT_ENCODING);
            let mut unpacked = vec![];
            let unpacking = flate2::read::GzDecoder::new(&page.body[..]).read_to_end(&mut unpacked);
            unpacking.expect("we packed it ourselves");
            *response.body_mut() = Body::full(unpacked);
        } else {
            *response.body_mut() = Body::full(page.body.clone());
        }
        Some(response)
    }

    fn landing(&self, worker: &Worker, head: &Parts) -> Page {
        let scheme = if worker.shared.config.tls.certificate.is_some() { "https" } else { "http" };
        let host = head.uri.authority().map(http::uri::Authority::as_str);
        let host = host.or_else(|| head.headers.get(HOST)?.to_str().ok()).unwrap_or_default();
        let services = served(&worker.shared.schema).map(|service| ServiceEntry {
            name: &service.name,
            comment: &service.comment,
            health: Health::Unknown,
        });
        let services = services.collect::<Vec<_>>();
        self.landing.page(&format!("{scheme}://{host}"), &services)
    }
}

/// The services that somebody may call; files bring others along.
fn served(schema: &Schema) -> impl Iterator<Item = &selvedge_transcode::Service> {
    schema.services().iter().filter(|service| !service.methods.is_empty())
}

/// How each service is.
async fn status(worker: &Worker) -> Value {
    let shared = &worker.shared;
    let ask = async |service: &selvedge_transcode::Service| {
        let health = match grpc::check(shared, &worker.upstreams, &service.name).await {
            Ok(ServingStatus::Serving) => Health::Serving,
            Ok(_) => Health::Down,
            Err(_) => Health::Unknown,
        };
        (service.name.to_string(), Value::from(health.name()))
    };
    let all = join_all(served(&shared.schema).map(ask)).await;
    Value::Object(Map::from_iter([("services".to_owned(), Value::Object(all.into_iter().collect()))]))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|choice| {
        let (name, quality) = choice.split_once(';').unwrap_or((choice, ""));
        matches!(name.trim(), "gzip" | "*")
            && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}
