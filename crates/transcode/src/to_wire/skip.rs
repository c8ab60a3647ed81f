//! Passing over JSON that is of no interest but must be JSON.

use super::fault::Parsed;
use super::pass::Pass;

impl Pass<'_> {
    /// Passes over a value.
    pub(super) fn skip(&mut self) -> Parsed {
        self.skip_value(false)
    }

    /// Passes over an object and remembers the types of all `Any` in it.
    pub(super) fn search(&mut self) -> Parsed {
        self.skip_value(true)
    }

    fn skip_value(&mut self, note_types: bool) -> Parsed {
        match self.reader.peek() {
            b'{' => self.skip_object(note_types),
            b'[' => self.skip_list(note_types),
            b'"' => self.reader.string("a string")?.read(&mut self.scratch).map(drop),
            b'n' => self.reader.word("null"),
            b't' => self.reader.word("true"),
            b'f' => self.reader.word("false"),
            b'-' | b'0'..=b'9' => self.reader.number("a number").map(drop),
            _ => Err(self.reader.syntax("a value")),
        }
    }

    fn skip_object(&mut self, note_types: bool) -> Parsed {
        self.deeper()?;
        let from = self.reader.at;
        self.reader.at += 1;
        self.reader.space();
        let mut more = !self.reader.take(b'}');
        while more {
            let key = self.reader.string("a key")?.read(&mut self.scratch)?;
            let is_type = note_types && key == "@type";
            self.reader.colon()?;
            if is_type {
                self.types.note(from, self.reader.at);
            }
            self.skip_value(note_types)?;
            more = self.reader.another(b'}')?;
        }
        self.shallower();
        Ok(())
    }

    fn skip_list(&mut self, note_types: bool) -> Parsed {
        self.deeper()?;
        self.reader.at += 1;
        self.reader.space();
        let mut more = !self.reader.take(b']');
        while more {
            self.skip_value(note_types)?;
            more = self.reader.another(b']')?;
        }
        self.shallower();
        Ok(())
    }
}
