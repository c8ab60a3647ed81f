//! Reads the options of fields and oneofs.

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, OneofDescriptor, ReflectMessage, Value,
};

/// The rules for a field, or for the items, keys or values of one.
#[derive(Default)]
pub(crate) struct FieldRules {
    /// The value must be set.
    pub(crate) required: bool,
    /// When the rules do not apply.
    pub(crate) ignore: Ignore,
    /// The name of the rules' type (`string`, `int32`, ...) and the rules themselves.
    pub(crate) typed: Option<(String, DynamicMessage)>,
}

/// When the rules do not apply.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Ignore {
    /// They always apply.
    #[default]
    Never,
    /// Not to a zero value of a field that does not track presence.
    IfZero,
    /// They never apply.
    Always,
}

impl FieldRules {
    /// The rules that a field is annotated with.
    pub(crate) fn of(field: &FieldDescriptor) -> Result<Self, String> {
        match extension(field.parent_pool(), &field.options(), "buf.validate.field") {
            Some(Value::Message(rules)) => Self::read(&rules),
            _ => Ok(Self::default()),
        }
    }

    /// The rules in a `buf.validate.FieldRules`.
    pub(crate) fn read(rules: &DynamicMessage) -> Result<Self, String> {
        let mut read = Self::default();
        for (option, value) in known_fields(rules)? {
            match (option.name(), value) {
                ("required", Value::Bool(required)) => read.required = *required,
                ("ignore", Value::EnumNumber(0)) => read.ignore = Ignore::Never,
                ("ignore", Value::EnumNumber(1)) => read.ignore = Ignore::IfZero,
                ("ignore", Value::EnumNumber(3)) => read.ignore = Ignore::Always,
                (name, Value::Message(typed)) => read.typed = Some((name.to_owned(), typed.clone())),
                (name, _) => return Err(format!("the rule `{name}` is not supported")),
            }
        }
        Ok(read)
    }
}

/// The options that are set, none of which may be one that its message does not declare.
pub(crate) fn known_fields(options: &DynamicMessage) -> Result<Vec<(FieldDescriptor, &Value)>, String> {
    if let Some(unknown) = options.unknown_fields().next() {
        let (number, name) = (unknown.number(), options.descriptor().full_name().to_owned());
        return Err(format!("the rule with number {number} of {name} is not supported"));
    }
    Ok(options.fields().collect())
}

/// Whether one of the members of a oneof must be set.
pub(crate) fn is_required(oneof: &OneofDescriptor) -> Result<bool, String> {
    let Some(Value::Message(rules)) = extension(oneof.parent_pool(), &oneof.options(), "buf.validate.oneof")
    else {
        return Ok(false);
    };
    let mut required = false;
    for (option, value) in known_fields(&rules)? {
        match (option.name(), value) {
            ("required", Value::Bool(value)) => required = *value,
            (name, _) => return Err(format!("the rule `{name}` is not supported")),
        }
    }
    Ok(required)
}

/// Whether a field names its resource.
pub(crate) fn is_identifier(field: &FieldDescriptor) -> bool {
    const IDENTIFIER: i32 = 8;
    match extension(field.parent_pool(), &field.options(), "google.api.field_behavior") {
        Some(Value::List(behaviors)) => behaviors.contains(&Value::EnumNumber(IDENTIFIER)),
        _ => false,
    }
}

fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}
