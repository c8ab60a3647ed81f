//! Says what is being done, and how long it took.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

/// Writes to the standard error stream, which is where people look and programs do not.
pub(crate) struct Progress {
    live: bool,
    began: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { live: stderr().is_terminal(), began: Instant::now() }
    }

    /// Does something, under its name while it lasts and with its result and duration when it is done.
    pub(crate) async fn step<T, E>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, E>>,
        done: impl FnOnce(&T) -> String,
    ) -> Result<T, E> {
        if self.live {
            eprint!("  … {doing}");
            // Only the display is at stake.
            stderr().flush().ok();
        }
        let began = Instant::now();
        let result = work.await;
        let clear = if self.live { "\r\x1b[2K" } else { "" };
        match &result {
            Ok(value) => eprintln!("{clear}  ✓ {:<60} {:>8}", done(value), duration(began.elapsed())),
            Err(_) => eprintln!("{clear}  ✗ {doing}"),
        }
        result
    }

    /// Tells something by the way.
    #[expect(clippy::unused_self, reason = "it reads as part of the progress")]
    pub(crate) fn note(&self, text: &str) {
        eprintln!("    {text}");
    }

    /// How long everything took.
    pub(crate) fn total(&self) -> String {
        duration(self.began.elapsed())
    }
}

fn duration(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}
