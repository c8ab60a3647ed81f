use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use crate::Db;

/// `grpc.health.v1`, and the task that keeps it true.
pub(super) struct Readiness<H: Health> {
    pub(super) service: HealthServer<H>,
    pub(super) task: JoinHandle<()>,
}

/// Answers SERVING, for the server as a whole and for each RPC service, while the database answers and nobody has
/// asked the server to go away.
pub(super) fn follow(db: &Db, names: Vec<&'static str>, drain: CancellationToken) -> Readiness<impl Health> {
    let (reporter, service) = health_reporter();
    let mut changes = db.health_changes();
    let task = tokio::spawn(async move {
        let mut reported = None;
        loop {
            let up = changes.borrow_and_update().up;
            // Whoever watches hears of changes only.
            if reported.replace(up) != Some(up) {
                report(&reporter, &names, up).await;
            }
            tokio::select! {
                () = drain.cancelled() => return report(&reporter, &names, false).await,
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    });
    Readiness { service, task }
}

async fn report(reporter: &HealthReporter, names: &[&'static str], serving: bool) {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    for name in names.iter().copied().chain([""]) {
        reporter.set_service_status(name, status).await;
    }
}
