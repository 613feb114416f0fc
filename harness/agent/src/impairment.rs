//! What becomes of the packets of a machine's cards, whatever its guest does.
//!
//! A classic BPF program on both hooks of a `clsact` queueing discipline decides about each packet, ARP included, before the
//! kernel's own network sees it and after it has sent it. So the cards, addresses and routes stay as they are, and nothing in
//! the machine notices. It needs NET_ADMIN, and `CONFIG_NET_SCH_INGRESS` and `CONFIG_NET_CLS_BPF` in the kernel. Queueing
//! disciplines that impair by themselves (`netem`) and actions (`gact`) are missing in small kernels, this is not.

use serde::{Deserialize, Serialize};

/// How badly the networks of a machine do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impairment {
    /// Every packet goes through.
    #[default]
    None,
    /// None does, in neither direction.
    Partition,
}

/// An instruction of a classic BPF program, as in `struct sock_filter` of `linux/filter.h`.
struct Instruction {
    code: u16,
    jump_true: u8,
    jump_false: u8,
    operand: u32,
}

/// `BPF_RET | BPF_K`: ends with the operand as the verdict.
const RETURN: u16 = 0x06;
/// `TC_ACT_OK`: the packet goes on.
const PASS: u32 = 0;
/// `TC_ACT_SHOT`: the packet is dropped.
const DROP: u32 = 2;

fn verdict(operand: u32) -> Instruction {
    Instruction { code: RETURN, jump_true: 0, jump_false: 0, operand }
}

impl Impairment {
    /// What decides about each packet; nothing where nothing needs to be decided.
    fn program(self) -> Option<Vec<Instruction>> {
        match self {
            Impairment::None => None,
            Impairment::Partition => Some(vec![verdict(DROP)]),
        }
    }

    /// The commands of `tc` that begin it on an interface without one.
    pub(crate) fn begin(self, interface: &str) -> Vec<String> {
        self.program().map_or_else(Vec::new, |program| filters(interface, &program))
    }

    /// The commands of `tc` that end it there.
    pub(crate) fn end(self, interface: &str) -> Vec<String> {
        if self.program().is_none() { Vec::new() } else { vec![format!("qdisc delete dev {interface} clsact")] }
    }
}

/// The commands of `tc` that show whether the kernel can do such things at all, on the loopback interface and without harm.
pub(crate) fn trial() -> Vec<String> {
    let mut commands = filters("lo", &[verdict(PASS)]);
    commands.push("qdisc delete dev lo clsact".to_owned());
    commands
}

fn filters(interface: &str, program: &[Instruction]) -> Vec<String> {
    let instruction = |Instruction { code, jump_true, jump_false, operand }: &Instruction| {
        format!("{code} {jump_true} {jump_false} {operand},")
    };
    let instructions: String = program.iter().map(instruction).collect();
    let filter = |hook: &str| {
        format!("filter add dev {interface} {hook} bpf direct-action bytecode '{},{instructions}'", program.len())
    };
    vec![format!("qdisc add dev {interface} clsact"), filter("ingress"), filter("egress")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_drops_every_packet_in_both_directions() {
        let commands = [
            "qdisc add dev eth1 clsact",
            "filter add dev eth1 ingress bpf direct-action bytecode '1,6 0 0 2,'",
            "filter add dev eth1 egress bpf direct-action bytecode '1,6 0 0 2,'",
        ];
        assert_eq!(Impairment::Partition.begin("eth1"), commands);
        assert_eq!(Impairment::Partition.end("eth1"), ["qdisc delete dev eth1 clsact"]);
        assert!(Impairment::None.begin("eth1").is_empty() && Impairment::None.end("eth1").is_empty());
    }
}
