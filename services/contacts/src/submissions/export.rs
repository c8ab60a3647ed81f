//! All submissions in one stream.

use futures::stream::BoxStream;
use selvedge_kit::Error;
use selvedge_kit::bulk::{self, Exports};
use selvedge_proto::contacts::v1::{ExportSubmissionsRequest, ListSubmissionsRequest, Submission};
use tonic::Status;

use super::Row;
use super::filter::Filter;

/// Streams what the filters let through.
pub(super) async fn export(
    exports: &Exports,
    request: ExportSubmissionsRequest,
) -> Result<BoxStream<'static, Result<Submission, Status>>, Error> {
    let filter = Filter::new(question(request))?;
    let mut query = bulk::cursor(
        "select id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
             updated_at
         from submissions where",
    );
    filter.push(&mut query, filter.from, filter.below);
    query.push(" order by id");
    exports.stream::<Row, _>(query).await
}

/// An export has the filters of a list.
fn question(request: ExportSubmissionsRequest) -> ListSubmissionsRequest {
    ListSubmissionsRequest {
        page_size: 0,
        page_token: String::new(),
        status: request.status,
        email: request.email,
        submitted_from: request.submitted_from,
        submitted_before: request.submitted_before,
        insights_contains: request.insights_contains,
        text: request.text,
    }
}
