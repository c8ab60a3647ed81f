//! What processes take of the machine, from Linux.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use rustix::param::clock_ticks_per_second;
use serde::Serialize;

use crate::Result;

/// Seconds of CPU that each process, by its name, has taken so far.
pub(crate) type Taken = BTreeMap<&'static str, f64>;

/// Resident memory in mebibytes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Memory {
    pub(crate) now: f64,
    pub(crate) peak: f64,
}

/// Processes to look at, by name.
#[derive(Clone, Default)]
pub(crate) struct Watch(Vec<(&'static str, u32)>);

/// A line of `/proc/PID/stat`.
struct Stat {
    pid: u32,
    parent: u32,
    own_ticks: u64,
    /// Of those of its children that have ended.
    childrens_ticks: u64,
}

impl Watch {
    pub(crate) fn add(&mut self, name: &'static str, pid: u32) {
        self.0.push((name, pid));
    }

    /// Each with all that descend from it; of this process, from which all of them do, only itself. And what the host took.
    pub(crate) fn taken(&self) -> Result<Taken> {
        let all = all()?;
        let per_second = clock_ticks_per_second();
        let ticks = |pid: u32| -> u64 {
            let family = family(&all, pid);
            let own = family.iter().filter_map(|pid| all.get(pid)).map(Stat::ticks);
            own.sum()
        };
        let those = self.0.iter().map(|(name, pid)| (*name, ticks(*pid)));
        let all = those.chain([(STOLEN, stolen()?)]);
        Ok(all.map(|(name, ticks)| (name, as_float(ticks) / as_float(per_second))).collect())
    }

    /// The same for memory. What PostgreSQL's processes share would be counted for each of them: it is left out.
    pub(crate) fn memory(&self) -> Result<BTreeMap<&'static str, Memory>> {
        let all = all()?;
        let of_one = |sum: Memory, pid: &u32| {
            // One that has just ended has none.
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = |key| mebibytes(&status, key).unwrap_or_default();
            Memory { now: sum.now + line("VmRSS:"), peak: sum.peak + line("VmHWM:") }
        };
        let those = self.0.iter().filter(|(name, _)| *name != POSTGRES);
        Ok(those
            .map(|(name, pid)| (*name, family(&all, *pid).iter().fold(Memory::default(), of_one)))
            .collect())
    }
}

/// What the cluster is called among the processes.
pub(crate) const POSTGRES: &str = "postgres";

/// What others had of the machine, where it is a virtual one, while something here wanted to run.
const STOLEN: &str = "stolen";

/// In ticks, of all cores.
fn stolen() -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "));
    let ticks = line.and_then(|line| line.split_whitespace().nth(7)).ok_or("/proc/stat does not say it")?;
    Ok(ticks.parse()?)
}

fn mebibytes(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// A process and all that descend from it, if it is not this one.
fn family(all: &HashMap<u32, Stat>, root: u32) -> Vec<u32> {
    let mut family = vec![root];
    if root == std::process::id() {
        return family;
    }
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    family
}

fn all() -> Result<HashMap<u32, Stat>> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since the directory was read.
        let Ok(line) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        all.insert(pid, Stat::parse(&line).ok_or("a line of /proc/PID/stat is not as it should be")?);
    }
    Ok(all)
}

impl Stat {
    fn parse(line: &str) -> Option<Self> {
        // The name of the program stands in parentheses and may contain anything.
        let (before, after) = line.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            pid: before.split_once(' ')?.0.parse().ok()?,
            parent: u32::try_from(number(1)?).ok()?,
            own_ticks: number(11)? + number(12)?,
            childrens_ticks: number(13)? + number(14)?,
        })
    }

    /// What it took, with those of its children that have ended. From this process all others descend: of it, only its own.
    fn ticks(&self) -> u64 {
        self.own_ticks + if self.pid == std::process::id() { 0 } else { self.childrens_ticks }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no process takes as long")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_program_is_called() {
        let line = "7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 99";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.pid, stat.parent, stat.ticks()), (7, 3, 100));
    }

    #[test]
    fn what_a_child_takes_counts_for_its_parent() {
        let stat = |parent| Stat { pid: 0, parent, own_ticks: 0, childrens_ticks: 0 };
        let all = HashMap::from([(1, stat(0)), (2, stat(1)), (3, stat(2)), (4, stat(0))]);
        let mut family = family(&all, 1);
        family.sort_unstable();
        assert_eq!(family, [1, 2, 3]);
    }
}
