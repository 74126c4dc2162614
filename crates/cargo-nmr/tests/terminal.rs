//! What the program does on a terminal.
#![cfg(unix)]

mod lab;

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::thread;

use nix::pty::{Winsize, openpty};

/// Runs the program on a terminal. Returns what the terminal shows.
fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> String {
    on_terminal_of(None, arguments, environment)
}

/// The same on a terminal with so many columns.
fn on_terminal_of(columns: Option<u16>, arguments: &str, environment: &[(&str, &str)]) -> String {
    let size = columns.map(|columns| Winsize {
        ws_row: 40,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    });
    let terminal = openpty(&size, None).unwrap();
    let screen = File::from(terminal.master);
    let keep_reading = thread::spawn(move || read_all(screen));
    let mut command = lab::command();
    command
        .args(arguments.split_whitespace())
        .env("TERM", "xterm-256color")
        .envs(environment.iter().copied())
        .stdout(Stdio::from(terminal.slave.try_clone().unwrap()))
        .stderr(Stdio::from(terminal.slave));
    let status = command.status().unwrap();
    // The terminal closes with its last holder.
    drop(command);
    assert!(status.success());
    keep_reading.join().unwrap()
}

/// Reads until the terminal is closed, which Linux calls an error.
fn read_all(mut screen: File) -> String {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = screen.read(&mut buffer) {
        text.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_terminal_gets_colour_unless_it_wants_none() {
    assert!(on_terminal("", &[]).contains("\u{1b}["));
    let plain = on_terminal("", &[("NO_COLOR", "1")]);
    assert!(plain.contains("1. Summer registers"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(!on_terminal("", &[("TERM", "dumb")]).contains('\u{1b}'));
}

#[test]
fn explanations_are_as_wide_as_the_terminal() {
    let explanation = |columns| {
        let shown = on_terminal_of(columns, "", &[("NO_COLOR", "1")]);
        let line = shown
            .lines()
            .find(|line| line.contains("The provider tells"));
        line.unwrap().trim_end().chars().count()
    };
    assert!(explanation(Some(60)) <= 60);
    assert!((61..=95).contains(&explanation(None)));
    assert!((96..=120).contains(&explanation(Some(300))));
}

#[test]
fn a_short_run_has_no_progress_bar() {
    assert!(!on_terminal("", &[]).contains("calling"));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn images_get_colour_by_the_same_rules() {
    let image = lab::driver("both");
    for command in ["run", "inspect"] {
        let arguments = format!("{command} {image}");
        assert!(on_terminal(&arguments, &[]).contains("\u{1b}["));
        let plain = on_terminal(&arguments, &[("NO_COLOR", "1")]);
        assert!(plain.contains("exnpi_driver.sys"), "{plain}");
        assert!(!plain.contains('\u{1b}'), "{plain}");
    }
}
