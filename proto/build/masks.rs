//! Finds update requests. What their mask means for the checks is told at `Mask` in the library.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::names::{is_ours, oneof_of};
use super::options::is_identifier;

/// The resource of an update request, or none if the message is not one.
pub(crate) fn resource(message: &MessageDescriptor) -> Result<Option<FieldDescriptor>, String> {
    if !message.get_field_by_name("update_mask").is_some_and(|field| is_mask(&field)) {
        return Ok(None);
    }
    let mut resources = message
        .fields()
        .filter(|field| !field.is_list() && !field.is_map())
        .filter(|field| matches!(field.kind(), Kind::Message(it) if is_ours(&it)));
    match (resources.next(), resources.next()) {
        (Some(resource), None) if oneof_of(&resource).is_none() => Ok(Some(resource)),
        _ => Err("beside an update_mask there must be exactly one resource, outside of any oneof".to_owned()),
    }
}

/// Narrows the path of the resource in `at`.
pub(crate) fn lines(resource: &FieldDescriptor) -> Vec<String> {
    let fields = match resource.kind() {
        Kind::Message(message) => message.fields().collect(),
        _ => Vec::new(),
    };
    let is_always_checked = |field: &&FieldDescriptor| is_identifier(field) || field.name() == "etag";
    let always: Vec<_> = fields.iter().filter(is_always_checked).map(FieldDescriptor::name).collect();
    vec![
        format!("let mask = Mask::new(self.update_mask.as_ref(), &{always:?});"),
        "let at = &at.masked(&mask);".to_owned(),
    ]
}

fn is_mask(field: &FieldDescriptor) -> bool {
    let is_mask = matches!(field.kind(), Kind::Message(it) if it.full_name() == "google.protobuf.FieldMask");
    is_mask && !field.is_list() && oneof_of(field).is_none()
}
