//! Writes the OpenAPI document of all protos in a directory: `openapi PROTOS OUT` makes `openapi.json` and `openapi.yaml`.
//!
//! What the protos import may also lie in directories and descriptor sets that follow.

use std::error::Error;
use std::path::{Path, PathBuf};

use protox::file::{ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver};
use selvedge_transcode::openapi::{self, ErrorFormat, Info};
use selvedge_transcode::{Options, Routes, Schema};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args_os().skip(1).map(PathBuf::from).collect::<Vec<_>>();
    let [protos, out, imports @ ..] = arguments.as_slice() else {
        return Err("usage: openapi PROTOS OUT [IMPORTS]...".into());
    };
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(protos.clone()));
    for imported in imports {
        if imported.is_dir() {
            resolver.add(IncludeFileResolver::new(imported.clone()));
        } else {
            resolver.add(DescriptorSetFileResolver::decode(std::fs::read(imported)?.as_slice())?);
        }
    }
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(files(protos)?)?;
    let schema = Schema::decode(&[&compiler.encode_file_descriptor_set()])?;
    let wrong = |errors: Vec<_>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let routes = Routes::new(&schema).map_err(wrong)?;
    let info = Info {
        title: "Selvedge".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: String::new(),
        servers: vec![],
        errors: ErrorFormat::default(),
    };
    let document = openapi::document(&schema, &routes, &Options::default(), &info);
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("openapi.json"), serde_json::to_vec_pretty(&document)?)?;
    std::fs::write(out.join("openapi.yaml"), openapi::to_yaml(&document))?;
    Ok(())
}

fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![];
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
