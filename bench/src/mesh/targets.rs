//! What the mesh is meant to reach, and whether it did: ratios within one run.

use serde::Serialize;

use super::contenders::Contender::{
    self, Envoy, FastapiPsycopg2, FastapiSqlmodel, Gateway, Grpc, Monolith, Pgbench,
};
use super::report::{Medians, Question, standings};
use super::results::Results;
use crate::load::Work::{self, Create, Film, Page, Visit};

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

/// Work, and the share of Envoy's CPU that the gateway may take.
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
        let of = |contender| medians(results, *work, *connections, contender).map(|medians| medians.rate);
        let measure = others.iter().filter_map(|other| of(*other)).reduce(f64::max);
        let ratio = of(*contender).zip(measure).map(|(rate, measure)| rate / measure);
        let name = if others.len() > 1 { "the faster FastAPI" } else { others[0].name() };
        let what = format!("{work:?}, {connections} connections: {} / {name}", contender.name());
        verdicts.push(Verdict::at_least(what, *wanted, ratio));
    }
    for (work, wanted) in CPU {
        let of = |contender: Contender| {
            medians(results, *work, CPU_CONNECTIONS, contender)?.cpu.get(contender.name()).copied()
        };
        let ratio = of(Gateway).zip(of(Envoy)).map(|(ours, theirs)| ours / theirs);
        let what = format!("{work:?}, {CPU_CONNECTIONS} connections: CPU of the gateway / of Envoy");
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

fn medians(results: &Results, work: Work, connections: usize, contender: Contender) -> Option<Medians> {
    let all = standings(&results.turns, Question { work, connections, due: None });
    all.into_iter().find(|standing| standing.contender == contender)?.medians
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
