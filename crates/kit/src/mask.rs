//! Update masks.

use prost_types::FieldMask;

use crate::{Error, Result};

/// The fields that an update changes.
///
/// ```
/// use selvedge_kit::mask::Mask;
///
/// let mask = prost_types::FieldMask { paths: vec!["name".into()] };
/// let mask = Mask::new(Some(&mask), &["name", "email"], &[]).unwrap();
/// assert!(mask.has("name") && !mask.has("email"));
/// ```
#[derive(Debug)]
pub struct Mask<'a> {
    paths: Vec<&'a str>,
}

impl<'a> Mask<'a> {
    /// Checks a request's `update_mask` against the fields that may be changed; `*` stands for all of them. It may also name
    /// fields that are fixed once set, as a caller does who sends back all that it read; their values must then be those
    /// that are there.
    pub fn new(mask: Option<&'a FieldMask>, changeable: &[&'a str], fixed: &[&str]) -> Result<Self> {
        let paths = mask.map_or(&[][..], |mask| &mask.paths);
        if paths.is_empty() {
            return Err(Error::invalid("update_mask", "must name at least one field"));
        }
        if paths.iter().any(|path| path == "*") {
            return Ok(Self { paths: changeable.to_vec() });
        }
        let known = |path: &str| changeable.contains(&path) || fixed.contains(&path);
        match paths.iter().find(|path| !known(path)) {
            None => Ok(Self { paths: paths.iter().map(String::as_str).collect() }),
            Some(path) => {
                // What callers send is echoed only as far as it can be a field's name.
                let name: String = path
                    .chars()
                    .filter(|c| c.is_ascii_alphanumeric() || "_.".contains(*c))
                    .take(64)
                    .collect();
                let known = changeable.join(", ");
                Err(Error::invalid(
                    "update_mask",
                    format!("`{name}` cannot be changed; what can: {known}, or *"),
                ))
            }
        }
    }

    /// Whether the field is named.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(&path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> FieldMask {
        FieldMask { paths: paths.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn a_star_is_all_that_may_change() {
        let star = mask(&["*"]);
        let star = Mask::new(Some(&star), &["name", "email"], &["born"]).unwrap();
        assert!(star.has("name") && star.has("email") && !star.has("id") && !star.has("born"));
    }

    #[test]
    fn what_may_not_change_is_refused_by_name() {
        for wrong in [None, Some(mask(&[])), Some(mask(&["id"])), Some(mask(&["name", "name.x"]))] {
            assert!(Mask::new(wrong.as_ref(), &["name"], &[]).is_err(), "{wrong:?}");
        }
        let error = Mask::new(Some(&mask(&["created_at"])), &["name"], &["born"]).unwrap_err();
        assert!(
            error.to_string().contains("`created_at` cannot be changed; what can: name, or *"),
            "{error}"
        );
    }
}
