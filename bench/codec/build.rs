//! Generates the messages of the bench, and pbjson's code for them.

use std::path::PathBuf;
use std::{env, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let set = protox::compile(["film/v1/film.proto"], ["proto"])?;
    let encoded = set.encode_to_vec();
    fs::write(out.join("film.binpb"), &encoded)?;
    prost_build::Config::new()
        .enable_type_names()
        .compile_well_known_types()
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(set)?;
    pbjson_build::Builder::new().register_descriptors(&encoded)?.build(&[".film.v1"])?;
    Ok(())
}
