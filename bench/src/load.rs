//! Makes load: connections with one request in flight each, whose answers are checked while they are measured.

mod grpc;
mod http1;
mod measure;
mod pace;
mod rest;
mod visits;

use std::net::SocketAddr;
use std::time::Instant;

use clap::ValueEnum;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use serde::Serialize;

use crate::Result;
use grpc::Grpc;
use http1::Http1;
use rest::Rest;

pub(crate) use measure::{Measured, Plan, run};

/// How many films are on a page, and found by a search at most.
pub(crate) const PAGE: usize = 20;
/// How many different pages are asked for at most.
const PAGES: usize = 16;
pub(crate) const COUNTER: &str = "visitor_count";
pub(crate) const MESSAGE: &str = "Good morning, I have a question about a film that I rented last week: the disc stops \
     in the middle of the second act, always in the same scene. Could you look whether you have another copy of it?";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Work {
    /// One film by its id
    Film,
    /// Twenty films, from anywhere in the list by title
    Page,
    /// Twenty films with a word
    Search,
    /// A submission is stored
    Create,
    /// A visit is counted, all of them by one counter
    Visit,
    /// A film four times out of five, else a create
    Mix,
}

/// What there is to ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Their ids are the numbers from 1 on.
    pub(crate) films: i32,
    /// Each of them is in a film.
    pub(crate) words: Vec<String>,
    /// The tokens of full pages, spread over the list; of the first page it is empty. Everyone has tokens of their own.
    pub(crate) pages: Vec<String>,
}

/// Whom to ask.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Rest(SocketAddr),
    Grpc { catalog: SocketAddr, contacts: SocketAddr },
}

/// One request.
#[derive(Clone, Copy, Debug)]
enum Call<'a> {
    Film(i32),
    /// The one that has this token.
    Page(&'a str),
    Search(&'a str),
    /// With something that makes it different from all others.
    Create(u64),
    Visit,
}

/// What an answer that is right says of what was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Read,
    Created,
    Visited(u64),
}

/// What is answered there, with its status.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<(u16, Vec<u8>)> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut http = Http1::connect(address).await?;
    let (status, body) = http.exchange(request.as_bytes()).await?;
    Ok((status, body.to_vec()))
}

/// The pages that are asked for: full ones from all over a list of so many films.
pub(crate) fn pages(films: i32) -> impl Iterator<Item = usize> {
    let full = usize::try_from(films).unwrap_or(0) / PAGE;
    (0..full).step_by(full.div_ceil(PAGES).max(1))
}

/// Their tokens, as somebody gives them out.
pub(crate) async fn page_tokens(target: Target, films: i32) -> Result<Vec<String>> {
    let mut client = Client::connect(target).await?;
    let mut all = vec![String::new()];
    let mut wanted = vec![];
    for page in pages(films) {
        while all.len() <= page {
            let next = client.next_page(&all[all.len() - 1]).await?;
            all.push(next);
        }
        wanted.push(all[page].clone());
    }
    Ok(wanted)
}

/// One call, for what it leads to.
pub(crate) async fn once(target: Target, work: Work, known: &Known) -> Result<()> {
    Client::connect(target).await?.call(work.next(known)).await?;
    Ok(())
}

enum Client {
    Rest(Rest),
    Grpc(Box<Grpc>),
}

impl Client {
    async fn connect(target: Target) -> Result<Self> {
        Ok(match target {
            Target::Rest(address) => Self::Rest(Rest::connect(address).await?),
            Target::Grpc { catalog, contacts } => {
                Self::Grpc(Box::new(Grpc::connect(catalog, contacts).await?))
            }
        })
    }

    /// An answer that is not right is an error.
    async fn call(&mut self, call: Call<'_>) -> Result<Answer> {
        let answer = match self {
            Self::Rest(rest) => rest.call(call).await,
            Self::Grpc(grpc) => grpc.call(call).await,
        };
        answer.map_err(|error| format!("{call:?}: {error}").into())
    }

    /// The token of the page after this one.
    async fn next_page(&mut self, token: &str) -> Result<String> {
        let next = match self {
            Self::Rest(rest) => rest.next_page(token).await?,
            Self::Grpc(grpc) => grpc.next_page(token).await?,
        };
        if next.is_empty() { Err("the list ends too early".into()) } else { Ok(next) }
    }
}

impl Work {
    fn next(self, known: &Known) -> Call<'_> {
        let mut random = rand::rng();
        match self {
            Self::Film => Call::Film(random.random_range(1..=known.films)),
            Self::Page => Call::Page(known.pages.choose(&mut random).map_or("", String::as_str)),
            Self::Search => Call::Search(known.words.choose(&mut random).map_or("", String::as_str)),
            Self::Create => Call::Create(random.random()),
            Self::Visit => Call::Visit,
            Self::Mix if random.random_ratio(4, 5) => Self::Film.next(known),
            Self::Mix => Self::Create.next(known),
        }
    }

    /// Whether it leaves something behind that the next one would find.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Visit | Self::Mix)
    }
}

/// A stretch of time.
#[derive(Clone, Copy)]
struct Window {
    from: Instant,
    to: Instant,
}

impl Window {
    fn has(self, moment: Instant) -> bool {
        self.from <= moment && moment < self.to
    }
}
