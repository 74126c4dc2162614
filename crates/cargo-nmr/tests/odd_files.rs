//! Files that are no files, results that would overwrite what is read, and names that upset terminals.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod lab;
#[path = "../../driver-host/tests/common/synthetic.rs"]
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "the tests of the loader use the rest"
)]
mod synthetic;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::Mode;
use synthetic::{Synthetic, ordinary};

const COMMANDS: [&str; 3] = ["inspect", "run", "faults"];

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder = lab::scratch(name);
    let _there_may_be_none = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    folder
}

/// An image in a folder.
fn image(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, ordinary().build()).unwrap();
    file
}

/// The one line of a run that does nothing.
fn refusal(arguments: &[&OsStr]) -> String {
    let output = lab::run(arguments);
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert_eq!(output.stdout, b"");
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

#[test]
fn what_is_no_regular_file_is_not_read() {
    let folder = folder("no-files");
    let (pipe, large) = (folder.join("pipe.sys"), folder.join("large.sys"));
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    File::create(&large).unwrap().set_len(1 << 40).unwrap();
    let alias = folder.join("link.sys");
    symlink("/dev/zero", &alias).unwrap();
    for (file, why) in [
        (Path::new("/dev/zero"), "it is no regular file"),
        (&alias, "it is no regular file"),
        (&pipe, "it is no regular file"),
        (&folder, "it is a directory"),
        (
            &large,
            "it is too large for a driver image, which has 268435456 bytes at most",
        ),
    ] {
        for command in COMMANDS {
            let line = refusal(&[command.as_ref(), file.as_ref()]);
            assert_eq!(
                line,
                format!("cargo-nmr: cannot read {}: {why}", file.display())
            );
        }
    }
}

#[test]
fn a_result_does_not_overwrite_an_image() {
    let folder = folder("overwrite");
    let driver = image(&folder, "driver.sys");
    let (alias, hard) = (folder.join("link"), folder.join("hard"));
    symlink(&driver, &alias).unwrap();
    fs::hard_link(&driver, &hard).unwrap();
    let spelled = folder.join("../overwrite/./driver.sys");
    for output in [&driver, &alias, &hard, &spelled] {
        let other = image(&folder, "other.sys");
        let line = refusal(&[
            "run".as_ref(),
            other.as_ref(),
            driver.as_ref(),
            "--output".as_ref(),
            output.as_ref(),
        ]);
        let (output, driver) = (output.display(), driver.display());
        let expected = format!("cargo-nmr: --output {output} would overwrite the image {driver}");
        assert_eq!(line, expected);
    }
    assert_eq!(fs::read(&driver).unwrap(), ordinary().build());
}

#[test]
fn a_result_replaces_a_file_at_once_or_not_at_all() {
    let folder = folder("replace");
    let driver = image(&folder, "driver.sys");
    let (result, link) = (folder.join("result.txt"), folder.join("link.txt"));
    fs::write(&result, "old").unwrap();
    fs::set_permissions(&result, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("result.txt", &link).unwrap();
    let write_to = |driver: &Path| {
        lab::run([
            OsStr::new("run"),
            driver.as_ref(),
            "--output".as_ref(),
            link.as_ref(),
        ])
    };
    let failed = write_to(&folder.join("missing.sys"));
    assert_eq!(failed.status.code(), Some(2));
    assert_eq!(fs::read(&result).unwrap(), b"old");

    // The result has more than the 512 bytes that a file may have.
    let full = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 1; exec \"$0\" run \"$1\" --output \"$2\"",
        ])
        .args([
            OsStr::new(env!("CARGO_BIN_EXE_cargo-nmr")),
            driver.as_ref(),
            link.as_ref(),
        ])
        .output()
        .unwrap();
    assert_eq!(full.status.code(), Some(2));
    let text = String::from_utf8(full.stderr).unwrap();
    assert!(text.contains("cannot write "), "{text}");
    assert_eq!(fs::read(&result).unwrap(), b"old");

    assert_eq!(write_to(&driver).status.code(), Some(0));
    let written = fs::read_to_string(&result).unwrap();
    assert!(
        written.starts_with("How driver.sys comes and goes\n"),
        "{written}"
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let mode = fs::metadata(&result).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let mut left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["driver.sys", "link.txt", "result.txt"]);
}

