//! Callbacks of the other convention. On x86-64 hosts other than Windows the C compiler's own convention
//! is not the NMR's, and a cast hides that from it. This decodes the first instructions of a callback
//! and finds the one sign that leaves no doubt: in Windows' convention `rdi` and `rsi` are no arguments
//! and belong to the caller, so a function saves them before it uses them.

use crate::memory;

/// Returns `true` if a function certainly has the convention of System V. `false` where its first instructions do
/// not show that.
pub(crate) fn is_system_v(address: usize) -> bool {
    let mut code = [0; 64];
    let length = memory::copy(address, &mut code).unwrap_or_default();
    code.get(..length).is_some_and(uses_unsaved)
}

const RAX: u8 = 0;
const RSP: u8 = 4;
const RBP: u8 = 5;
const RSI: u8 = 6;
const RDI: u8 = 7;

/// Returns `true` if code uses `rdi` or `rsi` before it has saved it. It ends at the first call, jump or return, and
/// at an instruction that it does not know.
fn uses_unsaved(mut code: &[u8]) -> bool {
    let mut saved = [false; 2];
    while let Some(step) = Step::decode(code) {
        for (register, saved) in [RDI, RSI].into_iter().zip(&mut saved) {
            if step.saves == Some(register) {
                *saved = true;
            } else if !*saved && step.uses.contains(&Some(register)) {
                return true;
            }
        }
        code = code.get(step.length..).unwrap_or_default();
    }
    false
}

/// One instruction, as far as it matters here.
#[derive(Clone, Copy, Default)]
struct Step {
    length: usize,
    /// The registers that it reads or writes.
    uses: [Option<u8>; 3],
    /// The register that it stores where a save may be.
    saves: Option<u8>,
}

impl Step {
    /// Decodes what compilers begin functions with. `None` for anything else.
    fn decode(code: &[u8]) -> Option<Self> {
        let mut at = usize::from(matches!(code.first(), Some(0x64 | 0x66 | 0xf3)));
        let rex = code.get(at).copied().filter(|byte| byte & 0xf0 == 0x40);
        at += usize::from(rex.is_some());
        let rex = rex.unwrap_or_default();
        let wide = rex & 8 != 0;
        let opcode = *code.get(at)?;
        let operands = |at: usize, immediate| Self::with_operands(code, rex, opcode, at, immediate);
        match opcode {
            0x50..=0x57 => Some(Self {
                length: at + 1,
                saves: Some(opcode & 7 | (rex & 1) << 3),
                ..Self::default()
            }),
            0xb8..=0xbf => Some(Self {
                length: at + if wide { 9 } else { 5 },
                uses: [Some(opcode & 7 | (rex & 1) << 3), None, None],
                saves: None,
            }),
            0x01 | 0x03 | 0x09 | 0x0b | 0x21 | 0x23 | 0x29 | 0x2b | 0x31 | 0x33 | 0x39 | 0x3b
            | 0x63 | 0x85 | 0x89 | 0x8b | 0x8d => operands(at + 1, 0),
            0x83 => operands(at + 1, 1),
            0x81 | 0xc7 => operands(at + 1, 4),
            0x0f => match code.get(at + 1)? {
                // endbr64 has the form of a register operand of no consequence.
                0x1e if code.get(at + 2) == Some(&0xfa) => Some(Self {
                    length: at + 3,
                    ..Self::default()
                }),
                0x10 | 0x11 | 0x28 | 0x29 => {
                    let mut step = operands(at + 2, 0)?;
                    // The register is one of SSE.
                    step.uses[0] = None;
                    Some(step)
                }
                0xb6 | 0xb7 | 0xbe | 0xbf => operands(at + 2, 0),
                _ => None,
            },
            _ => None,
        }
    }

