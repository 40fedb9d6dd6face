//! Ports for servers of tests.

#![expect(clippy::missing_panics_doc, reason = "it is for tests")]

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener, UdpSocket},
};

use crate::{Random as _, SystemRandom};

/// A port that nobody listens on, for a server that may be started again. It is below those that
/// outgoing connections take, one of which could have it meanwhile. No test that runs beside this one
/// gets the same, nor does this one twice: the UDP port of that number, which no server of a test has,
/// is held as long as the test's process lives.
pub fn free_port() -> u16 {
    loop {
        let mut random = [0; 2];
        SystemRandom.fill(&mut random);
        let port = 10_000 + u16::from_be_bytes(random) % 20_000;
        let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
        let free =
            held.and_then(|held| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(|_| held));
        match free {
            Ok(held) => {
                std::mem::forget(held);
                return port;
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => panic!("no port: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let given: HashSet<_> = (0..500).map(|_| free_port()).collect();
        assert_eq!(given.len(), 500);
    }
}
