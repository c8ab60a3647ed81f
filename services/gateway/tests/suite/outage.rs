//! Upstreams that are gone, come back, or hang.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::Code;

use crate::gateway::{call, client, soon, start, start_for};
use crate::{echo, raw};

/// An address where nobody is.
async fn dead() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn who_cannot_be_reached_is_unavailable() {
    let gateway = start_for(&[dead().await]).await;
    for _ in 0..3 {
        let answer = raw::call(gateway.address, "/test.v1.Echo/Unary", &[], b"").await;
        assert_eq!((answer.status, answer.grpc_status(), answer.is_trailers_only), (200, Some(14), true));
    }
}

#[tokio::test]
async fn a_call_whose_upstream_dies_ends_and_a_restart_is_noticed() {
    let echo = echo::serve().await;
    let address = echo.address;
    let gateway = start_for(&[address]).await;
    let mut client = client(gateway.address);
    call(&mut client, "before").await.unwrap();
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { call(&mut client, "wait").await }
    });
    soon(echo.seen.waiting.acquire()).await.unwrap().forget();
    drop(echo);
    assert_eq!(soon(waiting).await.unwrap().unwrap_err().code(), Code::Unavailable);
    let status = call(&mut client, "nobody there").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);

    let _echo = echo::serve_at(address).await;
    soon(async { while call(&mut client, "after").await.is_err() {} }).await;
    for _ in 0..10 {
        call(&mut client, "for good").await.unwrap();
    }
}

#[tokio::test]
async fn a_dead_endpoint_costs_nobody_a_call() {
    let (one, two) = (echo::serve().await, echo::serve().await);
    let gateway = start_for(&[one.address, dead().await, two.address]).await;
    let mut client = client(gateway.address);
    for _ in 0..50 {
        call(&mut client, "hello").await.unwrap();
    }
    let both = async || {
        let seen = [&one, &two].map(|echo| echo.seen.calls.load(std::sync::atomic::Ordering::Relaxed));
        seen.iter().all(|calls| *calls > 0)
    };
    soon(async {
        while !both().await {
            call(&mut client, "hello").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_stands_for_all_its_addresses() {
    let echo = echo::serve().await;
    // Perhaps also ::1, where nobody is.
    let name = format!("--upstream=test=http://localhost:{}", echo.address.port());
    let gateway = start(&[&name]).await;
    for _ in 0..5 {
        call(&mut client(gateway.address), "hello").await.unwrap();
    }
    let gateway = start(&["--upstream=test=http://name.invalid:1"]).await;
    let answer = raw::call(gateway.address, "/test.v1.Echo/Unary", &[], b"").await;
    assert_eq!(answer.grpc_status(), Some(14));
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_avoided() {
    // The system takes connections for it; it itself does nothing, like a process that was stopped.
    let hung = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo = echo::serve().await;
    let gateway = start_for(&[hung.local_addr().unwrap(), echo.address]).await;
    let mut client = client(gateway.address);
    let mut in_a_row = 0;
    soon(async {
        while in_a_row < 100 {
            let called = tokio::time::timeout(Duration::from_millis(1500), call(&mut client, "hello")).await;
            in_a_row = if matches!(called, Ok(Ok(_))) { in_a_row + 1 } else { 0 };
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_hangs_does_not_hurt_the_others() {
    let hung = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo = echo::serve().await;
    let other = format!("--upstream=hung.v1=http://{}", hung.local_addr().unwrap());
    let gateway = start(&[&crate::gateway::upstream(&[echo.address]), &other]).await;
    let late = raw::call(gateway.address, "/hung.v1.Service/Get", &[("grpc-timeout", "100m")], b"").await;
    assert_eq!(late.grpc_status(), Some(4));
    let hanging = raw::call(gateway.address, "/hung.v1.Service/Get", &[], b"");
    tokio::pin!(hanging);
    assert!(futures::poll!(&mut hanging).is_pending());
    for _ in 0..10 {
        call(&mut client(gateway.address), "hello").await.unwrap();
    }
    assert!(futures::poll!(&mut hanging).is_pending());
}
