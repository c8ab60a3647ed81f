//! In which form a caller takes errors, by its `Accept`.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::config::ErrorFormat;

/// What a caller asks for who wants `google.rpc.Status`.
const STATUS_JSON: &str = "application/vnd.google.rpc.status+json";
/// The other form, and its media type.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// The form that the caller likes best; where it has no preference, the usual one.
pub(super) fn error_format(headers: &HeaderMap, usual: ErrorFormat) -> ErrorFormat {
    let (status, problem) = (liking(headers, STATUS_JSON), liking(headers, PROBLEM_JSON));
    if status > problem {
        ErrorFormat::Status
    } else if problem > status {
        ErrorFormat::Problem
    } else {
        usual
    }
}

/// How much is liked what is named; what is not named comes between that and what is refused. Stars stand for both forms.
fn liking(headers: &HeaderMap, media_type: &str) -> f32 {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let named = lines.flat_map(|line| line.split(',')).find_map(|choice| {
        let (name, parameters) = choice.split_once(';').unwrap_or((choice, ""));
        name.trim().eq_ignore_ascii_case(media_type).then(|| quality(parameters))
    });
    match named {
        None => 0.0,
        Some(0.0) => -1.0,
        Some(quality) => quality,
    }
}

/// From 0 to 1; what is not written so says nothing.
fn quality(parameters: &str) -> f32 {
    let said = parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let quality = said.and_then(|value| value.parse().ok());
    quality.filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> [ErrorFormat; 2] {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
        [ErrorFormat::Problem, ErrorFormat::Status].map(|usual| error_format(&headers, usual))
    }

    #[test]
    fn the_caller_chooses_and_the_usual_form_breaks_ties() {
        let [problem, status, usual] = [
            [ErrorFormat::Problem; 2],
            [ErrorFormat::Status; 2],
            [ErrorFormat::Problem, ErrorFormat::Status],
        ];
        for (accept, format) in [
            (STATUS_JSON.to_owned(), status),
            (PROBLEM_JSON.to_owned(), problem),
            (format!("*/*, {};v=1; Q=0.1", STATUS_JSON.to_uppercase()), status),
            (format!("{STATUS_JSON};q=0"), problem),
            (format!("{PROBLEM_JSON};q=0.0, */*"), status),
            (format!("{STATUS_JSON};q=0.5, {PROBLEM_JSON};q=0.6"), problem),
            (format!("{STATUS_JSON};q=0.7, {PROBLEM_JSON};q=0.6"), status),
            (format!("{STATUS_JSON}, {PROBLEM_JSON}"), usual),
            (format!("{STATUS_JSON};q=0, {PROBLEM_JSON};q=0"), usual),
            (format!("{STATUS_JSON};q=nan, {PROBLEM_JSON};q=0.9"), status),
            ("application/json".to_owned(), usual),
            (String::new(), usual),
        ] {
            assert_eq!(of(&accept), format, "{accept}");
        }
    }
}
