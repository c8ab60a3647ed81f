use super::*;

fn page(films: usize) -> String {
    format!(r#"{{"films":[{}]}}"#, vec![r#"{"id":1,"title":"A"}"#; films].join(","))
}

#[test]
fn right_answers_are_taken_however_they_are_written() {
    for body in [r#"{"id":7,"title":"A"}"#, "{ \"id\" : 7 }"] {
        assert_eq!(check(Call::Film(7), body.as_bytes()), Some(Answer::Read), "{body}");
    }
    assert_eq!(check(Call::Page(""), page(PAGE).as_bytes()), Some(Answer::Read));
    assert_eq!(check(Call::Search("a"), page(3).as_bytes()), Some(Answer::Read));
    let created = r#"{"id":"019a0000-0000-7000-8000-000000000000","name":"A"}"#;
    assert_eq!(check(Call::Create(1), created.as_bytes()), Some(Answer::Created));
    for body in [r#"{"count":"12"}"#, r#"{"count": 12}"#] {
        assert_eq!(check(Call::Visit, body.as_bytes()), Some(Answer::Visited(12)), "{body}");
    }
}

/// The control of the test above: each of these is noticed.
#[test]
fn wrong_answers_are_not() {
    for body in [r#"{"id":8}"#, r#"{"id":77}"#, r#"{"title":"A"}"#, r#"{"id":7"#, ""] {
        assert_eq!(check(Call::Film(7), body.as_bytes()), None, "{body}");
    }
    for films in [0, PAGE - 1, PAGE + 1] {
        assert_eq!(check(Call::Page(""), page(films).as_bytes()), None, "{films}");
    }
    assert_eq!(check(Call::Search("a"), page(0).as_bytes()), None);
    for body in [r#"{"id":""}"#, r#"{"id":1}"#, "{}"] {
        assert_eq!(check(Call::Create(1), body.as_bytes()), None, "{body}");
    }
    for body in [r#"{"count":""}"#, r#"{"count":"x"}"#, "{}"] {
        assert_eq!(check(Call::Visit, body.as_bytes()), None, "{body}");
    }
}
