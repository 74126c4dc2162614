//! The rules about memory: each is broken once, and reported as just that; beside it stands a module
//! that does it right. What frees and touches memory takes it from the quarantine.
#![cfg(all(target_os = "linux", not(miri)))]

mod common;

use std::sync::Mutex;
use std::sync::mpsc;

use common::*;
use nmr_host::Severity::{Error, Warning};
use nmr_host::code::{self, Residence};
use nmr_host::quarantine;
use nmr_host::{Extent, Interface, InterfaceLayout, Lent, Report, SideLayout, Table, TableLayout};

/// A module whose lent memory is in blocks of the quarantine, one for each part.
fn quarantined(rig: &Rig, role: Role) -> Module {
    rig.shaped(role, &role.to_string(), |shape| {
        shape.quarantined = true;
        shape.give(Part::Specific);
    })
}

/// A side whose own characteristics have 8 bytes, with a table of which nothing is compared.
fn described() -> SideLayout {
    SideLayout {
        characteristics: Some(Extent::Bytes(8)),
        ..with_table(Extent::Bytes(0))
    }
}

/// Says how long the structures are that both sides pass.
fn describe(rig: &Rig, side: &SideLayout) {
    rig.registrar.declare(InterfaceLayout {
        client: side.clone(),
        provider: side.clone(),
        ..InterfaceLayout::new(Shape::new().npi)
    });
}

/// A side with a table of such a length.
fn with_table(size: Extent) -> SideLayout {
    SideLayout {
        characteristics: None,
        table: Some(TableLayout::new(size, [])),
    }
}

/// What a report says about memory.
fn lent(report: &Report) -> Lent {
    report.memory.as_ref().expect("it is about memory").lent
}

/// The callback and the binding in which the block of a report was freed.
fn freed_in(report: &Report) -> Option<(&'static str, u64)> {
    let block = report
        .memory
        .as_ref()
        .and_then(|memory| memory.block.as_ref());
    let place = block.and_then(|block| block.freed);
    place.expect("the block is freed").callback
}

const LENT: [(Part, Lent); 4] = [
    (Part::Characteristics, Lent::Characteristics),
    (Part::NpiId, Lent::NpiId),
    (Part::ModuleId, Lent::ModuleId),
    (Part::Specific, Lent::NpiSpecificCharacteristics),
];

#[test]
fn v_01_characteristics_can_be_read() {
    for role in ROLES {
        let rig = Rig::new();
        let module = quarantined(&rig, role);
        free(module.part(Part::Characteristics));
        assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
        assert_eq!(rig.expect_one(Rule::V01).severity, Error);
    }
}

#[test]
fn v_07_and_v_08_what_they_point_to_can_be_read() {
    for (part, rule) in [(Part::NpiId, Rule::V07), (Part::ModuleId, Rule::V08)] {
        let rig = Rig::new();
        let module = quarantined(&rig, Role::Client);
        free(module.part(part));
        assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
        rig.expect_one(rule);
    }
}

#[test]
fn v_04_callbacks_are_code() {
    for (role, callback) in ROLES
        .into_iter()
        .flat_map(|role| [(role, 8), (role, 16), (role, 24)])
    {
        let rig = Rig::new();
        let module = quarantined(&rig, role);
        set_word(module.part(Part::Characteristics) + callback, block(16));
        assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
        assert_eq!(rig.expect_one(Rule::V04).severity, Error);
    }
}

#[test]
fn v_11_what_is_lent_does_not_change() {
    for (role, (part, expected)) in ROLES
        .into_iter()
        .flat_map(|role| LENT.map(|part| (role, part)))
    {
        let rig = Rig::new();
        describe(&rig, &described());
        let module = quarantined(&rig, role).registered();
        // Not in what the registrar itself still needs: the last byte.
        let last = match part {
            Part::Characteristics => 71,
            Part::NpiId => 15,
            Part::ModuleId => 23,
            _ => 7,
        };
        set_byte(module.part(part) + last, 0xee);
        module.close();
        let report = rig.expect_one(Rule::V11);
        assert_eq!((report.severity, lent(&report)), (Error, expected));
        assert_eq!(report.module.map(|module| module.role), Some(role));
        assert_eq!(report.memory.unwrap().address, module.part(part));
    }
}

