//! Which endpoint of an upstream gets the next call.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::CallError;
use super::connection::Lease;
use super::endpoint::{Endpoint, State};
use super::names::Names;
use crate::config::{self, Address};

/// How long a call waits for a connection, at most: a name is looked up, and a connection is made.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// A service that may run in several places.
pub(crate) struct Upstream {
    package: config::Upstream,
    pub(super) addresses: Vec<Address>,
    endpoints: RwLock<Arc<[Arc<Endpoint>]>>,
    pub(super) names: Names,
    /// Told when a connection was made or could not be, and when names were looked up.
    pub(super) changed: Arc<Notify>,
}

/// What there is for a call.
enum Choice {
    Call(Lease),
    /// Somebody is about to be there.
    Wait,
    /// Nobody is there, for this reason.
    Nobody(CallError),
}

impl Upstream {
    pub(super) fn new(upstream: config::Upstream) -> Arc<Self> {
        let addresses = upstream.addresses.clone();
        let names = Names::new(&addresses);
        let changed = Arc::default();
        let literal = |it: &Address| {
            let place = SocketAddr::new(it.host.parse().ok()?, it.port);
            Some(Endpoint::new(place, it.authority.clone(), &changed))
        };
        // Names are looked up by the first call.
        let endpoints =
            if names.is_fixed() { addresses.iter().filter_map(literal).collect() } else { vec![] };
        Arc::new(Self {
            package: upstream,
            addresses,
            endpoints: RwLock::new(endpoints.into()),
            names,
            changed,
        })
    }

    /// Its package, which names it.
    pub(crate) fn name(&self) -> &str {
        &self.package.package
    }

    pub(super) fn serves(&self, service: &str) -> bool {
        self.package.serves(service)
    }

    pub(super) fn endpoints(&self) -> Arc<[Arc<Endpoint>]> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn replace_endpoints(&self, endpoints: Vec<Arc<Endpoint>>) {
        for old in self.endpoints().iter() {
            if !endpoints.iter().any(|it| Arc::ptr_eq(it, old)) {
                old.leave();
            }
        }
        *self.endpoints.write().unwrap_or_else(PoisonError::into_inner) = endpoints.into();
    }

    /// A place on a connection. After a failure, `failed` is where not to go again if there is a choice.
    pub(super) async fn lease(self: &Arc<Self>, failed: Option<Lease>) -> Result<Lease, CallError> {
        // Most calls find a connection; only the others need to know of changes.
        if let Choice::Call(lease) = self.choose(failed.as_ref()) {
            return Ok(lease);
        }
        let waited = timeout(LONGEST_WAIT, async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                match self.choose(failed.as_ref()) {
                    Choice::Call(lease) => return Ok(lease),
                    Choice::Nobody(error) => return Err(error),
                    Choice::Wait => changed.await,
                }
            }
        });
        waited.await.unwrap_or_else(|_| Err(CallError::Unreachable("no connection in time".to_owned())))
    }

    fn choose(self: &Arc<Self>, failed: Option<&Lease>) -> Choice {
        if !self.names.is_fixed() {
            self.refresh_names(false);
        }
        let endpoints = self.endpoints();
        if let [only] = &*endpoints {
            // Nothing to choose from.
            if let Some(lease) = Lease::on(only) {
                return Choice::Call(lease);
            }
        } else if let Some(lease) = less_busy(&endpoints, failed) {
            Self::connect_others(&endpoints);
            return Choice::Call(lease);
        }
        self.connect_any(&endpoints)
    }

    /// Of those that are not there, tries those whose time has come.
    fn connect_others(endpoints: &[Arc<Endpoint>]) {
        for endpoint in endpoints {
            endpoint.connect_when_due();
        }
    }

    fn connect_any(self: &Arc<Self>, endpoints: &[Arc<Endpoint>]) -> Choice {
        let (mut connecting, mut reason) = (false, None);
        for endpoint in endpoints {
            match endpoint.connect_when_due() {
                State::Connected => match Lease::on(endpoint) {
                    Some(lease) => return Choice::Call(lease),
                    // It has begun to make another connection.
                    None => connecting = true,
                },
                State::Connecting => connecting = true,
                State::Down(error) => reason = Some(error),
            }
        }
        if connecting || self.names.is_looking() {
            return Choice::Wait;
        }
        self.refresh_names(true);
        if self.names.is_looking() {
            return Choice::Wait;
        }
        let no_address = || CallError::Unreachable("its name stands for no address".to_owned());
        Choice::Nobody(reason.unwrap_or_else(no_address))
    }
}

/// Of two that are picked at random the one with fewer calls in flight. Those that did not answer lately, and the one that
/// just failed, only if there are no others.
fn less_busy(endpoints: &[Arc<Endpoint>], failed: Option<&Lease>) -> Option<Lease> {
    let count = endpoints.len();
    if count == 0 {
        return None;
    }
    let first = rand::random_range(0..count);
    let second = (first + 1 + rand::random_range(0..count - 1)) % count;
    let good = |it: &&Arc<Endpoint>| it.is_good() && !failed.is_some_and(|failed| failed.is_at(it));
    let pair = [&endpoints[first], &endpoints[second]].into_iter().filter(good);
    pair.min_by_key(|it| it.in_flight())
        .or_else(|| endpoints[first..].iter().chain(&endpoints[..first]).find(good))
        .and_then(Lease::on)
        // Bad is better than nothing.
        .or_else(|| endpoints.iter().filter(|it| it.is_connected()).find_map(Lease::on))
}
