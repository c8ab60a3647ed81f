//! Names for the schemas: short where that is clear, and one for all sides on which a message looks the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::schemas::{Side, Target};
use crate::schema::{EnumId, MessageId, Schema};

/// Where the schemas are in a document.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// The names of targets by their places.
pub(super) struct Names(Vec<String>);

impl Names {
    /// Names all targets, whose definitions stand in the same order.
    pub(super) fn new(schema: &Schema, targets: &[Target], definitions: &[Value], taken: &[&str]) -> Self {
        let classes = classes(targets, definitions);
        let short = short_names(schema, targets);
        let mut names = HashMap::<(Target, usize), String>::new();
        let mut used = taken.iter().map(|name| (*name).to_owned()).collect::<HashSet<_>>();
        // All plain names first, so that a message that is really called `SubmissionInput` keeps its name.
        for plain in [true, false] {
            for (place, &target) in targets.iter().enumerate() {
                let class = classes[place];
                let whole = whole(target);
                let is_plain = class == first_class(targets, &classes, whole);
                if is_plain != plain || names.contains_key(&(whole, class)) {
                    continue;
                }
                let suffix = match targets[class] {
                    _ if is_plain => "",
                    Target::Message(_, Side::Patch) => "Patch",
                    Target::Message(_, Side::Input) | Target::Enum(_, Side::Input) => "Input",
                    _ => "Output",
                };
                let mut name = format!("{}{suffix}", short[&whole]);
                while !used.insert(name.clone()) {
                    name.push('_');
                }
                names.insert((whole, class), name);
            }
        }
        Self(
            targets
                .iter()
                .zip(&classes)
                .map(|(&target, &class)| names[&(whole(target), class)].clone())
                .collect(),
        )
    }

    /// The definitions by their names.
    pub(super) fn components(&self, definitions: Vec<Value>) -> BTreeMap<String, Value> {
        self.0.iter().cloned().zip(definitions).collect()
    }

    /// Puts names where references hold places.
    pub(super) fn resolve(&self, value: &mut Value) {
        each_reference(value, &mut |place| json!(format!("{SCHEMAS}{}", self.0[place])));
    }
}

/// A target without its side.
fn whole(target: Target) -> Target {
    match target {
        Target::Message(id, _) => Target::Message(id, Side::Output),
        Target::Enum(id, _) => Target::Enum(id, Side::Output),
    }
}

/// The class that has the plain name: that of the answers, else that of the requests.
fn first_class(targets: &[Target], classes: &[usize], of: Target) -> usize {
    let same = targets.iter().enumerate().filter(|(_, target)| whole(**target) == of);
    same.min_by_key(|(_, target)| **target).map_or(0, |(place, _)| classes[place])
}

/// For each target the place of the first one that looks the same. It begins with all sides of a message as one, and parts
/// those that differ until nothing does; so recursive messages are compared as well.
fn classes(targets: &[Target], definitions: &[Value]) -> Vec<usize> {
    let mut sides = BTreeMap::<Target, Vec<usize>>::new();
    for (place, &target) in targets.iter().enumerate() {
        sides.entry(whole(target)).or_default().push(place);
    }
    for places in sides.values_mut() {
        places.sort_by_key(|&place| targets[place]);
    }
    let mut classes = (0..targets.len()).collect::<Vec<_>>();
    for places in sides.values() {
        for &place in places {
            classes[place] = places[0];
        }
    }
    loop {
        let seen = definitions.iter().map(|definition| {
            let mut definition = definition.clone();
            each_reference(&mut definition, &mut |place| json!(classes[place]));
            definition
        });
        let seen = seen.collect::<Vec<_>>();
        let mut parted = classes.clone();
        for places in sides.values() {
            for (at, &place) in places.iter().enumerate() {
                let same =
                    |other: &&usize| classes[**other] == classes[place] && seen[**other] == seen[place];
                parted[place] = places[..at].iter().find(same).map_or(place, |&other| parted[other]);
            }
        }
        if parted == classes {
            return classes;
        }
        classes = parted;
    }
}

/// Names without their package where no two are the same then.
fn short_names(schema: &Schema, targets: &[Target]) -> HashMap<Target, String> {
    let wholes = targets.iter().map(|&target| whole(target)).collect::<HashSet<_>>();
    let names = wholes.into_iter().map(|target| {
        let full = match target {
            Target::Message(id, _) => message_name(schema, id),
            Target::Enum(id, _) => enum_name(schema, id),
        };
        (target, full, without_package(schema, full))
    });
    let names = names.collect::<Vec<_>>();
    let mut count = HashMap::<&str, usize>::new();
    for (_, _, short) in &names {
        *count.entry(short).or_default() += 1;
    }
    let chosen = |(target, full, short): &(Target, &str, &str)| {
        (*target, if count[short] == 1 { (*short).to_owned() } else { (*full).to_owned() })
    };
    names.iter().map(chosen).collect()
}

fn message_name(schema: &Schema, id: MessageId) -> &str {
    &schema[id].name
}

fn enum_name(schema: &Schema, id: EnumId) -> &str {
    &schema[id].name
}

/// A full name without the package of its file.
pub(super) fn without_package<'a>(schema: &Schema, full: &'a str) -> &'a str {
    let package = schema.file_of_symbol(full).map_or("", |file| &*file.package);
    full.strip_prefix(package).map_or(full, |rest| rest.trim_start_matches('.'))
}

fn each_reference(value: &mut Value, change: &mut impl FnMut(usize) -> Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| each_reference(value, change)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match place(name, value) {
            Some(place) => *value = change(place),
            None => each_reference(value, change),
        }),
        _ => {}
    }
}

/// A field that is called `$ref` and holds a number cannot be anything else: examples have none.
fn place(name: &str, value: &Value) -> Option<usize> {
    (name == "$ref").then(|| value.as_u64()).flatten().and_then(|place| usize::try_from(place).ok())
}
