//! Where traces go: what takes them in, and does no more than count their bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::calls;
use crate::Result;

/// An empty message, neither compressed nor with anything in it.
const EMPTY: &[u8] = &[0; 5];
const POLL: Duration = Duration::from_millis(50);

/// A collector of traces that keeps none of them.
pub(super) struct Sink {
    url: String,
    bytes: Arc<AtomicUsize>,
}

impl Sink {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let bytes = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&bytes);
        tokio::spawn(calls::serve(listener, move |request, respond| {
            let counted = Arc::clone(&counted);
            async move {
                let traces = calls::read(&mut request.into_body()).await?;
                counted.fetch_add(traces.len(), Ordering::Relaxed);
                calls::send(respond, Bytes::from_static(EMPTY))
            }
        }));
        Ok(Self { url, bytes })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How much has come so far; if that is nothing, then within this time.
    pub(super) async fn bytes_soon(&self, limit: Duration) -> usize {
        let some = async {
            while self.bytes.load(Ordering::Relaxed) == 0 {
                sleep(POLL).await;
            }
        };
        // When there is none, that is the answer.
        let _ = timeout(limit, some).await;
        self.bytes.load(Ordering::Relaxed)
    }
}
