//! The registry.

use super::BINARY;
use super::DWORD;
use super::MULTI_SZ;
use super::SUCCESS;
use super::attributes;
use super::callback_address;
use super::calls;
use super::common::inside;
use super::common::inside::Memory;
use super::common::inside::Unicode;
use super::driver;

#[test]
fn registry_keys() {
    driver(|framework| {
        let path = Unicode::new(r"\Registry\Machine\SOFTWARE\NmrKeys");
        let open = |path: &Unicode| {
            let output = Memory::new(&[0]);
            let arguments = [0, path.address(), 0, 0, output.address()];
            (
                framework.number("RegistryOpenKey", &arguments),
                output.pointer(0),
            )
        };
        let create = |path: &Unicode| {
            let disposition = Memory::fresh(1);
            let arguments = [0, path.address(), 0, 0, disposition.address(), 0];
            let key = framework.make("RegistryCreateKey", &arguments);
            (key, disposition.number(0))
        };
        assert_ne!(open(&path).0, SUCCESS);
        let (created, new) = create(&path);
        assert_eq!(new, 1);
        let (status, opened) = open(&path);
        assert!(status == SUCCESS && opened != 0 && opened != created);
        assert_eq!(framework.number("RegistryRemoveKey", &[opened]), SUCCESS);
        assert_ne!(open(&path).0, SUCCESS, "it is removed");
        let parameters = [framework.driver, 0, 0];
        framework.make("DriverOpenParametersRegistryKey", &parameters);
    });
}

#[test]
fn closed_registry_keys() {
    driver(|framework| {
        let with_cleanup = attributes([callback_address(), 0], 0, 0);
        let arguments = [framework.driver, 0, with_cleanup.address()];
        let key = framework.make("DriverOpenParametersRegistryKey", &arguments);
        framework.call("RegistryClose", &[key]);
        assert_eq!(calls(key), 1);
    });
}

#[test]
fn registry_values() {
    driver(|framework| {
        let key = framework.make("DriverOpenParametersRegistryKey", &[framework.driver, 0, 0]);
        let name = Unicode::new("Value");
        let at = name.address();
        let assign = |function: &str, value: &[usize]| {
            let arguments = [&[key, at], value].concat();
            assert_eq!(
                framework.number(function, &arguments),
                SUCCESS,
                "{function}"
            );
        };
        let number = || {
            let output = Memory::new(&[0]);
            let status = framework.number("RegistryQueryULong", &[key, at, output.address()]);
            (status, output.number(0))
        };
        let text = || {
            let string = framework.make("StringCreate", &[0, 0]);
            let status = framework.number("RegistryQueryString", &[key, at, string]);
            (status, framework.text(string))
        };
        assign("RegistryAssignULong", &[70]);
        assert_eq!(number(), (SUCCESS, 70));
        let bytes = Memory::new(&[80]);
        assign("RegistryAssignValue", &[DWORD, 4, bytes.address()]);
        assert_eq!(number(), (SUCCESS, 80));
        assert_eq!(framework.number("RegistryRemoveValue", &[key, at]), SUCCESS);
        assert_ne!(number().0, SUCCESS);

        let given = Unicode::new("given");
        assign("RegistryAssignUnicodeString", &[given.address()]);
        assert_eq!(text(), (SUCCESS, "given".to_owned()));
        let object = framework.make("StringCreate", &[Unicode::new("object").address(), 0]);
        assign("RegistryAssignString", &[object]);
        assert_eq!(text(), (SUCCESS, "object".to_owned()));
        let output = Unicode::with_room("", 12);
        let arguments = [key, at, 0, output.address()];
        assert_eq!(
            framework.number("RegistryQueryUnicodeString", &arguments),
            SUCCESS
        );
        assert_eq!(output.text(), "object");

        let memory = framework.make("MemoryCreatePreallocated", &[0, bytes.address(), 8]);
        assign("RegistryAssignMemory", &[BINARY, memory, 0]);
        let (output, size, kind) = (Memory::new(&[0]), Memory::new(&[0]), Memory::new(&[0]));
        let query = [key, at, 8, output.address(), size.address(), kind.address()];
        assert_eq!(framework.number("RegistryQueryValue", &query), SUCCESS);
        assert_eq!((output.word(0), size.number(0), kind.number(0)), (80, 8, 3));
        let made = Memory::new(&[0]);
        let query = [key, at, 0x200, 0, made.address(), kind.address()];
        assert_eq!(framework.number("RegistryQueryMemory", &query), SUCCESS);
        let buffer = framework.call("MemoryGetBuffer", &[made.pointer(0), 0]);
        assert_eq!(inside::word_at(buffer), 80);

        let several = Memory::wide("one\0two\0");
        assign("RegistryAssignValue", &[MULTI_SZ, 18, several.address()]);
        let all = framework.make("CollectionCreate", &[0]);
        let query = [key, at, 0, all];
        assert_eq!(
            framework.number("RegistryQueryMultiString", &query),
            SUCCESS
        );
        assert_eq!(framework.number("CollectionGetCount", &[all]), 2);
    });
}
