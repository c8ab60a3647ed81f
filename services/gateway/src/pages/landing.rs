//! The page at `/`: what is served here, whether it is well, and how to call it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use selvedge_transcode::{Routes, Schema};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{HTML, Page, escape};

const PAGE: &str = include_str!("landing.html");
const STYLE: &str = include_str!("landing.css");
const SCRIPT: &str = include_str!("landing.js");

/// A service as the page lists it.
#[derive(Clone, Debug)]
pub(crate) struct ServiceEntry<'a> {
    /// Its full name.
    pub(crate) name: &'a str,
    /// What its proto says of it.
    pub(crate) comment: &'a str,
    pub(crate) health: Health,
}

/// What is known of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Serving,
    Down,
    /// Nobody has asked yet.
    Unknown,
}

impl Health {
    /// As `/status` has it, and the page's style.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// The parts of the page that do not change.
#[derive(Debug)]
pub(crate) struct Landing {
    title: String,
    version: String,
    examples: Examples,
    policy: HeaderValue,
}

/// Calls that work as they stand.
#[derive(Debug, Default, PartialEq, Eq)]
struct Examples {
    /// The path of a GET that needs nothing.
    get: Option<String>,
    /// The gRPC method behind it.
    method: Option<String>,
    /// The path and the body of a POST.
    post: Option<(String, String)>,
}

impl Landing {
    pub(crate) fn new(
        title: &str,
        version: &str,
        schema: &Schema,
        routes: &Routes,
        document: &Value,
    ) -> Self {
        let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(SCRIPT),
            hash(STYLE),
        );
        Self {
            title: title.to_owned(),
            version: version.to_owned(),
            examples: Examples::of(schema, routes, document),
            policy: HeaderValue::try_from(policy).expect("base64 is fit for a header"),
        }
    }

    /// The page for a caller who came by this origin, such as `http://localhost:8080`.
    pub(crate) fn page(&self, origin: &str, services: &[ServiceEntry<'_>]) -> Page {
        let origin = if is_origin(origin) { origin } else { "http://localhost:8080" };
        let fills = [
            ("{{title}}", escape(&self.title)),
            ("{{version}}", escape(&self.version)),
            ("{{services}}", list(services)),
            ("{{examples}}", self.examples.html(origin)),
        ];
        // Script and style last, and as they are: what they are is what the policy allows.
        let html = fills.iter().fold(PAGE.to_owned(), |html, (name, fill)| html.replace(name, fill));
        let html = html.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT);
        Page { policy: self.policy.clone(), ..Page::new(html, HTML) }
    }
}

/// What comes from a `Host` header goes into commands that people copy.
fn is_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.len() <= 255 && host.bytes().all(is_plain))
}

fn list(services: &[ServiceEntry<'_>]) -> String {
    let mut html = String::new();
    for service in services {
        let (package, name) = service.name.rsplit_once('.').unwrap_or(("", service.name));
        let comment = service.comment.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let state = service.health.name();
        write!(
            html,
            "<li data-service=\"{}\" data-state=\"{state}\"><h3>{}</h3> <small>{}</small> \
             <span class=\"state\" role=\"status\">{state}</span><p>{}</p></li>",
            escape(service.name),
            escape(name),
            escape(package),
            with_code(&comment),
        )
        .expect("a text takes any text");
    }
    html
}

/// What stands in backticks is code.
fn with_code(comment: &str) -> String {
    let parts = comment.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) })
        .collect()
}

impl Examples {
    fn of(schema: &Schema, routes: &Routes, document: &Value) -> Self {
        let mut examples = Self::default();
        for route in routes.all() {
            let path = &*route.template.text;
            let operation = &document["paths"][path][route.http_method.to_ascii_lowercase()];
            let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
            let needs = |parameter: &Value| parameter["required"] == true;
            if !operation.is_object() || parameters.iter().any(needs) {
                continue;
            }
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            match &*route.http_method {
                "GET" if examples.get.is_none() => {
                    let service = &schema.services()[route.service];
                    examples.method = Some(service.methods[route.method].path.to_string());
                    examples.get = Some(path.to_owned());
                }
                "POST" if examples.post.is_none() && body.is_object() => {
                    examples.post = Some((path.to_owned(), body.to_string()));
                }
                _ => {}
            }
        }
        examples
    }

    fn html(&self, origin: &str) -> String {
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        let plain = if origin.starts_with("https:") { "" } else { "-plaintext " };
        let prior = if origin.starts_with("https:") { "" } else { " --http2-prior-knowledge" };
        let port = if authority.trim_end_matches(']').contains(':') {
            ""
        } else if plain.is_empty() {
            ":443"
        } else {
            ":80"
        };
        let mut commands = vec![];
        commands.extend(self.get.as_ref().map(|path| ("Read", format!("curl '{origin}{path}'"))));
        commands.extend(self.post.as_ref().map(|(path, body)| {
            let body = body.replace('\'', "'\\''");
            ("Create", format!("curl '{origin}{path}' --json '{body}'"))
        }));
        commands.push(("What is there", format!("grpcurl {plain}{authority}{port} list")));
        commands.extend(
            self.method.as_ref().map(|path| {
                ("Over gRPC", format!("buf curl --protocol grpc{prior} -d '{{}}' {origin}{path}"))
            }),
        );
        let block = |(title, command): &(&str, String)| {
            format!(
                "<figure><figcaption>{title}</figcaption><pre tabindex=\"0\"><code>{}</code></pre></figure>",
                escape(command)
            )
        };
        commands.iter().map(block).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_send_is_not_html_and_not_a_command() {
        assert!(is_origin("http://localhost:8080") && is_origin("https://[::1]:8080"));
        for origin in ["", "localhost", "http://", "http://a b", "http://a'$(x)", "http://<b>", "ftp://a"] {
            assert!(!is_origin(origin), "{origin}");
        }
        assert_eq!(escape("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
    }

    #[test]
    fn commands_are_quoted() {
        let examples = Examples {
            get: Some("/v1/films".into()),
            method: Some("/films.v1.FilmService/ListFilms".into()),
            post: Some(("/v1/films".into(), r#"{"title":"It's <here>"}"#.into())),
        };
        let html = examples.html("https://films.example");
        assert!(html.contains("curl &#39;https://films.example/v1/films&#39;"), "{html}");
        assert!(html.contains(r"It&#39;\&#39;&#39;s &lt;here&gt;"), "{html}");
        assert!(html.contains("grpcurl films.example:443 list"), "{html}");
        assert!(Examples::default().html("http://[::1]:8080").contains("grpcurl -plaintext [::1]:8080 list"));
    }
}
