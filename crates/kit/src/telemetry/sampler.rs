use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler as Sdk, SamplingResult, ShouldSample};

/// Says which traces are recorded. A caller's is when the caller says so; of what begins here, a share.
///
/// A call that begins a trace has no span unless its [`Place`](super::Place) says that it is recorded: there is nothing
/// more to decide.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    pub(super) ratio: f64,
}

impl ShouldSample for Roots {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampler =
            if *kind == SpanKind::Server { Sdk::AlwaysOn } else { Sdk::TraceIdRatioBased(self.ratio) };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}
