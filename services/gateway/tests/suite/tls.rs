//! One port, two protocols, which TLS negotiates.

use std::fs;
use std::sync::Arc;

use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::gateway::{config, start};
use crate::raw;

async fn connect(
    address: std::net::SocketAddr,
    certificate: &CertificateDer<'static>,
    alpn: &[&str],
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(tls)).connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

fn request(address: std::net::SocketAddr) -> http::Request<Empty<bytes::Bytes>> {
    http::Request::get(format!("https://{address}/nothing"))
        .header("host", address.to_string())
        .body(Empty::new())
        .unwrap()
}

#[tokio::test]
async fn http_2_and_1_are_negotiated() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let gateway = start(&[
        &format!("--certificate={}", certificate.display()),
        &format!("--key={}", key.display()),
        "--http-header-timeout=300ms",
    ])
    .await;

    let stream = connect(gateway.address, made.cert.der(), &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(sender.send_request(request(gateway.address)).await.unwrap().status(), 404);

    for alpn in [&["http/1.1"][..], &[]] {
        let stream = connect(gateway.address, made.cert.der(), alpn).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), alpn.first().map(|name| name.as_bytes()));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(sender.send_request(request(gateway.address)).await.unwrap().status(), 404);
    }

    // Who does not begin to speak TLS is not waited for.
    assert_eq!(raw::until_closed(gateway.address, b"").await, "");
}

#[tokio::test]
async fn a_certificate_that_is_not_one_is_an_error_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nothing.pem");
    fs::write(&file, "nothing").unwrap();
    let file = file.display();
    let config = config(&[&format!("--certificate={file}"), &format!("--key={file}")]);
    assert!(selvedge_gateway::start(&config).await.is_err());
}
