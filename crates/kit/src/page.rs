//! Pages of lists: how much goes on one, and how one leads to the next.

mod cursor;
mod tokens;

use prost::{Message, Name};

use crate::Result;

pub use cursor::Cursor;
pub use tokens::{PageTokens, not_ours};

const DEFAULT_SIZE: usize = 20;
const MAX_SIZE: usize = 100;
/// The most bytes of a page, or of another answer with many rows: clients take four megabytes by default.
pub const MAX_BYTES: usize = 3 << 20;

/// A page that a request asks for.
///
/// ```
/// # use selvedge_kit::page::{Page, PageTokens};
/// # let (tokens, question) = (PageTokens::random(), "all of them".to_owned());
/// let rows = |from: u8| (from..=3).map(|id| ([id], format!("row {id}"))).collect();
/// let (first, token) = Page::new(&tokens, &question, 2, "").unwrap().cut(rows(1));
/// assert_eq!(first, ["row 1", "row 2"]);
///
/// let second = Page::new(&tokens, &question, 2, &token).unwrap();
/// assert_eq!(second.after(), Some([2].as_slice()));
/// assert_eq!(second.cut(rows(3)), (vec!["row 3".to_owned()], String::new()));
/// ```
pub struct Page<'a, Q> {
    tokens: &'a PageTokens,
    question: &'a Q,
    size: usize,
    after: Option<Vec<u8>>,
}

impl<'a, Q: Name> Page<'a, Q> {
    /// A page of the list that answers `question`: the list's request without its `page_size` and `page_token`.
    ///
    /// It has 20 rows unless asked otherwise, 100 at most. (That the size is not negative is checked by the request's
    /// constraints.)
    pub fn new(tokens: &'a PageTokens, question: &'a Q, page_size: i32, page_token: &str) -> Result<Self> {
        let after = (!page_token.is_empty()).then(|| tokens.open(question, page_token)).transpose()?;
        Ok(Self { tokens, question, size: size(page_size), after })
    }

    /// The cursor of the row that it begins after; `None` on the first page.
    pub fn after(&self) -> Option<&[u8]> {
        self.after.as_deref()
    }

    /// How many rows to read: one more than the page has, to know whether there is another.
    pub fn wanted(&self) -> usize {
        self.size + 1
    }

    /// What the page has of these rows, each with its cursor, and the token of the next one.
    ///
    /// It has fewer than it might where they are so long that it would be too large; but never none of them.
    pub fn cut<C: AsRef<[u8]>, M: Message>(&self, rows: Vec<(C, M)>) -> (Vec<M>, String) {
        let (cursors, mut rows): (Vec<C>, Vec<M>) = rows.into_iter().unzip();
        let mut bytes = 0;
        let fits = |row: &&M| {
            bytes += row.encoded_len();
            bytes <= MAX_BYTES
        };
        let kept = rows.iter().take(self.size).take_while(fits).count().max(1);
        let more = kept < rows.len();
        rows.truncate(kept);
        let next =
            if more { self.tokens.seal(self.question, cursors[kept - 1].as_ref()) } else { String::new() };
        (rows, next)
    }
}

fn size(asked: i32) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => DEFAULT_SIZE,
        Ok(size) => size.min(MAX_SIZE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!([0, 1, 100, 101, i32::MAX].map(size), [20, 1, 100, 100, 100]);
    }

    #[test]
    fn a_page_is_never_too_large_and_never_empty() {
        let (tokens, question) = (PageTokens::random(), "all".to_owned());
        let page = Page::new(&tokens, &question, 3, "").unwrap();
        let cut = |lengths: &[usize]| {
            let rows = (0_u8..).zip(lengths).map(|(id, length)| ([id], "x".repeat(*length))).collect();
            let (rows, next) = page.cut(rows);
            (rows.len(), !next.is_empty())
        };
        assert_eq!(cut(&[]), (0, false));
        assert_eq!(cut(&[1, 1, 1]), (3, false));
        assert_eq!(cut(&[1, 1, 1, 1]), (3, true));
        assert_eq!(cut(&[2 << 20, 2 << 20]), (1, true));
        assert_eq!(cut(&[5 << 20, 1]), (1, true));
        assert_eq!(cut(&[5 << 20]), (1, false));
    }
}