#[test]
fn v_11_a_change_is_seen_at_each_moment() {
    let rig = Rig::new();
    describe(&rig, &described());
    let client = quarantined(&rig, Role::Client).registered();
    let change = move |byte| set_byte(client.part(Part::Specific), byte);
    let expect = |function: &str, binding| {
        let report = rig.expect_one(Rule::V11);
        assert_eq!((report.function, report.binding), (function, binding));
        assert_eq!(report.module.unwrap().id, Some(client.id()));
    };
    change(1);
    let provider = rig.provider().registered();
    expect("ClientAttachProvider", Some(1));
    client.pends();
    change(2);
    assert_eq!(provider.deregister(), STATUS_PENDING);
    expect("ClientDetachProvider", Some(1));
    change(3);
    client.binding(0).complete();
    expect("ClientCleanupBindingContext", Some(1));
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    change(4);
    client.close();
    expect("NmrWaitForClientDeregisterComplete", None);
}

#[test]
fn v_12_what_is_lent_is_not_freed() {
    for (role, (part, expected)) in ROLES
        .into_iter()
        .flat_map(|role| LENT.map(|part| (role, part)))
    {
        let rig = Rig::new();
        let module = quarantined(&rig, role).registered();
        free(module.part(part));
        let report = rig.expect_one(Rule::V12);
        assert_eq!((report.severity, lent(&report)), (Error, expected));
        assert_eq!((report.function, freed_in(&report)), ("a free", None));
        module.close();
    }
}

#[test]
fn v_12_nor_between_the_deregistration_and_the_wait() {
    let rig = Rig::new();
    let client = quarantined(&rig, Role::Client).registered();
    assert_eq!(client.deregister(), STATUS_PENDING);
    free(client.part(Part::ModuleId));
    rig.expect_one(Rule::V12);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    free(client.part(Part::Characteristics));
    free(client.part(Part::NpiId));
}

#[test]
fn v_12_memory_of_any_allocator_is_there_at_the_wait() {
    let rig = Rig::new();
    let client = quarantined(&rig, Role::Client);
    let specific = client.part(Part::Characteristics) + 64;
    // So large that the allocator gives it back to the system.
    let large = vec![0_u8; 1 << 22];
    set_word(specific, 0);
    let id = client.part(Part::Characteristics) + 48;
    let address = large.as_ptr().expose_provenance();
    for offset in 0..24 {
        set_byte(address + offset, byte(client.part(Part::ModuleId) + offset));
    }
    set_word(id, address);
    client.registered();
    drop(large);
    client.close();
    let report = rig.expect_one(Rule::V12);
    assert_eq!(lent(&report), Lent::ModuleId);
    assert_eq!(report.function, "NmrWaitForClientDeregisterComplete");
    assert_eq!(report.memory.unwrap().block, None);
}

#[test]
fn v_85_a_registration_context_is_not_freed() {
    for role in ROLES {
        let rig = Rig::new();
        let module = quarantined(&rig, role).registered();
        assert_eq!(module.deregister(), STATUS_PENDING);
        free(module.context());
        let report = rig.expect_one(Rule::V85);
        assert_eq!(
            (report.severity, lent(&report)),
            (Error, Lent::RegistrationContext)
        );
        assert_eq!(module.wait(), STATUS_SUCCESS);
    }
}

#[test]
fn v_80_a_failed_deregistration_returns_nothing() {
    for role in ROLES {
        let rig = Rig::with("deregister=fails");
        let module = quarantined(&rig, role).registered();
        assert_eq!(module.deregister(), STATUS_INSUFFICIENT_RESOURCES);
        free(module.part(Part::Characteristics));
        let report = rig.expect_one(Rule::V80);
        assert_eq!(
            (report.severity, lent(&report)),
            (Error, Lent::Characteristics)
        );
        free(module.context());
        assert_eq!(lent(&rig.expect_one(Rule::V80)), Lent::RegistrationContext);
        module.close();
    }
}

#[test]
fn v_80_who_keeps_everything_may_try_again() {
    let rig = Rig::with("deregister=fails");
    let (client, provider) = (quarantined(&rig, Role::Client), rig.provider());
    client.registered();
    assert_eq!(client.deregister(), STATUS_INSUFFICIENT_RESOURCES);
    provider.registered();
    assert_eq!(client.counts(), [1, 0, 0], "it is still registered");
    client.close();
    free(client.context());
    assert_eq!(provider.deregister(), STATUS_INSUFFICIENT_RESOURCES);
    provider.close();
}

/// A client and a provider whose contexts are blocks: the given one is this role's.
fn attached_with(rig: &Rig, role: Role, context: usize) -> (Module, Module) {
    let own = rig
        .module(role)
        .on_attach(move |offer| offer.accept_as(context, 0).status);
    let peer = rig.module(role.other());
    (own.registered(), peer.registered())
}

