//! The rules for strings, bytes, booleans and enums.

use crate::check_field;
use crate::protos::testing::v1::{Color, Others, Text};

#[test]
fn lengths_of_strings() {
    // Characters count, not bytes: each of these has two, three or four bytes.
    check_field!(Text.len, good: ["abc", "äöü", "日本語", "🦀🦀🦀"], bad: [
        "" => "must be exactly 3 characters long, is 0",
        "🦀🦀" => "must be exactly 3 characters long, is 2",
        "abcd" => "must be exactly 3 characters long, is 4",
    ]);
    check_field!(Text.min_len, good: ["ab", "äö"], bad: ["ä" => "must be at least 2 characters long, is 1"]);
    check_field!(Text.max_len, good: ["", "äöü"], bad: ["äöüß" => "must be at most 3 characters long, is 4"]);
    check_field!(Text.min_bytes, good: ["äö"], bad: ["äa" => "must be at least 4 bytes long, is 3"]);
    check_field!(Text.max_bytes, good: ["äö"], bad: ["äöa" => "must be at most 4 bytes long, is 5"]);
    check_field!(Text.wrapped, good: ["a"], bad: ["" => "must not be empty"]);
}

#[test]
fn patterns_match_anywhere_unless_they_are_anchored() {
    check_field!(Text.pattern, good: ["12", "a123b"], bad: ["1a2" => "must match the pattern [0-9]{2}"]);
    check_field!(Text.anchored, good: ["", "a!~"], bad: [
        "a b" => "must match the pattern ^[!-~]*$",
        "a\n" => "must match the pattern ^[!-~]*$",
    ]);
}

#[test]
fn parts_of_strings() {
    check_field!(Text.prefix, good: ["a-", "a-b"], bad: ["ba-" => "must begin with \"a-\""]);
    check_field!(Text.suffix, good: ["-z", "y-z"], bad: ["-zy" => "must end with \"-z\""]);
    check_field!(Text.contains, good: ["-", "a-b"], bad: ["ab" => "must contain \"-\""]);
}

#[test]
fn choices_of_strings() {
    check_field!(Text.r#const, good: ["say \"yes\""], bad: ["yes" => "must be \"say \\\"yes\\\"\""]);
    check_field!(Text.r#in, good: ["red", "green"], bad: ["Red" => "must be one of \"red\", \"green\""]);
    check_field!(Text.not_in, good: ["", "admin"], bad: ["root" => "must be none of \"root\""]);
}

#[test]
fn email_addresses() {
    let label = "a".repeat(63);
    let wrong = "must be a valid email address";
    check_field!(
        Text.email,
        good: ["a@b", "jane.doe+tag@example.com", "a!#$%&'*+/=?^_`{|}~-@x-y.z", ".a.@b.c", format!("a@{label}.{label}")],
        bad: [
            "" => wrong, "a" => wrong, "@b" => wrong, "a@" => wrong, "a@b@c" => wrong, "a b@c" => wrong, "a@b." => wrong,
            "a@.b" => wrong, "a@-b" => wrong, "a@b-.c" => wrong, "a@b_c" => wrong, "ä@b" => wrong, "a@ä" => wrong,
            "a@b\n" => wrong, "<a@b>" => wrong, format!("a@{label}a") => wrong,
        ]
    );
}

#[test]
fn host_names_addresses_and_uuids() {
    let long = format!("{0}.{0}.{0}.{0}", "a".repeat(63));
    let wrong = "must be a valid host name";
    check_field!(Text.hostname, good: ["a", "example.com", "example.com.", "x-1.2y", "1.a"], bad: [
        "" => wrong, "." => wrong, "a..b" => wrong, "-a" => wrong, "a-" => wrong, "a_b" => wrong, "127.0.0.1" => wrong,
        "a.1" => wrong, "ä.de" => wrong, long => wrong,
    ]);
    let wrong = "must be a valid IP address";
    check_field!(Text.ip, good: ["127.0.0.1", "::1", "2001:db8::a"], bad: [
        "" => wrong, "127.0.0" => wrong, "256.0.0.1" => wrong, ":::" => wrong, "1.2.3.4/8" => wrong, "[::1]" => wrong,
    ]);
    let wrong = "must be a valid UUID";
    check_field!(Text.uuid, good: ["00000000-0000-0000-0000-000000000000", "0198F3a4-7b6c-7def-8abc-0123456789ab"], bad: [
        "" => wrong, "0198f3a47b6c7def8abc0123456789ab" => wrong, "0198f3a4-7b6c-7def-8abc-0123456789ag" => wrong,
        "0198f3a4-7b6c-7def-8abc-0123456789a" => wrong, "{198f3a4-7b6c-7def-8abc-0123456789a}" => wrong,
        "0198f3a407b6c-7def-8abc-0123456789ab" => wrong, "0198f3a4-7b6c-7def-8abc-0123456789ä" => wrong,
    ]);
    check_field!(Text.not_uuid, good: ["anything"], bad: []);
}

#[test]
fn booleans_bytes_and_enums() {
    check_field!(Others.r#const, good: [true], bad: [false => "must be true"]);
    check_field!(Others.len, good: ["ab"], bad: ["a" => "must be exactly 2 bytes long, is 1"]);
    check_field!(Others.min_len, good: ["ab"], bad: ["a" => "must be at least 2 bytes long, is 1"]);
    check_field!(Others.max_len, good: ["", "ab"], bad: ["ä.b" => "must be at most 2 bytes long, is 4"]);
    check_field!(Others.defined, good: [Color::Unspecified, Color::Blue], bad: [
        3 => "must be a value of Color", -1 => "must be a value of Color",
    ]);
    check_field!(Others.r#in, good: [1, 2], bad: [
        0 => "must be one of COLOR_RED, COLOR_GREEN", 4 => "must be one of COLOR_RED, COLOR_GREEN",
    ]);
    check_field!(Others.not_in, good: [1, 17], bad: [0 => "must be none of COLOR_UNSPECIFIED"]);
    check_field!(Others.fixed, good: [Color::Green], bad: [Color::Blue => "must be COLOR_GREEN", 0 => "must be COLOR_GREEN"]);
}
