use clap::Parser;

use super::{Config, Database, Outcome, try_parse_from};

/// A command line of nothing but the configuration.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    config: Config,
}

impl Default for Config {
    /// What an empty command line makes of an empty environment.
    fn default() -> Self {
        match try_parse_from::<Alone>(["selvedge"], |_| None) {
            Ok(Outcome::Run(Alone { config })) => config,
            Ok(Outcome::PrintConfig(_)) => unreachable!("nobody asked to print"),
            Err(error) => unreachable!("every option has a default: {error}"),
        }
    }
}

impl Database {
    /// Whether anything says where the database is.
    pub fn is_given(&self) -> bool {
        self.url.is_some() || self.host.is_some()
    }
}
