//! The JSON of maps.

use smallvec::{SmallVec, smallvec};

use super::fault::{Fault, Step};
use super::kind::Value;
use super::plan::FieldPlan;
use super::writer::Writer;
use crate::wire;

/// The entries of a map as the wire has them. Most maps are small, and then cost no allocation.
pub(super) type Contents<'w> = SmallVec<[&'w [u8]; 4]>;

/// The same taken apart.
type Entries<'w> = SmallVec<[Entry<'w>; 4]>;

/// An entry of a map; what it lacks is zero.
struct Entry<'w> {
    key: Key<'w>,
    /// All that the entry is.
    content: &'w [u8],
    /// What is behind the last tag of a value.
    value: Option<&'w [u8]>,
    values: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'w> {
    Text(&'w [u8]),
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
}

impl<'a> Writer<'a> {
    /// A map whose entries follow each other, behind the tag of the first.
    pub(super) fn map_in_order(&mut self, field: &'a FieldPlan, rest: &mut &[u8]) -> Step {
        let mut entries: Contents<'_> = smallvec![wire::bytes(rest)?];
        while !rest.is_empty() {
            let mut ahead = *rest;
            if wire::tag(&mut ahead)? != field.tag {
                break;
            }
            entries.push(wire::bytes(&mut ahead)?);
            *rest = ahead;
        }
        self.map(field, &entries)
    }

    /// A map from all of its entries.
    pub(super) fn map(&mut self, field: &'a FieldPlan, contents: &[&[u8]]) -> Step {
        let fields = field.value.message().map(|id| &*self.plans.messages[id].fields);
        let Some([key, value]) = fields else {
            return Err(Fault::new("its entries have no key or no value").inside(field));
        };
        let mut entries = Entries::with_capacity(contents.len());
        for content in contents {
            self.count()?;
            let entry = self.entry(key, value, content).map_err(|fault| fault.inside(field))?;
            entries.extend(entry);
        }
        keep_last(&mut entries);
        let start = self.open()?;
        for entry in &entries {
            self.separate()?;
            self.write_key(entry.key).map_err(|fault| fault.inside(field))?;
            self.sink.byte(b':')?;
            if self.is_pretty {
                self.sink.byte(b' ')?;
            }
            self.write_value(value, entry).map_err(|fault| fault.within(entry.key).inside(field))?;
        }
        self.close(start, b'{', b'}')
    }

    /// Takes an entry apart; nothing if its value is a number that a closed enum does not have.
    fn entry<'w>(
        &self,
        key: &FieldPlan,
        value: &FieldPlan,
        content: &'w [u8],
    ) -> Result<Option<Entry<'w>>, Fault> {
        let mut entry = Entry { key: Key::zero(key.value), content, value: None, values: 0 };
        let mut rest = content;
        while !rest.is_empty() {
            let tag = wire::tag(&mut rest)?;
            if tag == key.tag {
                entry.key = Key::read(key.value, &mut rest)?;
                continue;
            }
            let before = rest;
            wire::skip(tag, &mut rest)?;
            if tag == value.tag {
                entry.value = Some(&before[..before.len() - rest.len()]);
                entry.values += 1;
            }
        }
        let unlisted = entry.value.map_or(Ok(false), |number| self.is_unlisted(value.value, number))?;
        Ok(Some(entry).filter(|_| !unlisted))
    }

    fn write_value(&mut self, field: &'a FieldPlan, entry: &Entry<'_>) -> Step {
        match (entry.value, field.value.message()) {
            (None, _) => self.zero(field.value),
            (Some(_), Some(id)) if entry.values > 1 => {
                let mut pieces = Vec::with_capacity(entry.values);
                let mut rest = entry.content;
                while !rest.is_empty() {
                    let tag = wire::tag(&mut rest)?;
                    if tag == field.tag {
                        pieces.push(wire::bytes(&mut rest)?);
                    } else {
                        wire::skip(tag, &mut rest)?;
                    }
                }
                self.message(id, &pieces)
            }
            (Some(value), _) => self.value(field.value, &mut { value }).map(drop),
        }
    }

    fn write_key(&mut self, key: Key<'_>) -> Step {
        if let Key::Text(text) = key {
            return self.sink.string(text);
        }
        self.sink.byte(b'"')?;
        match key {
            Key::Signed(number) => self.sink.signed(number)?,
            Key::Unsigned(number) => self.sink.unsigned(number)?,
            Key::Bool(value) => self.boolean(value)?,
            Key::Text(_) => {}
        }
        self.sink.byte(b'"')
    }
}

impl<'w> Key<'w> {
    fn zero(value: Value) -> Self {
        // No bytes of a number, or no length of a text.
        Self::read(value, &mut [0; 8].as_slice()).unwrap_or(Key::Text(&[]))
    }

    fn read(value: Value, rest: &mut &'w [u8]) -> Result<Self, wire::Malformed> {
        #[expect(clippy::cast_possible_truncation, reason = "that is how the wire says numbers of 32 bits")]
        Ok(match value {
            Value::Bool => Self::Bool(wire::varint(rest)? != 0),
            Value::Int32 => Self::Signed(i64::from(wire::varint(rest)? as i32)),
            Value::Int64 => Self::Signed(wire::varint(rest)?.cast_signed()),
            Value::Sint32 => Self::Signed(wire::zigzag(u64::from(wire::varint(rest)? as u32))),
            Value::Sint64 => Self::Signed(wire::zigzag(wire::varint(rest)?)),
            Value::Sfixed32 => Self::Signed(i64::from(i32::from_le_bytes(wire::fixed(rest)?))),
            Value::Sfixed64 => Self::Signed(i64::from_le_bytes(wire::fixed(rest)?)),
            Value::Uint32 => Self::Unsigned(u64::from(wire::varint(rest)? as u32)),
            Value::Uint64 => Self::Unsigned(wire::varint(rest)?),
            Value::Fixed32 => Self::Unsigned(u64::from(u32::from_le_bytes(wire::fixed(rest)?))),
            Value::Fixed64 => Self::Unsigned(u64::from_le_bytes(wire::fixed(rest)?)),
            _ => Self::Text(wire::bytes(rest)?),
        })
    }
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(out, "{:?}", String::from_utf8_lossy(text)),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Signed(number) => write!(out, "{number}"),
            Self::Unsigned(number) => write!(out, "{number}"),
        }
    }
}

/// Of several entries with one key, the last is what the map holds.
fn keep_last(entries: &mut Entries<'_>) {
    if entries.is_sorted_by(|one, other| one.key < other.key) {
        return;
    }
    let mut order = (0..entries.len()).collect::<Vec<_>>();
    order.sort_by_key(|&at| entries[at].key);
    let mut counts = vec![true; entries.len()];
    for [one, other] in order.array_windows() {
        counts[*one] = entries[*one].key != entries[*other].key;
    }
    let mut counts = counts.into_iter();
    entries.retain(|_| counts.next().unwrap_or(true));
}
