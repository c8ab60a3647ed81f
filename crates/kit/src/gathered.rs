//! A connection whose messages leave together.
//!
//! Of HTTP/2's frames, h2 writes each longer message by itself, and what ends it by itself again, though dozens of them
//! may have become ready at once. Each write is a system call, and on the other side perhaps a thread that wakes up for ten
//! bytes. Both take longer than to copy a message.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much is gathered at most.
const MOST: usize = 64 << 10;
/// What is as large as this is not copied, if nothing is in front of it; and no more memory is held by who has nothing to
/// send.
const LARGE: usize = 16 << 10;

/// A stream that sends what was written in one turn of its task when the task has its next turn, for which it asks itself.
/// Made for HTTP/2 of hyper and h2, which begins each turn by reading: to flush alone sends nothing.
///
/// ```no_run
/// # use selvedge_kit::Gathered;
/// # async fn example(address: std::net::SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
/// let stream = Gathered::new(tokio::net::TcpStream::connect(address).await?);
/// # Ok(())
/// # }
/// ```
pub struct Gathered<S> {
    stream: S,
    unsent: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gathered<S> {
    /// Around a stream that has no connection on it yet.
    pub fn new(stream: S) -> Self {
        Self { stream, unsent: vec![] }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(self.unsent.drain(..written)),
            }
        }
        if self.unsent.capacity() > LARGE {
            self.unsent = vec![];
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // As long as the other side takes nothing, there may still be something to read.
        if let Poll::Ready(sent) = self.poll_send(cx) {
            sent?;
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.unsent.len() >= MOST {
            ready!(self.poll_send(cx))?;
        }
        if self.unsent.is_empty() {
            if bufs.iter().map(|buf| buf.len()).sum::<usize>() >= LARGE {
                return Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
            }
            cx.waker().wake_by_ref();
        }
        let before = self.unsent.len();
        for buf in bufs {
            let room = MOST - self.unsent.len();
            self.unsent.extend_from_slice(&buf[..buf.len().min(room)]);
        }
        Poll::Ready(Ok(self.unsent.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
