//! Reports: what an image did wrong, and which image it was.

use std::fmt;

use nmr_host::ThreadNumber;

use super::inside::Visit;
use super::nt::NtStatus;

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The name of the image.
    pub image: Box<str>,
    /// The thread that was there.
    pub thread: ThreadNumber,
    /// How many entries the [record](nmr_host::Record) had.
    pub recorded: u64,
    /// What happened.
    pub fault: Fault,
    /// The entry point or callback that the thread was in, if the host was stopped there.
    pub during: Option<Box<str>>,
}

/// What can be wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It called `KeBugCheckEx`, or did what makes the kernel call it. The host is stopped.
    BugCheck {
        /// The code.
        code: u32,
        /// The four parameters.
        parameters: [u64; 4],
        /// What the code means, if this crate knows.
        meaning: Box<str>,
        /// The offset in the image of the instruction after the call.
        offset: Option<u64>,
    },
    /// It panicked: the bug check of the crate wdk-panic. The host is stopped.
    Panic {
        /// The Rust source file.
        file: String,
        /// The line in it.
        line: u64,
        /// The column.
        column: u64,
    },
    /// It called a function that the host does not have. The host is stopped.
    Unimplemented {
        /// The library, or `KMDF`.
        library: String,
        /// The function.
        function: String,
        /// The offset in the image of the instruction after the call.
        offset: Option<u64>,
    },
    /// The processor refused an instruction of the image, or one of a function that the image has given
    /// a bad argument. The host is stopped.
    Exception {
        /// What it was, in words.
        what: String,
        /// The offset in the image of the instruction, or of the one after the call of the function.
        /// `None` if the image went to an address outside of it and left no trace.
        offset: Option<u64>,
        /// The address that the instruction wanted, if that is known; without an offset, its own.
        address: Option<u64>,
    },
    /// A thread ran where the image used to be, or looked there. The host is stopped.
    Late {
        /// The offset in the image that is gone.
        offset: u64,
    },
    /// An entry into the image did not return in time. The host is stopped.
    Hang {
        /// What did not return.
        what: String,
    },
    /// It has not completed a request of a program, for which the program waited in vain.
    NotCompleted {
        /// The request.
        request: String,
    },
    /// It used a function wrongly and went on.
    Misuse {
        /// The function.
        function: String,
        /// What is wrong.
        text: String,
    },
    /// It was unloaded and left a registration with the NMR behind.
    RegistrationLeft {
        /// The module, as the registrar names it.
        module: String,
    },
    /// It was unloaded and left an ETW provider registered: Windows would call it when a program
    /// enables it.
    ProviderLeft {
        /// The provider, by name if it is known, and its identifier.
        provider: String,
    },
    /// It was unloaded and left a device that it made with `IoCreateDevice`.
    DeviceLeft {
        /// The name, if it has one.
        name: Option<String>,
        /// The offset in the image of the instruction after the call that made it.
        offset: Option<u64>,
    },
    /// It was unloaded and left a symbolic link.
    LinkLeft {
        /// The name of the link.
        name: String,
        /// The offset in the image of the instruction after the call that made it.
        offset: Option<u64>,
    },
    /// It was unloaded and left memory behind.
    PoolLeft {
        /// The tag.
        tag: u32,
        /// How many bytes.
        size: usize,
        /// Which allocation of the host it was, from 1.
        number: u64,
    },
    /// It was unloaded while a thread was inside, and stays mapped for it.
    ThreadInside(Visit),
    /// It cannot be unloaded: its driver object has no unload routine.
    NoUnload,
    /// KMDF refused something.
    Framework {
        /// The function.
        function: &'static str,
        /// Why.
        text: String,
        /// What it answered.
        status: NtStatus,
    },
}

impl Fault {
    /// Returns `true` if nothing of the host runs any more after this.
    #[must_use]
    pub fn stops(&self) -> bool {
        matches!(
            self,
            Self::BugCheck { .. }
                | Self::Panic { .. }
                | Self::Unimplemented { .. }
                | Self::Exception { .. }
                | Self::Late { .. }
                | Self::Hang { .. }
        )
    }
}

/// What to do without WSK's functions.
const WSK: &str = ", as it has no network: the example wsk of the crate nmr tests a client of WSK through the NMR";

/// One line that begins with the image.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (", self.image, self.fault)?;
        if let Some(during) = &self.during {
            write!(f, "in {during}, ")?;
        }
        write!(f, "thread {})", self.thread)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BugCheck {
                code,
                parameters: [first, second, third, fourth],
                meaning,
                offset,
            } => {
                write!(
                    f,
                    "bug check {code:#010x} ({first:#x}, {second:#x}, {third:#x}, {fourth:#x}): {meaning}"
                )?;
                called(f, *offset)
            }
            Self::Panic { file, line, column } => write!(f, "panic at {file}:{line}:{column}"),
            Self::Unimplemented {
                library,
                function,
                offset,
            } => {
                write!(
                    f,
                    "called {function} of {library}, which this host does not have"
                )?;
                if function.starts_with("Wsk") {
                    f.write_str(WSK)?;
                }
                called(f, *offset)
            }
            Self::Exception {
                what,
                offset,
                address,
            } => {
                f.write_str(what)?;
                if let Some(address) = address {
                    write!(f, " at address {address:#x}")?;
                }
                called(f, *offset)
            }
            Self::Late { offset } => {
                write!(f, "used at offset {offset:#x} after it was unloaded")
            }
            Self::Hang { what } => write!(f, "{what} does not return"),
            Self::NotCompleted { request } => write!(f, "has not completed {request}"),
            Self::Misuse { function, text } => write!(f, "{function}: {text}"),
            Self::RegistrationLeft { module } => write!(
                f,
                "unloaded with a registration left: {module}; deregister it and wait before unload"
            ),
            Self::ProviderLeft { provider } => write!(
                f,
                "unloaded with an ETW provider left: {provider}; call EtwUnregister before unload"
            ),
            Self::DeviceLeft { name, offset } => {
                let name = name.as_deref().unwrap_or("without a name");
                write!(
                    f,
                    "unloaded with a device left: {name}; call IoDeleteDevice for what IoCreateDevice made"
                )?;
                called(f, *offset)
            }
            Self::LinkLeft { name, offset } => {
                write!(
                    f,
                    "unloaded with a symbolic link left: {name}; call IoDeleteSymbolicLink for what \
                     IoCreateSymbolicLink made"
                )?;
                called(f, *offset)
            }
            Self::PoolLeft { tag, size, number } => write!(
                f,
                "unloaded with {size} bytes of pool left, tag '{}', allocation {number}",
                tag.to_le_bytes().escape_ascii()
            ),
            Self::ThreadInside(visit) => write!(f, "unloaded with a thread inside: {visit}"),
            Self::NoUnload => f.write_str("has no unload routine"),
            Self::Framework {
                function,
                text,
                status,
            } => {
                write!(f, "{function}: {text}; answered {status:#010x}")
            }
        }
    }
}

fn called(f: &mut fmt::Formatter<'_>, offset: Option<u64>) -> fmt::Result {
    offset.map_or(Ok(()), |offset| {
        write!(f, ", at offset {offset:#x} of the image")
    })
}

/// The host is stopped: see "How a bug check ends" in `docs/loader.md`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped(pub Report);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped: {}", self.0)
    }
}

impl std::error::Error for Stopped {}
