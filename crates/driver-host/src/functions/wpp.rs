//! `WppRecorder.sys`: the recorder of WPP tracing.

table! {
    { use crate::native::exports::tracing; }
    gated {
        "WppAutoLogGetDefaultHandle" => tracing::accept,
        "WppAutoLogStart" => tracing::accept,
        "WppAutoLogStop" => tracing::accept,
        "WppAutoLogTrace" => tracing::accept,
        "WppRecorderConfigure" => tracing::accept,
        "WppRecorderDumpLiveDriverData" => tracing::accept,
        "WppRecorderIsDefaultLogAvailable" => tracing::accept,
        "WppRecorderLinkCounters" => tracing::accept,
        "WppRecorderLogCreate" => tracing::accept,
        "WppRecorderLogDelete" => tracing::accept,
        "WppRecorderLogGetDefault" => tracing::accept,
        "WppRecorderReplay" => tracing::accept,
        "imp_WppRecorderIsDefaultLogAvailable" => tracing::accept,
        "imp_WppRecorderLogCreate" => tracing::accept,
        "imp_WppRecorderLogDelete" => tracing::accept,
        "imp_WppRecorderLogGetDefault" => tracing::accept,
        "imp_WppRecorderReplay" => tracing::accept,
    }
    direct {
    }
}
