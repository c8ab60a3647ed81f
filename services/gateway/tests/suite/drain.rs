//! A gateway that is told to stop finishes what it has begun.

use tokio::net::TcpStream;

use crate::gateway::{call, channel, client, soon, start, start_for, upstream};
use crate::{echo, raw};

#[tokio::test]
async fn what_is_in_flight_is_finished() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let (address, admin) = (gateway.address, gateway.admin_address);
    let waiting = tokio::spawn(async move { call(&mut client(address), "wait").await });
    soon(echo.seen.waiting.acquire()).await.unwrap().forget();
    let ready =
        raw::until_closed(admin, b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");

    let stop = tokio::spawn(gateway.stop());
    // Nobody new is let in.
    soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    let ready =
        raw::until_closed(admin, b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(ready.starts_with("HTTP/1.1 503 "), "{ready}");
    assert!(!stop.is_finished());
    echo.seen.go_on.add_permits(1);
    assert_eq!(&soon(waiting).await.unwrap().unwrap().get_ref()[..], b"wait");
    soon(stop).await.unwrap();
}

#[tokio::test]
async fn what_does_not_end_is_cut_off() {
    let echo = echo::serve().await;
    let gateway = start(&[&upstream(&[echo.address]), "--http-drain=100ms"]).await;
    let address = gateway.address;
    let waiting = tokio::spawn(async move { call(&mut client(address), "wait").await });
    soon(echo.seen.waiting.acquire()).await.unwrap().forget();
    soon(gateway.stop()).await;
    assert!(soon(waiting).await.unwrap().is_err());
    soon(echo.seen.cancelled.acquire()).await.unwrap().forget();
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let gateway = start(&["--http-drain=24days"]).await;
    let silent = TcpStream::connect(gateway.address).await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel(gateway.address));
    let watch = health.watch(tonic_health::pb::HealthCheckRequest::default()).await.unwrap();
    soon(gateway.stop()).await;
    drop((silent, watch));
}
