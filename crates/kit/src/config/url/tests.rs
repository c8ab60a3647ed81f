use super::*;
use crate::config::TlsMode;

fn message(url: &str) -> String {
    parse(url).expect_err(url).to_string()
}

fn escape(password: &str) -> String {
    password.bytes().fold(String::new(), |escaped, byte| format!("{escaped}%{byte:02X}"))
}

#[test]
fn all_parts_are_read() {
    let url = "postgresql://a%40b:p%40%23%2F%3F%25:w@db.example:6432/my%2Fdb\
               ?sslmode=verify-full&sslrootcert=/etc/a%20b.pem&application_name=me@here/1";
    let expected = Target {
        host: "db.example".to_owned(),
        port: 6432,
        user: "a@b".to_owned(),
        password: Some(Secret::new("p@#/?%:w")),
        database: "my/db".to_owned(),
        socket: false,
        application_name: Some("me@here/1".to_owned()),
        tls: Some(TlsMode::VerifyFull),
        tls_root_cert: Some("/etc/a b.pem".into()),
    };
    assert_eq!(parse(url), Ok(expected));
}

#[test]
fn what_is_left_out_has_a_default() {
    let target = parse("postgres://me@db").unwrap();
    assert_eq!((target.port, target.password, target.database.as_str()), (5432, None, "me"));
    assert_eq!((target.tls, target.tls_root_cert, target.application_name), (None, None, None));
    assert_eq!(parse("postgres://me:@db/").unwrap().password, Some(Secret::new("")));
}

#[test]
fn hosts_may_be_sockets_and_addresses() {
    for (location, host, port, socket) in [
        ("[::1]/d", "::1", 5432, false),
        ("[2001:db8::1]:6432/d", "2001:db8::1", 6432, false),
        ("127.0.0.1:1/d", "127.0.0.1", 1, false),
        ("my_db-1:65535/d", "my_db-1", 65535, false),
        ("%2Frun%2Fpg/d", "/run/pg", 5432, true),
        ("%2Frun%2Fpg:6432/d", "/run/pg", 6432, true),
        ("/d?host=/run/pg", "/run/pg", 5432, true),
        ("/d?host=%2Frun%2Fa%40b", "/run/a@b", 5432, true),
        (":6432/d?host=/run/a@b", "/run/a@b", 6432, true),
        ("localhost/d?host=/run/pg", "/run/pg", 5432, true),
    ] {
        let target = parse(&format!("postgres://u:p@{location}")).expect(location);
        assert_eq!((target.host.as_str(), target.port, target.socket), (host, port, socket), "{location}");
        assert_eq!((target.user.as_str(), target.database.as_str()), ("u", "d"), "{location}");
    }
}

#[test]
fn an_unescaped_sign_is_named_and_the_right_url_shown() {
    for (url, signs, fixed) in [
        ("postgres://u:p#w@host/db", "#", "postgres://u:***%23***@host/db "),
        ("postgres://u:p@w@host/db", "@", "postgres://u:***%40***@host/db "),
        ("postgres://u:p/w@host/db", "/", "postgres://u:***%2F***@host/db "),
        ("postgres://u:p?w@host/db", "?", "postgres://u:***%3F***@host/db "),
        ("postgres://u:p%w@host/db", "%", "postgres://u:***%25***@host/db "),
        ("postgres://u:100%@host/db", "%", "postgres://u:***%25@host/db "),
        ("postgres://u:123/w@host/db", "/", "postgres://u:***%2F***@host/db "),
        ("postgres://u:123?w=1@host/db", "?", "postgres://u:***%3F***@host/db "),
        (
            "postgres://u:#ThawZin2k77!@h:1/d?sslmode=require",
            "#",
            "postgres://u:%23***@h:1/d?sslmode=require ",
        ),
        ("postgres://u:DevSecurePass123!@#@host/db", "@#", "postgres://u:***%40%23@host/db "),
        ("postgres://u:@@@[::1]/db", "@", "postgres://u:%40%40@[::1]/db "),
        ("postgres://u:a%23b#c%zz@host", "#%", "postgres://u:***%23***%25***@host "),
        ("postgres://u@corp:pw@host/db", "@", "postgres://***%40***:***@host/db "),
        ("postgres://u@corp:p/w@host/db", "@/", "postgres://***%40***:***%2F***@host/db "),
        // Without a colon, who knows what it is.
        ("postgres://Ti#ger@host/db", "#", "postgres://***%23***@host/db "),
        // A host that may be a piece of the password is not shown.
        ("postgres://u:a#b@w?application_name=x@host/db", "#", "postgres://u:***%23***@HOST:PORT/NAME "),
        ("postgres://u:a#b@host:port/db", "#", "postgres://u:***%23***@HOST:PORT/NAME "),
    ] {
        let message = message(url);
        assert!(message.contains(fixed), "{url}: {message}");
        for (sign, escape) in [("@", "%40"), ("#", "%23"), ("/", "%2F"), ("?", "%3F"), ("%", "%25")] {
            let named = message.contains(&format!("`{sign}`, which must be written `{escape}`"));
            assert_eq!(named, signs.contains(sign), "{url}: {message}");
        }
        assert!(message.contains("SELVEDGE_DATABASE_PASSWORD"), "{message}");
    }
}

