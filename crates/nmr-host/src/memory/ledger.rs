//! What modules have lent to the NMR, and which rule it breaks when that changes, goes away or is
//! touched. Only bookkeeping: what is in memory now, others look.

use std::collections::{BTreeSet, HashMap, VecDeque};

use nmr_sys::{NPI_MODULEID, NPIID};

use super::examine::{place, word};
use super::probe::{self, Seen};
use super::quarantine::{self, Block};
use super::{Lent, LentMemory};
use crate::machine::{Finding, Key};
use crate::module::{Module, ModuleLabel, Role};
use crate::rule::Rule;
use crate::thread::ThreadNumber;

/// A broken rule about memory.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) finding: Finding,
    pub(crate) memory: LentMemory,
}

/// Who lends something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Lender {
    Registration(Key),
    End(Key, Role),
}

/// Something that must be there and must not change.
#[derive(Clone, Debug)]
struct Piece {
    lent: Lent,
    address: usize,
    bytes: Vec<u8>,
    /// Whether it was reported as gone.
    lost: bool,
}

impl Piece {
    /// What is at an address now. `None` if there is nothing to compare with.
    fn new(lent: Lent, address: usize, size: usize) -> Option<Self> {
        if address == 0 {
            return None;
        }
        match probe::read(address, size) {
            Seen::Bytes(bytes) => Some(Self {
                lent,
                address,
                bytes,
                lost: false,
            }),
            Seen::Nothing | Seen::Unknown => None,
        }
    }

    /// Looks again. A change is found once, and so is a loss.
    fn look(&mut self, changed: Rule, gone: Rule) -> Option<Rule> {
        if self.lost {
            return None;
        }
        match probe::read(self.address, self.bytes.len()) {
            Seen::Bytes(bytes) if bytes != self.bytes => {
                self.bytes = bytes;
                Some(changed)
            }
            Seen::Nothing => {
                self.lost = true;
                Some(gone)
            }
            Seen::Bytes(_) | Seen::Unknown => None,
        }
    }
}

/// A registration and what it lends.
#[derive(Clone, Debug)]
struct Lease {
    module: ModuleLabel,
    pieces: Vec<Piece>,
    context: usize,
    /// Whether its deregistration was answered with an error.
    refused: bool,
    context_lost: bool,
    /// Contexts of its bindings that were still allocated when nobody used them any more.
    kept: Vec<Kept>,
}

/// A context that may be leaked.
#[derive(Clone, Copy, Debug)]
struct Kept {
    finding: Finding,
    address: usize,
    /// The number of its block.
    block: u64,
}

/// How far a binding's context and table have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The client has passed them; the provider decides.
    Offered,
    /// The provider has accepted; the client's callback is still running.
    Accepted,
    /// The NMR and the peer may use them.
    InUse,
    /// The module may free them: its cleanup callback is running, or nobody is left to use them.
    Returned,
    /// The cleanup callback has returned.
    Over,
}

/// One end of a binding and what it lends.
#[derive(Clone, Debug)]
struct End {
    finding: Finding,
    registration: Key,
    has_cleanup: bool,
    stage: Stage,
    context: usize,
    dispatch: usize,
    table: Option<Piece>,
    /// The thread that completed its detach.
    completer: Option<ThreadNumber>,
    reported: bool,
}

/// What the machine knows of an end when it begins to lend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) serial: u64,
    pub(crate) module: Module,
    pub(crate) peer: ModuleLabel,
    pub(crate) registration: Key,
    pub(crate) context: usize,
    pub(crate) dispatch: usize,
    /// The size of the table, if somebody has declared it.
    pub(crate) table: Option<usize>,
}

/// How many ends are remembered that are over.
const PAST: usize = 4096;

/// The books of a registrar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    leases: HashMap<Key, Lease>,
    ends: HashMap<(Key, Role), End>,
    /// Every address that somebody has lent.
    places: BTreeSet<(usize, Lender)>,
    past: VecDeque<(Key, Role)>,
    /// Contexts without a cleanup callback that were there when their owner's wait ended.
    unfreed: Vec<Kept>,
}

