//! Takes the files of the API page out of Swagger UI's archive, as they are packed there: gzip is the same deflate, with a
//! head and a tail of its own.

use std::error::Error;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

/// Deflate, no name, no time, an unknown system.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Writes them into a folder.
pub(crate) fn unpack(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED))?;
    for name in FILES {
        // The flavours further down have files of these names too; ours is right below the archive's only folder.
        let is_it = |path: &[u8]| path.split(|byte| *byte == b'/').skip(1).eq([b"dist", name.as_bytes()]);
        let index = archive.file_names_raw().position(is_it);
        let index = index.ok_or_else(|| format!("the archive has no {name}"))?;
        let mut file = archive.by_index_raw(index)?;
        if file.compression() != zip::CompressionMethod::DEFLATE {
            return Err(format!("{name} is packed in another way than deflate").into());
        }
        let mut packed = GZIP_HEAD.to_vec();
        let (checksum, size) = (file.crc32(), u32::try_from(file.size())?);
        file.read_to_end(&mut packed)?;
        packed.extend(checksum.to_le_bytes());
        packed.extend(size.to_le_bytes());
        fs::write(out.join(format!("{name}.gz")), packed)?;
    }
    Ok(())
}
