//! `cargo bench -p selvedge-bench-codec`: protobuf to JSON and back, by us, by generated code, and by dynamic messages.
//!
//! All of them start from the same bytes and end with the same message, which is checked first. prost and pbjson decode
//! into messages and write those; the dynamic messages are prost-reflect's. `serde_json` passing over the JSON, with no look
//! at what is in it, is the floor below a reader of JSON.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::Criterion;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use selvedge_bench_codec::generated::{CreateFilmRequest, ListFilmsResponse};
use selvedge_bench_codec::{DESCRIPTORS, create, page};
use selvedge_transcode::{MessageId, Options, Schema, ToJson, ToWire};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// The contenders take turns this many times.
const ROUNDS: usize = 5;

fn main() {
    // `cargo test --benches` only wants to know whether it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 0 };
    let ours = Ours::new();
    let cases = [
        Case::new("create", &ours, &create(), [0.4, 0.1, 0.85, 0.25]),
        Case::new("page of 20", &ours, &page(20), [0.4, 0.1, 0.6, 0.15]),
        Case::new("page of 70", &ours, &page(70), [0.4, 0.1, 0.6, 0.15]),
    ];
    let figures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codec");
    // Figures of an earlier run would pass for those of this one.
    if figures.exists() {
        fs::remove_dir_all(&figures).expect("the figures of the last run can be removed");
    }
    let mut criterion = Criterion::default()
        .output_directory(&figures)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for round in 0..rounds {
        for case in &cases {
            match case.name {
                "create" => case.measure::<CreateFilmRequest>(&mut criterion, round, &ours),
                _ => case.measure::<ListFilmsResponse>(&mut criterion, round, &ours),
            }
        }
    }
    for case in cases.iter().filter(|_| rounds > 0) {
        case.print(&figures);
    }
}

struct Ours {
    schema: Schema,
    to_json: ToJson,
    to_wire: ToWire,
}

impl Ours {
    fn new() -> Self {
        let schema = Schema::decode(&[DESCRIPTORS]).expect("they were compiled");
        let options = Options::default();
        Self { to_json: ToJson::new(&schema, &options), to_wire: ToWire::new(&schema, &options), schema }
    }

    fn to_json(&self, id: MessageId, wire: &[u8]) -> Vec<u8> {
        let mut json = vec![];
        self.to_json.message(id, wire, &mut json).expect("the wire is valid");
        json
    }

    fn to_wire(&self, id: MessageId, json: &[u8]) -> Vec<u8> {
        let mut wire = vec![];
        self.to_wire.message(id, json, &mut wire).expect("the JSON is valid");
        wire
    }
}

struct Case {
    name: &'static str,
    id: MessageId,
    descriptor: MessageDescriptor,
    wire: Vec<u8>,
    json: Vec<u8>,
    /// At most this much of the time of pbjson and prost-reflect, to JSON and to wire.
    targets: [f64; 4],
}