impl Ledger {
    // Registrations.

    /// A module has registered.
    pub(crate) fn open(&mut self, key: Key, module: &Module) -> Vec<Breach> {
        let lease = Lease {
            module: module.label,
            pieces: pieces(module.characteristics()),
            context: module.context.0.addr(),
            refused: false,
            context_lost: false,
            kept: Vec::new(),
        };
        let places = lease.pieces.iter().map(|piece| piece.address);
        for address in places.chain([lease.context]) {
            self.place(address, Lender::Registration(key));
        }
        let breaches = lease.pageable();
        self.leases.insert(key, lease);
        breaches
    }

    /// A deregistration was answered, perhaps with an error.
    pub(crate) fn refuse(&mut self, key: Key, failed: bool) {
        if let Some(lease) = self.leases.get_mut(&key) {
            lease.refused = failed;
        }
    }

    /// Looks at what a registration lends (V-11, V-12).
    pub(crate) fn look(&mut self, key: Key, binding: Option<u64>) -> Vec<Breach> {
        let Some(lease) = self.leases.get_mut(&key) else {
            return Vec::new();
        };
        let gone = if lease.refused { Rule::V80 } else { Rule::V12 };
        let mut breaches = Vec::new();
        for piece in &mut lease.pieces {
            if let Some(rule) = piece.look(Rule::V11, gone) {
                let finding = Finding {
                    binding,
                    ..about(rule, lease.module)
                };
                breaches.push(breach(finding, piece.lent, piece.address));
            }
        }
        breaches
    }

    /// Looks at what all registrations lend.
    pub(crate) fn look_at_all(&mut self) -> Vec<Breach> {
        let mut keys: Vec<Key> = self.leases.keys().copied().collect();
        keys.sort_unstable();
        let look = |key| self.look(key, None);
        keys.into_iter().flat_map(look).collect()
    }

    /// The wait of a registration has ended: everything goes back to its module, which should have
    /// freed its binding contexts (V-63) or does so now (or else V-60).
    pub(crate) fn close(&mut self, key: Key) -> Vec<Breach> {
        let mut breaches = self.look(key, None);
        let Some(lease) = self.leases.remove(&key) else {
            return breaches;
        };
        let places = lease.pieces.iter().map(|piece| piece.address);
        for address in places.chain([lease.context]) {
            self.places.remove(&(address, Lender::Registration(key)));
        }
        for kept in lease.kept.into_iter().filter(Kept::is_live) {
            if kept.finding.rule == Rule::V60 {
                self.unfreed.push(kept);
            } else {
                breaches.push(kept.breach());
            }
        }
        breaches
    }

    /// The contexts among these, or among all, that nobody has freed although their owners are gone
    /// (V-60).
    pub(crate) fn take_unfreed(&mut self, among: Option<&[usize]>) -> Vec<Breach> {
        let due = |kept: &mut Kept| among.is_none_or(|among| among.contains(&kept.address));
        let unfreed: Vec<Kept> = self.unfreed.extract_if(.., due).collect();
        let live = unfreed.iter().filter(|kept| kept.is_live());
        live.map(Kept::breach).collect()
    }

    // Bindings.

    /// A module has handed over its context and its table.
    pub(crate) fn attach(&mut self, binding: Key, opening: Opening) -> Vec<Breach> {
        let Opening {
            serial,
            module,
            peer,
            registration,
            context,
            dispatch,
            table,
        } = opening;
        let role = module.role();
        let finding = Finding {
            binding: Some(serial),
            peer: Some(peer),
            ..about(Rule::V51, module.label)
        };
        self.forget(binding, role);
        for address in [context, dispatch] {
            self.place(address, Lender::End(binding, role));
        }
        let size = table.or_else(|| rest_of_block(dispatch));
        let end = End {
            finding,
            registration,
            has_cleanup: module.has_cleanup(),
            stage: Stage::Offered,
            context,
            dispatch,
            table: size.and_then(|size| Piece::new(Lent::Dispatch, dispatch, size)),
            completer: None,
            reported: false,
        };
        let breaches = end.pageable();
        self.ends.insert((binding, role), end);
        breaches
    }

