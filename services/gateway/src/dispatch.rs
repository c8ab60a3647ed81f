//! Decides who answers a request.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::body::Body;
use crate::observe::Label;
use crate::worker::{Peer, Worker};
use crate::{grpc, rest, server};

/// Answers a request.
pub(crate) async fn dispatch(
    worker: &Arc<Worker>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Response<Body> {
    let Some(cors) = &worker.shared.cors else { return route(worker, peer, request).await };
    let asks = asks_for_methods(&request);
    if asks {
        // The layer, which takes every OPTIONS for a browser's own question, must not see that it is one.
        *request.method_mut() = Method::GET;
    }
    let inner = service_fn(|mut request: Request<Incoming>| async move {
        if asks {
            *request.method_mut() = Method::OPTIONS;
        }
        Ok::<_, Infallible>(route(worker, peer, request).await)
    });
    let Ok(response) = cors.layer(inner).oneshot(request).await;
    response
}

/// Whether a request asks what can be done with a path, and not what a page may do with it.
fn asks_for_methods<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS && !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
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
