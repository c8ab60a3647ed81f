use clap::Parser;
use selvedge_kit::config::{Outcome, try_parse_from};

use super::Config;

/// A command line of nothing but the configuration.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    config: Config,
}

impl Default for Config {
    /// What an empty command line makes of an empty environment.
    fn default() -> Self {
        match try_parse_from::<Alone>(["gateway"], |_| None) {
            Ok(Outcome::Run(Alone { config })) => config,
            Ok(Outcome::PrintConfig(_)) => unreachable!("nobody asked to print"),
            Err(error) => unreachable!("every option has a default: {error}"),
        }
    }
}
