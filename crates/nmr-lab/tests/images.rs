//! Driver images: what the program says about good ones, bad ones, and files that are none.

mod lab;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

/// An image for x64 that `cargo xtask test` builds.
fn built(path: &str) -> String {
    let file = lab::project("target/driver/x64/release").join(path);
    assert!(
        file.exists(),
        "{} is missing: `cargo xtask test` builds it",
        file.display()
    );
    file.canonicalize().unwrap().to_str().unwrap().to_owned()
}

fn fixture(name: &str) -> String {
    built(&format!("fixtures/{name}.sys"))
}

fn driver(role: &str) -> String {
    built(&format!("{role}/exnpi_driver.sys"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The one line that the program says about a file it cannot use.
fn refusal(command: &str, file: &Path) -> String {
    let output = lab::run([command, file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let line = text(&output.stderr);
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

/// A run that is wrong. Returns the story and the complaints.
fn wrong(image: &str) -> (String, String) {
    let output: Output = lab::run(["run", image]);
    assert_eq!(output.status.code(), Some(1), "{image}");
    (text(&output.stdout), text(&output.stderr))
}

fn scratch(name: &str, bytes: &[u8]) -> PathBuf {
    let file = lab::scratch(name);
    fs::write(&file, bytes).unwrap();
    file
}

/// A file with the headers of an image, up to where the sections should be.
fn headers_only() -> Vec<u8> {
    let mut file = vec![0; 0x200];
    let mut put = |offset: usize, bytes: &[u8]| {
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    put(0, b"MZ");
    put(0x3c, &0x80_u32.to_le_bytes());
    put(0x80, b"PE\0\0");
    put(0x84, &0x8664_u16.to_le_bytes());
    put(0x86, &1_u16.to_le_bytes());
    put(0x94, &240_u16.to_le_bytes());
    put(0x96, &0x22_u16.to_le_bytes());
    put(0x98, &0x20b_u16.to_le_bytes());
    put(0x98 + 56, &0x2000_u32.to_le_bytes());
    put(0x98 + 60, &0x200_u32.to_le_bytes());
    put(0x98 + 108, &16_u32.to_le_bytes());
    // One section of 0x1000 bytes behind the end of the file.
    put(0x188, b".text\x1b[1m");
    put(0x190, &0x1000_u32.to_le_bytes());
    put(0x194, &0x1000_u32.to_le_bytes());
    put(0x198, &0x1000_u32.to_le_bytes());
    put(0x19c, &0x200_u32.to_le_bytes());
    file
}

#[test]
fn each_subcommand_has_help_with_examples_and_exit_codes() {
    for (command, parts) in [
        (
            "run",
            &[
                "--unload-order",
                "--seed",
                "--policy",
                "--format",
                "--output",
                "trust",
            ][..],
        ),
        ("inspect", &["--format", "json", "jq"][..]),
    ] {
        let help = lab::output(&format!("{command} --help"));
        for part in parts.iter().chain(&["Examples:", "Exit codes:"]) {
            assert!(help.contains(part), "{part} is not in\n{help}");
        }
    }
    let help = lab::output("--help");
    assert!(help.contains("inspect") && help.contains("run"), "{help}");
}

#[test]
fn a_bad_command_line_gets_one_line() {
    for (arguments, expected) in [
        (
            "run",
            "the following required arguments were not provided: <IMAGE>...",
        ),
        (
            "inspect",
            "the following required arguments were not provided: <IMAGE>",
        ),
        (
            "run x.sys --unload-order backwards",
            "invalid value 'backwards' for '--unload-order <WHICH>' [possible values: first, last]",
        ),
        (
            "--seed 1 run x.sys",
            "the subcommand 'run' cannot be used with '--seed <N>'",
        ),
    ] {
        let line = lab::complaint(arguments, 2);
        assert_eq!(line, format!("nmr-lab: {expected}\n"));
    }
}

#[test]
fn a_file_that_cannot_be_read_gets_one_line() {
    let missing = refusal("inspect", Path::new("/nowhere/at/all.sys"));
    assert!(
        missing.starts_with("nmr-lab: cannot read /nowhere/at/all.sys: "),
        "{missing}"
    );
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let line = refusal("inspect", directory);
    assert_eq!(
        line,
        format!(
            "nmr-lab: cannot read {}: it is no file",
            directory.display()
        )
    );
}

#[test]
fn a_file_that_is_no_image_gets_one_line() {
    let words = scratch("words.sys", b"these are words, and no driver");
    let empty = scratch("empty.sys", b"");
    let stub = scratch("stub.sys", &headers_only()[..0x90]);
    for file in [words, empty, stub] {
        let line = refusal("inspect", &file);
        let start = format!("nmr-lab: {}: this is no PE32+ image: ", file.display());
        assert!(line.starts_with(&start), "{line}");
    }
}

#[test]
fn a_truncated_image_gets_one_line_without_what_it_says_to_terminals() {
    let file = scratch("truncated.sys", &headers_only());
    let line = refusal("inspect", &file);
    assert!(
        line.ends_with("lies outside of the file: is it truncated?"),
        "{line}"
    );
    assert!(
        line.contains("\\u{1b}") && !line.contains('\u{1b}'),
        "{line}"
    );
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn nothing_runs_if_one_file_is_no_image() {
    let missing = refusal("run", Path::new("/nowhere/at/all.sys"));
    assert!(
        missing.starts_with("nmr-lab: cannot read /nowhere/at/all.sys: "),
        "{missing}"
    );
    let words = refusal("run", &scratch("words-to-run.sys", b"these are words"));
    assert!(words.contains("this is no PE32+ image"), "{words}");
    let cut = refusal("run", &scratch("cut.sys", &headers_only()));
    assert!(cut.ends_with("is it truncated?"), "{cut}");
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[test]
fn where_images_cannot_be_loaded_there_is_one_line() {
    let line = refusal("run", Path::new("x.sys"));
    assert_eq!(
        line,
        "nmr-lab: driver images can be loaded on x86-64 Linux only"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn two_images_tell_the_story_of_a_binding() {
    let (provider, client) = (driver("provider"), driver("client"));
    for order in ["first", "last"] {
        for images in [[&provider, &client], [&client, &provider]] {
            let story = lab::output(&format!(
                "run --unload-order {order} {} {}",
                images[0], images[1]
            ));
            for part in [
                "2. client/exnpi_driver.sys is loaded\n",
                "1. provider/exnpi_driver.sys is loaded\n",
            ] {
                let part = if images[0] == &provider {
                    part
                } else {
                    "Adder and Summer attach."
                };
                assert!(story.contains(part), "{part} is not in\n{story}");
            }
            for part in [
                "ProviderAttachClient returns STATUS_SUCCESS",
                "1 attached, 0 declined",
                "2, of which 0 waited for calls in progress",
                "reports     none",
                "leaks       none",
            ] {
                assert!(story.contains(part), "{part} is not in\n{story}");
            }
            assert_eq!(story.matches("not seen: ").count(), 1);
            let end = "Everything happened as the contract of the NMR demands.\n";
            assert!(story.ends_with(end), "{story}");
        }
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_order_of_unloads_is_as_asked() {
    let unloaded = |order: &str| {
        let arguments = format!("run {} {} {order}", driver("provider"), driver("client"));
        let story = lab::output(&arguments);
        let line = story.lines().find(|line| line.starts_with("3. "));
        line.unwrap().to_owned()
    };
    assert_eq!(unloaded(""), "3. client/exnpi_driver.sys is unloaded");
    assert_eq!(unloaded("--unload-order last"), unloaded(""));
    assert_eq!(
        unloaded("--unload-order first"),
        "3. provider/exnpi_driver.sys is unloaded"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn images_make_the_events_of_native_modules() {
    // The native pair calls, which makes detaches wait; up to there the two are alike.
    let events = |arguments: &str| -> Vec<Value> {
        let attaching = |event: &Value| event["section"].as_u64().unwrap() <= 2;
        let plain = |mut event: Value| {
            event.as_object_mut().unwrap().remove("thread");
            event
        };
        let events = lab::events(arguments).into_iter();
        events.filter(attaching).map(plain).collect()
    };
    let images = format!("{} {}", driver("provider"), driver("client"));
    for seed in 0..8 {
        let native = events(&format!("--seed {seed}"));
        let from_images = events(&format!("run {images} --seed {seed}"));
        assert!(!native.is_empty());
        assert_eq!(from_images, native, "seed {seed}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn every_format_shows_images() {
    let both = driver("both");
    let mermaid = lab::output(&format!("run {both} --format mermaid"));
    assert!(
        mermaid.contains("1. exnpi_driver.sys is loaded"),
        "{mermaid}"
    );
    // Also where nobody takes part.
    for image in [both, fixture("sample")] {
        let picture = lab::output(&format!("run {image} --format svg"));
        roxmltree::Document::parse(&picture).unwrap();
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_a_driver_prints_is_shown() {
    let story = lab::output(&format!("run {}", fixture("sample")));
    assert!(
        story.contains("sample.sys prints: hello from \\Registry\\Machine"),
        "{story}"
    );
    assert!(story.contains("sample.sys prints: goodbye"), "{story}");
    assert!(story.contains("It registers no network module."), "{story}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_that_does_wrong_is_named() {
    for (name, expected) in [
        (
            "forget",
            "forget.sys: unloaded with a registration left: provider",
        ),
        (
            "leak",
            "leak.sys: unloaded with 40 bytes of pool left, tag 'Leak'",
        ),
        (
            "overrun",
            "overrun.sys: pool: wrote outside of the 20 bytes",
        ),
        ("panic", "panic.sys: panic at src/panic.rs:"),
        (
            "missing",
            "missing.sys: called PsLookupProcessByProcessId of ntoskrnl.exe",
        ),
        ("wild", "wild.sys: access violation"),
        (
            "refuse",
            "refuse.sys: DriverEntry returned STATUS_DEVICE_NOT_READY",
        ),
    ] {
        let (story, complaints) = wrong(&fixture(name));
        let line = format!("nmr-lab: the run was wrong: {expected}");
        assert!(complaints.contains(&line), "{complaints}");
        assert!(story.contains("   wrong       "), "{story}");
    }
    let (story, _) = wrong(&fixture("leak"));
    assert!(story.contains("leaks       40 bytes of pool"), "{story}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn our_own_images_pass_every_point_that_can_hold_before_signing() {
    for role in ["both", "provider", "client"] {
        let found = lab::output(&format!("inspect {} --format json", driver(role)));
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["passes"], true);
        assert_eq!(found["checksum"]["stored"], found["checksum"]["computed"]);
        let points = found["points"].as_array().unwrap();
        let open: Vec<_> = points
            .iter()
            .filter(|point| point["outcome"] != "pass")
            .collect();
        assert_eq!(open.len(), 1, "{role}");
        assert_eq!(open[0]["name"], "has a signature");
        assert_eq!(open[0]["outcome"], "unsigned");
    }
    let words = lab::output(&format!("inspect {}", driver("both")));
    for part in [
        "HIGH_ENTROPY_VA DYNAMIC_BASE FORCE_INTEGRITY NX_COMPAT",
        "NmrRegisterProvider",
        "signature           none",
        "Every point holds that can hold before the image is signed.",
    ] {
        assert!(words.contains(part), "{part} is not in\n{words}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_point_that_fails_is_named_and_the_exit_code_tells() {
    let mut image = fs::read(driver("both")).unwrap();
    let last = image.len() - 1;
    image[last] ^= 1;
    let file = scratch("changed.sys", &image);
    let output = lab::run(["inspect", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("changed.sys: checksum is right fails: it is 0x"),
        "{complaint}"
    );
    assert!(text(&output.stdout).contains("FAIL  checksum is right"));
}
