//! A child that does not outlive this process, even if that is killed.
#![allow(unsafe_code, reason = "std offers no parent-death signal, and `pre_exec` is unsafe")]

use std::process::Command;

/// Asks the kernel to send SIGINT to the child when the THREAD that spawns it ends. Systems other than Linux have no such
/// thing: there a killed process leaves its children behind.
pub(crate) fn die_with_parent(command: &mut Command) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt as _;

        use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

        let parent = getpid();
        let ask = move || {
            set_parent_process_death_signal(Some(Signal::INT))?;
            // A parent that ended before the line above will send no signal any more.
            if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
        };
        // SAFETY: between fork and exec only what is async-signal-safe may run. The closure makes three system calls; it
        // takes no lock and allocates nothing, in case of an error neither. std changes user and group before it runs,
        // which would reset the signal.
        unsafe { command.pre_exec(ask) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}
