//! The regular expressions of the rules, each compiled once.

use regex::Regex;

/// The regular expressions that the validators refer to, by their place in the list.
#[derive(Default)]
pub(crate) struct Patterns(Vec<String>);

impl Patterns {
    /// Takes in an expression and answers with how to name it in the code.
    pub(crate) fn add(&mut self, expression: &str) -> Result<String, String> {
        Regex::new(expression).map_err(|error| format!("is no regular expression: {error}"))?;
        let known = self.0.iter().position(|it| it == expression);
        let place = known.unwrap_or_else(|| {
            self.0.push(expression.to_owned());
            self.0.len() - 1
        });
        Ok(format!("PATTERNS[{place}]"))
    }

    /// The code that makes them.
    pub(crate) fn code(&self) -> Vec<String> {
        let mut code = vec![format!(
            "pub static PATTERNS: [::std::sync::LazyLock<rules::Pattern>; {}] = [",
            self.0.len()
        )];
        let make = |expression| format!("    ::std::sync::LazyLock::new(|| rules::pattern({expression:?})),");
        code.extend(self.0.iter().map(make));
        code.push("];".to_owned());
        code
    }
}
