//! Whether those who answer in REST answer the same: figures of different answers are not compared.

use chrono::DateTime;
use serde_json::Value;

use super::contenders::Contender;
use super::stage::Stage;
use crate::Result;
use crate::load::{Known, PAGE, Target, get};

/// Everyone has tokens of their own.
const OPAQUE: &str = "nextPageToken";
const FILMS: [i32; 3] = [1, 2, 500];

impl Stage {
    /// Compares what they answer with what the first of them does; answers with who that were.
    pub(super) async fn agree(&self) -> Result<Vec<Contender>> {
        let mut all = vec![];
        let mut first: Option<(Contender, Vec<Value>)> = None;
        for (contender, target) in &self.targets {
            let Target::Rest(address) = target else { continue };
            let name = contender.name();
            let paths = paths(&self.known[contender]);
            let mut answers: Vec<Value> = vec![];
            for path in &paths {
                let (status, body) = get(*address, path).await?;
                let answer = serde_json::from_slice(&body);
                answers.push(answer.map_err(|error| format!("{name}: {path}: {status}: {error}"))?);
            }
            all.push(*contender);
            let Some((other, known)) = &first else {
                first = Some((*contender, answers));
                continue;
            };
            for ((path, answer), known) in paths.iter().zip(&answers).zip(known) {
                if let Some(place) = difference(known, answer) {
                    let other = other.name();
                    return Err(format!("{path}: {name} does not answer what {other} does: {place}").into());
                }
            }
        }
        Ok(all)
    }
}

fn paths(known: &Known) -> Vec<String> {
    let films = FILMS.map(|id| format!("/v1/films/{id}"));
    let page = |token| format!("/v1/films?page_size={PAGE}&page_token={token}");
    let search = |word| format!("/v1/films:search?query={word}&page_size={PAGE}");
    films.into_iter().chain(known.pages.iter().map(page)).chain(known.words.iter().map(search)).collect()
}

/// Where two answers differ, and how.
fn difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one
            .keys()
            .chain(other.keys())
            .filter(|key| *key != OPAQUE)
            .find_map(|key| below(key, one.get(key), other.get(key))),
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len()))
            .find_map(|index| below(&index.to_string(), one.get(index), other.get(index))),
        (Value::String(one), Value::String(other)) if same_moment(one, other) => None,
        (Value::Number(one), Value::Number(other)) if same_float(one.as_f64(), other.as_f64()) => None,
        _ => (one != other).then(|| format!(": {one}, {other}")),
    }
}

fn below(name: &str, one: Option<&Value>, other: Option<&Value>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => difference(one, other).map(|place| format!(".{name}{place}")),
        (Some(_), None) => Some(format!(".{name} is missing")),
        (None, _) => Some(format!(".{name} is there")),
    }
}

/// A moment may be written with all zeros of its fraction or without.
fn same_moment(one: &str, other: &str) -> bool {
    let moment = DateTime::parse_from_rfc3339;
    matches!((moment(one), moment(other)), (Ok(one), Ok(other)) if one == other)
}

/// A rank has 32 bits, which some write with the digits of 64.
#[expect(clippy::cast_possible_truncation, reason = "it is what is asked for")]
fn same_float(one: Option<f64>, other: Option<f64>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if (one as f32).to_bits() == (other as f32).to_bits())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_the_same_agrees() {
        let one = json!({"films": [{"id": 1, "rank": 0.1}], "at": "2026-01-02T03:04:05.600Z", "nextPageToken": "a"});
        let other = json!({"nextPageToken": "b", "at": "2026-01-02T03:04:05.600000Z", "films": [{"rank": 0.100_000_001_490_116_12, "id": 1}]});
        assert_eq!(difference(&one, &other), None);
    }

    #[test]
    fn what_differs_is_named() {
        let one = json!({"films": [{"id": 1, "title": "A"}]});
        for (other, place) in [
            (json!({"films": [{"id": 2, "title": "A"}]}), ".films.0.id: 1, 2"),
            (json!({"films": [{"id": 1}]}), ".films.0.title is missing"),
            (json!({"films": [{"id": 1, "title": "A", "year": 1}]}), ".films.0.year is there"),
            (json!({"films": []}), ".films.0 is missing"),
            (json!({"films": [{"id": "1", "title": "A"}]}), ".films.0.id: 1, \"1\""),
        ] {
            assert_eq!(difference(&one, &other).as_deref(), Some(place));
        }
    }
}
