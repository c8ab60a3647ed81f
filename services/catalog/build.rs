//! Migrations are part of the binary; cargo does not see by itself that there is a new one.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