#[test]
fn every_password_works_once_it_is_escaped_and_as_the_message_says() {
    for password in passwords() {
        let target = parse(&format!("postgres://u:{}@host/db", escape(&password))).expect(&password);
        assert_eq!(target.password, Some(Secret::new(password.clone())));
        assert_eq!(target.host, "host");
        let raw = parse(&format!("postgres://u:{password}@host/db"));
        if password.contains(['@', '#', '/', '?', '%']) {
            assert!(raw.is_err(), "{password}");
        } else {
            assert_eq!(raw.expect(&password), target);
        }
    }
}

#[test]
fn other_mistakes_are_named() {
    for (url, part) in [
        ("", "must begin with postgres://"),
        ("mysql://u:p@h/d", "must begin with postgres://"),
        ("host=h user=u", "must begin with postgres://"),
        ("postgres://", "names no user"),
        ("postgres://host/db", "names no user"),
        ("postgres://host/db?application_name=a@b", "names no user"),
        ("postgres://:p@host/db", "names no user"),
        ("postgres://u:p@/db", "names no host"),
        ("postgres://u:p@host:0/db", "port"),
        ("postgres://u:p@host:/db", "port"),
        ("postgres://u:p@host:65536/db", "port"),
        ("postgres://u:p@host:+1/db", "port"),
        ("postgres://u:p@[::1/db", "`[` without a `]`"),
        ("postgres://u:p@[::g]/db", "not an IPv6 address"),
        ("postgres://u:p@[::1]x/db", "port"),
        ("postgres://u:p@a,b/db", "no host name has"),
        ("postgres://u:p@a%40b/db", "no host name has"),
        ("postgres://u:p@host/a/b", "name of the database"),
        ("postgres://u:p@host/a%", "name of the database holds a `%`"),
        ("postgres://u:p@host/db#x", "`#`"),
        ("postgres://u:p%00@host/db", "the password holds `%00`"),
        ("postgres://u:p%FF@host/db", "the password holds escapes that are not UTF-8"),
        ("postgres://u:p@host/db?foo_bar=1", "the parameter `foo_bar` is unknown"),
        ("postgres://u:p@host/db?Tiger7=1", ": a parameter after the `?` is unknown"),
        ("postgres://u:p@host/db?sslmode", "has no value"),
        ("postgres://u:p@host/db?sslmode=maybe", "sslmode must be disable, prefer"),
        ("postgres://u:p@host/db?host=a%20b", "no host name has"),
        ("postgres://u:p@host/db?application_name=%", "the parameter `application_name` holds a `%`"),
    ] {
        let message = message(url);
        assert!(message.contains(part), "{url}: {message}");
    }
    assert!(message(&format!("postgres://u:{}@host/db", "@".repeat(LONGEST))).contains("longer"));
}

/// Passwords of the pieces `Tiger`, `Lion7` and `Bear` with all combinations of signs around them.
fn passwords() -> Vec<String> {
    let signs = ["", "@", "#", "/", "?", "%", ":", "!@#", "?x=", "[", "%g"];
    let mut passwords = Vec::new();
    for first in signs {
        for second in signs {
            for third in signs {
                passwords.push(format!("{first}Tiger{second}Lion7{third}"));
                passwords.push(format!("Tiger{first}Lion7{second}Bear{third}"));
            }
        }
    }
    passwords
}

/// What else may be wrong with the URL around the password.
const FRAMES: [&str; 16] = [
    "postgres://u:*@host/db",
    "postgres://u:*@host:5432/db?application_name=a@b",
    "postgres://u:*@host:port/db",
    "postgres://u:*@host:99999/db",
    "postgres://u:*@/db",
    "postgres://u:*@[::1/db",
    "postgres://u:*@ho st/db",
    "postgres://u:*@host/db/more",
    "postgres://u:*@host/db#fragment",
    "postgres://u:*@host/d%b",
    "postgres://u:*@host/db?sslmode=maybe",
    "postgres://u:*@host/db?foo=bar",
    "postgres://:*@host/db",
    "postgres://*@host/db",
    "http://u:*@host/db",
    "postgres:/u:*@host/db",
];

#[test]
fn no_error_shows_a_password() {
    let (mut errors, mut showing) = (0, 0);
    for frame in FRAMES {
        for password in passwords() {
            // Before a colon is the user, also where none was meant.
            if frame.contains("//*") && password.contains(':') {
                continue;
            }
            let url = frame.replace('*', &password);
            let Err(error) = parse(&url) else { continue };
            errors += 1;
            for text in [error.to_string(), format!("{error:?}")] {
                for piece in ["Tiger", "Lion7", "Bear"] {
                    assert!(!text.contains(piece), "{url}: {text}");
                }
                showing += usize::from(text.contains("***"));
            }
        }
    }
    assert!(errors > 25_000 && showing > 25_000, "{errors} errors, {showing} of them with a masked password");
}
