//! How violations are kept and told.

use selvedge_proto::{Violation, check};

use crate::broken;
use crate::protos::testing::v1::{Lists, Maps, Text};

fn too_small(count: usize) -> Lists {
    Lists { min: vec![String::new(); 2], positive: vec![0; count], ..Default::default() }
}

#[test]
fn at_most_a_hundred_are_kept_and_the_others_counted() {
    assert_eq!(broken(&too_small(100)).len(), 100);
    let lines = broken(&too_small(101));
    assert_eq!((lines.len(), lines[100].as_str()), (101, ": 1 more violation"));
    let lines = broken(&too_small(100_000));
    assert_eq!(lines[99], "positive[99]: must be greater than 0, is 0");
    assert_eq!((lines.len(), lines[100].as_str()), (101, ": 99900 more violations"));
}

#[test]
fn their_text_has_a_limit_too() {
    let values = (0..100).map(|number| (format!("{number:040}"), String::new())).collect();
    let mut maps = Maps { values, ..Default::default() };
    maps.min.extend([("a".into(), String::new()), ("b".into(), String::new())]);
    let violations = check(&maps).expect_err("a hundred values are empty").into_vec();
    let bytes: usize = violations.iter().map(|it| it.field.len() + it.description.len()).sum();
    assert!(violations.len() < 100 && (4000..4200).contains(&bytes), "{} with {bytes}", violations.len());
    let rest = 101 - violations.len();
    assert_eq!(violations.last().expect("it is not empty").description, format!("{rest} more violations"));
}

#[test]
fn callers_text_is_cut_short() {
    let secret = "correct horse battery staple ".repeat(1000);
    let message = Text {
        r#const: Some(secret.clone()),
        len: Some(secret.clone()),
        max_bytes: Some(secret.clone()),
        r#in: Some(secret.clone()),
        email: Some(secret.clone()),
        uuid: Some(secret.clone()),
        ..Default::default()
    };
    let lines = broken(&message);
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| !line.contains("horse")), "{lines:?}");

    let maps = Maps { keys: [(secret, String::new())].into(), ..Default::default() };
    let key = "keys[\"correct horse batter…\"]: key must be at most 3 characters long, is 29000";
    assert_eq!(broken(&maps)[1], key);
}

#[test]
fn they_are_told_in_one_line_and_one_by_one() {
    let violations =
        check(&Lists { positive: vec![0, 0], ..Default::default() }).expect_err("three are wrong");
    assert_eq!(violations.to_string(), "min must have at least 2 items, has 0 (and 2 more)");
    let violations = check(&Lists::default()).expect_err("a list is too short");
    assert_eq!(violations.to_string(), "min must have at least 2 items, has 0");
    let expected = Violation { field: "min".into(), description: "must have at least 2 items, has 0".into() };
    assert_eq!(violations.into_vec(), [expected]);
}
