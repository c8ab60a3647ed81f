//! The requests in gRPC, straight on HTTP/2, and what is looked at of their answers.

use std::future::poll_fn;
use std::net::SocketAddr;

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::{self, Builder, SendRequest};
use http::{HeaderMap, Method, Request, Uri, Version};
use prost::Message;
use selvedge_proto::catalog::v1::{
    Film, GetFilmRequest, ListFilmsRequest, ListFilmsResponse, SearchFilmsRequest, SearchFilmsResponse,
};
use selvedge_proto::contacts::v1::{
    CreateSubmissionRequest, IncrementVisitorCountRequest, Submission, VisitorCount,
};
use tokio::net::TcpStream;

use super::{Answer, COUNTER, Call, MESSAGE, PAGE};
use crate::Result;

const WINDOW: u32 = 4 << 20;
/// Whether it is compressed, and how long it is: what stands before each message.
const PREFIX: usize = 5;

/// A connection to each of the services.
pub(super) struct Grpc {
    catalog: Connection,
    contacts: Connection,
}

/// What reads and writes is driven by the call that waits for it: a task for that would cost a change of tasks, often from
/// one thread to another, in each direction.
struct Connection {
    driver: client::Connection<TcpStream, Bytes>,
    calls: Calls,
}

struct Calls {
    sender: SendRequest<Bytes>,
    base: String,
    buffer: BytesMut,
    received: BytesMut,
}

impl Grpc {
    pub(super) async fn connect(catalog: SocketAddr, contacts: SocketAddr) -> Result<Self> {
        Ok(Self { catalog: Connection::open(catalog).await?, contacts: Connection::open(contacts).await? })
    }

    pub(super) async fn call(&mut self, call: Call<'_>) -> Result<Answer> {
        let page_size = i32::try_from(PAGE)?;
        let (right, answer) = match call {
            Call::Film(id) => {
                let path = "/selvedge.catalog.v1.FilmService/GetFilm";
                let film: Film = self.catalog.ask(path, &GetFilmRequest { id }).await?;
                (film.id == id, Answer::Read)
            }
            Call::Page(token) => (self.page(token).await?.films.len() == PAGE, Answer::Read),
            Call::Search(word) => {
                let path = "/selvedge.catalog.v1.FilmService/SearchFilms";
                let request = SearchFilmsRequest { page_size, query: word.into(), ..Default::default() };
                let found: SearchFilmsResponse = self.catalog.ask(path, &request).await?;
                ((1..=PAGE).contains(&found.matches.len()) && !found.approximate, Answer::Read)
            }
            Call::Create(number) => {
                let path = "/selvedge.contacts.v1.SubmissionService/CreateSubmission";
                let stored: Submission = self.contacts.ask(path, &create(number)).await?;
                (!stored.id.is_empty() && stored.message == MESSAGE, Answer::Created)
            }
            Call::Visit => {
                let path = "/selvedge.contacts.v1.VisitorService/IncrementVisitorCount";
                let request = IncrementVisitorCountRequest { counter: COUNTER.into() };
                let counted: VisitorCount = self.contacts.ask(path, &request).await?;
                (counted.counter == COUNTER, Answer::Visited(u64::try_from(counted.count)?))
            }
        };
        right.then_some(answer).ok_or_else(|| "a wrong answer".into())
    }

    pub(super) async fn next_page(&mut self, token: &str) -> Result<String> {
        Ok(self.page(token).await?.next_page_token)
    }

    async fn page(&mut self, token: &str) -> Result<ListFilmsResponse> {
        let path = "/selvedge.catalog.v1.FilmService/ListFilms";
        let page_size = i32::try_from(PAGE)?;
        let request = ListFilmsRequest { page_size, page_token: token.into(), ..Default::default() };
        self.catalog.ask(path, &request).await
    }
}

fn create(number: u64) -> CreateSubmissionRequest {
    let submission = Submission {
        name: "Ada Lovelace".into(),
        email: format!("ada.{number}@example.com"),
        message: MESSAGE.into(),
        ..Default::default()
    };
    CreateSubmissionRequest { submission: Some(submission), request_id: String::new() }
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut builder = Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (sender, driver) = builder.handshake(stream).await?;
        let base = format!("http://{address}");
        let calls = Calls { sender, base, buffer: BytesMut::new(), received: BytesMut::new() };
        Ok(Self { driver, calls })
    }

    async fn ask<A: Message + Default>(&mut self, path: &str, message: &impl Message) -> Result<A> {
        tokio::select! {
            biased;
            answer = self.calls.ask(path, message) => answer,
            end = &mut self.driver => Err(end.err().map_or("the connection was closed".into(), Into::into)),
        }
    }
}

impl Calls {
    async fn ask<A: Message + Default>(&mut self, path: &str, message: &impl Message) -> Result<A> {
        let length = message.encoded_len();
        self.buffer.reserve(PREFIX + length);
        self.buffer.put_u8(0);
        self.buffer.put_u32(u32::try_from(length)?);
        message.encode(&mut self.buffer)?;
        let frame = self.buffer.split().freeze();

        let uri: Uri = format!("{}{path}", self.base).parse()?;
        let request = Request::builder().method(Method::POST).uri(uri).version(Version::HTTP_2);
        let request = request.header("te", "trailers").header("content-type", "application/grpc").body(())?;
        poll_fn(|context| self.sender.poll_ready(context)).await?;
        let (answer, mut body) = self.sender.send_request(request, false)?;
        body.send_data(frame, true)?;

        let (head, mut body) = answer.await?.into_parts();
        self.received.clear();
        while let Some(part) = body.data().await {
            let part = part?;
            body.flow_control().release_capacity(part.len())?;
            self.received.extend_from_slice(&part);
        }
        let trailers = body.trailers().await?;
        succeeded(trailers.as_ref().unwrap_or(&head.headers))?;
        match &self.received[..] {
            [0, a, b, c, d, message @ ..]
                if usize::try_from(u32::from_be_bytes([*a, *b, *c, *d]))? == message.len() =>
            {
                Ok(A::decode(message)?)
            }
            _ => Err("the answer is not one message".into()),
        }
    }
}

fn succeeded(headers: &HeaderMap) -> Result<()> {
    match headers.get("grpc-status").map(http::HeaderValue::as_bytes) {
        Some(b"0") => Ok(()),
        status => {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let message = headers.get("grpc-message").map(|message| text(message.as_bytes()));
            let status = status.map_or_else(|| "missing".into(), text);
            Err(format!("grpc-status {status}: {}", message.unwrap_or_default()).into())
        }
    }
}
