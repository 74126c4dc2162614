//! Requests to the driver, whichever way they reach it.

use exnpi_control::{
    Action, Call, Called, Change, Changed, Header, Message, Query, Role, State, code, status,
};

/// A driver that can be asked.
pub trait Device {
    /// Sends a control request. Returns how many bytes of the reply were written.
    fn control(&self, code: u32, request: &[u8], reply: &mut [u8]) -> Result<usize, Failure>;
}

/// Why something was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// There is no device, or it is gone: what is wrong, and what to do.
    NoDevice(String),
    /// The driver refused: why, and what to do.
    Refused(String),
    /// The output cannot be written.
    Output(String),
}

impl Failure {
    /// The driver has refused a request with this status.
    #[must_use]
    pub fn from_status(status: i32) -> Self {
        let why = match status::explain(status) {
            Some((name, text)) => format!("the driver refused with {name}: {text}"),
            None => format!("the driver failed with NTSTATUS {status:#010x}"),
        };
        Self::Refused(why)
    }
}

/// The status that Windows has made this error of. `None` if it is none of those with which the
/// driver refuses requests.
#[must_use]
pub const fn explain_error(error: u32) -> Option<i32> {
    Some(match error {
        1 => status::UNKNOWN_CODE,
        24 => status::WRONG_SIZE,
        50 => status::NO_MODULE,
        87 => status::OUT_OF_RANGE,
        122 => status::NO_SPACE,
        170 => status::BUSY,
        1306 => status::WRONG_VERSION,
        _ => return None,
    })
}

/// Asks for the state.
pub(crate) fn state(device: &dyn Device) -> Result<State, Failure> {
    let header = Header::of::<Query>();
    send(device, code::QUERY, &Query { header })
}

/// Makes the client call.
pub(crate) fn call(device: &dyn Device, count: u32, value: u32) -> Result<Called, Failure> {
    let header = Header::of::<Call>();
    let call = Call {
        header,
        count,
        value,
    };
    send(device, code::CALL, &call)
}

/// Registers or deregisters a module. Returns whether that changed anything.
pub(crate) fn change(device: &dyn Device, action: Action, role: Role) -> Result<bool, Failure> {
    let change = Change {
        header: Header::of::<Change>(),
        action: action as u32,
        role: role as u32,
    };
    let changed: Changed = send(device, code::CHANGE, &change)?;
    Ok(changed.changed != 0)
}

/// Sends a request and checks the reply.
fn send<R: Message>(device: &dyn Device, code: u32, request: &impl Message) -> Result<R, Failure> {
    let mut reply = R::new_zeroed();
    let size = device.control(code, request.as_bytes(), reply.as_mut_bytes())?;
    if size != size_of::<R>() || reply.header() != Header::of::<R>() {
        return Err(Failure::Refused(
            "the reply is not that of this version; use program and driver of one build".to_owned(),
        ));
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use exnpi_control::{Changed, Header, status};
    use zerocopy::IntoBytes;

    use super::{Action, Device, Failure, Role, change, explain_error};

    /// A driver that always replies the same.
    struct Says(Changed, usize);

    impl Device for Says {
        fn control(&self, _code: u32, request: &[u8], reply: &mut [u8]) -> Result<usize, Failure> {
            assert_eq!(request, [16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
            reply.copy_from_slice(self.0.as_bytes());
            Ok(self.1)
        }
    }

    #[test]
    fn a_reply_of_another_size_or_version_is_refused() {
        let good = Changed {
            header: Header::of::<Changed>(),
            changed: 1,
            reserved: 0,
        };
        let newer = Changed {
            header: Header {
                version: 2,
                ..good.header
            },
            ..good
        };
        let ask = |reply, size| change(&Says(reply, size), Action::Detach, Role::Provider);
        assert_eq!(ask(good, 16), Ok(true));
        for answer in [ask(good, 15), ask(good, 0), ask(newer, 16)] {
            assert!(matches!(answer, Err(Failure::Refused(_))), "{answer:?}");
        }
    }

    #[test]
    fn what_windows_makes_of_a_status_is_understood() {
        for error in [1, 24, 50, 87, 122, 170, 1306] {
            let status = explain_error(error).unwrap();
            assert!(status < 0 && status::explain(status).is_some(), "{error}");
        }
        assert_eq!(explain_error(5), None);
    }
}
