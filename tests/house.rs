//! Holds the house to its own rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A package of ours, and those of ours that it may depend on. Services may use what every service may.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("selvedge-proto", &[], &[]),
    ("selvedge-postgres", &[], &[]),
    ("selvedge-transcode", &[], &[]),
    ("selvedge-kit", &["selvedge-proto"], &[]),
    ("selvedge-testing", &["selvedge-kit", "selvedge-postgres"], &[]),
    (
        "selvedge",
        &[
            "selvedge-gateway",
            "selvedge-kit",
            "selvedge-postgres",
            "selvedge-proto",
            "selvedge-transcode",
            "services",
        ],
        &[],
    ),
    (GATEWAY, &["selvedge-kit", "selvedge-proto", "selvedge-transcode"], &["selvedge-testing"]),
    ("services", &["selvedge-kit", "selvedge-proto"], &["selvedge-testing"]),
];

/// It stands among the services and is none: it owns no data, and knows what they serve from descriptors only.
const GATEWAY: &str = "selvedge-gateway";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Package to (dependency, kind), for those of ours.
fn arrows() -> BTreeMap<String, Vec<(String, String)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |package: &Value| {
        let service = package["manifest_path"].as_str().unwrap_or_default().contains("/services/");
        let name = package["name"].as_str().unwrap().to_owned();
        (name.clone(), service && name != GATEWAY)
    };
    let packages = metadata["packages"].as_array().unwrap();
    let services: Vec<String> =
        packages.iter().map(name).filter(|(_, service)| *service).map(|(name, _)| name).collect();
    let kind_of = |name: &str| {
        if services.iter().any(|service| service == name) { "services".to_owned() } else { name.to_owned() }
    };
    let mut arrows = BTreeMap::new();
    for package in packages {
        let (package_name, _) = name(package);
        let ours = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["path"].is_string());
        let to = ours.map(|dependency| {
            let kind = dependency["kind"].as_str().unwrap_or("normal").to_owned();
            (kind_of(dependency["name"].as_str().unwrap()), kind)
        });
        arrows.insert(package_name, to.collect());
    }
    arrows.into_iter().map(|(name, to): (String, Vec<_>)| (name, to)).collect()
}

/// What is wrong with the arrows of one package.
fn wrong(kind: &str, to: &[(String, String)]) -> Vec<String> {
    let Some((_, always, in_tests)) = ARROWS.iter().find(|(name, ..)| *name == kind) else {
        return vec![format!("{kind} is not in the table of arrows")];
    };
    to.iter()
        .filter(|(name, dependency)| {
            let allowed =
                always.contains(&name.as_str()) || (dependency == "dev" && in_tests.contains(&name.as_str()));
            !allowed && name != kind
        })
        .map(|(name, dependency)| format!("{kind} -> {name} ({dependency})"))
        .chain(
            to.iter()
                .filter(|(name, _)| kind == "services" && name == "services")
                .map(|_| "service -> service".into()),
        )
        .collect()
}

#[test]
fn arrows_run_one_way() {
    let mut found = vec![];
    for (name, to) in arrows() {
        if name == "selvedge-tests" || name.starts_with("selvedge-bench") {
            continue;
        }
        let service =
            name != GATEWAY && root().join("services").join(name.trim_start_matches("selvedge-")).is_dir();
        found.extend(wrong(if service { "services" } else { &name }, &to));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The negative control of the test above.
#[test]
fn an_arrow_that_runs_backwards_is_found() {
    let to = |name: &str, kind: &str| vec![(name.to_owned(), kind.to_owned())];
    assert!(wrong("selvedge-kit", &to("selvedge-proto", "normal")).is_empty());
    assert!(wrong("services", &to("selvedge-testing", "dev")).is_empty());
    assert!(!wrong("services", &to("selvedge-testing", "normal")).is_empty());
    assert!(!wrong("services", &to("services", "normal")).is_empty());
    assert!(!wrong("selvedge-kit", &to("services", "normal")).is_empty());
    assert!(!wrong(GATEWAY, &to("services", "dev")).is_empty());
    assert!(!wrong("selvedge-proto", &to("selvedge-kit", "dev")).is_empty());
    assert!(!wrong("selvedge-new", &[]).is_empty());
}

/// Every source file of ours below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut files = vec![];
    sources(root(), &mut files);
    let mut lengths: Vec<(usize, PathBuf)> = files
        .into_iter()
        .map(|path| (std::fs::read_to_string(&path).unwrap().lines().count(), path))
        .collect();
    lengths.sort();
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= 150, "the median file has {median} lines");
    let (longest, path) = lengths.last().unwrap();
    assert!(*longest <= 450, "{} has {longest} lines", path.display());
}

#[test]
fn nothing_is_called_mod_or_utils() {
    let mut files = vec![];
    sources(root(), &mut files);
    let bad = |path: &PathBuf| {
        ["mod", "util", "utils", "helpers"].contains(&path.file_stem().unwrap().to_str().unwrap())
    };
    let found: Vec<_> = files.iter().filter(|path| bad(path)).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn every_migration_can_be_taken_back() {
    for service in std::fs::read_dir(root().join("services")).unwrap() {
        let Ok(migrations) = std::fs::read_dir(service.unwrap().path().join("migrations")) else { continue };
        for file in migrations {
            let path = file.unwrap().path();
            let text = path.display().to_string();
            let other = if text.ends_with(".up.sql") {
                text.replace(".up.sql", ".down.sql")
            } else {
                text.replace(".down.sql", ".up.sql")
            };
            assert!(Path::new(&other).exists() && other != text, "{text} has no {other}");
        }
    }
}

#[test]
fn architecture_fits_on_its_pages() {
    let lines = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines <= 200, "ARCHITECTURE.md has {lines} lines");
}
