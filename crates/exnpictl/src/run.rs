//! Does what the command line says.

use std::io::{ErrorKind, Write};
use std::thread;

use exnpi_control::{Action, Role};

use crate::options::{Command, Options, RoleName};
use crate::request::{self, Device, Failure};
use crate::show;

/// Does what the command line says, and writes the result. Text may have colours.
pub fn run(options: &Options, device: &dyn Device, out: &mut dyn Write) -> Result<(), Failure> {
    let mut out = Output {
        out,
        json: options.json,
        closed: false,
    };
    match options.command {
        Command::Status => status(device, &mut out),
        Command::Call { count, value } => call(device, count, value, &mut out),
        Command::Detach { role } => change(device, Action::Detach, role, &mut out),
        Command::Attach { role } => change(device, Action::Attach, role, &mut out),
        Command::Watch { interval, times } => {
            let mut left = times;
            loop {
                status(device, &mut out)?;
                left = left.map(|left| left - 1);
                if left == Some(0) || out.closed {
                    return Ok(());
                }
                thread::sleep(interval);
            }
        }
    }
}

fn status(device: &dyn Device, out: &mut Output<'_>) -> Result<(), Failure> {
    let state = request::state(device)?;
    out.write(&show::json_state(&state), || show::state(&state))
}

fn call(device: &dyn Device, count: u32, value: u32, out: &mut Output<'_>) -> Result<(), Failure> {
    let called = request::call(device, count, value)?;
    out.write(&show::json_called(&called), || show::called(&called))?;
    if called.made == count {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "{} of {count} calls got through, then {}: is a provider attached? See `exnpictl status`",
        called.made,
        show::status_name(called.status)
    )))
}

fn change(
    device: &dyn Device,
    action: Action,
    role: RoleName,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let role = Role::from(role);
    let changed = request::change(device, action, role)?;
    out.write(&show::json_changed(action, role, changed), || {
        show::changed(action, role, changed)
    })
}

/// Where results go.
struct Output<'a> {
    out: &'a mut dyn Write,
    json: bool,
    /// Whether the reader has closed the pipe.
    closed: bool,
}

impl Output<'_> {
    /// Writes a result in one of its two forms. A reader who does not want to read on is no failure.
    fn write(
        &mut self,
        json: &serde_json::Value,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let written = if self.json {
            writeln!(self.out, "{json}")
        } else {
            self.out.write_all(text().as_bytes())
        };
        match written.and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Failure::Output(format!("cannot write the output: {error}"))),
            Ok(()) => Ok(()),
        }
    }
}
