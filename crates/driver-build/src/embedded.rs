//! Files embedded in the program: the supplement to mingw-w64's headers, lists of exports, the entry point of
//! the framework's static library, and what has to change in wdk-build.

use anyhow::{Context, Result};
use include_dir::{Dir, File, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/wdk");

/// The text of a file.
pub(crate) fn text(path: &str) -> Result<&'static str> {
    let file = FILES.get_file(path);
    file.and_then(File::contents_utf8)
        .with_context(|| format!("this program was built without wdk/{path}"))
}

/// The names and texts of the files in a directory.
pub(crate) fn directory(path: &str) -> Result<Vec<(&'static str, &'static str)>> {
    let directory = FILES.get_dir(path);
    let directory =
        directory.with_context(|| format!("this program was built without wdk/{path}"))?;
    let named = |file: &'static File<'_>| {
        let name = file.path().file_name()?.to_str()?;
        Some((name, file.contents_utf8()?))
    };
    let files = directory.files().filter_map(named);
    Ok(files.collect())
}
