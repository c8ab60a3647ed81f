//! Messages that are objects with their fields.

use super::any::refuse_second;
use super::duplicates::{Again, Seen};
use super::fault::{Fault, Parsed, shortened};
use super::pass::Pass;
use super::plan::{FieldPlan, Layout, MessagePlan};

/// What a key of an object says.
pub(super) enum Key {
    Field(usize),
    /// `@type`, in an `Any`
    Type,
    /// Nothing that is known.
    Other,
}

/// What is known of an object while it is read.
#[derive(Default)]
struct Members {
    keys: Seen,
    oneofs: Seen,
    again: Again,
    has_type: bool,
}

impl<'p> Pass<'p> {
    /// Reads a message and appends what is in it.
    pub(super) fn message(&mut self, plan: &'p MessagePlan) -> Parsed {
        self.deeper()?;
        match plan.well_known {
            None => self.object(plan, false)?,
            Some(well_known) => self.well_known(plan, well_known)?,
        }
        self.shallower();
        Ok(())
    }

    /// Reads the fields of a message; in an `Any` with its type between them.
    pub(super) fn object(&mut self, plan: &'p MessagePlan, in_any: bool) -> Parsed {
        if !self.reader.take(b'{') {
            return Err(self.reader.expected("an object"));
        }
        self.reader.space();
        if self.reader.take(b'}') {
            return Ok(());
        }
        let from = self.out.len();
        let mut members = Members::default();
        let mut next = 0;
        loop {
            match self.key(plan, next, in_any)? {
                Key::Field(at) => {
                    next = at + 1;
                    let field = &plan.fields[at];
                    self.member(plan, at, &mut members).map_err(|fault| fault.in_field(&field.name))?;
                }
                Key::Type => {
                    if std::mem::replace(&mut members.has_type, true) {
                        refuse_second(self.plans, "@type")?;
                    }
                    self.skip()?;
                }
                Key::Other => self.skip()?,
            }
            if !self.reader.another(b'}')? {
                break;
            }
        }
        members.again.remove_earlier(self.out, from)
    }

    /// Reads a key and its colon. It is mostly that of the field after the one before.
    #[inline]
    pub(super) fn key(&mut self, plan: &'p MessagePlan, next: usize, in_any: bool) -> Parsed<Key> {
        if let Some(field) = plan.fields.get(next)
            && self.reader.rest().starts_with(&field.quoted)
        {
            self.reader.at += field.quoted.len();
            self.reader.colon()?;
            return Ok(Key::Field(next));
        }
        self.other_key(plan, in_any)
    }

    fn other_key(&mut self, plan: &'p MessagePlan, in_any: bool) -> Parsed<Key> {
        let name = self.reader.string("a key")?.read(&mut self.scratch)?;
        let key = match plan.names.get(name) {
            Some(at) => Key::Field(at as usize),
            None if in_any && name == "@type" => Key::Type,
            None if self.plans.options.ignore_unknown_fields => Key::Other,
            None => {
                let problem = format!("`{}` has no such field", plan.name);
                return Err(Fault::new(problem).in_field(shortened(name)));
            }
        };
        self.reader.colon()?;
        Ok(key)
    }

    #[inline]
    fn member(&mut self, plan: &'p MessagePlan, at: usize, members: &mut Members) -> Parsed {
        let field = &plan.fields[at];
        if !members.keys.insert(at) {
            if !self.plans.options.allow_duplicate_keys || field.in_message_set {
                return Err(Fault::new("the field is there twice"));
            }
            members.again.add(field, self.out.len());
            if let Some(oneof) = members.again.release(at) {
                members.oneofs.remove(oneof);
            }
        }
        let Some(oneof) = field.oneof else { return self.field(field).map(drop) };
        if self.is_cleared(field) {
            return self.reader.word("null");
        }
        if members.oneofs.contains(oneof) {
            return Err(Fault::new(format!("another field of `{}` is there already", plan.oneofs[oneof])));
        }
        if self.field(field)? {
            members.oneofs.insert(oneof);
            if self.plans.options.allow_duplicate_keys {
                members.again.hold(oneof, at);
            }
        }
        Ok(())
    }

    /// Reads the value of a field and appends it with its tag. Tells whether there was one.
    #[inline]
    pub(super) fn field(&mut self, field: &'p FieldPlan) -> Parsed<bool> {
        if self.is_cleared(field) {
            return self.reader.word("null").map(|()| false);
        }
        match field.layout {
            Layout::Singular => return self.single(field, field.is_implicit),
            Layout::Packed => self.packed(field)?,
            Layout::Repeated => self.list(field)?,
            Layout::Map => self.map(field)?,
        }
        Ok(true)
    }

    /// Whether there is a `null` that is no value.
    #[inline]
    pub(super) fn is_cleared(&self, field: &FieldPlan) -> bool {
        self.reader.peek() == b'n' && !(field.takes_null && field.layout == Layout::Singular)
    }
}
