use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;

use super::*;

#[derive(Parser, Debug)]
struct Process {
    #[command(flatten)]
    config: Config,
}

fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment: BTreeMap<&str, &str> = environment.iter().copied().collect();
    let arguments = ["process"].iter().chain(arguments);
    match try_parse_from::<Process>(arguments, |name| environment.get(name).map(Into::into)) {
        Ok(Outcome::Run(process)) => Ok(process.config),
        Ok(Outcome::PrintConfig(text)) => panic!("{text}"),
        Err(error) => Err(error.to_string()),
    }
}

fn target(arguments: &[&str]) -> Result<Target, String> {
    read(arguments, &[])?.database.target().map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_those_of_the_plan() {
    let Config { listen, database, telemetry, limits, tokens, workers } = read(&[], &[]).unwrap();
    assert_eq!((listen.host.to_string().as_str(), listen.port, listen.admin_port), ("127.0.0.1", None, None));
    assert_eq!((database.tls, database.pool.size), (TlsMode::Prefer, None));
    assert_eq!(database.pool.max_lifetime, Duration::from_mins(30));
    assert_eq!(database.pool.acquire_timeout, Duration::from_secs(2));
    assert_eq!(database.pool.statement_timeout, Duration::from_secs(30));
    assert_eq!(database.pool.slow_statement, Duration::from_millis(250));
    assert_eq!((telemetry.log.as_str(), telemetry.log_format), ("info", LogFormat::Auto));
    assert_eq!((telemetry.otlp_endpoint, workers.workers), (None, None));
    assert!((telemetry.trace_ratio - 1.0).abs() < f64::EPSILON);
    assert_eq!((limits.max_message_bytes, limits.max_in_flight), (4 << 20, 1024));
    assert_eq!((limits.max_streams_per_connection, limits.max_header_bytes), (256, 64 << 10));
    let seconds = [
        limits.default_deadline,
        limits.max_deadline,
        limits.stream_idle,
        limits.stream_age,
        limits.drain,
        limits.keepalive_interval,
        limits.keepalive_timeout,
    ];
    assert_eq!(seconds.map(|time| time.as_secs()), [15, 300, 300, 3600, 20, 30, 10]);
    assert_eq!(tokens.page_token_keys, None);
}

#[test]
fn every_option_has_a_variable_of_the_same_name() {
    let command = <Process as clap::CommandFactory>::command();
    let mut seen = 0;
    for option in command.get_arguments() {
        let name = parse::variable_of(option).expect("every option has a variable");
        let expected = option.get_long().unwrap().replace('-', "_").to_uppercase();
        let standard = (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then_some("OTLP_ENDPOINT");
        assert_eq!(standard.or(name.strip_prefix("SELVEDGE_")), Some(expected.as_str()));
        assert!(option.get_help().is_some(), "{name} has no help");
        seen += 1;
    }
    assert_eq!(seen, 33);
}

#[test]
fn values_out_of_bounds_are_refused() {
    for (name, wrong) in [
        ("SELVEDGE_PORT", "65536"),
        ("SELVEDGE_HOST", "localhost"),
        ("SELVEDGE_DATABASE_PORT", "0"),
        ("SELVEDGE_DATABASE_POOL_SIZE", "0"),
        ("SELVEDGE_WORKERS", "0"),
        ("SELVEDGE_DATABASE_STATEMENT_TIMEOUT", "0s"),
        ("SELVEDGE_DATABASE_TLS", "yes"),
        ("SELVEDGE_LOG_FORMAT", "xml"),
        ("SELVEDGE_TRACE_RATIO", "1.1"),
        ("SELVEDGE_TRACE_RATIO", "-0.1"),
        ("SELVEDGE_TRACE_RATIO", "NaN"),
        ("SELVEDGE_MAX_IN_FLIGHT", "0"),
        ("SELVEDGE_MAX_MESSAGE_BYTES", "99999999999"),
        ("SELVEDGE_MAX_STREAMS_PER_CONNECTION", "0"),
        ("SELVEDGE_DRAIN", "20"),
    ] {
        let error = read(&[], &[(name, wrong)]).unwrap_err();
        assert!(error.contains(&format!("{name}={wrong} (environment): ")), "{error}");
    }
    assert_eq!(read(&["--drain", "0s"], &[]).unwrap().limits.drain, Duration::ZERO);
    assert!(read(&["--trace-ratio", "2"], &[]).is_err());
}

#[test]
fn parts_are_taken_as_they_are() {
    for password in ["#ThawZin2k77!", "DevSecurePass123!@#", "a/b?c%d:e f", "%41"] {
        let config = read(
            &["--database-host=db", "--database-name=selvedge"],
            &[("SELVEDGE_DATABASE_USER", "app"), ("SELVEDGE_DATABASE_PASSWORD", password)],
        );
        let expected = Target {
            host: "db".to_owned(),
            port: 5432,
            user: "app".to_owned(),
            password: Some(Secret::new(password)),
            database: "selvedge".to_owned(),
            socket: false,
            application_name: None,
            tls: None,
            tls_root_cert: None,
        };
        assert_eq!(config.unwrap().database.target(), Ok(expected));
    }
    let socket = target(&["--database-host=/run/pg", "--database-port=5433", "--database-user=me"]).unwrap();
    assert_eq!((socket.socket, socket.port, socket.database.as_str()), (true, 5433, "me"));
}

#[test]
fn a_database_is_given_in_one_way() {
    let nothing = target(&[]).unwrap_err();
    for way in
        ["SELVEDGE_DATABASE_URL", "SELVEDGE_DATABASE_HOST", "SELVEDGE_DATABASE_PASSWORD", "selvedge up"]
    {
        assert!(nothing.contains(way), "{nothing}");
    }
    let both = target(&["--database-url=postgres://u:Tiger@h/d", "--database-password=Lion"]).unwrap_err();
    assert!(both.contains("SELVEDGE_DATABASE_URL and SELVEDGE_DATABASE_PASSWORD are given"), "{both}");
    assert!(!both.contains("Tiger") && !both.contains("Lion"), "{both}");
    let no_host = target(&["--database-user=u"]).unwrap_err();
    assert!(no_host.contains("SELVEDGE_DATABASE_HOST is missing"), "{no_host}");
    let no_user = target(&["--database-host=h"]).unwrap_err();
    assert!(no_user.contains("SELVEDGE_DATABASE_USER is missing"), "{no_user}");
}

#[test]
fn a_configuration_does_not_show_its_secrets() {
    let secrets = &[
        ("SELVEDGE_DATABASE_URL", "postgres://u:Tiger@h/d"),
        ("SELVEDGE_DATABASE_PASSWORD", "Tiger"),
        ("SELVEDGE_PAGE_TOKEN_KEYS", "Tiger"),
    ];
    let config = read(&[], secrets).unwrap();
    assert!(!format!("{config:?}").contains("Tiger"));
    assert!(config.database.url.unwrap().expose().contains("Tiger"), "it was there to be shown");
}
