//! Endpoints that take calls and do not answer.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{Upstream, call, good};

/// Takes calls, and answers them or not; says where.
async fn endpoint(answers: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                let mut kept = vec![];
                while let Some(Ok((_, respond))) = connection.accept().await {
                    if answers {
                        good(respond);
                    } else {
                        kept.push(respond);
                    }
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn who_never_answers_is_avoided_though_no_caller_waits_for_long() {
    let urls = [endpoint(false).await, endpoint(true).await].join(",");
    let upstream = Upstream::new(format!("test={urls}").parse().unwrap());
    let mut in_a_row = 0;
    let found_out = async {
        while in_a_row < 50 {
            let answered = timeout(Duration::from_millis(200), call(&upstream)).await;
            in_a_row = if matches!(answered, Ok(Ok(_))) { in_a_row + 1 } else { 0 };
        }
    };
    timeout(Duration::from_mins(1), found_out).await.expect("the hung one is avoided");
}
