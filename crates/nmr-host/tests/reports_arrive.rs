//! Reports arrive when a program does not come to its end: it crashes, aborts, hangs or is told to end,
//! with its output going to pipes, as in CI. Each case is a process of its own whose registrar collects
//! its reports and prints none of them.
#![cfg(all(target_os = "linux", not(miri)))]

mod common;

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use common::*;
use nmr_host::Policy;

/// The case that the process is to run.
const CASE: &str = "NMR_TEST_ENDS_BY";

/// Starts the test `ends_badly` in a process of its own.
fn start(case: &str) -> Child {
    let tests = env::current_exe().expect("a path");
    let mut command = Command::new(tests);
    command.args(["--exact", "--ignored", "--nocapture", "ends_badly"]);
    command.env(CASE, case).env("RUST_BACKTRACE", "0");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the process starts")
}

/// What the process has printed when it is over, which it is not by itself.
fn printed(case: &str) -> String {
    let output = start(case).wait_with_output().expect("it ends");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
#[ignore = "it is run by the tests below"]
fn ends_badly() {
    let case = env::var(CASE).expect("the case");
    let policy: Policy = "report=collect,stall-ms=20".parse().expect("a policy");
    let rig = Rig::under(policy);
    // Four times the same, and one that does not repeat.
    for _ in 0..4 {
        Function::Complete(Role::Provider).call(0);
    }
    Function::Wait(Role::Client).call(0);
    let (client, provider) = rig.attached();
    match &case[..] {
        "fault" | "abort" => {
            let is_fault = case == "fault";
            client.on_detach(move |_| {
                if is_fault {
                    set_byte(8, 1);
                }
                std::process::abort();
            });
            client.deregister();
        }
        "fault elsewhere" => std::thread::spawn(|| set_byte(8, 1)).join().unwrap(),
        "hang" => {
            provider.pends();
            client.deregister();
            Function::Wait(Role::Client).call(client.handle());
        }
        "sleep" => {
            eprintln!("ready");
            loop {
                std::thread::park();
            }
        }
        other => panic!("no case {other}"),
    }
    unreachable!("the process has ended or hangs");
}

/// That the five findings are there, as two reports.
fn assert_complete(printed: &str) {
    let lines: Vec<_> = printed.lines().filter(|line| line.contains("V-")).collect();
    let starts = [
        "nmr-host: V-75 error in NmrProviderDetachClientComplete, got handle 0x0, 4 times, ",
        "nmr-host: V-75 error in NmrWaitForClientDeregisterComplete, got handle 0x0, thread ",
    ];
    for start in starts {
        let found = lines.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!(found, 1, "{start}\n{printed}");
    }
}

#[test]
fn a_fault_in_a_callback_prints_the_reports_and_names_the_callback() {
    let printed = printed("fault");
    assert!(
        printed.contains("nmr-host: SIGSEGV on thread T"),
        "{printed}"
    );
    let names = ", inside ClientDetachProvider of client {";
    assert!(printed.contains(names), "{printed}");
    assert!(
        printed.contains("}, binding 1 with provider {"),
        "{printed}"
    );
    assert_complete(&printed);
}

#[test]
fn an_abort_in_a_callback_prints_the_reports_and_names_the_callback() {
    let printed = printed("abort");
    let names = ", inside ClientDetachProvider of client {";
    assert!(
        printed.contains("nmr-host: SIGABRT on thread T"),
        "{printed}"
    );
    assert!(printed.contains(names), "{printed}");
    assert_complete(&printed);
}

#[test]
fn a_fault_outside_of_callbacks_names_the_last_one() {
    let printed = printed("fault elsewhere");
    let names = ", outside of callbacks; the last was, on thread T";
    assert!(printed.contains(names), "{printed}");
    assert!(
        printed.contains(", ProviderAttachClient of provider {"),
        "{printed}"
    );
    assert_complete(&printed);
}

/// Reads lines until one contains a text, and returns all of them.
fn read_until(lines: &mut impl BufRead, text: &str) -> String {
    let mut printed = String::new();
    while !printed.contains(text) {
        let count = lines.read_line(&mut printed).expect("a line");
        assert_ne!(count, 0, "it ended before {text}: {printed}");
    }
    printed
}

#[test]
fn a_wait_that_does_not_end_says_whom_it_waits_for() {
    let mut child = start("hang");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut printed = read_until(&mut lines, "has not returned");
    printed += &read_until(&mut lines, "V-75 error in NmrWaitFor");
    let stalled = printed
        .lines()
        .find(|line| line.contains("has not returned"))
        .expect("the line");
    let start = "nmr-host: NmrWaitForClientDeregisterComplete by client {";
    assert!(stalled.starts_with(start), "{stalled}");
    let reason = "} has not returned for 20ms; waiting for binding 1: provider {";
    assert!(stalled.contains(reason), "{stalled}");
    let answer = "} answered STATUS_PENDING and has not completed; see ";
    assert!(stalled.contains(answer), "{stalled}");
    assert_complete(&printed);
    child.kill().expect("it is still there");
    lines.read_to_string(&mut printed).expect("the rest");
    assert_eq!(printed.matches("has not returned").count(), 1, "{printed}");
    child.wait().expect("it ends");
}

#[test]
fn a_process_that_is_told_to_end_prints_the_reports() {
    let mut child = start("sleep");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut printed = read_until(&mut lines, "ready");
    let id = child.id().to_string();
    let status = Command::new("kill").arg(&id).status();
    assert!(status.expect("kill starts").success());
    lines.read_to_string(&mut printed).expect("the rest");
    assert!(
        printed.contains("nmr-host: SIGTERM on thread T"),
        "{printed}"
    );
    assert_complete(&printed);
    assert!(!child.wait().expect("it ends").success());
}
