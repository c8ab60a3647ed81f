//! The figures of the requests, by route.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntGauge, Registry};

/// Bounds of the histogram of durations, in seconds: from a cached read to the longest deadline.
const DURATIONS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 15.0, 60.0];

/// What is counted of every request.
pub(crate) struct Metrics {
    durations: HistogramVec,
    in_flight: IntGauge,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let durations = HistogramOpts::new(
            "http_server_request_duration_seconds",
            "How long requests took, by method, route and status; its count is the number of requests.",
        );
        let durations =
            HistogramVec::new(durations.buckets(DURATIONS.into()), &["method", "route", "status"])?;
        let in_flight = IntGauge::new("http_server_in_flight", "Requests that are being served now.")?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        Ok(Self { durations, in_flight })
    }

    pub(super) fn began(&self) {
        self.in_flight.inc();
    }

    pub(super) fn ended(&self, method: &str, route: &str, status: &str, took: Duration) {
        self.in_flight.dec();
        self.durations.with_label_values(&[method, route, status]).observe(took.as_secs_f64());
    }
}
