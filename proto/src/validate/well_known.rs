//! What holds for the types of `google.protobuf` wherever they occur.

use prost_types::value::Kind;
use prost_types::{Any, Duration, FieldMask, ListValue, Struct, Timestamp, Value};

use super::rules::{self, Moment, Span};
use super::{Path, Validate, Violations};

/// `google.protobuf.Empty`.
impl Validate for () {
    fn validate(&self, _: &Path<'_>, _: &mut Violations) {}
}

/// The message inside stays undecoded, and thus unchecked.
impl Validate for Any {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        rules::text(&self.type_url, &at.field("type_url"), out);
    }
}

impl Validate for FieldMask {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        let at = at.field("paths");
        for (index, path) in self.paths.iter().enumerate() {
            rules::text(path, &at.index(index), out);
        }
    }
}

impl Validate for Timestamp {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        if Moment::of(self).is_none() {
            out.add(
                at,
                format_args!("must be a time from the year 0001 to 9999, with 0 to 999,999,999 nanos"),
            );
        }
    }
}

impl Validate for Duration {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        if Span::of(self).is_none() {
            let rule = "must be at most 10,000 years long, with at most 999,999,999 nanos of the same sign";
            out.add(at, format_args!("{rule}"));
        }
    }
}

/// The paths inside are those of the JSON object that the message stands for: `insights["pages"][3]`.
impl Validate for Struct {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        for (key, value) in &self.fields {
            let at = at.key(key);
            rules::text(key, &at.key_itself(), out);
            value.validate(&at, out);
        }
    }
}

impl Validate for ListValue {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        for (index, value) in self.values.iter().enumerate() {
            value.validate(&at.index(index), out);
        }
    }
}

impl Validate for Value {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        match &self.kind {
            None => {
                out.add(at, format_args!("must have a kind: null, boolean, number, string, object or list"));
            }
            Some(Kind::NumberValue(number)) if !number.is_finite() => {
                out.add(at, format_args!("must be a finite number"));
            }
            Some(Kind::NullValue(_) | Kind::BoolValue(_) | Kind::NumberValue(_)) => {}
            Some(Kind::StringValue(text)) => rules::text(text, at, out),
            Some(Kind::StructValue(object)) => object.validate(at, out),
            Some(Kind::ListValue(list)) => list.validate(at, out),
        }
    }
}
