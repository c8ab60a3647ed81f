//! What is required, what is ignored, and the members of oneofs.

use prost_types::Timestamp;

use crate::broken;
use crate::protos::testing::v1::{Choice, Color, Ignored, Inner, Presence, choice};

fn inner() -> Inner {
    Inner { name: "x".into(), ..Default::default() }
}

#[test]
fn required_fields() {
    let all: Vec<_> =
        ["message", "present", "text", "number", "flag", "float", "color", "bytes", "list", "map"]
            .map(|field| format!("{field}: is required"))
            .into();
    assert_eq!(broken(&Presence::default()), all);
    let valid = Presence {
        message: Some(inner()),
        present: Some(String::new()),
        text: "ab".into(),
        number: -1,
        flag: true,
        float: 0.1,
        color: Color::Red.into(),
        bytes: vec![0],
        list: vec![String::new()],
        map: [(String::new(), String::new())].into(),
    };
    assert!(broken(&valid).is_empty());
    let present_but_invalid = Presence { text: "a".into(), message: Some(Inner::default()), ..valid };
    let expected = ["message.name: must not be empty", "text: must be at least 2 characters long, is 1"];
    assert_eq!(broken(&present_but_invalid), expected);
}

#[test]
fn zero_values_may_be_exempt_from_rules() {
    assert!(broken(&Ignored::default()).is_empty());
    let set = Ignored {
        text: "a".into(),
        bytes: vec![0],
        flag: true,
        float: 0.5,
        color: Color::Red.into(),
        list: vec![String::new()],
        map: [(String::new(), String::new())].into(),
        // Presence is tracked here, so that zero is a value like any other.
        tracked: Some(String::new()),
        ..Default::default()
    };
    let expected = [
        "text: must be at least 3 characters long, is 1",
        "bytes: must be at least 3 bytes long, is 1",
        "float: must be greater than 3, is 0.5",
        "color: must be COLOR_GREEN",
        "list: must have at least 2 items, has 1",
        "map: must have at least 2 entries, has 1",
        "tracked: must be at least 3 characters long, is 0",
    ];
    assert_eq!(broken(&set), expected);
}

#[test]
fn fields_may_be_exempt_from_all_rules_and_messages_from_all_checks() {
    let bad = Inner { name: "\0".into(), ..inner() };
    let message = Ignored {
        never_text: "\0".into(),
        never_message: Some(bad.clone()),
        never_list: vec![Inner::default(), bad.clone()],
        never_map: [("\0".into(), bad)].into(),
        ..Default::default()
    };
    // Text that the database cannot store is no matter of rules.
    let zero = "must not contain the character U+0000";
    let expected = [format!("never_text: {zero}"), format!("never_map[\"\\0\"]: key {zero}")];
    assert_eq!(broken(&message), expected);
}

fn choice(channel: choice::Channel) -> Choice {
    Choice {
        channel: Some(channel),
        r#type: Some(choice::TypeOneOf::First(String::new())),
        ..Default::default()
    }
}

#[test]
fn oneofs_and_members_of_them_can_be_required() {
    let expected = ["channel: is required: one of email, inner, choice, number, color", "first: is required"];
    assert_eq!(broken(&Choice::default()), expected);
    let other =
        Choice { r#type: Some(choice::TypeOneOf::Second("ab".into())), ..choice(choice::Channel::Number(7)) };
    assert_eq!(broken(&other), ["first: is required"]);
    assert!(broken(&choice(choice::Channel::Color(17))).is_empty());
}

#[test]
fn members_of_oneofs_and_messages_in_them_have_rules() {
    use choice::{Channel, TypeOneOf};
    assert!(broken(&choice(Channel::Email("a@b".into()))).is_empty());
    assert_eq!(broken(&choice(Channel::Email("a".into()))), ["email: must be a valid email address"]);
    assert_eq!(broken(&choice(Channel::Email("a@b\0".into()))).len(), 2);
    assert!(broken(&choice(Channel::Inner(inner()))).is_empty());
    assert_eq!(broken(&choice(Channel::Inner(Inner::default()))), ["inner.name: must not be empty"]);
    assert!(broken(&choice(Channel::Number(9))).is_empty());
    assert_eq!(broken(&choice(Channel::Number(8))), ["number: must be one of 7, 9"]);

    let nested = choice(Channel::Choice(choice(Channel::Inner(Inner::default())).into()));
    assert_eq!(broken(&nested), ["choice.inner.name: must not be empty"]);
    let unset = choice(Channel::Choice(Choice { channel: None, ..choice(Channel::Number(7)) }.into()));
    assert_eq!(broken(&unset), ["choice.channel: is required: one of email, inner, choice, number, color"]);

    let mut message = choice(Channel::Number(7));
    message.r#type = Some(TypeOneOf::Third(Timestamp { seconds: -1, nanos: 0 }));
    message.self_ = Some(choice::Type { r#match: "ab".into() });
    let expected = [
        "third: must be greater than 1970-01-01T00:00:00Z, is 1969-12-31T23:59:59Z",
        "first: is required",
        "self.match: must be at most 1 character long, is 2",
    ];
    assert_eq!(broken(&message), expected);
}
