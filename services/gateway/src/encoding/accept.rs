//! What a caller takes, by its `Accept-Encoding`.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::Packing;

/// The one of these packings that a caller likes best, the first of several; `None` to send a body as it is.
pub(crate) fn wanted(headers: &HeaderMap, offered: &[Packing]) -> Option<Packing> {
    // The usual request has no such header.
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let choices = lines.flat_map(|line| line.split(',')).filter_map(choice).collect::<Vec<_>>();
    let mut best: Option<(Packing, f32)> = None;
    for &packing in offered {
        let quality = quality(&choices, |name| Packing::of(name) == Some(packing));
        if quality > best.map_or(0.0, |(_, most)| most) {
            best = Some((packing, quality));
        }
    }
    let as_it_is = quality(&choices, |name| name.eq_ignore_ascii_case("identity"));
    best.filter(|(_, quality)| *quality >= as_it_is).map(|(packing, _)| packing)
}

/// How much is liked what has a name, or has none and the star stands for it; 0 is not at all.
fn quality(choices: &[(&str, f32)], is_it: impl Fn(&str) -> bool) -> f32 {
    let named = choices.iter().find(|(name, _)| is_it(name));
    named.or_else(|| choices.iter().find(|(name, _)| *name == "*")).map_or(0.0, |(_, quality)| *quality)
}

/// A name, and how much it is liked, from 0 to 1; what is not written so says nothing.
fn choice(text: &str) -> Option<(&str, f32)> {
    let (name, parameter) = text.split_once(';').unwrap_or((text, "q=1"));
    let (key, quality) = parameter.trim().split_once('=')?;
    let quality = quality.parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?;
    key.eq_ignore_ascii_case("q").then_some((name.trim(), quality))
}

#[cfg(test)]
mod tests {
    use super::super::OFFERED;
    use super::*;

    fn of(accept: &str, offered: &[Packing]) -> Option<Packing> {
        wanted(&HeaderMap::from_iter([(ACCEPT_ENCODING, accept.parse().unwrap())]), offered)
    }

    #[test]
    fn the_caller_chooses_and_we_break_ties() {
        for (accept, packing) in [
            ("gzip, deflate, br, zstd", Some(Packing::Zstd)),
            ("gzip, br", Some(Packing::Brotli)),
            ("gzip;q=1.0, br;q=0.5", Some(Packing::Gzip)),
            ("GZIP; Q=0.1", Some(Packing::Gzip)),
            ("x-gzip", Some(Packing::Gzip)),
            ("gzip;q=0, identity", None),
            ("deflate", None),
            ("", None),
            ("gzip;q=nan, br;q=2, zstd;level=1", None),
        ] {
            assert_eq!(of(accept, &OFFERED), packing, "{accept}");
        }
        assert_eq!(wanted(&HeaderMap::new(), &OFFERED), None);
    }

    #[test]
    fn as_it_is_can_be_liked_best() {
        for (accept, packing) in [
            ("identity, gzip;q=0.5", None),
            ("gzip;q=0.5, *", Some(Packing::Zstd)),
            ("gzip;q=0.5, *;q=0.4", Some(Packing::Gzip)),
            ("gzip;q=0.5", Some(Packing::Gzip)),
            ("identity;q=0.5, gzip;q=0.5", Some(Packing::Gzip)),
            ("identity;q=0, gzip;q=0.1", Some(Packing::Gzip)),
        ] {
            assert_eq!(of(accept, &OFFERED), packing, "{accept}");
        }
    }

    #[test]
    fn what_is_not_named_is_what_the_star_says() {
        let gzip = [Packing::Gzip];
        assert_eq!(of("*", &OFFERED), Some(Packing::Zstd));
        assert_eq!((of("*", &gzip), of("br, *;q=0", &gzip)), (Some(Packing::Gzip), None));
        assert_eq!(of("zstd;q=0, *", &OFFERED), Some(Packing::Brotli));
    }
}
