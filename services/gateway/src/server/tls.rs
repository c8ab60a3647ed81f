use std::path::Path;
use std::sync::Arc;

use selvedge_kit::StartError;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::rustls::{Error, ServerConfig};

use crate::config::Tls;

/// What greets TLS clients, where a certificate is configured.
pub(super) fn acceptor(config: &Tls) -> Result<Option<TlsAcceptor>, StartError> {
    let (certificate, key) = match (&config.certificate, &config.key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err("TLS needs a --key (SELVEDGE_TLS_KEY) for its --certificate".into()),
        (None, Some(_)) => {
            return Err("TLS needs a --certificate (SELVEDGE_TLS_CERTIFICATE) for its --key".into());
        }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable("--certificate", certificate, &error))?;
    if chain.is_empty() {
        return Err(format!("--certificate: there is no certificate in {}", certificate.display()).into());
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("--key", key, &error))?;
    let (certificate, key) = (certificate.display(), key.display());
    let unfit = |error: Error| match error {
        Error::InconsistentKeys(_) => format!("--key: {key} is not the key of --certificate {certificate}"),
        error => format!("--certificate {certificate} and --key {key} cannot be used: {error}"),
    };
    let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unfit)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(tls))))
}

fn unreadable(flag: &str, path: &Path, error: &pem::Error) -> String {
    format!("{flag}: {} cannot be read: {error}", path.display())
}
