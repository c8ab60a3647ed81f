//! The memory of this process, from Linux.

use std::fs;

use crate::Result;

/// Forgets what the peak was until now.
pub(crate) fn forget_peak() -> Result<()> {
    // "To reset the peak resident set size to the process's current value": proc_pid_clear_refs(5).
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

/// The most memory that was resident since the peak was forgotten, in kilobytes.
pub(crate) fn peak_kilobytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.ok_or("/proc/self/status has no VmHWM")?.parse()?)
}
