//! The services of the mesh.

use selvedge_kit::{ADMIN_PORT_OFFSET, Service};

use crate::Result;

include!(concat!(env!("OUT_DIR"), "/services.rs"));

/// The services that a command is about: the named one, or all.
pub(crate) fn chosen(name: Option<&str>) -> Result<Vec<&'static Service>> {
    let chosen: Vec<_> = ALL.iter().filter(|service| name.is_none_or(|name| service.name == name)).collect();
    if chosen.is_empty() {
        let known: Vec<_> = ALL.iter().map(|service| service.name).collect();
        return Err(format!(
            "there is no service {}; there are: {}",
            name.unwrap_or_default(),
            known.join(", ")
        )
        .into());
    }
    Ok(chosen)
}

/// The usual port of everything that `up` starts, under the name that `up.json` has for its address.
pub(crate) fn ports() -> impl Iterator<Item = (String, u16)> {
    let services = ALL.iter().map(|service| (service.name, service.port));
    services.chain([("gateway", selvedge_gateway::PORT)]).flat_map(|(name, port)| {
        [(name.to_owned(), port), (format!("{name}_admin"), port + ADMIN_PORT_OFFSET)]
    })
}