#[test]
fn an_honest_life_in_the_quarantine_is_quiet() {
    for role in ROLES {
        let rig = Rig::new();
        let context = block(40);
        let (own, peer) = attached_with(&rig, role, context);
        own.on_cleanup(move |binding| {
            set_byte(binding.context + 39, 1);
            free(binding.context);
        });
        close_all([own, peer]);
        assert_eq!(own.counts(), [1, 1, 1]);
    }
}

#[test]
fn v_34_a_table_does_not_change() {
    let says = Extent::Field {
        offset: 4,
        width: 2,
    };
    for (role, size) in ROLES
        .into_iter()
        .flat_map(|role| [(role, Extent::Bytes(16)), (role, says)])
    {
        let rig = Rig::new();
        let (own, none) = (with_table(size), SideLayout::default());
        let [client, provider] = match role {
            Role::Client => [own, none],
            Role::Provider => [none, own],
        };
        rig.registrar.declare(InterfaceLayout {
            client,
            provider,
            ..InterfaceLayout::new(Shape::new().npi)
        });
        // The table is a member of a block, before other members.
        let table = block(40) + 8;
        set_byte(table + 4, 16);
        set_byte(table + 5, 0);
        let own = rig
            .module(role)
            .on_attach(move |offer| offer.ask(table).status)
            .registered();
        let peer = rig
            .module(role.other())
            .on_attach(|offer| offer.ask(0).status)
            .registered();
        set_byte(table + 16, 1);
        set_byte(table - 1, 1);
        rig.expect(&[]);
        set_byte(table + 15, 1);
        close_all([own, peer]);
        let report = rig.expect_one(Rule::V34);
        assert_eq!((report.severity, lent(&report)), (Error, Lent::Dispatch));
        assert_eq!(
            (report.binding, report.module.unwrap().id),
            (Some(1), Some(own.id()))
        );
        free(table - 8);
    }
}

/// A module whose context, table and characteristics are members of one allocation, which it changes.
#[test]
fn what_nothing_says_the_length_of_may_change() {
    for role in ROLES {
        let rig = Rig::new();
        let own = quarantined(&rig, role);
        let table = block(40) + 8;
        own.on_attach(move |offer| offer.ask(table).status)
            .registered();
        let peer = rig.module(role.other()).registered();
        set_byte(table, 1);
        set_byte(table + 31, 1);
        set_byte(own.part(Part::Specific), 9);
        close_all([own, peer]);
        rig.expect(&[]);
        free(table - 8);
    }
}

