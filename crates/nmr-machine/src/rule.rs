//! The rules of the contract (section 4) that are watched.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// How bad it is to break a rule.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Severity {
    /// The contract is broken.
    Error,
    /// The contract is broken in a way that shipped drivers get away with: an error in strict mode,
    /// else a warning.
    Tolerated,
    /// It is legal, and often a mistake.
    Warning,
}

/// Who notices that a rule is broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Detection {
    /// The registrar, from the calls and callbacks that it sees.
    Registrar,
    /// The memory that modules give and take, which is kept and looked at when it is freed.
    Quarantine,
    /// The dispatch tables of a declared interface, which the registrar puts its own in front of.
    WrappedDispatch,
    /// The loader of driver images.
    ImageLoader,
}

impl fmt::Display for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registrar => "registrar",
            Self::Quarantine => "quarantine",
            Self::WrappedDispatch => "wrapped dispatch",
            Self::ImageLoader => "image loader",
        })
    }
}

macro_rules! rules {
    ($(
        $name:ident = $number:literal, $severity:ident, $expected:literal, $advice:literal
            $(, $detection:ident)?;
    )*) => {
        /// A rule, by its number in contract section 4; V-86 is about memory in general.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Rule {
            $(
                #[doc = concat!($expected, ".")]
                $name = $number,
            )*
        }

        impl Rule {
            /// Every rule that is watched.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// How bad it is to break the rule.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What the contract expects.
            #[must_use]
            pub fn expected(self) -> &'static str {
                match self { $(Self::$name => $expected,)* }
            }

            /// What to do instead.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }

            /// Who notices. The registrar, unless the rule's row says otherwise.
            #[must_use]
            pub fn detection(self) -> Detection {
                match self { $(Self::$name => [$(Detection::$detection,)? Detection::Registrar][0],)* }
            }
        }
    };
}