    /// The provider has accepted: both ends have lent now.
    pub(crate) fn accept(&mut self, binding: Key) {
        self.advance(binding, Role::Client, Stage::Accepted);
        self.advance(binding, Role::Provider, Stage::InUse);
    }

    /// The client's callback has returned with success.
    pub(crate) fn settle(&mut self, binding: Key) {
        self.advance(binding, Role::Client, Stage::InUse);
    }

    /// Nothing of an end is lent any more, and nothing happens to it.
    pub(crate) fn forget(&mut self, binding: Key, role: Role) {
        let Some(end) = self.ends.remove(&(binding, role)) else {
            return;
        };
        for address in [end.context, end.dispatch] {
            self.places.remove(&(address, Lender::End(binding, role)));
        }
    }

    /// A module has completed the detach of its end.
    pub(crate) fn complete(&mut self, binding: Key, role: Role, thread: ThreadNumber) {
        if let Some(end) = self.ends.get_mut(&(binding, role)) {
            end.completer = Some(thread);
        }
    }

    /// Looks at the tables of a binding (V-34).
    pub(crate) fn look_at_tables(&mut self, binding: Key) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for role in [Role::Client, Role::Provider] {
            let Some(end) = self.ends.get_mut(&(binding, role)) else {
                continue;
            };
            let in_use = matches!(end.stage, Stage::Accepted | Stage::InUse);
            let Some(table) = end.table.as_mut().filter(|_| in_use) else {
                continue;
            };
            if let Some(rule) = table.look(Rule::V34, Rule::V34) {
                let finding = Finding {
                    rule,
                    ..end.finding
                };
                breaches.push(breach(finding, Lent::Dispatch, end.dispatch));
            }
        }
        breaches
    }

    /// The cleanup callback of an end is about to be called, and nobody else uses either end.
    pub(crate) fn clean_up(&mut self, binding: Key, role: Role) {
        self.advance(binding, role, Stage::Returned);
        self.give_back(binding);
    }

    /// Both ends of a binding are done: a module without a cleanup callback may free its context.
    pub(crate) fn give_back(&mut self, binding: Key) {
        for role in [Role::Client, Role::Provider] {
            let end = self.ends.get(&(binding, role));
            if end.is_some_and(|end| !end.has_cleanup && end.stage != Stage::Over) {
                self.finish(binding, role);
            }
        }
    }

    /// The NMR is done with an end: its cleanup callback has returned, or there will be none.
    pub(crate) fn finish(&mut self, binding: Key, role: Role) {
        let Some(end) = self.ends.get_mut(&(binding, role)) else {
            return;
        };
        if end.stage == Stage::Over {
            return;
        }
        end.stage = Stage::Over;
        let leak = if end.has_cleanup {
            Rule::V63
        } else {
            Rule::V60
        };
        let (finding, context, registration) = (end.finding, end.context, end.registration);
        let kept = Kept::new(
            Finding {
                rule: leak,
                ..finding
            },
            context,
        );
        let kept = kept.filter(|kept| !self.is_shared(kept.address, (binding, role)));
        if let (Some(lease), Some(kept)) = (self.leases.get_mut(&registration), kept) {
            lease.kept.push(kept);
        }
        self.past.push_back((binding, role));
        if self.past.len() > PAST
            && let Some((binding, role)) = self.past.pop_front()
        {
            self.forget(binding, role);
        }
    }

    /// The binding is gone.
    pub(crate) fn end(&mut self, binding: Key) {
        for role in [Role::Client, Role::Provider] {
            match self.ends.get(&(binding, role)).map(|end| end.stage) {
                Some(Stage::Offered) => self.forget(binding, role),
                Some(_) => self.finish(binding, role),
                None => {}
            }
        }
    }

    fn advance(&mut self, binding: Key, role: Role, stage: Stage) {
        if let Some(end) = self.ends.get_mut(&(binding, role)) {
            end.stage = stage;
        }
    }

    // Blocks of the quarantine.

    /// A block was freed: which rules does that break?
    pub(crate) fn freed(&mut self, block: &Block) -> Vec<Breach> {
        let lenders = self.lenders(block);
        let breaches = lenders.into_iter().filter_map(|lender| match lender {
            Lender::Registration(key) => self.leases.get_mut(&key)?.freed(block),
            Lender::End(binding, role) => self.ends.get_mut(&(binding, role))?.freed(block),
        });
        breaches.collect()
    }

    /// A freed block was touched by a thread: which rules does that break, and is it explained by
    /// them or by earlier reports?
    pub(crate) fn touched(&mut self, block: &Block, thread: ThreadNumber) -> (Vec<Breach>, bool) {
        let (mut breaches, mut known) = (Vec::new(), false);
        for lender in self.lenders(block) {
            match lender {
                Lender::Registration(_) => known = true,
                Lender::End(binding, role) => {
                    let Some(end) = self.ends.get_mut(&(binding, role)) else {
                        continue;
                    };
                    breaches.extend(end.touched(block, thread));
                    known |= end.reported;
                }
            }
        }
        (breaches, known)
    }

    fn place(&mut self, address: usize, lender: Lender) {
        if address != 0 {
            self.places.insert((address, lender));
            quarantine::claim(address);
        }
    }

    /// Those who have lent something in a block, each once.
    fn lenders(&self, block: &Block) -> Vec<Lender> {
        let within = block.start..block.start + block.size.max(1);
        let from = (within.start, Lender::Registration(Key::FIRST));
        let places = self.places.range(from..);
        let places = places.take_while(|(address, _)| within.contains(address));
        let mut lenders: Vec<Lender> = places.map(|&(_, lender)| lender).collect();
        lenders.sort_unstable();
        lenders.dedup();
        lenders
    }

    /// Whether somebody else has lent something in the block of an address.
    fn is_shared(&self, address: usize, own: (Key, Role)) -> bool {
        let own = Lender::End(own.0, own.1);
        let block = quarantine::find(address);
        block.is_some_and(|block| {
            let over = |lender: &Lender| match *lender {
                Lender::Registration(_) => false,
                Lender::End(binding, role) => {
                    let end = self.ends.get(&(binding, role));
                    end.is_none_or(|end| end.stage == Stage::Over)
                }
            };
            let mut others = self
                .lenders(&block)
                .into_iter()
                .filter(|&other| other != own);
            others.any(|other| !over(&other))
        })
    }
}

