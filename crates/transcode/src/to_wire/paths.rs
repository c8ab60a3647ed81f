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
    /// one counts, as it does for the value.
    ///
    /// That the values are those of their fields is not looked at, which is for [`ToWire::message`].
    pub fn paths(&self, message: MessageId, json: &[u8]) -> Result<Vec<Box<[usize]>>, Error> {
        let mut found = vec![];
        self.pass(json, &mut vec![], |pass| match self.plan(message) {
            plan if plan.well_known.is_none() => pass.paths(plan, &mut vec![], &mut found),
            _ => pass.skip(),
        })?;
        found.retain(|path| !path.is_empty());
        Ok(found)
    }
}

impl<'p> Pass<'p> {
    fn paths(
        &mut self,
        plan: &'p MessagePlan,
        outer: &mut Vec<usize>,
        found: &mut Vec<Box<[usize]>>,
    ) -> Parsed {
        self.deeper()?;
        if !self.reader.take(b'{') {
            return Err(self.reader.expected("an object"));
        }
        self.reader.space();
        let mut places = HashMap::new();
        let mut more = !self.reader.take(b'}');
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
        Ok(())
    }

    fn path(&mut self, field: &'p FieldPlan, path: &mut Vec<usize>, found: &mut Vec<Box<[usize]>>) -> Parsed {
        self.element()?;
        let inner = match field.kind {
            Kind::Message(id) if field.layout == Layout::Singular => Some(self.plans.plan(id)),
            _ => None,
        };
        let inner = inner.filter(|plan| plan.well_known.is_none() && self.reader.peek() == b'{');
        let before = found.len();
        match inner {
            Some(inner) => self.paths(inner, path, found)?,
            None => self.skip()?,
        }
        if found.len() == before {
            found.push(path.as_slice().into());
        }
        Ok(())
    }
}
