//! The headers: the package's, in front of them a supplement of ours, and our `wdf.h`.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::Cross;
use crate::embedded;
use crate::files;
use crate::mingw::Mingw;
use crate::tree::{Inputs, Tree};
use crate::wdk::{KMDF, VERSION, root};

/// Headers that features of wdk-sys name and mingw-w64 does not have. They are empty, so that the rest of the
/// feature can be used.
const ABSENT: [&str; 9] = [
    "HidSpiCx/1.0/hidspicx.h",
    "ehstorbandmgmt.h",
    "ehstorioctl.h",
    "gpioclx.h",
    "hidpddi.h",
    "hidport.h",
    "ntdddump.h",
    "ufs.h",
    "vhf.h",
];

/// Where headers are looked for, in this order, which is that of wdk-build.
struct Places {
    /// Ours: they stand in front of the package's, and include those.
    supplement: PathBuf,
    kernel: PathBuf,
    shared: PathBuf,
    framework: PathBuf,
}

impl Places {
    fn new(cross: &Cross) -> Self {
        let include = root(cross).join("Include");
        let version = include.join(VERSION);
        let (major, minor) = KMDF;
        Self {
            supplement: version.join("km/crt"),
            kernel: version.join("km"),
            shared: version.join("shared"),
            framework: include.join(format!("wdf/kmdf/{major}.{minor}")),
        }
    }
}

/// Puts the headers in their places. Returns them as an input of what is compiled with them.
pub(super) fn make(cross: &Cross, mingw: &Mingw, made: &mut Tree) -> Result<Inputs> {
    let places = Places::new(cross);
    let mut inputs = Inputs::default();
    for (from, to) in [("km", &places.supplement), ("wdf", &places.framework)] {
        for (name, text) in embedded::directory(from)? {
            inputs.add((name, text));
            made.write(to.join(name), text.as_bytes())?;
        }
    }
    for header in files::list(&mingw.kernel_headers())? {
        let name = header.file_name().context("a header without a name")?;
        made.link(places.kernel.join(name), &header)?;
    }
    for name in ABSENT {
        let text = format!("/* mingw-w64 has no <{name}>: what it declares is missing. */\n");
        made.write(places.supplement.join(name), text.as_bytes())?;
    }
    made.link(&places.shared, &mingw.headers())?;
    // wdk-build asks for it.
    made.directory(places.kernel.join("ufx/1.1"))?;
    inputs.add(mingw.headers()).add(mingw.version()?);
    Ok(inputs)
}

/// The arguments with which clang-cl finds the headers. Those of the package get no warnings.
#[must_use]
pub fn arguments(cross: &Cross) -> Vec<OsString> {
    let places = Places::new(cross);
    let mut arguments = Vec::new();
    for directory in [places.supplement, places.framework] {
        arguments.extend(["/I".into(), directory.into()]);
    }
    for directory in [places.kernel, places.shared] {
        arguments.extend(["/imsvc".into(), directory.into()]);
    }
    // A driver's macros, as wdk-build defines them.
    arguments.extend(["/D_KERNEL_MODE".into(), "/D_WIN64".into()]);
    arguments
}
