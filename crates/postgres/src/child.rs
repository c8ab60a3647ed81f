//! Programs that run for a moment.

use std::io::{self, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a condition is looked at that nobody reports.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// Waits for the end of a child, which is killed when it takes longer: then there is no status.
pub(crate) fn wait_within(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(POLL);
    }
}

/// The first line that a program prints, or why there is none.
pub(crate) fn first_line(command: &mut Command) -> Result<String, String> {
    const LIMIT: Duration = Duration::from_secs(10);
    let mut run = || {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let status = wait_within(&mut child, LIMIT)?;
        let mut text = String::new();
        // A line fits into the pipe, so that the program does not wait for a reader; more than that is not of interest.
        child.stdout.take().expect("it is piped").take(4096).read_to_string(&mut text)?;
        io::Result::Ok((status, text))
    };
    match run() {
        Ok((Some(status), text)) if status.success() => {
            Ok(text.lines().next().unwrap_or_default().trim().to_owned())
        }
        Ok((Some(status), _)) => Err(format!("it failed with {status}")),
        Ok((None, _)) => Err(format!("it took longer than {} s", LIMIT.as_secs())),
        Err(error) => Err(error.to_string()),
    }
}
