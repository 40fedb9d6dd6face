//! The addresses to listen on.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::{TcpListener, TcpSocket};

/// How often a free port is looked for that all addresses have.
const ATTEMPTS: usize = 16;

/// Listens on each of `hosts`, on one port, which is the second half of the answer: `PORT=0`
/// takes one that is free. `variable` is where another port can be chosen.
pub(crate) fn listen(
    hosts: &[IpAddr],
    port: u16,
    variable: &str,
) -> Result<(Vec<TcpListener>, u16), String> {
    let mut outcome = listen_once(hosts, port);
    for _ in 1..ATTEMPTS {
        // The port that the first address got may be taken on the second.
        if port != 0 || outcome.is_ok() {
            break;
        }
        outcome = listen_once(hosts, port);
    }
    outcome.map_err(|(address, error)| refused(address, &error, variable))
}

/// Why, and what to do about it.
fn refused(address: SocketAddr, error: &io::Error, variable: &str) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "it is in use; stop what runs there, which may be this server, or take another port, \
             such as {variable}={}, or {variable}=0 for any that is free",
            address.port().checked_add(1).unwrap_or(3232)
        ),
        io::ErrorKind::PermissionDenied => {
            format!("{error}; ports below 1024 are for root: take another, such as {variable}=3232")
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address; HOST takes those \
            that it has, such as 127.0.0.1, or 0.0.0.0 for all of them"
            .to_owned(),
        _ => error.to_string(),
    };
    format!("cannot listen on {address}: {advice}")
}

fn listen_once(
    hosts: &[IpAddr],
    mut port: u16,
) -> Result<(Vec<TcpListener>, u16), (SocketAddr, io::Error)> {
    let mut listeners = Vec::new();
    let mut missing = None;
    for host in hosts {
        let address = SocketAddr::new(*host, port);
        match bind(address) {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |address| address.port());
                listeners.push(listener);
            }
            // A machine may have no IPv6, and each says so in its own way.
            Err(error) if host.is_ipv6() && error.kind() != io::ErrorKind::AddrInUse => {
                missing = Some((address, error));
            }
            Err(error) => return Err((address, error)),
        }
    }
    match missing {
        Some(missing) if listeners.is_empty() => Err(missing),
        Some((address, error)) => {
            tracing::debug!(event = "server.no_ipv6", %address, %error,
                "there is no such address here");
            Ok((listeners, port))
        }
        None => Ok((listeners, port)),
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_free_port_is_one_for_all_addresses() {
        let (listeners, port) =
            listen(&[LOOPBACK, IpAddr::V6(Ipv6Addr::LOCALHOST)], 0, "PORT").unwrap();
        assert_ne!(port, 0);
        for listener in listeners {
            assert_eq!(listener.local_addr().unwrap().port(), port);
        }
    }

    #[tokio::test]
    async fn a_port_in_use_is_said_to_be() {
        let (_taken, port) = listen(&[LOOPBACK], 0, "PORT").unwrap();
        let refused = listen(&[LOOPBACK], port, "AUTH_SERVER_PORT").unwrap_err();
        let another = format!("AUTH_SERVER_PORT={}", port + 1);
        assert!(refused.contains("in use") && refused.contains(&another), "{refused}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_said_to_be() {
        // An address of documentation (RFC 5737): no machine has it.
        let refused = listen(&["192.0.2.1".parse().unwrap()], 0, "PORT").unwrap_err();
        assert!(refused.contains("no such address; HOST"), "{refused}");
    }

    #[tokio::test]
    async fn a_machine_without_that_ipv6_address_is_served_without_it() {
        // An address of documentation (RFC 3849): no machine has it.
        let nowhere: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(listen(&[LOOPBACK, nowhere], 0, "PORT").unwrap().0.len(), 1);
        assert!(listen(&[nowhere], 0, "PORT").is_err(), "nothing is left to listen on");
    }
}
