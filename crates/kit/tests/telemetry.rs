//! What telemetry costs where nobody looks at it. It is started once per process, so this is alone in one.

use selvedge_kit::config::Config;
use selvedge_kit::telemetry;
use tracing::level_filters::LevelFilter;

#[tokio::test]
async fn there_are_no_spans_where_they_would_go_nowhere() {
    let _telemetry = telemetry::start(&Config::default().telemetry, "test").unwrap();
    // hyper and h2 have dozens of them for each call.
    assert!(tracing::trace_span!(target: "h2", "theirs").is_disabled());
    assert!(tracing::info_span!(target: "h2", "theirs").is_disabled());
    assert!(tracing::info_span!("ours").is_disabled());
    // What is of no level that anybody wants is over with one comparison.
    assert_eq!(LevelFilter::current(), LevelFilter::INFO);
    assert!(tracing::event_enabled!(tracing::Level::INFO));
}
