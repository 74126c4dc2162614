//! The driver's images at the edges: every policy, and scarce memory.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use driver_host::{Host, LoadError, LoadOptions};
use images::{clean, finish, load, path};
use nmr::Error;
use nmr_host::{Choice, Cleanup, DetachIrql, EarlyCompletion, Mode, Offers, Order, Policy};

/// Every combination of settings that changes what modules see.
fn every_policy() -> Vec<Policy> {
    let mut policies = vec![Policy::default()];
    extend(&mut policies, Mode::ALL, |policy, mode| policy.mode = mode);
    extend(&mut policies, Offers::ALL, |policy, offers| {
        policy.offers = offers;
    });
    extend(&mut policies, Order::ALL, |policy, order| {
        policy.detach_order = order;
    });
    extend(&mut policies, Order::ALL, |policy, order| {
        policy.cleanup_order = order;
    });
    extend(&mut policies, DetachIrql::ALL, |policy, irql| {
        policy.detach_irql = irql;
    });
    extend(&mut policies, Cleanup::ALL, |policy, cleanup| {
        policy.cleanup = cleanup;
    });
    extend(&mut policies, EarlyCompletion::ALL, |policy, early| {
        policy.early_completion = early;
    });
    extend(&mut policies, &[false, true], |policy, clean| {
        policy.cleanup_failed_client = clean;
    });
    policies
}

/// Multiplies policies by the values of a setting.
fn extend<T: Copy>(policies: &mut Vec<Policy>, values: &[T], set: impl Fn(&mut Policy, T)) {
    let with = |policy: &Policy, value| {
        let mut policy = policy.clone();
        set(&mut policy, value);
        policy
    };
    *policies = policies
        .iter()
        .flat_map(|policy| values.iter().map(|&value| with(policy, value)))
        .collect();
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn the_images_work_under_every_policy() {
    let policies = every_policy();
    assert_eq!(policies.len(), 2 * 2 * 3 * 3 * 2 * 2 * 2 * 2);
    for policy in policies {
        println!("{policy}");
        let host = Host::new(policy);
        let provider = load(&host, "provider");
        let client = load(&host, "client");
        clean(&provider.unload());
        clean(&load(&host, "both").unload());
        clean(&client.unload());
        finish(&host);
    }
}

fn insufficient() -> i32 {
    Error::INSUFFICIENT_RESOURCES.status()
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn each_reservation_of_the_registrar_can_fail() {
    for skip in 0..6 {
        let host = Host::new(Policy::default());
        host.registrar().fail_reservation(skip);
        match host.load(path("both"), LoadOptions::named("scarce.sys")) {
            Ok(image) => clean(&image.unload()),
            Err(LoadError::Entry { status, reports }) => {
                assert_eq!(status, insufficient());
                assert_eq!(images::lines(&reports), [""; 0]);
            }
            Err(other) => panic!("{other}"),
        }
        assert_eq!(host.registrar().leaks(), []);
        assert_eq!(host.pool_in_use(), 0);
    }
}
