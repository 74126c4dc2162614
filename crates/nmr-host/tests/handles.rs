//! Handles that are null, invented, stale or of another kind: refused, reported, and without effect
//! on anything else (A-37, U-07). Of the nine functions seven take a handle.

mod common;

use common::*;
use nmr_host::Severity::Warning;

/// Calls every function with a handle that is not one, and checks that nothing else changed.
fn refuse_everywhere(rig: &Rig, handle: usize, rule: impl Fn(Function) -> Rule) {
    for function in Function::ALL {
        let status = function.call(handle);
        let returns = !matches!(function, Function::Complete(_));
        assert_eq!(
            status,
            returns.then_some(STATUS_INVALID_PARAMETER),
            "{function:?}({handle:#x})"
        );
        rig.expect(&[rule(function)]);
    }
}

/// Checks that two modules are attached to each other, and closes them.
fn unaffected(client: Module, provider: Module) {
    assert_eq!((client.counts(), provider.counts()), ([1, 0, 0], [1, 0, 0]));
    close_all([client, provider]);
    assert_eq!((client.counts(), provider.counts()), ([1, 1, 1], [1, 1, 1]));
}

#[test]
fn a_37_null_is_refused() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    refuse_everywhere(&rig, 0, |_| Rule::V75);
    unaffected(client, provider);
}

#[test]
fn a_37_what_no_registrar_issued_is_refused() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let mut random = fastrand::Rng::with_seed(37);
    let pointers = [
        (&raw const rig).addr(),
        1,
        0xdead_beef,
        usize::MAX,
        usize::MAX << 32,
    ];
    let no_kinds = [0, 5, 6, 7].map(|kind| kind << 61);
    let numbers = (0..1_000).map(|at| no_kinds[at % 4] | random.usize(..1 << 61));
    for handle in pointers.into_iter().chain(numbers) {
        refuse_everywhere(&rig, handle, |_| Rule::V75);
    }
    unaffected(client, provider);
}

#[test]
fn a_37_a_changed_handle_is_refused() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    for handle in [
        client.handle(),
        provider.handle(),
        client.offer(0),
        provider.offer(0),
    ] {
        // Bit 0 tells the two slots apart, and both are in use.
        for bit in 1..47 {
            refuse_everywhere(&rig, handle ^ 1 << bit, |_| Rule::V75);
        }
    }
    unaffected(client, provider);
}

/// The rule that a function breaks with a handle of another kind.
fn wrong_kind(function: Function) -> Rule {
    if matches!(function, Function::Complete(_)) {
        Rule::V45
    } else {
        Rule::V74
    }
}

#[test]
fn a_37_a_registration_handle_of_the_other_role_is_refused() {
    for role in ROLES {
        let rig = Rig::new();
        let (client, provider) = rig.attached();
        let handle = if role == Role::Client {
            client
        } else {
            provider
        }
        .handle();
        for function in Function::ALL {
            let right = [Function::Deregister(role), Function::Wait(role)];
            if !right.contains(&function) {
                function.call(handle);
                rig.expect(&[wrong_kind(function)]);
            }
        }
        unaffected(client, provider);
    }
}

#[test]
fn a_37_a_binding_handle_of_the_other_role_is_refused() {
    for role in ROLES {
        let rig = Rig::new();
        let (client, provider) = rig.attached();
        let handle = if role == Role::Client {
            client
        } else {
            provider
        }
        .offer(0);
        for function in Function::ALL {
            let attaches = role == Role::Client && function == Function::Attach;
            if function != Function::Complete(role) && !attaches {
                function.call(handle);
                rig.expect(&[wrong_kind(function)]);
            }
        }
        unaffected(client, provider);
    }
}

#[test]
fn a_37_a_stale_registration_handle_is_refused() {
    for role in ROLES {
        let rig = Rig::new();
        let stale = rig.module(role).registered();
        stale.close();
        let (client, provider) = rig.attached();
        assert!(client.handle() != stale.handle() && provider.handle() != stale.handle());
        refuse_everywhere(&rig, stale.handle(), |function| match function {
            Function::Deregister(own) if own == role => Rule::V70,
            Function::Wait(own) if own == role => Rule::V72,
            other => wrong_kind(other),
        });
        unaffected(client, provider);
    }
}

#[test]
fn a_37_a_stale_binding_handle_is_refused() {
    for role in ROLES {
        let rig = Rig::new();
        let (old_client, old_provider) = rig.attached();
        close_all([old_client, old_provider]);
        let stale = if role == Role::Client {
            old_client
        } else {
            old_provider
        }
        .offer(0);
        let (client, provider) = rig.attached();
        assert!(client.offer(0) != stale && provider.offer(0) != stale);
        refuse_everywhere(&rig, stale, |function| match function {
            Function::Complete(own) if own == role => Rule::V46,
            Function::Attach if role == Role::Client => Rule::V55,
            other => wrong_kind(other),
        });
        unaffected(client, provider);
    }
}

#[test]
fn a_37_a_declined_offers_handle_is_stale() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.declines().registered();
    provider.registered();
    assert_eq!(
        Function::Attach.call(client.offer(0)),
        Some(STATUS_INVALID_PARAMETER)
    );
    rig.expect(&[Rule::V55]);
    Function::Complete(Role::Client).call(client.offer(0));
    rig.expect(&[Rule::V46]);
    assert_eq!(provider.counts(), [0, 0, 0]);
    close_all([client, provider]);
}

#[test]
fn a_37_a_handle_of_a_registrar_that_is_gone_is_refused() {
    let handle = {
        let gone = Rig::new();
        let client = gone.client().registered();
        client.close();
        client.handle()
    };
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    refuse_everywhere(&rig, handle, |_| Rule::V75);
    unaffected(client, provider);
}

#[test]
fn a_handle_works_on_the_registrar_that_issued_it() {
    let issuer = Rig::new();
    let (client, provider) = issuer.attached();
    let entered = Rig::new();
    unaffected(client, provider);
    assert_eq!(entered.registrar.records(), []);
}

#[test]
fn a_wrong_handle_is_one_inside_a_callback_too() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        let statuses = [offer.offered.handle, client.handle(), 0]
            .map(|handle| Function::Wait(Role::Provider).call(handle));
        assert_eq!(statuses, [Some(STATUS_INVALID_PARAMETER); 3]);
        offer.accept()
    });
    client.registered();
    provider.registered();
    let reports = rig.registrar.take_reports();
    let sum = |rule| {
        let found = reports.iter().filter(|report| report.rule == rule);
        found.map(|report| report.count).sum::<u64>()
    };
    assert_eq!(
        [Rule::V74, Rule::V75, Rule::V77].map(sum),
        [2, 1, 3],
        "{reports:#?}"
    );
    let waits = reports.iter().filter(|report| report.rule == Rule::V77);
    assert!(waits.into_iter().all(|report| report.severity == Warning));
    unaffected(client, provider);
}

#[test]
fn blockers_are_those_of_this_registrar_and_role() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    let other = Rig::new();
    let pair = other.attached();
    assert_eq!(client.blockers().len(), 2);
    let as_provider =
        nmr_sys::NMR_PROVIDER_HANDLE(std::ptr::without_provenance_mut(client.handle()));
    assert_eq!(rig.registrar.provider_blockers(as_provider), []);
    let as_client = nmr_sys::NMR_CLIENT_HANDLE(std::ptr::without_provenance_mut(client.handle()));
    assert_eq!(other.registrar.client_blockers(as_client), []);
    close_all([client, provider, pair.0, pair.1]);
}
