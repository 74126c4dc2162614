//! IRPs in flight: what a program asks of a driver that takes IRPs, until the driver completes it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nmr_host::irql::Irql;

use super::buffer::Buffer;
use super::buffers::Buffers;
use super::device::{Device, File};
use super::nt::NtStatus;
use super::structure::Structure;
use super::wait;

/// The offsets of `IRP`, and its size. The stack location follows it.
const SIZE: usize = 0xd0;
const KIND: usize = 0x00;
const WHOLE_SIZE: usize = 0x02;
const MDL: usize = 0x08;
const SYSTEM_BUFFER: usize = 0x18;
const STATUS: usize = 0x30;
const INFORMATION: usize = 0x38;
const REQUESTOR_MODE: usize = 0x40;
const STACK_COUNT: usize = 0x42;
const CURRENT_LOCATION: usize = 0x43;
const CANCEL: usize = 0x44;
const CANCEL_IRQL: usize = 0x45;
const CANCEL_ROUTINE: usize = 0x68;
const USER_BUFFER: usize = 0x70;
/// `DriverContext[3]`, which cancel-safe queues use.
const QUEUE_CONTEXT: usize = 0x90;
const CURRENT_STACK_LOCATION: usize = 0xb8;
const ORIGINAL_FILE_OBJECT: usize = 0xc0;

/// The offsets of `IO_STACK_LOCATION` behind the IRP, and its size.
const STACK_SIZE: usize = 0x48;
const MAJOR: usize = SIZE;
const CONTROL: usize = SIZE + 0x03;
const OUTPUT_LENGTH: usize = SIZE + 0x08;
/// The lengths of a read or a write, and where it begins.
const LENGTH: usize = SIZE + 0x08;
const BYTE_OFFSET: usize = SIZE + 0x18;
const INPUT_LENGTH: usize = SIZE + 0x10;
const CODE: usize = SIZE + 0x18;
const TYPE_3_INPUT: usize = SIZE + 0x20;
const DEVICE: usize = SIZE + 0x28;
const FILE: usize = SIZE + 0x30;

const IO_TYPE_IRP: u16 = 6;
const USER_MODE: u8 = 1;
/// `SL_PENDING_RETURNED`, which `IoMarkIrpPending` sets.
const PENDING_RETURNED: u8 = 0x01;

/// What a program asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// To open the device.
    Create,
    /// Said when its last handle of a file is closed.
    Cleanup,
    /// Said when nothing uses a file any more.
    Close,
    /// A device control request with a code.
    Control(u32),
    /// To read from an offset on.
    Read(u64),
    /// To write from an offset on.
    Write(u64),
}

impl Ask {
    /// The major function code, and its name.
    pub(crate) fn major(self) -> (u8, &'static str) {
        match self {
            Self::Create => (0x00, "IRP_MJ_CREATE"),
            Self::Close => (0x02, "IRP_MJ_CLOSE"),
            Self::Read(_) => (0x03, "IRP_MJ_READ"),
            Self::Write(_) => (0x04, "IRP_MJ_WRITE"),
            Self::Control(_) => (0x0e, "IRP_MJ_DEVICE_CONTROL"),
            Self::Cleanup => (0x12, "IRP_MJ_CLEANUP"),
        }
    }
}

/// How many bytes a request has for the driver, and takes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Lengths {
    pub(crate) input: usize,
    pub(crate) output: usize,
}

/// How a request ended for the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    pub(crate) status: NtStatus,
    /// How many bytes of output there are, as the driver says.
    pub(crate) information: usize,
    /// What is in the output buffer of the program.
    pub(crate) output: Vec<u8>,
}

impl Ended {
    /// An end without output.
    pub(crate) fn with(status: NtStatus) -> Self {
        Self {
            status,
            information: 0,
            output: Vec::new(),
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct Irp {
    pub(crate) ask: Ask,
    pub(crate) lengths: Lengths,
    pub(crate) device: Arc<Device>,
    pub(crate) file: Arc<File>,
    address: usize,
    state: Mutex<State>,
    /// Rings when it ends.
    done: Condvar,
}

#[derive(Debug)]
struct State {
    /// The IRP, until it is completed.
    packet: Option<Structure>,
    buffers: Buffers,
    /// Whether the driver had marked it pending when it completed it.
    marked: bool,
    /// What the driver completed it with.
    completed: Option<NtStatus>,
    /// What the program gets.
    ended: Option<Ended>,
    /// Whether its dispatch routine has returned.
    returned: bool,
}

/// What the driver left in an IRP that it completes.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) status: NtStatus,
    pub(crate) information: usize,
    /// Whether a cancel routine is set.
    pub(crate) cancelable: bool,
    pub(crate) buffers: Buffers,
}

/// What the driver has done with an IRP when its dispatch routine returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub(crate) completed: Option<NtStatus>,
    pub(crate) marked: bool,
}

impl fmt::Display for Irp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ask {
            Ask::Control(code) => write!(f, "a request with the control code {code:#010x}"),
            ask => write!(f, "a request of {}", ask.major().1),
        }
    }
}

