//! Generates an implementation of `Validate` for each message.

use prost_reflect::{DescriptorPool, MessageDescriptor, OneofDescriptor, Syntax};

use super::elements::block;
use super::fields::{field_checks, member_checks};
use super::masks;
use super::names::{field_name, is_ours, message_path, oneof_of, oneof_path, type_name};
use super::options::is_required;
use super::patterns::Patterns;

/// The code for all messages but those of google.protobuf, which the library knows by hand.
pub(crate) fn generate(pool: &DescriptorPool) -> Result<String, String> {
    let mut patterns = Patterns::default();
    let mut code = vec![
        "use ::selvedge_proto::validate::rules::{self, Moment, Span, Unit};".to_owned(),
        "use ::selvedge_proto::validate::{Mask, Path, Validate, Violations};".to_owned(),
    ];
    for message in pool.all_messages().filter(is_ours) {
        let body = message_checks(&message, &mut patterns).map_err(|error| {
            format!("{}: message {}{error}", message.parent_file().name(), message.full_name())
        })?;
        let function = block("fn validate(&self, at: &Path<'_>, out: &mut Violations)", body);
        code.extend(block(&format!("impl Validate for {}", message_path(&message)), function));
    }
    code.extend(patterns.code());
    Ok(code.join("\n") + "\n")
}

/// Errors begin with the name of the field or oneof, to follow that of the message.
fn message_checks(message: &MessageDescriptor, patterns: &mut Patterns) -> Result<Vec<String>, String> {
    if message.parent_file().syntax() != Syntax::Proto3 {
        return Err(": only proto3 is supported".to_owned());
    }
    let masked = masks::resource(message).map_err(|error| format!(": {error}"))?;
    let mut code = Vec::new();
    for field in message.fields() {
        if let Some(oneof) = oneof_of(&field) {
            // All members are checked in one go, where the first of them stands.
            if oneof.fields().next().is_some_and(|first| first == field) {
                code.extend(oneof_checks(&oneof, patterns)?);
            }
            continue;
        }
        let mask = if masked.as_ref() == Some(&field) { masks::lines(&field) } else { Vec::new() };
        let checks = field_checks(&field, mask, patterns);
        code.extend(checks.map_err(|error| format!(", field {}: {error}", field.name()))?);
    }
    Ok(code)
}

fn oneof_checks(oneof: &OneofDescriptor, patterns: &mut Patterns) -> Result<Vec<String>, String> {
    let value = format!("&self.{}", field_name(oneof.name()));
    let mut arms = Vec::new();
    let mut required_members = Vec::new();
    for member in oneof.fields() {
        let variant = format!("{}::{}", oneof_path(oneof), type_name(member.name()));
        let (required, checks) = member_checks(&member, patterns)
            .map_err(|error| format!(", field {}: {error}", member.name()))?;
        arms.extend(block(&format!("Some({variant}(value)) =>"), checks));
        if required {
            let line = format!("rules::ensure(false, \"is required\", &at.field({:?}), out);", member.name());
            required_members.extend(block(&format!("if !matches!({value}, Some({variant}(_)))"), vec![line]));
        }
    }
    let names: Vec<_> = oneof.fields().map(|member| member.name().to_owned()).collect();
    let required = is_required(oneof).map_err(|error| format!(", oneof {}: {error}", oneof.name()))?;
    let none = required.then(|| {
        let description = format!("is required: one of {}", names.join(", "));
        format!("rules::ensure(false, {description:?}, &at.oneof({:?}, &{names:?}), out);", oneof.name())
    });
    arms.extend(block("None =>", none.into_iter().collect()));
    let mut code = block(&format!("match {value}"), arms);
    code.extend(required_members);
    Ok(code)
}
