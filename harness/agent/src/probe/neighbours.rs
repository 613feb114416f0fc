//! Whom a client's packets go to.

use std::net::IpAddr;

use grenadier_fleet::Mac;

/// The neighbour (ARP) entry of an address in the text of `/proc/net/arp`; none where nobody answered or nobody asked.
///
/// Columns as in proc_net(5): address, hardware type, flags, hardware address, mask, device. The flag 0x2 (`ATF_COM`) says
/// that somebody answered.
pub(crate) fn entry(table: &str, address: IpAddr) -> Option<Mac> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let (at, flags, mac) = (columns.next()?, columns.nth(1)?, columns.next()?);
        let flags = u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?;
        (at.parse() == Ok(address) && flags & 2 != 0).then(|| mac.parse().ok()).flatten()
    })
}

/// The entry as the kernel has it now.
pub(super) fn current(address: IpAddr) -> Option<Mac> {
    entry(&std::fs::read_to_string("/proc/net/arp").ok()?, address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answered_entries_count() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
                     198.18.2.20      0x1         0x2         00:50:56:80:00:01     *        eth0\n\
                     198.18.2.21      0x1         0x0         00:00:00:00:00:00     *        eth0\n";
        let mac = |address: &str| entry(table, address.parse().expect("an address"));
        assert_eq!(mac("198.18.2.20"), Some(Mac::vmware(1)));
        assert_eq!(mac("198.18.2.21"), None);
        assert_eq!(mac("198.18.2.2"), None);
    }
}
