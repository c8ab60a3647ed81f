//! Which fields an object has: what the update mask of a request is made of.

use std::collections::HashMap;

use super::ToWire;
use super::fault::Parsed;
use super::object::Key;
use super::pass::Pass;
use super::plan::{FieldPlan, Layout, MessagePlan};
use crate::{Error, Kind, MessageId};

impl ToWire {
    /// The fields that a JSON object names, as the indices of the fields on the way to each: `null` and empty ones too,
    /// in the order in which they come. It goes into messages that are objects with their fields, unless they are empty;
    /// not into lists, maps and well-known types. A well-known type has no fields in JSON. Of a key that comes again, the last
    /// one counts, as it does for the value. What is passed over under the options is not there: a field with an unknown
    /// name of an enum, and an object that has unknown keys alone. A list and a map are there with what is known of them.
    ///
    /// That the values are those of their fields is not looked at, which is for [`ToWire::message`].
    pub fn paths(&self, message: MessageId, json: &[u8]) -> Result<Vec<Box<[usize]>>, Error> {
        let mut found = vec![];
        self.pass(json, &mut vec![], |pass| match self.plan(message) {
            plan if plan.well_known.is_none() => pass.paths(plan, &mut vec![], &mut found).map(drop),
            _ => pass.skip(),
        })?;
        found.retain(|path| !path.is_empty());
        Ok(found)
    }
}

impl<'p> Pass<'p> {
    /// Tells whether the object has any keys.
    fn paths(
        &mut self,
        plan: &'p MessagePlan,
        outer: &mut Vec<usize>,
        found: &mut Vec<Box<[usize]>>,
    ) -> Parsed<bool> {
        self.deeper()?;
        if !self.reader.take(b'{') {
            return Err(self.reader.expected("an object"));
        }
        self.reader.space();
        let mut places = HashMap::new();
        let has_keys = !self.reader.take(b'}');
        let mut more = has_keys;
        while more {
            let key = self.key(plan, plan.fields.len(), false)?;
            if let Key::Field(at) = key {
                let field = &plan.fields[at];
                let from = found.len();
                outer.push(at);
                self.path(field, outer, found).map_err(|fault| fault.in_field(&field.name))?;
                outer.pop();
                if let Some(earlier) = places.insert(at, from..found.len()) {
                    // No path is empty but one that no longer counts; taken out at the end, all of them at once.
                    found[earlier].fill_with(Box::default);
                }
            } else {
                self.skip()?;
            }
            more = self.reader.another(b'}')?;
        }
        self.shallower();
        Ok(has_keys)
    }

    fn path(&mut self, field: &'p FieldPlan, path: &mut Vec<usize>, found: &mut Vec<Box<[usize]>>) -> Parsed {
        self.element()?;
        let is_single = field.layout == Layout::Singular;
        let ignores_names = self.plans.options.ignore_unknown_enum_names;
        let is_whole = match field.kind {
            Kind::Message(id) if is_single && self.reader.peek() == b'{' => match self.plans.plan(id) {
                plan if plan.well_known.is_none() => !self.paths(plan, path, found)?,
                _ => self.whole()?,
            },
            Kind::Enum(_) if is_single && ignores_names && !self.is_cleared(field) => {
                self.number(field.kind)?.is_some()
            }
            _ => self.whole()?,
        };
        if is_whole {
            found.push(path.as_slice().into());
        }
        Ok(())
    }

    /// A value that nothing is looked for in.
    fn whole(&mut self) -> Parsed<bool> {
        self.skip().map(|()| true)
    }
}
