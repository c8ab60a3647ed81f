use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::line::{Line, Order};
use super::refuse;

/// A client's stream, whose line hears of what arrives; it says 408 when the line gives a request up, and says in words what
/// hyper answers in none.
pub(super) struct Guarded<S> {
    stream: S,
    line: Arc<Line>,
    /// What is left to write of such words.
    words: Bytes,
    /// After our last word, until when we listen to what the client is still sending, and to how much more of it.
    lingering: Option<(Pin<Box<Sleep>>, usize)>,
}

/// How long a client may go on to send after our last word, and how much. Were the connection closed at once, what arrives
/// then would be answered with a reset, and that may take away what the client has not read yet: our answer.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 16 << 20;

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, line: Arc<Line>) -> Self {
        Self { stream, line, words: Bytes::new(), lingering: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.line.last_order() == Order::GiveUp {
            if self.line.has_spoken() {
                // Nothing else is being written, so all of it fits into the socket's buffer; if not, so be it.
                let late = refuse::late().last_words();
                let _: Poll<io::Result<usize>> = Pin::new(&mut self.stream).poll_write(cx, &late);
                let _: Poll<io::Result<()>> = Pin::new(&mut self.stream).poll_flush(cx);
            }
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if let news @ [_, ..] = &buf.filled()[before..] {
            self.line.heard(news);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.words.is_empty() {
            let words = if self.line.is_between_requests() { refuse::in_words(buf) } else { None };
            let Some(problem) = words else {
                return Pin::new(&mut self.stream).poll_write(cx, buf);
            };
            self.words = problem.last_words().into();
            self.line.linger();
        }
        // Until all of it is written, hyper comes back with the same.
        while !self.words.is_empty() {
            let Self { stream, words, .. } = &mut *self;
            match ready!(Pin::new(stream).poll_write(cx, words))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => words.advance(written),
            }
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Such an answer comes alone.
        match bufs {
            [only] => self.poll_write(cx, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, line, lingering, .. } = &mut *self;
        if lingering.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let most = if line.lingers() { LINGER_BYTES } else { 0 };
        let (limit, left) = lingering.get_or_insert_with(|| (Box::pin(sleep(LINGER)), most));
        let mut unheard = [0; 4 << 10];
        while *left > 0 && limit.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut unheard);
            // A client that is gone is not waited for, whatever way it went.
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            match buffer.filled().len() {
                _ if read.is_err() => break,
                0 => break,
                length => *left = left.saturating_sub(length),
            }
        }
        Poll::Ready(Ok(()))
    }
}
