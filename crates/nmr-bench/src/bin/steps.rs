//! Does one thing many times, so that its instructions can be counted: `steps guarded 1000`.

use std::env;
use std::process::ExitCode;

use nmr_bench::Work;
use nmr_bench::c::{Guard, Guarded};
use nmr_bench::callbacks::{Nothing, callbacks};
use nmr_bench::calls::{self, Pair};
use nmr_bench::guards;
use nmr_bench::lives::{Beside, Life};
use nmr_bench::raw;
use nmr_bench::setting::Setting;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [what, times] = arguments.as_slice() else {
        return usage();
    };
    let (Some(mut work), Ok(times)) = (work(what), times.parse()) else {
        return usage();
    };
    work.run(times);
    ExitCode::SUCCESS
}

fn work(what: &str) -> Option<Box<dyn Work>> {
    let work: Box<dyn Work> = match what {
        "guarded" => calls_of(calls::guarded),
        "slot" => guards::slot(1),
        "spread" => guards::spread(1),
        "c-bare" => calls_in_c(Guard::Bare),
        "c-add" => calls_in_c(Guard::Add),
        "c-exchange" => calls_in_c(Guard::Exchange),
        "batch" => calls_of(calls::batch),
        "life" => life(Setting::Off),
        "life-in-tests" => life(Setting::Tests),
        _ => return None,
    };
    Some(work)
}

fn calls_of(repeat: calls::Loop) -> Box<dyn Work> {
    let pair = Pair::leak();
    Box::new(move |times| repeat(pair.peer(), 0, times))
}

fn calls_in_c(guard: Guard) -> Box<dyn Work> {
    let peer = Guarded::leak(Pair::leak());
    Box::new(move |times| peer.call(guard, 0, times))
}

fn life(setting: Setting) -> Box<dyn Work> {
    let callbacks = callbacks::<Nothing>();
    Box::new(Life::new(setting, &callbacks, raw::cycle, Beside::Nothing))
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: steps guarded|slot|spread|batch|c-bare|c-add|c-exchange|life|life-in-tests TIMES"
    );
    ExitCode::from(2)
}
