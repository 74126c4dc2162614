//! The loader with images made by hand: what needs no compiler for Windows.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::synthetic::{DATA, GUARD_CHECK, GUARD_DISPATCH, Synthetic, TEXT, ordinary};
use common::{host, lines, named, printed};
use driver_host::{Fault, LoadError, facts::Facts, hygiene};

/// Loads an image that must stop the host, and returns the report.
fn stopped(image: &Synthetic) -> String {
    let host = host();
    let error = host.load(image.build(), named("bad.sys")).unwrap_err();
    assert!(matches!(error, LoadError::Stopped(_)), "{error}");
    let reports = lines(&host.reports());
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(host.stopped().is_some());
    reports.into_iter().next().unwrap()
}

#[test]
fn an_ordinary_image_runs_and_goes() {
    let host = host();
    for _ in 0..3 {
        let image = host.load(ordinary().build(), named("good.sys")).unwrap();
        assert_eq!(image.missing_imports(), [""; 0]);
        let unloaded = image.unload();
        assert_eq!(lines(&unloaded.reports), [""; 0]);
        assert!(unloaded.unmapped);
    }
    assert_eq!(printed(&host), "moved\nsecond\n".repeat(3));
}

#[test]
fn its_facts_are_what_they_are() {
    let bytes = ordinary().build();
    let facts = Facts::read(&bytes).unwrap();
    assert_eq!(facts.checksum, facts.image.checksum);
    assert_eq!(facts.machine(), "x64");
    assert!(!facts.signed);
    assert_eq!(facts.imports()["ntoskrnl.exe"], ["DbgPrint"]);
    assert_eq!(facts.image.load_config.cookie, Some(DATA));
    let points = hygiene::check(&facts);
    assert!(hygiene::passes(&points), "{points:#?}");

    let mut bytes = bytes;
    bytes[TEXT as usize / 4] ^= 1;
    let points = hygiene::check(&Facts::read(&bytes).unwrap());
    let failed = points
        .iter()
        .filter(|point| point.outcome == hygiene::Outcome::Fail);
    assert_eq!(
        failed.map(|point| point.name).collect::<Vec<_>>(),
        ["checksum is right"]
    );
}

#[test]
fn an_image_without_an_unload_routine_stays() {
    let host = host();
    let image = host.load(
        Synthetic::default().enter().leave(0).build(),
        named("stay.sys"),
    );
    let unloaded = image.unwrap().unload();
    assert_eq!(
        lines(&unloaded.reports),
        ["stay.sys: has no unload routine"]
    );
    assert!(!unloaded.unmapped);
}

#[test]
fn the_status_of_the_entry_point_is_returned() {
    let host = host();
    let image = Synthetic::default().enter().leave(0xc000_0001);
    let error = host.load(image.build(), named("no.sys")).unwrap_err();
    let LoadError::Entry { status, reports } = error else {
        panic!("{error}")
    };
    assert_eq!((status.cast_unsigned(), reports.len()), (0xc000_0001, 0));
}

#[test]
fn the_cookie_is_set() {
    // mov eax, [cookie]; or eax, 0x80000000; ret
    let image = Synthetic::default()
        .cookie()
        .relative(&[0x8b, 0x05], DATA)
        .code(&[0x0d, 0, 0, 0, 0x80, 0xc3]);
    let error = host().load(image.build(), named("cookie.sys")).unwrap_err();
    let LoadError::Entry { status, .. } = error else {
        panic!("{error}")
    };
    assert_ne!(status.cast_unsigned(), 0x2ddf_a232 | 0x8000_0000);
}

#[test]
fn an_unknown_import_traps_when_it_is_called() {
    let image = Synthetic::default().enter().call("ZwMakeCoffee").leave(0);
    assert_eq!(
        stopped(&image),
        "bad.sys: called ZwMakeCoffee of ntoskrnl.exe, which this host does not have, \
         at offset 0x100a of the image"
    );
    let unused = ordinary().code(&[0xc3]).call("ZwMakeCoffee");
    let image = host().load(unused.build(), named("good.sys")).unwrap();
    assert_eq!(image.missing_imports(), ["ntoskrnl.exe!ZwMakeCoffee"]);
}

#[test]
fn a_bug_check_is_reported_with_its_parameters() {
    // mov ecx, 0xc2; mov edx, 7; xor r8d, r8d; xor r9d, r9d; mov qword [rsp + 32], 9
    let image = Synthetic::default()
        .enter()
        .code(&[
            0xb9, 0xc2, 0, 0, 0, 0xba, 7, 0, 0, 0, 0x45, 0x31, 0xc0, 0x45, 0x31, 0xc9,
        ])
        .code(&[0x48, 0xc7, 0x44, 0x24, 0x20, 9, 0, 0, 0])
        .call("KeBugCheckEx")
        .leave(0);
    assert_eq!(
        stopped(&image),
        "bad.sys: bug check 0x000000c2 (0x7, 0x0, 0x0, 0x9): BAD_POOL_CALLER, \
         at offset 0x1023 of the image"
    );
}

