//! What a gateway cannot be started with is called by its name.

use std::fs;
use std::path::Path;

use crate::gateway::config;

async fn refusal(arguments: &[&str]) -> String {
    selvedge_gateway::start(&config(arguments)).await.err().expect("it does not start").to_string()
}

/// An argument that names a file with this in it.
fn file(directory: &Path, flag: &str, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    format!("{flag}={}", path.display())
}

#[tokio::test]
async fn what_is_wrong_with_certificate_and_key_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let file = |flag, name, content: &str| file(directory.path(), flag, name, content);
    let [one, other] = [(); 2].map(|()| rcgen::generate_simple_self_signed(vec!["a".to_owned()]).unwrap());
    let certificate = file("--certificate", "cert.pem", &one.cert.pem());
    let key = file("--key", "key.pem", &one.signing_key.serialize_pem());
    let other_key = file("--key", "other.pem", &other.signing_key.serialize_pem());
    let no_certificate = file("--certificate", "empty.pem", "");
    let no_key = file("--key", "empty.key", "");

    let told = refusal(&[&no_certificate, &key]).await;
    assert!(told.starts_with("--certificate") && told.contains("empty.pem"), "{told}");
    let told = refusal(&[&certificate, &no_key]).await;
    assert!(told.starts_with("--key") && told.contains("empty.key"), "{told}");
    let told = refusal(&[&certificate, &other_key]).await;
    assert!(told.contains("--key") && told.contains("other.pem") && told.contains("cert.pem"), "{told}");
    let told = refusal(&[&key]).await;
    assert!(told.contains("needs a --certificate (SELVEDGE_TLS_CERTIFICATE)"), "{told}");
    // On a command line, this is found out before.
    let mut alone = config(&[]);
    alone.tls.certificate = Some(directory.path().join("cert.pem"));
    let told = selvedge_gateway::start(&alone).await.err().unwrap().to_string();
    assert!(told.contains("needs a --key (SELVEDGE_TLS_KEY)"), "{told}");
}

#[tokio::test]
async fn of_several_descriptor_sets_the_one_that_is_none_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let flag = "--descriptor-set";
    let good = file(directory.path(), flag, "good.binpb", selvedge_proto::FILE_DESCRIPTOR_SET);
    let bad = file(directory.path(), flag, "bad.binpb", "rubbish");
    for arguments in [[&*good, &bad], [&bad, &good]] {
        let told = refusal(&arguments).await;
        assert!(told.contains(flag) && told.contains("bad.binpb") && !told.contains("good"), "{told}");
    }
}

#[tokio::test]
async fn deadlines_that_do_not_fit_together_are_both_named() {
    let told = refusal(&["--http-deadline=90s"]).await;
    assert!(told.contains("--http-deadline (1m 30s)") && told.contains("--http-max-deadline (1m)"), "{told}");
}
