//! Messages from an upstream: refused, or JSON that can be read again.

use super::codec::CODEC;

pub fn run(input: &[u8]) {
    for message in CODEC.messages {
        if let Ok(json) = CODEC.json(message, input) {
            CODEC.assert_round_trip(message, &json);
        }
    }
}
