//! What becomes of the packets of a machine's cards, whatever its guest does.
//!
//! Classic BPF programs on both hooks of a `clsact` queueing discipline decide about each packet before the kernel's own network
//! sees it and after it has sent it. So the cards, addresses and routes stay as they are, and nothing in the machine notices. It
//! needs NET_ADMIN, and `CONFIG_NET_SCH_INGRESS`, `CONFIG_NET_CLS_BPF` and, for delays, `CONFIG_NET_ACT_MIRRED` in the kernel.
//! Queueing disciplines that impair by themselves (`netem`) and actions (`gact`) are missing in small kernels, these are not.
//!
//! A delay is no decision: what is delayed is dropped here, and comes again from [`crate::delay`], which marks it by its source.

use serde::{Deserialize, Serialize};

use crate::delay::MARK;

/// How badly the networks of a machine do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impairment {
    /// No packet goes through, in neither direction.
    pub partition: bool,
    /// How late packets come that are sent to the machine, in milliseconds; ARP comes at once.
    pub delay_ms: u64,
    /// The share of packets that is lost in either direction, in percent; of ARP none.
    pub loss_percent: u8,
}

/// An instruction of a classic BPF program, as in `struct sock_filter` of `linux/filter.h`.
#[derive(Clone, Copy)]
struct Instruction {
    code: u16,
    jump_true: u8,
    jump_false: u8,
    operand: u32,
}

/// `BPF_RET | BPF_K`: ends with the operand as the verdict.
const RETURN: u16 = 0x06;
/// `BPF_LD | BPF_H | BPF_ABS` and `BPF_LD | BPF_W | BPF_ABS`: load two or four bytes of the frame, or what the kernel knows of it.
const LOAD_HALF: u16 = 0x28;
const LOAD_WORD: u16 = 0x20;
/// `BPF_JMP | BPF_JEQ | BPF_K` and `BPF_JMP | BPF_JGE | BPF_K`.
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
/// `SKF_AD_OFF + SKF_AD_RANDOM`: four random bytes.
const RANDOM: u32 = 0xffff_f000 + 56;
/// Where a frame has the last four bytes of its source, and its type.
const SOURCE_END: u32 = 8;
const TYPE: u32 = 12;
const ARP: u32 = 0x0806;
/// `TC_ACT_OK`: the packet goes on.
const PASS: u32 = 0;
/// `TC_ACT_SHOT`: the packet is dropped.
const DROP: u32 = 2;
/// What a filter with an action of its own returns for a packet that it is for, and for one that it is not.
const MATCH: u32 = u32::MAX;
const NO_MATCH: u32 = 0;

fn plain(code: u16, operand: u32) -> Instruction {
    Instruction { code, jump_true: 0, jump_false: 0, operand }
}

/// Skips the next `jump_true` instructions where it holds, else the next `jump_false`.
fn jump(code: u16, operand: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction { code, jump_true, jump_false, operand }
}

/// What the frames that come from [`crate::delay`] have at [`SOURCE_END`].
fn mark() -> u32 {
    u32::from_be_bytes([MARK[2], MARK[3], MARK[4], MARK[5]])
}

/// Matches the frames that come from [`crate::delay`].
fn marked() -> [Instruction; 4] {
    [plain(LOAD_WORD, SOURCE_END), jump(JUMP_EQUAL, mark(), 0, 1), plain(RETURN, MATCH), plain(RETURN, NO_MATCH)]
}

impl Impairment {
    /// Whether every packet goes through as if there were none of this.
    pub fn is_none(self) -> bool {
        self == Impairment::default()
    }

    /// What decides about each packet that comes in.
    fn incoming(self) -> Vec<Instruction> {
        self.program(self.delay_ms > 0)
    }

    /// What decides about each packet that goes out.
    fn outgoing(self) -> Vec<Instruction> {
        self.program(false)
    }

    /// What decides about each packet; one that `delays` lets only those through that were delayed already.
    fn program(self, delays: bool) -> Vec<Instruction> {
        if self.partition {
            return vec![plain(RETURN, DROP)];
        }
        // ARP comes through: a machine that does badly is still known to its neighbours.
        let mut program = vec![plain(LOAD_HALF, TYPE), jump(JUMP_EQUAL, ARP, 0, 1), plain(RETURN, PASS)];
        if delays {
            program.extend([plain(LOAD_WORD, SOURCE_END), jump(JUMP_EQUAL, mark(), 1, 0), plain(RETURN, DROP)]);
        }
        if self.loss_percent > 0 {
            let lost = (u64::from(u32::MAX) * u64::from(self.loss_percent) / 100) as u32;
            program.extend([plain(LOAD_WORD, RANDOM), jump(JUMP_AT_LEAST, lost, 1, 0), plain(RETURN, DROP)]);
        }
        program.push(plain(RETURN, PASS));
        program
    }

    /// The commands of `tc` that begin it on an interface without one.
    pub(crate) fn begin(self, interface: &str) -> Vec<String> {
        if self.is_none() {
            return Vec::new();
        }
        let mut commands = vec![format!("qdisc add dev {interface} clsact")];
        if self.delay_ms > 0 {
            commands.push(turned(interface, &marked()));
        }
        commands.push(filter(interface, "ingress", &self.incoming()));
        commands.push(filter(interface, "egress", &self.outgoing()));
        commands
    }

