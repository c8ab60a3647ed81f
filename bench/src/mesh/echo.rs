//! A service that costs next to nothing: it says again what the real one once answered. Behind it, a gateway's own cost shows.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{self, SendRequest};
use h2::server::SendResponse;
use http::{Request, Version};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::calls;
use crate::Result;

/// It runs in a thread of its own.
pub(super) struct Echo {
    pub(super) address: SocketAddr,
    runtime: Option<Runtime>,
}

/// The service behind, and what it has answered.
struct Known {
    service: SendRequest<Bytes>,
    base: String,
    /// By path and message.
    answers: Mutex<HashMap<(String, Bytes), Bytes>>,
}

impl Echo {
    pub(super) async fn start(service: SocketAddr) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let started = runtime.spawn(start(service)).await?;
        Ok(Self { address: started?, runtime: Some(runtime) })
    }
}

impl Drop for Echo {
    /// A runtime may not be dropped where others run.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn start(service: SocketAddr) -> Result<SocketAddr> {
    let stream = TcpStream::connect(service).await?;
    let (sender, connection) = client::handshake(stream).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("the connection to the service ended: {error}");
        }
    });
    let base = format!("http://{service}");
    let known = Arc::new(Known { service: sender, base, answers: Mutex::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(calls::serve(listener, move |request, respond| Arc::clone(&known).answer(request, respond)));
    Ok(address)
}

impl Known {
    async fn answer(
        self: Arc<Self>,
        request: Request<RecvStream>,
        respond: SendResponse<Bytes>,
    ) -> Result<()> {
        let path = request.uri().path().to_owned();
        let call = (path, calls::read(&mut request.into_body()).await?);
        let known = self.answers.lock().map_err(|_| "a call before this one broke off")?.get(&call).cloned();
        let answer = match known {
            Some(answer) => answer,
            None => self.ask(call).await?,
        };
        calls::send(respond, answer)
    }

    /// Asks the service, and keeps what it says.
    async fn ask(&self, call: (String, Bytes)) -> Result<Bytes> {
        let head = Request::post(format!("{}{}", self.base, call.0))
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())?;
        let (answer, mut request) = self.service.clone().ready().await?.send_request(head, false)?;
        request.send_data(call.1.clone(), true)?;
        let mut body = answer.await?.into_body();
        let answer = calls::read(&mut body).await?;
        let trailers = body.trailers().await?.unwrap_or_default();
        if trailers.get("grpc-status").is_none_or(|status| status != "0") {
            return Err(format!("{}: the service answered with {trailers:?}", call.0).into());
        }
        self.answers.lock().map_err(|_| "a call before this one broke off")?.insert(call, answer.clone());
        Ok(answer)
    }
}
