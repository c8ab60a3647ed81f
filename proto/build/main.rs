//! Makes Rust of the protos: messages, clients, servers and validators. It needs no protoc.

mod collections;
mod elements;
mod fields;
mod literals;
mod masks;
mod names;
mod options;
mod patterns;
mod rules;
mod sources;
mod stubs;
mod validators;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // What others declare is compiled where the API imports it.
    for imported in ["buf", "google"] {
        sources::find(Path::new(imported))?;
    }
    generate(&["."], Path::new("selvedge"), &out.join("api"))?;
    // The protos of the tests go through the same mill, but only the tests include what comes out.
    generate(&["tests/protos", "."], Path::new("tests/protos"), &out.join("tests"))
}

/// Compiles every proto below `folder`, whose imports are relative to the `roots`, and generates into `out`.
fn generate(roots: &[&str], folder: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let compiler = sources::compile(roots, &sources::find(folder)?)?;
    let descriptors = compiler.encode_file_descriptor_set();
    let pool = DescriptorPool::decode(descriptors.as_slice())?;
    fs::create_dir_all(out)?;
    stubs::generate(compiler.file_descriptor_set(), out)?;
    fs::write(out.join("validators.rs"), validators::generate(&pool)?)?;
    // The raw bytes keep the custom options, which the types of prost would drop.
    fs::write(out.join("descriptors.bin"), descriptors)?;
    Ok(())
}
