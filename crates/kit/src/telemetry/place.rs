use http::{HeaderMap, HeaderValue};

use super::propagation::{TRACEPARENT, given};

const TRACESTATE: &str = "tracestate";
const SAMPLED: u8 = 1;

/// The place of a call in a trace. Where nobody records that, it is all there is: the caller's trace goes on, or a new one
/// begins, at a fraction of what spans cost.
#[derive(Clone, Debug)]
pub struct Place {
    trace: u128,
    flags: u8,
    state: Option<HeaderValue>,
}

impl Place {
    /// That of the caller, or else a new one; of those, this share is to be recorded.
    pub fn of(headers: &HeaderMap, ratio: f64) -> Self {
        let given = given(headers).and_then(|value| read(value.to_str().ok()?));
        match given {
            Some((trace, flags)) => Self { trace, flags, state: headers.get(TRACESTATE).cloned() },
            None => Self {
                trace: rand::random::<u128>().max(1),
                flags: if rand::random::<f64>() < ratio { SAMPLED } else { 0 },
                state: None,
            },
        }
    }

    /// Whether whoever began the trace wants it to be recorded.
    pub fn is_recorded(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The id of the trace.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// A `traceparent` for one more step of the trace.
    pub fn step(&self) -> HeaderValue {
        let step = rand::random::<u64>().max(1);
        let text = format!("00-{:032x}-{step:016x}-{:02x}", self.trace, self.flags);
        HeaderValue::try_from(text).expect("hexadecimal digits are fit for a header")
    }

    /// Writes the next step into the headers of a call.
    pub fn inject(&self, headers: &mut HeaderMap) {
        headers.insert(TRACEPARENT, self.step());
        if let Some(state) = self.state.clone() {
            headers.insert(TRACESTATE, state);
        }
    }
}

/// Trace and flags of a `traceparent`; later versions may have more behind that.
fn read(text: &str) -> Option<(u128, u8)> {
    let mut parts = text.split('-');
    let mut hex = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length)?;
        let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| u128::from_str_radix(part, 16).ok()).flatten()
    };
    let (version, trace, parent, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    let is_whole = version != 0 || parts.next().is_none();
    let is_valid = version != 0xff && trace != 0 && parent != 0 && is_whole;
    is_valid.then_some((trace, u8::try_from(flags).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn place(traceparent: &str) -> String {
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static(TRACEPARENT),
            traceparent.parse().unwrap(),
        )]);
        Place::of(&headers, 1.0).step().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_callers_trace_goes_on_with_a_step_of_its_own() {
        for (given, flags) in [
            (format!("00-{TRACE}-b7ad6b7169203331-01"), "-01"),
            (format!("00-{TRACE}-b7ad6b7169203331-00"), "-00"),
            (format!("01-{TRACE}-b7ad6b7169203331-01-more"), "-01"),
        ] {
            let step = place(&given);
            assert!(step.starts_with(&format!("00-{TRACE}-")) && step.ends_with(flags), "{step}");
            assert!(!step.contains("b7ad6b7169203331"), "{step}");
        }
    }

    #[test]
    fn what_is_no_trace_begins_one() {
        let zero = "0".repeat(32);
        for given in [
            "",
            "nonsense",
            &format!("ff-{TRACE}-b7ad6b7169203331-01"),
            &format!("00-{zero}-b7ad6b7169203331-01"),
            &format!("00-{TRACE}-0000000000000000-01"),
            &format!("00-{TRACE}-b7ad6b7169203331-01-more"),
            &format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}-b7ad6b7169203331"),
        ] {
            let step = place(given);
            assert!(!step.contains(TRACE) && read(&step).is_some(), "{given}: {step}");
        }
    }

    #[test]
    fn who_names_two_traces_begins_one() {
        let lines = ["b7ad6b7169203331", "b7ad6b7169203332"].map(|parent| {
            let value = format!("00-{TRACE}-{parent}-01").parse().unwrap();
            (http::HeaderName::from_static(TRACEPARENT), value)
        });
        let place = |lines: &[_]| Place::of(&lines.iter().cloned().collect(), 1.0).trace_id();
        assert_eq!(place(&lines[..1]), TRACE);
        assert_ne!(place(&lines), TRACE);
    }

    #[test]
    fn of_new_traces_a_share_is_recorded() {
        let flags = |ratio| Place::of(&HeaderMap::new(), ratio).flags;
        assert_eq!((flags(1.0), flags(0.0)), (SAMPLED, 0));
    }
}
