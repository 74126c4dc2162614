//! Random and mutated control requests to the driver's own image. The image must answer each as the
//! text of `exnpi_control` says, with the right length, and lose nothing. `NMR_REQUESTS` sets how many
//! are sent, and `NMR_SEED` where they begin.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use std::env;

use driver_host::{Handle, Host};
use exnpi_control::{Action, Role, code, status};
use fastrand::Rng;
use images::requests::{QUERY, calls, change, open, set, state};
use images::{clean, finish, load};
use nmr_host::Policy;
use zerocopy::IntoBytes;

fn number(variable: &str, usual: u64) -> u64 {
    let text = env::var(variable).ok();
    text.map_or(usual, |text| text.parse().expect("it is a number"))
}

/// One request.
#[derive(Debug)]
struct Request {
    code: u32,
    input: Vec<u8>,
    space: usize,
}

const CODES: [u32; 3] = [code::QUERY, code::CALL, code::CHANGE];
/// The sizes of request and reply that belong to the codes.
const SIZES: [(usize, usize); 3] = [(8, 192), (16, 24), (16, 16)];
/// Numbers at which something changes.
const EDGES: [u32; 12] = [
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    24,
    1_000_000,
    1_000_001,
    0x8000_0000,
    u32::MAX,
];

/// A request that is right.
fn right(random: &mut Rng) -> Request {
    let which = random.usize(..3);
    let role = random.choice([Role::Client, Role::Provider]).unwrap();
    let action = random.choice([Action::Detach, Action::Attach]).unwrap();
    let input = match which {
        0 => QUERY.as_bytes().to_vec(),
        1 => calls(random.u32(1..20), random.u32(..)).as_bytes().to_vec(),
        _ => change(action, role).as_bytes().to_vec(),
    };
    Request {
        code: CODES[which],
        input,
        space: SIZES[which].1,
    }
}

/// Makes a request a little different, as often as not wrong.
fn mutate(request: &mut Request, random: &mut Rng) {
    match random.u32(..7) {
        0 => request.code ^= 1 << random.u32(..32),
        1 => request.code = random.choice(CODES).unwrap(),
        2 => request.input.truncate(random.usize(..=request.input.len())),
        3 => {
            let more = random.usize(1..64);
            request.input.extend((0..more).map(|_| random.u8(..)));
        }
        4 if !request.input.is_empty() => {
            let at = random.usize(..request.input.len());
            request.input[at] ^= 1 << random.u32(..8);
        }
        5 if request.input.len() >= 4 => {
            let at = random.usize(..request.input.len() / 4) * 4;
            let edge = random.choice(EDGES).unwrap();
            request.input[at..at + 4].copy_from_slice(&edge.to_le_bytes());
        }
        _ => request.space = random.usize(..256),
    }
}

/// Any request.
fn request(random: &mut Rng) -> Request {
    if random.u32(..8) == 0 {
        let length = random.usize(..300);
        return Request {
            code: random.u32(..),
            input: (0..length).map(|_| random.u8(..)).collect(),
            space: random.usize(..300),
        };
    }
    let mut request = right(random);
    for _ in 0..random.u32(..4) {
        mutate(&mut request, random);
    }
    // A million calls are right, and would take all the time there is.
    if request.code == code::CALL && request.input.len() >= 12 && field(&request.input, 2) > 100 {
        let tame = field(&request.input, 2) % 100;
        if field(&request.input, 2) <= 1_000_000 && random.u32(..5000) != 0 {
            request.input[8..12].copy_from_slice(&tame.to_le_bytes());
        }
    }
    request
}

fn field(input: &[u8], place: usize) -> u32 {
    u32::from_le_bytes(input[place * 4..][..4].try_into().unwrap())
}

/// What the answer has to be, from the text of `exnpi_control` alone: the status, and the length of
/// the reply.
fn expected(request: &Request) -> (i32, usize) {
    let Some(which) = CODES.iter().position(|code| *code == request.code) else {
        return (status::UNKNOWN_CODE, 0);
    };
    let (size, reply) = SIZES[which];
    let input = &request.input;
    if input.len() != size || field(input, 0) as usize != size {
        return (status::WRONG_SIZE, 0);
    }
    if field(input, 1) != 1 {
        return (status::WRONG_VERSION, 0);
    }
    if request.space < reply {
        return (status::NO_SPACE, 0);
    }
    let in_range = match which {
        0 => true,
        1 => (1..=1_000_000).contains(&field(input, 2)),
        _ => [field(input, 2), field(input, 3)]
            .iter()
            .all(|value| [1, 2].contains(value)),
    };
    if in_range {
        (0, reply)
    } else {
        (status::OUT_OF_RANGE, 0)
    }
}

/// Sends one, and looks at the answer. Returns how many calls it made.
fn try_one(device: &Handle, request: &Request) -> u64 {
    let (status, reply) = device
        .control(request.code, &request.input, request.space)
        .unwrap_or_else(|error| panic!("{request:?}: {error}"));
    assert_eq!((status, reply.len()), expected(request), "{request:?}");
    if reply.is_empty() {
        return 0;
    }
    assert_eq!(field(&reply, 0) as usize, reply.len(), "{request:?}");
    assert_eq!(field(&reply, 1), 1, "{request:?}");
    if request.code == code::CALL {
        field(&reply, 2).into()
    } else {
        0
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn no_request_does_harm() {
    let (requests, seed) = (number("NMR_REQUESTS", 20_000), number("NMR_SEED", 1));
    println!("NMR_REQUESTS={requests} NMR_SEED={seed}");
    let host = Host::new(Policy::from_seed(seed));
    host.registrar().set_recording(false);
    let image = load(&host, "both");
    let device = open(&image);
    let mut random = Rng::with_seed(seed);
    let (mut calls, mut answered) = (0, 0);
    let pool = host.pool_in_use();
    for turn in 0..requests {
        let request = request(&mut random);
        answered += u64::from(expected(&request).0 == 0);
        calls += try_one(&device, &request);
        if turn % 4096 == 0 {
            let _events = host.take_events();
        }
    }
    println!("{answered} were answered; {calls} calls");
    assert!(answered > requests / 10 && answered < requests * 9 / 10);
    let now = state(&device);
    assert_eq!(now.client.calls_made, calls);
    assert_eq!(now.provider.calls_received, calls);
    // As it was: what is in use now is what was in use then.
    for role in [Role::Client, Role::Provider] {
        set(&device, Action::Detach, role).unwrap();
    }
    for role in [Role::Client, Role::Provider] {
        set(&device, Action::Attach, role).unwrap();
    }
    assert_eq!(host.pool_in_use(), pool);
    drop(device);
    clean(&image.unload());
    finish(&host);
}
