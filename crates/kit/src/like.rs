//! Patterns for `like` and `ilike` in which every character of a text stands for itself.

/// Fits what contains the text.
///
/// ```
/// assert_eq!(selvedge_kit::like::containing("100%"), r"%100\%%");
/// ```
pub fn containing(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// Fits what begins with the text.
///
/// ```
/// assert_eq!(selvedge_kit::like::beginning("a_"), r"a\_%");
/// ```
pub fn beginning(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
