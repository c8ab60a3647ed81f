//! Reads the rows of an `insert`.

use super::Result;
use super::dump::{Dump, MAX_NAMES, NOBODY};
use super::rows::{Layout, at};
use super::tables::Table;
use super::tokens::Token;
use super::values::value;

/// A value is a constant, or little more.
const MAX_TOKENS: usize = 10_000;

impl Dump {
    pub(super) fn insert(&mut self) -> Result<()> {
        let mut token = self.next()?;
        while token.is("into") || token.is("only") {
            token = self.next()?;
        }
        let line = self.tokens.source.line();
        let (name, mut token) = self.table(token)?;
        let Some(table) = self.known(name) else { return self.skip(token) };
        let names;
        (names, token) = self.columns(token)?;
        while ["overriding", "system", "user", "value"].iter().any(|word| token.is(word)) {
            token = self.next()?;
        }
        if !token.is("values") {
            return Err(at(line, table, "only rows of values can be read"));
        }
        let mut layout = names.map(|names| Layout::named(table, &names, line)).transpose()?;
        loop {
            let token = self.next()?;
            let line = self.tokens.source.line();
            match token {
                Token::Sign(b';') => return Ok(()),
                Token::Sign(b',') => {}
                Token::Sign(b'(') => self.values(table, &mut layout, line)?,
                token if token.is("on") => return self.skip(token),
                _ => return Err(at(line, table, "this is no row of values")),
            }
        }
    }

    /// A row, behind its first parenthesis.
    fn values(&mut self, table: &'static Table, layout: &mut Option<Layout>, line: u64) -> Result<()> {
        let mut values = vec![];
        let mut tokens = vec![];
        let mut depth = 0_u32;
        loop {
            let token = self.next()?;
            match token {
                Token::Sign(sign @ (b',' | b')')) if depth == 0 => {
                    values.push(value(&tokens));
                    tokens.clear();
                    if sign == b')' {
                        break;
                    }
                }
                Token::Sign(b';') => {
                    return Err(at(line, table, "the statement ends in the middle of a row"));
                }
                token if tokens.len() < MAX_TOKENS && values.len() < MAX_NAMES => {
                    match token {
                        Token::Sign(b'(' | b'[') => depth += 1,
                        Token::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    tokens.push(token);
                }
                _ => return Err(at(line, table, "this row is too long")),
            }
        }
        let layout = match layout {
            Some(layout) => layout,
            empty => empty.insert(Layout::usual(table, values.len(), line)?),
        };
        if let Some(name) = layout.unreadable(&values) {
            return Err(at(line, table, format!("the value of {name} is not a constant")));
        }
        let fields: Vec<Vec<u8>> = values.into_iter().map(Option::unwrap_or_default).collect();
        if self.rows.push(layout, line, &fields)? { Ok(()) } else { Err(NOBODY.into()) }
    }
}
