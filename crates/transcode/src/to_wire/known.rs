//! Messages whose JSON is not that of their fields.

use super::fault::{Fault, Parsed};
use super::pass::Pass;
use super::plan::{FieldPlan, MessagePlan};
use super::{mask, times};
use crate::WellKnown;

// The fields of a `Value`, by number, from 0.
const NULL: usize = 0;
const NUMBER: usize = 1;
const STRING: usize = 2;
const BOOL: usize = 3;
const STRUCT: usize = 4;
const LIST: usize = 5;

impl<'p> Pass<'p> {
    pub(super) fn well_known(&mut self, plan: &'p MessagePlan, well_known: WellKnown) -> Parsed {
        match well_known {
            WellKnown::Any => self.any(),
            WellKnown::Struct => self.map(part(plan, 0)?),
            WellKnown::ListValue => self.list(part(plan, 0)?),
            WellKnown::Value => self.value(plan),
            WellKnown::Wrapper(_) => {
                let field = part(plan, 0)?;
                self.single(field, field.is_implicit).map(drop)
            }
            WellKnown::Timestamp => {
                let text = self.reader.string("a time")?.read(&mut self.scratch)?;
                times::write_timestamp(text, self.out)
            }
            WellKnown::Duration => {
                let text = self.reader.string("a duration")?.read(&mut self.scratch)?;
                times::write_duration(text, self.out)
            }
            WellKnown::FieldMask => {
                let text = self.reader.string("paths of fields")?.read(&mut self.scratch)?;
                mask::write(text, false, self.out)
            }
        }
    }

    /// Any JSON at all, as a `Value`.
    fn value(&mut self, plan: &'p MessagePlan) -> Parsed {
        let field = match self.reader.peek() {
            b'n' => NULL,
            b'"' => STRING,
            b't' | b'f' => BOOL,
            b'{' => STRUCT,
            b'[' => LIST,
            b'-' | b'0'..=b'9' => NUMBER,
            _ => return Err(self.reader.syntax("a value")),
        };
        self.single(part(plan, field)?, false).map(drop)
    }
}

/// A field that a well-known type has if it is the one of Google's.
pub(super) fn part(plan: &MessagePlan, index: usize) -> Parsed<&FieldPlan> {
    let missing = || Fault::new(format!("`{}` is declared without some of its fields", plan.name));
    plan.fields.get(index).ok_or_else(missing)
}
