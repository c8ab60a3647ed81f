//! Makes the list of services from the dependencies, so that a new one is one line in `Cargo.toml` and no other.

use std::path::Path;
use std::{env, fs, io};

const SERVICES: &str = "path = \"../../services/";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=Cargo.toml");
    // A service may get its migrations after its line.
    println!("cargo::rerun-if-changed=../../services");
    let manifest = fs::read_to_string("Cargo.toml")?;
    let mut list = String::from("pub(crate) const ALL: &[Service] = &[\n");
    for line in manifest.lines().filter(|line| !line.starts_with('#')) {
        let Some((package, source)) = line.split_once('=') else { continue };
        let Some((_, folder)) = source.split_once(SERVICES) else { continue };
        let folder = folder.split('"').next().unwrap_or_default();
        // The gateway owns no data, and is not started like the others.
        if Path::new("../../services").join(folder).join("migrations").is_dir() {
            list += &format!("    {}::SERVICE,\n", package.trim().replace('-', "_"));
        }
    }
    list += "];\n";
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("services.rs"), list)
}
