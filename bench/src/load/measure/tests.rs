use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::*;

const SHORT: Duration = Duration::from_millis(200);

/// A server that answers each request with this body, after a while.
async fn serve(body: &'static str, delay: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                    sleep(delay).await;
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

async fn measured(address: SocketAddr, work: Work, rate: Option<f64>) -> Result<Measured> {
    let known = Arc::new(Known { films: 1, ..Known::default() });
    let plan = Plan { work, connections: 2, warm_up: Duration::ZERO, time: SHORT, rate };
    Ok(run(&Handle::current(), Target::Rest(address), plan, known, || Ok(())).await?.0)
}

#[tokio::test]
async fn right_answers_are_counted() {
    let measured = measured(serve(r#"{"id":1}"#, Duration::ZERO).await, Work::Film, None).await.unwrap();
    assert!(measured.answers > 0 && measured.answers == measured.latencies.len());
}

#[tokio::test]
async fn a_wrong_answer_fails_the_whole() {
    let address = serve(r#"{"id":2}"#, Duration::ZERO).await;
    let error = measured(address, Work::Film, None).await.err().expect("it is noticed").to_string();
    assert!(error.contains("wrong answer") && error.contains(r#"{"id":2}"#), "{error}");
}

#[tokio::test]
async fn a_visit_that_is_given_a_number_again_fails_the_whole() {
    let address = serve(r#"{"count":"5"}"#, Duration::ZERO).await;
    assert!(measured(address, Work::Visit, None).await.is_err());
}

/// A closed loop sends less while nobody answers, and sees each of the few answers take its own time. In an open loop what
/// was due in the meantime counts as well.
#[tokio::test]
async fn an_open_loop_sees_a_stall() {
    let slow = serve(r#"{"id":1}"#, SHORT / 2).await;
    let closed = measured(slow, Work::Film, None).await.unwrap();
    let open = measured(slow, Work::Film, Some(200.0)).await.unwrap();
    assert!(open.latencies.len() > 2 * closed.latencies.len());
    assert!(open.latencies.max() > 4 * closed.latencies.value_at_quantile(0.5));
}
