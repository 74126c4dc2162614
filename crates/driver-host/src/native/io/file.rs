//! Files: what a program does with a device that it has opened. These functions run on a thread of the host, on
//! behalf of the program.

use std::io;
use std::sync::Arc;

use super::cancel::cancel as cancel_irp;
use super::send::send;
use crate::native::kernel::buffers::Buffers;
use crate::native::kernel::device::{Device, File, Shut};
use crate::native::kernel::irp::{Ask, Ended, Irp, Lengths};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::mdl;
use crate::native::kernel::nt::{
    NtStatus, STATUS_ACCESS_DENIED, STATUS_CANCELLED, STATUS_INSUFFICIENT_RESOURCES,
    STATUS_NO_SUCH_DEVICE, failed,
};
use crate::native::kernel::report::Fault;
use crate::native::kernel::wait;

/// Opens a device. Returns the address of the file object, or the status of a refusal. `None` if the device is
/// gone.
pub(crate) fn open(image: &Arc<Loaded>, number: usize) -> Option<Result<usize, NtStatus>> {
    let device = image.devices.of(number)?;
    let Ok(file) = File::new(&device) else {
        return Some(Err(STATUS_INSUFFICIENT_RESOURCES));
    };
    let file = Arc::new(file);
    match device.add_file(&file) {
        Ok(()) => {}
        Err(Shut::Closed) => return None,
        Err(Shut::Initializing) => return Some(Err(STATUS_NO_SUCH_DEVICE)),
        Err(Shut::InUse) => return Some(Err(STATUS_ACCESS_DENIED)),
    }
    let operation = device.begin(file.address())?;
    let status = plain(image, Ask::Create, &device, operation.file());
    drop(operation);
    if failed(status) {
        device.take_file(file.address());
        return Some(Err(status));
    }
    Some(Ok(file.address()))
}

/// Sends an IRP without buffers.
fn plain(image: &Arc<Loaded>, ask: Ask, device: &Arc<Device>, file: &Arc<File>) -> NtStatus {
    let (lengths, buffers) = (Lengths::default(), Buffers::default());
    match Irp::new(ask, lengths, buffers, device, file) {
        Ok(irp) => send(image, &Arc::new(irp)).status,
        Err(_) => STATUS_INSUFFICIENT_RESOURCES,
    }
}

/// Sends a device control request with an input, and with an output buffer that has this content, and waits for
/// its end. `None` if the device or the file is gone.
pub(crate) fn control(
    image: &Arc<Loaded>,
    number: usize,
    file: usize,
    code: u32,
    input: &[u8],
    output: &[u8],
) -> Option<Ended> {
    let make = |_: &Device| Buffers::of_control(image, code, input, output);
    let lengths = Lengths {
        input: input.len(),
        output: output.len(),
    };
    transfer(image, number, file, Ask::Control(code), lengths, make)
}

/// Sends a request to read into a buffer. `None` if the device or the file is gone.
pub(crate) fn read(
    image: &Arc<Loaded>,
    number: usize,
    file: usize,
    offset: u64,
    length: usize,
) -> Option<Ended> {
    let make = |device: &Device| Buffers::of_read(image, &device.object, length);
    let lengths = Lengths {
        input: 0,
        output: length,
    };
    transfer(image, number, file, Ask::Read(offset), lengths, make)
}

/// Sends a request to write the bytes of a buffer. `None` if the device or the file is gone.
pub(crate) fn write(
    image: &Arc<Loaded>,
    number: usize,
    file: usize,
    offset: u64,
    bytes: &[u8],
) -> Option<Ended> {
    let make = |device: &Device| Buffers::of_write(image, &device.object, bytes);
    let lengths = Lengths {
        input: 0,
        output: bytes.len(),
    };
    transfer(image, number, file, Ask::Write(offset), lengths, make)
}

/// Sends a request with buffers, and waits for its end.
fn transfer(
    image: &Arc<Loaded>,
    number: usize,
    file: usize,
    ask: Ask,
    lengths: Lengths,
    make: impl FnOnce(&Device) -> io::Result<Buffers>,
) -> Option<Ended> {
    let device = image.devices.of(number)?;
    let operation = device.begin(file)?;
    let irp = make(&device)
        .and_then(|buffers| Irp::new(ask, lengths, buffers, &device, operation.file()));
    Some(match irp {
        Ok(irp) => send(image, &Arc::new(irp)),
        Err(_) => Ended::with(STATUS_INSUFFICIENT_RESOURCES),
    })
}

/// Cancels the requests of a file that are in flight. Returns how many were not canceled before.
pub(crate) fn cancel(image: &Arc<Loaded>, file: usize) -> usize {
    let irps = image.system.irps.of_file(file).into_iter();
    irps.filter(|irp| cancel_irp(image, irp)).count()
}

/// Closes a file, unless the unload of its driver has done so.
pub(crate) fn close(image: &Arc<Loaded>, number: usize, file: usize) {
    let Some(device) = image.devices.of(number) else {
        return;
    };
    if let Some(file) = device.take_file(file) {
        end(image, &device, &file);
    }
}

/// A program lets go of a file: `IRP_MJ_CLEANUP`, and when nothing uses the file any more, `IRP_MJ_CLOSE`.
fn end(image: &Arc<Loaded>, device: &Arc<Device>, file: &Arc<File>) {
    plain(image, Ask::Cleanup, device, file);
    wait::block(None, || file.operations() == 0 || is_stuck(image, file));
    for irp in image.system.irps.of_file(file.address()) {
        image.report(Fault::NotCompleted {
            request: irp.to_string(),
        });
        mdl::free_chain(image, irp.take_mdls());
        irp.end(Ended::with(STATUS_CANCELLED));
    }
    wait::block(None, || file.operations() == 0);
    plain(image, Ask::Close, device, file);
}

/// Returns `true` if every operation on a file waits for its driver, and nothing of the driver is running or will
/// run that could complete the requests: no thread is inside, no timer, DPC or work item of it is waiting, and no
/// other module can call it.
fn is_stuck(image: &Loaded, file: &File) -> bool {
    let irps = image.system.irps.of_file(file.address());
    irps.len() == file.operations()
        && irps.iter().all(|irp| irp.has_returned())
        && image.inside.open().is_empty()
        && image.registrations.open().is_empty()
}

/// Closes every file of every device of a driver that is about to be unloaded: their programs end, which cancels
/// their requests first.
pub(crate) fn close_all(image: &Arc<Loaded>) {
    for device in image.devices.with_deleted() {
        device.close();
        for file in device.take_files() {
            cancel(image, file.address());
            end(image, &device, &file);
        }
    }
}

/// The requests of a driver that it has not completed.
pub(crate) fn open_requests(image: &Loaded) -> Vec<String> {
    let devices = image.devices.with_deleted();
    let irps = devices
        .iter()
        .flat_map(|device| image.system.irps.of_device(device));
    irps.map(|irp| irp.to_string()).collect()
}
