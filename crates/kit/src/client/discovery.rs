//! Finds the addresses behind names and keeps a balanced channel to those that answer.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use http::Uri;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};
use tonic::transport::{Channel, Endpoint, channel::Change};
use tracing::{debug, warn};

use crate::{Error, Result};

/// How often to look which addresses there are and which of them answer.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEPALIVE: Duration = Duration::from_secs(20);
const CHANGES_QUEUED: usize = 64;

/// A place that answers for a name: the name's endpoint and one address of it.
type Place = (usize, SocketAddr);

/// A channel over all addresses of all endpoints; each request goes to the less busy of two.
pub(super) fn channel(endpoints: Vec<Endpoint>) -> Result<Channel> {
    let hosts = endpoints.iter().map(|endpoint| host_and_port(endpoint.uri())).collect::<Result<Vec<_>>>()?;
    if let ([endpoint], [(host, _)]) = (endpoints.as_slice(), hosts.as_slice())
        && host.parse::<IpAddr>().is_ok()
    {
        return Ok(tuned(endpoint.clone()).connect_lazy());
    }
    let (channel, changes) = Channel::balance_channel(CHANGES_QUEUED);
    tokio::spawn(follow(endpoints, hosts, changes));
    Ok(channel)
}

/// Looks the names up, and knocks at their addresses, for as long as somebody holds the channel.
///
/// The channel itself would go on sending calls to an address where nobody answers: a connection that fails at once
/// looks like one that has little to do.
async fn follow(
    endpoints: Vec<Endpoint>,
    hosts: Vec<(String, u16)>,
    changes: Sender<Change<Place, Endpoint>>,
) {
    let mut known: HashSet<Place> = HashSet::new();
    loop {
        let found = answering(look_up(&hosts, &known).await).await;
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
        tokio::select! {
            () = sleep(LOOK_PERIOD) => {}
            () = changes.closed() => return,
        }
    }
}

async fn look_up(hosts: &[(String, u16)], known: &HashSet<Place>) -> HashSet<Place> {
    let mut found = HashSet::new();
    for (index, (host, port)) in hosts.iter().enumerate() {
        match lookup_host((host.trim_matches(['[', ']']), *port)).await {
            Ok(addresses) => found.extend(addresses.map(|address| (index, address))),
            Err(error) => {
                warn!(host, %error, "cannot look up a service");
                // A name server that is down for a moment takes nobody's addresses away.
                found.extend(known.iter().filter(|(known, _)| *known == index));
            }
        }
    }
    found
}

async fn answering(places: HashSet<Place>) -> HashSet<Place> {
    let knocks = places.into_iter().map(|place| async move {
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(place.1)).await;
        matches!(connected, Ok(Ok(_))).then_some(place)
    });
    join_all(knocks).await.into_iter().flatten().collect()
}

/// The endpoint at one address of its host; what it calls itself (`:authority`) stays the name.
fn at(endpoint: &Endpoint, address: SocketAddr) -> Endpoint {
    let origin = endpoint.uri().clone();
    let scheme = origin.scheme_str().unwrap_or("http");
    let uri = format!("{scheme}://{address}").parse::<Uri>().expect("an address makes a URI");
    tuned(Endpoint::from(uri)).origin(origin)
}

fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
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