#[test]
fn code_cannot_be_written_and_data_cannot_be_executed() {
    // mov byte [rip + …], 0 has its operand behind the distance: use rax.
    let writes = Synthetic::default()
        .relative(&[0x48, 0x8d, 0x05], TEXT)
        .code(&[0xc6, 0x00, 0xc3, 0xc3]);
    assert!(stopped(&writes).contains("at offset 0x1007 of the image"));
    let jumps = Synthetic::default().relative(&[0xe9], DATA);
    assert!(stopped(&jumps).contains("at offset 0x3000 of the image"));
}

#[test]
fn what_the_processor_refuses_is_reported() {
    for (code, what) in [
        (&[0xfa][..], "privileged instruction (cli)"),
        (&[0x0f, 0x32], "privileged instruction (rdmsr)"),
        (&[0x0f, 0x0b], "illegal instruction"),
        (
            &[0x31, 0xc9, 0x31, 0xd2, 0xf7, 0xf1],
            "arithmetic exception",
        ),
    ] {
        let report = stopped(&Synthetic::default().code(code));
        assert!(
            report.starts_with(&format!("bad.sys: {what} at address ")),
            "{report}"
        );
    }
    // xor eax, eax; call rax
    let report = stopped(
        &Synthetic::default()
            .enter()
            .code(&[0x31, 0xc0, 0xff, 0xd0])
            .leave(0),
    );
    assert!(
        report.contains("at address 0x0, at offset 0x1008"),
        "{report}"
    );
}

/// Runs an entry point that fails, and returns the status and the reports.
fn failing(code: &[u8]) -> (u32, Vec<String>) {
    let host = host();
    // or eax, 0xc0000000; ret
    let end = [0x0d, 0, 0, 0, 0xc0, 0xc3];
    let image = Synthetic::default().code(code).code(&end).build();
    let error = host.load(image, named("bad.sys")).unwrap_err();
    let LoadError::Entry { status, .. } = error else {
        panic!("{error}");
    };
    (status.cast_unsigned(), lines(&host.reports()))
}

#[test]
fn the_irql_is_read_and_written_inline() {
    // mov ecx, 2; mov cr8, rcx; mov rax, cr8; xor ecx, ecx; mov cr8, rcx; mov r9, cr8; shl r9, 4; or rax, r9
    let code = [
        &[0xb9, 2, 0, 0, 0][..],
        &[0x44, 0x0f, 0x22, 0xc1],
        &[0x44, 0x0f, 0x20, 0xc0],
        &[0x31, 0xc9],
        &[0x44, 0x0f, 0x22, 0xc1],
        &[0x45, 0x0f, 0x20, 0xc1],
        &[0x49, 0xc1, 0xe1, 0x04],
        &[0x4c, 0x09, 0xc8],
    ];
    assert_eq!(failing(&code.concat()), (0xc000_0002, vec![]));
    // The same without the way back.
    let (status, reports) = failing(&code[..3].concat());
    assert_eq!(status, 0xc000_0002);
    assert_eq!(
        reports,
        ["bad.sys: DriverEntry: returned at DISPATCH_LEVEL"]
    );
}

#[test]
fn the_shared_data_of_the_kernel_is_read_inline() {
    const MAJOR: u64 = 0xffff_f780_0000_026c;
    let address = MAJOR.to_le_bytes();
    // mov rax, [MAJOR]
    let direct = [&[0x48, 0xa1][..], &address].concat();
    assert_eq!(failing(&direct), (0xc000_000a, vec![]));
    // mov rcx, MAJOR - 8; movzx eax, byte [rcx + 8]
    let before = (MAJOR - 8).to_le_bytes();
    let indirect = [&[0x48, 0xb9][..], &before, &[0x0f, 0xb6, 0x41, 0x08]].concat();
    assert_eq!(failing(&indirect), (0xc000_000a, vec![]));
    // mov dword [rcx], eax: it cannot be written.
    let writes = [&[0x48, 0xb9][..], &address, &[0x89, 0x01]].concat();
    let report = stopped(&Synthetic::default().code(&writes));
    assert!(report.contains("access violation"), "{report}");
}

