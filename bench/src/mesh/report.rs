//! What came of the turns, in tables.

use std::collections::{BTreeMap, BTreeSet};

use super::contenders::Contender;
use super::turn::{Figures, Outcome, Task, Turn};
use crate::load::Work;
use crate::table::{median, say};

/// What contenders are compared by: a work with so many connections, due so often where it is an open loop.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Question {
    pub(super) work: Work,
    pub(super) connections: usize,
    pub(super) due: Option<f64>,
}

/// How a contender did over all rounds: medians of what each round had.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) contender: Contender,
    /// How many of its turns failed, and why the last of them did.
    pub(super) failed: usize,
    pub(super) failure: Option<String>,
    /// None when all of them did.
    pub(super) medians: Option<Medians>,
}

#[derive(Clone, Debug)]
pub(super) struct Medians {
    pub(super) rate: f64,
    pub(super) slowest: f64,
    pub(super) fastest: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
    pub(super) cpu: BTreeMap<&'static str, f64>,
}

impl From<Task> for Question {
    fn from(task: Task) -> Self {
        Self { work: task.work, connections: task.connections, due: task.due }
    }
}

/// The questions of these turns, in the order in which they were first asked.
pub(super) fn questions(turns: &[Turn]) -> Vec<Question> {
    let mut questions: Vec<Question> = vec![];
    for turn in turns {
        let question = turn.task.into();
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions
}

/// How everybody did who was asked this, in the order of their turns.
pub(super) fn standings(turns: &[Turn], question: Question) -> Vec<Standing> {
    let mut of: Vec<(Contender, Vec<&Turn>)> = vec![];
    for turn in turns.iter().filter(|turn| Question::from(turn.task) == question) {
        match of.iter_mut().find(|(contender, _)| *contender == turn.task.contender) {
            Some((_, turns)) => turns.push(turn),
            None => of.push((turn.task.contender, vec![turn])),
        }
    }
    of.into_iter().map(|(contender, turns)| Standing::of(contender, &turns)).collect()
}

impl Standing {
    fn of(contender: Contender, turns: &[&Turn]) -> Self {
        let mut failures = turns.iter().filter_map(|turn| match &turn.outcome {
            Outcome::Failure(failure) => Some(failure.clone()),
            Outcome::Figures(_) => None,
        });
        let figures: Vec<&Figures> = turns
            .iter()
            .filter_map(|turn| match &turn.outcome {
                Outcome::Figures(figures) => Some(figures),
                Outcome::Failure(_) => None,
            })
            .collect();
        let medians = (!figures.is_empty()).then(|| Medians::of(&figures));
        Self { contender, failed: turns.len() - figures.len(), failure: failures.next_back(), medians }
    }
}

impl Medians {
    fn of(figures: &[&Figures]) -> Self {
        let of = |figure: fn(&Figures) -> f64| {
            median(&figures.iter().map(|figures| figure(figures)).collect::<Vec<_>>())
        };
        let names: BTreeSet<_> = figures.iter().flat_map(|figures| figures.cpu.keys().copied()).collect();
        let cpu = names.into_iter().map(|name| {
            let taken: Vec<f64> =
                figures.iter().map(|figures| figures.cpu.get(name).copied().unwrap_or_default()).collect();
            (name, median(&taken))
        });
        Self {
            rate: of(|figures| figures.rate),
            slowest: figures.iter().map(|figures| figures.rate).fold(f64::MAX, f64::min),
            fastest: figures.iter().map(|figures| figures.rate).fold(f64::MIN, f64::max),
            p50: of(|figures| figures.latency.p50),
            p90: of(|figures| figures.latency.p90),
            p99: of(|figures| figures.latency.p99),
            p999: of(|figures| figures.latency.p999),
            max: of(|figures| figures.latency.max),
            cpu: cpu.collect(),
        }
    }

    /// All of a row but the name, beside a rate that is the measure.
    fn row(&self, measure: f64) -> [String; HEAD.len()] {
        let whole = |rate: f64| format!("{rate:.0}");
        let millis = |millis: f64| format!("{millis:.2}");
        let cpu: Vec<_> = self.cpu.iter().map(|(name, taken)| format!("{name} {taken:.0}")).collect();
        [
            String::new(),
            whole(self.rate),
            format!("{:.2}", self.rate / measure),
            format!("{} to {}", whole(self.slowest), whole(self.fastest)),
            millis(self.p50),
            millis(self.p90),
            millis(self.p99),
            millis(self.p999),
            millis(self.max),
            cpu.join(", "),
        ]
    }
}

/// Writes the table of each question, for people at a terminal.
pub(super) fn print(turns: &[Turn]) {
    for question in questions(turns) {
        say(&format!("\n{}\n\n{}", title(question), table(&standings(turns, question))));
    }
}

pub(super) fn title(question: Question) -> String {
    let Question { work, connections, due } = question;
    let due = due.map(|due| format!(", {due:.0} requests due each second")).unwrap_or_default();
    format!("{work:?}, {connections} connections{due}").to_lowercase()
}

const HEAD: [&str; 10] = [
    "contender",
    "requests/s",
    "ratio",
    "slowest to fastest",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "p99.9 ms",
    "max ms",
    "CPU µs per request",
];

/// A table in Markdown, with the first contender as the measure of the others.
pub(super) fn table(standings: &[Standing]) -> String {
    let measure = standings.first().and_then(|first| first.medians.as_ref()).map(|medians| medians.rate);
    let mut rows = vec![HEAD.map(str::to_owned)];
    for standing in standings {
        let Standing { contender, failed, failure, .. } = standing;
        let name = contender.name().to_owned();
        let name = if *failed > 0 { format!("{name} ({failed} FAILED)") } else { name };
        let mut row = [const { String::new() }; HEAD.len()];
        if let Some(medians) = &standing.medians {
            row = medians.row(measure.unwrap_or(medians.rate));
        } else if let Some(failure) = failure {
            row[HEAD.len() - 1] = failure.lines().next().unwrap_or_default().replace('|', " ");
        }
        row[0] = name;
        rows.push(row);
    }
    markdown(&rows)
}

/// Rows of which the first is the head, with columns as wide as what is in them.
pub(super) fn markdown<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            text += &format!("| {cell:width$} ");
        }
        text += "|\n";
        if index == 0 {
            for width in widths {
                text += &format!("|{}", "-".repeat(width + 2));
            }
            text += "|\n";
        }
    }
    text
}
