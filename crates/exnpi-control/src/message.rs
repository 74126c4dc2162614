//! The structures that are sent: little-endian, without padding, of one size for each version.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The version of all structures.
pub const VERSION: u32 = 1;

/// The most calls that one request makes. They take well under a second.
pub const MOST_CALLS: u32 = 1_000_000;

/// What every structure begins with.
#[repr(C)]
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The size of the whole structure, in bytes.
    pub size: u32,
    /// Its version: [`VERSION`].
    pub version: u32,
}

impl Header {
    /// The header of a structure of this version.
    #[must_use]
    pub const fn of<T>() -> Self {
        assert!(size_of::<T>() <= 0xffff);
        #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
        let size = size_of::<T>() as u32;
        Self {
            size,
            version: VERSION,
        }
    }
}

/// A structure that is sent.
pub trait Message: FromBytes + IntoBytes + KnownLayout + Immutable + Copy {
    /// What it begins with.
    fn header(&self) -> Header;
}

macro_rules! messages {
    ($($message:ident of $size:literal bytes),*) => {$(
        impl Message for $message {
            fn header(&self) -> Header {
                self.header
            }
        }
        const _: () = assert!(size_of::<$message>() == $size);
    )*};
}

messages!(
    Query of 8 bytes, Call of 16 bytes, Change of 16 bytes,
    State of 192 bytes, Called of 24 bytes, Changed of 16 bytes
);

/// Asks for the state.
#[repr(C)]
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query {
    /// Size and version.
    pub header: Header,
}

/// Makes the client call the provider, again and again.
#[repr(C)]
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// Size and version.
    pub header: Header,
    /// How often: 1 to [`MOST_CALLS`].
    pub count: u32,
    /// What each call sends.
    pub value: u32,
}

/// What became of the calls.
#[repr(C)]
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Called {
    /// Size and version.
    pub header: Header,
    /// How many calls got through. The first that does not is the last.
    pub made: u32,
    /// The sum that the last of them returned; 0 if there was none.
    pub sum: u32,
    /// Why not all of them did, or 0: `STATUS_DEVICE_NOT_READY` if no provider is attached.
    pub status: i32,
    /// 0.
    pub reserved: u32,
}

/// Registers or deregisters a module.
#[repr(C)]
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Size and version.
    pub header: Header,
    /// What to do: an [`Action`].
    pub action: u32,
    /// To which module: a [`Role`].
    pub role: u32,
}

/// What became of the change.
#[repr(C)]
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Changed {
    /// Size and version.
    pub header: Header,
    /// 1 if the request changed something, 0 if the module was as wanted.
    pub changed: u32,
    /// 0.
    pub reserved: u32,
}

/// What to do with a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Deregister it, which detaches it from its peers, and wait until it has no binding.
    Detach = 1,
    /// Register it, so that it attaches to the peers that are there.
    Attach = 2,
}

impl Action {
    /// The action with this number.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Detach),
            2 => Some(Self::Attach),
            _ => None,
        }
    }
}

/// One of the modules that the driver can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The client.
    Client = 1,
    /// The provider.
    Provider = 2,
}

impl Role {
    /// The role with this number.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Client),
            2 => Some(Self::Provider),
            _ => None,
        }
    }
}

/// The state of the driver. Numbers without another explanation count from the load of the driver.
/// They are read one after the other, so that they may not fit together while something happens.
#[repr(C)]
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// Size and version.
    pub header: Header,
    /// Which modules the driver has: the sum of their [`Role`]s.
    pub roles: u32,
    /// 0.
    pub reserved: u32,
    /// The client.
    pub client: ModuleState,
    /// The provider.
    pub provider: ModuleState,
}

/// The state of one module; all 0 if the driver does not have it.
#[repr(C)]
#[derive(
    FromBytes, IntoBytes, KnownLayout, Immutable, Clone, Copy, Default, PartialEq, Eq, Debug,
)]
pub struct ModuleState {
    /// How often it is registered now: 0 or 1.
    pub registered: u32,
    /// The status of the last thing that happened to it: 0 after a registration, an attach, or a
    /// detach; `STATUS_PENDING` after a detach that has to wait; a failure after a registration
    /// that failed or an offer that was declined.
    pub last_status: i32,
    /// How many registrations succeeded.
    pub registrations: u64,
    /// How many bindings it has now.
    pub bindings: u64,
    /// How many offers it accepted and its peer did too.
    pub attached: u64,
    /// How many offers it declined, or its peer did after it had accepted.
    pub declined: u64,
    /// How many bindings were asked to detach.
    pub detached: u64,
    /// How many of these had to wait for calls in progress.
    pub pended: u64,
    /// How many of these have completed.
    pub completed: u64,
    /// How many bindings were cleaned up.
    pub cleaned_up: u64,
    /// How many calls it received from its peers.
    pub calls_received: u64,
    /// How many calls requests made it make. Calls of the provider are not counted where they are
    /// made.
    pub calls_made: u64,
}

#[cfg(test)]
mod tests {
    use super::{Action, Call, Header, Message, Role, VERSION};
    use zerocopy::{FromBytes, IntoBytes};

    #[test]
    fn a_structure_survives_its_bytes() {
        let call = Call {
            header: Header::of::<Call>(),
            count: 3,
            value: 0x0102_0304,
        };
        let bytes = call.as_bytes();
        assert_eq!(bytes, [16, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 4, 3, 2, 1]);
        let back = Call::read_from_bytes(bytes).unwrap();
        assert_eq!(back, call);
        assert_eq!((back.header().size, back.header().version), (16, VERSION));
    }

    #[test]
    fn bytes_of_another_size_are_no_structure() {
        for size in [0, 15, 17] {
            assert!(Call::read_from_bytes(&[0; 17][..size]).is_err());
        }
    }

    #[test]
    fn numbers_and_names_agree() {
        for action in [Action::Detach, Action::Attach] {
            assert_eq!(Action::from_number(action as u32), Some(action));
        }
        for role in [Role::Client, Role::Provider] {
            assert_eq!(Role::from_number(role as u32), Some(role));
        }
        for number in [0, 3, u32::MAX] {
            assert_eq!(Action::from_number(number), None);
            assert_eq!(Role::from_number(number), None);
        }
    }
}
