//! Modules with known faults. They show that the schedules find such faults, and that a schedule that
//! fails can be repeated.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use nmr_host::Role;

use crate::explore::{execute, explore};
use crate::raw::{Cast, Conduct, Module};
use crate::record;
use crate::world::World;

/// eBPF's link client noted its provider only when the attach was over. The provider may have
/// detached by then, and the note stays.
#[test]
#[ignore = "it fails: the test below runs it"]
fn t_17_a_client_that_notes_its_provider_too_late() {
    explore(|world| {
        let noted = Arc::new(AtomicBool::new(false));
        let forgets = Arc::clone(&noted);
        let cast = Cast::new(world);
        let forgetting = Conduct {
            on_detach: Box::new(move |_| forgets.store(false, SeqCst)),
            ..Conduct::default()
        };
        let client = cast.module(Role::Client, forgetting);
        let provider = cast.module(Role::Provider, Conduct::default());
        provider.register();
        world.thread(move || provider.close());
        client.register();
        noted.store(!client.ends().is_empty(), SeqCst);
        world.join_all();
        assert!(
            !noted.load(SeqCst),
            "T17: the provider is gone, and the client believes it is there"
        );
        client.close();
    });
}

/// The same, noticed by the first call of the provider.
#[test]
#[ignore = "it fails: the test below runs it"]
fn t_17_a_client_that_is_called_before_it_notes_its_provider() {
    explore(|world| {
        let noted = Arc::new(AtomicBool::new(false));
        let reads = Arc::clone(&noted);
        let cast = Cast::new(world);
        let late = Conduct {
            on_attach: Box::new(move |_| noted.store(true, SeqCst)),
            on_called: Box::new(move |_| {
                assert!(
                    reads.load(SeqCst),
                    "T17: the client does not know its provider yet"
                );
            }),
            ..Conduct::default()
        };
        let calls = Conduct {
            on_attach: Box::new(|module: &Arc<Module>| {
                for end in module.ends() {
                    module.world().thread(move || _ = end.call());
                }
            }),
            ..Conduct::default()
        };
        let modules = [
            cast.module(Role::Client, late),
            cast.module(Role::Provider, calls),
        ];
        for module in modules {
            world.thread(move || module.come_and_go());
        }
    });
}

/// Where the commands are run.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn fails(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!status.success(), "no schedule fails: {text}");
    text
}

/// The failure, and the command that repeats it.
fn failure(text: &str) -> (&str, &str) {
    let (before, after) = text
        .split_once("this schedule again:\n")
        .expect("how to repeat it");
    let failure = before.rfind("panicked at").expect("what failed");
    let command = after.lines().next().expect("a command");
    (&before[failure..], command.trim())
}

/// Runs a faulty module until a schedule fails, and then the command that this prints.
fn is_found_and_repeated(test: &str) {
    let mut program = Command::new(std::env::current_exe().expect("this program"));
    program.args(["--exact", test, "--include-ignored"]);
    let found = fails(
        program
            .env_remove("NMR_SCHEDULE")
            .env("NMR_SCHEDULES", "1000"),
    );
    let (first, command) = failure(&found);
    println!("{command}");
    for _ in 0..2 {
        let repeated = fails(Command::new("sh").args(["-c", command]).current_dir(ROOT));
        assert_eq!(failure(&repeated), (first, command));
    }
}

#[test]
fn a_schedule_that_fails_is_repeated_by_the_command_that_it_prints() {
    is_found_and_repeated("planted::t_17_a_client_that_notes_its_provider_too_late");
}

#[test]
fn a_schedule_that_fails_inside_a_callback_is_repeated_too() {
    is_found_and_repeated("planted::t_17_a_client_that_is_called_before_it_notes_its_provider");
}

/// What happens under a seed.
fn story(seed: u64) -> String {
    let story = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&story);
    execute(seed, move || {
        World::run(seed, |world| {
            let (client, provider) = Cast::new(world).pair();
            for module in [client, provider] {
                world.thread(move || module.come_and_go());
            }
            world.join_all();
            *written.lock().unwrap() = record::text(&world.registrar.records());
        });
    });
    std::mem::take(&mut story.lock().unwrap())
}

#[test]
fn an_execution_follows_from_its_seed_alone() {
    let first: Vec<_> = (0..50).map(story).collect();
    let again: Vec<_> = (0..50).rev().map(story).collect();
    assert!(first.iter().eq(again.iter().rev()));
    let different: std::collections::HashSet<_> = first.iter().collect();
    assert!(
        different.len() > 25,
        "{} of 50 are different",
        different.len()
    );
}
