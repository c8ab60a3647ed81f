use std::sync::Arc;

use http::{Request, Response};

use super::finish;
use super::problem::Problem;
use crate::body::Body;
use crate::observe::{End, Label, Observed};
use crate::server::Refusal;
use crate::worker::Worker;

/// Answers a request whose head nobody looks at; it is seen in logs and figures like any other.
pub(crate) fn refuse<B>(worker: &Arc<Worker>, request: &Request<B>, refusal: Refusal) -> Response<Body> {
    let Refusal { status, code, detail } = refusal;
    let mut observed = Observed::begin(worker, Label::Unknown, End::Http(status), request);
    let problem = Problem::new(status, code, detail);
    let mut response = problem.response(request.headers(), &worker.shared.config.web, observed.trace_id());
    finish(&mut response, request.method(), &mut observed);
    response
}
