//! What prost calls things in Rust.

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{FieldDescriptor, MessageDescriptor, OneofDescriptor};

/// The packages that only declare options: the build reads them, the running program has no use for them.
pub(crate) const OPTION_PACKAGES: [&str; 2] = ["buf.validate", "google.api"];

/// Whether the message has a type that is generated here: those of google.protobuf come with prost, and the entries of
/// a map have none.
pub(crate) fn is_ours(message: &MessageDescriptor) -> bool {
    let package = message.package_name();
    package != "google.protobuf" && !OPTION_PACKAGES.contains(&package) && !message.is_map_entry()
}

/// The oneof that the field is a member of; a field that is only `optional` is in none.
pub(crate) fn oneof_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

/// The path of a message's type, from the module that holds the root of all packages.
pub(crate) fn message_path(message: &MessageDescriptor) -> String {
    format!("{}::{}", parent_path(message), type_name(message.name()))
}

/// The path of a oneof's type.
pub(crate) fn oneof_path(oneof: &OneofDescriptor) -> String {
    let message = oneof.parent_message();
    let name = type_name(oneof.name());
    let is_taken = message.child_messages().map(|it| type_name(it.name())).any(|it| it == name)
        || message.child_enums().map(|it| type_name(it.name())).any(|it| it == name);
    let suffix = if is_taken { "OneOf" } else { "" };
    format!("{}::{}::{name}{suffix}", parent_path(message), field_name(message.name()))
}

/// The name of a field, and of a module.
pub(crate) fn field_name(name: &str) -> String {
    escape(name.to_snake_case())
}

/// The name of a type, and of a variant of a oneof.
pub(crate) fn type_name(name: &str) -> String {
    escape(name.to_upper_camel_case())
}

/// The module that a message's type lives in: its package and the messages around it.
fn parent_path(message: &MessageDescriptor) -> String {
    if let Some(parent) = message.parent_message() {
        return format!("{}::{}", parent_path(&parent), field_name(parent.name()));
    }
    let modules: Vec<_> = message.package_name().split('.').map(field_name).collect();
    format!("self::{}", modules.join("::"))
}

/// Makes an identifier of what may be a keyword.
fn escape(name: String) -> String {
    const RAW: &str = "as break const continue else enum false fn for if impl in let loop match mod move mut pub ref \
        return static struct trait true type unsafe use where while dyn abstract become box do final macro override \
        priv typeof unsized virtual yield async await try gen";
    match name.as_str() {
        "self" | "Self" | "super" | "extern" | "crate" => name + "_",
        word if RAW.split(' ').any(|keyword| keyword == word) => format!("r#{name}"),
        _ => name,
    }
}
