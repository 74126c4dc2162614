//! Driver images, good ones and bad ones, run and inspected.

mod lab;

use std::fs;
use std::process::Output;

use serde_json::Value;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A run that is wrong. Returns the story and the complaints.
fn wrong(image: &str) -> (String, String) {
    let output: Output = lab::run(["run", image]);
    assert_eq!(output.status.code(), Some(1), "{image}");
    (text(&output.stdout), text(&output.stderr))
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn two_images_tell_the_story_of_a_binding() {
    let (provider, client) = (lab::driver("provider"), lab::driver("client"));
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
                    "client/exnpi_driver and provider/exnpi_driver attach."
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
fn an_honest_image_in_special_pool_tells_the_same_story() {
    let both = lab::driver("both");
    let (usual, special) = (
        lab::output(&format!("run {both}")),
        lab::output(&format!("run --special-pool {both}")),
    );
    let differs = |(usual, special): &(&str, &str)| usual != special;
    let lines = usual.lines().zip(special.lines()).filter(differs);
    let lines: Vec<_> = lines.collect();
    assert_eq!(usual.lines().count(), special.lines().count(), "{special}");
    assert!(
        matches!(lines[..], [(_, policy)] if policy.contains("memory=checked")),
        "{lines:?}"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_finds_the_values_of_a_registry_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("driver.reg");
    let path = file.to_str().unwrap();
    let image = lab::fixture("executive");
    let run = |values: &str| {
        fs::write(&file, format!("[executive\\Parameters]\n{values}")).unwrap();
        text(&lab::run(["run", "--registry", path, &image]).stdout)
    };
    let right = "executive.sys prints: query: right";
    let story = run("\"Limit\"=dword:7\n\"Name\"=\"EXNPI\"\n");
    assert!(story.contains(right), "{story}");
    let story = run("\"Limit\"=dword:8\n\"Name\"=\"EXNPI\"\n");
    assert!(!story.contains(right), "{story}");
    fs::write(&file, "\"Limit\"=dword:7\n").unwrap();
    let complaint = lab::complaint(&format!("run --registry {path} {image}"), 2);
    let expected = format!("{path}: line 1: a value needs a line [KEY] above it");
    assert!(complaint.contains(&expected), "{complaint}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_without_the_framework_comes_and_goes() {
    let story = lab::output(&format!("run {}", lab::fixture("wdm")));
    for part in [
        "wdm.sys prints: devices: right",
        "wdm.sys gets no device: it is not for Plug and Play",
        "wdm.sys prints: opened 0, cleaned up 0, closed 0",
        "leaves the memory",
    ] {
        let words = story.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(part), "{part} is not in\n{story}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_order_of_unloads_is_as_asked() {
    let unloaded = |order: &str| {
        let arguments = format!(
            "run {} {} {order}",
            lab::driver("provider"),
            lab::driver("client")
        );
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
fn every_format_shows_images() {
    let both = lab::driver("both");
    let mermaid = lab::output(&format!("run {both} --format mermaid"));
    assert!(
        mermaid.contains("1. exnpi_driver.sys is loaded"),
        "{mermaid}"
    );
    // Also without a module.
    for image in [both, lab::fixture("sample")] {
        let picture = lab::output(&format!("run {image} --format svg"));
        roxmltree::Document::parse(&picture).unwrap();
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_a_driver_prints_is_shown() {
    let story = lab::output(&format!("run {}", lab::fixture("sample")));
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
        let (story, complaints) = wrong(&lab::fixture(name));
        let line = format!("cargo-nmr: the run was wrong: {expected}");
        assert!(complaints.contains(&line), "{complaints}");
        assert!(story.contains("   wrong       "), "{story}");
    }
    let (story, _) = wrong(&lab::fixture("leak"));
    assert!(story.contains("leaks       40 bytes of pool"), "{story}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn our_own_images_pass_every_point_that_can_hold_before_signing() {
    for role in ["both", "provider", "client"] {
        let found = lab::output(&format!("inspect {} --format json", lab::driver(role)));
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
    let words = lab::output(&format!("inspect {}", lab::driver("both")));
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
    let mut image = fs::read(lab::driver("both")).unwrap();
    let last = image.len() - 1;
    image[last] ^= 1;
    let file = lab::scratch("changed.sys");
    fs::write(&file, image).unwrap();
    let output = lab::run(["inspect", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("changed.sys: checksum is right fails: it is 0x"),
        "{complaint}"
    );
    assert!(text(&output.stdout).contains("FAIL  checksum is right"));
}
