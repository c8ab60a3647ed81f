use std::path::PathBuf;

use crate::{Error, ephemeral};

/// What a cluster is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept; created if it does not exist.
    pub data_dir: PathBuf,
    /// The TCP port on 127.0.0.1; `None` is the last used one if it is still free, else any free one.
    pub port: Option<u16>,
    /// Settings of PostgreSQL in addition to ours, such as `shared_preload_libraries`.
    pub settings: Vec<(String, String)>,
    /// Remove the data directory when the cluster stops or this process ends in whatever way. The directory must be empty
    /// or not exist yet.
    pub ephemeral: bool,
}

impl Options {
    /// A cluster that stays: the next start finds its data.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), port: None, settings: vec![], ephemeral: false }
    }

    /// A cluster in a fresh temporary directory, which is removed with it.
    pub fn ephemeral() -> Result<Self, Error> {
        Ok(Self { ephemeral: true, ..Self::new(ephemeral::fresh_dir()?) })
    }
}