impl Case {
    /// Checks that all contenders turn the same into the same.
    fn new<M>(name: &'static str, ours: &Ours, message: &M, targets: [f64; 4]) -> Self
    where
        M: Message + Default + PartialEq + Serialize + DeserializeOwned + prost::Name,
    {
        let wire = message.encode_to_vec();
        let id = ours.schema.message(&M::full_name()).expect("it is in the set");
        let json = ours.to_json(id, &wire);
        let pool = DescriptorPool::decode(DESCRIPTORS).expect("they were compiled");
        let descriptor = pool.get_message_by_name(&M::full_name()).expect("it is in the set");
        let case = Self { name, id, descriptor, wire, json, targets };

        let expected = meaning(&generated_to_json::<M>(&case.wire));
        assert!(meaning(&case.json) == expected, "{name}: ours and pbjson's JSON differ");
        assert!(meaning(&case.reflect_to_json()) == expected, "{name}: prost-reflect's JSON differs");
        assert!(generated_to_wire::<M>(&case.json) == case.wire, "{name}: pbjson's wire differs");
        assert!(case.reflect_to_wire() == case.wire, "{name}: prost-reflect's wire differs");
        let wire = ours.to_wire(id, &case.json);
        assert!(M::decode(&*wire).expect("it is valid") == *message, "{name}: our wire differs");
        case
    }

    fn reflect_to_json(&self) -> Vec<u8> {
        let message = DynamicMessage::decode(self.descriptor.clone(), &*self.wire).expect("it is valid");
        serde_json::to_vec(&message).expect("it is valid")
    }

    fn reflect_to_wire(&self) -> Vec<u8> {
        let mut json = serde_json::Deserializer::from_slice(&self.json);
        DynamicMessage::deserialize(self.descriptor.clone(), &mut json).expect("it is valid").encode_to_vec()
    }

    fn measure<M: Message + Default + Serialize + DeserializeOwned>(
        &self,
        criterion: &mut Criterion,
        round: usize,
        ours: &Ours,
    ) {
        let mut turn = |what: &str, work: &mut dyn FnMut()| {
            criterion.bench_function(&id(self.name, what, round), |bencher| bencher.iter(&mut *work));
        };
        turn("json ours", &mut || drop(black_box(ours.to_json(self.id, black_box(&self.wire)))));
        turn("json pbjson", &mut || drop(black_box(generated_to_json::<M>(black_box(&self.wire)))));
        turn("json prost-reflect", &mut || drop(black_box(self.reflect_to_json())));
        turn("wire ours", &mut || drop(black_box(ours.to_wire(self.id, black_box(&self.json)))));
        turn("wire pbjson", &mut || drop(black_box(generated_to_wire::<M>(black_box(&self.json)))));
        turn("wire prost-reflect", &mut || drop(black_box(self.reflect_to_wire())));
        turn("wire floor", &mut || {
            black_box(serde_json::from_slice::<IgnoredAny>(black_box(&self.json))).expect("it is JSON");
        });
    }

    #[expect(clippy::print_stdout, reason = "it is what the bench is for")]
    fn print(&self, figures: &Path) {
        println!("\n{}: {} bytes of wire, {} of JSON", self.name, self.wire.len(), self.json.len());
        let [json, json_reflect, wire, wire_reflect] = self.targets;
        let lines = [
            ("wire -> JSON", "json", vec![("pbjson", Some(json)), ("prost-reflect", Some(json_reflect))]),
            (
                "JSON -> wire",
                "wire",
                vec![("pbjson", Some(wire)), ("prost-reflect", Some(wire_reflect)), ("floor", None)],
            ),
        ];
        for (title, direction, others) in lines {
            let best = |who: &str| best(figures, self.name, &format!("{direction} {who}"));
            let ours = best("ours");
            println!("  {title}  {:<14}{:>9.2} us", "ours", ours / 1000.0);
            for (who, target) in others {
                let theirs = best(who);
                let ratio = ours / theirs;
                let verdict = match target {
                    Some(target) if ratio <= target => format!("at most {target}: met"),
                    Some(target) => format!("at most {target}: MISSED"),
                    None => "no target".to_owned(),
                };
                println!(
                    "                {who:<14}{:>9.2} us   ratio {ratio:.3}   {verdict}",
                    theirs / 1000.0
                );
            }
        }
    }
}

fn id(case: &str, what: &str, round: usize) -> String {
    format!("{case} {what} {round}").replace(' ', "-")
}

/// The best sample of all rounds, in nanoseconds: whatever else runs on the machine only ever adds to it.
fn best(figures: &Path, case: &str, what: &str) -> f64 {
    let samples = (0..ROUNDS).flat_map(|round| {
        let path = figures.join(id(case, what, round)).join("new/sample.json");
        let samples = fs::read(&path).expect("criterion has written it");
        let samples: Samples = serde_json::from_slice(&samples).expect("it is JSON");
        samples.times.into_iter().zip(samples.iters).map(|(time, iterations)| time / iterations)
    });
    samples.fold(f64::INFINITY, f64::min)
}

/// What criterion keeps of a measurement.
#[derive(serde::Deserialize)]
struct Samples {
    iters: Vec<f64>,
    times: Vec<f64>,
}

fn generated_to_json<M: Message + Default + Serialize>(wire: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&M::decode(wire).expect("it is valid")).expect("it is valid")
}

fn generated_to_wire<M: Message + DeserializeOwned>(json: &[u8]) -> Vec<u8> {
    serde_json::from_slice::<M>(json).expect("it is valid").encode_to_vec()
}

/// JSON without what may differ: pbjson writes UTC as an offset.
fn meaning(json: &[u8]) -> serde_json::Value {
    let text = String::from_utf8(json.to_vec()).expect("it is text").replace("+00:00\"", "Z\"");
    serde_json::from_str(&text).expect("it is JSON")
}
