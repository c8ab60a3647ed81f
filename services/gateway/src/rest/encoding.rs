//! gzip, brotli and zstd: what a caller sends, with a limit on what it unpacks to, and what a caller takes.

use std::io::{self, Read as _, Write as _};

use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue};

/// What we take, for a caller who sends something else.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, br, zstd");

/// Below this, packing costs more than it saves.
const WORTH_PACKING: usize = 1024;

/// More than one packing inside another is a bomb rather than a request.
const MAX_LAYERS: usize = 2;

/// What RFC 9659 lets a sender expect: 8 MiB. The few bytes of a frame's head could else claim many times more.
const ZSTD_WINDOW_LOG: u32 = 23;

/// One of the packings, in the order in which we like to write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Zstd,
    Brotli,
    Gzip,
}

/// Why a body cannot be unpacked.
#[derive(Debug)]
pub(super) enum Unpacked {
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

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        })
    }

    /// The best of what a caller takes; `None` to send a body as it is.
    pub(super) fn wanted(headers: &HeaderMap) -> Option<Self> {
        // The usual request has no such header.
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        let mut best: Option<(Self, f32)> = None;
        for choice in lines.flat_map(|line| line.split(',')) {
            let (name, quality) = choice.split_once(';').unwrap_or((choice, ""));
            let quality = quality.trim().strip_prefix("q=").map_or(Some(1.0), |quality| quality.parse().ok());
            let (Some(quality), Some(packing)) = (quality, Self::of(name.trim())) else { continue };
            let better = best.is_none_or(|(than, most)| {
                quality > most || (quality.total_cmp(&most).is_eq() && (packing as u8) < than as u8)
            });
            if quality > 0.0 && better {
                best = Some((packing, quality));
            }
        }
        best.map(|(packing, _)| packing)
    }
}

/// Packs a body if that is wanted and worth it, and says so in its headers.
pub(super) fn pack(wanted: Option<Packing>, body: Vec<u8>, headers: &mut HeaderMap) -> io::Result<Vec<u8>> {
    if body.len() < WORTH_PACKING {
        return Ok(body);
    }
    // Caches must know that another caller may get it otherwise.
    headers.append(http::header::VARY, HeaderValue::from_static("accept-encoding"));
    let Some(packing) = wanted else { return Ok(body) };
    let room = Vec::with_capacity(body.len() / 3);
    let packed = match packing {
        Packing::Zstd => zstd::bulk::compress(&body, 3)?,
        Packing::Brotli => {
            let mut packer = brotli::CompressorWriter::new(room, 16 << 10, 4, 20);
            packer.write_all(&body)?;
            packer.into_inner()
        }
        Packing::Gzip => {
            let mut packer = flate2::write::GzEncoder::new(room, flate2::Compression::new(5));
            packer.write_all(&body)?;
            packer.finish()?
        }
    };
    headers.insert(CONTENT_ENCODING, packing.name());
    Ok(packed)
}

/// Unpacks a body as its headers say, up to a limit.
pub(super) fn unpack(headers: &HeaderMap, body: Vec<u8>, limit: usize) -> Result<Vec<u8>, Unpacked> {
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
    // The last one named was put around the others.
    packings.into_iter().rev().try_fold(body, |body, packing| unpack_one(packing, &body, limit))
}

fn unpack_one(packing: Packing, body: &[u8], limit: usize) -> Result<Vec<u8>, Unpacked> {
    let mut unpacked = Vec::with_capacity(body.len().saturating_mul(3).min(limit));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = match packing {
        Packing::Zstd => zstd::Decoder::with_buffer(body).and_then(|mut unpacker| {
            unpacker.window_log_max(ZSTD_WINDOW_LOG)?;
            unpacker.take(most).read_to_end(&mut unpacked)
        }),
        Packing::Brotli => brotli::Decompressor::new(body, 16 << 10).take(most).read_to_end(&mut unpacked),
        Packing::Gzip => flate2::read::MultiGzDecoder::new(body).take(most).read_to_end(&mut unpacked),
    };
    match read {
        _ if unpacked.len() > limit => Err(Unpacked::TooLarge),
        Ok(_) => Ok(unpacked),
        Err(error) => Err(Unpacked::Broken(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Packing; 3] = [Packing::Zstd, Packing::Brotli, Packing::Gzip];

    fn wanted(accept: &str) -> Option<Packing> {
        Packing::wanted(&HeaderMap::from_iter([(ACCEPT_ENCODING, accept.parse().unwrap())]))
    }

    #[test]
    fn the_caller_chooses_and_we_break_ties() {
        assert_eq!(wanted("gzip, deflate, br, zstd"), Some(Packing::Zstd));
        assert_eq!(wanted("gzip, br"), Some(Packing::Brotli));
        assert_eq!(wanted("gzip;q=1.0, br;q=0.5"), Some(Packing::Gzip));
        assert_eq!(wanted("gzip;q=0, identity"), None);
        assert_eq!(wanted("deflate"), None);
        assert_eq!(Packing::wanted(&HeaderMap::new()), None);
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let text = br#"{"name":"a film"},"#.repeat(1000);
        for packing in ALL {
            let mut headers = HeaderMap::new();
            let packed = pack(Some(packing), text.clone(), &mut headers).unwrap();
            assert!(packed.len() < text.len() / 10);
            assert_eq!(headers[CONTENT_ENCODING], packing.name());
            assert_eq!(unpack(&headers, packed.clone(), text.len()).unwrap(), text);
            assert!(matches!(unpack(&headers, packed.clone(), text.len() - 1), Err(Unpacked::TooLarge)));
            assert!(matches!(unpack(&headers, packed[..20].to_vec(), text.len()), Err(Unpacked::Broken(_))));
        }
    }

    #[test]
    fn a_window_beyond_what_is_usual_is_refused() {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, "zstd".parse().unwrap())]);
        for (window_log, taken) in [(ZSTD_WINDOW_LOG, true), (ZSTD_WINDOW_LOG + 1, false)] {
            let mut packer = zstd::Encoder::new(vec![], 3).unwrap();
            packer.window_log(window_log).unwrap();
            packer.write_all(b"{}").unwrap();
            let unpacked = unpack(&headers, packer.finish().unwrap(), 10);
            assert_eq!(unpacked.is_ok(), taken, "{unpacked:?}");
        }
    }

    #[test]
    fn little_is_sent_as_it_is() {
        let mut headers = HeaderMap::new();
        assert_eq!(pack(Some(Packing::Gzip), b"{}".to_vec(), &mut headers).unwrap(), b"{}");
        assert!(headers.is_empty());
    }

    #[test]
    fn unknown_packings_are_refused() {
        for name in ["deflate", "gzip, gzip, gzip", "gzip,,br"] {
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, name.parse().unwrap())]);
            assert!(matches!(unpack(&headers, vec![1], 10), Err(Unpacked::Unknown)), "{name}");
        }
    }
}
