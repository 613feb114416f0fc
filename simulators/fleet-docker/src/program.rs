//! The program that plays the agent: this very binary, carried into containers.

use std::path::Path;

/// Why a program cannot play the agent.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be read.
    #[error("read the agent's program {path}")]
    Read {
        /// Where it should be.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It needs a dynamic linker, which is another one (or none) in the containers' systems.
    #[error("use {path} as the agent: it is linked dynamically; build it with target-feature=+crt-static")]
    Dynamic {
        /// Where it is.
        path: String,
    },
}

/// Reads a program that containers of any system can run.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ProgramError> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| ProgramError::Read { path: shown.clone(), source })?;
    if names_interpreter(&bytes) { Err(ProgramError::Dynamic { path: shown }) } else { Ok(bytes) }
}

/// Whether a 64-bit little-endian ELF file has a program header that names an interpreter (`PT_INTERP`, elf(5)). A file that
/// is none of these is the kernel's to refuse.
fn names_interpreter(elf: &[u8]) -> bool {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, length: usize| {
        let bytes = elf.get(at..at + length)?;
        Some(bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let find = || {
        if elf.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let (table, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
        (0..count)
            .find(|index| usize::try_from(table + index * size).ok().and_then(|at| number(at, 4)) == Some(PT_INTERP))
    };
    find().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(kinds: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 0x40];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[0x20] = 0x40;
        file[0x36] = 0x38;
        file[0x38] = u8::try_from(kinds.len()).expect("a few");
        for kind in kinds {
            let mut header = vec![0; 0x38];
            header[0] = *kind;
            file.extend(header);
        }
        file
    }

    #[test]
    fn an_interpreter_makes_a_program_dynamic() {
        assert!(names_interpreter(&elf(&[6, 3, 1])));
        assert!(!names_interpreter(&elf(&[1, 1, 2])));
        assert!(!names_interpreter(b"#!/bin/sh\n"));
        assert!(!names_interpreter(&elf(&[1, 3])[..0x60]), "a torn file names nothing");
    }

    #[test]
    fn this_test_is_such_a_program() {
        assert!(read(Path::new("/proc/self/exe")).is_ok(), "the workspace builds static programs");
    }
}
