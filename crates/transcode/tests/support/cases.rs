//! Tables of JSON and what it becomes.

use super::json::Reader;

impl Reader {
    /// Each JSON becomes the message beside it.
    #[track_caller]
    pub(crate) fn reads(&self, cases: &[(&str, &str)]) {
        for (json, expected) in cases {
            match self.read(json) {
                Ok(wire) => assert_eq!(wire, expected.replace(' ', ""), "{json}"),
                Err(error) => panic!("{json}: {error}"),
            }
        }
    }

    /// Each JSON is refused, with an error that begins as is said beside it.
    #[track_caller]
    pub(crate) fn refuses(&self, cases: &[(&str, &str)]) {
        for (json, expected) in cases {
            match self.read(json) {
                Ok(wire) => panic!("{json} is read as {wire}"),
                Err(error) => assert!(error.to_string().starts_with(expected), "{json}: {error}"),
            }
        }
    }
}
