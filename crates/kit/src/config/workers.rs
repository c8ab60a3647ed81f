use std::num::NonZero;
use std::thread::available_parallelism;

use clap::Args;
use clap::builder::RangedU64ValueParser;

/// How a process uses the machine.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Workers")]
pub struct Workers {
    /// Threads that serve, each with its own share of the connections; when absent, one per core
    #[arg(
        long,
        env = "SELVEDGE_WORKERS",
        value_name = "COUNT",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024)
    )]
    pub workers: Option<usize>,
}

impl Workers {
    /// How many there are, whether configured or not.
    pub fn count(&self) -> NonZero<usize> {
        let configured = self.workers.and_then(NonZero::new);
        configured.or_else(|| available_parallelism().ok()).unwrap_or(NonZero::<usize>::MIN)
    }
}
