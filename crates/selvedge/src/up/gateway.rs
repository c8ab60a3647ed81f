use selvedge_gateway::{Config, Running, Upstream, Upstreams};
use selvedge_kit::{self as kit, Service, StartError};

use super::Up;

/// Starts the edge of the mesh in front of the services, wherever those listen.
pub(super) async fn start(
    up: &Up,
    services: &[(&'static Service, kit::Running)],
) -> Result<Running, StartError> {
    let upstream = |(service, running): &(&Service, kit::Running)| {
        format!("selvedge.{}=http://{}", service.name, running.address).parse::<Upstream>()
    };
    let mut config = Config {
        telemetry: up.telemetry.clone(),
        upstreams: Upstreams {
            given: services.iter().map(upstream).collect::<Result<_, _>>()?,
            ..Upstreams::default()
        },
        limits: up.http.clone(),
        web: up.web.clone(),
        json: up.messages.clone(),
        ..Config::default()
    };
    config.listen.host = up.host;
    if up.takes_free_ports() {
        config.listen.port = Some(0);
    }
    selvedge_gateway::start(&config).await
}
