//! Where PostgreSQL may be.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Installation;
use crate::{Error, child};

/// Where distributions put it; a `*` ends the name of a directory.
const USUAL: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// A place to search.
pub(super) struct Place {
    name: String,
    /// The directories that it leads to on this machine.
    dirs: Vec<PathBuf>,
}

/// All places, the more particular first.
pub(super) fn places() -> Vec<Place> {
    let told = child::first_line(Command::new("pg_config").arg("--bindir")).map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).filter(|dir| dir.is_absolute() && dir.join("postgres").is_file());
    let mut places = vec![
        Place { name: "`pg_config --bindir`".into(), dirs: told.into_iter().collect() },
        Place { name: format!("PATH ({})", path.display()), dirs: on_path.collect() },
    ];
    places.extend(USUAL.map(|pattern| Place { name: pattern.into(), dirs: expand(pattern) }));
    places
}

/// The newest of all that will do, or of those of one major version if there are any.
pub(super) fn newest(places: &[Place], major: Option<u32>) -> Result<Installation, Error> {
    let mut seen = HashSet::new();
    let mut found: Vec<Installation> = vec![];
    let mut searched = vec![];
    for place in places {
        if place.dirs.is_empty() {
            searched.push(format!("  {}: nothing there", place.name));
        }
        for dir in &place.dirs {
            if !seen.insert(fs::canonicalize(dir).unwrap_or_else(|_| dir.clone())) {
                continue;
            }
            match Installation::inspect(dir) {
                Ok(installation) => found.push(installation),
                Err(why) => searched.push(format!("  {}: {}, but {why}", place.name, dir.display())),
            }
        }
    }
    if found.iter().any(|installation| Some(installation.major) == major) {
        found.retain(|installation| Some(installation.major) == major);
    }
    // Of equals the last would win, but the first place is the more particular one.
    let newest = found.into_iter().rev().max_by_key(Installation::number);
    newest.ok_or_else(|| Error::NotFound { searched: searched.join("\n") })
}

/// The directories that a pattern stands for, in order.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return Some(PathBuf::from(pattern))
            .filter(|dir| dir.join("postgres").is_file())
            .into_iter()
            .collect();
    };
    let (parent, prefix) = before.rsplit_once('/').expect("a pattern is an absolute path");
    // A directory that cannot be listed is one that is not there.
    let entries = fs::read_dir(Path::new(parent)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let matching = names.filter(|name| name.starts_with(prefix));
    let mut dirs: Vec<_> = matching.map(|name| PathBuf::from(format!("{parent}/{name}{after}"))).collect();
    dirs.retain(|dir| dir.is_dir());
    dirs.sort();
    dirs
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A directory of programs which claim to be of this version.
    fn pretend(root: &Path, version: &str, programs: &[&str]) -> PathBuf {
        let bin = root.join(version).join("bin");
        fs::create_dir_all(&bin).unwrap();
        for program in programs {
            let text = format!("#!/bin/sh\necho '{program} (PostgreSQL) {version} (Debian)'\n");
            fs::write(bin.join(program), text).unwrap();
            fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        bin
    }

    fn place(name: &str, dirs: &[&PathBuf]) -> Place {
        Place { name: name.into(), dirs: dirs.iter().map(|dir| (*dir).clone()).collect() }
    }

    const BOTH: [&str; 2] = ["postgres", "initdb"];

    #[test]
    fn the_newest_is_taken_and_the_right_major_before_it() {
        let root = tempfile::tempdir().unwrap();
        let [old, new, next] =
            ["15.2", "15.18", "17beta1"].map(|version| pretend(root.path(), version, &BOTH));
        let places = [place("here", &[&new, &old]), place("there", &[&next])];
        assert_eq!(newest(&places[..1], None).unwrap().version, "15.18");
        let all = newest(&places, None).unwrap();
        assert_eq!((all.version.as_str(), all.major, &all.bin), ("17beta1", 17, &next));
        assert_eq!(newest(&places, Some(15)).unwrap().version, "15.18");
        assert_eq!(newest(&places, Some(16)).unwrap().major, 17);
    }

    #[test]
    fn when_nothing_will_do_every_place_is_named_with_what_is_there() {
        let root = tempfile::tempdir().unwrap();
        let old = pretend(root.path(), "13.4", &BOTH);
        let client = pretend(root.path(), "16.1", &["postgres"]);
        let places = [place("one", &[&old]), place("two", &[&client]), place("three", &[])];
        let message = newest(&places, None).unwrap_err().to_string();
        let (old, client) = (old.display(), client.display());
        assert!(message.contains(&format!("one: {old}, but its version 13.4 is older than 15")), "{message}");
        assert!(message.contains(&format!("two: {client}, but there is no `initdb` in it")), "{message}");
        assert!(message.contains("three: nothing there"), "{message}");
        for install in ["apt install", "dnf install", "brew install", "SELVEDGE_PG_BIN"] {
            assert!(message.contains(install), "{message}");
        }
    }

    #[test]
    fn patterns_lead_to_the_directories_that_are_there() {
        let root = tempfile::tempdir().unwrap();
        pretend(root.path(), "pg-15", &BOTH);
        fs::create_dir_all(root.path().join("other/bin")).unwrap();
        let root = root.path().display();
        assert_eq!(expand(&format!("{root}/pg-*/bin")), [PathBuf::from(format!("{root}/pg-15/bin"))]);
        assert_eq!(expand(&format!("{root}/pg-15/bin")), [PathBuf::from(format!("{root}/pg-15/bin"))]);
        assert!(expand(&format!("{root}/nowhere/*/bin")).is_empty());
    }

    #[test]
    fn all_usual_places_are_searched() {
        let names: Vec<_> = places().into_iter().map(|place| place.name).collect();
        assert!(names[0].contains("pg_config") && names[1].starts_with("PATH ("));
        assert_eq!(names[2..], USUAL);
    }
}
