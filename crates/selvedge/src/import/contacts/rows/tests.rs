use std::io::Cursor;

use selvedge_proto::contacts::v1::{Submission, SubmissionStatus};

use super::*;

/// Every row, as it is in the file and as it is understood.
fn read(file: impl Into<Vec<u8>>, format: Format) -> Vec<(String, Result<Submission, String>)> {
    let mut rows = Rows::new(Box::new(Cursor::new(file.into())), format).unwrap();
    let mut all = vec![];
    while rows.advance().unwrap() {
        let submission = rows.request().map(|request| request.submission.unwrap());
        all.push((String::from_utf8_lossy(rows.text()).into_owned(), submission));
    }
    all
}

fn named(name: &str) -> Result<Submission, String> {
    Ok(Submission { name: name.into(), ..Submission::default() })
}

fn row(text: &str, name: &str) -> (String, Result<Submission, String>) {
    (text.into(), named(name))
}

#[test]
fn lines_are_rows_and_blank_ones_are_not() {
    for nothing in ["", "\n", "\r\n \t\n", "\u{feff}", "\u{feff}\n"] {
        assert_eq!(read(nothing, Format::Ndjson), [], "{nothing:?}");
    }
    let file = "\u{feff}{\"name\":\"a\"}\r\n\n  \n{\"name\":\"b\"}";
    assert_eq!(read(file, Format::Ndjson), [row("{\"name\":\"a\"}", "a"), row("{\"name\":\"b\"}", "b")]);
}

#[test]
fn records_are_rows_whatever_is_in_their_quotes() {
    for nothing in ["", "\n", "\u{feff}", "name", "name\r\n", "name\n\n\r\n"] {
        assert_eq!(read(nothing, Format::Csv), [], "{nothing:?}");
    }
    let file = "\u{feff}name,\"externalId\"\r\na,\r\n\r\n\"b \"\"c\"\",\r\nd\",\n5\" e,";
    assert_eq!(
        read(file, Format::Csv),
        [row("a,", "a"), row("\"b \"\"c\"\",\r\nd\",", "b \"c\",\r\nd"), row("5\" e,", "5\" e")]
    );
}

#[test]
fn cells_are_strings_or_json_as_their_fields_are() {
    let file = "external_id,status,submittedAt,documentInsights\n\
                1,SUBMISSION_STATUS_SPAM,2024-02-29T01:00:00.5+01:00,\"{\"\"a\"\":[1,null]}\"\n\
                ,,,null\n";
    let [first, second] = &read(file, Format::Csv)[..] else { panic!("two rows") };
    let first = first.1.as_ref().unwrap();
    assert_eq!(first.external_id.as_deref(), Some("1"));
    assert_eq!(first.status(), SubmissionStatus::Spam);
    let time = first.submitted_at.as_ref().unwrap();
    assert_eq!((time.seconds, time.nanos), (1_709_164_800, 500_000_000));
    assert!(first.document_insights.as_ref().unwrap().fields.contains_key("a"));
    assert_eq!(second.1, Ok(Submission::default()));
}

#[test]
fn what_is_wrong_with_a_row_is_said() {
    let csv = "name,documentInsights\n";
    for (format, file, answer) in [
        (Format::Ndjson, "nonsense".to_owned(), "column 1"),
        (Format::Ndjson, "{} {}".to_owned(), "found `{`"),
        (Format::Ndjson, "[]".to_owned(), "expected an object"),
        (Format::Ndjson, "{\"colour\":1}".to_owned(), "colour"),
        (Format::Ndjson, "{\"status\":\"SPAM\"}".to_owned(), "SPAM"),
        (Format::Ndjson, "null".to_owned(), "expected an object"),
        (Format::Ndjson, "{".repeat(200), "expected a key"),
        (Format::Csv, format!("{csv}a"), "not as many cells"),
        (Format::Csv, format!("{csv}a,,"), "not as many cells"),
        (Format::Csv, csv.to_owned() + &",".repeat(1_000), "not as many cells"),
        (Format::Csv, format!("{csv}a,b"), "documentInsights"),
        (Format::Csv, format!("{csv}a,\"{{}},1\""), "trailing"),
        (Format::Csv, format!("{csv}a,\"{{}}\n"), "quote"),
    ] {
        let [(_, Err(said))] = &read(file.clone(), format)[..] else {
            panic!("{file} is one row, and no good")
        };
        assert!(said.contains(answer), "{file}: {said}");
    }
    let nested = |depth: usize| {
        format!("{{\"documentInsights\":{}{}}}", "{\"a\":".repeat(depth), "1".to_owned() + &"}".repeat(depth))
    };
    assert!(read(nested(20), Format::Ndjson)[0].1.is_ok());
    let deep = read(nested(50), Format::Ndjson)[0].1.clone().unwrap_err();
    assert!(deep.contains("more than 100 levels"), "{deep}");
}

#[test]
fn a_header_must_be_of_fields() {
    let header = |text: &str| match Rows::new(Box::new(Cursor::new(text.to_owned())), Format::Csv) {
        Ok(_) => "good".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(header("name,external_id\n"), "good");
    assert!(header("name,colour\n").contains("\"colour\", which is no field; there are: id, externalId"));
    assert!(header("name;email\n").contains("\"name;email\""));
    assert!(header("name,externalId,external_id\n").contains("twice"));
    assert!(header(&"x".repeat(MAX_ROW_BYTES + 1)).contains("longer"));
}

#[test]
fn a_row_that_is_too_long_does_not_hide_the_next() {
    let long = "x".repeat(MAX_ROW_BYTES);
    let ndjson = format!("{{\"name\":\"{long}\"}}\n{{\"name\":\"a\"}}\n");
    let csv = format!("name\n\"{}\"\na\n", long.replace("xx", "x\n"));
    for (format, file) in [(Format::Ndjson, ndjson), (Format::Csv, csv)] {
        let [(text, Err(said)), (_, next)] = &read(file, format)[..] else { panic!("two rows") };
        assert!(text.len() <= KEPT_BYTES && said.contains("longer than 4194304 bytes"), "{said}");
        assert_eq!(*next, named("a"));
    }
    let fits = format!("{{\"name\":\"{}\"}}\n", &long[..MAX_ROW_BYTES - 12]);
    assert!(read(fits, Format::Ndjson)[0].1.is_ok());
    for format in [Format::Ndjson, Format::Csv] {
        let rows = read(b"name\n\xff\n".to_vec(), format);
        assert!(rows.last().unwrap().1.as_ref().unwrap_err().starts_with("not UTF-8"));
    }
}
