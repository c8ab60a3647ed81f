//! What was found, as HTML.

/// The signs between which the database puts what was found: no text can have them, as the statement takes them out.
const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

/// Escapes a text with these signs and makes marks of them.
pub(super) fn marked(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            OPEN => html.push_str("<mark>"),
            CLOSE => html.push_str("</mark>"),
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_marks_is_text() {
        assert_eq!(
            marked("<b title='a'>\u{1}R&D\u{2}</b> \"é\""),
            "&lt;b title=&#39;a&#39;&gt;<mark>R&amp;D</mark>&lt;/b&gt; &quot;é&quot;"
        );
    }
}
