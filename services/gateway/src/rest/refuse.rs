use std::sync::Arc;

use http::header::CONNECTION;
use http::{Request, Response, Version};
use http_body::Body;

use super::finish;
use super::intake::CLOSE;
use super::problem::Problem;
use crate::body;
use crate::observe::{End, Label, Observed};
use crate::worker::Worker;

/// Answers a request whose body nobody looks at; it is seen in logs and figures like any other.
pub(crate) fn refuse<B: Body>(
    worker: &Arc<Worker>,
    label: Label,
    request: &Request<B>,
    problem: Problem,
) -> Response<body::Body> {
    let mut observed = Observed::begin(worker, label, End::Http(problem.status), request);
    let mut response = problem.response(request.headers(), &worker.shared.config.web, observed.trace_id());
    if leaves_body(request) {
        response.headers_mut().insert(CONNECTION, CLOSE);
    }
    finish(&mut response, request.method(), &mut observed);
    response
}

/// Whether there is a body that nobody will look at, which over HTTP/1.1 is the end of the connection.
pub(crate) fn leaves_body<B: Body>(request: &Request<B>) -> bool {
    request.version() < Version::HTTP_2 && !request.body().is_end_stream()
}
