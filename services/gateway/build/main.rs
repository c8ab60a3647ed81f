//! What the gateway is made of besides its code.

mod health;
mod swagger;

use std::error::Error;
use std::path::PathBuf;

#[expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    swagger::unpack(&out)?;
    health::generate(&out)
}