    /// Decodes the operands of an instruction, of which `modrm` is at this place.
    fn with_operands(
        code: &[u8],
        rex: u8,
        opcode: u8,
        at: usize,
        immediate: usize,
    ) -> Option<Self> {
        let modrm = *code.get(at)?;
        let (mode, low) = (modrm >> 6, modrm & 7);
        // With an immediate it is a part of the opcode.
        let register = (immediate == 0).then_some((modrm >> 3 & 7) | (rex & 4) << 1);
        let other = low | (rex & 1) << 3;
        if mode == 3 {
            return Some(Self {
                length: at + 1 + immediate,
                uses: [register, Some(other), None],
                saves: None,
            });
        }
        let sib = if low == RSP {
            Some(*code.get(at + 1)?)
        } else {
            None
        };
        let (base, index) = match sib {
            Some(sib) => (
                sib & 7 | (rex & 1) << 3,
                Some((sib >> 3 & 7) | (rex & 2) << 2).filter(|&index| index != RSP),
            ),
            None => (other, None),
        };
        let next = at + 1 + usize::from(sib.is_some());
        let no_base = mode == 0 && base & 7 == RBP;
        let displacement = match mode {
            0 if no_base => 4,
            0 => 0,
            1 => 1,
            _ => 4,
        };
        // A store by the stack pointer, by its copy in `rax`, or above the frame may be a save.
        let above = mode == 2 || mode == 1 && code.get(next).is_some_and(|&byte| byte < 0x80);
        let saves =
            opcode == 0x89 && !no_base && (base == RSP || base == RAX || base == RBP && above);
        Some(Self {
            length: next + displacement + immediate,
            uses: [
                register.filter(|_| !saves),
                Some(base).filter(|_| !no_base),
                index,
            ],
            saves: register.filter(|_| saves),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gcc_makes_of_the_native_convention_is_seen() {
        for code in [
            // push rbp; mov rbp,rsp; sub rsp,0x20; mov [rbp-8],rdi
            &[
                0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0x48, 0x89, 0x7d, 0xf8,
            ][..],
            // endbr64; sub rsp,8; test rdi,rdi
            &[
                0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x08, 0x48, 0x85, 0xff,
            ],
            // push rbx; mov rbx,rdi
            &[0x53, 0x48, 0x89, 0xfb],
            // mov rax,[rdi+8]
            &[0x48, 0x8b, 0x47, 0x08],
            // mov [rip+0],rdi
            &[0x48, 0x89, 0x3d, 0, 0, 0, 0],
            // sub rsp,8; lea rdi,[rip+0]
            &[0x48, 0x83, 0xec, 0x08, 0x48, 0x8d, 0x3d, 0, 0, 0, 0],
            // mov edi,1
            &[0xbf, 1, 0, 0, 0],
            // push rdi; mov rdi,rcx; mov rax,[rsi]: one was saved, the other was not
            &[0x57, 0x48, 0x89, 0xcf, 0x48, 0x8b, 0x06],
            // mov rax,fs:[0x28]; mov [rsp+8],rax; mov rax,[rsi+rcx*8]
            &[
                0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0x48, 0x89, 0x44, 0x24, 0x08, 0x48,
                0x8b, 0x04, 0xce,
            ],
            // push r12; mov r12,rdx; mov rbp,rsi; push rbx; mov rbx,rdi
            &[
                0x41, 0x54, 0x49, 0x89, 0xd4, 0x48, 0x89, 0xf5, 0x53, 0x48, 0x89, 0xfb,
            ],
        ] {
            assert!(uses_unsaved(code), "{code:x?}");
        }
    }

    #[test]
    fn windows_convention_and_what_is_not_known_are_not_seen() {
        for code in [
            // push rbp; mov rbp,rsp; mov [rbp+0x10],rcx
            &[0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0x4d, 0x10][..],
            // push rdi; push rsi; mov rdi,rcx
            &[0x57, 0x56, 0x48, 0x89, 0xcf],
            // mov [rsp+0x10],rdi: a save
            &[0x48, 0x89, 0x7c, 0x24, 0x10],
            // mov rax,rsp; mov [rax+0x10],rdi: a save
            &[0x48, 0x89, 0xe0, 0x48, 0x89, 0x78, 0x10],
            // push rbp; mov rbp,rsp; mov [rbp+0x18],rdi: a save
            &[0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0x7d, 0x18],
            // push rdi; push rsi; sub rsp,0xa8; movaps [rsp],xmm6; mov rdi,rcx; mov rax,[rdi]; mov rsi,rdx
            &[
                0x57, 0x56, 0x48, 0x81, 0xec, 0xa8, 0, 0, 0, 0x0f, 0x29, 0x34, 0x24, 0x48, 0x89,
                0xcf, 0x48, 0x8b, 0x07, 0x48, 0x89, 0xd6,
            ],
            // mov rax,[0x28] without a base; cmp dword [rdx+8],7
            &[
                0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0x83, 0x7a, 0x08, 0x07,
            ],
            // xor eax,eax; ret
            &[0x31, 0xc0, 0xc3],
            // jmp
            &[0xe9, 0, 0, 0, 0],
            &[],
        ] {
            assert!(!uses_unsaved(code), "{code:x?}");
        }
    }

    #[test]
    #[cfg(not(miri))]
    fn an_address_without_code_is_not_seen() {
        assert!(!is_system_v(8));
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
    fn functions_of_this_program_are_told_apart() {
        extern "C" fn native(context: *mut usize) -> usize {
            context.addr()
        }
        extern "efiapi" fn windows(context: *mut usize) -> usize {
            context.addr()
        }
        assert!(is_system_v(native as *const () as usize));
        assert!(!is_system_v(windows as *const () as usize));
    }
}
