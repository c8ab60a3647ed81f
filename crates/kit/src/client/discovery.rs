//! Finds the addresses behind names and keeps a balanced channel to all of them.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use tokio::net::lookup_host;
use tokio::sync::mpsc::Sender;
use tonic::transport::{Channel, Endpoint, channel::Change};
use tracing::{debug, warn};

use crate::{Error, Result};

/// How often names are looked up again.
const LOOKUP_PERIOD: Duration = Duration::from_secs(10);
/// How soon, while no address at all is known.
const LOOKUP_AGAIN: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEPALIVE: Duration = Duration::from_secs(20);
const CHANGES_QUEUED: usize = 64;

/// A place that answers for a name: the name's endpoint and one address of it.
type Place = (usize, SocketAddr);

/// A channel over all addresses of all endpoints; each request goes to the less busy of two.
pub(super) fn channel(endpoints: Vec<Endpoint>) -> Result<Channel> {
    let hosts = endpoints.iter().map(|endpoint| host_and_port(endpoint.uri())).collect::<Result<Vec<_>>>()?;
    let endpoints: Vec<Endpoint> = endpoints
        .into_iter()
        .map(|endpoint| {
            endpoint
                .connect_timeout(CONNECT_TIMEOUT)
                .http2_keep_alive_interval(KEEPALIVE)
                .keep_alive_while_idle(true)
                .tcp_nodelay(true)
        })
        .collect();
    if endpoints.len() == 1 && hosts[0].0.parse::<std::net::IpAddr>().is_ok() {
        return Ok(endpoints[0].connect_lazy());
    }
    let (channel, changes) = Channel::balance_channel(CHANGES_QUEUED);
    tokio::spawn(follow(endpoints, hosts, changes));
    Ok(channel)
}

/// Looks the names up for as long as somebody holds the channel.
async fn follow(
    endpoints: Vec<Endpoint>,
    hosts: Vec<(String, u16)>,
    changes: Sender<Change<Place, Endpoint>>,
) {
    let mut known: HashSet<Place> = HashSet::new();
    loop {
        let mut found = HashSet::new();
        let mut failed = HashSet::new();
        for (index, (host, port)) in hosts.iter().enumerate() {
            match lookup_host((host.trim_matches(['[', ']']), *port)).await {
                Ok(addresses) => found.extend(addresses.map(|address| (index, address))),
                Err(error) => {
                    warn!(host, %error, "cannot look up a service");
                    failed.insert(index);
                }
            }
        }
        // A name server that is down for a moment takes nobody's addresses away.
        found.extend(known.iter().filter(|(index, _)| failed.contains(index)));
        for place in known.difference(&found) {
            debug!(address = %place.1, "a service left");
            if changes.send(Change::Remove(*place)).await.is_err() {
                return;
            }
        }
        for place in found.difference(&known) {
            debug!(address = %place.1, "a service joined");
            let endpoint = at(&endpoints[place.0], place.1);
            if changes.send(Change::Insert(*place, endpoint)).await.is_err() {
                return;
            }
        }
        known = found;
        let pause = if known.is_empty() { LOOKUP_AGAIN } else { LOOKUP_PERIOD };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = changes.closed() => return,
        }
    }
}

/// The endpoint at one address of its host; what it calls itself (`:authority`) stays the name.
fn at(endpoint: &Endpoint, address: SocketAddr) -> Endpoint {
    let origin = endpoint.uri().clone();
    let scheme = origin.scheme_str().unwrap_or("http");
    let uri = format!("{scheme}://{address}").parse::<Uri>().expect("an address makes a URI");
    Endpoint::from(uri)
        .origin(origin)
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
}

fn host_and_port(uri: &Uri) -> Result<(String, u16)> {
    match (uri.host(), uri.port_u16()) {
        (Some(host), Some(port)) => Ok((host.to_owned(), port)),
        _ => Err(Error::internal(format!("the address of a service needs a host and a port: {uri}"))),
    }
}
