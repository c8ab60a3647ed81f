//! The figures of one service, as Prometheus reads them.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter, MeterProvider as _, UpDownCounter};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};
use tonic::Code;

use crate::Db;
use crate::server::Method;

/// Bounds of the histogram of durations, in seconds: from a cached read to the longest deadline.
const DURATIONS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

/// The metrics of one service; each service of a process has its own.
pub(crate) struct Metrics {
    registry: Registry,
    meter: Meter,
    durations: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
    _provider: SdkMeterProvider,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_target_info()
            .scope_info_enabled(false)
            .build()
            .expect("the registry is new, so nothing in it collides");
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let meter = provider.meter("selvedge");
        Self {
            durations: meter
                .f64_histogram("rpc.server.duration")
                .with_unit("s")
                .with_description(
                    "How long calls took, by method and status; its count is the number of calls.",
                )
                .with_boundaries(DURATIONS.into())
                .build(),
            in_flight: meter
                .i64_up_down_counter("rpc.server.in_flight")
                .with_description("Calls that are being served now.")
                .build(),
            meter,
            registry,
            _provider: provider,
        }
    }

    pub(crate) fn call_began(&self, method: &Method) {
        self.in_flight.add(1, &[method.label()]);
    }

    pub(crate) fn call_ended(&self, method: &Method, code: Code, took: Duration) {
        self.in_flight.add(-1, &[method.label()]);
        self.durations.record(took.as_secs_f64(), &[method.label(), KeyValue::new("code", code_name(code))]);
    }

    /// Reports on the pool and the database behind it, whenever Prometheus asks.
    pub(crate) fn observe_database(&self, db: &Db) {
        self.gauge("db.up", "Whether the database answers.", db, |db| i64::from(db.health().up));
        self.gauge("db.size.bytes", "The size of the database.", db, |db| db.health().size_bytes);
        self.gauge("db.connections", "All connections to the database.", db, |db| db.health().connections);
        self.gauge("db.pool.max", "The most connections that the pool may hold.", db, |db| {
            count(db.pool_status().max)
        });
        self.gauge("db.pool.open", "Connections that the pool holds.", db, |db| count(db.pool_status().open));
        self.gauge("db.pool.idle", "Connections that nobody uses.", db, |db| count(db.pool_status().idle));
        self.gauge("db.pool.waiting", "Callers that wait for a connection.", db, |db| {
            count(db.pool_status().waiting)
        });
        let slow = db.clone();
        self.meter
            .u64_observable_counter("db.slow_statements")
            .with_description("Statements that took longer than the threshold.")
            .with_callback(move |counter| counter.observe(slow.slow_statements(), &[]))
            .build();
    }

    /// A gauge that somebody else keeps: a domain's own figures, for example.
    pub(crate) fn gauge<T: Clone + Send + Sync + 'static>(
        &self,
        name: &'static str,
        description: &'static str,
        of: &T,
        read: impl Fn(&T) -> i64 + Send + Sync + 'static,
    ) {
        let of = of.clone();
        self.meter
            .i64_observable_gauge(name)
            .with_description(description)
            .with_callback(move |gauge| gauge.observe(read(&of), &[]))
            .build();
    }

    /// Everything, in Prometheus' text format.
    pub(crate) fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The name of a status as the gRPC documents spell it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
