//! The API page: Swagger UI, with its files under paths that change when they do, so that a browser asks for them once.

use std::fmt::Write as _;

use bytes::Bytes;
use http::HeaderValue;

use super::{HTML, Page, escape};

const PAGE: &str = include_str!("docs.html");
const START: &str = include_str!("docs.js");
const STYLE: &str = include_str!("docs.css");
const BUNDLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz"));
const BUNDLE_STYLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz"));

/// Only what comes from here, and no code or form that leads elsewhere; the icons are in the style itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The API page and all that it is made of.
#[derive(Debug)]
pub(crate) struct Assets {
    page: Page,
    /// By their paths.
    files: Vec<(String, Page)>,
}

impl Assets {
    /// For an API with this title.
    pub(crate) fn new(title: &str) -> Self {
        let files = [
            ("swagger-ui.css", BUNDLE_STYLE, "text/css; charset=utf-8", true),
            ("docs.css", STYLE.as_bytes(), "text/css; charset=utf-8", false),
            ("swagger-ui-bundle.js", BUNDLE, "text/javascript; charset=utf-8", true),
            ("docs.js", START.as_bytes(), "text/javascript; charset=utf-8", false),
        ];
        let files = files.map(|(name, body, content_type, is_gzip)| {
            let page = Page::new(Bytes::from_static(body), content_type);
            let version = page.etag.to_str().unwrap_or_default().trim_matches('"').to_owned();
            (format!("/docs/{version}/{name}"), Page { is_gzip, is_immutable: true, ..page })
        });
        let mut links = String::new();
        for (path, _) in &files {
            let written = if path.rsplit('.').next() == Some("css") {
                write!(links, "<link rel=\"stylesheet\" href=\"{path}\">")
            } else {
                write!(links, "<script src=\"{path}\" defer></script>")
            };
            written.expect("a text takes any text");
        }
        let html = PAGE.replace("{{title}}", &escape(title)).replace("{{links}}", &links);
        let page = Page { policy: HeaderValue::from_static(POLICY), ..Page::new(html, HTML) };
        Self { page, files: files.into() }
    }

    /// Where the files are.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(path, _)| &**path)
    }

    /// What there is at a path, of those that begin with `/docs`.
    pub(crate) fn find(&self, path: &str) -> Option<&Page> {
        match path {
            "/docs" | "/docs/" => Some(&self.page),
            path => self.files.iter().find(|(known, _)| known == path).map(|(_, page)| page),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use http::HeaderMap;
    use http::header::{CACHE_CONTROL, IF_NONE_MATCH};

    use super::*;
    use crate::rest::Wanted;

    #[test]
    fn the_page_leads_to_its_files_and_nowhere_else() {
        let assets = Assets::new("A <title>");
        let page = assets.find("/docs").unwrap();
        let html = std::str::from_utf8(&page.body).unwrap();
        assert!(html.contains("A &lt;title&gt;") && !html.contains("{{"), "{html}");
        let links = html.split(['"']).filter(|part| part.starts_with("/docs/")).collect::<Vec<_>>();
        assert_eq!(links.len(), 4);
        for link in links {
            let file = assets.find(link).unwrap_or_else(|| panic!("{link}"));
            assert!(file.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        }
        assert!(!html.contains("//"), "nothing is from another host");
        assert!(assets.find("/docs/swagger-ui.css").is_none());
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let assets = Assets::new("t");
        let packed = assets.files.iter().filter(|(_, page)| page.is_gzip).collect::<Vec<_>>();
        assert_eq!(packed.len(), 2);
        for (path, page) in packed {
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*page.body).read_to_string(&mut text).unwrap();
            assert!(text.len() > 100_000 && text.contains("swagger-ui"), "{path}");
        }
    }

    #[test]
    fn a_browser_that_has_it_is_told_so() {
        let page = Page::json("{}");
        let is_known =
            |headers: HeaderMap| Wanted::read(&headers).unwrap().is_known(Some(page.etag())).unwrap();
        let asked = |value: &str| is_known(HeaderMap::from_iter([(IF_NONE_MATCH, value.parse().unwrap())]));
        let etag = page.etag.to_str().unwrap();
        assert!(asked(etag) && asked(&format!("\"a\", W/{etag}")) && asked("*"));
        assert!(!asked("\"a\"") && !is_known(HeaderMap::new()));
    }
}
