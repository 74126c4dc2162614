//! The shapes of public network modules in C, in our own words: each builds without an edit in every way, runs
//! under every policy without a report, and its known bug is reported. `docs/c-shapes.md` has the table.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

mod c_program;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use c_program::{Convention, compile, link, same_in_document, succeed, text};

/// What the registrar does where the contract leaves it open.
const POLICIES: [&str; 7] = [
    "mode=compatible",
    "mode=compatible,memory=checked",
    "mode=strict,memory=checked",
    "irql=dispatch,detach=provider-first,cleanup-order=provider-first",
    "detach=seeded,cleanup-order=seeded,offers=shuffled,cleanup=worker,seed=7,memory=checked",
    "early=ignored,failed-client-cleanup=true",
    "sharing=identities,detach=seeded,seed=11",
];

/// Reports about honest shapes that are true, about what shipped modules get away with. Strict mode refuses
/// the registration.
const TOLERATED: [(&str, &str); 1] = [("plain_provider", "V-02")];

/// When the bug of a shape can be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Always,
    /// With `memory=checked`.
    InMemory,
    /// If detach callbacks run at `DISPATCH_LEVEL`.
    AtDispatchLevel,
}

struct Shape {
    name: &'static str,
    what: &'static str,
    peer: &'static str,
    /// A third driver, of the second interface.
    event_provider: bool,
    watched: bool,
    bug: &'static str,
    seen: Seen,
    rules: &'static [&'static str],
}

const PLAIN: Shape = Shape {
    name: "",
    what: "",
    peer: "peer_client",
    event_provider: false,
    watched: false,
    bug: "",
    seen: Seen::Always,
    rules: &[],
};

const SHAPES: [Shape; 10] = [
    Shape {
        name: "data_provider",
        what: "a provider of data, all of it members of one allocation",
        bug: "changes its characteristics while they are lent",
        seen: Seen::InMemory,
        rules: &["V-11"],
        ..PLAIN
    },
    Shape {
        name: "program_information",
        what: "a provider of information about programs, with a block of pool for each client",
        bug: "frees the block in its detach callback",
        seen: Seen::InMemory,
        rules: &["V-51"],
        ..PLAIN
    },
    Shape {
        name: "generation_retry",
        what: "a client that offers its older table after a decline",
        peer: "peer_provider",
        bug: "declines after it has attached, and loses its context",
        rules: &["V-22"],
        ..PLAIN
    },
    Shape {
        name: "extension",
        what: "an extension: one client at a time, called under run-down protection",
        watched: true,
        bug: "waits for the calls in its detach callback",
        seen: Seen::AtDispatchLevel,
        rules: &["V-52"],
        ..PLAIN
    },
    Shape {
        name: "generated",
        what: "a generated driver: identifier from the registry, no context, no cleanup callback",
        peer: "peer_provider",
        bug: "unloads without a wait",
        rules: &["V-14", "V-73"],
        ..PLAIN
    },
    Shape {
        name: "double_registering",
        what: "a provider that registers a client in its attach callback",
        event_provider: true,
        bug: "unloads without a wait for the client",
        rules: &["V-14", "V-73"],
        ..PLAIN
    },
    Shape {
        name: "parallel_detach",
        what: "a provider whose detaches pend, each with a work item of its own",
        bug: "writes to its binding after its completion",
        seen: Seen::InMemory,
        rules: &["V-56"],
        ..PLAIN
    },
    Shape {
        name: "hook",
        what: "a hook: a list of clients, all of which it calls",
        watched: true,
        bug: "calls the client from its detach callback",
        rules: &["V-48"],
        ..PLAIN
    },
    Shape {
        name: "plain_client",
        what: "a client that waits for its provider, all of it in one allocation",
        peer: "peer_provider",
        bug: "completes with the handle of its registration",
        rules: &["V-45"],
        ..PLAIN
    },
    Shape {
        name: "plain_provider",
        what: "a provider whose context is the handle of the binding, with version 1",
        bug: "deregisters NULL",
        rules: &["V-75"],
        ..PLAIN
    },
];

/// A file among the results of these tests.
fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shape_{name}"))
}

/// Makes an object unless this run of the tests has made it.
fn once(object: PathBuf, make: impl FnOnce(&Path)) -> PathBuf {
    static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut objects = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if objects.insert(object.clone()) {
        make(&object);
    }
    object
}

/// The peer of a shape.
fn peer(convention: Convention, name: &str, options: &[&str]) -> PathBuf {
    let object = scratch(&format!("{convention:?}{}_{name}.o", options.concat()));
    once(object, |object| {
        compile(
            convention.compiler(),
            &format!("shapes/{name}.c"),
            options,
            object,
        );
    })
}

/// What loads the drivers.
fn main(convention: Convention) -> PathBuf {
    once(scratch(&format!("{convention:?}_main.o")), |object| {
        compile(convention.loader_compiler(), "shapes/main.c", &[], object);
    })
}

