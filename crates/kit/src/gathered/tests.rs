use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

/// Remembers what was written at a time, and has nothing to read.
#[derive(Default)]
struct Socket(Vec<Vec<u8>>);

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.push(buf.to_vec());
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn write<S: AsyncRead + AsyncWrite + Unpin>(
    to: &mut Gathered<S>,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<usize> {
    let written = Pin::new(&mut *to).poll_write(cx, bytes).map(Result::unwrap);
    assert!(matches!(Pin::new(to).poll_flush(cx), Poll::Ready(Ok(()))));
    written
}

/// Begins the next turn, as hyper does.
fn turn<S: AsyncRead + AsyncWrite + Unpin>(of: &mut Gathered<S>, cx: &mut Context<'_>) {
    assert!(Pin::new(of).poll_read(cx, &mut ReadBuf::new(&mut [0])).is_pending());
}

#[test]
fn what_is_written_in_a_turn_leaves_together_and_asks_for_one_other_turn() {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let cx = &mut Context::from_waker(&waker);
    let mut gathered = Gathered::new(Socket::default());
    for part in ["a head, ", "a message, ", "and its end"] {
        assert_eq!(write(&mut gathered, cx, part.as_bytes()), Poll::Ready(part.len()));
    }
    assert!(gathered.stream.0.is_empty());
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    turn(&mut gathered, cx);
    assert_eq!(gathered.stream.0, [b"a head, a message, and its end"]);
    turn(&mut gathered, cx);
    assert_eq!((gathered.stream.0.len(), wakes.0.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(write(&mut gathered, cx, b"the next"), Poll::Ready(8));
    assert!(Pin::new(&mut gathered).poll_shutdown(cx).is_ready());
    assert_eq!(gathered.stream.0[1], b"the next");
}

#[test]
fn what_is_large_is_not_kept() {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut gathered = Gathered::new(Socket::default());
    assert_eq!(write(&mut gathered, cx, &[1; LARGE]), Poll::Ready(LARGE));
    assert_eq!(gathered.stream.0.len(), 1);
    for _ in 0..3 {
        assert_eq!(write(&mut gathered, cx, &[2; LARGE - 1]), Poll::Ready(LARGE - 1));
    }
    turn(&mut gathered, cx);
    assert_eq!(gathered.stream.0.len(), 2);
    assert_eq!(gathered.unsent.capacity(), 0);
}

#[tokio::test]
async fn who_takes_nothing_gets_no_more_kept_than_that() {
    let cx = &mut Context::from_waker(Waker::noop());
    let (near, mut far) = duplex(10);
    let mut gathered = Gathered::new(near);
    assert_eq!(write(&mut gathered, cx, &[1]), Poll::Ready(1));
    assert_eq!(write(&mut gathered, cx, &vec![2; 2 * MOST]), Poll::Ready(MOST - 1));
    assert_eq!(write(&mut gathered, cx, &[3]), Poll::Pending);
    assert_eq!(gathered.unsent.len(), MOST - 10);
    // It is still heard.
    far.write_all(b"!").await.unwrap();
    assert_eq!(gathered.read_u8().await.unwrap(), b'!');
}

#[tokio::test]
async fn everything_arrives_in_its_order_whatever_the_sizes() {
    let mut random = StdRng::seed_from_u64(7);
    let (near, mut far) = duplex(5000);
    let sent: Vec<u8> = (0..3_000_000).map(|_| random.random()).collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        let mut gathered = Gathered::new(near);
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let most = [10, 1000, 10_000, 200_000][random.random_range(0..4)];
            let (piece, after) = rest.split_at(random.random_range(0..=most).min(rest.len()));
            gathered.write_all(piece).await.unwrap();
            rest = after;
            if random.random() {
                poll_fn(|cx| {
                    turn(&mut gathered, cx);
                    Poll::Ready(())
                })
                .await;
            }
        }
        gathered.shutdown().await.unwrap();
    });
    let mut received = vec![];
    far.read_to_end(&mut received).await.unwrap();
    writer.await.unwrap();
    assert!(received == expected);
}