#[test]
fn v_34_a_declared_table_does_not_change() {
    static TABLE: Mutex<[u8; 24]> = Mutex::new([0; 24]);
    let rig = Rig::new();
    let client = rig.client();
    let size = Table {
        size: 16,
        functions: 2,
    };
    rig.registrar.declare(Interface {
        npi: client.npi(),
        client: Some(size),
        provider: Some(size),
    });
    let table = (&raw const TABLE).addr();
    let start = table + size_of_val(&TABLE) - 24;
    let address = TABLE.lock().unwrap().as_ptr().addr();
    assert!((table..=start).contains(&address));
    let provider = rig
        .provider()
        .on_attach(move |offer| offer.ask(address).status);
    let pair = [client.registered(), provider.registered()];
    TABLE.lock().unwrap()[16] = 1;
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    rig.expect(&[]);
    TABLE.lock().unwrap()[15] = 1;
    client.binding(0).complete();
    let report = rig.expect_one(Rule::V34);
    assert_eq!(report.module.unwrap().role, Role::Provider);
    assert_eq!(pair[0].wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn v_34_a_table_is_not_freed() {
    let rig = Rig::new();
    let table = block(16);
    let provider = rig
        .provider()
        .on_attach(move |offer| offer.ask(table).status);
    let modules = [provider.registered(), rig.client().registered()];
    free(table);
    assert_eq!(lent(&rig.expect_one(Rule::V34)), Lent::Dispatch);
    close_all(modules);
}

#[test]
fn v_39_a_client_keeps_its_context_after_the_attach() {
    let rig = Rig::new();
    let context = block(40);
    let client = rig.client().on_attach(move |offer| {
        let status = offer.accept_as(context, 0).status;
        free(context);
        status
    });
    let provider = rig.provider().registered();
    client.registered();
    let report = rig.expect_one(Rule::V39);
    assert_eq!(
        (report.severity, report.function),
        (Warning, "ClientAttachProvider")
    );
    assert_eq!(freed_in(&report), Some(("ClientAttachProvider", 1)));
    assert_eq!(
        (report.binding, report.module.unwrap().id),
        (Some(1), Some(client.id()))
    );
    assert_eq!(report.peer.unwrap().id, Some(provider.id()));
    close_all([client, provider]);
}

#[test]
fn v_39_a_client_that_was_declined_frees_it() {
    let rig = Rig::new();
    let context = block(40);
    let client = rig.client().on_attach(move |offer| {
        let status = offer.accept_as(context, 0).status;
        free(context);
        status
    });
    let provider = rig.provider().declines().registered();
    close_all([client.registered(), provider]);
}

#[test]
fn v_51_a_context_is_not_freed_in_the_detach_callback() {
    for (role, answer) in ROLES
        .into_iter()
        .flat_map(|role| [(role, STATUS_SUCCESS), (role, STATUS_PENDING)])
    {
        let rig = Rig::with("detach=client-first");
        let context = block(40);
        let (own, peer) = attached_with(&rig, role, context);
        own.on_detach(move |binding| {
            free(binding.context);
            answer
        });
        assert_eq!(own.deregister(), STATUS_PENDING);
        let report = rig.expect_one(Rule::V51);
        let detach =
            ["ClientDetachProvider", "ProviderDetachClient"][usize::from(role == Role::Provider)];
        assert_eq!((report.severity, report.function), (Error, detach));
        assert_eq!(freed_in(&report), Some((detach, 1)));
        assert_eq!(report.module.unwrap().id, Some(own.id()));
        if answer == STATUS_PENDING {
            own.binding(0).complete();
        }
        assert_eq!(own.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

#[test]
fn v_51_a_touch_after_it_is_the_same_report() {
    let rig = Rig::new();
    let context = block(40);
    let (client, provider) = attached_with(&rig, Role::Client, context);
    free(context);
    assert_eq!(
        byte(context),
        0xdd,
        "the block is open again, and its content is gone"
    );
    rig.expect_one(Rule::V51);
    close_all([client, provider]);
}

#[test]
fn v_51_without_a_cleanup_callback_the_peer_decides() {
    let rig = Rig::new();
    let context = block(40);
    let client = rig.shaped(Role::Client, "client", |shape| {
        shape.leave_out(Part::Cleanup);
    });
    client.on_attach(move |offer| offer.accept_as(context, 0).status);
    let provider = rig.provider().pends().registered();
    client.registered();
    assert_eq!(client.deregister(), STATUS_PENDING);
    free(context);
    rig.expect_one(Rule::V51);
    provider.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.detaches().close();
}

/// A callback in memory that the loader of an image could call pageable.
extern "efiapi" fn paged_callback(_context: *mut std::ffi::c_void) -> NTSTATUS {
    STATUS_SUCCESS
}

#[test]
fn v_53_detach_and_cleanup_callbacks_are_not_pageable() {
    let address = (paged_callback as *const ()).addr();
    for residence in [Residence::Pageable, Residence::Discardable] {
        code::add(address, 1, residence);
        for (role, callback) in ROLES.into_iter().flat_map(|role| [(role, 16), (role, 24)]) {
            let rig = Rig::new();
            let module = quarantined(&rig, role);
            set_word(module.part(Part::Characteristics) + callback, address);
            module.registered().close();
            let report = rig.expect_one(Rule::V53);
            assert_eq!((report.severity, report.memory), (Error, None));
        }
        code::remove(address, 1);
    }
    let rig = Rig::new();
    let module = quarantined(&rig, Role::Client);
    set_word(module.part(Part::Characteristics) + 16, address);
    module.registered().close();
}

#[test]
fn v_53_a_context_is_not_in_paged_pool() {
    for role in ROLES {
        let rig = Rig::new();
        let context = pageable_block(40);
        let (own, peer) = attached_with(&rig, role, context);
        own.on_cleanup(|binding| free(binding.context));
        close_all([own, peer]);
        let report = rig.expect_one(Rule::V53);
        assert_eq!(
            (report.severity, lent(&report)),
            (Error, Lent::BindingContext)
        );
        assert_eq!(report.module.unwrap().id, Some(own.id()));
    }
}

#[test]
fn v_56_the_completer_does_not_touch_its_context() {
    for role in ROLES {
        let rig = Rig::new();
        let context = block(40);
        let (own, peer) = attached_with(&rig, role, context);
        own.pends().on_cleanup(|binding| free(binding.context));
        assert_eq!(own.deregister(), STATUS_PENDING);
        own.binding(0).complete();
        set_byte(context, 1);
        let report = rig.expect_one(Rule::V56);
        assert_eq!(
            (report.severity, lent(&report)),
            (Warning, Lent::BindingContext)
        );
        assert_eq!(
            (report.function, report.binding),
            ("a touch of freed memory", Some(1))
        );
        assert_eq!(report.module.unwrap().id, Some(own.id()));
        assert_eq!(report.thread, nmr_host::current_thread());
        assert_eq!(own.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

#[test]
fn v_61_a_context_is_not_touched_after_its_cleanup() {
    for role in ROLES {
        let rig = Rig::new();
        let context = block(40);
        let (own, peer) = attached_with(&rig, role, context);
        own.on_cleanup(|binding| free(binding.context));
        close_all([own, peer]);
        let (send, receive) = mpsc::channel();
        let other = rig.thread(move || {
            send.send(nmr_host::current_thread()).unwrap();
            byte(context)
        });
        assert_eq!(other.join(), 0xdd);
        let report = rig.expect_one(Rule::V61);
        assert_eq!(
            (report.severity, report.thread),
            (Error, receive.recv().unwrap())
        );
        assert_eq!(
            (lent(&report), report.binding),
            (Lent::BindingContext, Some(1))
        );
        let cleanup = [
            "ClientCleanupBindingContext",
            "ProviderCleanupBindingContext",
        ];
        let cleanup = cleanup[usize::from(role == Role::Provider)];
        assert_eq!(freed_in(&report), Some((cleanup, 1)));
        let text = report.to_string();
        assert!(text.contains("the block of 40 bytes at"), "{text}");
        assert!(
            text.contains(&format!("inside {cleanup} of binding 1")),
            "{text}"
        );
    }
}

#[test]
fn v_60_a_context_without_a_cleanup_callback_is_freed() {
    for (role, freed) in ROLES
        .into_iter()
        .flat_map(|role| [(role, false), (role, true)])
    {
        let rig = Rig::new();
        let context = block(40);
        let own = rig.shaped(role, "own", |shape| shape.leave_out(Part::Cleanup));
        own.on_attach(move |offer| offer.accept_as(context, 0).status)
            .registered();
        let peer = rig.module(role.other()).registered();
        close_all([own, peer]);
        rig.expect(&[]);
        if freed {
            free(context);
        }
        let reports = rig.registrar.finish();
        assert_eq!(reports.len(), usize::from(!freed));
        if !freed {
            let report = rig.expect_one(Rule::V60);
            assert_eq!(
                (report.severity, lent(&report)),
                (Warning, Lent::BindingContext)
            );
            assert_eq!(
                (report.binding, report.module.unwrap().id),
                (Some(1), Some(own.id()))
            );
        }
    }
}

#[test]
fn v_63_a_cleanup_callback_frees_its_context() {
    for role in ROLES {
        let rig = Rig::new();
        let context = block(40);
        let (own, peer) = attached_with(&rig, role, context);
        assert_eq!(own.deregister(), STATUS_PENDING);
        rig.expect(&[]);
        assert_eq!(own.wait(), STATUS_SUCCESS);
        let report = rig.expect_one(Rule::V63);
        assert_eq!(
            (report.severity, lent(&report)),
            (Warning, Lent::BindingContext)
        );
        assert_eq!(
            (report.binding, report.module.unwrap().id),
            (Some(1), Some(own.id()))
        );
        peer.close();
    }
}

#[test]
fn v_63_a_context_that_is_the_module_itself_stays() {
    let rig = Rig::new();
    let client = quarantined(&rig, Role::Client);
    client.on_attach(move |offer| offer.accept_as(client.context(), 0).status);
    let provider = rig.provider().registered();
    close_all([client.registered(), provider]);
    free(client.context());
}

#[test]
fn v_86_a_block_is_freed_once() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client
        .on_detach(|_| {
            let scratch = block(24);
            free(scratch);
            let again = || quarantine::free(std::ptr::with_exposed_provenance_mut(scratch));
            assert!(!again() && !again());
            STATUS_SUCCESS
        })
        .registered();
    provider.registered();
    close_all([client, provider]);
    let reports = rig.expect(&[Rule::V86; 2]);
    let [report] = &reports[..] else {
        panic!("{reports:#?}");
    };
    assert_eq!((report.severity, report.count), (Error, 2));
    assert_eq!(report.function, "ClientDetachProvider");
    assert_eq!(report.module.unwrap().id, Some(client.id()));
    assert_eq!(lent(report), Lent::Memory);
    assert_eq!(freed_in(report), Some(("ClientDetachProvider", 1)));
}

#[test]
fn without_checks_nothing_is_looked_at() {
    let rig = Rig::trusting();
    let context = block(40);
    let (client, provider) = attached_with(&rig, Role::Client, context);
    free(context);
    close_all([client, provider]);
}
