//! `FieldMask`, which is text in JSON.

use super::fault::{Fault, Parsed, shortened};
use crate::wire::{LENGTH, close, open, write_tag};

/// Appends the paths of a `FieldMask`: `user.displayName,photo` in JSON. In a query they may have their names of the
/// proto as well.
pub(super) fn write(text: &str, with_proto_names: bool, out: &mut Vec<u8>) -> Parsed {
    if text.is_empty() {
        return Ok(());
    }
    for path in text.split(',') {
        write_tag(out, 1, LENGTH);
        let opened = open(out);
        write_path(path.as_bytes(), with_proto_names, out)
            .ok_or_else(|| Fault::new(format!("`{}` is not a path of fields", shortened(path))))?;
        close(out, opened);
    }
    Ok(())
}

fn write_path(path: &[u8], with_proto_names: bool, out: &mut Vec<u8>) -> Option<()> {
    // All fields.
    if path == b"*" {
        out.push(b'*');
        return Some(());
    }
    for (at, name) in path.split(|&byte| byte == b'.').enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        if name.first().is_none_or(u8::is_ascii_digit) {
            return None;
        }
        // A name with an underscore is one of the proto, and stays as it is.
        let is_proto_name = with_proto_names && name.contains(&b'_');
        for &letter in name {
            match letter {
                b'A'..=b'Z' | b'_' if is_proto_name => out.push(letter),
                b'A'..=b'Z' => out.extend([b'_', letter.to_ascii_lowercase()]),
                b'a'..=b'z' | b'0'..=b'9' => out.push(letter),
                _ => return None,
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str, with_proto_names: bool) -> Option<Vec<String>> {
        #[derive(prost::Message)]
        struct FieldMask {
            #[prost(string, repeated, tag = "1")]
            paths: Vec<String>,
        }
        let mut out = vec![];
        write(text, with_proto_names, &mut out).ok()?;
        let mask: FieldMask = prost::Message::decode(out.as_slice()).expect("a mask");
        Some(mask.paths)
    }

    #[test]
    fn camels_become_snakes() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("", Some(&[])),
            ("a", Some(&["a"])),
            ("fooBar,bazQux.fooBar2", Some(&["foo_bar", "baz_qux.foo_bar2"])),
            ("Foo", Some(&["_foo"])),
            ("foo_bar", None),
            ("foo,", None),
            (",foo", None),
            ("foo..bar", None),
            ("foo.", None),
            ("foo bar", None),
            ("foo, bar", None),
            ("1foo", None),
            ("f\u{f6}\u{f6}", None),
            ("*", Some(&["*"])),
            ("a*", None),
            ("a.*", None),
        ];
        for (text, expected) in cases {
            let found = paths(text, false);
            assert_eq!(found.is_some(), expected.is_some(), "{text}");
            assert_eq!(found.unwrap_or_default(), expected.unwrap_or_default(), "{text}");
        }
        let expected = ["foo_bar", "foo_bar", "foo_Bar", "foo_3", "foo_bar.baz_qux"];
        let found = paths("foo_bar,fooBar,foo_Bar,foo_3,foo_bar.bazQux", true);
        assert_eq!(found, Some(expected.map(str::to_owned).to_vec()));
    }
}
