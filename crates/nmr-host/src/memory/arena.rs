//! The pages of the quarantine: a range of addresses, reserved once, from which blocks are taken one
//! behind the other. A block ends at the end of its last page, and the page behind it stays closed.
//! Pages of freed blocks are closed again, and their addresses are used again only when the whole
//! range has been gone through.

use std::collections::BTreeMap;

use super::quarantine::{Block, Place};
use super::system::Range;

/// The least alignment of a block.
const ALIGNMENT: usize = 16;
/// What is between the end of a block and the end of its page.
const GUARD_BYTE: u8 = 0xa5;
/// What a freed block holds that was touched.
const DEAD_BYTE: u8 = 0xdd;

/// A block and its pages.
#[derive(Debug)]
struct Run {
    block: Block,
    pages: usize,
    /// Whether it was opened again after it was freed.
    opened: bool,
}

/// The blocks and the pages that they take.
#[derive(Debug)]
pub(super) struct Arena {
    range: Range,
    /// By their first page.
    runs: BTreeMap<usize, Run>,
    /// The page at which the next search begins.
    next: usize,
    /// How many blocks there were.
    count: u64,
}

/// How a block was freed.
#[derive(Debug)]
pub(super) enum Freed {
    /// As it should be.
    Once(Block),
    /// It was written to behind its end.
    Overrun(Block),
    /// It had been freed before.
    Twice(Block),
    /// Nothing begins there.
    Never,
}

impl Arena {
    /// Reserves addresses, if the system has them.
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            range: Range::new()?,
            runs: BTreeMap::new(),
            next: 0,
            count: 0,
        })
    }

    /// The addresses, from the first to behind the last.
    pub(super) fn addresses(&self) -> std::ops::Range<usize> {
        self.range.addresses()
    }

    /// Takes a block whose bytes all hold `fill`. `None` if no pages are left for it.
    #[expect(clippy::indexing_slicing, reason = "the block lies within its pages")]
    pub(super) fn allocate(
        &mut self,
        size: usize,
        alignment: usize,
        fill: u8,
        place: Place,
    ) -> Option<usize> {
        let page = self.range.page();
        let alignment = alignment.max(ALIGNMENT);
        if alignment > page {
            return None;
        }
        let room = size.max(1).checked_next_multiple_of(alignment)?;
        let pages = room.div_ceil(page);
        let first = self.find(pages.checked_add(1)?)?;
        if !self.range.open(first, pages) {
            return None;
        }
        let offset = pages * page - room;
        let bytes = self.range.bytes(first, pages);
        bytes[offset..offset + size].fill(fill);
        bytes[offset + size..].fill(GUARD_BYTE);
        self.count += 1;
        let start = self.address(first) + offset;
        let block = Block {
            start,
            size,
            number: self.count,
            pageable: false,
            claimed: false,
            allocated: place,
            freed: None,
        };
        self.runs.insert(
            first,
            Run {
                block,
                pages,
                opened: false,
            },
        );
        Some(start)
    }

    /// Finds pages in a row without a live block, and forgets the freed ones that were there.
    fn find(&mut self, count: usize) -> Option<usize> {
        let mut first = self.next;
        let mut again = true;
        loop {
            if first + count > self.range.count() {
                if !std::mem::take(&mut again) || count > self.range.count() {
                    return None;
                }
                first = 0;
            }
            let Some((&start, run)) = self.runs.range(..first + count).next_back() else {
                break;
            };
            let end = start + run.pages + 1;
            if end <= first {
                break;
            }
            if run.block.freed.is_none() {
                first = end;
            } else {
                if run.opened {
                    let pages = run.pages;
                    self.range.close(start, pages);
                }
                self.runs.remove(&start);
            }
        }
        self.next = first + count;
        Some(first)
    }

    /// The run whose pages, with the closed one behind them, an address is in.
    fn run(&mut self, address: usize) -> Option<(usize, &mut Run)> {
        let offset = address.checked_sub(self.range.addresses().start)?;
        let page = offset / self.range.page();
        let (&first, run) = self.runs.range_mut(..=page).next_back()?;
        (page <= first + run.pages).then_some((first, run))
    }

    /// The address of a page.
    fn address(&self, page: usize) -> usize {
        self.range.addresses().start + page * self.range.page()
    }

    /// The block that an address is in, or behind.
    pub(super) fn block(&mut self, address: usize) -> Option<&mut Block> {
        self.run(address).map(|(_, run)| &mut run.block)
    }

    /// Closes a block.
    #[expect(clippy::indexing_slicing, reason = "the block lies within its pages")]
    pub(super) fn free(&mut self, start: usize, place: Place) -> Freed {
        let Some((first, run)) = self.run(start).filter(|(_, run)| run.block.start == start) else {
            return Freed::Never;
        };
        if run.block.freed.is_some() {
            return Freed::Twice(run.block.clone());
        }
        run.block.freed = Some(place);
        let (block, pages) = (run.block.clone(), run.pages);
        let behind = start + block.size - self.address(first);
        let bytes = self.range.bytes(first, pages);
        let intact = bytes[behind..].iter().all(|&byte| byte == GUARD_BYTE);
        self.range.close(first, pages);
        if intact {
            Freed::Once(block)
        } else {
            Freed::Overrun(block)
        }
    }

    /// Opens a freed block again, for those that cannot be stopped. Returns whether an address is
    /// in one.
    pub(super) fn open(&mut self, address: usize) -> bool {
        let Some((first, run)) = self.run(address) else {
            return false;
        };
        let (pages, freed) = (run.pages, run.block.freed.is_some());
        run.opened |= freed;
        let within = address < self.address(first + pages);
        if !freed || !within || !self.range.open(first, pages) {
            return false;
        }
        self.range.bytes(first, pages).fill(DEAD_BYTE);
        true
    }
}
