//! Maps: an entry for each key, and no key twice.

use std::collections::HashSet;

use super::fault::{Fault, Parsed};
use super::pass::Pass;
use super::plan::FieldPlan;
use super::scalars;
use crate::Kind;
use crate::wire::{close, open, write_varint};

impl<'p> Pass<'p> {
    /// Reads an object and appends an entry for each key.
    pub(super) fn map(&mut self, field: &'p FieldPlan) -> Parsed {
        let Kind::Message(entry) = field.kind else { return Err(Fault::new("its entries are no messages")) };
        let [key, value] = &*self.plans.plan(entry).fields else {
            return Err(Fault::new("its entries are not a key and a value"));
        };
        if !self.reader.take(b'{') {
            return Err(self.reader.expected("an object"));
        }
        self.reader.space();
        let outer = self.keys.len();
        let mut more = !self.reader.take(b'}');
        while more {
            self.element()?;
            let from = self.reader.at;
            self.entry(field, key, value).map_err(|fault| fault.in_entry(&self.key_at(from)))?;
            more = self.reader.another(b'}')?;
        }
        if !self.plans.options.allow_duplicate_keys
            && let Some(from) = self.second_key(outer)
        {
            return Err(Fault::new("the key is there twice").in_entry(&self.key_at(from)));
        }
        self.keys.truncate(outer);
        Ok(())
    }

    fn entry(&mut self, field: &FieldPlan, key: &'p FieldPlan, value: &'p FieldPlan) -> Parsed {
        let before = self.out.len();
        let key_in_json = self.reader.at;
        field.tag.write(self.out);
        let opened = open(self.out);
        let text = self.reader.string("a key")?.read(&mut self.scratch)?;
        key.tag.write(self.out);
        if key.kind == Kind::String {
            write_varint(self.out, text.len() as u64);
            self.out.extend_from_slice(text.as_bytes());
        } else {
            scalars::write(key.kind, scalars::from_text(key.kind, text)?, self.out);
        }
        let key_length = self.out.len() - opened;
        self.reader.colon()?;
        self.refuse_null(value)?;
        if !self.single(value, false)? {
            self.out.truncate(before);
            return Ok(());
        }
        let length = self.out.len() - opened;
        close(self.out, opened);
        let from = self.out.len() - length;
        self.keys.push((from..from + key_length, key_in_json));
        Ok(())
    }

    /// Where in the JSON a key of the innermost map stands that was there before. `1` and `1e0` are the same one.
    fn second_key(&self, outer: usize) -> Option<usize> {
        const FEW: usize = 8;
        let keys = &self.keys[outer..];
        let written = |at: usize| &self.out[keys[at].0.clone()];
        let mut all = 0..keys.len();
        let second = if keys.len() <= FEW {
            all.find(|&at| (0..at).any(|other| written(other) == written(at)))
        } else {
            let mut seen = HashSet::with_capacity(keys.len());
            all.find(|&at| !seen.insert(written(at)))
        };
        second.map(|at| keys[at].1)
    }

    /// For people.
    #[cold]
    fn key_at(&self, from: usize) -> String {
        let mut reader = super::reader::Reader { json: self.reader.json, at: from };
        let text = reader.string("a key").and_then(|text| Ok(text.read(&mut vec![])?.to_owned()));
        text.unwrap_or_default()
    }
}
