//! HTTP/1.1, as little of it as a request and its answer need.

use std::net::SocketAddr;

use httparse::{EMPTY_HEADER, Status, parse_chunk_size};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Result;

const HEADERS: usize = 64;
const ROOM: usize = 64 << 10;
/// Far more than any answer has.
const MOST: usize = 64 << 20;

/// A connection with at most one request under way.
pub(super) struct Http1 {
    stream: TcpStream,
    received: Vec<u8>,
    /// A body that came in chunks, put together.
    joined: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Head {
    status: u16,
    /// Where the body begins.
    end: usize,
    /// How long the body is, if it does not come in chunks.
    length: Option<usize>,
}

impl Http1 {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(ROOM), joined: vec![] })
    }

    /// Sends a request, and answers with status and body.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            self.read().await?;
            if let Some(head) = Head::parse(&self.received)? {
                break head;
            }
        };
        let Some(length) = head.length else {
            self.join_chunks(head.end).await?;
            return Ok((head.status, &self.joined));
        };
        while self.received.len() < head.end + length {
            self.read().await?;
        }
        match &self.received[head.end..] {
            body if body.len() == length => Ok((head.status, body)),
            _ => Err("there is something after the answer".into()),
        }
    }

    async fn read(&mut self) -> Result<()> {
        if self.received.len() > MOST {
            return Err("the answer is too long".into());
        }
        if self.received.capacity() - self.received.len() < ROOM / 4 {
            self.received.reserve(ROOM);
        }
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("the connection was closed".into()),
            _ => Ok(()),
        }
    }

    async fn join_chunks(&mut self, mut at: usize) -> Result<()> {
        self.joined.clear();
        loop {
            let found = parse_chunk_size(&self.received[at..]).map_err(|_| "a chunk has no size")?;
            let Status::Complete((begin, size)) = found else {
                self.read().await?;
                continue;
            };
            let size = usize::try_from(size)?;
            let end = at + begin + size;
            if size > MOST {
                return Err("a chunk is too long".into());
            }
            // A line ends the chunk, and after the last one the body.
            while self.received.len() < end + 2 {
                self.read().await?;
            }
            if &self.received[end..end + 2] != b"\r\n" {
                return Err("a chunk does not end where it should".into());
            }
            if size == 0 {
                return Ok(());
            }
            self.joined.extend_from_slice(&self.received[at + begin..end]);
            at = end + 2;
        }
    }
}

impl Head {
    fn parse(received: &[u8]) -> Result<Option<Self>> {
        let mut headers = [EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let Status::Complete(end) = response.parse(received)? else { return Ok(None) };
        let status = response.code.ok_or("the answer has no status")?;
        let find = |name: &str| response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        if find("transfer-encoding").is_some_and(|header| header.value.eq_ignore_ascii_case(b"chunked")) {
            return Ok(Some(Self { status, end, length: None }));
        }
        let length = find("content-length").ok_or("the answer does not say how long it is")?;
        let length = str::from_utf8(length.value)?.trim().parse()?;
        Ok(Some(Self { status, end, length: Some(length) }))
    }
}

#[cfg(test)]
mod tests;
