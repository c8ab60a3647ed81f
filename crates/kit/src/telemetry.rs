//! What is seen from outside while a process runs: logs, traces and metrics.

mod log;
pub(crate) mod metrics;
mod place;
pub mod propagation;
mod sampler;

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, TracerProviderBuilder,
};
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, filter, fmt};

use crate::config::{self, LogFormat};
use crate::{Context, StartError};
pub use place::Place;
use sampler::Roots;

/// Spans that wait for export at most; a burst beyond that is dropped, and counted in the log.
const EXPORT_QUEUE: usize = 32 * 1024;
/// How long the last spans may take to leave when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// What [`start`] was told of traces.
static TRACES: OnceLock<Traces> = OnceLock::new();

/// What becomes of traces in this process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traces {
    /// Whether spans go anywhere.
    pub(crate) exported: bool,
    /// The share of new traces that are recorded.
    pub(crate) ratio: f64,
}

impl Traces {
    /// Those of this process.
    pub(crate) fn current() -> Self {
        TRACES.get().copied().unwrap_or_default()
    }
}

/// Keeps telemetry alive; dropped, it sends what has not been sent.
#[must_use = "spans are exported while this lives"]
pub struct Telemetry(SdkTracerProvider);

/// Starts logging and, where an endpoint is configured, the export of traces. Once per process, inside a runtime.
pub fn start(config: &config::Telemetry, service: &'static str) -> Result<Telemetry, StartError> {
    let resource = Resource::builder().with_service_name(format!("selvedge-{service}")).build();
    let sampler = Sampler::ParentBased(Box::new(Roots { ratio: config.trace_ratio }));
    let mut traces = SdkTracerProvider::builder().with_resource(resource).with_sampler(sampler);
    if let Some(endpoint) = &config.otlp_endpoint {
        traces = export(traces, endpoint)?;
    }
    let provider = traces.build();
    let traces = Traces { exported: config.otlp_endpoint.is_some(), ratio: config.trace_ratio };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("selvedge"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        // How long a span was being worked on would be two more looks at the clock each time that it is.
        .with_tracked_inactivity(false)
        .with_filter(
            // A call that nobody records has no span: what it does must not begin a trace instead.
            filter::dynamic_filter_fn(|metadata, _| is_ours(metadata) && Context::is_recorded())
                .with_callsite_filter(move |metadata| {
                    if traces.exported && is_ours(metadata) {
                        Interest::sometimes()
                    } else {
                        Interest::never()
                    }
                })
                .with_max_level_hint(Level::INFO),
        );
    let pretty = match config.log_format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    // A filter that says nothing of levels counts as one that wants all, whatever the other one says.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
    let events = filter::filter_fn(|it| it.is_event()).with_max_level_hint(LevelFilter::TRACE);
    let logs = fmt::layer()
        .with_writer(std::io::stderr)
        .event_format(log::Lines { pretty, color: pretty && std::io::stderr().is_terminal() })
        // Spans go to the layer above; formatting their fields here as well would be for nobody.
        .with_filter(EnvFilter::try_new(&config.log)?.and(events));
    tracing_subscriber::registry().with(spans).with(logs).try_init()?;
    // The subscriber is installed once per process, and so is this set.
    TRACES.get_or_init(|| traces);
    Ok(Telemetry(provider))
}

/// Whether something is a span that we mean to show. Libraries have spans for their own developers, at lower levels, which
/// cost a call more than everything else.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
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
