use clap::Parser;
use selvedge_kit::config::defaults;

use super::Config;

/// A command line of nothing but the configuration.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    config: Config,
}

impl Default for Config {
    fn default() -> Self {
        defaults::<Alone>().config
    }
}
