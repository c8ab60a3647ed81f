//! `Any`: a message of a type that its `@type` names, wherever that key stands.

use std::collections::HashMap;

use super::ToWire;
use super::fault::{Fault, Parsed, shortened};
use super::pass::Pass;
use super::plan::MessagePlan;
use super::reader::Reader;
use crate::wire::{LENGTH, close, open, write_tag, write_varint};

/// Where the values of `@type` are, in the part of the JSON that was searched for them.
///
/// To find a type that does not come first, the whole object is read; those inside it as well, so that nothing is
/// searched twice, however deep it is.
#[derive(Default)]
pub(super) struct Types {
    searched_to: usize,
    /// By the place where the object begins.
    found: HashMap<usize, usize>,
}

impl Types {
    pub(super) fn note(&mut self, object: usize, value: usize) {
        self.found.insert(object, value);
    }
}

impl<'p> Pass<'p> {
    pub(super) fn any(&mut self) -> Parsed {
        if self.reader.peek() != b'{' {
            return Err(self.reader.expected("an object"));
        }
        let from = self.reader.at;
        let Some(at) = self.find_type()? else { return self.empty_any() };
        let plan = self.write_type(at).map_err(|fault| fault.in_field("@type"))?;
        write_tag(self.out, 2, LENGTH);
        let opened = open(self.out);
        self.reader.at = from;
        if plan.well_known.is_some() || is_empty(plan) {
            self.any_value(plan)?;
        } else {
            self.object(plan, true)?;
        }
        close(self.out, opened);
        Ok(())
    }

    fn find_type(&mut self) -> Parsed<Option<usize>> {
        const KEY: &[u8] = b"\"@type\"";
        let from = self.reader.at;
        if !self.plans.options.allow_duplicate_keys {
            self.reader.at += 1;
            self.reader.space();
            let is_first = self.reader.rest().starts_with(KEY);
            if is_first {
                self.reader.at += KEY.len();
                self.reader.colon()?;
            }
            let at = std::mem::replace(&mut self.reader.at, from);
            if is_first {
                return Ok(Some(at));
            }
        }
        if from >= self.types.searched_to {
            self.types.found.clear();
            self.search()?;
            self.types.searched_to = std::mem::replace(&mut self.reader.at, from);
        }
        Ok(self.types.found.get(&from).copied())
    }

    fn write_type(&mut self, at: usize) -> Parsed<&'p MessagePlan> {
        let text = Reader { json: self.reader.json, at }.string("the URL of a type")?;
        let url = text.read(&mut self.scratch)?;
        let name = url.rsplit_once('/').map(|(_, name)| name);
        let Some(id) = name.and_then(|name| self.plans.types.get(name)) else {
            return Err(Fault::new(format!("`{}` is not the URL of a known type", shortened(url))));
        };
        write_tag(self.out, 1, LENGTH);
        write_varint(self.out, url.len() as u64);
        self.out.extend_from_slice(url.as_bytes());
        Ok(&self.plans.messages[id as usize])
    }

    /// An `Any` without a type has nothing else either.
    fn empty_any(&mut self) -> Parsed {
        self.reader.at += 1;
        self.reader.space();
        if self.reader.take(b'}') { Ok(()) } else { Err(Fault::new("`@type` is missing")) }
    }

    /// The JSON of a well-known type in an `Any` is its `value`.
    fn any_value(&mut self, plan: &'p MessagePlan) -> Parsed {
        let (mut has_type, mut has_value) = (false, false);
        let from = self.out.len();
        self.reader.at += 1;
        self.reader.space();
        loop {
            let name = self.reader.string("a key")?.read(&mut self.scratch)?;
            let (is_type, is_value) = (name == "@type", name == "value");
            if is_type && has_type || is_value && has_value {
                refuse_second(self.plans, name)?;
            } else if !is_type && !is_value && !self.plans.options.ignore_unknown_fields {
                let problem = format!("an Any of `{}` has no such field", plan.name);
                return Err(Fault::new(problem).in_field(shortened(name)));
            }
            has_type |= is_type;
            has_value |= is_value;
            self.reader.colon()?;
            if is_value {
                self.out.truncate(from);
                self.message(plan).map_err(|fault| fault.in_field("value"))?;
            } else {
                self.skip()?;
            }
            if !self.reader.another(b'}')? {
                break;
            }
        }
        // Some leave out the value of an `Empty`, as it has none.
        if !has_value && !is_empty(plan) {
            return Err(Fault::new("it is missing").in_field("value"));
        }
        Ok(())
    }
}

/// The type in an object that is read with its fields between, or the value of a well-known type, may come once.
pub(super) fn refuse_second(plans: &ToWire, name: &str) -> Parsed {
    if plans.options.allow_duplicate_keys {
        return Ok(());
    }
    Err(Fault::new("the field is there twice").in_field(name))
}

fn is_empty(plan: &MessagePlan) -> bool {
    &*plan.name == "google.protobuf.Empty"
}

#[cfg(test)]
mod tests {
    use crate::{Options, Schema, ToWire};

    use super::*;

    /// Each has its type at its end. Were each searched for it, the innermost would be read once for each around it.
    #[test]
    fn types_are_searched_once() {
        let schema = Schema::decode(&[include_bytes!("../../testdata/conformance.binpb")]).expect("a set");
        let to_wire = ToWire::new(&schema, &Options::default());
        let any = schema.message("google.protobuf.Any").expect("it is in the set");
        let url = r#""@type":"/google.protobuf."#;
        let inner = format!(r#"{{"value":"",{url}Value"}}"#);
        let json = format!("{}{inner}{}", r#"{"value":"#.repeat(90), format!(r#",{url}Any"}}"#).repeat(90));
        let mut wire = vec![];
        let mut pass = Pass::new(&to_wire, &json, &mut wire);
        pass.message(to_wire.plan(any)).expect("each is an Any");
        pass.finish().expect("nothing follows");
        // Each search begins with nothing found, so that the first one must have been the only one.
        assert_eq!(pass.types.found.len(), 91);
        assert_eq!(pass.types.searched_to, json.len());
    }
}
