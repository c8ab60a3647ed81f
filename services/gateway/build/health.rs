//! Makes the health service of its proto: that of tonic-health does not know `List`.

use std::error::Error;
use std::fs;
use std::path::Path;

/// Writes its code and its descriptors into a folder.
pub(crate) fn generate(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_file("grpc/health/v1/health.proto")?;
    fs::write(out.join("health.bin"), compiler.encode_file_descriptor_set())?;
    let stubs = tonic_prost_build::configure().build_client(false).build_transport(false).out_dir(out);
    Ok(stubs.compile_fds(compiler.file_descriptor_set())?)
}
