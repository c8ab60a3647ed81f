//! The values of an `insert`, as `copy` writes them.

use super::tokens::Token;

/// How `copy` writes that there is no value.
pub(super) const NULL: &[u8] = b"\\N";

/// The value that these tokens make; nothing where it would take a database to tell.
pub(super) fn value(tokens: &[Token]) -> Option<Vec<u8>> {
    match without_casts(tokens) {
        [Token::Word(word)] => match word.as_str() {
            // What a table would put there itself, it puts there again.
            "null" | "default" => Some(NULL.to_vec()),
            "true" | "false" => Some(word.clone().into_bytes()),
            _ => None,
        },
        [Token::Text(text)] => Some(escaped(text)),
        [Token::Number(number)] | [Token::Sign(b'+'), Token::Number(number)] => {
            Some(number.clone().into_bytes())
        }
        [Token::Sign(b'-'), Token::Number(number)] => Some(format!("-{number}").into_bytes()),
        // `timestamp '2005-05-24 22:54:33'`; but the digits in `x'..'` are something else.
        [Token::Word(kind), Token::Text(text)] if kind.len() > 1 => Some(escaped(text)),
        [Token::Sign(b'('), inner @ .., Token::Sign(b')')] => value(inner),
        [Token::Word(array), Token::Sign(b'['), items @ .., Token::Sign(b']')] if array == "array" => {
            let items = items.split(|token| *token == Token::Sign(b',')).filter(|item| !item.is_empty());
            let texts: Option<Vec<&[u8]>> = items.map(text).collect();
            Some(escaped(&array_of(&texts?)))
        }
        [
            Token::Word(function),
            Token::Sign(b'('),
            Token::Text(text),
            Token::Sign(b','),
            Token::Text(by),
            Token::Sign(b')'),
        ] if function == "string_to_array" && by.len() == 1 && !text.is_empty() => {
            let texts: Vec<&[u8]> = text.split(|byte| *byte == by[0]).collect();
            Some(escaped(&array_of(&texts)))
        }
        _ => None,
    }
}

/// Of which type a value is, its column says.
fn without_casts(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_u32;
    for (place, pair) in tokens.windows(2).enumerate() {
        match pair {
            [Token::Sign(b':'), Token::Sign(b':')] if depth == 0 => return &tokens[..place],
            [Token::Sign(b'(' | b'['), _] => depth += 1,
            [Token::Sign(b')' | b']'), _] => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    tokens
}

fn text(item: &[Token]) -> Option<&[u8]> {
    match without_casts(item) {
        [Token::Text(text)] => Some(text),
        _ => None,
    }
}

fn array_of(texts: &[&[u8]]) -> Vec<u8> {
    let mut array = vec![b'{'];
    for (place, text) in texts.iter().enumerate() {
        if place > 0 {
            array.push(b',');
        }
        array.push(b'"');
        for byte in *text {
            if matches!(byte, b'"' | b'\\') {
                array.push(b'\\');
            }
            array.push(*byte);
        }
        array.push(b'"');
    }
    array.push(b'}');
    array
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\t' => escaped.extend(b"\\t"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            byte => escaped.push(*byte),
        }
    }
    escaped
}