#[test]
fn a_fault_in_a_function_for_memory_is_its_callers() {
    // xor ecx, ecx; mov edx, …; mov r8d, 8
    for (function, second) in [
        ("memcpy", 0x10),
        ("memset", 0x10),
        ("memcmp", 0),
        ("memmove", 4),
    ] {
        let image = Synthetic::default()
            .enter()
            .code(&[0x31, 0xc9, 0xba, second, 0, 0, 0, 0x41, 0xb8, 8, 0, 0, 0])
            .call(function)
            .leave(0);
        let report = stopped(&image);
        assert!(
            report.ends_with(", at offset 0x1017 of the image"),
            "{function}: {report}"
        );
    }
}

#[test]
fn a_breakpoint_is_passed_and_reported() {
    let host = host();
    let image = Synthetic::default()
        .unloadable()
        .enter()
        .code(&[0xcc])
        .leave(0);
    let unloaded = host
        .load(image.build(), named("break.sys"))
        .unwrap()
        .unload();
    assert_eq!(
        lines(&unloaded.reports),
        ["break.sys: the image: ran into 1 breakpoints"]
    );
    assert!(unloaded.unmapped);
}

#[test]
fn a_raised_irql_is_reported_and_restored() {
    let host = host();
    let raise = Synthetic::default()
        .unloadable()
        .enter()
        .code(&[0xb1, 2])
        .call("KfRaiseIrql");
    drop(
        host.load(raise.leave(0).build(), named("high.sys"))
            .unwrap(),
    );
    assert_eq!(
        lines(&host.reports()),
        ["high.sys: DriverEntry: returned at DISPATCH_LEVEL"]
    );
    let level = host.run(nmr_host::irql::current).unwrap();
    assert_eq!(level, nmr_host::irql::PASSIVE_LEVEL);
}

#[test]
fn a_stopped_host_loads_nothing_and_others_go_on() {
    let stopped = host();
    let crash = Synthetic::default().code(&[0x0f, 0x0b]);
    stopped.load(crash.build(), named("bad.sys")).unwrap_err();
    let error = stopped
        .load(ordinary().build(), named("good.sys"))
        .unwrap_err();
    assert!(matches!(error, LoadError::Stopped(_)));
    assert!(stopped.run(|| ()).is_err());
    drop(host().load(ordinary().build(), named("good.sys")).unwrap());
}

#[test]
fn an_image_that_is_running_elsewhere_survives_the_stop_of_another_host() {
    let (first, second) = (host(), host());
    let image = first.load(ordinary().build(), named("good.sys")).unwrap();
    second
        .load(
            Synthetic::default().code(&[0x0f, 0x0b]).build(),
            named("bad.sys"),
        )
        .unwrap_err();
    assert!(image.unload().unmapped);
}

#[test]
fn a_panic_of_a_job_reaches_the_test() {
    let host = host();
    let job = || host.run(|| panic!("at the disco"));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"at the disco"));
    assert_eq!(host.run(|| 7), Ok(7));
}

#[test]
fn a_truncated_image_is_refused_wherever_it_ends() {
    let bytes = ordinary().build();
    let host = host();
    for end in 0..bytes.len() {
        let error = host
            .load(bytes[..end].to_vec(), named("cut.sys"))
            .unwrap_err();
        assert!(matches!(error, LoadError::Malformed(_)), "{end}: {error}");
    }
    assert_eq!(lines(&host.reports()), [""; 0]);
}

#[test]
fn refusals_say_why() {
    let changed = |offset: usize, byte: u8| {
        let mut bytes = ordinary().build();
        bytes[offset] = byte;
        host()
            .load(bytes, named("odd.sys"))
            .unwrap_err()
            .to_string()
    };
    assert!(changed(0, b'N').starts_with("refused: this is no PE32+ image: "));
    assert!(changed(0x85, 0xaa).contains("for the machine 0xaa64, not for x64"));
    assert!(changed(0x98 + 68, 3).contains("its subsystem is 3, not native"));
    assert!(changed(0x96, 0x23).contains("its relocations are stripped"));
    assert!(changed(0x98 + 17, 0x30).contains("the entry point 0x3000 is not executable"));
    assert!(changed(0x98 + 33, 0x02).contains("SectionAlignment is 0x200"));
    assert!(changed(0x188 + 39, 0xe0).contains("the section .text is writable and executable"));
}

#[test]
fn reports_are_one_line() {
    let report = Fault::Hang {
        what: "x".to_owned(),
    };
    assert!(report.stops());
    assert_eq!(report.to_string(), "x does not return");
}

/// The function that [`guarded`] begins with.
const SUM: u32 = TEXT + 0x10;

