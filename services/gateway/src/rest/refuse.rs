use std::sync::Arc;

use http::{Request, Response};

use super::finish;
use super::problem::Problem;
use crate::body::Body;
use crate::observe::{End, Label, Observed};
use crate::worker::Worker;

/// Answers a request whose body nobody looks at; it is seen in logs and figures like any other.
pub(crate) fn refuse<B>(
    worker: &Arc<Worker>,
    label: Label,
    request: &Request<B>,
    problem: Problem,
) -> Response<Body> {
    let mut observed = Observed::begin(worker, label, End::Http(problem.status), request);
    let mut response = problem.response(request.headers(), &worker.shared.config.web, observed.trace_id());
    finish(&mut response, request.method(), &mut observed);
    response
}
