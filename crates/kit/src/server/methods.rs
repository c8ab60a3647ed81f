//! What the descriptors say about the methods that are served.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use opentelemetry::KeyValue;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::service::Routes;
use tonic_reflection::server::Builder;

/// One method of an RPC service.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// `package.Service/Method`.
    pub(crate) name: Arc<str>,
    /// Whether either side sends a stream.
    pub(crate) streaming: bool,
    /// Whether the client does.
    pub(crate) takes_stream: bool,
}

impl Method {
    /// The method that a path names. All unknown paths are one, so that callers cannot grow the metrics.
    pub(crate) fn of(path: &str) -> &'static Self {
        KNOWN.get(path).unwrap_or(&UNKNOWN)
    }

    pub(crate) fn label(&self) -> KeyValue {
        KeyValue::new("method", self.name.clone())
    }

    /// Health checks are served whatever happens, and are not worth a span.
    pub(crate) fn is_health(&self) -> bool {
        self.name.starts_with("grpc.health.")
    }
}

static KNOWN: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    DESCRIPTORS
        .iter()
        .flat_map(|bytes| {
            FileDescriptorSet::decode(*bytes).expect("descriptors made by a compiler decode").file
        })
        .flat_map(|file| {
            file.service.into_iter().map(move |service| (file.package.clone().unwrap_or_default(), service))
        })
        .flat_map(|(package, service)| {
            let service_name = format!("{package}.{}", service.name());
            service.method.into_iter().map(move |method| {
                let name = format!("{service_name}/{}", method.name());
                let takes_stream = method.client_streaming();
                let streaming = takes_stream || method.server_streaming();
                (format!("/{name}"), Method { name: name.into(), streaming, takes_stream })
            })
        })
        .collect()
});

static UNKNOWN: LazyLock<Method> =
    LazyLock::new(|| Method { name: "unknown".into(), streaming: false, takes_stream: false });

const DESCRIPTORS: [&[u8]; 4] = [
    selvedge_proto::FILE_DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
];

const WELL_FORMED: &str = "descriptors made by a compiler can be indexed";

/// Lets engineers ask what is served here, in both versions of the question.
pub(super) fn add_reflection(mut routes: Routes, names: &[&'static str]) -> Routes {
    let builder = || {
        let mut builder = Builder::configure()
            .register_encoded_file_descriptor_set(selvedge_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        for name in names {
            builder = builder.with_service_name(*name);
        }
        builder
    };
    routes = routes.add_service(builder().build_v1().expect(WELL_FORMED));
    routes.add_service(builder().build_v1alpha().expect(WELL_FORMED))
}
