//! The tokens that lead from one page of a list to the next.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use prost::Name;
use sha2::Sha256;

use crate::config::{self, ConfigError};
use crate::{Error, Result};

/// Half of HMAC-SHA256, which is what the standard recommends as the least.
const MAC_BYTES: usize = 16;
const MIN_KEY_BYTES: usize = 32;

/// Makes page tokens and believes only its own.
///
/// A token carries the place where the next page begins. It is signed together with the question it belongs to, so
/// that it can neither be made up nor used with other filters.
///
/// ```
/// # use selvedge_kit::page::PageTokens;
/// let tokens = PageTokens::random();
/// let token = tokens.seal(&"the question".to_owned(), b"row 20");
/// assert_eq!(tokens.open(&"the question".to_owned(), &token).unwrap(), b"row 20");
/// assert!(tokens.open(&"another question".to_owned(), &token).is_err());
/// ```
#[derive(Clone)]
pub struct PageTokens {
    /// The first signs, all verify: so a key can be replaced while tokens made with the old one are still around.
    keys: Vec<Hmac<Sha256>>,
}

impl PageTokens {
    /// With a key that nobody else has: tokens last as long as the process.
    pub fn random() -> Self {
        Self { keys: vec![hmac(&rand::random::<[u8; MIN_KEY_BYTES]>())] }
    }

    /// With the configured keys; replicas that share them accept each other's tokens.
    pub fn from_config(config: &config::Tokens) -> Result<Self, ConfigError> {
        let Some(keys) = &config.page_token_keys else {
            tracing::warn!("no SELVEDGE_PAGE_TOKEN_KEYS: page tokens will not survive a restart");
            return Ok(Self::random());
        };
        let keys = keys.expose().split(',').map(|key| parse_key(key.trim())).collect::<Option<Vec<_>>>();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self { keys: keys.iter().map(|key| hmac(key)).collect() }),
            _ => Err(ConfigError::new(format!(
                "SELVEDGE_PAGE_TOKEN_KEYS must be keys of {MIN_KEY_BYTES} bytes or more, in hex or base64, separated by commas"
            ))),
        }
    }

    /// A token for the page that begins after `cursor`, as an answer to `question`: the list's request without its
    /// `page_token` and `page_size`.
    pub fn seal(&self, question: &impl Name, cursor: &[u8]) -> String {
        let mac = signature(&self.keys[0], question, cursor).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([&mac[..MAC_BYTES], cursor].concat())
    }

    /// The cursor in a token that [`PageTokens::seal`] made for the same question.
    pub fn open(&self, question: &impl Name, token: &str) -> Result<Vec<u8>> {
        BASE64_URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| {
                let (mac, cursor) = bytes.split_at_checked(MAC_BYTES)?;
                let ours = |key| signature(key, question, cursor).verify_truncated_left(mac).is_ok();
                self.keys.iter().any(ours).then(|| cursor.to_vec())
            })
            .ok_or_else(not_ours)
    }
}

/// What to answer to a token that is not one of ours, or not one for this question.
pub fn not_ours() -> Error {
    Error::invalid(
        "page_token",
        "must be the next_page_token of a page of the same list, with the same filters",
    )
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The kind of message is part of what is signed: two lists may have filters that are encoded alike.
fn signature<M: Name>(key: &Hmac<Sha256>, question: &M, cursor: &[u8]) -> Hmac<Sha256> {
    let question = [M::full_name().as_bytes(), &[0], &question.encode_to_vec()].concat();
    let length = u64::try_from(question.len()).expect("a message fits into memory").to_be_bytes();
    key.clone().chain_update(length).chain_update(question).chain_update(cursor)
}

fn parse_key(text: &str) -> Option<Vec<u8>> {
    let hex = || {
        let digits = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        text.len().is_multiple_of(2).then(|| digits.collect()).flatten()
    };
    let key: Vec<u8> = hex().or_else(|| BASE64_STANDARD.decode(text).ok())?;
    (key.len() >= MIN_KEY_BYTES).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn tokens(keys: &str) -> Result<PageTokens, ConfigError> {
        PageTokens::from_config(&config::Tokens { page_token_keys: Some(Secret::new(keys)) })
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let tokens = PageTokens::random();
        let token = tokens.seal(&"q".to_owned(), b"cursor");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                tokens.open(&"q".to_owned(), &BASE64_URL_SAFE_NO_PAD.encode(forged)).is_err(),
                "bit {bit}"
            );
        }
        for wrong in ["", "x", "====", "AAAA", &token[1..], &format!("{token}A")] {
            assert!(tokens.open(&"q".to_owned(), wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_do_not_take_each_others_tokens() {
        let tokens = PageTokens::random();
        let token = tokens.seal(&"q".to_owned(), b"cursor");
        // Bytes and strings are encoded alike; only the kind of message tells them apart.
        assert!(tokens.open(&b"q".to_vec(), &token).is_err());
    }

    #[test]
    fn a_key_can_be_replaced() {
        let (old, new) = ("11".repeat(32), BASE64_STANDARD.encode([7; 40]));
        let token = tokens(&old).unwrap().seal(&"q".to_owned(), b"cursor");
        assert!(tokens(&format!("{new}, {old}")).unwrap().open(&"q".to_owned(), &token).is_ok());
        assert!(tokens(&new).unwrap().open(&"q".to_owned(), &token).is_err());
    }

    #[test]
    fn keys_that_are_too_short_are_refused() {
        for wrong in ["", "abc", &"11".repeat(31), "not a key at all, but long enough to look like one"] {
            assert!(tokens(wrong).is_err(), "{wrong}");
        }
    }
}
