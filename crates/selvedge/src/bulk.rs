//! What exports and imports have in common: of what, in which format, and where its service is.

pub(crate) mod message;

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::Result;
use crate::database::{DATA_DIR, running};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A service that went away without a word is noticed after about twice this time.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// What is moved, and where its service is.
#[derive(Args)]
pub(crate) struct Resource {
    /// What to move.
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    service: ServiceAt,
}

/// Where a service is.
#[derive(Args)]
pub(crate) struct ServiceAt {
    /// The URL of the service, such as `http://127.0.0.1:50051`; when absent, that of the running `up`.
    #[arg(long, env = "SELVEDGE_CONTACTS_URL")]
    url: Option<String>,
    /// The data directory of the running `up`, where no URL is given.
    #[arg(long, env = "SELVEDGE_DATA_DIR", default_value = DATA_DIR)]
    data_dir: PathBuf,
}

/// What can be moved.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The submissions of the contact form.
    Contacts,
}

/// How rows are written down.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// The JSON form of a message in each line.
    Ndjson,
    /// A header with the names of the fields, and a record for each message.
    Csv,
}

impl Format {
    /// What the extension of a file says about it.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

impl Resource {
    /// A client that is connected.
    pub(crate) async fn client(&self) -> Result<SubmissionServiceClient<Channel>> {
        let What::Contacts = self.what;
        self.service.client().await
    }
}

impl ServiceAt {
    /// A client that is connected.
    pub(crate) async fn client(&self) -> Result<SubmissionServiceClient<Channel>> {
        let url = self.url()?;
        let endpoint = Endpoint::from_shared(url.clone())
            .map_err(|error| format!("{url} is not the URL of a service: {error}"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        let connected = endpoint.connect().await;
        let channel =
            connected.map_err(|error| format!("cannot reach contacts at {url}: {}", root(&error)))?;
        Ok(SubmissionServiceClient::new(channel))
    }

    fn url(&self) -> Result<String> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        match running(&self.data_dir) {
            Some(endpoints) => Ok(endpoints["contacts"].as_str().unwrap_or_default().to_owned()),
            None => Err(format!(
                "no service: set SELVEDGE_CONTACTS_URL, or start `selvedge up` ({} knows of none that is running)",
                self.data_dir.display()
            )
            .into()),
        }
    }
}

/// A failed call, for people.
pub(crate) fn explain(status: &Status) -> String {
    let cause = match status.source() {
        Some(error) => format!(": {}", root(error)),
        None => String::new(),
    };
    format!("{}{cause} ({:?})", status.message(), status.code())
}

/// What an error is about in the end: transports wrap it several times.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |&error| error.source()).last();
    last.unwrap_or(error).to_string()
}
