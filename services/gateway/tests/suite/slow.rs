//! Heads that do not end are given up, wherever on a connection they begin.

use crate::gateway::start;
use crate::raw;

#[tokio::test]
async fn a_method_that_begins_like_http_2_has_no_more_time() {
    let gateway = start(&["--http-header-timeout=200ms", "--http-idle=1s"]).await;
    for head in ["PRINT / HTTP/1.1\r\nhost: he", "PRI", "PRI * HTTP/2.0\r\n\r\n"] {
        let answer = raw::until_closed(gateway.address, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{head}: {answer}");
    }
}
