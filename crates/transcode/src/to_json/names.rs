//! The values of an enum as text.

use super::sink::Text;
use crate::Options;
use crate::schema::Enum;

/// The values of an enum, by number.
#[derive(Debug)]
pub(super) struct Names {
    /// Those from 0 on without large gaps.
    dense: Box<[Option<Text>]>,
    /// All others, sorted.
    others: Box<[(i32, Text)]>,
    first: Text,
    /// Whether numbers that it does not list are unknown fields.
    pub(super) is_closed: bool,
    /// Whether it is `google.protobuf.NullValue`, which is `null` whatever its number.
    is_null: bool,
}

impl Names {
    pub(super) fn new(declared: &Enum, options: &Options) -> Self {
        let is_null = &*declared.name == "google.protobuf.NullValue";
        let text = |number: i32, name: &str| match () {
            () if is_null => Text::new("null"),
            () if options.enums_as_numbers => Text::new(&number.to_string()),
            () => Text::new(&super::quote(name)),
        };
        let mut sorted = declared.values.iter().map(|value| (value.number, &*value.name)).collect::<Vec<_>>();
        // Of several names of a number the one that was declared first is written, and stays first.
        sorted.sort_by_key(|&(number, _)| number);
        sorted.dedup_by_key(|&mut (number, _)| number);
        let most = sorted.len() * 2 + 16;
        let mut dense = vec![];
        let mut others = vec![];
        for (number, name) in sorted {
            match usize::try_from(number) {
                Ok(at) if at < most => {
                    dense.resize(at, None);
                    dense.push(Some(text(number, name)));
                }
                _ => others.push((number, text(number, name))),
            }
        }
        let first = declared.values.first().map_or((0, "0"), |value| (value.number, &*value.name));
        Self {
            dense: dense.into(),
            others: others.into(),
            first: text(first.0, first.1),
            is_closed: declared.is_closed,
            is_null,
        }
    }

    /// The text of a number that the enum lists.
    #[inline]
    pub(super) fn get(&self, number: i32) -> Option<&Text> {
        match usize::try_from(number).ok().and_then(|at| self.dense.get(at)) {
            Some(Some(text)) => Some(text),
            _ if self.is_null => Some(&self.first),
            _ => {
                let at = self.others.binary_search_by_key(&number, |&(number, _)| number).ok()?;
                Some(&self.others[at].1)
            }
        }
    }

    /// The value that the enum has when nothing is said.
    pub(super) fn first(&self) -> &Text {
        &self.first
    }
}