/// An image with `/guard:cf` that calls an address with 1, 2, 3 and 4, and fails if the result is not their sum. It is
/// checked by the one function, and called through the other.
fn guarded(checked: u32, called: u32) -> Synthetic {
    Synthetic::default()
        .guard(&[SUM])
        // A jump over the unload routine, which is in front of it, and over the function.
        .code(&[0xeb, 0x18, 0xc3])
        .code(&[0xcc; 0x0d])
        // lea eax, [rcx + rdx]; add eax, r8d; add eax, r9d; ret
        .code(&[0x8d, 0x04, 0x11, 0x44, 0x01, 0xc0, 0x44, 0x01, 0xc8, 0xc3])
        .unloadable()
        .enter()
        .code(&[0xb9, 1, 0, 0, 0, 0xba, 2, 0, 0, 0])
        .code(&[0x41, 0xb8, 3, 0, 0, 0, 0x41, 0xb9, 4, 0, 0, 0])
        .relative(&[0x48, 0x8d, 0x0d], checked)
        .relative(&[0xff, 0x15], GUARD_CHECK)
        // The check has kept rcx: lea rax, [target]; sub rcx, rax; inc ecx
        .relative(&[0x48, 0x8d, 0x05], checked)
        .code(&[0x48, 0x29, 0xc1, 0xff, 0xc1])
        .relative(&[0x48, 0x8d, 0x05], called)
        .relative(&[0xff, 0x15], GUARD_DISPATCH)
        // sub eax, 10; neg eax; sbb eax, eax; add rsp, 40; ret
        .code(&[0x83, 0xe8, 10, 0xf7, 0xd8, 0x19, 0xc0])
        .code(&[0x48, 0x83, 0xc4, 0x28, 0xc3])
}

#[test]
fn guarded_calls_reach_functions_and_nothing_else() {
    let host = host();
    let image = host
        .load(guarded(SUM, SUM).build(), named("good.sys"))
        .unwrap();
    assert!(image.unload().unmapped);
    assert_eq!(lines(&host.reports()), [""; 0]);
    for (checked, called) in [(SUM + 1, SUM), (SUM, SUM + 0x10)] {
        let report = stopped(&guarded(checked, called));
        let target = if checked == SUM { called } else { checked };
        let expected = format!(
            "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE: bad.sys+{target:#x} is no function that may be called by its address"
        );
        assert!(report.contains(&expected), "{report}");
    }
}

#[test]
fn a_function_that_is_not_aligned_makes_its_neighbourhood_callable() {
    // A jump in front of it.
    let beside = Synthetic::default()
        .guard(&[TEXT + 5])
        .unloadable()
        .enter()
        .relative(&[0x48, 0x8d, 0x05], TEXT + 2)
        .relative(&[0xff, 0x15], GUARD_DISPATCH)
        .leave(0);
    let host = host();
    let image = host.load(beside.build(), named("good.sys")).unwrap();
    assert!(image.unload().unmapped);
    assert_eq!(lines(&host.reports()), [""; 0]);
}

#[test]
fn a_function_of_wsk_names_the_example() {
    let image = Synthetic::default()
        .library("netio.sys")
        .unloadable()
        .enter()
        .call("WskRegister")
        .leave(0);
    let expected = "bad.sys: called WskRegister of netio.sys, which this host does not have, as it has no network: the \
                    example wsk of the crate nmr tests a client of WSK through the NMR, at offset 0x";
    let report = stopped(&image);
    assert!(report.starts_with(expected), "{report}");
}

#[test]
fn the_current_thread_is_behind_gs() {
    let compare = Synthetic::default()
        .unloadable()
        .enter()
        .call("KeGetCurrentThread")
        // mov rcx, gs:[188h]; sub rax, rcx; neg rax; sbb eax, eax
        .code(&[0x65, 0x48, 0x8b, 0x0c, 0x25, 0x88, 1, 0, 0])
        .code(&[0x48, 0x29, 0xc8, 0x48, 0xf7, 0xd8, 0x19, 0xc0])
        .code(&[0x48, 0x83, 0xc4, 0x28, 0xc3]);
    let host = host();
    let image = host.load(compare.build(), named("good.sys")).unwrap();
    assert!(image.unload().unmapped);
    assert_eq!(lines(&host.reports()), [""; 0]);
    // mov rcx, gs:[20h]: nothing else of the processor is there.
    let other = Synthetic::default()
        .unloadable()
        .enter()
        .code(&[0x65, 0x48, 0x8b, 0x0c, 0x25, 0x20, 0, 0, 0])
        .leave(0);
    let report = stopped(&other);
    let expected =
        "bad.sys: access violation or privileged instruction at address 0x20, at offset 0x";
    assert!(report.starts_with(expected), "{report}");
}
