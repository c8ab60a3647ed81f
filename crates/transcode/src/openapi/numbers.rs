//! The rules for numbers: twelve messages with the same fields, which differ only in how a number is encoded.

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use serde_json::{Value, json};

use crate::schema::Kind;

/// The rules for a number of any kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    pub(super) constant: Option<Value>,
    pub(super) lt: Option<Value>,
    pub(super) lte: Option<Value>,
    pub(super) gt: Option<Value>,
    pub(super) gte: Option<Value>,
    pub(super) any_of: Vec<Value>,
    pub(super) none_of: Vec<Value>,
    pub(super) finite: bool,
}

impl Numbers {
    /// Reads as far as it understands; a document is no place to refuse the rest.
    pub(super) fn decode(kind: Kind, mut raw: &[u8]) -> Self {
        let mut rules = Self::default();
        while raw.has_remaining() {
            if rules.field(kind, &mut raw).is_none() {
                break;
            }
        }
        rules
    }

    fn field(&mut self, kind: Kind, raw: &mut &[u8]) -> Option<()> {
        let (number, wire) = decode_key(raw).ok()?;
        match (number, wire) {
            (1..=5, _) => {
                let value = Some(one(kind, raw)?);
                match number {
                    1 => self.constant = value,
                    2 => self.lt = value,
                    3 => self.lte = value,
                    4 => self.gt = value,
                    _ => self.gte = value,
                }
            }
            (6 | 7, wire) => {
                let values = match wire {
                    WireType::LengthDelimited => packed(kind, raw)?,
                    _ => vec![one(kind, raw)?],
                };
                if number == 6 { &mut self.any_of } else { &mut self.none_of }.extend(values);
            }
            (8, WireType::Varint) if matches!(kind, Kind::Float | Kind::Double) => {
                self.finite = decode_varint(raw).ok()? != 0;
            }
            (number, wire) => skip_field(wire, number, raw, DecodeContext::default()).ok()?,
        }
        Some(())
    }

    /// The texts that pass as floating point numbers beside the numbers.
    pub(super) fn special(&self) -> Vec<&'static str> {
        if self.finite || self.constant.is_some() || !self.any_of.is_empty() {
            return vec![];
        }
        let is_outside = self.is_outside();
        let has_upper = self.lt.is_some() || self.lte.is_some();
        let has_lower = self.gt.is_some() || self.gte.is_some();
        let texts = [
            (has_upper || has_lower, "NaN"),
            (has_upper && !is_outside, "Infinity"),
            (has_lower && !is_outside, "-Infinity"),
        ];
        texts.into_iter().filter(|(is_refused, _)| !is_refused).map(|(_, text)| text).collect()
    }

    /// Whether the bounds are those of a gap: with the lower one above the upper one, what passes is on either side of them.
    pub(super) fn is_outside(&self) -> bool {
        let lower = self.gt.as_ref().or(self.gte.as_ref());
        let upper = self.lt.as_ref().or(self.lte.as_ref());
        lower.zip(upper).is_some_and(|(lower, upper)| is_above(lower, upper))
    }

    /// Whether zero breaks them.
    pub(super) fn refuse_zero(&self) -> bool {
        let is = |limit: &Option<Value>, test: fn(f64) -> bool| {
            limit.as_ref().and_then(Value::as_f64).is_some_and(test)
        };
        let has_zero = |values: &[Value]| values.iter().any(|value| value.as_f64() == Some(0.0));
        let is_low = is(&self.gt, |it| it >= 0.0) || is(&self.gte, |it| it > 0.0);
        let is_high = is(&self.lt, |it| it <= 0.0) || is(&self.lte, |it| it < 0.0);
        let is_out = if self.is_outside() { is_low && is_high } else { is_low || is_high };
        is(&self.constant, |it| it != 0.0)
            || is_out
            || (!self.any_of.is_empty() && !has_zero(&self.any_of))
            || has_zero(&self.none_of)
    }
}

/// Integers are compared as such: not all of them are numbers that a double has.
fn is_above(one: &Value, other: &Value) -> bool {
    let whole = |value: &Value| value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one > other,
        _ => one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one > other),
    }
}

fn packed(kind: Kind, raw: &mut &[u8]) -> Option<Vec<Value>> {
    let length = usize::try_from(decode_varint(raw).ok()?).ok()?;
    let (mut block, rest) = raw.split_at_checked(length)?;
    *raw = rest;
    let mut values = vec![];
    while block.has_remaining() {
        values.push(one(kind, &mut block)?);
    }
    Some(values)
}

#[expect(clippy::cast_possible_wrap, reason = "that is how the wire has negative numbers")]
fn one(kind: Kind, raw: &mut &[u8]) -> Option<Value> {
    Some(match kind {
        // By way of its text: the number that was written, not the nearest one that is twice as wide.
        Kind::Float => json!(raw.try_get_f32_le().ok()?.to_string().parse::<f64>().ok()?),
        Kind::Double => json!(raw.try_get_f64_le().ok()?),
        Kind::Fixed32 => json!(raw.try_get_u32_le().ok()?),
        Kind::Sfixed32 => json!(raw.try_get_i32_le().ok()?),
        Kind::Fixed64 => json!(raw.try_get_u64_le().ok()?),
        Kind::Sfixed64 => json!(raw.try_get_i64_le().ok()?),
        Kind::Uint32 | Kind::Uint64 => json!(decode_varint(raw).ok()?),
        Kind::Int32 | Kind::Int64 => json!(decode_varint(raw).ok()? as i64),
        Kind::Sint32 | Kind::Sint64 => {
            let zigzag = decode_varint(raw).ok()?;
            json!((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
        }
        _ => return None,
    })
}
