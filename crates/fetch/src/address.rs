//! Which addresses are not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network of IPv4: its first address, the bits that name it, and what it is.
type V4 = ([u8; 4], u32, &'static str);

/// The same of IPv6, by its first four groups: no network here is named by more bits than theirs.
type V6 = ([u16; 4], u32, &'static str);

/// The IANA IPv4 Special-Purpose Address Registry (RFC 6890), also where it calls a network
/// globally reachable: none of them is where a document would be. Besides: multicast, and an
/// address that is special in one cloud only.
const SPECIAL_V4: [V4; 18] = [
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "shared by customers of a carrier"),
    ([127, 0, 0, 0], 8, "loopback"),
    ([168, 63, 129, 16], 32, "a service of Azure for its own machines"),
    ([169, 254, 0, 0], 16, "link-local"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "for protocols"),
    ([192, 0, 2, 0], 24, "for documentation"),
    ([192, 31, 196, 0], 24, "AS112"),
    ([192, 52, 193, 0], 24, "AMT"),
    ([192, 88, 99, 0], 24, "a 6to4 relay"),
    ([192, 168, 0, 0], 16, "private"),
    ([192, 175, 48, 0], 24, "AS112"),
    ([198, 18, 0, 0], 15, "for benchmarks"),
    ([198, 51, 100, 0], 24, "for documentation"),
    ([203, 0, 113, 0], 24, "for documentation"),
    // Multicast, reserved and broadcast.
    ([224, 0, 0, 0], 3, "multicast or reserved"),
];

/// The IANA IPv6 Special-Purpose Address Registry, as far as it lies within what is given out as
/// global unicast.
const SPECIAL_V6: [V6; 5] = [
    // Teredo, benchmarks, ORCHID and others.
    ([0x2001, 0, 0, 0], 23, "for protocols"),
    ([0x2001, 0xdb8, 0, 0], 32, "for documentation"),
    ([0x2002, 0, 0, 0], 16, "6to4"),
    ([0x2620, 0x4f, 0x8000, 0], 48, "AS112"),
    ([0x3fff, 0, 0, 0], 20, "for documentation"),
];

/// RFC 4291, section 2.4. Everything outside is one of the others: unspecified, loopback,
/// IPv4-mapped and -compatible, NAT64, discard-only, segment routing, unique local, link-local,
/// site-local, multicast, or not given out.
const GLOBAL_UNICAST: V6 = ([0x2000, 0, 0, 0], 3, "global unicast");

/// What an address is for, if it is not just somewhere on the public Internet.
///
/// An IPv6 address that has an IPv4 address in it is never public, whatever that is: what would
/// translate it is not known here.
pub fn special_use(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => SPECIAL_V4
            .iter()
            .find(|(first, bits, _)| in_v4(address, *first, *bits))
            .map(|(.., what)| *what),
        IpAddr::V6(address) if !in_v6(address, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) => {
            Some(outside_global_unicast(address))
        }
        IpAddr::V6(address) => SPECIAL_V6
            .iter()
            .find(|(first, bits, _)| in_v6(address, *first, *bits))
            .map(|(.., what)| *what),
    }
}

/// Only the word: it is not public whatever this says.
fn outside_global_unicast(address: Ipv6Addr) -> &'static str {
    if address.is_loopback() {
        return "loopback";
    }
    if address.is_unspecified() {
        return "unspecified";
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => "an IPv4 address in IPv6",
        [0x64, 0xff9b, ..] => "NAT64",
        [first, ..] if first & 0xfe00 == 0xfc00 => "private",
        [first, ..] if first & 0xffc0 == 0xfe80 => "link-local",
        [first, ..] if first & 0xffc0 == 0xfec0 => "site-local",
        [first, ..] if first & 0xff00 == 0xff00 => "multicast",
        _ => "not given out",
    }
}

fn in_v4(address: Ipv4Addr, first: [u8; 4], bits: u32) -> bool {
    (u32::from(address) ^ u32::from_be_bytes(first)) >> (32 - bits) == 0
}