    /// The commands of `tc` that end it there.
    pub(crate) fn end(self, interface: &str) -> Vec<String> {
        if self.is_none() { Vec::new() } else { vec![format!("qdisc delete dev {interface} clsact")] }
    }

    /// The commands of `tc` that show whether the kernel can do it, on the loopback interface and without harm.
    pub(crate) fn trial(self) -> Vec<String> {
        let pass = [plain(RETURN, PASS)];
        let mut commands = vec!["qdisc add dev lo clsact".to_owned()];
        if self.delay_ms > 0 {
            commands.push(turned("lo", &[plain(RETURN, NO_MATCH)]));
        }
        commands.extend([filter("lo", "ingress", &pass), filter("lo", "egress", &pass)]);
        commands.push("qdisc delete dev lo clsact".to_owned());
        commands
    }
}

/// A program as `tc` reads it.
fn bytecode(program: &[Instruction]) -> String {
    let instruction = |Instruction { code, jump_true, jump_false, operand }: &Instruction| {
        format!("{code} {jump_true} {jump_false} {operand},")
    };
    let instructions: String = program.iter().map(instruction).collect();
    format!("'{},{instructions}'", program.len())
}

/// A program whose verdict is what becomes of a packet.
fn filter(interface: &str, hook: &str, program: &[Instruction]) -> String {
    format!("filter add dev {interface} {hook} prio 2 bpf direct-action bytecode {}", bytecode(program))
}

/// What the program matches is not sent out, it comes in instead.
fn turned(interface: &str, program: &[Instruction]) -> String {
    let bytecode = bytecode(program);
    format!(
        "filter add dev {interface} egress prio 1 bpf bytecode {bytecode} action mirred ingress redirect dev {interface}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_drops_every_packet_in_both_directions() {
        let partition = Impairment { partition: true, ..Impairment::default() };
        let commands = [
            "qdisc add dev eth1 clsact",
            "filter add dev eth1 ingress prio 2 bpf direct-action bytecode '1,6 0 0 2,'",
            "filter add dev eth1 egress prio 2 bpf direct-action bytecode '1,6 0 0 2,'",
        ];
        assert_eq!(partition.begin("eth1"), commands);
        assert_eq!(partition.end("eth1"), ["qdisc delete dev eth1 clsact"]);
        let both = Impairment { delay_ms: 5, loss_percent: 5, ..partition };
        assert_eq!(both.begin("eth1")[2..], commands[1..], "it is worse than anything else");
        let none = Impairment::default();
        assert!(none.begin("eth1").is_empty() && none.end("eth1").is_empty());
    }

    /// What a program makes of a frame.
    fn verdict(program: &[Instruction], source: [u8; 6], kind: u16, random: u32) -> u32 {
        let mut frame = [[0; 6], source].concat();
        frame.extend(kind.to_be_bytes());
        frame.extend([0; 50]);
        let (mut accumulator, mut at) = (0, 0);
        loop {
            let Instruction { code, jump_true, jump_false, operand } = program[at];
            let place = operand as usize;
            let skips = |holds| usize::from(if holds { jump_true } else { jump_false });
            at += 1;
            match code {
                RETURN => return operand,
                LOAD_WORD if operand == RANDOM => accumulator = random,
                LOAD_WORD => accumulator = u32::from_be_bytes(frame[place..place + 4].try_into().unwrap()),
                LOAD_HALF => accumulator = u16::from_be_bytes(frame[place..place + 2].try_into().unwrap()).into(),
                JUMP_EQUAL => at += skips(accumulator == operand),
                JUMP_AT_LEAST => at += skips(accumulator >= operand),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn each_packet_meets_what_it_should() {
        const IP: u16 = 0x0800;
        const OTHER: [u8; 6] = [0, 0x50, 0x56, 0x80, 0, 1];
        let (early, late) = (u32::MAX / 5 - 1, u32::MAX / 5 + 1);
        let delay = Impairment { delay_ms: 200, ..Impairment::default() };
        let loss = Impairment { loss_percent: 20, ..Impairment::default() };
        let both = Impairment { delay_ms: 200, ..loss };
        for (impairment, source, kind, random, incoming, outgoing) in [
            (delay, OTHER, IP, 0, DROP, PASS),
            (delay, MARK, IP, 0, PASS, PASS),
            (delay, OTHER, 0x0806, 0, PASS, PASS),
            (loss, OTHER, IP, early, DROP, DROP),
            (loss, OTHER, IP, late, PASS, PASS),
            (loss, OTHER, 0x0806, early, PASS, PASS),
            (both, OTHER, IP, late, DROP, PASS),
            (both, MARK, IP, late, PASS, PASS),
            (both, MARK, IP, early, DROP, DROP),
            (both, OTHER, 0x0806, early, PASS, PASS),
        ] {
            let found = [impairment.incoming(), impairment.outgoing()];
            let found = found.map(|program| verdict(&program, source, kind, random));
            assert_eq!(found, [incoming, outgoing], "{impairment:?} {source:?} {kind} {random}");
        }
        for (source, found) in [(MARK, MATCH), (OTHER, NO_MATCH)] {
            assert_eq!(verdict(&marked(), source, IP, 0), found, "what comes back, and nothing else");
        }
    }
}
