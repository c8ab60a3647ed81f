//! What is seen from outside while a process runs: logs, traces and metrics.

mod log;
pub(crate) mod metrics;
pub mod propagation;

use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, TracerProviderBuilder,
};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, filter, fmt};

use crate::StartError;
use crate::config::{self, LogFormat};

/// Spans that wait for export at most; a burst beyond that is dropped, and counted in the log.
const EXPORT_QUEUE: usize = 32 * 1024;
/// How long the last spans may take to leave when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Keeps telemetry alive; dropped, it sends what has not been sent.
#[must_use = "spans are exported while this lives"]
pub struct Telemetry(SdkTracerProvider);

/// Starts logging and, where an endpoint is configured, the export of traces. Once per process, inside a runtime.
pub fn start(config: &config::Telemetry, service: &'static str) -> Result<Telemetry, StartError> {
    let resource = Resource::builder().with_service_name(format!("selvedge-{service}")).build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    let mut traces = SdkTracerProvider::builder().with_resource(resource).with_sampler(sampler);
    if let Some(endpoint) = &config.otlp_endpoint {
        traces = export(traces, endpoint)?;
    }
    let provider = traces.build();
    // Errors name their trace even where traces go nowhere, so the layer is always there. SQL spans are only made
    // when somebody will see them.
    let exporting = config.otlp_endpoint.is_some();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("selvedge"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        // How long a span was being worked on would be two more looks at the clock each time that it is.
        .with_tracked_inactivity(false)
        .with_filter(filter::filter_fn(move |metadata| {
            metadata.is_span() && is_ours(metadata) && (exporting || metadata.target() != "selvedge::sql")
        }));
    let pretty = match config.log_format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
    let logs = fmt::layer()
        .with_writer(std::io::stderr)
        .event_format(log::Lines { pretty, color: pretty && std::io::stderr().is_terminal() })
        // Spans go to the layer above; formatting their fields here as well would be for nobody.
        .with_filter(EnvFilter::try_new(&config.log)?.and(filter::filter_fn(|it| it.is_event())));
    tracing_subscriber::registry().with(spans).with(logs).try_init()?;
    Ok(Telemetry(provider))
}

/// Whether a span is one that we mean to show. Libraries have spans for their own developers, at lower levels, which cost
/// a call more than everything else.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO
}

fn export(traces: TracerProviderBuilder, endpoint: &str) -> Result<TracerProviderBuilder, StartError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let batches = BatchConfigBuilder::default().with_max_queue_size(EXPORT_QUEUE).build();
    Ok(traces.with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build()))
}

impl Telemetry {
    /// Sends what has not been sent.
    pub fn flush(&self) {
        if let Err(error) = self.0.force_flush() {
            tracing::warn!(%error, "some spans were not exported");
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH_TIMEOUT) {
            tracing::warn!(%error, "some spans were not exported");
        }
    }
}
