//! What is too much is refused, in words.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::gateway::{call, client, soon, start, start_for};
use crate::{echo, raw};

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn large_heads_are_refused_over_http_1() {
    let gateway = start(&[]).await;
    let many: String = (0..150).map(|number| format!("x-{number}: y\r\n")).collect();
    let far_too_many: String = (0..1000).map(|number| format!("x-{number}: y\r\n")).collect();
    let large = format!("x-large: {}\r\n", "y".repeat(33 << 10));
    let far_too_large = format!("x-large: {}\r\n", "y".repeat(200 << 10));
    let long = format!("/{}", "y".repeat(9 << 10));
    for (request, status, words) in [
        (get("/nothing", &many), 431, "100 headers"),
        (get("/nothing", &far_too_many), 431, "far too many"),
        (get("/nothing", &large), 431, "32768 bytes"),
        (get("/nothing", &far_too_large), 431, "far too many"),
        (get(&long, ""), 414, "8192 bytes"),
        (get("/nothing", ""), 404, ""),
    ] {
        let answer = raw::until_closed(gateway.address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(words), "{answer}");
        // What is said in words is named as any other answer.
        assert!(words.contains("far too") || answer.contains("x-request-id: "), "{answer}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_problem_too() {
    let gateway = start(&[]).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "y".repeat(66_000));
    for (request, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nno header\r\n\r\n", 400),
        ("GET /a\0b HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\nhost: a\r\n\r\n", 400),
        ("POST /nothing HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n", 400),
        (&long, 414),
    ] {
        let answer = raw::until_closed(gateway.address, request.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(head.contains("content-type: application/problem+json"), "{answer}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{answer}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], status);
    }
    // What was answered before stays as it was.
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    stream.write_all(b"nonsense\r\n\r\n").await.unwrap();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with('}'), "{answer}");
}

#[tokio::test]
async fn a_request_names_one_host() {
    let gateway = start(&[]).await;
    for (hosts, version, status) in [
        ("", "1.1", 400),
        ("host: a\r\nhost: b\r\n", "1.1", 400),
        ("host: a\r\n", "1.1", 404),
        ("", "1.0", 404),
        ("host: a\r\nhost: b\r\n", "1.0", 400),
        ("host: a/b@c\r\n", "1.1", 400),
        ("host: a:99999999\r\n", "1.1", 400),
        ("host: [::1\r\n", "1.0", 400),
        ("host: [::1]:80\r\n", "1.1", 404),
        ("host:\r\n", "1.1", 404),
    ] {
        let request = format!("GET /nothing HTTP/{version}\r\nconnection: close\r\n{hosts}\r\n");
        let answer = raw::until_closed(gateway.address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/{version} {status} ")), "{answer}");
    }
    let all = b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert!(raw::until_closed(gateway.address, all).await.starts_with("HTTP/1.1 204 "));
}

#[tokio::test]
async fn a_body_that_is_sent_in_an_unknown_way_is_refused() {
    let gateway = start(&[]).await;
    for (encodings, status) in [
        ("transfer-encoding: Chunked\r\n", 404),
        ("transfer-encoding: gzip, chunked\r\n", 501),
        ("transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", 501),
        ("transfer-encoding: chunked, chunked\r\n", 501),
    ] {
        let post =
            format!("POST /nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{encodings}\r\n0\r\n\r\n");
        let answer = raw::until_closed(gateway.address, post.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{encodings}: {answer}");
    }
}

#[tokio::test]
async fn large_heads_are_refused_over_http_2() {
    let gateway = start(&[]).await;
    let request = |path: &str, headers: usize, bytes: usize| {
        let mut request = Request::get(format!("http://{}{path}", gateway.address));
        for number in 0..headers {
            request = request.header(format!("x-{number}"), "y".repeat(bytes));
        }
        request.body(Full::new(Bytes::new())).unwrap()
    };
    for (request, status) in [
        (request("/", 150, 1), 431),
        (request("/", 5, 8000), 431),
        (request(&format!("/{}", "y".repeat(9 << 10)), 0, 0), 414),
        (request("/nothing", 10, 1), 404),
    ] {
        assert_eq!(raw::send(gateway.address, request).await.status, status);
    }
    // A gRPC caller is told in its own way.
    let many: Vec<_> = (0..150).map(|number| format!("x-{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "y")).collect();
    let answer = raw::call(gateway.address, "/test.v1.Echo/Unary", &many, b"").await;
    assert_eq!((answer.status, answer.grpc_status()), (200, Some(8)));
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up() {
    let gateway = start(&["--http-header-timeout=200ms"]).await;
    let answer = raw::until_closed(gateway.address, b"GET /nothing HTTP/1.1\r\nhost: he").await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with('}'), "{answer}");
    let answer = raw::until_closed(gateway.address, b"P").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // Who says nothing is told nothing.
    assert_eq!(raw::until_closed(gateway.address, b"").await, "");
    // The same goes for the second request of a connection.
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    stream.write_all(b"GET / HT").await.unwrap();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let gateway = start(&["--http-idle=200ms"]).await;
    let answer = raw::until_closed(gateway.address, b"GET /nothing HTTP/1.1\r\nhost: here\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");

    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    // GOAWAY, while somebody would still like to ask something.
    soon(connection).await.unwrap();
    drop(sender);
}

#[tokio::test]
async fn calls_in_progress_are_not_idle() {
    let echo = echo::serve().await;
    let gateway = start(&[
        "--http-idle=50ms",
        "--http-header-timeout=50ms",
        &crate::gateway::upstream(&[echo.address]),
    ])
    .await;
    let mut client = client(gateway.address);
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { call(&mut client, "wait").await }
    });
    soon(echo.seen.waiting.acquire()).await.unwrap().forget();
    // Longer than that, as other connections of that age are gone by now.
    raw::until_closed(gateway.address, b"").await;
    raw::until_closed(gateway.address, b"GET /nothing HTTP/1.1\r\nhost: here\r\n\r\n").await;
    echo.seen.go_on.add_permits(1);
    soon(waiting).await.unwrap().unwrap();
    soon(call(&mut client, "again")).await.ok();
}

#[tokio::test]
async fn streams_at_once_are_limited() {
    let gateway = start(&["--http-streams=7"]).await;
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (sender, mut connection) = h2::client::handshake(stream).await.unwrap();
    let allowed = soon(std::future::poll_fn(|cx| {
        let polled = std::pin::Pin::new(&mut connection).poll(cx);
        assert!(polled.is_pending());
        match connection.max_concurrent_send_streams() {
            usize::MAX => std::task::Poll::Pending,
            allowed => std::task::Poll::Ready(allowed),
        }
    }));
    assert_eq!(allowed.await, 7);
    drop(sender);
}

#[tokio::test]
async fn rapid_resets_end_the_connection_and_nothing_else() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut bystander = client(gateway.address);
    call(&mut bystander, "before").await.unwrap();

    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    let mut connection = tokio::spawn(connection);
    let attack = async {
        loop {
            let request =
                Request::post("http://here/test.v1.Echo/Unary").header("content-type", "application/grpc");
            let Ok(ready) = sender.clone().ready().await else { return };
            sender = ready;
            let Ok((_, mut body)) = sender.send_request(request.body(()).unwrap(), false) else { return };
            body.send_reset(h2::Reason::CANCEL);
            tokio::task::yield_now().await;
        }
    };
    soon(attack).await;
    // Whether it hears why depends on what it was writing at that moment.
    assert!(soon(&mut connection).await.unwrap().is_err());
    call(&mut bystander, "after").await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let gateway = start(&["--http-connections=1", "--workers=1"]).await;
    let mut first = TcpStream::connect(gateway.address).await.unwrap();
    first.write_all(b"GET /nothing HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();
    let request = get("/nothing", "");
    let second = raw::until_closed(gateway.address, request.as_bytes());
    tokio::pin!(second);
    // It may take long; as long as the first is there it takes for ever.
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    assert!(soon(second).await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn grpc_needs_http_2_and_post() {
    let gateway = start(&[]).await;
    let answer =
        raw::until_closed(gateway.address, get("/a.B/C", "content-type: application/grpc\r\n").as_bytes())
            .await;
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
    let get =
        Request::get(format!("http://{}/a.B/C", gateway.address)).header("content-type", "application/grpc");
    let answer = raw::send(gateway.address, get.body(Full::new(Bytes::new())).unwrap()).await;
    assert_eq!((answer.status, &answer.headers["allow"]), (405, &http::HeaderValue::from_static("POST")));
    assert!(!answer.body.is_empty());
}
