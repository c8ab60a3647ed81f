//! Generates the checks of a field: its presence and its value.

use prost_reflect::FieldDescriptor;

use super::collections::{list_checks, map_checks};
use super::elements::{Type, block, element_checks};
use super::names::field_name;
use super::options::{FieldRules, Ignore};
use super::patterns::Patterns;

/// The checks of a field outside of any oneof, with lines that go in front of all but the path.
pub(crate) fn field_checks(
    field: &FieldDescriptor,
    first: Vec<String>,
    patterns: &mut Patterns,
) -> Result<Vec<String>, String> {
    let rules = FieldRules::of(field)?;
    let checks = if field.is_map() {
        map_checks(field, &rules, patterns)?
    } else if field.is_list() {
        list_checks(field, &rules, patterns)?
    } else {
        singular_checks(field, &rules, patterns)?
    };
    if checks.is_empty() {
        return Ok(checks);
    }
    let mut body = vec![format!("let at = &at.field({:?});", field.name())];
    body.extend(first);
    body.extend(checks);
    Ok(block("", body))
}

/// Whether a member of a oneof must be set, and the checks of its value.
pub(crate) fn member_checks(
    member: &FieldDescriptor,
    patterns: &mut Patterns,
) -> Result<(bool, Vec<String>), String> {
    let rules = FieldRules::of(member)?;
    let mut body = vec![format!("let at = &at.field({:?});", member.name())];
    body.extend(element_checks(&Type::of(&member.kind())?, &rules, false, patterns)?);
    Ok((rules.required && rules.ignore != Ignore::Always, body))
}

fn singular_checks(
    field: &FieldDescriptor,
    rules: &FieldRules,
    patterns: &mut Patterns,
) -> Result<Vec<String>, String> {
    let ty = Type::of(&field.kind())?;
    let value = format!("&self.{}", field_name(field.name()));
    let is_required = rules.required && rules.ignore != Ignore::Always;
    if !field.supports_presence() {
        let checks = element_checks(&ty, rules, true, patterns)?;
        return Ok(if_non_zero(&value, &ty.is_zero(), is_required, checks));
    }
    let checks = element_checks(&ty, rules, false, patterns)?;
    if checks.is_empty() && !is_required {
        return Ok(checks);
    }
    let mut code = block(&format!("if let Some(value) = {value}"), checks);
    if is_required {
        code.extend(block("else", vec![REQUIRED.to_owned()]));
    }
    Ok(code)
}

const REQUIRED: &str = "rules::ensure(false, \"is required\", at, out);";

/// The checks, which may apply only if the value is not zero: what is required and zero is not checked further.
pub(crate) fn if_non_zero(value: &str, is_zero: &str, is_required: bool, checks: Vec<String>) -> Vec<String> {
    let mut code = vec![format!("let value = {value};")];
    if is_required {
        code.extend(block(&format!("if {is_zero}"), vec![REQUIRED.to_owned()]));
        code.extend(block("else", checks));
        return code;
    }
    if checks.is_empty() {
        return checks;
    }
    code.extend(checks);
    code
}