#[test]
fn a_device_gets_the_result_itself() {
    let folder = folder("device");
    let driver = image(&folder, "driver.sys");
    let arguments = format!("run {} --output /dev/stdout", driver.display());
    assert!(lab::output(&arguments).starts_with("How driver.sys comes and goes\n"));
    lab::output(&format!("run {} --output /dev/null", driver.display()));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

/// Returns `true` if a terminal shows a text as it is.
fn is_plain(text: &str) -> bool {
    let odd = ['\u{202e}', '\u{2028}', '\u{2066}', '\u{feff}'];
    let upsets =
        |character: char| character != '\n' && (character.is_control() || odd.contains(&character));
    !text.contains(upsets)
}

#[test]
fn names_of_files_and_in_files_are_spelled_out() {
    let folder = folder("names");
    let name = "a\u{202e}sys.\u{2028}\u{1b}[31m\u{feff}";
    let odd = folder.join(name);
    let imports = Synthetic::default()
        .library("\u{2066}lib\u{1b}c")
        .enter()
        .call("\u{202e}name\u{2028}")
        .leave(0);
    fs::write(&odd, imports.build()).unwrap();
    let words = folder.join(format!("{name}words"));
    fs::write(&words, "words").unwrap();
    let missing = folder.join(format!("{name}missing"));
    for command in COMMANDS {
        for file in [&odd, &words, &missing, &folder.join(name).join("below")] {
            let output = lab::run([OsStr::new(command), file.as_ref()]);
            assert_ne!(output.status.code(), None);
            let (out, complaints) = (output.stdout, output.stderr);
            for text in [out, complaints] {
                let text = String::from_utf8(text).unwrap();
                assert!(is_plain(&text), "{command}: {text:?}");
                assert!(
                    text.is_empty() || text.contains("\\u{202e}"),
                    "{command}: {text}"
                );
            }
        }
    }
    let output = refusal(&["--output".as_ref(), odd.join("below").as_ref()]);
    assert!(
        is_plain(&output) && output.contains("a\\u{202e}sys"),
        "{output}"
    );
}

#[test]
fn too_many_images_are_refused() {
    let folder = folder("many");
    let driver = image(&folder, "driver.sys");
    for command in ["run", "faults"] {
        let mut arguments = vec![OsStr::new(command)];
        arguments.extend(vec![driver.as_os_str(); 1000]);
        let expected =
            "cargo-nmr: 1000 images are too many: each meets every other one, so 64 is the limit";
        assert_eq!(refusal(&arguments), expected);
    }
    let mut arguments = vec![OsStr::new("run")];
    arguments.extend(vec![driver.as_os_str(); 64]);
    assert_eq!(lab::run(arguments).status.code(), Some(0));
}

#[test]
fn an_init_section_that_is_writable_and_executable_is_a_warning_of_a_run() {
    const MEM_WRITE: u8 = 0x80;
    /// Where a section header has the upper byte of its flags.
    const FLAGS: usize = 39;
    let folder = folder("writable");
    let file = folder.join("old.sys");
    let mut bytes = ordinary().build();
    let header = bytes.windows(8).position(|name| name == b".text\0\0\0");
    let header = header.unwrap();
    bytes[header..header + 8].copy_from_slice(b"INIT\0\0\0\0");
    bytes[header + FLAGS] |= MEM_WRITE;
    fs::write(&file, bytes).unwrap();
    let story = |file: &Path| {
        let output = lab::run([OsStr::new("run"), file.as_os_str()]);
        let story = String::from_utf8(output.stdout).unwrap();
        story.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let warning =
        "old.sys: section INIT is writable and executable: memory integrity refuses the image";
    assert!(story(&file).contains(warning), "{}", story(&file));
    let usual = story(&image(&folder, "old.sys"));
    assert!(!usual.contains("memory integrity"), "{usual}");
}
