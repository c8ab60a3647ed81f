//! What the fuzzers start from and what they found, once each.

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own as well")]
mod targets;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        let input = fs::read(&path).expect("a file");
        let panicked = std::panic::catch_unwind(|| run(&input)).is_err();
        assert!(!panicked, "{}", path.display());
        count += 1;
    }
    assert!(count >= 20, "{} has only {count} files", folder.display());
}

#[test]
fn json() {
    replay("json", targets::json::run);
}

#[test]
fn wire() {
    replay("wire", targets::wire::run);
}

#[test]
fn templates() {
    replay("templates", targets::templates::run);
}

#[test]
fn query() {
    replay("query", targets::query::run);
}
