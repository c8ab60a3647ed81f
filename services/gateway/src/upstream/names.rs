//! The addresses behind the names of an upstream.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::lookup_host;
use tokio::sync::Notify;
use tokio::time::timeout;
use tracing::warn;

use super::balance::Upstream;
use super::endpoint::Endpoint;
use crate::config::Address;

/// How long what was found may be believed.
const FRESH: Duration = Duration::from_secs(5);
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// When names were last looked up.
pub(super) struct Names {
    /// Addresses that are written as numbers never change.
    fixed: bool,
    looking: AtomicBool,
    looked: Mutex<Option<Instant>>,
}

impl Names {
    pub(super) fn new(addresses: &[Address]) -> Self {
        let fixed = addresses.iter().all(|address| address.host.parse::<IpAddr>().is_ok());
        Self { fixed, looking: AtomicBool::new(false), looked: Mutex::default() }
    }

    /// Whether somebody should look, which the caller then does: one at a time.
    fn begin(&self, failed: bool) -> bool {
        let looked = *self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = looked.is_none_or(|looked| {
            let age = looked.elapsed();
            // Names are asked again at once when nobody answers, but not by every call.
            age > FRESH || failed && age > FRESH / 10
        });
        !self.fixed && stale && !self.looking.swap(true, Ordering::Relaxed)
    }

    fn end(&self) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.looking.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_looking(&self) -> bool {
        self.looking.load(Ordering::Relaxed)
    }

    pub(super) fn is_fixed(&self) -> bool {
        self.fixed
    }
}

impl Upstream {
    /// Looks the names up again in the background, if it is time to. `failed` says that nobody answers where we know of.
    pub(super) fn refresh_names(self: &Arc<Self>, failed: bool) {
        if self.names.begin(failed) {
            let upstream = self.clone();
            tokio::spawn(async move {
                let known = upstream.endpoints();
                let found = look_up(&upstream.addresses, &known, &upstream.changed).await;
                upstream.replace_endpoints(found);
                upstream.names.end();
                upstream.changed.notify_waiters();
            });
        }
    }
}

async fn look_up(
    addresses: &[Address],
    known: &[Arc<Endpoint>],
    changed: &Arc<Notify>,
) -> Vec<Arc<Endpoint>> {
    let mut found: Vec<Arc<Endpoint>> = vec![];
    for address in addresses {
        let looked = timeout(LOOK_UP_TIMEOUT, lookup_host((address.host.as_str(), address.port))).await;
        let places: Vec<SocketAddr> = match looked {
            Ok(Ok(places)) => places.collect(),
            failed => {
                let error = failed.map_or_else(
                    |_| "no answer in time".to_owned(),
                    |it| match it {
                        Ok(_) => String::new(),
                        Err(error) => error.to_string(),
                    },
                );
                warn!(host = address.host, error, "cannot look up an upstream");
                // A name server that is down for a moment takes nobody's addresses away.
                let of_name = known.iter().filter(|it| it.authority == address.authority);
                of_name.map(|it| it.address).collect()
            }
        };
        for place in places {
            let same = |it: &&Arc<Endpoint>| it.address == place && it.authority == address.authority;
            if found.iter().any(|it| same(&it)) {
                continue;
            }
            let endpoint = known.iter().find(same).cloned();
            found.push(endpoint.unwrap_or_else(|| Endpoint::new(place, address.authority.clone(), changed)));
        }
    }
    found
}
