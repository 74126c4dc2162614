//! Control requests to an image.

use std::fmt::Debug;

use driver_host::{Handle, Image};
use exnpi_control::{
    Action, Call, Called, Change, Changed, Header, INTERFACE, Message, Query, Role, State, code,
};
use nmr::Guid;

/// Opens the device of an image.
pub fn open(image: &Image) -> Handle {
    let interfaces = image.interfaces(Guid::from_u128(INTERFACE));
    assert_eq!(interfaces.len(), 1);
    interfaces[0].open().unwrap()
}

/// Sends a request, and returns the reply or the status of the refusal.
pub fn send<R: Message>(device: &Handle, code: u32, request: &impl Message) -> Result<R, i32> {
    let (status, bytes) = device
        .control(code, request.as_bytes(), size_of::<R>())
        .unwrap();
    if status == 0 {
        let reply = R::read_from_bytes(&bytes).unwrap();
        assert_eq!(reply.header(), Header::of::<R>());
        Ok(reply)
    } else {
        assert_eq!(bytes, []);
        Err(status)
    }
}

pub const QUERY: Query = Query {
    header: Header::of::<Query>(),
};

pub const fn calls(count: u32, value: u32) -> Call {
    Call {
        header: Header::of::<Call>(),
        count,
        value,
    }
}

pub const fn change(action: Action, role: Role) -> Change {
    Change {
        header: Header::of::<Change>(),
        action: action as u32,
        role: role as u32,
    }
}

pub fn state(device: &Handle) -> State {
    send(device, code::QUERY, &QUERY).unwrap()
}

/// Makes the client call. Returns how many calls got through, the last sum, and the status.
pub fn call(device: &Handle, count: u32, value: u32) -> (u32, u32, i32) {
    let called: Called = send(device, code::CALL, &calls(count, value)).unwrap();
    (called.made, called.sum, called.status)
}

/// Registers or deregisters. Returns whether that changed anything.
pub fn set(device: &Handle, action: Action, role: Role) -> Result<bool, i32> {
    let changed: Changed = send(device, code::CHANGE, &change(action, role))?;
    Ok(changed.changed == 1)
}

/// Expects a refusal.
pub fn refused<T: Debug>(answer: Result<T, i32>, status: i32) {
    assert_eq!(answer.unwrap_err(), status);
}
