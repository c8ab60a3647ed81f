//! The requests in REST, and what is looked at of their answers.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::LazyLock;

use memchr::memmem::{Finder, find_iter};

use super::http1::Http1;
use super::{Answer, COUNTER, Call, MESSAGE, PAGE};
use crate::Result;

/// How much of a wrong answer is shown.
const SHOWN: usize = 300;
const UUID: usize = 36;

static ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"id\""));
static COUNT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"count\""));

pub(super) struct Rest {
    http: Http1,
    /// The headers of each request, with the line before them open.
    headers: String,
    request: Vec<u8>,
    body: Vec<u8>,
}

impl Rest {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let http = Http1::connect(address).await?;
        let headers =
            format!(" HTTP/1.1\r\nhost: {address}\r\nuser-agent: bench\r\naccept: application/json\r\n");
        Ok(Self { http, headers, request: vec![], body: vec![] })
    }

    pub(super) async fn call(&mut self, call: Call<'_>) -> Result<Answer> {
        self.write(call)?;
        let (status, body) = self.http.exchange(&self.request).await?;
        let right = if (200..300).contains(&status) { check(call, body) } else { None };
        right.ok_or_else(|| {
            let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
            format!("a wrong answer: {status} {shown}").into()
        })
    }

    pub(super) async fn next_page(&mut self, token: &str) -> Result<String> {
        self.write(Call::Page(token))?;
        let (_, body) = self.http.exchange(&self.request).await?;
        let page: serde_json::Value = serde_json::from_slice(body)?;
        Ok(page["nextPageToken"].as_str().unwrap_or_default().to_owned())
    }

    fn write(&mut self, call: Call<'_>) -> Result<()> {
        let Self { headers, request, body, .. } = self;
        request.clear();
        body.clear();
        match call {
            Call::Film(id) => write!(request, "GET /v1/films/{id}{headers}\r\n")?,
            Call::Page(token) => {
                write!(request, "GET /v1/films?page_size={PAGE}&page_token={token}{headers}\r\n")?;
            }
            Call::Search(word) => {
                write!(request, "GET /v1/films:search?query={word}&page_size={PAGE}{headers}\r\n")?;
            }
            Call::Create(number) => {
                write!(
                    body,
                    r#"{{"name":"Ada Lovelace","email":"ada.{number}@example.com","message":"{MESSAGE}"}}"#
                )?;
                write!(request, "POST /v1/submissions{headers}")?;
            }
            Call::Visit => {
                body.extend_from_slice(b"{}");
                write!(request, "POST /v1/visitors/{COUNTER}:increment{headers}")?;
            }
        }
        if !body.is_empty() {
            write!(request, "content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len())?;
            request.extend_from_slice(body);
        }
        Ok(())
    }
}

/// What the answer says, if it is one to this call.
fn check(call: Call<'_>, body: &[u8]) -> Option<Answer> {
    // A key in quotes is found whatever space there is around it; within a text, quotes would be escaped.
    let films = || find_iter(body, "\"title\"").count();
    match call {
        Call::Film(id) => (number(body, &ID)? == u64::try_from(id).ok()?).then_some(Answer::Read),
        Call::Page(_) => (films() == PAGE).then_some(Answer::Read),
        Call::Search(_) => (1..=PAGE).contains(&films()).then_some(Answer::Read),
        Call::Create(_) => {
            let id = after(body, &ID)?.strip_prefix(b"\"")?;
            (id.get(UUID) == Some(&b'"')).then_some(Answer::Created)
        }
        Call::Visit => number(body, &COUNT).map(Answer::Visited),
    }
}

/// What stands behind the first of this key.
fn after<'a>(body: &'a [u8], key: &Finder<'_>) -> Option<&'a [u8]> {
    let behind = body.get(key.find(body)? + key.needle().len()..)?;
    Some(behind.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

/// A number, in quotes or not: 64 bits of it are a string in the JSON of protobuf.
fn number(body: &[u8], key: &Finder<'_>) -> Option<u64> {
    let value = after(body, key)?;
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let digits = value.iter().position(|byte| !byte.is_ascii_digit())?;
    str::from_utf8(&value[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
