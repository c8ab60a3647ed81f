//! The types whose JSON is not that of their fields.

use super::fault::{Fault, Step};
use super::kind::Value;
use super::plan::{Plan, Special};
use super::sink::Text;
use super::writer::Writer;
use crate::schema::Cardinality;
use crate::wire;

impl<'a> Writer<'a> {
    pub(super) fn special(&mut self, plan: &'a Plan, special: Special, pieces: &[&[u8]]) -> Step {
        match special {
            Special::Timestamp => self.timestamp(pieces),
            Special::Duration => self.duration(pieces),
            Special::Wrapper(value) => self.wrapper(plan, value, pieces),
            Special::FieldMask => self.field_mask(pieces),
            Special::Struct | Special::ListValue => self.only_field(plan, pieces),
            Special::Value => self.any_value(plan, pieces),
            Special::Any => self.any(pieces),
        }
    }

    fn wrapper(&mut self, plan: &'a Plan, value: Value, pieces: &[&[u8]]) -> Step {
        let mut last = None;
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let tag = wire::tag(&mut rest)?;
                let before = rest;
                wire::skip(tag, &mut rest)?;
                if plan.fields.first().is_some_and(|field| field.tag == tag) {
                    last = Some(before);
                }
            }
        }
        match last {
            Some(mut rest) => self.value(value, &mut rest).map(drop),
            None => self.zero(value),
        }
    }

    fn field_mask(&mut self, pieces: &[&[u8]]) -> Step {
        let mut all = String::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let tag = wire::tag(&mut rest)?;
                if tag != FIRST_TEXT {
                    wire::skip(tag, &mut rest)?;
                    continue;
                }
                self.count()?;
                let path = str::from_utf8(wire::bytes(&mut rest)?).ok();
                let Some(path) = path.and_then(camel) else {
                    return Err(Fault::new("a path has no form in JSON that would lead back to it"));
                };
                all.push_str(if all.is_empty() { "" } else { "," });
                all.push_str(&path);
            }
        }
        self.sink.string(all.as_bytes())
    }

    /// A struct is the map, and a list the list, that is its only field.
    fn only_field(&mut self, plan: &'a Plan, pieces: &[&[u8]]) -> Step {
        let found = self.find(plan, pieces)?;
        let Some(field) = plan.fields.first() else {
            return Err(Fault::new("its type has no field"));
        };
        match (found.as_slice(), field.cardinality) {
            ([], Cardinality::Map) => self.sink.head(b"{}", 2),
            ([], _) => self.sink.head(b"[]", 2),
            (found, _) => self.found(field, found).map_err(|fault| fault.outside(field)),
        }
    }

    fn any_value(&mut self, plan: &'a Plan, pieces: &[&[u8]]) -> Step {
        let found = self.find(plan, pieces)?;
        let Some(first) = found.first() else {
            return Err(Fault::new("the value is not set"));
        };
        let field = &plan.fields[first.place];
        let start = self.sink.at();
        self.found(field, &found).map_err(|fault| fault.outside(field))?;
        // A number that JSON does not have would be a string, which is another value.
        if matches!(field.value, Value::Double) && self.sink.begins_with(start, b'"') {
            return Err(Fault::new("the value is a number that JSON does not have"));
        }
        Ok(())
    }

    fn any(&mut self, pieces: &[&[u8]]) -> Step {
        let (mut url, mut value) = (&[][..], &[][..]);
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                match wire::tag(&mut rest)? {
                    FIRST_TEXT => url = wire::bytes(&mut rest)?,
                    SECOND_TEXT => value = wire::bytes(&mut rest)?,
                    other => wire::skip(other, &mut rest)?,
                }
            }
        }
        let start = self.open()?;
        if !url.is_empty() || !value.is_empty() {
            let id = self.type_of(url)?;
            self.begin_plain("@type")?;
            self.sink.string(url)?;
            let plan = &self.plans.messages[id];
            match plan.well_known {
                Some(special) => {
                    self.begin_plain("value")?;
                    self.special(plan, special, &[value])?;
                }
                None => self.fields(plan, &[value])?,
            }
        }
        self.close(start, b'{', b'}')
    }

    fn type_of(&self, url: &[u8]) -> Result<usize, Fault> {
        let name = str::from_utf8(url).ok().and_then(|url| url.rsplit_once('/'));
        name.and_then(|(_, name)| self.plans.by_name.get(name).copied()).ok_or_else(|| {
            let url = String::from_utf8_lossy(url);
            Fault::new(format!("the type `{url}` is not known"))
        })
    }

    fn begin_plain(&mut self, name: &str) -> Step {
        let key = if self.is_pretty { format!("\"{name}\": ") } else { format!(",\"{name}\":") };
        self.begin(&Text::new(&key))
    }
}

const FIRST_TEXT: u32 = 1 << 3 | wire::LENGTH;
const SECOND_TEXT: u32 = 2 << 3 | wire::LENGTH;

/// A path as JSON has it, if the way back from there leads to the same path. `*` stands for all fields.
fn camel(path: &str) -> Option<String> {
    let is_name = |name: &str| name.starts_with(|first: char| !first.is_ascii_digit());
    if path != "*" && !path.split('.').all(is_name) {
        return None;
    }
    let mut camel = String::with_capacity(path.len());
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '_' => camel.push(letters.next().filter(char::is_ascii_lowercase)?.to_ascii_uppercase()),
            'a'..='z' | '0'..='9' | '.' => camel.push(letter),
            '*' if path == "*" => camel.push(letter),
            _ => return None,
        }
    }
    Some(camel)
}
