//! gzip, brotli and zstd: what a caller sends, with a limit on what it unpacks to, and what a caller takes.

mod accept;

use std::io::{self, Read as _, Write as _};
use std::panic::resume_unwind;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, VARY};
use http::{HeaderMap, HeaderValue};
use tokio::task::spawn_blocking;

pub(crate) use accept::wanted;

/// What we take, for a caller who sends something else.
pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, br, zstd");

/// Below this, packing costs more than it saves.
const WORTH_PACKING: usize = 1024;

/// From here on, packing takes milliseconds, for which the other requests of a thread must not wait.
const LARGE: usize = 128 << 10;

/// More than one packing inside another is a bomb rather than a request.
const MAX_LAYERS: usize = 2;

/// What RFC 9659 lets a sender expect: 8 MiB. The few bytes of a frame's head could else claim many times more.
const ZSTD_WINDOW_LOG: u32 = 23;

/// What answers are offered in, in the order in which we like to write it.
pub(crate) const OFFERED: [Packing; 3] = [Packing::Zstd, Packing::Brotli, Packing::Gzip];

/// One of the packings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Zstd,
    Brotli,
    Gzip,
}

/// Why a body cannot be unpacked.
#[derive(Debug)]
pub(crate) enum Unpacked {
    /// It is packed in a way that we do not know.
    Unknown,
    /// It is more than allowed.
    TooLarge,
    /// It is not what it says it is.
    Broken(io::Error),
}

impl Packing {
    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "zstd" => Self::Zstd,
            "br" => Self::Brotli,
            "gzip" | "x-gzip" => Self::Gzip,
            _ => return None,
        })
    }

    /// At cheap levels, as what is packed is sent once.
    fn pack(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let room = Vec::with_capacity(body.len() / 3);
        match self {
            Self::Zstd => zstd::bulk::compress(body, 3),
            Self::Brotli => {
                let mut packer = brotli::CompressorWriter::new(room, 16 << 10, 4, 20);
                packer.write_all(body)?;
                Ok(packer.into_inner())
            }
            Self::Gzip => {
                let mut packer = flate2::write::GzEncoder::new(room, flate2::Compression::new(5));
                packer.write_all(body)?;
                packer.finish()
            }
        }
    }

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        })
    }
}

/// Packs a body if its caller wants that and it is worth it, and says so in its headers.
pub(crate) async fn pack(request: &HeaderMap, body: Vec<u8>, headers: &mut HeaderMap) -> io::Result<Vec<u8>> {
    if body.len() < WORTH_PACKING {
        return Ok(body);
    }
    // Caches must know that another caller may get it otherwise.
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    let Some(packing) = wanted(request, &OFFERED) else { return Ok(body) };
    headers.insert(CONTENT_ENCODING, packing.name());
    if body.len() < LARGE { packing.pack(&body) } else { elsewhere(move || packing.pack(&body)).await }
}

/// Unpacks a body as its headers say, up to a limit.
pub(crate) async fn unpack(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, Unpacked> {
    let mut packings = vec![];
    for line in headers.get_all(CONTENT_ENCODING) {
        for name in line.to_str().map_err(|_| Unpacked::Unknown)?.split(',').map(str::trim) {
            if !name.eq_ignore_ascii_case("identity") {
                packings.push(Packing::of(name).ok_or(Unpacked::Unknown)?);
            }
        }
    }
    if packings.len() > MAX_LAYERS {
        return Err(Unpacked::Unknown);
    }
    // How much it will be cannot be known from what came. The last one named was put around the others.
    let unpack = move || {
        let mut packings = packings.into_iter().rev();
        packings.try_fold(body, |body, packing| unpack_one(packing, &body, limit).map(Bytes::from))
    };
    elsewhere(unpack).await
}

/// Does what would hold up the other requests of this thread on another one.
async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => resume_unwind(error.into_panic()),
    }
}

fn unpack_one(packing: Packing, body: &[u8], limit: usize) -> Result<Vec<u8>, Unpacked> {
    let mut unpacked = Vec::with_capacity(body.len().saturating_mul(3).min(limit));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = match packing {
        Packing::Zstd => zstd::Decoder::with_buffer(body).and_then(|mut unpacker| {
            unpacker.window_log_max(ZSTD_WINDOW_LOG)?;
            unpacker.take(most).read_to_end(&mut unpacked)
        }),
        Packing::Brotli => unpack_brotli(body, most, &mut unpacked),
        Packing::Gzip => flate2::read::MultiGzDecoder::new(body).take(most).read_to_end(&mut unpacked),
    };
    match read {
        _ if unpacked.len() > limit => Err(Unpacked::TooLarge),
        Ok(_) => Ok(unpacked),
        Err(error) => Err(Unpacked::Broken(error)),
    }
}

