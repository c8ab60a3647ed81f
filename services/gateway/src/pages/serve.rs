//! Which page is where, and how it gets to the browser.

use futures::future::join_all;
use http::header::{CONTENT_ENCODING, HOST};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use selvedge_transcode::openapi::{self, Info};
use selvedge_transcode::{Found, Schema, Transcoder};
use serde_json::{Map, Value};

use super::{Assets, Health, Landing, Page, ServiceEntry};
use crate::body::Body;
use crate::config::{self, Config};
use crate::encoding::{self, Packing};
use crate::grpc::{self, ServingStatus};
use crate::rest::{Problem, Wanted};
use crate::worker::Worker;

/// Where the pages are.
const PATHS: [&str; 5] = ["/", "/status", "/openapi.json", "/openapi.yaml", "/docs"];

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
        let path = if path.starts_with("/docs/") { "/docs" } else { path };
        PATHS.into_iter().find(|page| *page == path)
    }

    /// The pages that nobody can see, as a route has their path; each with the RPC behind that.
    pub(crate) fn hidden<'a>(&'a self, transcoder: &'a Transcoder) -> Vec<(&'a str, &'a str)> {
        let routes = transcoder.routes().all();
        let rpc_at = |path: &'a str| {
            let route = routes.iter().find_map(|route| match transcoder.find(&route.http_method, path) {
                Found::Route(found) => Some(found.route),
                _ => None,
            })?;
            let rpc = &transcoder.schema().services()[route.service].methods[route.method];
            Some((path, rpc.path.trim_start_matches('/')))
        };
        PATHS.into_iter().chain(self.assets.paths()).filter_map(rpc_at).collect()
    }

    /// The page at a path, for who reads it; there may be none below `/docs`.
    pub(crate) async fn respond(
        &self,
        worker: &Worker,
        head: &Parts,
    ) -> Option<Result<Response<Body>, Problem>> {
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
        Some(shown(page, &head.headers).await)
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

/// A page as its reader takes it, unless he has it already.
async fn shown(page: &Page, request: &HeaderMap) -> Result<Response<Body>, Problem> {
    let is_known = Wanted::read(request)?.is_known(Some(page.etag()))?;
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = page.headers();
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if page.is_gzip && encoding::wanted(request, &[Packing::Gzip]).is_none() {
        let unpacked = encoding::unpack(response.headers(), page.body.clone(), usize::MAX).await;
        response.headers_mut().remove(CONTENT_ENCODING);
        *response.body_mut() = Body::full(unpacked.expect("we packed it ourselves"));
    } else {
        *response.body_mut() = Body::full(page.body.clone());
    }
    Ok(response)
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
