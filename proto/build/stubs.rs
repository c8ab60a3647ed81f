//! Generates messages, clients and servers.

use std::io;
use std::path::Path;

use prost_build::{Config, Service, ServiceGenerator};
use tonic_prost_build::FileDescriptorSet;

use super::names::OPTION_PACKAGES;

/// Our servers check what they decode; clients trust our servers and use tonic's own codec.
const SERVER_CODEC: &str = "::selvedge_proto::codec::Codec";

/// Writes one file per package and a `mod.rs` that includes them all.
pub(crate) fn generate(mut descriptors: FileDescriptorSet, out: &Path) -> io::Result<()> {
    descriptors.file.retain(|file| !OPTION_PACKAGES.contains(&file.package()));
    Config::new()
        .out_dir(out)
        .include_file("mod.rs")
        // In a sorted map the same message always has the same bytes.
        .btree_map(["."])
        .enable_type_names()
        .service_generator(Box::new(ClientsAndServers {
            clients: tonic_prost_build::configure().build_server(false).service_generator(),
            servers: tonic_prost_build::configure()
                .build_client(false)
                .codec_path(SERVER_CODEC)
                .service_generator(),
        }))
        .compile_fds(descriptors)
}

/// One generator has one codec for both sides; two of them have one each.
struct ClientsAndServers {
    clients: Box<dyn ServiceGenerator>,
    servers: Box<dyn ServiceGenerator>,
}

impl ServiceGenerator for ClientsAndServers {
    fn generate(&mut self, service: Service, code: &mut String) {
        self.clients.generate(service.clone(), code);
        self.servers.generate(service, code);
    }
}
