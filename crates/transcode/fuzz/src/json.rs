//! JSON from outside: refused, or a message that can be written as JSON.

use super::codec::CODEC;

pub fn run(input: &[u8]) {
    for message in CODEC.messages {
        let Ok(wire) = CODEC.wire(message, input) else { continue };
        match CODEC.json(message, &wire) {
            Ok(json) => CODEC.assert_round_trip(message, &json),
            Err(error) => assert!(error.too_large, "what was read cannot be written: {error}"),
        }
    }
}
