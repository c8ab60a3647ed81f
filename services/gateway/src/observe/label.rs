//! What requests are counted under: templates and RPCs, never paths, of which there is no end.

use crate::worker::Shared;

/// A name for all requests of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// What no route fits, and RPCs that the descriptors do not have.
    Unknown,
    /// A route of REST, by its index.
    Route(usize),
    /// An RPC, by service and method.
    Rpc(usize, usize),
    /// A page of the gateway itself.
    Page(&'static str),
    /// An RPC of the gateway itself.
    Own(&'static str),
}

impl Label {
    pub(crate) fn text(self, shared: &Shared) -> &str {
        match self {
            Self::Unknown => "unknown",
            Self::Route(index) => &shared.rest.transcoder().routes().all()[index].template.text,
            Self::Rpc(service, method) => &shared.schema.services()[service].methods[method].path[1..],
            Self::Page(name) | Self::Own(name) => name,
        }
    }
}
