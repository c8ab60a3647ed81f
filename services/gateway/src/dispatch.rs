//! Decides who answers a request.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::body::Body;
use crate::worker::{Peer, Worker};
use crate::{grpc, rest};

/// Answers a request that is within the limits.
pub(crate) async fn dispatch(worker: &Arc<Worker>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let Some(cors) = &worker.shared.cors else { return route(worker, peer, request).await };
    let inner = service_fn(|request| async move { Ok::<_, Infallible>(route(worker, peer, request).await) });
    let Ok(response) = cors.layer(inner).oneshot(request).await;
    response
}

async fn route(worker: &Arc<Worker>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    if grpc::is_grpc(request.headers()) {
        grpc::respond(worker, peer, request).await
    } else {
        rest::respond(worker, peer, request).await
    }
}
