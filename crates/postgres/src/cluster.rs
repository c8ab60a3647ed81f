use std::fmt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::home::Home;
use crate::initdb::{self, SUPERUSER};
use crate::janitor::Janitor;
use crate::place::{self, SocketDir};
use crate::server::{Launch, Server};
use crate::{Error, Installation, Options};

/// A running PostgreSQL; stopped when it is dropped.
pub struct Cluster {
    // The order is that of the end: first the server, then the directories, last the lock that protects them.
    server: Server,
    socket_dir: SocketDir,
    _janitor: Option<Janitor>,
    home: Home,
    port: u16,
    password: String,
    is_new: bool,
}

impl Cluster {
    /// Starts the newest installation that can read the data; returns when connections are accepted.
    pub fn start(options: Options) -> Result<Self, Error> {
        Self::start_with(&Installation::find_for(&options.data_dir)?, options)
    }

    /// Starts a particular installation.
    #[allow(clippy::needless_pass_by_value, reason = "a cluster takes its directory over")]
    pub fn start_with(installation: &Installation, options: Options) -> Result<Self, Error> {
        let home = Home::open(&options)?;
        let socket_dir = place::socket_dir(&home)?;
        let dirs = || vec![home.dir.clone(), socket_dir.path.clone()];
        let janitor = options.ephemeral.then(|| Janitor::start(dirs())).transpose()?;
        let (password, is_new) = initdb::prepare(&home, installation)?;
        let launch = |port| Launch::new(installation, &home, port, &socket_dir.path, &options.settings);
        let (server, port) = start_server(launch, place::port(&home, options.port)?, options.port.is_none())?;
        place::remember_port(&home, port)?;
        Ok(Self { server, _janitor: janitor, home, port, socket_dir, password, is_new })
    }

    /// A URL that gets into this database as superuser, over TCP.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/{}",
            self.password,
            self.port,
            percent_encoded(database)
        )
    }

    /// The directory of the Unix socket: the `host` of clients that use it.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir.path
    }

    /// The TCP port, which is part of the socket's name as well.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of the superuser.
    pub fn superuser(&self) -> &str {
        SUPERUSER
    }

    /// The password of the superuser.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The pid of the server, which changes when it had to be started again.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Where the data really is.
    pub fn data_dir(&self) -> &Path {
        &self.home.dir
    }

    /// What the user should know, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.home.notes
    }

    /// True if there was no data before.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Cuts all connections, has the data written, and waits for the end.
    pub fn stop(mut self) -> Result<(), Error> {
        self.server.stop()
    }
}

impl fmt::Debug for Cluster {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("data_dir", &self.home.dir)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Tries again where that can help.
fn start_server(
    launch: impl Fn(u16) -> Launch,
    mut port: u16,
    any_port: bool,
) -> Result<(Server, u16), Error> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let error = match Server::start(launch(port)) {
            Ok(server) => return Ok((server, port)),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(error) => error,
        };
        // Somebody else can take a port between the moment it is found free and the moment it is used.
        if any_port && place::try_port(port).is_err() {
            port = place::any_port()?;
        // When a server was killed together with its launcher, its processes live on for a moment.
        } else if error.to_string().contains("pre-existing shared memory block") {
            sleep(Duration::from_millis(100));
        } else {
            return Err(error);
        }
    }
}

fn percent_encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}
