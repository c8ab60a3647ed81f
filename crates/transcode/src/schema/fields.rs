//! A field as its file, its message and its own options make it.

use super::features::Features;
use super::{Behavior, Cardinality, Field, Kind, MessageId, Oneof, Presence, Schema, SymbolKind};
use crate::descriptor::{DescriptorProto, FieldDescriptorProto, Label, OneofDescriptorProto};

/// Where something is declared.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) features: Features,
}

/// A declaration inside of a message, or an extension: then there is nothing around it.
#[expect(
    clippy::too_many_arguments,
    reason = "they are what surrounds a field, and each call has them at hand"
)]
pub(super) fn link(
    schema: &Schema,
    place: Place,
    oneofs: &[OneofDescriptorProto],
    nested: &[DescriptorProto],
    in_map_entry: bool,
    declared: usize,
    field: FieldDescriptorProto,
    comment: Box<str>,
) -> Result<Field, String> {
    let name = field.name;
    let fail = |problem: &str| format!("field `{name}`: {problem}");
    let number = u32::try_from(field.number).ok().filter(|number| (1..1 << 29).contains(number));
    let number = number.ok_or_else(|| fail("its number is out of range"))?;
    let options = field.options.unwrap_or_default();
    let oneof = match field.oneof_index.filter(|_| !field.proto3_optional) {
        Some(index) => Some(usize::try_from(index).map_err(|_| fail("its oneof does not exist"))?),
        None => None,
    };
    let in_oneof = oneof.and_then(|index| oneofs.get(index));
    if oneof.is_some() && in_oneof.is_none() {
        return Err(fail("its oneof does not exist"));
    }
    let features =
        in_oneof.and_then(|oneof| oneof.options.as_ref()).and_then(|options| options.features.as_ref());
    let features = place.features.with(features).with(options.features.as_ref());

    let kind = kind(schema, field.r#type, &field.type_name).map_err(|problem| fail(&problem))?;
    let is_map = field.label == Label::Repeated as i32 && is_entry(nested, &field.type_name);
    let cardinality = match field.label {
        _ if is_map => Cardinality::Map,
        label if label == Label::Repeated as i32 => Cardinality::Repeated,
        _ => Cardinality::Singular,
    };
    let is_message = matches!(kind, Kind::Message(_));
    let presence = match cardinality {
        Cardinality::Repeated | Cardinality::Map => Presence::Implicit,
        Cardinality::Singular if field.label == Label::Required as i32 || features.legacy_required => {
            Presence::Required
        }
        Cardinality::Singular if is_message || in_oneof.is_some() || field.proto3_optional => {
            Presence::Explicit
        }
        Cardinality::Singular if features.implicit_presence && declared != usize::MAX => Presence::Implicit,
        Cardinality::Singular => Presence::Explicit,
    };
    let packable =
        cardinality == Cardinality::Repeated && !matches!(kind, Kind::String | Kind::Bytes) && !is_message;
    Ok(Field {
        json_name: if field.json_name.is_empty() { json_name(&name) } else { field.json_name }.into(),
        number,
        kind,
        cardinality,
        presence,
        oneof,
        is_packed: packable && options.packed.unwrap_or(features.packed),
        // A map and its entries are never groups, whatever the file says.
        is_delimited: is_message
            && !is_map
            && !in_map_entry
            && (field.r#type == TYPE_GROUP || features.delimited),
        is_utf8: kind == Kind::String && features.verify_utf8,
        is_extension: false,
        deprecated: options.deprecated,
        declared,
        behavior: behavior(&options.behavior),
        comment,
        rules: options.rules.concat().into(),
        name: name.into(),
    })
}

/// The fields of a message and its oneofs, which name them by their places.
pub(super) type Arranged = (Box<[Field]>, Box<[Oneof]>);

/// Sorts the fields by number and gathers the oneofs, without those that only stand for an `optional`.
pub(super) fn arrange(
    message: &str,
    mut fields: Vec<Field>,
    oneofs: Vec<OneofDescriptorProto>,
    comments: Vec<Box<str>>,
) -> Result<Arranged, String> {
    fields.sort_by_key(|field| field.number);
    if let Some([first, second]) =
        fields.array_windows().find(|[first, second]| first.number == second.number)
    {
        return Err(format!("`{message}`: `{}` and `{}` have the same number", first.name, second.name));
    }
    let mut kept = vec![];
    for ((index, oneof), comment) in oneofs.into_iter().enumerate().zip(comments) {
        let members = fields.iter_mut().enumerate().filter(|(_, field)| field.oneof == Some(index));
        let members = members.map(|(at, field)| {
            field.oneof = Some(kept.len());
            at
        });
        let members = members.collect::<Box<[_]>>();
        if members.is_empty() {
            continue;
        }
        let rules = oneof.options.map(|options| options.rules.concat()).unwrap_or_default();
        kept.push(Oneof { name: oneof.name.into(), fields: members, comment, rules: rules.into() });
    }
    Ok((fields.into(), kept.into()))
}

/// The message that a type name of the descriptors stands for.
pub(super) fn message(schema: &Schema, type_name: &str) -> Result<MessageId, String> {
    schema
        .message(type_name.trim_start_matches('.'))
        .ok_or_else(|| format!("`{type_name}` is not a message of this set"))
}

const TYPE_GROUP: i32 = 10;

fn kind(schema: &Schema, number: i32, type_name: &str) -> Result<Kind, String> {
    Ok(match number {
        1 => Kind::Double,
        2 => Kind::Float,
        3 => Kind::Int64,
        4 => Kind::Uint64,
        5 => Kind::Int32,
        6 => Kind::Fixed64,
        7 => Kind::Fixed32,
        8 => Kind::Bool,
        9 => Kind::String,
        TYPE_GROUP | 11 => Kind::Message(message(schema, type_name)?),
        12 => Kind::Bytes,
        13 => Kind::Uint32,
        14 => match schema.symbols.get(type_name.trim_start_matches('.')).map(|symbol| symbol.of) {
            Some(SymbolKind::Enum(id)) => Kind::Enum(id),
            _ => return Err(format!("`{type_name}` is not an enum of this set")),
        },
        15 => Kind::Sfixed32,
        16 => Kind::Sfixed64,
        17 => Kind::Sint32,
        18 => Kind::Sint64,
        other => return Err(format!("type {other} is not known")),
    })
}

/// Entries are nested in the message that has the map.
fn is_entry(nested: &[DescriptorProto], type_name: &str) -> bool {
    let name = type_name.rsplit('.').next();
    nested.iter().any(|message| {
        Some(message.name.as_str()) == name
            && message.options.as_ref().is_some_and(|options| options.map_entry)
    })
}

fn behavior(all: &[i32]) -> Behavior {
    Behavior {
        required: all.contains(&2),
        output_only: all.contains(&3),
        input_only: all.contains(&4),
        immutable: all.contains(&5),
        identifier: all.contains(&8),
    }
}

/// As protoc makes it, for sets that leave it out.
fn json_name(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                json.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => json.push(letter),
        }
    }
    json
}