rules! {
    V01 = 1, Error, "the characteristics pointer leads to a structure",
        "pass the address of the module's characteristics";
    V02 = 2, Tolerated, "the Version of the characteristics is 0",
        "set Version to 0";
    V03 = 3, Error, "the Length of the characteristics is their size, 72",
        "set Length to sizeof of the characteristics";
    V04 = 4, Error, "the attach and the detach callback are set, and every callback is code of a loaded module",
        "set both; only the cleanup callback is optional";
    V05 = 5, Error, "the Size of the registration instance is its size, 40",
        "set Size to sizeof(NPI_REGISTRATION_INSTANCE)";
    V06 = 6, Tolerated, "the Version of the registration instance is 0",
        "set Version to 0";
    V07 = 7, Error, "NpiId points to an interface identifier that is not all zero",
        "point NpiId to the interface's GUID";
    V08 = 8, Tolerated, "ModuleId points to an identifier of Length 24 and Type MIT_GUID or MIT_IF_LUID",
        "set ModuleId; peers read it without looking for NULL";
    V09 = 9, Error, "the address for the handle is not NULL",
        "pass the address of a variable that lives as long as the registration";
    V10 = 10, Error, "a module registers at PASSIVE_LEVEL",
        "register from DriverEntry or a work item";
    V11 = 11, Error, "what a module lends does not change while it is registered",
        "make it constant", Quarantine;
    V12 = 12, Error, "what a module lends stays until its wait has returned",
        "free it after the wait", Quarantine;
    V13 = 13, Error, "nothing that a module lends at registration is on a stack",
        "put the characteristics and what they point to into static memory or non-paged pool";
    V14 = 14, Warning, "each registration has characteristics of its own",
        "give each registration its own structure";
    V15 = 15, Warning, "no lock is held across a registration that an attach callback takes",
        "release it first: the attach callbacks run inside the call";
    V16 = 16, Warning, "a module registers once for an interface and a role",
        "deregister the first registration, or give the second module an identity of its own";
    V17 = 17, Error, "a callback has the NMR's calling convention",
        "define it with NTAPI, or compile the module with a Windows convention (nmr_convention.h)";
    V20 = 20, Error, "ClientAttachProvider returns what NmrClientAttachProvider returned last",
        "return that status unchanged";
    V21 = 21, Error, "ClientAttachProvider succeeds only after NmrClientAttachProvider has",
        "call NmrClientAttachProvider, or return STATUS_NOINTERFACE";
    V22 = 22, Error, "ClientAttachProvider does not fail after NmrClientAttachProvider has succeeded",
        "decide before that call; afterwards return STATUS_SUCCESS";
    V23 = 23, Error, "an attach callback returns STATUS_SUCCESS or an error, not another success code",
        "attach at once; there is no pending attach";
    V24 = 24, Error, "NmrClientAttachProvider is called inside the ClientAttachProvider of this very offer, on its thread",
        "attach before the callback returns, or decline";
    V25 = 25, Error, "NmrClientAttachProvider is not called again once it has succeeded",
        "keep the context and the table of the first call";
    V26 = 26, Warning, "a client tries again only after STATUS_NOINTERFACE, and not without end",
        "decline instead";
    V27 = 27, Error, "a callback leaves the IRQL and the locks of its thread as it found them",
        "lower what was raised and release what was acquired on every way out";
    V28 = 28, Error, "both outputs of NmrClientAttachProvider are given",
        "pass the addresses of two variables";
    V29 = 29, Error, "a provider that succeeds writes both of its outputs",
        "write the context and the table, if only NULL";
    V30 = 30, Warning, "a provider that fails stores no context",
        "free it and leave NULL: there will be no cleanup";
    V31 = 31, Warning, "a provider passes a table if the interface gives providers functions",
        "point ProviderDispatch to the table";
    V32 = 32, Warning, "a client passes a table if the interface gives clients functions, and else NULL",
        "pass the table that the interface's header declares";
    V33 = 33, Error, "binding contexts and dispatch tables are not on a stack",
        "allocate the context, and make the table a constant";
    V34 = 34, Error, "a dispatch table stays as it is while its module is attached",
        "make it constant", Quarantine;
    V35 = 35, Warning, "each binding has a context of its own if a cleanup callback frees it",
        "allocate a context for every binding";
    V36 = 36, Warning, "a binding context is not NULL if a cleanup callback gets it",
        "give every binding a context of its own, or register no cleanup callback";
    V37 = 37, Error, "a provider calls a client only after it has attached it",
        "return STATUS_SUCCESS from ProviderAttachClient first", WrappedDispatch;
    V38 = 38, Error, "what a failed NmrClientAttachProvider has stored is not used",
        "look at the status first";
    V39 = 39, Warning, "a client keeps its context after a successful attach",
        "free it in the cleanup callback", Quarantine;
    V40 = 40, Error, "a detach callback returns STATUS_SUCCESS or STATUS_PENDING",
        "return one of the two; detachment cannot fail";
    V41 = 41, Error, "a pending detach is completed",
        "call the completion function when the last call into the peer has returned";
    V42 = 42, Tolerated, "a detach is completed only after it was asked for",
        "wait for the detach callback";
    V43 = 43, Error, "a detach is completed once",
        "let only the last call into the peer complete";
    V44 = 44, Error, "a detach callback that has been completed returns STATUS_PENDING",
        "return STATUS_SUCCESS only when nothing completes";
    V45 = 45, Error, "a detach is completed with the binding handle of this side",
        "keep the handle that this module's own attach callback received";
    V46 = 46, Error, "a binding handle is not used after the binding is gone",
        "complete once, and forget the handle";
    V47 = 47, Error, "a detach is completed at DISPATCH_LEVEL or below",
        "complete from a DPC or a work item";
    V48 = 48, Error, "a module starts no call into its peer after its own detach callback was called",
        "claim every call, and let no claim succeed from the detach callback on", WrappedDispatch;
    V49 = 49, Error, "a module is done with its detach when its last call into the peer has returned",
        "return STATUS_PENDING, and complete when the last call has returned", WrappedDispatch;
    V50 = 50, Error, "a module that is done with its detach does not call its peer",
        "complete after the last call", WrappedDispatch;
    V51 = 51, Error, "a binding context stays until the cleanup callback, or until the peer has detached too",
        "free it in the cleanup callback; a detach callback is too early", Quarantine;
    V52 = 52, Tolerated, "a detach or cleanup callback does not block",
        "answer STATUS_PENDING, and let a work item wait";
    V53 = 53, Error, "detach and cleanup callbacks, and what they use, are always in memory",
        "put them into a section that is not paged, and take contexts from non-paged pool", ImageLoader;
    V54 = 54, Warning, "a detach callback is short",
        "answer STATUS_PENDING, and complete when the last call into the peer has returned";
    V55 = 55, Error, "a binding handle is not used once cleanup has started or the offer was declined",
        "forget the handle then";
    V56 = 56, Warning, "a module does not touch its binding context after it has completed its detach",
        "copy what is needed before, and complete last", Quarantine;
    V60 = 60, Warning, "a binding context without a cleanup callback is freed by its module",
        "free it after the detach, or register a cleanup callback", Quarantine;
    V61 = 61, Error, "a binding context is not touched after its cleanup callback has returned",
        "end everything that uses it before the detach is completed", Quarantine;
    V62 = 62, Error, "a cleanup callback does not register, wait or attach",
        "do that from a work item";
    V63 = 63, Warning, "a cleanup callback leads to the end of its context",
        "free it there", Quarantine;
    V70 = 70, Error, "a registration is deregistered once",
        "deregister where the handle is owned, and forget it";
    V71 = 71, Error, "a wait follows a deregistration",
        "call the deregister function first";
    V72 = 72, Error, "a registration is waited for once",
        "wait where the handle is owned, and forget it";
    V73 = 73, Error, "every registration is deregistered and waited for",
        "do both before the module is unloaded";
    V74 = 74, Error, "a registration handle goes to the functions of its own role",
        "pass the handle that this role's register function returned";
    V75 = 75, Error, "a handle is one that the NMR issued",
        "use the handle only if the register function succeeded";
    V76 = 76, Error, "a wait is below DISPATCH_LEVEL, and a deregistration not above it",
        "lower the IRQL first";
    V77 = 77, Error, "a wait is not inside a callback of a binding that it waits for",
        "deregister there at most, and wait elsewhere";
    V78 = 78, Error, "a callback does not wait for what it has deregistered itself",
        "wait after the callback has returned, on a thread of your own";
    V79 = 79, Error, "the code of callbacks stays until their registration is closed",
        "deregister and wait before the module is unloaded";
    V80 = 80, Error, "a module that cannot deregister stays as it is",
        "keep everything, or try again: nothing was undone", Quarantine;
    V81 = 81, Error, "a wait holds no lock that a pending detach or its completion needs",
        "release the lock before the wait";
    V82 = 82, Warning, "no spin lock is held across a deregistration",
        "release it first: the detach callbacks would run at DISPATCH_LEVEL";
    V83 = 83, Warning, "no thread that completed is still in the module when the wait returns",
        "join such threads after the wait, or complete from an I/O work item, which references the device";
    V84 = 84, Warning, "there is no handle after a register function has failed",
        "leave the handle alone on the failure path";
    V85 = 85, Error, "a registration context stays until the wait has returned",
        "free it after the wait", Quarantine;
    V86 = 86, Error, "a block of memory is freed once",
        "free it where it is owned, and forget it", Quarantine;
}

impl Rule {
    /// The page that explains the rules: a path or a URL. A build that is installed without the project's
    /// sources sets it with the environment variable `NMR_HOST_DOCS`.
    pub const PAGE: &'static str = page(option_env!("NMR_HOST_DOCS"));

    /// Where that page explains the rule: `docs/verifier.md#v-43`.
    #[must_use]
    pub fn link(self) -> String {
        format!("{}#v-{:02}", Self::PAGE, self as u8)
    }
}

const fn page(set: Option<&'static str>) -> &'static str {
    match set {
        Some(page) if !page.is_empty() => page,
        _ => "docs/verifier.md",
    }
}

/// The rule's id: `V-43`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V-{:02}", *self as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_can_be_set_when_it_is_built() {
        assert_eq!(page(Some("https://example.org/v")), "https://example.org/v");
        assert_eq!(page(Some("")), "docs/verifier.md");
        assert_eq!(page(None), "docs/verifier.md");
        assert_eq!(Rule::V05.link(), format!("{}#v-05", Rule::PAGE));
    }
}
