//! What the mesh is meant to reach, and whether it did. A ratio is that of turns of the same round, which are minutes apart
//! at most, and the median over the rounds: a machine that others share is not as fast all the time.

use std::collections::BTreeMap;

use serde::Serialize;

use super::contenders::Contender::{
    self, Envoy, EnvoyEcho, FastapiPsycopg2, FastapiSqlmodel, Gateway, GatewayEcho, Grpc, Monolith, Pgbench,
};
use super::report::standings;
use super::results::Results;
use super::turn::{Figures, Outcome, Task, Turn};
use crate::load::Work::{self, Create, Film, Page, Visit};
use crate::table::median;

const FASTAPI: &[Contender] = &[FastapiSqlmodel, FastapiPsycopg2];

/// Work, connections, contender, the others of whom the fastest is the measure, and the ratio.
const RATES: &[(Work, usize, Contender, &[Contender], f64)] = &[
    (Film, 16, Grpc, &[Pgbench], 0.9),
    (Film, 64, Grpc, &[Pgbench], 1.5),
    (Film, 64, Gateway, &[Pgbench], 1.0),
    (Film, 64, Gateway, &[Monolith], 1.8),
    (Film, 64, Gateway, &[Envoy], 4.0),
    (Film, 64, Gateway, FASTAPI, 15.0),
    (Page, 64, Gateway, &[Pgbench], 0.5),
    (Page, 64, Gateway, &[Envoy], 4.0),
    (Page, 64, Gateway, FASTAPI, 11.0),
    (Create, 64, Grpc, &[Pgbench], 1.5),
    (Create, 64, Gateway, FASTAPI, 12.0),
    (Visit, 64, Gateway, &[Pgbench], 8.0),
];

/// Work, and the share of Envoy's CPU that the gateway may take, each before an echo of the service.
const CPU: &[(Work, f64)] = &[(Film, 0.25), (Page, 0.125)];
const CPU_CONNECTIONS: usize = 64;

/// Milliseconds, of the gateway at half its peak.
const P99: f64 = 3.0;
/// Mebibytes of each process of ours after a minute at the peak.
const RESIDENT: f64 = 40.0;

#[derive(Serialize)]
pub(super) struct Verdict {
    pub(super) what: String,
    pub(super) wanted: String,
    /// None where it was not measured.
    pub(super) measured: Option<f64>,
    pub(super) reached: Option<bool>,
}

pub(super) fn verdicts(results: &Results) -> Vec<Verdict> {
    let mut verdicts = vec![];
    for (work, connections, contender, others, wanted) in RATES {
        let of = |contender| rounds(results, *work, *connections, contender, |figures| Some(figures.rate));
        let mut measure = Rounds::new();
        for (round, rate) in others.iter().flat_map(|other| of(*other)) {
            let fastest = measure.entry(round).or_insert(rate);
            *fastest = fastest.max(rate);
        }
        let ratio = ratio(&of(*contender), &measure);
        let name = if others.len() > 1 { "the faster FastAPI" } else { others[0].name() };
        let what = format!("{work:?}, {connections} connections: {} / {name}", contender.name());
        verdicts.push(Verdict::at_least(what, *wanted, ratio));
    }
    for (work, wanted) in CPU {
        let of = |contender: Contender| {
            rounds(results, *work, CPU_CONNECTIONS, contender, |it| it.cpu.get(contender.name()).copied())
        };
        let ratio = ratio(&of(GatewayEcho), &of(EnvoyEcho));
        let what =
            format!("{work:?}, {CPU_CONNECTIONS} connections: CPU of the gateway / of Envoy, before an echo");
        verdicts.push(Verdict::at_most(what, *wanted, "", ratio));
    }
    let p99 = results.open.and_then(|question| {
        let all = standings(&results.turns, question);
        all.into_iter().find(|standing| standing.contender == Gateway)?.medians.map(|it| it.p99)
    });
    verdicts.push(Verdict::at_most("film, p99 of the gateway at half its peak".into(), P99, " ms", p99));
    for name in ["gateway", "catalog", "contacts"] {
        let resident = results.memory.get(name).map(|memory| memory.now);
        let what = format!("memory of {name} after {:.0} s at its peak", results.soak);
        verdicts.push(Verdict::at_most(what, RESIDENT, " MB", resident));
    }
    verdicts
}

/// A figure of each round.
type Rounds = BTreeMap<u32, f64>;

fn rounds(
    results: &Results,
    work: Work,
    connections: usize,
    contender: Contender,
    figure: impl Fn(&Figures) -> Option<f64>,
) -> Rounds {
    let of = |turn: &Turn| {
        let Task { round, .. } = turn.task;
        let is_asked = turn.task == Task { work, contender, connections, round, due: None };
        match &turn.outcome {
            Outcome::Figures(figures) if is_asked => Some((round, figure(figures)?)),
            _ => None,
        }
    };
    results.turns.iter().filter_map(of).collect()
}

fn ratio(ours: &Rounds, theirs: &Rounds) -> Option<f64> {
    let ratios: Vec<f64> =
        ours.iter().filter_map(|(round, figure)| Some(figure / theirs.get(round)?)).collect();
    (!ratios.is_empty()).then(|| median(&ratios))
}

impl Verdict {
    fn at_least(what: String, wanted: f64, measured: Option<f64>) -> Self {
        let reached = measured.map(|measured| measured >= wanted);
        Self { what, wanted: format!("≥ {wanted}"), measured, reached }
    }

    fn at_most(what: String, wanted: f64, unit: &str, measured: Option<f64>) -> Self {
        let reached = measured.map(|measured| measured <= wanted);
        Self { what, wanted: format!("≤ {wanted}{unit}"), measured, reached }
    }
}
