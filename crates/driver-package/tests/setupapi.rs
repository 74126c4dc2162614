//! The INF parser of Windows, setupapi, reads the INFs that this crate stamps and finds in each line what this crate's parser
//! finds. On Linux, `scripts/wine.sh` runs this test with Wine's setupapi.
#![cfg(windows)]
// UNSAFETY: functions of Windows.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::os::windows::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use driver_package::DateTime;
use driver_package::image::Arch;
use driver_package::inf::stamp::Stamp;
use driver_package::inf::{Inf, Line};
use windows_sys::Win32::Devices::DeviceAndDriverInstallation::{
    INF_STYLE_WIN4, INFCONTEXT, SetupCloseInfFile, SetupGetFieldCount, SetupGetLineByIndexW,
    SetupGetLineCountW, SetupGetStringFieldW, SetupOpenInfFileW,
};
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;

/// An INF that setupapi has opened.
struct Opened(*mut c_void);

impl Opened {
    fn new(path: &Path) -> Self {
        let path: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        let mut line = 0;
        // SAFETY: the path ends with 0, no class is asked for, and `line` is a local.
        let inf =
            unsafe { SetupOpenInfFileW(path.as_ptr(), ptr::null(), INF_STYLE_WIN4, &raw mut line) };
        assert_ne!(
            inf, INVALID_HANDLE_VALUE,
            "setupapi refuses the INF, in line {line}"
        );
        Self(inf)
    }

    /// The values of each line of a section; `None` if there is no such section.
    fn section(&self, name: &str) -> Option<Vec<Vec<String>>> {
        let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
        // SAFETY: the handle is open, and the name ends with 0.
        let count = unsafe { SetupGetLineCountW(self.0, name.as_ptr()) };
        let count = u32::try_from(count).ok()?;
        Some((0..count).map(|at| self.values(&name, at)).collect())
    }

    fn values(&self, section: &[u16], at: u32) -> Vec<String> {
        let mut line = INFCONTEXT::default();
        // SAFETY: the handle is open, the name ends with 0, and `line` is a local.
        let found = unsafe { SetupGetLineByIndexW(self.0, section.as_ptr(), at, &raw mut line) };
        assert_ne!(found, 0, "line {at}");
        // SAFETY: the line is that of an open INF.
        let count = unsafe { SetupGetFieldCount(&raw const line) };
        (1..=count).map(|field| string(&line, field)).collect()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and is not used any more.
        unsafe { SetupCloseInfFile(self.0) };
    }
}

/// A field of a line, with its tokens replaced.
fn string(line: &INFCONTEXT, field: u32) -> String {
    let mut text = [0; 4096];
    let mut length = 0;
    let size = u32::try_from(text.len()).unwrap();
    // SAFETY: the line is that of an open INF, the buffer has the size that is named, and `length` is a local.
    let read =
        unsafe { SetupGetStringFieldW(line, field, text.as_mut_ptr(), size, &raw mut length) };
    assert_ne!(read, 0, "field {field}");
    String::from_utf16(&text[..length as usize - 1]).unwrap()
}

/// The values of a line as this crate reads them, with tokens replaced.
fn values(inf: &Inf, line: &Line) -> Vec<String> {
    line.values.iter().map(|value| inf.expand(value)).collect()
}

/// An INF on disk, while a test needs it.
struct Stamped {
    path: PathBuf,
    inf: Inf,
}

impl Stamped {
    fn new(name: &str, inx: &[u8], arch: Arch) -> Self {
        let stamp = Stamp {
            arch,
            kmdf: "1.31".to_owned(),
            date: "2026-02-03T04:05:06Z".parse::<DateTime>().unwrap(),
            version: None,
            catalog: "stamped.cat".to_owned(),
        };
        let bytes = stamp.apply(&Inf::read(inx).unwrap()).unwrap();
        let path = std::env::temp_dir().join(format!("{name}-{}.inf", arch.inf_name()));
        std::fs::write(&path, &bytes).unwrap();
        let inf = Inf::read(&bytes).unwrap();
        Self { path, inf }
    }
}

impl Drop for Stamped {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Compares what the two parsers find in every line.
fn compare(stamped: &Stamped) {
    let opened = Opened::new(&stamped.path);
    let inf = &stamped.inf;
    let mut compared = 0;
    for section in inf.sections() {
        let theirs = opened.section(&section.name);
        let theirs = theirs.unwrap_or_else(|| panic!("setupapi has no [{}]", section.name));
        let ours: Vec<_> = inf
            .lines(&section.name)
            .map(|line| values(inf, line))
            .collect();
        assert_eq!(theirs.len(), ours.len(), "lines of [{}]", section.name);
        for (theirs, ours) in theirs.iter().zip(&ours) {
            // setupapi replaces identifiers of directories, too.
            if !ours.iter().any(|value| value.contains('%')) {
                assert_eq!(theirs, ours, "[{}]", section.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 15, "{compared} lines");
    assert!(opened.section("Not.There").is_none());
}

const DRIVER: &[u8] = include_bytes!("../../../inf/exnpi_driver.inx");
const SAMPLE: &[u8] = include_bytes!("common/sample.inx");

/// Names the INX of a driver called `mydrv` that `cargo nmr new` has made.
const NEW: &str = "NEW_DRIVER_INX";

fn new_driver() -> Option<Vec<u8>> {
    let Some(path) = std::env::var_os(NEW) else {
        println!("{NEW} is not set: only the INX files of this repository are read");
        return None;
    };
    Some(std::fs::read(path).unwrap())
}

#[test]
fn setupapi_reads_every_line_as_this_crate_does() {
    let new = new_driver();
    let new = new.iter().map(|inx| ("mydrv", inx.as_slice()));
    for (name, inx) in [("exnpi_driver", DRIVER), ("sample", SAMPLE)]
        .into_iter()
        .chain(new)
    {
        for arch in [Arch::Amd64, Arch::Arm64] {
            compare(&Stamped::new(name, inx, arch));
        }
    }
}

/// Looks up what an installation needs: the models for the processor, the hardware id, the service, the catalog.
fn find_what_an_installation_needs(inx: &[u8], models: &str, driver: &str) {
    for (arch, platform) in [(Arch::Amd64, "amd64"), (Arch::Arm64, "arm64")] {
        let stamped = Stamped::new(&format!("installation-{driver}"), inx, arch);
        let opened = Opened::new(&stamped.path);
        let models = opened.section(&format!("{models}.NT{platform}.10.0...19041"));
        let device = format!("{driver}_Device");
        assert_eq!(
            models.unwrap()[0],
            [device.clone(), format!(r"Root\{driver}")]
        );
        let services = opened.section(&format!("{device}.NT.Services")).unwrap();
        let service = [driver, "0x00000002", &format!("{driver}_Service")];
        assert_eq!(services[0], service);
        let version = opened.section("Version").unwrap();
        assert!(version.iter().any(|values| values == &["stamped.cat"]));
    }
}

#[test]
fn setupapi_finds_what_an_installation_looks_up() {
    find_what_an_installation_needs(DRIVER, "Exnpi", "ExnpiDriver");
    if let Some(new) = new_driver() {
        find_what_an_installation_needs(&new, "Mydrv", "Mydrv");
    }
}
