use clap::Parser;

use super::{Config, Database, Outcome, try_parse_from};

/// A command line of nothing but the configuration.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    config: Config,
}

/// What an empty command line makes of an empty environment, of a struct whose every option has a default.
pub fn defaults<C: Parser>() -> C {
    match try_parse_from(["selvedge"], |_| None) {
        Ok(Outcome::Run(config)) => config,
        Ok(Outcome::PrintConfig(_)) => unreachable!("nobody asked to print"),
        Err(error) => unreachable!("every option has a default: {error}"),
    }
}

impl Default for Config {
    fn default() -> Self {
        defaults::<Alone>().config
    }
}

impl Database {
    /// Whether anything says where the database is.
    pub fn is_given(&self) -> bool {
        self.url.is_some() || self.host.is_some()
    }
}
