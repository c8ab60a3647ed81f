//! Decides who answers a request.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONNECTION};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::CorsLayer;

use crate::body::Body;
use crate::observe::{End, Label, Observed};
use crate::worker::{Peer, Worker};
use crate::{grpc, rest, server};

/// Answers a request.
pub(crate) async fn dispatch(
    worker: &Arc<Worker>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Response<Body> {
    let Some(cors) = &worker.shared.cors else { return route(worker, peer, request).await };
    let asks_for_methods = request.method() == Method::OPTIONS;
    if asks_for_methods {
        if request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return preflight(worker, cors, request).await;
        }
        // The layer, which takes every OPTIONS for a browser's own question, must not see that it is one.
        *request.method_mut() = Method::GET;
    }
    let inner = service_fn(|mut request: Request<Incoming>| async move {
        if asks_for_methods {
            *request.method_mut() = Method::OPTIONS;
        }
        Ok::<_, Infallible>(route(worker, peer, request).await)
    });
    let Ok(response) = cors.layer(inner).oneshot(request).await;
    response
}

/// Answers a browser that asks what a page may do with a path, and not what can be done with it.
async fn preflight(worker: &Arc<Worker>, cors: &CorsLayer, request: Request<Incoming>) -> Response<Body> {
    if let Some(problem) = server::check(&request, &worker.shared.config.limits) {
        return rest::refuse(worker, Label::Unknown, &request, problem);
    }
    let mut observed = Observed::begin(worker, Label::Unknown, End::Http(StatusCode::OK), &request);
    let leaves_body = rest::leaves_body(&request);
    // The layer knows the answer by itself.
    let inner = service_fn(|_| ready(Ok::<_, Infallible>(Response::default())));
    let Ok(mut response) = cors.layer(inner).oneshot(request).await;
    if leaves_body {
        response.headers_mut().insert(CONNECTION, rest::CLOSE);
    }
    rest::finish(&mut response, &Method::OPTIONS, &mut observed);
    response
}

async fn route(worker: &Arc<Worker>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let is_grpc = grpc::is_grpc(request.headers());
    if let Some(problem) = server::check(&request, &worker.shared.config.limits) {
        return if is_grpc {
            grpc::refuse(worker, &request, &problem)
        } else {
            rest::refuse(worker, Label::Unknown, &request, problem)
        };
    }
    if is_grpc {
        grpc::respond(worker, peer, request).await
    } else {
        rest::respond(worker, peer, request).await
    }
}