/// Whatever follows the end of the packed text is an error, as it is with the others.
fn unpack_brotli(body: &[u8], most: u64, unpacked: &mut Vec<u8>) -> io::Result<usize> {
    let mut unpacker = brotli::Decompressor::new(body, 16 << 10);
    let read = unpacker.by_ref().take(most).read_to_end(unpacked)?;
    if !unpacker.get_ref().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "something follows its end"));
    }
    // The unpacker itself speaks of what it has taken in already, if it is asked once more behind the end.
    unpacker.read(&mut [0]).map(|_| read)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;
    use http::header::ACCEPT_ENCODING;

    use super::*;

    fn takes(packing: Packing) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, packing.name())])
    }

    fn packed_as(names: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(names))])
    }

    #[tokio::test]
    async fn what_is_packed_can_be_unpacked() {
        let text = br#"{"name":"a film"},"#;
        for (packing, count) in OFFERED.into_iter().flat_map(|packing| [(packing, 1000), (packing, 10_000)]) {
            let text = text.repeat(count);
            let mut headers = HeaderMap::new();
            let packed = Bytes::from(pack(&takes(packing), text.clone(), &mut headers).await.unwrap());
            assert!(packed.len() < text.len() / 10);
            assert_eq!(headers[CONTENT_ENCODING], packing.name());
            assert_eq!(unpack(&headers, packed.clone(), text.len()).await.unwrap(), text);
            let bomb = unpack(&headers, packed.clone(), text.len() - 1).await;
            assert!(matches!(bomb, Err(Unpacked::TooLarge)));
            assert!(matches!(
                unpack(&headers, packed.slice(..20), text.len()).await,
                Err(Unpacked::Broken(_))
            ));
        }
    }

    #[tokio::test]
    async fn nothing_follows_the_end() {
        let text = br#"{"name":"a film"},"#.repeat(100);
        for packing in OFFERED {
            let packed = packing.pack(&text).unwrap();
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, packing.name())]);
            // Few bytes are read together with what is before them, many are not.
            for behind in [1, 100 << 10] {
                let both = [packed.as_slice(), &vec![b'x'; behind]].concat();
                let unpacked = unpack(&headers, both.into(), text.len()).await;
                assert!(matches!(unpacked, Err(Unpacked::Broken(_))), "{packing:?}, {behind}: {unpacked:?}");
            }
        }
    }

    /// A thread has other requests to go on with.
    #[test]
    fn what_is_large_is_done_elsewhere() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let (go_on, held) = std::sync::mpsc::channel::<()>();
            let holds_up_elsewhere = spawn_blocking(move || held.recv());
            let (request, mut headers) = (takes(Packing::Gzip), HeaderMap::new());
            let mut small = pin!(pack(&request, vec![b' '; LARGE - 1], &mut headers));
            assert!(poll!(&mut small).is_ready());
            let mut headers = HeaderMap::new();
            let mut large = pin!(pack(&request, vec![b' '; LARGE], &mut headers));
            assert!(poll!(&mut large).is_pending());
            let gzip = packed_as("gzip");
            let mut unpacked = pin!(unpack(&gzip, Bytes::new(), 10));
            assert!(poll!(&mut unpacked).is_pending());
            go_on.send(()).unwrap();
            holds_up_elsewhere.await.unwrap().unwrap();
            assert!(large.await.unwrap().len() < LARGE && unpacked.await.is_err());
        });
    }

    #[tokio::test]
    async fn a_window_beyond_what_is_usual_is_refused() {
        for (window_log, taken) in [(ZSTD_WINDOW_LOG, true), (ZSTD_WINDOW_LOG + 1, false)] {
            let mut packer = zstd::Encoder::new(vec![], 3).unwrap();
            packer.window_log(window_log).unwrap();
            packer.write_all(b"{}").unwrap();
            let unpacked = unpack(&packed_as("zstd"), packer.finish().unwrap().into(), 10).await;
            assert_eq!(unpacked.is_ok(), taken, "{unpacked:?}");
        }
    }

    #[tokio::test]
    async fn little_is_sent_as_it_is() {
        let mut headers = HeaderMap::new();
        assert_eq!(pack(&takes(Packing::Gzip), b"{}".to_vec(), &mut headers).await.unwrap(), b"{}");
        assert!(headers.is_empty());
    }

    #[tokio::test]
    async fn unknown_packings_are_refused() {
        for name in ["deflate", "gzip, gzip, gzip", "gzip,,br"] {
            let unpacked = unpack(&packed_as(name), Bytes::from_static(&[1]), 10).await;
            assert!(matches!(unpacked, Err(Unpacked::Unknown)), "{name}");
        }
    }
}
