//! Choices of a registrar where the public record leaves Windows open.

/// The choices. The default is contract section 5's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The order in which a registering module is offered its peers.
    pub offers: Offers,
    /// Which detach callback of a binding comes first.
    pub detach_order: Order,
    /// Which cleanup callback of a binding comes first.
    pub cleanup_order: Order,
    /// The thread of the cleanup callbacks.
    pub cleanup: Cleanup,
    /// What a completion means that comes before the detach callback.
    pub early_completion: EarlyCompletion,
    /// Whether a client that fails after it has attached gets its cleanup callback.
    pub cleanup_failed_client: bool,
    /// What a deregistration answers.
    pub deregistration: Deregistration,
    /// What of all that modules may share is looked for (V-14, V-16, V-35).
    pub sharing: Sharing,
    /// The seed of every random order.
    pub seed: u64,
    /// How many numbers of bindings a lane takes at once, so that lanes do not wait for each other's. With
    /// 0 or 1 they count up over all lanes.
    pub serials: u64,
}

/// The order in which a registering module is offered its peers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Offers {
    /// The order in which they registered.
    #[default]
    InOrder,
    /// An order that follows from the seed.
    Shuffled,
}

/// Which of the two callbacks of a pair comes first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Order {
    /// The client's.
    #[default]
    ClientFirst,
    /// The provider's.
    ProviderFirst,
    /// One that follows from the seed, each time.
    Seeded,
}

/// The thread of the cleanup callbacks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Cleanup {
    /// The one that completes last.
    #[default]
    Inline,
    /// A worker of the registrar.
    Worker,
}

/// What a completion means that comes before the detach callback.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum EarlyCompletion {
    /// It counts when the callback later answers `STATUS_PENDING`.
    #[default]
    Remembered,
    /// It is lost.
    Ignored,
}

/// What a deregistration answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Deregistration {
    /// `STATUS_PENDING`, as a correct one always does.
    #[default]
    Pending,
    /// The first one of each registration is answered with an error, and has no effect: then nothing
    /// that was lent may be freed (V-80).
    Fails,
}

/// What of all that modules may share is reported.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sharing {
    /// Memory: characteristics and contexts (V-14, V-35).
    #[default]
    Memory,
    /// Identities too (V-16): legal, and a mistake where a module is meant to register once.
    Identities,
    /// Nothing, which saves a little time.
    Ignored,
}
