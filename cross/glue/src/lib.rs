//! Drivers on `nmr-driver` that do one thing each: what the loader's tests load.
#![cfg(all(windows, not(test)))]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "answers")]
mod answers;
#[cfg(feature = "bare")]
mod bare;
#[cfg(feature = "panics")]
mod panics;
#[cfg(any(feature = "fails", feature = "forgotten", feature = "abandons"))]
mod provider;
#[cfg(feature = "waiting")]
mod waiting;

#[cfg(feature = "answers")]
nmr_driver::driver!(answers::Answers: Device);
#[cfg(feature = "bare")]
nmr_driver::driver!(bare::Bare);
#[cfg(feature = "fails")]
nmr_driver::driver!(provider::Fails);
#[cfg(feature = "forgotten")]
nmr_driver::driver!(provider::Forgotten);
#[cfg(feature = "abandons")]
nmr_driver::driver!(provider::Abandons);
#[cfg(feature = "panics")]
nmr_driver::driver!(panics::Panics);
#[cfg(feature = "waiting")]
nmr_driver::driver!(waiting::Waiting);
