//! Memory on loan from modules to the NMR, and the rules that are broken when it changes, goes away or is
//! touched. Only bookkeeping: other modules read the memory itself.

mod breach;
mod end;
mod lease;
mod piece;

use std::collections::{BTreeSet, HashMap, VecDeque};

use nmr_machine::{Finding, Key, Module, Opening, Role, Rule};

use crate::memory::Extent;
use crate::memory::Lent;
use crate::memory::quarantine::{self, Block};
use crate::thread::ThreadNumber;
pub(crate) use breach::Breach;
use breach::{about, breach};
use end::{End, Stage};
use lease::{Kept, Lease};
use piece::{Piece, pieces};

/// Who lends something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Lender {
    Registration(Key),
    End(Key, Role),
}

/// How many ends are remembered that are over.
const PAST: usize = 4096;

/// Memory on loan from modules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    leases: HashMap<Key, Lease>,
    ends: HashMap<(Key, Role), End>,
    /// Every address that was lent.
    places: BTreeSet<(usize, Lender)>,
    past: VecDeque<(Key, Role)>,
    /// Contexts without a cleanup callback that were there when their owner's wait ended.
    unfreed: Vec<Kept>,
}

impl Ledger {
    // Registrations.

    /// A module has registered, whose own characteristics of its interface are as long as `specific`
    /// says, if that is known.
    pub(crate) fn open(
        &mut self,
        key: Key,
        module: &Module,
        specific: Option<Extent>,
    ) -> Vec<Breach> {
        let lease = Lease {
            module: module.label,
            pieces: pieces(module.characteristics(), specific),
            context: module.callee.context.0.addr(),
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

    /// The contexts among these, or among all, that have not been freed although their owners are gone
    /// (V-60).
    pub(crate) fn take_unfreed(&mut self, among: Option<&[usize]>) -> Vec<Breach> {
        let due = |kept: &mut Kept| among.is_none_or(|among| among.contains(&kept.address));
        let unfreed: Vec<Kept> = self.unfreed.extract_if(.., due).collect();
        let live = unfreed.iter().filter(|kept| kept.is_live());
        live.map(Kept::breach).collect()
    }

    // Bindings.

    /// A module has handed over its context and its table, whose size may be known.
    pub(crate) fn attach(
        &mut self,
        binding: Key,
        opening: Opening,
        size: Option<usize>,
    ) -> Vec<Breach> {
        let Opening {
            serial,
            module,
            peer,
            registration,
            context,
            dispatch,
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
        let end = End {
            finding,
            registration,
            has_cleanup: module.has_cleanup(),
            stage: Stage::Offered,
            context,
            dispatch,
            table: Piece::new(Lent::Dispatch, dispatch, size.unwrap_or(0)),
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

    /// The cleanup callback of an end is about to be called, and neither end has another user.
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

    /// Returns `true` if another module has lent something in the block of an address.
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
