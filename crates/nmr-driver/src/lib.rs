//! The glue between Windows and a KMDF driver with network modules. The driver's own crate is ordinary Rust
//! and may say `#![forbid(unsafe_code)]`.
//!
//! A driver is a value of a type with the trait [`Driver`]: `DriverEntry` makes it with [`Driver::load`], and
//! `EvtDriverUnload` drops it. If it is a [`Device`] too, programs open its device and send it control requests,
//! which come as a [`Request`] each. [`driver!`] makes the image: entry point, allocator and panic handler.
//!
//! ```
//! // The root of the driver's crate also has, at its top:
//! // #![cfg(all(windows, not(test)))]
//! // #![no_std]
//! // #![forbid(unsafe_code)]
//! use exnpi::{Exnpi, ProviderCalls};
//! use nmr::{Error, Guid, Identity, Module, Offer, Provider, Registration, Result};
//! use nmr_driver::{Device, Driver, Request};
//!
//! struct Doubles;
//!
//! impl Module<Provider<Exnpi>> for Doubles {
//!     type Binding = Self;
//!
//!     fn identity(&self) -> Identity {
//!         Identity::new(Guid::from_u128(0x9c1b6f5d_0f5e_4d7a_8f0e_5b0a5c7d1e21))
//!     }
//!
//!     fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! impl ProviderCalls for Doubles {
//!     fn add(&self, value: u32) -> u32 {
//!         value.wrapping_mul(2)
//!     }
//! }
//!
//! struct MyDriver {
//!     provider: Registration<Provider<Exnpi>, Doubles>,
//! }
//!
//! impl Driver for MyDriver {
//!     fn load() -> Result<Self> {
//!         let provider = Registration::new(Doubles)?;
//!         Ok(Self { provider })
//!     }
//! }
//!
//! /// `CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)`.
//! const DOUBLE: u32 = 0x0022_2000;
//!
//! impl Device for MyDriver {
//!     const INTERFACE: Guid = Guid::from_u128(0x2f8e1c47_6a0b_4c39_9d52_7e31b0a4c8f6);
//!
//!     fn control(&self, request: Request<'_>) -> Result {
//!         match request.code() {
//!             DOUBLE => {
//!                 let value = request.input().try_into().map(u32::from_le_bytes);
//!                 let value = value.map_err(|_| Error::INVALID_PARAMETER)?;
//!                 request.reply(&self.provider.add(value).to_le_bytes())
//!             }
//!             _ => Err(Error::INVALID_DEVICE_REQUEST),
//!         }
//!     }
//! }
//!
//! nmr_driver::driver!(MyDriver: Device);
//!
//! # fn main() -> Result {
//! // In a test, on the embedded registrar `nmr-host`:
//! # use nmr_host as _;
//! let driver = MyDriver::load()?;
//! let mut reply = [0; 4];
//! nmr_driver::device_io_control(&driver, DOUBLE, &21_u32.to_le_bytes(), &mut reply)?;
//! assert_eq!(reply, 42_u32.to_le_bytes());
//! # Ok(())
//! # }
//! ```
//!
//! # What a module needs of the kernel
//!
//! [`KernelEvent`] is what threads wait on for a provider, [`KernelSpinLock`] guards data of several IRQLs:
//!
//! ```no_run
//! # use nmr::{Awaited, Dispatch, Wait};
//! use core::time::Duration;
//! use nmr_driver::KernelEvent;
//!
//! # fn f<D: Dispatch>() -> nmr::Result {
//! // In the module, as `nmr::Awaited` describes.
//! let provider = Awaited::<D, KernelEvent>::new()?;
//! let call = provider.capture(Wait::AtMost(Duration::from_secs(5)))?;
//! # Ok(())
//! # }
//! ```
//!
//! Programs have no kernel: they take `nmr_host::NotificationEvent` and `nmr_host::HostSpinLock`.
//!
//! # Unload
//!
//! The fields of the driver are dropped in their order. A registration waits in its drop until its bindings are
//! gone, so a driver with two of them begins to deregister both before it waits for either, if its `Drop` calls
//! [`nmr::Registration::close`] on both first. Requests have ended by then: the framework removes the devices
//! before.
//!
//! Safe code can forget a registration, or keep it in a static. The image must not be unloaded then, so the glue
//! counts [`nmr::registrations`] when the driver was dropped, and when it failed to load, and stops the system if
//! one is left. A debug build also stops where a registration ends inside one of its own callbacks.
//!
//! # Features
//!
//! * `kmdf` (default): the entry point and the device, with the crates of the WDK, on Windows targets. KMDF 1.25 or
//!   newer. Without it, and on other systems, the rest is there: traits, requests, event and spin lock; the last
//!   two need the kernel when they are linked.
//! * `tracelogging`: `Driver::events`, a provider of events that is registered with ETW while the driver is loaded.
//!
//! A driver links ntoskrnl.lib and netio.lib.
#![no_std]

extern crate alloc;

mod bug_check;
mod device;
mod driver;
mod event;
#[cfg(all(windows, feature = "kmdf"))]
#[doc(hidden)]
pub mod kmdf;
mod macros;
mod registrations;
mod request;
mod spin_lock;

pub use device::Device;
pub use driver::Driver;
pub use event::KernelEvent;
pub use registrations::{identify_threads, require_no_registrations};
pub use request::{Request, device_io_control};
pub use spin_lock::KernelSpinLock;

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
