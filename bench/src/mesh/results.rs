//! The files with what came of a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::cpu::Memory;
use super::plot;
use super::report::{Question, markdown, questions, standings, table, title};
use super::targets::{Verdict, verdicts};
use super::turn::{Outcome, Turn};
use crate::Result;

/// All that a run found.
#[derive(Default, Serialize)]
pub(super) struct Results {
    /// What it was taken on.
    pub(super) machine: Vec<(String, String)>,
    /// Who was asked for and is not there, and why.
    pub(super) absent: Vec<(&'static str, String)>,
    pub(super) turns: Vec<Turn>,
    /// What failed besides turns.
    pub(super) failures: Vec<String>,
    /// The open loop among them.
    #[serde(skip)]
    pub(super) open: Option<Question>,
    /// How long the load was at its peak before memory was looked at, in seconds.
    pub(super) soak: f64,
    pub(super) memory: BTreeMap<&'static str, Memory>,
    /// What arrived where traces are sent.
    pub(super) trace_bytes: usize,
}

impl Results {
    /// How much failed.
    pub(super) fn failed(&self) -> usize {
        self.failures.len()
            + self.turns.iter().filter(|turn| matches!(turn.outcome, Outcome::Failure(_))).count()
    }

    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            results: &'a Results,
            targets: Vec<Verdict>,
        }
        let targets = verdicts(self);
        fs::create_dir_all(directory)?;
        fs::write(directory.join("README.md"), self.readme(&targets))?;
        fs::write(directory.join("plot.svg"), plot::draw(&self.turns))?;
        let whole = Whole { results: self, targets };
        fs::write(directory.join("results.json"), serde_json::to_string_pretty(&whole)? + "\n")?;
        eprintln!("results are in {}", directory.display());
        Ok(())
    }

    fn readme(&self, targets: &[Verdict]) -> String {
        let mut text = String::from(
            "# The mesh beside what else could be in its place\n\n\
             Made by `cargo run --release -p selvedge-bench -- all`. In turn, each contender does the same work on the \
             same data and machine, and the answers are checked while they are measured. Figures are medians over all \
             rounds; a ratio is how fast it is as a multiple of the first contender. CPU is that of each process, that \
             of the load generator (`bench`) among them; `stolen` is what the host gave to other machines meanwhile. All \
             figures of all rounds are in [results.json](results.json).\n\n\
             ![requests a second](plot.svg)\n\n## Targets\n\n",
        );
        text += &target_table(targets);
        for (contender, why) in &self.absent {
            text += &format!("\n**{contender} was left out**: {}\n", why.lines().next().unwrap_or_default());
        }
        if self.failed() > 0 {
            text += &format!("\n**{} turns failed.** {}\n", self.failed(), self.failures.join("; "));
        }
        for question in questions(&self.turns) {
            text += &format!("\n## {}\n\n{}", title(question), table(&standings(&self.turns, question)));
        }
        text +=
            &format!("\n## Memory after {:.0} s of film at the peak\n\n{}", self.soak, self.memory_table());
        text +=
            &format!("\nTraces of {} bytes arrived at the collector.\n\n## Machine\n\n", self.trace_bytes);
        let mut rows = vec![["what", "which"].map(str::to_owned)];
        rows.extend(self.machine.iter().map(|(name, value)| [name.clone(), value.clone()]));
        text + &markdown(&rows)
    }

    fn memory_table(&self) -> String {
        let mut rows = vec![["process".to_owned(), "resident MB".into(), "peak MB".into()]];
        for (name, Memory { now, peak }) in &self.memory {
            rows.push([(*name).into(), format!("{now:.1}"), format!("{peak:.1}")]);
        }
        markdown(&rows)
    }
}

fn target_table(targets: &[Verdict]) -> String {
    let mut rows = vec![["target", "wanted", "measured", "reached"].map(str::to_owned)];
    for Verdict { what, wanted, measured, reached } in targets {
        let measured = measured.map_or_else(|| "not measured".into(), |measured| format!("{measured:.2}"));
        let reached = reached.map_or("", |reached| if reached { "yes" } else { "no" });
        rows.push([what.clone(), wanted.clone(), measured, reached.into()]);
    }
    markdown(&rows)
}
