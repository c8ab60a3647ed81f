//! Contacts: what people sent through the contact form, with their documents, and how many came by.

mod documents;
mod seed;
mod submissions;
mod visitors;

use selvedge_kit::{Kit, Rpcs, Service};
use selvedge_proto::contacts::v1::document_service_server::DocumentServiceServer;
use selvedge_proto::contacts::v1::submission_service_server::SubmissionServiceServer;
use selvedge_proto::contacts::v1::visitor_service_server::VisitorServiceServer;

/// The service, for its own process and for `selvedge`.
pub const SERVICE: Service = Service {
    name: "contacts",
    port: 50051,
    migrations: || sqlx::migrate!(),
    rpcs,
    seed: |db| Box::pin(seed::seed(db)),
};

fn rpcs(kit: &mut Kit) -> Rpcs {
    let max = kit.limits.max_message_bytes;
    Rpcs::default()
        .with(SubmissionServiceServer::new(submissions::Submissions::new(kit)).max_decoding_message_size(max))
        .with(DocumentServiceServer::new(documents::Documents::new(kit)).max_decoding_message_size(max))
        .with(VisitorServiceServer::new(visitors::Visitors::new(kit)).max_decoding_message_size(max))
}
