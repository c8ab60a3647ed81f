//! The format of log lines: for people on a terminal, JSON for everything else.

use std::fmt::{self, Write as _};

use chrono::{SecondsFormat, Utc};
use opentelemetry::trace::TraceContextExt as _;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::Context;

/// Writes one line per event, with the ids of the call and the trace it belongs to.
pub(super) struct Lines {
    pub(super) pretty: bool,
    pub(super) color: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        let level = *event.metadata().level();
        if self.pretty {
            self.for_people(&mut line, level, &text(&message), fields.0)
        } else {
            for_programs(&mut line, level, event.metadata().target(), message, fields.0)
        }
    }
}

impl Lines {
    fn for_people(
        &self,
        line: &mut Writer<'_>,
        level: Level,
        message: &str,
        fields: Map<String, Value>,
    ) -> fmt::Result {
        let (on, off) = match level {
            _ if !self.color => ("", ""),
            Level::ERROR => ("\x1b[31m", "\x1b[0m"),
            Level::WARN => ("\x1b[33m", "\x1b[0m"),
            Level::INFO => ("\x1b[32m", "\x1b[0m"),
            _ => ("\x1b[2m", "\x1b[0m"),
        };
        write!(line, "{} {on}{level:>5}{off} {message}", Utc::now().format("%H:%M:%S%.3f"))?;
        for (name, value) in fields {
            write!(line, " {name}={}", text(&value))?;
        }
        for (name, value) in ids() {
            write!(line, " {name}={value}")?;
        }
        writeln!(line)
    }
}

fn for_programs(
    line: &mut Writer<'_>,
    level: Level,
    target: &str,
    message: Value,
    fields: Map<String, Value>,
) -> fmt::Result {
    let mut object = Map::new();
    object.insert("time".into(), Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true).into());
    object.insert("level".into(), level.as_str().into());
    object.insert("message".into(), message);
    object.insert("target".into(), target.into());
    for (name, value) in ids() {
        object.insert(name.into(), value.into());
    }
    object.extend(fields);
    writeln!(line, "{}", Value::Object(object))
}

/// Where the event happened: call, request, trace and span.
fn ids() -> impl Iterator<Item = (&'static str, String)> {
    let call = Context::current();
    let span = opentelemetry::Context::map_current(|context| context.span().span_context().clone());
    let span = span.is_valid().then_some(span);
    // Errors name their trace even where that is not recorded.
    let trace = span.as_ref().map(|span| span.trace_id().to_string());
    let trace = trace.or_else(|| call.place.map(|place| place.trace_id()));
    [
        ("rpc", call.rpc.map(|rpc| rpc.to_string())),
        ("request_id", call.request_id.map(|id| id.to_string())),
        ("trace_id", trace),
        ("span_id", span.as_ref().map(|span| span.span_id().to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The fields of an event as JSON.
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").expect("writing to a string cannot fail");
        self.0.insert(field.name().into(), text.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().into(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::telemetry::Place;
    use crate::telemetry::propagation::TRACEPARENT;

    #[test]
    fn a_line_names_the_trace_of_a_call_that_nobody_records() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, format!("00-{trace}-b7ad6b7169203331-00").parse().unwrap());
        let place = Place::of(&headers, 1.0);
        assert!(!place.is_recorded());
        let call = Context { rpc: Some("a.B/C".into()), place: Some(place), ..Context::default() };
        let named: Vec<_> = call.enter(ids).collect();
        assert_eq!(named, [("rpc", "a.B/C".to_owned()), ("trace_id", trace.to_owned())]);
    }
}