impl Shape {
    /// Builds the program of the shape, as it is or with its bug.
    fn build(&self, convention: Convention, with_bug: bool) -> PathBuf {
        let suffix = if with_bug { "bug" } else { "honest" };
        let module = scratch(&format!("{}_{convention:?}_{suffix}.o", self.name));
        let mut options = vec!["-DDriverEntry=FirstEntry", "-DExercise=FirstExercise"];
        options.push("-DSHIPPED_VERSION=1");
        options.extend(with_bug.then_some("-DBUG"));
        let source = format!("shapes/{}.c", self.name);
        compile(convention.compiler(), &source, &options, &module);
        let clients = if self.name == "parallel_detach" { 4 } else { 1 };
        let clients = format!("-DPEER_CLIENTS={clients}");
        let second = peer(
            convention,
            self.peer,
            &["-DDriverEntry=SecondEntry", &clients],
        );
        let mut objects = vec![module.clone(), second, main(convention)];
        if self.event_provider {
            let options = ["-DDriverEntry=ThirdEntry", "-DPEER_NPIID=EVENT_NPIID"];
            objects.push(peer(convention, "peer_provider", &options));
        }
        let program = module.with_extension("");
        link(&objects, &program);
        program
    }

    /// Runs its program. Returns the rules that were reported, and whether pool was left.
    fn run(&self, program: &Path, policy: &str) -> (BTreeSet<String>, bool) {
        let mut command = Command::new(program);
        command.arg(policy).env_remove("NMR_HOST_POLICY");
        let output = succeed(command.args(self.watched.then_some("wrap")));
        let lines = text(&output.stdout);
        let reports = lines.lines().filter(|line| line.starts_with("V-"));
        let rules = reports.map(|line| line[..4].to_owned()).collect();
        (
            rules,
            !lines.ends_with("\n0 blocks\n") && lines != "0 blocks\n",
        )
    }

    fn is_known(&self, rule: &str) -> bool {
        TOLERATED.contains(&(self.name, rule))
    }

    /// Returns `true` if its bug can be seen under this policy.
    fn is_seen(&self, policy: &str) -> bool {
        match self.seen {
            Seen::Always => true,
            Seen::InMemory => policy.contains("memory=checked"),
            Seen::AtDispatchLevel => policy.contains("strict") || policy.contains("dispatch"),
        }
    }
}

#[test]
fn honest_shapes_are_silent_under_every_policy() {
    for convention in Convention::all() {
        for shape in &SHAPES {
            let program = shape.build(convention, false);
            for policy in POLICIES {
                let (rules, leaks) = shape.run(&program, policy);
                let place = format!("{} {convention:?} {policy}", shape.name);
                for rule in rules {
                    assert!(shape.is_known(&rule), "{place}: {rule}");
                }
                assert!(!leaks, "{place}");
            }
        }
    }
}

#[test]
fn the_known_bug_of_each_shape_is_reported() {
    for convention in Convention::all() {
        for shape in &SHAPES {
            let program = shape.build(convention, true);
            let policies = POLICIES.iter().filter(|policy| shape.is_seen(policy));
            for policy in policies {
                // A registration that strict mode refuses does not come to its bug.
                if shape.name == "plain_provider" && policy.contains("strict") {
                    continue;
                }
                let (mut rules, _) = shape.run(&program, policy);
                let place = format!("{} {convention:?} {policy}", shape.name);
                let expected = shape.rules.last().expect("a rule");
                assert!(rules.contains(*expected), "{place}: {rules:?}");
                rules.retain(|rule| !shape.is_known(rule));
                let others = rules.iter().filter(|rule| !shape.rules.contains(&&***rule));
                assert_eq!(others.count(), 0, "{place}: {rules:?}");
            }
        }
    }
}

#[test]
fn the_table_of_the_documentation_is_that_of_the_shapes() {
    let mut table = String::new();
    table.push_str("| shape | as it is | with its bug | reported |\n|---|---|---|---|\n");
    for shape in &SHAPES {
        let known = TOLERATED.iter().filter(|(name, _)| *name == shape.name);
        let known: Vec<_> = known.map(|(_, rule)| format!("{rule}, true")).collect();
        let honest = if known.is_empty() {
            "nothing".to_owned()
        } else {
            known.join("; ")
        };
        let when = match shape.seen {
            Seen::Always => "",
            Seen::InMemory => ", with `memory=checked`",
            Seen::AtDispatchLevel => ", at `DISPATCH_LEVEL`",
        };
        let rules: Vec<_> = (shape.rules.iter())
            .map(|rule| format!("[{rule}](verifier.md#{})", rule.to_lowercase()))
            .collect();
        let (name, what, bug, rules) = (shape.name, shape.what, shape.bug, rules.join(", "));
        writeln!(
            table,
            "| [`{name}`](../crates/nmr-host-c/tests/c/shapes/{name}.c): {what} | {honest} | {bug} | {rules}{when} |"
        )
        .expect("a text");
    }
    same_in_document("docs/c-shapes.md", "shapes", &table);
}
