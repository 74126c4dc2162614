//! Loads a Windows driver image into a Linux process and runs it: the bytes that ship, in
//! `cargo test`.
//!
//! [`Host`] is a machine of its own: a pool, a registrar, a list of what was printed and of what
//! went wrong. [`Host::load`] maps an image, gives it what it imports, and runs its entry point;
//! [`Image::add_device`] and [`Image::unload`] do what Plug and Play would do. The image's
//! `NETIO.SYS` is the registrar of the crate `nmr-host`, so its rules, its record and its policies
//! hold for a `.sys` file as they do for native modules, and the two can attach to each other.
//!
//! # Trust
//!
//! An image runs as a part of the process, with all its rights. Malformed images are refused, but
//! nothing confines a well-formed one: **load only drivers that you trust**.
//!
//! # What an image finds
//!
//! * Every import by its name. One that this crate does not have becomes a trap, which names itself
//!   when it is called; so does every function of KMDF that is not implemented.
//! * Pool with tags, owners and guards, aligned to 16 bytes and never to more; events, rundown
//!   protection, spin locks, mutexes, fast mutexes, IRQL of the thread, work items, `DbgPrint`, KMDF's driver, device,
//!   object, lock, timer and work item functions, and its device interfaces, queues and requests.
//! * Its `/GS` cookie, set.
//! * No structured exception handling, no `KPCR` behind `gs`, no paging, no hardware, no registry.
//!   What needs these faults, and the fault is reported with the image and the offset.
//!
//! # Events
//!
//! The kernel's ETW is there, and every provider is enabled from its registration on.
//! [`Host::events`] has what drivers wrote: events in the manner of `TraceLogging`, such as those of
//! the crate tracelogging, with names and fields, others with their data. A provider that is left at
//! the unload is reported.
//!
//! # Programs
//!
//! [`Image::interfaces`] finds the devices' interfaces, [`Interface::open`] opens a device, and
//! [`Handle::control`] sends it device control requests, from as many threads as the test has. The
//! requests come to the driver through its queues, with one system buffer for both directions
//! (`METHOD_BUFFERED`; the driver gets no buffers for the other methods). Reported are: a request that
//! is completed twice, or not completed while somebody waits for it; output that is longer than there
//! is room for; a write around a buffer; and a buffer or a request that is touched after the
//! completion.
//!
//! A device that is removed accepts nothing new. Requests that wait in queues are canceled; those that
//! the driver has are canceled if it has marked them so, and waited for. Then the programs' files are
//! closed. Windows would not remove a device with open files in an orderly way at all; it sends the
//! same things in the same order when a device is gone by surprise and its programs close their files.
//!
//! Requests are presented at `PASSIVE_LEVEL`, on the thread of the program. KMDF may present one at
//! `DISPATCH_LEVEL`, and on the thread that completes another one. Manual queues, synchronization
//! scopes and requests to read and write do not exist here; asking for one is reported.
//!
//! # How a bug check ends
//!
//! A bug check stops a machine: nothing of it ever runs again. So here: the thread that calls
//! `KeBugCheckEx`, or faults, or calls a trap, stays where it is for ever, and the [`Host`] is
//! stopped. Nothing is unwound, because the frames between belong to foreign code, to the
//! registrar and to this crate in any order. Code of images therefore runs on threads of the host;
//! whoever waits for such a thread (in [`Host::load`], [`Image::unload`], [`Host::run`]) gets the
//! report instead. What the stopped thread stands on stays mapped. A thread that the caller made,
//! and that calls into an image directly, is stopped like any other: make it with [`Host::run`].
//!
//! # What is checked when an image is unloaded
//!
//! * Registrations with the NMR that the image made and did not close.
//! * Pool that it allocated and nobody freed. (A write outside of a block is reported when the block
//!   is freed.)
//! * Threads inside: those that this crate sent into the image (entry points, KMDF callbacks, work
//!   items) and those that left the image through an import and will come back to it. Callbacks of
//!   the NMR need no count of their own: a registration whose wait has returned has none in
//!   progress, and one that is not closed is reported.
//!
//! Then the image is unmapped, whatever was found, unless a thread is inside. What still goes to it
//! faults at an address that is not used again for a long time, and the report names the image that
//! used to be there.
//!
//! # Faults
//!
//! Whatever an image asks for and may not get is a [`Point`]: pool, what KMDF makes, a registration,
//! an attach. [`Host::refuse`] says which of them it does not get. A [`Scenario`] is images that come
//! and go, with a native [`Peer`] if they need one; it runs on a host of its own, once without a fault
//! and once for each [`Trial`] that follows from that, and its [`Outcome`] says what was lost.
//!
//! # What is not seen
//!
//! * A thread that came in through a dispatch table, straight from another module, and runs the
//!   image's own instructions at the moment of the unload. It faults when it goes on.
//! * A fault in one of this crate's own functions, because of a pointer that the image passed to it.
//!   Except in `memcpy` and its relatives, it ends the process, after a line on standard error that
//!   names the function and the image.
//! * The size of a kernel stack, and pageable memory that is touched at `DISPATCH_LEVEL`: threads
//!   have large stacks here, and nothing is paged.
//!
//! A registrar whose policy is to panic when a rule is broken ends the process if it is in a call
//! from an image, because a panic cannot pass through one. Look at the reports instead.
//!
//! The modules [`pe`], [`facts`] and [`hygiene`] are pure and available everywhere. The rest needs
//! Linux on x86-64; elsewhere [`SUPPORTED`] is false and `Host` does not exist.

pub mod facts;
pub mod hygiene;
pub mod pe;

/// Whether this machine can load images.
pub const SUPPORTED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));
/// What to tell a user where it cannot.
pub const UNSUPPORTED: &str = "driver images can be loaded on x86-64 Linux only";

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod native;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use native::{
    Descriptor, DeviceError, Event, Fate, Fault, Field, Handle, Host, Image, Interface, LoadError,
    LoadOptions, Outcome, Peer, PeerComes, Plan, Point, Print, Refusal, Report, RequestError,
    Scenario, Site, Source, StartPeer, Step, Stopped, Trial, Unloaded, Value, Visit,
};
