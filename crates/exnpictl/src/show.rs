//! The output of the program.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use exnpi_control::{Action, Called, ModuleState, Role, State, status};
use serde_json::{Value, json};

/// Names and headings.
const HEADING: Style = Style::new().bold();
/// What is as it should be.
const GOOD: Style = AnsiColor::Green.on_default();
/// What is not.
const BAD: Style = AnsiColor::Yellow.on_default();

/// The modules that the driver has, with their states.
fn modules(state: &State) -> impl Iterator<Item = (Role, &ModuleState)> {
    let all = [
        (Role::Client, &state.client),
        (Role::Provider, &state.provider),
    ];
    let roles = state.roles;
    all.into_iter()
        .filter(move |(role, _)| roles & *role as u32 != 0)
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Provider => "provider",
    }
}

/// The state, to read.
pub(crate) fn state(state: &State) -> String {
    let mut text = String::new();
    for (role, module) in modules(state) {
        let heading = name(role);
        let (style, registered) = match module.registered {
            0 => (BAD, "not registered"),
            _ => (GOOD, "registered"),
        };
        let bindings = number(module.bindings, "binding");
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{HEADING}{heading:<10}{HEADING:#}{style}{registered}{style:#}, {bindings}"
        );
        for (what, value) in facts(role, module) {
            let _ = writeln!(text, "  {what:<16}{value}");
        }
    }
    text
}

/// What is known about a module.
fn facts(role: Role, module: &ModuleState) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("registrations", module.registrations.to_string()),
        (
            "offers",
            format!("{} attached, {} declined", module.attached, module.declined),
        ),
        (
            "detaches",
            format!(
                "{}, of which {} had to wait for calls, and {} of these are complete",
                module.detached, module.pended, module.completed
            ),
        ),
        ("cleanups", module.cleaned_up.to_string()),
        ("calls received", module.calls_received.to_string()),
    ];
    if role == Role::Client {
        facts.push(("calls made", format!("{} on request", module.calls_made)));
    }
    facts.push(("last status", status_name(module.last_status)));
    facts
}

fn number(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// A status with its name, if it has one here.
pub(crate) fn status_name(value: i32) -> String {
    const NOT_READY: i32 = 0xc000_00a3_u32.cast_signed();
    const NO_RESOURCES: i32 = 0xc000_009a_u32.cast_signed();
    let known = match value {
        status::SUCCESS => Some("STATUS_SUCCESS"),
        status::PENDING => Some("STATUS_PENDING"),
        NOT_READY => Some("STATUS_DEVICE_NOT_READY"),
        NO_RESOURCES => Some("STATUS_INSUFFICIENT_RESOURCES"),
        other => status::explain(other).map(|(name, _)| name),
    };
    known.map_or_else(
        || format!("{value:#010x}"),
        |name| format!("{name} ({value:#010x})"),
    )
}

/// What became of calls, to read.
pub(crate) fn called(called: &Called) -> String {
    let calls = number(called.made.into(), "call");
    match called.made {
        0 => format!("{calls} got through\n"),
        _ => format!("{calls} got through, the last sum is {}\n", called.sum),
    }
}

/// What became of a change, to read.
pub(crate) fn changed(action: Action, role: Role, changed: bool) -> String {
    let role = name(role);
    match (action, changed) {
        (Action::Detach, true) => format!("the {role} is deregistered, and has no binding\n"),
        (Action::Detach, false) => format!("the {role} was not registered\n"),
        (Action::Attach, true) => format!("the {role} is registered\n"),
        (Action::Attach, false) => format!("the {role} was registered already\n"),
    }
}

/// The state, for programs. A module that the driver does not have is `null`.
pub(crate) fn json_state(state: &State) -> Value {
    let mut value = json!({ "version": state.header.version, "client": null, "provider": null });
    for (role, module) in modules(state) {
        value[name(role)] = json!({
            "registered": module.registered != 0,
            "registrations": module.registrations,
            "bindings": module.bindings,
            "attached": module.attached,
            "declined": module.declined,
            "detached": module.detached,
            "pended": module.pended,
            "completed": module.completed,
            "cleaned_up": module.cleaned_up,
            "calls_received": module.calls_received,
            "calls_made": module.calls_made,
            "last_status": hexadecimal(module.last_status),
        });
    }
    value
}

/// What became of calls, for programs.
pub(crate) fn json_called(called: &Called) -> Value {
    json!({ "made": called.made, "sum": called.sum, "status": hexadecimal(called.status) })
}

/// What became of a change, for programs.
pub(crate) fn json_changed(action: Action, role: Role, changed: bool) -> Value {
    let registered = action == Action::Attach;
    json!({ "role": name(role), "registered": registered, "changed": changed })
}

fn hexadecimal(status: i32) -> String {
    format!("{status:#010x}")
}

#[cfg(test)]
mod tests {
    use exnpi_control::{Header, ModuleState, Role, State};
    use zerocopy::FromZeros;

    use super::{json_state, state, status_name};

    fn example() -> State {
        State {
            header: Header::of::<State>(),
            roles: Role::Client as u32,
            client: ModuleState {
                registered: 1,
                registrations: 2,
                bindings: 1,
                attached: 3,
                last_status: 0x103,
                calls_made: u64::MAX,
                ..ModuleState::default()
            },
            ..State::new_zeroed()
        }
    }

    #[test]
    fn a_state_reads_well() {
        let text = anstream::adapter::strip_str(&state(&example())).to_string();
        assert_eq!(
            text,
            "client    registered, 1 binding
  registrations   2
  offers          3 attached, 0 declined
  detaches        0, of which 0 had to wait for calls, and 0 of these are complete
  cleanups        0
  calls received  0
  calls made      18446744073709551615 on request
  last status     STATUS_PENDING (0x00000103)
"
        );
    }

    #[test]
    fn a_module_that_is_not_there_is_null() {
        let value = json_state(&example());
        assert!(value["provider"].is_null());
        assert_eq!(value["client"]["attached"], 3);
        assert_eq!(value["client"]["calls_made"], u64::MAX);
        assert_eq!(value["client"]["last_status"], "0x00000103");
    }

    #[test]
    fn a_status_has_a_name_if_it_is_known() {
        assert_eq!(status_name(0), "STATUS_SUCCESS (0x00000000)");
        assert_eq!(status_name(-1), "0xffffffff");
    }
}
