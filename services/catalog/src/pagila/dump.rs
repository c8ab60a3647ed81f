//! Reads a dump, statement by statement.

use std::collections::BTreeSet;
use std::io::Read;

use tokio::sync::mpsc;

use super::Result;
use super::rows::{Chunk, Layout, Rows, at};
use super::source::Source;
use super::tables::Table;
use super::tokens::{Token, Tokens};

/// Columns, values of a row, names of tables without use.
pub(super) const MAX_NAMES: usize = 1_600;

/// What was in the file, but for the rows.
pub(super) struct Found {
    pub(super) sha256: [u8; 32],
    pub(super) lines: u64,
    /// The tables that have no place here.
    pub(super) unused: BTreeSet<String>,
}

pub(super) struct Dump {
    pub(super) tokens: Tokens,
    pub(super) rows: Rows,
    unused: BTreeSet<String>,
}

/// Reads all of it, and sends the rows on. Ends early where nobody takes them.
pub(super) fn read(input: Box<dyn Read + Send>, sender: mpsc::Sender<Chunk>) -> Result<Found> {
    let tokens = Tokens::new(Source::new(input)?);
    let mut dump = Dump { tokens, rows: Rows::new(sender), unused: BTreeSet::new() };
    loop {
        match dump.tokens.first()? {
            Token::End => break,
            Token::Sign(b';') => {}
            token if token.is("copy") => dump.copy()?,
            token if token.is("insert") => dump.insert()?,
            token if token.is("set") => dump.set()?,
            token => dump.skip(token)?,
        }
    }
    let lines = dump.tokens.source.line();
    if dump.tokens.is_cut() {
        let said = "the file is cut off: it says that it is a dump, and not that the dump is complete";
        return Err(format!("line {lines}: {said}").into());
    }
    dump.rows.end();
    Ok(Found { sha256: dump.tokens.source.sha256(), lines: lines - 1, unused: dump.unused })
}

impl Dump {
    pub(super) fn next(&mut self) -> Result<Token> {
        let began = self.tokens.source.line();
        match self.tokens.next()? {
            Token::End => Err(format!("line {began}: the file ends in the middle of a statement").into()),
            token => Ok(token),
        }
    }

    /// Passes over the rest of a statement, whose first token this is.
    pub(super) fn skip(&mut self, mut token: Token) -> Result<()> {
        let mut depth = 0_u32;
        loop {
            match &token {
                Token::Sign(b';') if depth == 0 => return Ok(()),
                Token::Sign(b'(') => depth += 1,
                Token::Sign(b')') => depth = depth.saturating_sub(1),
                // The body of a function has statements of its own.
                word if word.is("atomic") || word.is("case") => depth += 1,
                word if word.is("end") => depth = depth.saturating_sub(1),
                _ => {}
            }
            token = self.next()?;
        }
    }

    /// `set`, which may say that the texts mean something else than we think.
    fn set(&mut self) -> Result<()> {
        let line = self.tokens.source.line();
        let mut tokens = vec![];
        while tokens.last() != Some(&Token::Sign(b';')) && tokens.len() < MAX_NAMES {
            tokens.push(self.next()?);
        }
        let [setting, _, value, ..] = &tokens[..] else { return Ok(()) };
        let value = match value {
            Token::Text(text) => String::from_utf8_lossy(text).to_ascii_lowercase(),
            Token::Word(word) => word.clone(),
            _ => return Ok(()),
        };
        if setting.is("client_encoding") && !["utf8", "utf-8", "unicode", "sql_ascii"].contains(&&*value) {
            return Err(format!("line {line}: the file is in {value}; dump it with --encoding=UTF8").into());
        }
        if setting.is("standard_conforming_strings") && value != "on" {
            return Err(
                format!("line {line}: backslashes in its texts are escapes, which cannot be read").into()
            );
        }
        Ok(())
    }

    /// A name, with or without that of its schema; and the token behind it.
    pub(super) fn table(&mut self, first: Token) -> Result<(String, Token)> {
        let (mut name, mut token) = (first, self.next()?);
        while token == Token::Sign(b'.') {
            name = self.next()?;
            token = self.next()?;
        }
        match name {
            Token::Word(name) | Token::Name(name) => Ok((name, token)),
            _ => Ok((String::new(), token)),
        }
    }

    /// The names of columns, if they stand here; and the token behind them.
    pub(super) fn columns(&mut self, token: Token) -> Result<(Option<Vec<String>>, Token)> {
        if token != Token::Sign(b'(') {
            return Ok((None, token));
        }
        let mut names = vec![];
        loop {
            match self.next()? {
                Token::Word(name) | Token::Name(name) if names.len() < MAX_NAMES => names.push(name),
                Token::Sign(b',') => {}
                Token::Sign(b')') => return Ok((Some(names), self.next()?)),
                _ => {
                    let line = self.tokens.source.line();
                    return Err(format!("line {line}: these are no names of columns").into());
                }
            }
        }
    }

    /// What is not ours is only named at the end.
    pub(super) fn known(&mut self, name: String) -> Option<&'static Table> {
        let table = Table::find(&name);
        if table.is_none() && self.unused.len() < MAX_NAMES {
            self.unused.insert(name);
        }
        table
    }

    fn copy(&mut self) -> Result<()> {
        let line = self.tokens.source.line();
        let first = self.next()?;
        if first == Token::Sign(b'(') {
            return self.skip(first);
        }
        let (name, token) = self.table(first)?;
        let (names, token) = self.columns(token)?;
        if !token.is("from") {
            return self.skip(token);
        }
        let from = self.next()?;
        let table = self.known(name);
        if !from.is("stdin") {
            return match table {
                Some(table) => Err(at(line, table, "its rows are in another file; dump it as plain SQL")),
                None => self.skip(from),
            };
        }
        let options = self.next()?;
        match table {
            Some(table) if options != Token::Sign(b';') => {
                return Err(at(line, table, "its rows are not in copy's text format"));
            }
            _ => self.skip(options)?,
        }
        // What stands behind the semicolon is not data.
        self.tokens.source.rest_of_line(&mut vec![])?;
        let layout = match (table, &names) {
            (Some(table), Some(names)) => Some(Layout::named(table, names, line)?),
            _ => None,
        };
        self.copied(table, layout, line)
    }

    /// The lines of a `copy`, to its end.
    fn copied(
        &mut self,
        table: Option<&'static Table>,
        mut layout: Option<Layout>,
        began: u64,
    ) -> Result<()> {
        let mut text = vec![];
        loop {
            let line = self.tokens.source.line();
            let whole = self.tokens.source.rest_of_line(&mut text)?;
            if text == b"\\." {
                return Ok(());
            }
            if !whole {
                let name = table.map_or("unknown", |table| table.name);
                let said = format!(
                    "line {line}, table {name}: the file ends in the middle of the rows that begin in line {began}"
                );
                return Err(said.into());
            }
            let Some(table) = table else { continue };
            let fields: Vec<&[u8]> = text.split(|byte| *byte == b'\t').collect();
            let layout = match &mut layout {
                Some(layout) => layout,
                empty => empty.insert(Layout::usual(table, fields.len(), line)?),
            };
            if !self.rows.push(layout, line, &fields)? {
                return Err(NOBODY.into());
            }
        }
    }
}

/// Why storing failed is said where it failed.
pub(super) const NOBODY: &str = "the rows could not be stored";
