use crate::Result;

use super::not_ours;

/// Where a page ends in a list that is ordered by something and, where that is equal, by id.
///
/// ```
/// # use selvedge_kit::page::Cursor;
/// let cursor = Cursor::new("alien", 42);
/// assert_eq!(Cursor::read(cursor.as_ref()).unwrap(), cursor);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    bytes: Vec<u8>,
}

const ID_BYTES: usize = size_of::<i64>();

impl Cursor {
    /// Of the row that has this key, as text, and this id.
    pub fn new(key: &str, id: impl Into<i64>) -> Self {
        let mut bytes = id.into().to_be_bytes().to_vec();
        bytes.extend_from_slice(key.as_bytes());
        Self { bytes }
    }

    /// The cursor that a page token carries.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let key = bytes.get(ID_BYTES..).map(str::from_utf8);
        key.and_then(std::result::Result::ok).ok_or_else(not_ours)?;
        Ok(Self { bytes: bytes.to_vec() })
    }

    /// What the row is ordered by.
    pub fn key(&self) -> &str {
        str::from_utf8(&self.bytes[ID_BYTES..]).expect("it was made of text")
    }

    /// The row's id.
    pub fn id(&self) -> i64 {
        i64::from_be_bytes(self.bytes[..ID_BYTES].try_into().expect("it has as many bytes"))
    }
}

impl AsRef<[u8]> for Cursor {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
