//! Where a fetch may go.

use std::net::IpAddr;

use url::{Host, Url};

use crate::{FetchError, special_use};

/// Says which addresses a fetch may go to.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    loopback: bool,
}

impl Guard {
    /// Public addresses only.
    pub const fn public() -> Self {
        Self { loopback: false }
    }

    /// Public addresses, and loopback under the names that say so: `localhost`, and loopback
    /// addresses themselves. For a server that is itself reached on loopback only. Any other name
    /// that leads to loopback is still refused: its owner is not this machine's.
    pub const fn public_or_loopback() -> Self {
        Self { loopback: true }
    }

    /// Checks what a URL says without asking anybody.
    pub fn check(self, url: &Url) -> Result<(), FetchError> {
        if url.scheme() != "https" {
            return Err(FetchError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::UserInfo);
        }
        match url.host() {
            None => Err(FetchError::NotHttps),
            // Its addresses are checked when they are known.
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.admit(&address.to_string(), address.into()),
            Some(Host::Ipv6(address)) => self.admit(&address.to_string(), address.into()),
        }
    }

    /// Checks one address of a host. An address is a host of its own name.
    pub(crate) fn admit(self, host: &str, address: IpAddr) -> Result<(), FetchError> {
        let Some(what) = special_use(address) else { return Ok(()) };
        let names_itself = || host == address.to_string() || is_localhost(host);
        if self.loopback && address.is_loopback() && names_itself() {
            return Ok(());
        }
        Err(FetchError::NotPublic { host: host.to_owned(), address, what })
    }
}

fn is_localhost(host: &str) -> bool {
    host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checked(guard: Guard, url: &str) -> Result<(), &'static str> {
        guard.check(&Url::parse(url).unwrap()).map_err(|error| error.reason())
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7F.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "https://127\u{3002}0\u{3002}0\u{3002}1/",
            "https://0/",
            "https://10.1/",
            "https://0xa9fea9fe/",
            "https://169.254.169.254/latest/meta-data",
            "https://2852039166/",
            "https://[::1]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
        ] {
            assert_eq!(checked(Guard::public(), url), Err("address_not_public"), "{url}");
        }
        for url in ["https://8.8.8.8/", "https://[2606:4700::1111]:8443/", "https://a.example/"] {
            assert_eq!(checked(Guard::public(), url), Ok(()), "{url}");
        }
    }

    #[test]
    fn only_https_without_a_password_is_fetched() {
        for (url, why) in [
            ("http://a.example/", "not_https"),
            ("ftp://a.example/", "not_https"),
            ("file:///etc/passwd", "not_https"),
            ("data:application/json,{}", "not_https"),
            ("gopher://a.example/", "not_https"),
            ("https://user@a.example/", "user_info"),
            ("https://:password@a.example/", "user_info"),
            ("https://a.example@127.0.0.1/", "user_info"),
        ] {
            assert_eq!(checked(Guard::public_or_loopback(), url), Err(why), "{url}");
        }
    }

    #[test]
    fn loopback_is_let_in_under_its_own_name_only() {
        let guard = Guard::public_or_loopback();
        for url in ["https://127.0.0.1:8443/", "https://127.1/", "https://[::1]/"] {
            assert_eq!(checked(guard, url), Ok(()), "{url}");
        }
        for url in ["https://[::ffff:127.0.0.1]/", "https://10.0.0.1/", "https://0.0.0.0/"] {
            assert!(checked(guard, url).is_err(), "{url}");
        }
        let loopback = "127.0.0.1".parse().unwrap();
        let private = "192.168.0.1".parse().unwrap();
        for host in ["localhost", "LocalHost", "localhost."] {
            assert_eq!(guard.admit(host, loopback), Ok(()), "{host}");
            assert!(guard.admit(host, private).is_err(), "{host}");
            assert!(Guard::public().admit(host, loopback).is_err(), "{host}");
        }
        for host in ["a.example", "localhost.example", "localhost..", "a.localhost"] {
            assert!(guard.admit(host, loopback).is_err(), "{host}");
        }
    }

    proptest! {
        /// Whatever form a number takes, it is the address that the number is.
        #[test]
        fn no_spelling_gets_past(bits in any::<u32>(), form in 0..5) {
            let address = std::net::Ipv4Addr::from(bits);
            let [a, b, c, d] = address.octets();
            let host = match form {
                0 => address.to_string(),
                1 => bits.to_string(),
                2 => format!("{bits:#x}"),
                3 => format!("0{a:o}.{b:#x}.{}", u32::from(c) * 256 + u32::from(d)),
                _ => format!("{a}.{}", bits & 0x00ff_ffff),
            };
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            let refused = Guard::public().check(&url).is_err();
            prop_assert_eq!(refused, special_use(address.into()).is_some());
        }

        #[test]
        fn anything_is_judged(text in "https://[-a-z0-9.:@%\\[\\]/#?\\\\]{0,40}") {
            if let Ok(url) = Url::parse(&text)
                && Guard::public().check(&url).is_ok()
            {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert_eq!((url.username(), url.password()), ("", None));
                if let Some(Host::Ipv4(address)) = url.host() {
                    prop_assert!(special_use(address.into()).is_none());
                }
            }
        }
    }
}