impl Lease {
    /// What can be paged out and must not be (V-53).
    fn pageable(&self) -> Vec<Breach> {
        let pieces = self.pieces.iter().map(|piece| (piece.lent, piece.address));
        let context = (Lent::RegistrationContext, self.context);
        let mut pageable = pieces.chain([context]).filter(|&(_, at)| is_pageable(at));
        let found = pageable.next();
        let breach = found.map(|(lent, at)| breach(about(Rule::V53, self.module), lent, at));
        breach.into_iter().collect()
    }

    /// One of its blocks was freed (V-12, V-85, V-80).
    fn freed(&mut self, block: &Block) -> Option<Breach> {
        let mut first = None;
        for piece in &mut self.pieces {
            if block.holds(piece.address) && !std::mem::replace(&mut piece.lost, true) {
                first = first.or(Some((Rule::V12, piece.lent, piece.address)));
            }
        }
        if block.holds(self.context) && !std::mem::replace(&mut self.context_lost, true) {
            let context = (Rule::V85, Lent::RegistrationContext, self.context);
            first = first.or(Some(context));
        }
        let (rule, lent, address) = first?;
        let rule = if self.refused { Rule::V80 } else { rule };
        Some(with_block(about(rule, self.module), lent, address, block))
    }
}

impl End {
    /// A context that can be paged out (V-53).
    fn pageable(&self) -> Vec<Breach> {
        let rule = Rule::V53;
        let finding = Finding {
            rule,
            ..self.finding
        };
        let found = is_pageable(self.context);
        let breach = found.then(|| breach(finding, Lent::BindingContext, self.context));
        breach.into_iter().collect()
    }