fn in_v6(address: Ipv6Addr, [a, b, c, d]: [u16; 4], bits: u32) -> bool {
    let first = u128::from(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0));
    (u128::from(address) ^ first) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_special(text: &str) -> bool {
        special_use(text.parse().unwrap()).is_some()
    }

    /// The ends of each network, and what is just beside it.
    #[test]
    fn each_network_has_its_ends_where_the_registry_has_them() {
        for (before, first, last, after) in [
            ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0"),
            ("192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0"),
            ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
            ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
            ("2000:ffff:ffff::", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
            ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:ffff::1", "2002::", "2002:ffff:ffff::1", "2003::"),
            ("2620:4f:7fff::1", "2620:4f:8000::", "2620:4f:8000:ffff::1", "2620:4f:8001::"),
            ("3ffe:ffff::1", "3fff::", "3fff:fff:ffff::1", "3fff:1000::"),
            ("3fff:ffff:ffff::1", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ] {
            for public in [before, after].into_iter().filter(|address| !address.is_empty()) {
                assert!(!is_special(public), "{public}");
            }
            for special in [first, last] {
                assert!(is_special(special), "{special}");
            }
        }
    }

    #[test]
    fn what_it_is_has_a_name() {
        for (address, what) in [
            ("169.254.169.254", "link-local"),
            ("100.100.100.200", "shared by customers of a carrier"),
            ("255.255.255.255", "multicast or reserved"),
            ("::1", "loopback"),
            ("::", "unspecified"),
            ("::ffff:8.8.8.8", "an IPv4 address in IPv6"),
            ("::8.8.8.8", "an IPv4 address in IPv6"),
            ("::ffff:0:8.8.8.8", "an IPv4 address in IPv6"),
            ("64:ff9b::8.8.8.8", "NAT64"),
            ("64:ff9b:1::8.8.8.8", "NAT64"),
            ("100::1", "not given out"),
            ("100:0:0:1::1", "not given out"),
            ("2001::1", "for protocols"),
            ("2001:2::1", "for protocols"),
            ("2002:7f00:1::", "6to4"),
            ("5f00::1", "not given out"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            assert_eq!(special_use(address.parse().unwrap()), Some(what), "{address}");
        }
    }

    /// The standard library's word on what it knows.
    fn known_to_be_special(address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => {
                address.is_private()
                    || address.is_loopback()
                    || address.is_link_local()
                    || address.is_broadcast()
                    || address.is_documentation()
                    || address.is_multicast()
                    || address.is_unspecified()
            }
            IpAddr::V6(address) => {
                address.is_loopback()
                    || address.is_multicast()
                    || address.is_unspecified()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
                    || address.to_ipv4().is_some()
            }
        }
    }

    fn any_v6_near_something() -> impl Strategy<Value = Ipv6Addr> {
        let prefix = prop::sample::select(vec![
            0_u128,
            0xffff << 32,
            0xffff_0000 << 32,
            0x0064_ff9b << 96,
            0x0064_ff9b_0001 << 80,
            0x2002 << 112,
            0x2001 << 112,
            0xfc00 << 112,
            0xfe80 << 112,
            0xfec0 << 112,
            0xff00 << 112,
        ]);
        (prefix, any::<u32>()).prop_map(|(prefix, v4)| Ipv6Addr::from(prefix | u128::from(v4)))
    }

    proptest! {
        #[test]
        fn whatever_the_standard_library_knows_is_special(bits in any::<u32>(), wide in any::<u128>()) {
            for address in [IpAddr::V4(bits.into()), IpAddr::V6(wide.into())] {
                prop_assert!(!known_to_be_special(address) || special_use(address).is_some());
            }
        }

        #[test]
        fn no_address_hides_in_another(address in any_v6_near_something()) {
            prop_assert!(special_use(IpAddr::V6(address)).is_some(), "{}", address);
        }

        /// 6to4 and Teredo carry an address further up.
        #[test]
        fn nor_at_another_place(v4 in any::<u32>(), rest in any::<u64>()) {
            let v4 = u128::from(v4);
            for wide in [
                0x2002 << 112 | v4 << 80 | u128::from(rest),
                0x2001_0000 << 96 | v4 << 64 | u128::from(rest),
            ] {
                prop_assert!(special_use(IpAddr::V6(wide.into())).is_some());
            }
        }

        #[test]
        fn what_is_public_is_in_no_network(bits in any::<u32>(), wide in any::<u128>()) {
            let v4 = Ipv4Addr::from(bits);
            let listed = SPECIAL_V4.iter().any(|(first, length, _)| {
                let mask = u32::MAX << (32 - length);
                bits & mask == u32::from_be_bytes(*first)
            });
            prop_assert_eq!(special_use(IpAddr::V4(v4)).is_some(), listed);
            // Most of all IPv6 addresses are not given out.
            let v6 = Ipv6Addr::from(wide);
            if special_use(IpAddr::V6(v6)).is_none() {
                prop_assert_eq!(v6.segments()[0] >> 13, 1);
            }
        }
    }
}
