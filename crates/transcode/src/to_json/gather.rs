//! Messages whose fields come in no order, more than once, or in several pieces.

use smallvec::{SmallVec, smallvec};

use super::fault::{Fault, Step};
use super::map::Contents;
use super::plan::{FieldPlan, Plan};
use super::writer::Writer;
use crate::schema::Cardinality;
use crate::wire;

/// A field that was found.
pub(super) struct Found<'w> {
    /// Its place among the fields of its message.
    pub(super) place: usize,
    tag: u32,
    /// What is behind its tag.
    value: &'w [u8],
}

/// What was found of a message. The values of a struct are messages with one field each, which are worth no allocation.
pub(super) type AllFound<'w> = SmallVec<[Found<'w>; 4]>;

impl<'a> Writer<'a> {
    /// The fields of a message, each with a comma before it, after all of them were looked for.
    pub(super) fn gathered(&mut self, plan: &'a Plan, pieces: &[&[u8]]) -> Step {
        let found = self.find(plan, pieces)?;
        let mut next = 0;
        for same in found.chunk_by(|one, other| one.place == other.place) {
            let place = same[0].place;
            self.defaults(plan, next, place)?;
            let field = &plan.fields[place];
            let start = self.sink.at();
            self.begin(&field.key)?;
            let value = self.sink.at();
            self.found(field, same)?;
            self.hide(field, start, value);
            next = place + 1;
        }
        self.defaults(plan, next, plan.fields.len())
    }

    /// The value of a field from all places where it was found, of which there is at least one.
    pub(super) fn found(&mut self, field: &'a FieldPlan, same: &[Found<'_>]) -> Step {
        match field.cardinality {
            Cardinality::Repeated => {
                let start = self.open()?;
                let mut index = 0;
                for one in same {
                    self.items(field, one.tag, &mut { one.value }, &mut index)?;
                }
                self.close(start, b'[', b']')
            }
            Cardinality::Map => {
                let mut entries = Contents::with_capacity(same.len());
                for one in same {
                    entries.push(wire::bytes(&mut { one.value })?);
                }
                self.map(field, &entries)
            }
            Cardinality::Singular => {
                let written = match (field.value.message(), same) {
                    (Some(id), [_, _, ..]) => self.merged(field, id, same).map(drop),
                    (_, [.., last]) => self.value(field.value, &mut { last.value }).map(drop),
                    (_, []) => self.zero(field.value),
                };
                written.map_err(|fault| fault.inside(field))
            }
        }
    }

    fn merged(&mut self, field: &'a FieldPlan, id: usize, same: &[Found<'_>]) -> Step {
        let mut pieces = Vec::with_capacity(same.len());
        for one in same {
            let mut rest = one.value;
            pieces.push(match one.tag & 7 {
                wire::START => self.groups.read(field.tag, &mut rest)?,
                _ => wire::bytes(&mut rest)?,
            });
        }
        self.message(id, &pieces)
    }

    /// All fields that count, sorted by their places; those of one place in the order in which they came.
    pub(super) fn find<'w>(&mut self, plan: &Plan, pieces: &[&'w [u8]]) -> Result<AllFound<'w>, Fault> {
        let mut found = AllFound::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let tag = wire::tag(&mut rest)?;
                if plan.is_message_set && tag == ITEM {
                    found.extend(self.item_of_set(plan, &mut rest)?);
                    continue;
                }
                let Some(place) = plan.place(tag >> 3).filter(|&place| plan.fields[place].accepts(tag))
                else {
                    wire::skip(tag, &mut rest)?;
                    continue;
                };
                let before = rest;
                match tag & 7 {
                    wire::START => drop(self.groups.read(tag, &mut rest)?),
                    _ => wire::skip(tag, &mut rest)?,
                }
                let value = &before[..before.len() - rest.len()];
                let field = &plan.fields[place];
                if field.cardinality != Cardinality::Singular || !self.is_unlisted(field.value, value)? {
                    found.push(Found { place, tag, value });
                }
            }
        }
        if plan.oneofs > 0 && found.len() > 1 {
            keep_last_members(plan, &mut found);
        }
        found.sort_by_key(|one| one.place);
        Ok(found)
    }

    /// An item of a message set, which is an extension by another name: `group Item = 1 { type_id = 2; message = 3 }`.
    fn item_of_set<'w>(&mut self, plan: &Plan, rest: &mut &'w [u8]) -> Result<Option<Found<'w>>, Fault> {
        let mut content = self.groups.read(ITEM, rest)?;
        let (mut number, mut message) = (None, None);
        while !content.is_empty() {
            let tag = wire::tag(&mut content)?;
            let before = content;
            match tag {
                TYPE_ID => number = number.or(u32::try_from(wire::varint(&mut content)?).ok()),
                MESSAGE => {
                    wire::bytes(&mut content)?;
                    message = message.or(Some(&before[..before.len() - content.len()]));
                }
                _ => wire::skip(tag, &mut content)?,
            }
        }
        let (Some(place), Some(value)) = (number.and_then(|number| plan.place(number)), message) else {
            return Ok(None);
        };
        let tag = plan.fields[place].tag;
        Ok((tag & 7 == wire::LENGTH).then_some(Found { place, tag, value }))
    }
}

const ITEM: u32 = 1 << 3 | wire::START;
const TYPE_ID: u32 = 2 << 3 | wire::VARINT;
const MESSAGE: u32 = 3 << 3 | wire::LENGTH;

/// Drops the members of oneofs that were cleared by a later member.
fn keep_last_members(plan: &Plan, found: &mut AllFound<'_>) {
    #[derive(Clone, Copy)]
    enum Seen {
        Nothing,
        /// Only this member since.
        Member(usize),
        /// What came before another member does not count.
        Cleared,
    }
    let mut seen: SmallVec<[Seen; 8]> = smallvec![Seen::Nothing; plan.oneofs];
    let mut counts: SmallVec<[bool; 16]> = smallvec![true; found.len()];
    for (one, counts) in found.iter().zip(&mut counts).rev() {
        let Some(oneof) = plan.fields[one.place].oneof else { continue };
        let seen = &mut seen[oneof as usize];
        *seen = match *seen {
            Seen::Nothing => Seen::Member(one.place),
            Seen::Member(member) if member != one.place => Seen::Cleared,
            unchanged => unchanged,
        };
        *counts = matches!(*seen, Seen::Member(_));
    }
    let mut counts = counts.into_iter();
    found.retain(|_| counts.next().unwrap_or(true));
}
