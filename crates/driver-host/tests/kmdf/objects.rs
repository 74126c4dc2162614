//! Drivers, objects, and what is one: strings, collections, memory, locks.

use std::thread;

use super::Framework;
use super::NAMES;
use super::SUCCESS;
use super::TIMEOUT;
use super::attributes;
use super::callback_address;
use super::calls;
use super::common::host;
use super::common::inside;
use super::common::inside::Imports;
use super::common::inside::Memory;
use super::common::inside::Unicode;
use super::driver;

#[test]
fn drivers() {
    driver(|framework| {
        let object = framework.call("DriverWdmGetDriverObject", &[framework.driver]);
        assert_eq!(object, framework.driver_object);
        let path = framework.call("DriverGetRegistryPath", &[framework.driver]);
        assert_eq!(path, inside::word_at(framework.path + 8));
    });
}

/// What is unbound has no driver object any more, which the globals begin with.
#[test]
fn unbinding() {
    inside::run(&host(), "wdfldr.sys", &NAMES, &mut |imports: &Imports<
        '_,
    >| {
        let framework = Framework::bind(imports);
        assert_eq!(inside::word_at(framework.globals), framework.driver);
        inside::call(framework.unbind, &[framework.path, 0, framework.globals]);
        assert_eq!(inside::word_at(framework.globals), 0);
    });
}

#[test]
fn objects() {
    driver(|framework| {
        let callback = callback_address();
        let with_callbacks = attributes([callback, callback], 0, 0);
        let object = framework.make("ObjectCreate", &[with_callbacks.address()]);
        let [line, file, tag] = [0; 3];
        framework.call("ObjectReferenceActual", &[object, tag, line, file]);
        framework.call("ObjectDelete", &[object]);
        assert_eq!(calls(object), 1, "it is cleaned up, and not destroyed");
        framework.call("ObjectDereferenceActual", &[object, tag, line, file]);
        assert_eq!(calls(object), 2);
    });
}

#[test]
fn contexts() {
    driver(|framework| {
        let name = Memory::new(&[u64::from_le_bytes(*b"Context\0")]);
        let kind = Memory::new(&[0x28, name.address() as u64, 16, 0, 0]);
        let object = framework.make("ObjectCreate", &[0]);
        let typed = |kind: &Memory| {
            framework.call("ObjectGetTypedContextWorker", &[object, kind.address()])
        };
        assert_eq!(typed(&kind), 0);
        let with_context = attributes([0; 2], 0, kind.address());
        let arguments = [object, with_context.address()];
        let context = framework.make("ObjectAllocateContext", &arguments);
        assert_eq!(typed(&kind), context);
        let owner = framework.call("ObjectContextGetObject", &[context]);
        assert_eq!(owner, object);
    });
}

#[test]
fn strings_and_collections() {
    driver(|framework| {
        let string = |text: &str| {
            let text = Unicode::new(text);
            framework.make("StringCreate", &[text.address(), 0])
        };
        let strings = ["one", "two", "three"].map(string);
        assert_eq!(
            strings.map(|own| framework.text(own)),
            ["one", "two", "three"]
        );

        let all = framework.make("CollectionCreate", &[0]);
        let count = || framework.number("CollectionGetCount", &[all]);
        for own in strings {
            assert_eq!(framework.number("CollectionAdd", &[all, own]), SUCCESS);
        }
        assert_eq!(count(), 3);
        assert_eq!(framework.call("CollectionGetFirstItem", &[all]), strings[0]);
        assert_eq!(framework.call("CollectionGetLastItem", &[all]), strings[2]);
        assert_eq!(framework.call("CollectionGetItem", &[all, 1]), strings[1]);
        framework.call("CollectionRemove", &[all, strings[2]]);
        assert_eq!(count(), 2);
        framework.call("CollectionRemoveItem", &[all, 0]);
        assert_eq!(count(), 1);
    });
}

#[test]
fn memory() {
    const NON_PAGED: usize = 0x200;
    driver(|framework| {
        let length = Memory::fresh(1);
        let (bytes, copied) = (Memory::new(&[1, 2]), Memory::new(&[0]));
        let create = [0, NON_PAGED, 0x7473_6554, 16];
        let (output, buffer) = (Memory::new(&[0]), Memory::new(&[0]));
        let arguments = [&create[..], &[output.address(), buffer.address()]].concat();
        assert_eq!(framework.number("MemoryCreate", &arguments), SUCCESS);
        let own = output.pointer(0);
        let found = framework.call("MemoryGetBuffer", &[own, length.address()]);
        assert!(found != 0 && found == buffer.pointer(0) && length.word(0) == 16);
        let from = [own, 0, bytes.address(), 16];
        assert_eq!(framework.number("MemoryCopyFromBuffer", &from), SUCCESS);
        assert_eq!(inside::word_at(found + 8), 2);
        let to = [own, 8, copied.address(), 8];
        assert_eq!(framework.number("MemoryCopyToBuffer", &to), SUCCESS);
        assert_eq!(copied.word(0), 2);

        let arguments = [0, 24, NON_PAGED, 0, 0x7473_6554];
        let list = framework.make("LookasideListCreate", &arguments);
        let own = framework.make("MemoryCreateFromLookaside", &[list]);
        assert_ne!(
            framework.call("MemoryGetBuffer", &[own, length.address()]),
            0
        );
        assert_eq!(length.word(0), 24);
        framework.call("ObjectDelete", &[own]);

        let given = framework.make("MemoryCreatePreallocated", &[0, bytes.address(), 16]);
        let found = || framework.call("MemoryGetBuffer", &[given, 0]);
        assert_eq!(found(), bytes.address());
        let arguments = [given, copied.address(), 8];
        assert_eq!(framework.number("MemoryAssignBuffer", &arguments), SUCCESS);
        assert_eq!(found(), copied.address());
    });
}

#[test]
fn locks() {
    driver(|framework| {
        let spin = framework.make("SpinLockCreate", &[0]);
        let level = || nmr_host::irql::current().0;
        framework.call("SpinLockAcquire", &[spin]);
        assert_eq!(level(), 2);
        framework.call("SpinLockRelease", &[spin]);
        assert_eq!(level(), 0);

        let (lock, now) = (framework.make("WaitLockCreate", &[0]), Memory::new(&[0]));
        let acquire = || framework.number("WaitLockAcquire", &[lock, now.address()]);
        let elsewhere = || {
            thread::scope(|scope| {
                let other = scope.spawn(|| {
                    let status = acquire();
                    if status == SUCCESS {
                        framework.call("WaitLockRelease", &[lock]);
                    }
                    status
                });
                other.join().unwrap()
            })
        };
        assert_eq!((acquire(), elsewhere()), (SUCCESS, TIMEOUT));
        framework.call("WaitLockRelease", &[lock]);
        assert_eq!(elsewhere(), SUCCESS);
    });
}
