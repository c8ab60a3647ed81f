use super::error;
use super::tail::Tail;
use crate::config::{ConfigError, percent};

/// The characters that mean something else in a URL, and how to write them.
const ESCAPES: [(char, &str); 5] = [('@', "%40"), ('#', "%23"), ('/', "%2F"), ('?', "%3F"), ('%', "%25")];

/// Refuses a `USER:PASSWORD` that is not escaped as it should be, and shows how it should be.
pub(super) fn check(login: &str, tail: Option<&Tail<'_>>) -> Result<(), ConfigError> {
    let (user, password) =
        login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
    let (in_user, in_password) = (offenders(user), password.map(offenders).unwrap_or_default());
    let place = match (in_user.is_empty(), in_password.is_empty()) {
        (true, true) => return Ok(()),
        (true, false) => "the password holds",
        (false, true) => "the user name holds",
        (false, false) => "the user name and the password hold",
    };
    let wrong =
        ESCAPES.iter().filter(|(sign, _)| in_user.iter().chain(&in_password).any(|(_, found)| found == sign));
    let wrong: Vec<_> =
        wrong.map(|(sign, escape)| format!("`{sign}`, which must be written `{escape}`")).collect();
    // A user name with such signs, or one without a password, may well be a password whose user was forgotten.
    let login = match password {
        Some(password) => {
            format!(
                "{}:{}",
                escape(user, &in_user, !in_user.is_empty()),
                escape(password, &in_password, true)
            )
        }
        None => escape(user, &in_user, true),
    };
    // Where another `@` follows, the host that we read may be a piece of the password as well.
    let tail = tail.map(|tail| tail.text).filter(|tail| !tail.contains('@')).unwrap_or("HOST:PORT/NAME");
    Err(error(&format!(
        "{place} {}: postgres://{login}@{tail} (*** stands for what is right as it is). Or give the parts instead of \
         the URL, where nothing is escaped: SELVEDGE_DATABASE_HOST, SELVEDGE_DATABASE_USER, \
         SELVEDGE_DATABASE_PASSWORD (or SELVEDGE_DATABASE_PASSWORD_FILE) and SELVEDGE_DATABASE_NAME",
        wrong.join(", and ")
    )))
}

/// The characters that should have been escaped, with their positions.
fn offenders(text: &str) -> Vec<(usize, char)> {
    let strays: Vec<usize> = percent::strays(text).collect();
    text.char_indices().filter(|(at, sign)| "@#/?".contains(*sign) || strays.contains(at)).collect()
}

/// The text as it should be written; `masked`, with `***` for all that was right.
fn escape(text: &str, offenders: &[(usize, char)], masked: bool) -> String {
    let keep = |right: &str| if masked && !right.is_empty() { "***".to_owned() } else { right.to_owned() };
    let mut escaped = String::new();
    let mut done = 0;
    for (at, sign) in offenders {
        let written = ESCAPES.iter().find(|(escaped, _)| escaped == sign).map_or("", |(_, written)| written);
        escaped.extend([&keep(&text[done..*at]), written]);
        done = at + sign.len_utf8();
    }
    escaped + &keep(&text[done..])
}