    /// Its block was freed (V-39, V-51, V-34).
    fn freed(&mut self, block: &Block) -> Option<Breach> {
        let client = self
            .finding
            .module
            .is_some_and(|module| module.role == Role::Client);
        let rule = match self.stage {
            Stage::Offered | Stage::Returned | Stage::Over => return None,
            Stage::Accepted if client => Rule::V39,
            Stage::Accepted | Stage::InUse => Rule::V51,
        };
        let (rule, lent, address) = if block.holds(self.context) {
            (rule, Lent::BindingContext, self.context)
        } else {
            (Rule::V34, Lent::Dispatch, self.dispatch)
        };
        if let Some(table) = self
            .table
            .as_mut()
            .filter(|table| block.holds(table.address))
        {
            table.lost = true;
        }
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let finding = Finding {
            rule,
            ..self.finding
        };
        Some(with_block(finding, lent, address, block))
    }

    /// Its freed block was touched (V-56, V-61).
    fn touched(&mut self, block: &Block, thread: ThreadNumber) -> Option<Breach> {
        if self.stage != Stage::Over || !block.holds(self.context) {
            return None;
        }
        let rule = match self.completer {
            Some(completer) if completer == thread => Rule::V56,
            _ if self.has_cleanup => Rule::V61,
            _ => return None,
        };
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let finding = Finding {
            rule,
            ..self.finding
        };
        Some(with_block(
            finding,
            Lent::BindingContext,
            self.context,
            block,
        ))
    }
}

impl Kept {
    /// A context that is a block of its own and still allocated.
    fn new(finding: Finding, address: usize) -> Option<Self> {
        let block = quarantine::find(address)?;
        let whole = block.start == address && block.freed.is_none();
        whole.then_some(Self {
            finding,
            address,
            block: block.number,
        })
    }

    fn is_live(&self) -> bool {
        let block = quarantine::find(self.address);
        block.is_some_and(|block| block.number == self.block && block.freed.is_none())
    }

    fn breach(&self) -> Breach {
        breach(self.finding, Lent::BindingContext, self.address)
    }
}

/// Reads what characteristics lend.
fn pieces(characteristics: usize) -> Vec<Piece> {
    // Not more, even if `Length` says so: a wrong one is tolerated.
    let Some(whole) = Piece::new(Lent::Characteristics, characteristics, place::SIZE) else {
        return Vec::new();
    };
    let at = |offset| word(&whole.bytes, offset);
    let npi = Piece::new(Lent::NpiId, at(place::NPI_ID), size_of::<NPIID>());
    let id = Piece::new(
        Lent::ModuleId,
        at(place::MODULE_ID),
        size_of::<NPI_MODULEID>(),
    );
    let specific = at(place::SPECIFIC);
    let size = rest_of_block(specific);
    let specific =
        size.and_then(|size| Piece::new(Lent::NpiSpecificCharacteristics, specific, size));
    [Some(whole), npi, id, specific]
        .into_iter()
        .flatten()
        .collect()
}

/// How much of its block is behind an address. `None` if it is in no block.
fn rest_of_block(address: usize) -> Option<usize> {
    let block = quarantine::find(address)?;
    Some(block.start + block.size - address)
}

fn is_pageable(address: usize) -> bool {
    quarantine::find(address).is_some_and(|block| block.pageable)
}

fn about(rule: Rule, module: ModuleLabel) -> Finding {
    Finding {
        rule,
        binding: None,
        module: Some(module),
        peer: None,
        status: None,
    }
}

fn breach(finding: Finding, lent: Lent, address: usize) -> Breach {
    let block = quarantine::find(address);
    let memory = LentMemory {
        lent,
        address,
        block,
    };
    Breach { finding, memory }
}

fn with_block(finding: Finding, lent: Lent, address: usize, block: &Block) -> Breach {
    let memory = LentMemory {
        lent,
        address,
        block: Some(block.clone()),
    };
    Breach { finding, memory }
}