impl Irp {
    /// Makes an IRP with one stack location.
    pub(crate) fn new(
        ask: Ask,
        lengths: Lengths,
        buffers: Buffers,
        device: &Arc<Device>,
        file: &Arc<File>,
    ) -> io::Result<Self> {
        let touch = "touched a request after completing it";
        let packet = Structure::new(SIZE + STACK_SIZE, touch)?;
        let address = packet.address();
        packet.set(KIND, IO_TYPE_IRP);
        packet.set(WHOLE_SIZE, (SIZE + STACK_SIZE) as u16);
        packet.set(MDL, buffers.mdl);
        packet.set(SYSTEM_BUFFER, start(buffers.system.as_ref()));
        packet.set(REQUESTOR_MODE, USER_MODE);
        packet.set(STACK_COUNT, 1_u8);
        packet.set(CURRENT_LOCATION, 1_u8);
        packet.set(USER_BUFFER, start(buffers.output.as_ref()));
        packet.set(CURRENT_STACK_LOCATION, address + SIZE);
        packet.set(ORIGINAL_FILE_OBJECT, file.address());
        packet.set(MAJOR, ask.major().0);
        packet.set(DEVICE, device.object.address().expose_provenance());
        packet.set(FILE, file.address());
        match ask {
            Ask::Control(code) => {
                packet.set(OUTPUT_LENGTH, lengths.output as u32);
                packet.set(INPUT_LENGTH, lengths.input as u32);
                packet.set(CODE, code);
                packet.set(TYPE_3_INPUT, start(buffers.input.as_ref()));
            }
            Ask::Read(offset) | Ask::Write(offset) => {
                packet.set(LENGTH, lengths.output as u32);
                packet.set(BYTE_OFFSET, offset);
            }
            Ask::Create | Ask::Cleanup | Ask::Close => {}
        }
        let state = State {
            packet: Some(packet),
            buffers,
            marked: false,
            completed: None,
            ended: None,
            returned: false,
        };
        Ok(Self {
            ask,
            lengths,
            device: Arc::clone(device),
            file: Arc::clone(file),
            address,
            state: Mutex::new(state),
            done: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the IRP.
    pub(crate) fn address(&self) -> usize {
        self.address
    }

    /// Takes its MDLs, of which the driver may have added some. Returns the address of the first, or 0.
    pub(crate) fn take_mdls(&self) -> usize {
        self.with(|packet| {
            let first = packet.get(MDL);
            packet.set(MDL, 0_usize);
            first
        })
    }

    /// Takes the IRP from the driver, which completes it. Returns `None` if it is completed.
    pub(crate) fn complete(&self) -> Option<Completion> {
        let mut state = self.lock();
        let packet = state.packet.take()?;
        state.marked = is_marked(&packet);
        let status = packet.get::<i32>(STATUS);
        state.completed = Some(status);
        Some(Completion {
            status,
            information: packet.get(INFORMATION),
            cancelable: packet.get::<usize>(CANCEL_ROUTINE) != 0,
            buffers: std::mem::take(&mut state.buffers),
        })
    }

    /// Ends it for the program, once.
    pub(crate) fn end(&self, ended: Ended) {
        self.lock().ended.get_or_insert(ended);
        self.done.notify_all();
    }

    /// Waits until it ends.
    pub(crate) fn wait(&self) -> Ended {
        let mut state = self.lock();
        loop {
            if let Some(ended) = &state.ended {
                return ended.clone();
            }
            state = self
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Its dispatch routine has returned.
    pub(crate) fn set_returned(&self) {
        wait::locked(|| self.lock().returned = true);
    }

    /// Returns `true` if its dispatch routine has returned.
    pub(crate) fn has_returned(&self) -> bool {
        self.lock().returned
    }

    /// What the driver has done with it.
    pub(crate) fn progress(&self) -> Progress {
        let state = self.lock();
        Progress {
            completed: state.completed,
            marked: state.packet.as_ref().map_or(state.marked, is_marked),
        }
    }

    /// Does something with the IRP, if it is not completed.
    fn with<T: Default>(&self, run: impl FnOnce(&Structure) -> T) -> T {
        self.lock().packet.as_ref().map(run).unwrap_or_default()
    }

    /// `IoMarkIrpPending`.
    pub(crate) fn mark_pending(&self) {
        self.with(|packet| packet.set(CONTROL, packet.get::<u8>(CONTROL) | PENDING_RETURNED));
    }

    /// `IoSetCancelRoutine`. Returns the routine before, or 0.
    pub(crate) fn set_cancel_routine(&self, routine: usize) -> usize {
        self.with(|packet| packet.word(CANCEL_ROUTINE).swap(routine, Ordering::AcqRel))
    }

    /// Returns `true` if `Cancel` is set.
    pub(crate) fn is_canceled(&self) -> bool {
        self.with(|packet| packet.get::<u8>(CANCEL) != 0)
    }

    /// `CancelIrql`.
    pub(crate) fn cancel_level(&self) -> Irql {
        Irql(self.with(|packet| packet.get(CANCEL_IRQL)))
    }

    /// What a cancel-safe queue has written down in it.
    pub(crate) fn context(&self) -> usize {
        self.with(|packet| packet.get(QUEUE_CONTEXT))
    }

    /// Writes down something for a cancel-safe queue.
    pub(crate) fn set_context(&self, context: usize) {
        self.with(|packet| packet.set(QUEUE_CONTEXT, context));
    }

    /// Begins to cancel it: sets `Cancel`, and takes the cancel routine, which gets the level at which the
    /// cancel spin lock was acquired. Returns the routine, 0 if there is none, or `None` if the IRP is completed
    /// or canceled already.
    pub(crate) fn begin_cancel(&self, level: Irql) -> Option<usize> {
        let state = self.lock();
        let packet = state.packet.as_ref()?;
        if packet.get::<u8>(CANCEL) != 0 {
            return None;
        }
        packet.set(CANCEL, 1_u8);
        packet.set(CANCEL_IRQL, level.0);
        Some(packet.word(CANCEL_ROUTINE).swap(0, Ordering::AcqRel))
    }
}

fn is_marked(packet: &Structure) -> bool {
    packet.get::<u8>(CONTROL) & PENDING_RETURNED != 0
}

/// Where a buffer begins; 0 for none.
fn start(buffer: Option<&Buffer>) -> usize {
    buffer.map_or(0, |buffer| buffer.address().expose_provenance())
}

/// The IRPs in flight of a host.
#[derive(Debug, Default)]
pub(crate) struct Irps(Mutex<InFlight>);

#[derive(Debug, Default)]
struct InFlight {
    open: BTreeMap<usize, Arc<Irp>>,
    /// The addresses of completed IRPs, the oldest first.
    completed: VecDeque<usize>,
}

/// Why an address is no IRP that can be completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoIrp {
    /// It is completed already.
    Completed,
    /// No IRP was there.
    Unknown,
}

impl Irps {
    /// How many completed IRPs are remembered. Their addresses are not used again for longer.
    const REMEMBERED: usize = 32;

    fn lock(&self) -> MutexGuard<'_, InFlight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, irp: &Arc<Irp>) {
        self.lock().open.insert(irp.address(), Arc::clone(irp));
    }

    /// The IRP at an address, if it is not completed.
    pub(crate) fn find(&self, address: usize) -> Option<Arc<Irp>> {
        self.lock().open.get(&address).cloned()
    }

    /// Takes the IRP at an address, which is completed now.
    pub(crate) fn take(&self, address: usize) -> Result<Arc<Irp>, NoIrp> {
        let mut irps = self.lock();
        let Some(irp) = irps.open.remove(&address) else {
            let completed = irps.completed.contains(&address);
            return Err(if completed {
                NoIrp::Completed
            } else {
                NoIrp::Unknown
            });
        };
        irps.completed.push_back(address);
        if irps.completed.len() > Self::REMEMBERED {
            irps.completed.pop_front();
        }
        Ok(irp)
    }

    /// The IRPs of a file.
    pub(crate) fn of_file(&self, file: usize) -> Vec<Arc<Irp>> {
        let irps = self.lock();
        let own = irps.open.values();
        let own = own.filter(|irp| irp.file.address() == file);
        own.cloned().collect()
    }

    /// The IRPs of a device.
    pub(crate) fn of_device(&self, device: &Arc<Device>) -> Vec<Arc<Irp>> {
        let irps = self.lock();
        let own = irps.open.values();
        let own = own.filter(|irp| Arc::ptr_eq(&irp.device, device));
        own.cloned().collect()
    }
}
